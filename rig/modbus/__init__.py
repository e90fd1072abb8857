"""Modbus RTU on a serial line: frames (through pymodbus), sessions in virtual and real time."""
