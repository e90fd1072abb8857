"""A week of a house, a car and a roof with outages, on the emulated circuit, in well under a minute.

The house draws a week's load (fixtures/loads/house-week.csv), the roof feeds beside the mains, the charger works by the
rule of its own meter, the mains goes now and then, and on weekdays the car is away and comes back with less. Every
joule is accounted for. `python -m benchmarks.week` prints it; a day of it is a test (tests/oracle/test_week.py).
"""
