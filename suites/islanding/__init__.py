"""Beside a mains that goes bad: trips, ride-through, and how it comes back, by the grid code of the profile."""
