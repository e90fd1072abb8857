"""A charger whose buttons are bridged by relay contacts of the bench's digital I/O board."""
