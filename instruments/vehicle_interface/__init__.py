"""Vehicle interface: the box in the car's place, of our own design."""
