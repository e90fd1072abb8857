"""Instruments that are spoken to by datagrams (UDP): sessions in virtual and real time, and an emulator's server."""
