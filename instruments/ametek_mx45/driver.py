"""Driver of the AMETEK MX45. Role: GridSimulator, two legs of a three-wire service.

The second phase at 180 degrees makes the two legs; the third stays unwired. A dip is a pulse of the voltage from an
angle on. A ramp is the slew of voltage and frequency. The output relay knows no angle: an interruption at an angle lets
the voltage step to nothing at that angle and opens the relay when the step is done, so until the relay moves (some
milliseconds after the angle) the dead mains is a low impedance, not an open one. Never met hardware.
"""

from __future__ import annotations

import math
from typing import ClassVar

from instruments.ametek_mx45.commands import (
    ABORT,
    CLEAR_PROTECTION,
    COUPLING,
    CURRENT,
    CURRENT_TRIPS,
    FREQUENCY,
    FREQUENCY_SLEW,
    HERTZ,
    INITIATE,
    MEASURED_VOLTAGE,
    OUTPUT,
    PHASE,
    PHASE_POWER,
    PULSE_COUNT,
    PULSE_WIDTH,
    RANGE,
    REGENERATE,
    SELECT,
    SHAPE,
    SYNC_PHASE,
    SYNC_SOURCE,
    TRIGGER,
    TRIGGER_SOURCE,
    TRIGGER_STATE,
    VOLTAGE,
    VOLTAGE_MODE,
    VOLTAGE_SLEW,
    VOLTAGE_TRIGGERED,
    Coupling,
    Mode,
    Options,
    Shape,
    Sync,
    Transient,
    Trigger,
)
from rig.clock import Clock
from rig.errors import EnvelopeError, InstrumentError
from rig.roles import Rating, SafeState
from rig.scpi.driver import ScpiDriver, Session

FASTEST = math.inf
"""Slew of a change at once."""
SAFE_VOLTAGE = 5.0
"""V rms; below it a phase counts as dead (project choice: 10 times the limit of error of the reading at zero)."""
LOOK = 0.002
"""s between two looks at a transient (project choice)."""


