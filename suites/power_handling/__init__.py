"""What the plate promises: rated power, legs, overload, standby, beside the mains, as an island, and portable."""
