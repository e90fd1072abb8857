"""Tektronix 5 Series MSO58, eight-channel oscilloscope of 12 bit: voltages and the DC current of the bench."""
