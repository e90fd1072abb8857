"""ITECH IT8617, AC electronic load, 5.4 kW, 50 to 420 V, 60 A: one leg of the house."""
