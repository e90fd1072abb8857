"""Driver of the ITECH IT8617. Role: ElectronicLoad, one leg of the house.

Constant power at power factor 1, protections above the rating's edge. The meter is better than the set-point, so a
draw is read back and the set-point corrected once. An input that the box opened by itself is told, never closed again
in silence. Never met hardware: the table is from public classes for the smaller IT8615.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from instruments.itech_it8617.commands import (
    CLEAR_PROTECTION,
    COUPLING,
    CURRENT_PROTECTION,
    FUNCTION,
    INPUT,
    LOCAL,
    MEASURED_CURRENT,
    MEASURED_POWER,
    MEASURED_VOLTAGE,
    POWER,
    POWER_FACTOR,
    POWER_PROTECTION,
    PRIORITY,
    RATING,
    REMOTE,
    Coupling,
    Function,
    Options,
    Priority,
)
from rig.clock import Clock
from rig.errors import InstrumentError
from rig.metrology.accuracy import read_accuracy
from rig.metrology.measurement import Measurement
from rig.roles import Rating, SafeState
from rig.scpi.driver import ScpiDriver, Session

ACCURACY = read_accuracy(Path(__file__).with_name("accuracy.toml"))

SAFE_CURRENT = 0.5
"""A; below it the input counts as open (project choice: 3 times the current reading's own limit of error at zero)."""


class ItechIt8617(ScpiDriver):
    """AC electronic load of one leg."""

    met_hardware: ClassVar[bool] = False

    def __init__(self, session: Session, options: Options, clock: Clock) -> None:
        super().__init__(session, clock)
        self.rating: Rating = RATING
        self._leg = f"L{options.leg + 1}"
        self._prepared = self._closed = False

    def draw(self, power: float) -> None:
        """Draw constant power. power: W, 0 or more; 0 opens the input."""
        with self._session.lock:
            if power == 0.0:
                self._open()
                return
            if not 0.0 < power <= RATING.power:
                self._set(POWER, power)  # refused there, in its words, before anything is sent
            closed = self._look_after_input()
            if not self._prepared:
                self._prepare()
            self._set(POWER, power, check=True)
            if not closed:
                self._set(INPUT, True, check=True)
            self._closed = True
            self._trim(power)

    def power(self) -> Measurement:
        """W really drawn."""
        return self._measured("power", self._get(MEASURED_POWER), "W")

    def voltage(self) -> Measurement:
        """V rms at the load."""
        return self._measured("voltage", self._get(MEASURED_VOLTAGE), "V")

    def make_safe(self) -> SafeState:
        """Open the input; confirmed by its state and its current."""
        self._prepared = self._closed = False
        with self._session.lock:
            readings = self._bring_down([lambda: self._do(REMOTE), lambda: self._set(INPUT, False)])
            try:
                closed, current = self._get(INPUT), self._get(MEASURED_CURRENT)
            except InstrumentError as error:
                return SafeState(False, (*readings, str(error)))
        readings += [f"input {'closed' if closed else 'open'}", f"{current:.3f} A"]
        return SafeState(not closed and abs(current) < SAFE_CURRENT, tuple(readings))

    def close(self) -> None:
        """End the session; its panel is given back when the input is open, else kept so that nothing changes."""
        try:
            if self._prepared and not self._get(INPUT):
                self._do(LOCAL)
        except InstrumentError:
            pass  # a closing line is no place to complain
        super().close()

    def _open(self) -> None:
        self._closed = False
        if not self._prepared:
            self._do(REMOTE)
        self._set(INPUT, False, check=True)

    def _look_after_input(self) -> bool:
        """Whether the input is closed, as it was left. InstrumentError when the box opened it by itself."""
        closed = self._get(INPUT) if self._prepared else False
        if self._closed and not closed and self._prepared:
            self._prepared = self._closed = False
            raise InstrumentError(
                self.resource, "INP?", "opened its input by itself: a protection, or someone at its panel"
            )
        return closed

    def _prepare(self) -> None:
        """Everything that cannot change under load, with the input open; protections before it can close."""
        self._do(REMOTE)
        self._set(INPUT, False, check=True)
        self._do(CLEAR_PROTECTION)
        self._set(COUPLING, Coupling.AC, check=True)
        self._set(FUNCTION, Function.POWER, check=True)
        self._set(PRIORITY, Priority.POWER_FACTOR, check=True)
        self._set(POWER_FACTOR, 1.0, check=True)
        self._set(CURRENT_PROTECTION, 1.1 * RATING.current, check=True)
        self._set(POWER_PROTECTION, 1.1 * RATING.power, check=True)
        self._prepared = True

    def _trim(self, power: float) -> None:
        """Correct the set-point by what the meter misses; what no setting error explains is left as it is."""
        missing = power - self._get(MEASURED_POWER)
        readable = ACCURACY["power"].range_for(power).limit(power)
        explained = 1.5 * ACCURACY["power_set"].range_for(power).limit(power)
        if readable < abs(missing) <= explained:
            self._set(POWER, min(max(power + missing, 0.0), RATING.power), check=True)

    def _measured(self, function: str, value: float, unit: str) -> Measurement:
        budget = ACCURACY.budget(function, value)
        return Measurement(function, value, unit, budget, f"{self.resource} {self._leg} {function}", self._clock.now())


def open_driver(session: Session, options: Options, clock: Clock) -> ItechIt8617:
    """A driver on an open session. The leg is a matter of wiring: it names the readings."""
    return ItechIt8617(session, options, clock)
