"""Proving the rig with devices that are bad on purpose: which defect turns which test red, and does a good one stay
green. Knows no maker and no pytest: defects come as data, and what runs a unit of work is handed in."""
