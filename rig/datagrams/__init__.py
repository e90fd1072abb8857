"""Instruments that are spoken to by datagrams (UDP): sessions in virtual and real time, and an emulator's server.

Bytes and addresses: no class of device, and nothing that listens beyond loopback unasked.
"""
