"""Driver of the Chroma 63804. Role: ElectronicLoad, one leg of the house.

Constant power at power factor 1. The meter of the series is better than its set-point (0.1 % against 0.5 %), so a
draw is read back and the set-point corrected once.
Of several boxes in parallel the master is told and read, and its figures are those of one box.
Never met hardware: the table is from a public class for the smaller 63802.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from instruments.chroma_63804.commands import (
    LOAD,
    MEASURED_CURRENT,
    MEASURED_POWER,
    MEASURED_VOLTAGE,
    MODE,
    PEAK_CURRENT,
    POWER,
    POWER_FACTOR,
    RATING,
    SHAPE,
    Mode,
    Options,
    Shape,
)
from rig.clock import Clock
from rig.errors import InstrumentError
from rig.metrology.accuracy import read_accuracy
from rig.metrology.measurement import Measurement
from rig.roles import Rating, SafeState
from rig.scpi.driver import ScpiDriver, Session

ACCURACY = read_accuracy(Path(__file__).with_name("accuracy.toml"))

SAFE_CURRENT = 0.5
"""A; below it the input counts as open (project choice: 4 times the current reading's own limit of error at zero)."""


class Chroma63804(ScpiDriver):
    """AC electronic load of one leg."""

    met_hardware: ClassVar[bool] = False

    def __init__(self, session: Session, options: Options, clock: Clock) -> None:
        super().__init__(session, clock)
        self._boxes = n = options.boxes
        self.rating = Rating(RATING.voltage, n * RATING.current, n * RATING.power)
        self._leg = f"L{options.leg + 1}"
        self._prepared = False

    def draw(self, power: float) -> None:
        """Draw constant power. power: W, 0 or more; 0 opens the input."""
        with self._session.lock:
            if power == 0.0:
                self._set(LOAD, False, check=True)
                return
            if not self._prepared:
                self._prepare()
            power /= self._boxes
            self._set(POWER, power, check=True)
            if not self._get(LOAD):
                self._set(LOAD, True, check=True)
            self._trim(power)

    def power(self) -> Measurement:
        """W really drawn."""
        one = self._measured("power", self._get(MEASURED_POWER), "W")
        n = self._boxes  # alike in make and master: their errors are taken to go the same way
        budget = tuple(replace(part, sensitivity=n * part.sensitivity) for part in one.budget)
        return replace(one, value=n * one.value, budget=budget)

    def voltage(self) -> Measurement:
        """V rms at the load."""
        return self._measured("voltage", self._get(MEASURED_VOLTAGE), "V")

    def make_safe(self) -> SafeState:
        """Open the input; confirmed by its state and its current."""
        self._prepared = False
        with self._session.lock:
            readings = self._bring_down([lambda: self._set(LOAD, False)])
            try:
                closed, current = self._get(LOAD), self._get(MEASURED_CURRENT)
            except InstrumentError as error:
                return SafeState(False, (*readings, str(error)))
        readings += [f"input {'closed' if closed else 'open'}", f"{current:.3f} A"]
        return SafeState(not closed and abs(current) < SAFE_CURRENT, tuple(readings))

    def _prepare(self) -> None:
        """Constant power at power factor 1, with the input open: the mode cannot be changed under load."""
        self._set(LOAD, False)
        self._set(MODE, Mode.POWER, check=True)
        self._set(SHAPE, Shape.POWER_FACTOR)
        self._set(POWER_FACTOR, 1.0)
        self._set(PEAK_CURRENT, 135.0)
        self._prepared = True

    def _trim(self, power: float) -> None:
        """Correct the set-point by what the meter misses. More than the setting error can be is no setting error: the
        house is dead or the source gives way, and nothing is corrected."""
        missing = power - self._get(MEASURED_POWER)
        readable = ACCURACY["power"].range_for(power).limit(power)
        explained = 1.5 * ACCURACY["power_set"].range_for(power).limit(power)
        if readable < abs(missing) <= explained:
            self._set(POWER, min(max(power + missing, 0.0), RATING.power), check=True)

    def _measured(self, function: str, value: float, unit: str) -> Measurement:
        budget = ACCURACY.budget(function, value)
        return Measurement(function, value, unit, budget, f"{self.resource} {self._leg} {function}", self._clock.now())


def open_driver(session: Session, options: Options, clock: Clock) -> Chroma63804:
    """A driver on an open session. The leg is a matter of wiring: it names the readings."""
    return Chroma63804(session, options, clock)