class AmetekMx45(ScpiDriver):
    """The mains."""

    met_hardware: ClassVar[bool] = False
    frequencies: ClassVar[tuple[float, float]] = (HERTZ.low, HERTZ.high)
    """Hz it can make."""

    def __init__(self, session: Session, options: Options, clock: Clock) -> None:
        super().__init__(session, clock)
        self._options = options
        self.rating = Rating(float(options.range), options.limit, PHASE_POWER)
        self._prepared = False

    def supply(self, voltage: float, frequency: float) -> None:
        """Mains on: voltage V rms leg to neutral on each leg, frequency Hz. Also steps a mains that is on."""
        self._check(voltage, frequency)
        with self._session.lock:
            try:
                if not self._prepared:
                    self._prepare()
                self._slews(FASTEST, FASTEST)
                self._set(FREQUENCY, frequency, check=True)
                self._set(VOLTAGE, voltage, check=True)
                if not self._get(OUTPUT):
                    self._set(OUTPUT, True, check=True)
            except InstrumentError:
                self._prepared = False
                raise

    def ramp(self, voltage: float, frequency: float, seconds: float) -> None:
        """Let voltage (V rms) and frequency (Hz) run straight to these within seconds. The mains must be on. Comes back
        at once."""
        with self._session.lock:
            self._check(voltage, frequency)
            self._must_be_on("a ramp")
            if not seconds > 0.0:
                self.supply(voltage, frequency)
                return
            volts, hertz = abs(voltage - self._get(VOLTAGE)), abs(frequency - self._get(FREQUENCY))
            self._slews(volts / seconds or FASTEST, hertz / seconds or FASTEST)
            self._set(FREQUENCY, frequency, check=True)
            self._set(VOLTAGE, voltage, check=True)

    def interrupt(self, at_angle: float | None = None) -> None:
        """Open the mains. at_angle: degrees of leg L1's voltage at which it dies, None for at once."""
        with self._session.lock:
            if at_angle is not None and self._get(OUTPUT):
                self._transient(Mode.STEP, 0.0, at_angle)
                late = self._clock.now() + 2.0 / self._get(FREQUENCY) + 1.0
                while self._get(TRIGGER_STATE) is not Transient.IDLE:
                    if self._clock.now() > late:
                        raise InstrumentError(self.resource, "TRIG:STAT?", "has not reached the angle; is it armed?")
                    self._clock.sleep(LOOK)
            self._set(OUTPUT, False, check=True)
            self._do(ABORT)
            self._set(VOLTAGE_MODE, Mode.FIXED, check=True)

    def dip(self, voltage: float, seconds: float, at_angle: float = 0.0) -> None:
        """Let the voltage of all legs fall to `voltage` (V rms) for `seconds`, from an angle (degrees of leg L1) on,
        then return. The mains must be on. Comes back at once."""
        with self._session.lock:
            self._must_be_on("a dip")
            self._check(voltage, self._get(FREQUENCY))
            self._set(PULSE_WIDTH, seconds, check=True)
            self._set(PULSE_COUNT, 1, check=True)
            self._transient(Mode.PULSE, voltage, at_angle)

    def make_safe(self) -> SafeState:
        """End a transient, open the output; confirmed by its state and the voltage of each phase."""
        self._prepared = False
        with self._session.lock:
            readings = self._bring_down([lambda: self._do(ABORT), lambda: self._set(OUTPUT, False)])
            try:
                on, volts = self._get(OUTPUT), self._phase_voltages()
            except InstrumentError as error:
                return SafeState(False, (*readings, str(error)))
        readings += [f"output {'on' if on else 'off'}"]
        readings += [f"phase {n}: {u:.1f} V" for n, u in enumerate(volts, 1)]
        return SafeState(not on and max(volts) < SAFE_VOLTAGE, tuple(readings))

    def _must_be_on(self, what: str) -> None:
        if not self._get(OUTPUT):
            raise EnvelopeError(f"{self.resource}: {what} needs a mains that is on; call supply() first")

    def _transient(self, mode: Mode, voltage: float, at_angle: float) -> None:
        """Arm and start a step or pulse of the voltage (V rms) at an angle (degrees of leg L1)."""
        angle = at_angle % 360.0
        self._do(ABORT)
        self._slews(FASTEST, FASTEST)
        self._set(VOLTAGE_MODE, mode, check=True)
        self._set(VOLTAGE_TRIGGERED, voltage, check=True)
        self._set(SYNC_PHASE, 0.0 if angle > 359.95 else angle, check=True)
        self._set(SYNC_SOURCE, Sync.PHASE, check=True)
        self._do(INITIATE)
        self._do(TRIGGER)

    def _slews(self, volts: float, hertz: float) -> None:
        """V/s and Hz/s of changes from now on; read back."""
        for command, rate in ((VOLTAGE_SLEW, volts), (FREQUENCY_SLEW, hertz)):
            self._set(command, rate)
            read = self._get(command)
            if not math.isclose(read, rate, rel_tol=1e-3):
                raise InstrumentError(self.resource, command.spelt(), f"asked for {rate:g}, reads back {read:g}")

    def _check(self, voltage: float, frequency: float) -> None:
        if not 0.0 <= voltage <= self._options.range:
            raise EnvelopeError(
                f"{self.resource}: {voltage:g} V is outside 0..{self._options.range} V; "
                f"choose range = 300 in the bench file or lower it; not sent"
            )
        if not 45.0 <= frequency <= 66.0:
            raise EnvelopeError(f"{self.resource}: {frequency:g} Hz is outside 45..66 Hz of a mains; not sent")

    def _prepare(self) -> None:
        """Output off, then everything that cannot change under way, limits before it can come on."""
        self._do(ABORT)
        self._set(OUTPUT, False, check=True)
        self._do(CLEAR_PROTECTION)
        self._set(COUPLING, Coupling.ALL, check=True)
        self._set(VOLTAGE_MODE, Mode.FIXED, check=True)
        self._set(TRIGGER_SOURCE, Trigger.BUS, check=True)
        self._set(RANGE, float(self._options.range), check=True)
        self._set(SHAPE, Shape.SINE, check=True)
        self._set(CURRENT, self._options.limit, check=True)
        self._set(CURRENT_TRIPS, True, check=True)
        self._set(REGENERATE, True, check=True)
        if self._options.legs == 2:
            self._set(SELECT, 2, check=True)
            self._set(PHASE, 180.0, check=True)
            self._set(SELECT, 1, check=True)
        self._prepared = True

    def _phase_voltages(self) -> list[float]:
        volts = []
        for phase in range(1, self._options.legs + 1):
            self._set(SELECT, phase)
            volts.append(self._get(MEASURED_VOLTAGE))
        return volts


def open_driver(session: Session, options: Options, clock: Clock) -> AmetekMx45:
    """A driver on an open session."""
    return AmetekMx45(session, options, clock)
