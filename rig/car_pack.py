"""A pack model and the DC source that imitates it: the car's battery on a bench.

Theory
  At each `update` the source's terminals are read, the model is driven with the mean of this and the last current, and
  the source is set to the model's voltage behind its resistance. So the ohmic part acts in the source at once, and the
  slow part follows in steps. The voltage can be pulled away from the model (`hold`), for under-voltage tests.

  On a real bench updates come from a thread of their own and orders from the foreground: one at a time.

Signs: current positive into the pack.
"""

from __future__ import annotations

import threading

from rig.clock import Clock
from rig.errors import InstrumentError, UseError
from rig.plant.battery import Pack, PackParams
from rig.roles import DcReading, DcSource

SET_RESOLUTION = 2
"""Decimals of the source's voltage: 10 mV (project choice), so that a resting pack causes no traffic."""
CHOKE = 1.0
"""A (project choice: well below the 5 A at which contactors may open, chademo.md 2)."""
HOLD_RATE = 20.0
"""V/s at which a held voltage moves (project choice: 2 V a cycle)."""
SETTLED = 0.02
"""Fraction of the set voltage the terminals must be within before the plug goes in (project choice)."""
SETTLES_WITHIN = 2.0
"""s for that (project choice)."""
POLL = 0.1
"""s between two looks at a settling source (project choice)."""


class ImitatedPack:
    """One pack after another, on one source."""

    def __init__(self, clock: Clock, source: DcSource, params: PackParams) -> None:
        self._clock, self.source, self._params = clock, source, params
        self.model = Pack(params)
        self.reading: DcReading | None = None
        """Last reading of the terminals."""
        self.choked = False
        """Let no more than CHOKE flow, either way."""
        self._held: float | None = None
        self._goal: float | None = None
        self._rate = HOLD_RATE
        self._moved_at = 0.0
        self._lock = threading.Lock()

    def rest(self, soc: float, temperature: float) -> None:
        """A rested pack of soc (0..1) and temperature (degC), on the terminals when this returns."""
        with self._lock:
            self.model = Pack(self._params, soc, temperature)
            self._held = self._goal = None
            self._imitate()
            self.reading = self._settle()

    def update(self) -> DcReading:
        """Read, drive the model, set the source. Gives the reading."""
        with self._lock:
            before, reading = self.reading, self.source.reading()
            if before is not None and reading.at > before.at:
                self.model.advance((before.current + reading.current) / 2, reading.at - before.at)
            self.reading = reading
            self._imitate()
            return reading

    def hold(self, voltage: float | None, rate: float) -> None:
        """Pull the voltage at no current to `voltage` (V) at `rate` (V/s); None: back to the model at that rate."""
        rated = self.source.rating.voltage
        if voltage is not None and not 0 < voltage <= rated:
            raise UseError(f"car: hold_pack({voltage}) must lie above 0 and within the source's {rated:g} V")
        if not rate > 0:
            raise UseError(f"car: hold_pack rate={rate} V/s must be above 0")
        with self._lock:
            if self._held is None and voltage is not None:
                self._held = self.model.source_voltage()
            self._goal, self._rate, self._moved_at = voltage, rate, self._clock.now()

    @property
    def moving(self) -> bool:
        """A held voltage is still on its way: update often."""
        return self._held is not None and self._held != self._goal

    def _imitate(self) -> None:
        voltage = self.model.source_voltage() if self._held is None else self._pulled(self._held)
        rated = self.source.rating.current
        most = min(CHOKE, rated) if self.choked else rated
        self.source.imitate(round(voltage, SET_RESOLUTION), self.model.resistance(), most, most)

    def _pulled(self, held: float) -> float:
        now = self._clock.now()
        step, self._moved_at = self._rate * (now - self._moved_at), now
        goal = self.model.source_voltage() if self._goal is None else self._goal
        held = min(held + step, goal) if goal > held else max(held - step, goal)
        self._held = None if self._goal is None and held == goal else held
        return held

    def _settle(self) -> DcReading:
        """The terminals, once they are where they were set."""
        goal, end = self.model.source_voltage(), self._clock.now() + SETTLES_WITHIN
        while True:
            reading = self.source.reading()
            if abs(reading.voltage - goal) <= SETTLED * goal:
                return reading
            if self._clock.now() >= end:
                words = f"terminals at {reading.voltage:.1f} V {SETTLES_WITHIN:g} s after {goal:.1f} V were set"
                raise InstrumentError(self.source.resource, "imitate the pack", words)
            self._clock.sleep(POLL)
