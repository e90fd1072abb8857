"""Modbus RTU on a serial line: frames (through pymodbus), sessions in virtual and real time.

Registers and coils only: what one of them means stands in a model's commands.py.
"""
