"""Driver of the EA PSB 10000. Role: DcSource, the battery's place.

The pack's ohmic resistance is the instrument's own internal resistance (mode UIR), so that it acts at once; what is
slower comes as new voltages. A resistance below the model's smallest is rounded to the nearer of none and the smallest
(`resistance` says what it really is). The guide describes the internal resistance for source mode (battery gives); in
sink mode SINK:RES is a load resistance and is set to its smallest, so that it never limits: whether the voltage also
rises with charging current is to be checked on hardware.

Order: remote, output off, mode, limits and protections, watchdog, set-points, output on. Never met hardware.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from instruments.ea_psb_10000.commands import (
    CURRENT,
    LOCK,
    MEASURED,
    MEASURED_CURRENT,
    MEASURED_POWER,
    MEASURED_VOLTAGE,
    MODE,
    NOMINAL_CURRENT,
    NOMINAL_POWER,
    NOMINAL_VOLTAGE,
    OCP,
    OPERATION,
    OPP,
    OUTPUT,
    OVP,
    OWNER,
    POWER,
    QUESTIONABLE,
    RESISTANCE,
    SINK_CURRENT,
    SINK_OCP,
    SINK_OPP,
    SINK_POWER,
    SINK_RESISTANCE,
    SMALLEST_RESISTANCE,
    VOLTAGE,
    WATCHDOG,
    WATCHDOG_TIME,
    Mode,
    Operation,
    Options,
    Owner,
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

(VOLTAGE_U, VOLTAGE_LIMITS_U), (CURRENT_U, CURRENT_LIMITS_U) = ACCURACY.u("voltage", 0.0), ACCURACY.u("current", 0.0)
UPDATE = ACCURACY["current"].update


class EaPsb10000(ScpiDriver):
    """Bi-directional DC source behind an internal resistance."""

    met_hardware: ClassVar[bool] = False

    def __init__(self, session: Session, options: Options, clock: Clock) -> None:
        super().__init__(session, clock)
        self.rating = Rating(options.voltage, options.current, options.power)
        self._options = options
        self._sent: dict[Command[Any], object] = {}
        self._smallest: float | None = None
        self._live = False
        self._last = 0.0

    @property
    def resistance(self) -> float:
        """ohm the source really imitates: what was asked, rounded to what the model can."""
        return float(self._sent.get(RESISTANCE, 0.0)) if self._sent.get(MODE) is Mode.RESISTANCE else 0.0  # type: ignore[arg-type]

    def imitate(self, voltage: float, resistance: float, i_source_max: float, i_sink_max: float) -> None:
        """Hold voltage (V at no current) behind resistance (ohm) within the limits (A, positive). Output on."""
        self._check(voltage, resistance, i_source_max, i_sink_max)
        with self._session.lock:
            try:
                if self._live:
                    self._look_after_output()
                if not self._live:
                    self._prepare()
                self._send_resistance(resistance)
                self._send(VOLTAGE, voltage)
                self._send(CURRENT, i_source_max)
                self._send(SINK_CURRENT, i_sink_max)
                if not self._live:
                    self._set(OUTPUT, True, check=True)
                    self._live = True
            except InstrumentError:
                self._forget()
                raise
            self._last = self._clock.now()

    def reading(self) -> DcReading:
        """What is at its terminals; current positive into the instrument (the guide: negative in sink mode)."""
        line = MEASURED.spelt() + "?"
        words = self._get(MEASURED)
        try:
            if len(words) != 3:
                raise ValueError("holds no three values")
            voltage = MEASURED_VOLTAGE.value.parse(words[0])
            current = MEASURED_CURRENT.value.parse(words[1])
            MEASURED_POWER.value.parse(words[2])
        except ValueError as error:
            raise InstrumentError(self.resource, line, f"its reply {','.join(words)[:80]!r} {error}") from None
        # every error of this model is of its range, so that a reading's uncertainty does not depend on the reading
        return DcReading(
            self._clock.now(), voltage, -current, VOLTAGE_U, CURRENT_U, UPDATE, VOLTAGE_LIMITS_U, CURRENT_LIMITS_U
        )

    def make_safe(self) -> SafeState:
        """Output off; confirmed by its state and its current."""
        self._forget()
        with self._session.lock:
            readings = self._bring_down([lambda: self._set(LOCK, True), lambda: self._set(OUTPUT, False)])
            try:
                on, now = self._get(OUTPUT), self.reading()
            except InstrumentError as error:
                return SafeState(False, (*readings, str(error)))
        readings += [f"output {'on' if on else 'off'}", f"{now.current:.2f} A", f"{now.voltage:.1f} V"]
        return SafeState(not on and abs(now.current) < SAFE_CURRENT, tuple(readings))

    def close(self) -> None:
        """End the session; remote control is given back when the output is off, else kept so that nothing changes."""
        try:
            if not self._get(OUTPUT):
                self._set(LOCK, False)
        except InstrumentError:
            pass  # a closing line is no place to complain; the next to open it takes remote anyway
        super().close()

    def _check(self, voltage: float, resistance: float, i_source_max: float, i_sink_max: float) -> None:
        """Set-points against the rating and the protections, before anything is sent."""
        for name, value, unit, most in (
            ("voltage", voltage, "V", min(self.rating.voltage, self._options.ovp)),
            ("source current", i_source_max, "A", self.rating.current),
            ("sink current", i_sink_max, "A", self.rating.current),
            ("resistance", resistance, "ohm", 60.0 * self.rating.voltage / self.rating.current),
        ):
            if not 0.0 <= value <= most:
                raise EnvelopeError(
                    f"{self.resource}: {name} {value:g} {unit} is outside 0..{most:g} {unit} "
                    f"(rating and protections of the bench file); not sent"
                )

    def _prepare(self) -> None:
        """Take remote, output off, limits and protections; all read back."""
        self._set(LOCK, True)
        owner = self._get(OWNER)
        if owner is not Owner.REMOTE:
            raise InstrumentError(
                self.resource, "SYST:LOCK ON", f"remote refused, owner {owner.value}; leave local at its panel"
            )
        self._set(OUTPUT, False, check=True)
        self._check_model()
        options = self._options
        self._set(OVP, options.ovp, check=True)
        for command in (OCP, SINK_OCP):
            self._set(command, options.ocp, check=True)
        for command in (OPP, SINK_OPP):
            self._set(command, options.opp, check=True)
        for command in (POWER, SINK_POWER):
            self._set(command, options.power, check=True)
        if options.watchdog:
            self._set(WATCHDOG_TIME, options.watchdog, check=True)
        self._set(WATCHDOG, bool(options.watchdog), check=True)

    def _check_model(self) -> None:
        """The rating of the bench file must be the instrument's own."""
        for command, stated in (
            (NOMINAL_VOLTAGE, self.rating.voltage),
            (NOMINAL_CURRENT, self.rating.current),
            (NOMINAL_POWER, self.rating.power),
        ):
            nominal = self._get(command)
            if abs(nominal - stated) > 1e-3 * stated:
                raise InstrumentError(
                    self.resource,
                    command.spelt() + "?",
                    f"is rated {nominal:g}, the bench file says {stated:g}; mend it",
                )
        self._smallest = self._get(SMALLEST_RESISTANCE)

    def _send_resistance(self, resistance: float) -> None:
        smallest = self._smallest or 0.0
        if resistance < smallest:
            resistance = smallest if resistance > smallest / 2.0 else 0.0
        self._send(MODE, Mode.RESISTANCE if resistance > 0.0 else Mode.POWER)
        if resistance > 0.0:
            self._send(RESISTANCE, resistance)
            self._send(SINK_RESISTANCE, smallest)

    def _send(self, command: Command[Any], value: object) -> None:
        """Send a set-point that changed, read back."""
        if self._sent.get(command) != value:
            self._set(command, value, check=True)
            self._sent[command] = value

    def _look_after_output(self) -> None:
        """Still on? Alarms are read before the next error query acknowledges them."""
        if self._get(OUTPUT):
            return
        alarms = Questionable(self._get(QUESTIONABLE)).alarms
        silence = Operation.CTO in Operation(self._get(OPERATION))
        self._forget()
        if silence and not alarms and self._clock.now() - self._last > self._options.watchdog > 0:
            return  # nobody spoke to it for that long: it did its duty and is set up anew
        words = ", ".join(alarms) or ("interface monitoring" if silence else "no alarm; someone at its panel?")
        raise InstrumentError(self.resource, "OUTP?", f"switched its output off by itself: {words}")

    def _forget(self) -> None:
        self._sent.clear()
        self._live = False


def open_driver(session: Session, options: Options, clock: Clock) -> EaPsb10000:
    """A driver on an open session."""
    return EaPsb10000(session, options, clock)
