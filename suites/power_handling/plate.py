"""What every power procedure needs: the plate, the legs, and the quantities a power analyzer reads of them."""

from rig.metrology.measurement import Measurement
from rig.metrology.series import Series, added, largest, mean, smallest

SETTLES = 5.0
"""s after a change of load, mode or set-point (project choice: a ramp of 20 A/s to 30 A takes 1.5 s, chademo.md 2)."""
WARM = 30.0
"""s at a working point before an efficiency is taken (project choice; the emulated stage has no temperature)."""
ABOVE = 1.01
"""Load of the rated-power procedures, in ratings: what has to be at least the rating is shown with the uncertainty of
load and meter to spare, and stays below the 105 % at which an overload begins (PWR-008; project choice)."""


class Plate:
    """Ratings of the device and the columns of a record that belong to its legs."""

    def __init__(self, profile):
        ratings = profile.ratings
        self.power, self.leg_power = ratings.power, ratings.leg_power
        self.leg_voltage, self.line_voltage = ratings.leg_voltage, ratings.line_voltage
        self.frequency, self.dc_current, self.dc_voltage = ratings.frequency, ratings.dc_current, ratings.dc_voltage
        self.house = ("house_l1", "house_l2")[: profile.legs]
        self.cabled = "chademo" in profile.capabilities
        self.evps = ("evps_l1", "evps_l2")[: profile.legs] if self.cabled else self.house

    @property
    def island(self):
        """Quantities of an island: DC side, both legs of the house and of the EVPS. A car with outlets of its own has
        no cable to measure, and what it gives is what is plugged in."""
        dc = (("dc", "u"), ("dc", "i"), ("dc", "p")) if self.cabled else ()
        return tuple(dict.fromkeys((*dc, *self.house_u_p, ("house_l1", "f"), *self.ac)))

    @property
    def house_u_p(self):
        """What can be read of a house that may go dead: nothing that needs a live voltage."""
        return tuple((leg, function) for leg in self.house for function in ("u", "p"))

    @property
    def ac(self):
        """Quantities of the EVPS's AC side."""
        return tuple((leg, function) for leg in self.evps for function in ("i", "p", "s"))

    @property
    def parallel(self):
        """Quantities of an EVPS beside the mains."""
        return (("dc", "u"), ("dc", "i"), ("dc", "p"), *self.ac)

    def house_power(self, record) -> Series:
        """W, all legs of the house."""
        return added([record[f"{leg}_p"] for leg in self.house], "house")

    def line(self, record) -> Series:
        """V across the legs: antiphase, so the legs' magnitudes add up. One leg: that."""
        return added([record[f"{leg}_u"] for leg in self.house], "house line")

    def ac_power(self, record) -> Series:
        """W out of the EVPS, all legs."""
        return added([record[f"{leg}_p"] for leg in self.evps], "EVPS")

    def mean_power(self, record) -> Measurement:
        """W out of the EVPS, mean of the record."""
        return mean(self.ac_power(record), "p_ac")

    def band(self, check, record) -> None:
        """PQ-001 and PQ-002 over a whole record: lowest and highest reading, so every reading."""
        self.volts(check, record)
        for end in (smallest, largest):
            check("PQ-002", end(record["house_l1_f"], "frequency"))

    def volts(self, check, record) -> None:
        """PQ-001 of it, for a house that may go dead and then has no frequency."""
        for end in (smallest, largest):
            for leg in self.house:
                check("PQ-001", end(record[f"{leg}_u"], "leg_voltage"))
            check("PQ-001", end(self.line(record), "line_voltage"))
