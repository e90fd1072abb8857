"""The EVPS feeds beside the mains, the mains leaves its limits, and the contact of the PCS says when it has ceased.

The house draws more than the EVPS gives, so that nothing is exported (PWR-015) and power still flows in the mains.
When the PCS contact is open the EVPS cannot energise the mains any more, whatever it feeds behind it.
"""

import math
from dataclasses import dataclass

from rig.errors import DutViolation
from rig.metrology.contact import AUX_LEVEL, moves
from rig.metrology.instant import instant_of_step, start_of_ramp
from rig.metrology.measurement import Component, Measurement
from rig.metrology.timing import duration

POWER, HOUSE = 0.60, 0.75
"""Of rated power: what the EVPS gives and the house draws (1547.1: 50 % at least, standards.md GRD-001)."""
FAST, SLOW = 20e3, 2e3
"""S/s of a record, and of one longer than BRIEF (standards.md 2.3; project choice)."""
BRIEF, LONGEST = 20.0, 55.0
"""s: records up to BRIEF are fast; what takes longer than LONGEST is watched in pieces (project choices)."""
LEAD = 0.5
"""s of record before anything (project choice: more than the cycles a fit needs)."""
REACH = 1.5
"""Times the stated time for which a trip is waited for (standards.md GRD-005)."""
MRA_CYCLES, MRA_SHARE, SHORT = 2.0, 0.01, 5.0
"""Accuracy of a time: cycles up to 5 s, a fraction beyond (standards.md MET-001, 002 [SVP])."""
SETTLES = 3.0
"""s from an order to steady power: 20 A/s to 30 A and room (chademo.md 2 step 10)."""
FLOWS = 0.5
"""Of the power asked for that has to flow (project choice: half)."""
POLL = 0.1
"""s between two looks at a panel (project choice)."""


@dataclass(frozen=True)
class Tripped:
    """One step of the mains: how long until the contact was open (inf: never), and openings before the step."""

    time: Measurement
    early: int


class Protection:
    """The mains leaves its limits."""

    def __init__(self, bench, evps, capture, contact, depth):
        self._bench, self._evps, self._capture, self._contact = bench, evps, capture, contact
        ratings = bench.profile.ratings
        self.voltage, self.frequency, self.rated = ratings.leg_voltage, ratings.frequency, ratings.power
        self.delay, self.ramp = (bench.profile.figure(name) or 0.0 for name in ("retransfer_delay", "enter_ramp"))
        self.repeats = depth.pick(quick=1, normal=2, full=5)

    def begin(self, power=POWER, house=HOUSE):
        """Discharge beside live mains. power, house: of rated power."""
        bench = self._bench
        bench.house.draw(house * self.rated)
        bench.charger.set_power(power * self.rated)
        self._evps.in_session("discharge", soc=0.75, discharge_limit=bench.profile.ratings.dc_current)
        bench.clock.sleep(SETTLES)
        self._power = power
        if not self.flows():
            raise DutViolation(f"next to nothing is discharged beside a good mains {SETTLES:g} s after the start")

    def flows(self):
        """Whether about what was asked for is discharged."""
        reading = self._bench.battery.reading()
        return -reading.current * reading.voltage > FLOWS * self._power * self.rated

    def restore(self):
        """The mains is good again; wait until the EVPS has come back to it."""
        bench = self._bench
        bench.grid.supply(self.voltage, self.frequency)
        within = 1.2 * self.delay + 10.0
        end = bench.clock.now() + within
        while self._evps.charger.state().on_backup:
            if bench.clock.now() >= end:
                raise DutViolation(f"the house is not back on a good mains {within:g} s after it came")
            bench.clock.sleep(POLL)
        bench.clock.sleep(SETTLES + 1.02 * self.ramp)
        if not self.flows():
            raise DutViolation(f"next to nothing is discharged {1.02 * self.ramp + SETTLES:g} s after the return")

    def hold(self, course):
        """s the mains stands inside the setting before the step: its time and twice the accuracy of time."""
        if course.setting.before is None:
            return 0.0
        within = course.within
        return within + 2 * (MRA_CYCLES / self.frequency if within < SHORT else MRA_SHARE * within)

    def trip(self, course):
        """Step the mains beyond a setting and time the opening of the contact."""
        bench = self._bench
        reach = REACH * course.within + 1.0
        hold = self.hold(course)
        if LEAD + hold + reach > LONGEST:
            return self._slowly(course, hold, reach)
        seconds = LEAD + hold + reach
        with self._capture(course.quantity, ("grid_l1", "pcs_aux"), seconds, FAST if seconds < BRIEF else SLOW) as rec:
            bench.clock.sleep(LEAD)
            if hold:  # no longer there than asked for: a slower protection may already count
                bench.grid.supply(course.before.voltage, course.before.frequency)
                bench.clock.sleep(hold)
            since = bench.clock.now()
            self._move(course)
            until = bench.clock.now()
        aux = rec["pcs_aux"]
        opened = [move for move in moves(aux) if not move.closed]
        early = sum(move.at < since for move in opened)
        later = next((move for move in opened if move.at >= since), None)
        source = f"{rec['grid_l1'].source} to {aux.source}"
        if course.setting.figure == "rocof":
            start, u = (since + until) / 2, (until - since) / math.sqrt(12)
            if later is not None:
                rate = -course.setting.beyond
                start, part = start_of_ramp(rec["grid_l1"], since, later.at, self.frequency, rate)
                u = part.u
        else:
            ends = until + 0.02
            start, part = instant_of_step(
                rec["grid_l1"], since - 0.02, ends, course.before.frequency, course.beyond.frequency
            )
            u = part.u
        if later is None:
            return Tripped(duration(course.quantity, start, math.inf, u, 0.0, source), early)
        return Tripped(duration(course.quantity, start, later.at, u, later.u, source), early)

    def _move(self, course):
        """What the course asks of the mains."""
        if course.setting.figure == "rocof":
            seconds = 2 * REACH * course.within
            self._bench.grid.ramp(self.voltage, self.frequency - course.setting.beyond * seconds, seconds)
        else:
            self._bench.grid.supply(course.beyond.voltage, course.beyond.frequency)

    def _slowly(self, course, hold, reach):
        """The same over minutes, watched in pieces; the command itself says when the step was."""
        bench = self._bench
        bench.grid.supply(course.before.voltage, course.before.frequency)
        early = 0 if math.isinf(self._contact.moves_to(False, hold)[0]) else 1
        since = bench.clock.now()
        self._move(course)
        until = bench.clock.now()
        at, u = self._contact.moves_to(False, reach)
        start, u_start = (since + until) / 2, (until - since) / math.sqrt(12)
        return Tripped(duration(course.quantity, start, at, u_start, u, "auxiliary contact of the PCS"), early)

    def openings_during(self, name, seconds, act):
        """Openings of the contact while something is done to the mains, in so many s of record."""
        with self._capture(name, ("pcs_aux",), seconds, 1e3) as rec:
            act()
        aux = rec["pcs_aux"]
        return sum(not move.closed for move in moves(aux)) + (float(aux.volts()[0]) < AUX_LEVEL)


def share_of(m, whole, name):
    """A power as a fraction of another (W), magnitude."""
    budget = tuple(Component(c.name, c.contribution / whole, "normal", c.source) for c in m.budget)
    return Measurement(name, abs(m.value) / whole, "1", budget, m.source, m.at, m.of)
