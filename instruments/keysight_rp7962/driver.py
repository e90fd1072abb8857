"""Driver of the Keysight RP7962A. Role: DcSource, the battery's place.

Voltage priority: the pack's ohmic resistance is the output resistance of the instrument, its currents are the two
limits. Over-current protection stays off, since it would trip on reaching a limit, which is what a battery's limits are
for; the limits themselves never exceed `ocp` and what `opp` leaves at the voltage.

Order: output off, latch cleared, voltage priority, protections, watchdog, set-points, output on. A latched output is
never brought back by clearing alone. Never met hardware.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, ClassVar

from instruments.keysight_rp7962.commands import (
    CLEAR_PROTECTION,
    FETCHED_CURRENT,
    FUNCTION,
    LIMIT_NEGATIVE,
    LIMIT_POSITIVE,
    MEASURED_VOLTAGE,
    OCP_STATE,
    OUTPUT,
    OVP,
    QUESTIONABLE,
    RESISTANCE,
    VOLTAGE,
    WATCHDOG,
    WATCHDOG_TIME,
    Function,
    Options,
    Questionable,
)
from rig.clock import Clock
from rig.errors import EnvelopeError, InstrumentError
from rig.metrology.accuracy import read_accuracy
from rig.roles import DcReading, Rating, SafeState
from rig.scpi.command import Command
from rig.scpi.driver import ScpiDriver, Session

ACCURACY = read_accuracy(Path(__file__).with_name("accuracy.toml"))
SAFE_CURRENT = 0.5
"""A; below it the output counts as off (project choice: 5 times the limit of error of the current reading)."""


class KeysightRp7962(ScpiDriver):
    """Bi-directional DC source behind an output resistance."""

    met_hardware: ClassVar[bool] = False

    def __init__(self, session: Session, options: Options, clock: Clock) -> None:
        super().__init__(session, clock)
        self.rating = Rating(options.voltage, options.current, options.power)
        self._options = options
        self._sent: dict[Command[Any], object] = {}
        self._live = False
        self._last = 0.0

    @property
    def resistance(self) -> float:
        """ohm the source imitates."""
        return float(self._sent.get(RESISTANCE, 0.0))  # type: ignore[arg-type]

    def imitate(self, voltage: float, resistance: float, i_source_max: float, i_sink_max: float) -> None:
        """Hold voltage (V at no current) behind resistance (ohm) within the limits (A, positive). Output on."""
        self._check(voltage, resistance, i_source_max, i_sink_max)
        most = self._options.opp / voltage if voltage > 0.0 else math.inf
        with self._session.lock:
            try:
                if self._live:
                    self._look_after_output()
                if not self._live:
                    self._prepare()
                self._send(RESISTANCE, resistance)
                self._send(VOLTAGE, voltage)
                self._send(LIMIT_POSITIVE, min(i_source_max, most))
                self._send(LIMIT_NEGATIVE, -min(i_sink_max, most))
                if not self._live:
                    self._set(OUTPUT, True, check=True)
                    self._live = True
            except InstrumentError:
                self._forget()
                raise
            self._last = self._clock.now()

    def reading(self) -> DcReading:
        """What is at its terminals; current positive into the instrument (its own sign is the other way round)."""
        with self._session.lock:
            voltage, current = self._get(MEASURED_VOLTAGE), -self._get(FETCHED_CURRENT)
        (voltage_u, voltage_limits_u), (current_u, current_limits_u) = (
            ACCURACY.u("voltage", voltage), ACCURACY.u("current", current),
        )  # fmt: skip
        update = 2.0 * ACCURACY["current"].update
        return DcReading(
            self._clock.now(), voltage, current, voltage_u, current_u, update, voltage_limits_u, current_limits_u
        )

    def make_safe(self) -> SafeState:
        """Output off; confirmed by its state and its current."""
        self._forget()
        with self._session.lock:
            readings = self._bring_down([lambda: self._set(OUTPUT, False)])
            try:
                on, now = self._get(OUTPUT), self.reading()
            except InstrumentError as error:
                return SafeState(False, (*readings, str(error)))
        readings += [f"output {'on' if on else 'off'}", f"{now.current:.3f} A", f"{now.voltage:.1f} V"]
        return SafeState(not on and abs(now.current) < SAFE_CURRENT, tuple(readings))

    def _check(self, voltage: float, resistance: float, i_source_max: float, i_sink_max: float) -> None:
        """Set-points against the rating and the protections, before anything is sent."""
        current = min(self.rating.current, self._options.ocp)
        for name, value, unit, most in (
            ("voltage", voltage, "V", min(self.rating.voltage, self._options.ovp)),
            ("source current", i_source_max, "A", current),
            ("sink current", i_sink_max, "A", current),
            ("resistance", resistance, "ohm", self.rating.voltage / self.rating.current),
        ):
            if not 0.0 <= value <= most:
                raise EnvelopeError(
                    f"{self.resource}: {name} {value:g} {unit} is outside 0..{most:g} {unit} "
                    f"(rating and protections of the bench file); not sent"
                )

    def _prepare(self) -> None:
        """Output off, then the latch, then protections; all read back."""
        options = self._options
        self._set(OUTPUT, False, check=True)
        self._do(CLEAR_PROTECTION)
        latched = Questionable(self._get(QUESTIONABLE)).alarms
        if latched:
            raise InstrumentError(self.resource, "OUTP:PROT:CLE", f"still stopped by {', '.join(latched)}; mend that")
        self._set(FUNCTION, Function.VOLTAGE, check=True)
        self._set(OVP, options.ovp, check=True)
        self._set(OCP_STATE, False, check=True)
        if options.watchdog:
            self._set(WATCHDOG_TIME, options.watchdog, check=True)
        self._set(WATCHDOG, bool(options.watchdog), check=True)

    def _send(self, command: Command[Any], value: object) -> None:
        """Send a set-point that changed, read back."""
        if self._sent.get(command) != value:
            self._set(command, value, check=True)
            self._sent[command] = value

    def _look_after_output(self) -> None:
        """Still on? The programmed state alone does not tell."""
        status, on = Questionable(self._get(QUESTIONABLE)), self._get(OUTPUT)
        silence = Questionable.WATCHDOG in status
        if on and not status.alarms and not silence:
            return
        self._forget()
        if silence and not status.alarms and self._clock.now() - self._last > self._options.watchdog > 0:
            return  # nobody spoke to it for that long: it did its duty and is set up anew
        words = ", ".join(status.alarms) or ("its watchdog" if silence else "no alarm; someone at its panel?")
        raise InstrumentError(self.resource, "OUTP?", f"switched its output off by itself: {words}")

    def _forget(self) -> None:
        self._sent.clear()
        self._live = False


def open_driver(session: Session, options: Options, clock: Clock) -> KeysightRp7962:
    """A driver on an open session."""
    return KeysightRp7962(session, options, clock)
