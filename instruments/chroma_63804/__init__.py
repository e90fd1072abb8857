"""Chroma 63804, AC electronic load, 4.5 kW, 50 to 350 V, 45 A: one leg of the house."""
