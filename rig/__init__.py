"""The bench's knowledge: clock, protocol, plant, metrology, evidence. It knows no instrument maker and no test."""
