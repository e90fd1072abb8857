"""Driver of the Keysight 34970A. Role: Thermometer, one platinum resistor in the room.

The scan list is set up at the first reading and asked for at each one. Never met hardware.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from instruments.keysight_34970a.commands import CONFIGURE, PROBE, READ, Options
from rig.clock import Clock
from rig.metrology.accuracy import read_accuracy
from rig.metrology.measurement import Measurement
from rig.scpi.driver import ScpiDriver, Session

ACCURACY = read_accuracy(Path(__file__).with_name("accuracy.toml"))


class Keysight34970a(ScpiDriver):
    """Temperature of the room."""

    met_hardware: ClassVar[bool] = False

    def __init__(self, session: Session, options: Options, clock: Clock) -> None:
        super().__init__(session, clock)
        self._channel, self._ready = options.channel, False

    def ambient(self) -> Measurement:
        """The room, degC."""
        with self._session.lock:
            if not self._ready:
                self._set(CONFIGURE, (*PROBE, f"(@{self._channel})"))
                self._ready = True
            value = self._get(READ)
        budget = ACCURACY.budget("temperature", value)
        return Measurement(
            "ambient", value, "degC", budget, f"{self.resource} channel {self._channel}", self._clock.now()
        )


def open_driver(session: Session, options: Options, clock: Clock) -> Keysight34970a:
    """A driver on an open session."""
    return Keysight34970a(session, options, clock)
