"""Yokogawa WT1800E, power analyzer with six elements: voltages, currents and powers of the bench at one instant."""
