"""The device under test of an emulated bench: a 6 kW bi-directional CHAdeMO charger (EVPS) with its PCS."""
