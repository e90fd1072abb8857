"""A state of the EVPS, a mains that goes, a mains that comes back.

A record of a lost mains begins 0.35 s before it and ends a second after the declared transfer time (standards.md 2.3,
steps 1 and 4). A house that comes back later than that is timed by its load's voltmeter, up to the outer bound.
"""

import math
from dataclasses import dataclass

from rig.errors import DutViolation
from rig.metrology.contact import Move, moves
from rig.metrology.envelope import itic_margin
from rig.metrology.measurement import Measurement
from rig.metrology.timing import duration
from rig.metrology.transfer import LOW, TransferResult, transfer_time
from rig.metrology.trim import trimmed
from rig.metrology.wave import Wave

RATE = 20e3
"""S/s (standards.md 2.3, step 1)."""
BEFORE, AFTER = 0.35, 1.05
"""s of record before the command and after the declared transfer time (standards.md 2.3: 5 cycles, and 1 s to stay)."""
READS = 0.3
"""s of record for a reading of the power analyzer before the mains goes (project choice: two of its updates)."""
LATEST = 12.0
"""s a lost house is waited for: the outer bound of XFR-001 and a little."""
POLL = 0.1
"""s between two looks at a voltmeter or a panel (project choice)."""
FLOWS = 3.0
"""s from a session under way to steady power: a ramp of 20 A/s to 30 A, and room (chademo.md 2 step 10)."""
NEAR = 0.1
"""Of rated power the EVPS may be off for its state to be what the test says (project choice)."""
SYNCHRONISES = 4.0
"""s beyond its delay in which an EVPS comes into step and closes (project choice: 0.3 Hz turn half a turn in 1.7 s)."""

MODES = {"standby": "standby", "charging": "charge", "discharging": "discharge"}


@dataclass(frozen=True)
class Loss:
    """One lost mains: the record and what came out of it."""

    capture: object
    result: TransferResult
    time: Measurement
    envelope: Measurement

    @property
    def settle(self) -> Measurement:
        return self.result.settle


class Outage:
    """The mains goes and comes."""

    def __init__(self, bench, evps, capture):
        self._bench, self._evps, self._capture = bench, evps, capture
        self.voltage, self.frequency = bench.profile.ratings.leg_voltage, bench.profile.ratings.frequency
        self.rated = bench.profile.ratings.power
        self.legs = ("house_l1", "house_l2")[: bench.profile.legs]
        self.delay = bench.profile.figure("retransfer_delay") or 0.0
        self._state, self._load = "standby", 0.0
        self._left = False

    def begin(self, state: str, load: float) -> None:
        """Live mains, the EVPS in a state at rated power, the house drawing `load` of rated power."""
        self._state, self._load = state, load
        self._bench.house.draw(load * self.rated)
        self._evps.in_session(MODES[state], soc=0.5, discharge_limit=self._bench.profile.ratings.dc_current)
        self._must_flow()

    def cut(self, angle: float) -> Loss:
        """Open the mains at an angle of leg L1 and record how the house goes and comes."""
        declared = self._bench.profile.figure("transfer_time") or LATEST
        seconds = BEFORE + READS + 1.2 * declared + AFTER
        with self._capture(f"mains lost at {angle:g} degrees", self.channels(), seconds, RATE) as record:
            self._bench.clock.sleep(BEFORE)
            read = self._steady_voltage()
            self._bench.grid.interrupt(at_angle=angle)
        waves = [record[leg] if read is None else self._by_analyzer(record[leg], leg, read) for leg in self.legs]
        result = transfer_time(waves, self.voltage, self.frequency)
        time = result.measurement if math.isfinite(result.end) else self._by_meter(result.start)
        return Loss(record, result, time, itic_margin(waves, self.voltage, self.frequency))

    def _steady_voltage(self):
        """What the power analyzer reads of the legs now; None where it is not wired to them."""
        analyzer = self._bench.analyzer
        if analyzer is None or any(leg not in analyzer.ports for leg in self.legs):
            return None
        return analyzer.read(*((leg, "u") for leg in self.legs))

    def _by_analyzer(self, wave: Wave, leg: str, read) -> Wave:
        """The wave, scaled to that reading: an oscilloscope's gain says too little of a band of a few per cent."""
        steady = (read.at - self._bench.analyzer.update_period, read.at)
        return trimmed(wave, read.values[leg, "u"], self.frequency, *steady)

    def channels(self) -> tuple:
        """House legs and whatever else of the transfer their digitizer is wired to."""
        digitizer = self._bench.records(*self.legs)
        wired = self.legs if digitizer is None else digitizer.ports
        return tuple(port for port in (*self.legs, "grid_l1", "pcs_aux") if port in wired)

    def restore(self) -> None:
        """The mains comes back, the house returns to it, and the EVPS takes up its state again."""
        self._bench.grid.supply(self.voltage, self.frequency)
        self._left = True
        within = self.delay * 1.2 + 10.0
        end = self._bench.clock.now() + within
        while self._evps.charger.state().on_backup:
            if self._bench.clock.now() >= end:
                raise DutViolation(f"the house is not back on a good mains {within:g} s after it came")
            self._bench.clock.sleep(POLL)
        self._must_flow()

    def _must_flow(self) -> None:
        """The EVPS does what the test's name says."""
        ramp = self._bench.profile.figure("enter_ramp") or 0.0
        self._bench.clock.sleep(FLOWS + (1.02 * ramp if self._left and self._state == "discharging" else 0.0))
        wanted = {"standby": 0.0, "charging": -self.rated, "discharging": self.rated}[self._state]
        legs = ("evps_l1", "evps_l2")[: self._bench.profile.legs]
        if self._bench.analyzer is None or any(leg not in self._bench.analyzer.ports for leg in legs):
            return
        values = self._bench.analyzer.read(*[(leg, "p") for leg in legs]).values
        power = sum(m.value for m in values.values())
        if abs(power - wanted) > NEAR * self.rated:
            raise DutViolation(
                f"{self._state}: the EVPS gives {power:.0f} W to the house bus where {wanted:.0f} W is due"
            )

    def _by_meter(self, start: float) -> Measurement:
        """t_transfer of a house that was not back when the record ended, by the loads' voltmeters."""
        clock, loads = self._bench.clock, self._bench.house.legs
        while clock.now() < start + LATEST:
            readings = [leg.voltage() for leg in loads]
            if min(m.value for m in readings) >= LOW * self.voltage:
                u_end = POLL / math.sqrt(12)
                return duration("t_transfer", start, readings[-1].at - POLL / 2, 1e-3, u_end, readings[-1].source)
            clock.sleep(POLL)
        return duration("t_transfer", start, math.inf, 1e-3, POLL, "loads' voltmeters")


def first_closing(aux: Wave) -> Move:
    """When the mains contact closes. DutViolation when it does not."""
    for move in moves(aux):
        if move.closed:
            return move
    raise DutViolation(f"the mains contact does not close within {aux.seconds:.1f} s of a good mains")


def around(w: Wave, at: float, before: float, after: float) -> Wave:
    """The part of a wave about an instant (s)."""
    low, high = round((at - before - w.start) * w.rate), round((at + after - w.start) * w.rate)
    return w.cut(max(low, 0), high)
