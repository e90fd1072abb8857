"""A person who presses the charger's buttons and reads its display, asked on a terminal."""
