"""Hioki PW8001, power analyzer with eight channels: voltages, currents and powers of the bench at one instant."""
