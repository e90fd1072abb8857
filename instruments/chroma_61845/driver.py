"""Driver of the Chroma 61845. Role: GridSimulator, two legs of a three-wire service.

Three-phase mode with the second phase at 180 degrees makes the two legs; the third phase stays unwired [SVP]. An
interruption at a point on the wave is the output's own stop angle (PHASe:OFF), so the mains opens there and is not
shorted, as a list running to 0 V would do. A dip, which keeps the source connected, and a ramp run in LIST mode.
Never met hardware.
"""

from __future__ import annotations

from typing import ClassVar

from instruments.chroma_61845.commands import (
    CLEAR_PROTECTION,
    CURRENT_LIMIT,
    EDIT,
    FREQUENCY,
    HERTZ,
    LIST_ANGLE,
    LIST_BASE,
    LIST_COUNT,
    LIST_COUPLING,
    LIST_DWELL,
    LIST_FREQUENCY_END,
    LIST_FREQUENCY_START,
    LIST_SHAPE,
    LIST_VOLTAGE_END,
    LIST_VOLTAGE_START,
    MEASURED_VOLTAGE,
    OUTPUT_MODE,
    PHASE_12,
    PHASE_13,
    PHASE_POWER,
    PHASES,
    RANGE,
    RELAY,
    SELECT,
    SHAPE,
    SHAPE_A,
    SLEW,
    START_ANGLE,
    STATE,
    STOP_ANGLE,
    TRIGGER,
    VOLTAGE,
    VOLTAGE_LIMIT,
    Base,
    Edit,
    Mode,
    Options,
    Phases,
    Shape,
    Trigger,
    VoltageRange,
    Wave,
)
from rig.clock import Clock
from rig.errors import EnvelopeError, InstrumentError
from rig.roles import Rating, SafeState
from rig.scpi.driver import ScpiDriver, Session

AT_ONCE = 360.0
"""degrees; PHASe:OFF at 360 means: do not wait for an angle [MANUAL]."""
SAFE_VOLTAGE = 5.0
"""V rms; below it a phase counts as dead (project choice: 10 times the limit of error of the reading at zero)."""


