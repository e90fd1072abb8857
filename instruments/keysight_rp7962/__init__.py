"""Keysight RP7962A, regenerative DC power system, 500 V, 40 A, 10 kW: the battery's place."""