class Chroma61845(ScpiDriver):
    """The mains."""

    met_hardware: ClassVar[bool] = False
    frequencies: ClassVar[tuple[float, float]] = (HERTZ.low, HERTZ.high)
    """Hz it can make."""

    def __init__(self, session: Session, options: Options, clock: Clock) -> None:
        super().__init__(session, clock)
        self._options = options
        self.rating = Rating(float(options.range), options.current, PHASE_POWER)
        self._prepared = False

    def supply(self, voltage: float, frequency: float) -> None:
        """Mains on: voltage V rms leg to neutral on each leg, frequency Hz. Also steps a mains that is on."""
        self._check(voltage, frequency)
        with self._session.lock:
            try:
                if not self._prepared:
                    self._prepare()
                self._set(FREQUENCY, frequency, check=True)
                self._set(VOLTAGE, voltage, check=True)
                if not self._get(STATE):
                    self._set(RELAY, True, check=True)
                    self._set(STATE, True, check=True)
            except InstrumentError:
                self._prepared = False
                raise

    def ramp(self, voltage: float, frequency: float, seconds: float) -> None:
        """Let voltage (V rms) and frequency (Hz) run straight to these within seconds. The mains must be on. The
        immediate values follow the list, since they are what is left when it ends. Comes back at once."""
        with self._session.lock:
            self._check(voltage, frequency)
            if not self._get(STATE):
                raise EnvelopeError(f"{self.resource}: a ramp needs a mains that is on; call supply() first")
            volts, hertz = (self._get(VOLTAGE), voltage), (self._get(FREQUENCY), frequency)
            self._run_list(volts, hertz, seconds)
            self._set(FREQUENCY, frequency, check=True)
            self._set(VOLTAGE, voltage, check=True)

    def interrupt(self, at_angle: float | None = None) -> None:
        """Open the mains. at_angle: degrees of leg L1's voltage at which it opens, None for at once."""
        angle = AT_ONCE if at_angle is None else at_angle % 360.0
        with self._session.lock:
            self._set(STOP_ANGLE, 0.0 if angle > 359.95 and at_angle is not None else angle, check=True)
            self._set(STATE, False, check=True)

    def dip(self, voltage: float, seconds: float, at_angle: float = 0.0) -> None:
        """Let the voltage of all legs fall to `voltage` (V rms, 0 shorts nothing but is no open mains either) for
        `seconds`, from an angle (degrees of leg L1) on, then return. The mains must be on. Comes back at once."""
        with self._session.lock:
            if not self._get(STATE):
                raise EnvelopeError(f"{self.resource}: a dip needs a mains that is on; call supply() first")
            frequency = self._get(FREQUENCY)
            self._check(voltage, frequency)
            self._run_list((voltage, voltage), (frequency, frequency), seconds, at_angle)

    def make_safe(self) -> SafeState:
        """Stop a list, stop the output, open the relay; confirmed by state, relay and the voltage of each phase."""
        self._prepared = False
        with self._session.lock:
            readings = self._bring_down(
                [
                    lambda: self._set(TRIGGER, Trigger.OFF),
                    lambda: self._set(STOP_ANGLE, AT_ONCE),
                    lambda: self._set(STATE, False),
                    lambda: self._set(RELAY, False),
                    lambda: self._set(OUTPUT_MODE, Mode.FIXED),
                ]
            )
            try:
                on, closed, volts = self._get(STATE), self._get(RELAY), self._phase_voltages()
            except InstrumentError as error:
                return SafeState(False, (*readings, str(error)))
        readings += [f"output {'on' if on else 'off'}", f"relay {'closed' if closed else 'open'}"]
        readings += [f"phase {n}: {u:.1f} V" for n, u in enumerate(volts, 1)]
        return SafeState(not on and not closed and max(volts) < SAFE_VOLTAGE, tuple(readings))

    def _run_list(
        self, volts: tuple[float, float], hertz: tuple[float, float], seconds: float, at_angle: float = 0.0
    ) -> None:
        """A list of one point, from and to V and Hz, begun at an angle (degrees of leg L1)."""
        self._set(TRIGGER, Trigger.OFF)
        self._set(LIST_COUPLING, ("ALL",))
        self._set(LIST_COUNT, 1, check=True)
        self._set(LIST_BASE, Base.TIME, check=True)
        self._set(LIST_DWELL, (seconds * 1000.0,))
        self._set(LIST_SHAPE, ("A",))
        self._set(LIST_VOLTAGE_START, volts[:1])
        self._set(LIST_VOLTAGE_END, volts[1:])
        self._set(LIST_FREQUENCY_START, hertz[:1])
        self._set(LIST_FREQUENCY_END, hertz[1:])
        self._set(LIST_ANGLE, (at_angle % 360.0,))
        self._set(OUTPUT_MODE, Mode.LIST, check=True)
        self._set(TRIGGER, Trigger.ON)

    def _check(self, voltage: float, frequency: float) -> None:
        if not 0.0 <= voltage <= self._options.range:
            raise EnvelopeError(
                f"{self.resource}: {voltage:g} V is outside 0..{self._options.range} V; "
                f"choose range = 300 in the bench file or lower it; not sent"
            )
        if not 45.0 <= frequency <= 66.0:
            raise EnvelopeError(f"{self.resource}: {frequency:g} Hz is outside 45..66 Hz of a mains; not sent")

    def _prepare(self) -> None:
        """Output off, then everything that cannot change under way [SVP order, 61512 initialisation]."""
        self._set(TRIGGER, Trigger.OFF)
        self._set(STATE, False, check=True)
        self._do(CLEAR_PROTECTION)
        self._set(OUTPUT_MODE, Mode.FIXED, check=True)
        self._set(PHASES, Phases.SINGLE if self._options.legs == 1 else Phases.THREE, check=True)
        if self._options.legs == 2:
            self._set(PHASE_12, 180.0, check=True)
            self._set(PHASE_13, 240.0, check=True)
        self._set(EDIT, Edit.ALL, check=True)
        self._set(SHAPE_A, Wave.SINE)
        self._set(SHAPE, Shape.A, check=True)
        self._set(RANGE, VoltageRange.LOW if self._options.range == 150 else VoltageRange.HIGH, check=True)
        self._set(VOLTAGE_LIMIT, float(self._options.range), check=True)
        self._set(CURRENT_LIMIT, self._options.current, check=True)
        self._set(SLEW, self._options.slew, check=True)
        self._set(START_ANGLE, 0.0, check=True)
        self._prepared = True

    def _phase_voltages(self) -> list[float]:
        volts = []
        for phase in range(1, self._options.legs + 1):
            self._set(SELECT, phase)
            volts.append(self._get(MEASURED_VOLTAGE))
        return volts


def open_driver(session: Session, options: Options, clock: Clock) -> Chroma61845:
    """A driver on an open session."""
    return Chroma61845(session, options, clock)
