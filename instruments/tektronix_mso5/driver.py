"""Driver of the Tektronix MSO58. Role: Digitizer.

A record begins when it is asked for: a single sequence waits for an edge on a channel that nothing is wired to, then
the trigger is forced. With the horizontal position at 0 the left edge of the record is the trigger itself. When it
happened is known to the exchange that forced and confirmed it: `start` of the record is its middle. Sample rate and
record length are set by hand (Horizontal Mode Manual); the instrument takes the next rate it has and says which.

gain_u holds the channel and the probe, of the worst channel recorded; offset_u the channel's balance and the probe's
zero. time_u as in the other digitizers: sqrt(2) * time_u is the standard uncertainty of an interval as long as the
record. A probe that is not of the unit its port needs is refused before anything is recorded. Never met hardware.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from instruments.tektronix_mso5.commands import (
    ACQUIRE,
    ANALOG,
    CHANNELS,
    COUPLING,
    CURVE,
    DATA_ENCODING,
    DATA_SOURCE,
    DATA_START,
    DATA_STOP,
    DATA_WIDTH,
    DELAY,
    DISPLAY,
    DIVISIONS,
    EVENT,
    FORCE,
    HEADER,
    HORIZONTAL,
    LONGEST,
    MEMORY,
    OFFSET,
    OUT_BEFORE,
    OUT_CENTRE,
    OUT_POINTS,
    OUT_REST,
    OUT_SCALE,
    OUT_STEP,
    OUT_UNIT,
    OUT_ZERO,
    POINTS,
    POSITION,
    PROBE_UNITS,
    RATE,
    RUN,
    SCALE,
    SHORTEST,
    STOP_AFTER,
    TRIGGER_AT,
    TRIGGER_LEVEL,
    TRIGGER_MODE,
    TRIGGER_SOURCE,
    TRIGGER_STATE,
    TRIGGER_TYPE,
    Acquire,
    Channel,
    Coupling,
    Encoding,
    Force,
    Horizontal,
    Options,
    StopAfter,
    TriggerMode,
    TriggerState,
    TriggerType,
)
from rig.clock import Clock
from rig.errors import InstrumentError, UseError
from rig.metrology.accuracy import read_accuracy
from rig.plant.ports import WavePort
from rig.roles import Waveforms
from rig.scpi.command import Command
from rig.scpi.driver import ErrorQueue, ScpiDriver, Session
from rig.scpi.errors import Entry
from rig.scpi.face import CLS, ESR

ACCURACY = read_accuracy(Path(__file__).with_name("accuracy.toml"))
CHANNEL = ACCURACY["channel"].ranges[0]
PROBE = {"V": ACCURACY["voltage_probe"].ranges[0], "A": ACCURACY["current_probe"].ranges[0]}
TIME_LIMIT = ACCURACY["time"].ranges[0].reading / 100.0
"""s/s, limit of error of the time base."""
QUEUE = ErrorQueue(EVENT, depth=40)
HIGH, LOW = 32767, -32768
"""Codes of the converter's rails in a 16 bit word."""
COARSEST = 1 << 4
"""One step of the 12 bit converter in a 16 bit word."""
NOTHING_COMES = 1.0
"""V, trigger level on a channel that nothing is wired to (project choice)."""
POLL = 0.005
"""s between two looks at a state (project choice)."""
ARMING = 2.0
"""s until a ready or triggered state that does not come is a fault (project choice)."""
LATE = 5.0
"""s a record may take beyond its length (project choice)."""
PREAMBLE: tuple[Command[Any], ...] = (
    OUT_POINTS,
    OUT_BEFORE,
    OUT_STEP,
    OUT_REST,
    OUT_SCALE,
    OUT_CENTRE,
    OUT_ZERO,
    OUT_UNIT,
)


@dataclass(frozen=True, slots=True)
class _Recording:
    """What has been started. trigger: s, bench time of the left edge; trigger_u its standard uncertainty. points: of
    the record, at rate (S/s)."""

    channels: tuple[WavePort, ...]
    numbers: tuple[int, ...]
    points: int
    rate: float
    asked: float
    trigger: float
    trigger_u: float

    @property
    def end(self) -> float:
        return self.trigger + self.points / self.rate


@dataclass(frozen=True, slots=True)
class _Preamble:
    """How the points of one channel are to be read ([TMD] WFMOutpre)."""

    points: int
    before: int
    step: float
    rest: float
    scale: float
    centre: float
    zero: float
    unit: str


class TektronixMso5(ScpiDriver):
    """Up to seven voltages and currents on one time base."""

    met_hardware: ClassVar[bool] = False
    self_tests: ClassVar[bool] = False  # takes minutes, and is started at its panel

    def __init__(self, session: Session, options: Options, clock: Clock) -> None:
        super().__init__(session, clock, QUEUE)
        self._options = options
        self._number: dict[WavePort, int] = {channel.port: n for n, channel in sorted(options.channels.items())}
        self.ports: Sequence[WavePort] = tuple(self._number)
        self._sent: dict[tuple[Command[Any], int], object] = {}
        self._recording: _Recording | None = None

    def start(self, channels: Sequence[WavePort], seconds: float, rate: float) -> None:
        """Record from now on. seconds: 500 at most. rate: S/s; the record may be denser, never thinner."""
        numbers = self._wired(channels)
        if not (0.0 < seconds <= LONGEST and 0.0 < rate < math.inf):
            raise UseError(f"{self.resource}: {seconds:g} s at {rate:g} S/s: give 0..{LONGEST:g} s and a rate above 0")
        self._must_fit(seconds, rate, rate)
        self._recording = None
        with self._session.lock:
            try:
                self._prepare(numbers)
                real = self._time_base(rate)
                points = max(math.ceil(seconds * real), SHORTEST)
                self._must_fit(seconds, real, rate)
                self._send(POINTS, points)
                trigger, trigger_u = self._trigger()
            except InstrumentError:
                self._sent.clear()
                raise
        self._recording = _Recording(tuple(channels), numbers, points, real, rate, trigger, trigger_u)

    def fetch(self) -> Waveforms:
        """Wait for the record to end and bring it home. What was fetched can be fetched again until the next start."""
        recording = self._recording
        if recording is None:
            raise UseError(f"{self.resource}: nothing has been recorded; call start() first")
        self._clock.sleep(max(recording.end - self._clock.now(), 0.0))
        with self._session.lock:
            self._await(RUN, lambda running: not running, LATE, "the record does not end")
            rows = [self._channel(recording, number) for number in recording.numbers]
        first = rows[0][0]
        for preamble, _ in rows[1:]:
            if (preamble.points, preamble.step, preamble.before) != (first.points, first.step, first.before):
                raise self._nonsense(OUT_POINTS, "channels of one record differ in points, time step or trigger")
        wired = [self._options.channels[number] for number in recording.numbers]
        return Waveforms(
            channels=recording.channels,
            samples=np.stack([_values(preamble, codes) for preamble, codes in rows]),
            start=recording.trigger + first.rest - first.before * first.step,
            rate=1.0 / first.step,
            resolution=tuple(preamble.scale for preamble, _ in rows),
            gain_u=max(_gain_u(channel) for channel in wired),
            time_u=first.points * first.step * TIME_LIMIT / math.sqrt(6.0),
            clipped=tuple(_stands_at_rail(codes) for _, codes in rows),
            source=f"{self.resource} 16 bit",
            offset_u=tuple(_offset_u(channel) for channel in wired),
            start_u=recording.trigger_u,
            noise=tuple(CHANNEL.noise / 100.0 * channel.full for channel in wired),
        )

    # -- set-up

    def _wired(self, channels: Sequence[WavePort]) -> tuple[int, ...]:
        if not channels or len(set(channels)) != len(channels):
            raise UseError(f"{self.resource}: record channels {tuple(channels)}: name each channel once, one at least")
        for port in channels:
            if port not in self._number:
                raise UseError(
                    f"{self.resource}: no channel is wired to {port}; wired are {', '.join(self.ports)} "
                    f"(channels in the bench file)"
                )
        return tuple(self._number[port] for port in channels)

    def _must_fit(self, seconds: float, rate: float, asked: float) -> None:
        needed = seconds * rate
        if needed > MEMORY:
            words = f"{seconds:g} s at {asked:g} S/s need {needed:.0f} points, its memory holds {MEMORY}; record less"
            raise InstrumentError(self.resource, POINTS.spelt(), words)

    def _prepare(self, numbers: tuple[int, ...]) -> None:
        """Stopped, inputs and trigger as the bench file says, and only the channels of the record and the trigger's
        on."""
        free = self._options.free
        if not self._sent:
            self._do(CLS)  # what its event queue holds from before, its power-on among it
        self._set(RUN, False)
        if not self._sent:
            for number, channel in sorted(self._options.channels.items()):
                self._insist_on_probe(number, channel)
                self._input(number, channel.full / DIVISIONS)
            self._input(free, NOTHING_COMES)
            self._send(ACQUIRE, Acquire.HIGH_RESOLUTION)
            self._send(STOP_AFTER, StopAfter.SEQUENCE)
            self._send(HORIZONTAL, Horizontal.MANUAL)
            self._send(DELAY, False)
            self._send(TRIGGER_AT, 0.0)
            self._send(TRIGGER_TYPE, TriggerType.EDGE)
            self._send(TRIGGER_SOURCE, ANALOG[free - 1])
            self._send(TRIGGER_LEVEL, NOTHING_COMES, free)
            self._send(TRIGGER_MODE, TriggerMode.NORMAL)
            self._send(DATA_ENCODING, Encoding.SIGNED_LSB)
            self._send(DATA_WIDTH, 2)
            self._send(DATA_START, 1)
            self._send(DATA_STOP, MEMORY)
        for number in CHANNELS:
            self._send(DISPLAY, number in numbers or number == free, number)

    def _input(self, number: int, scale: float) -> None:
        self._send(COUPLING, Coupling.DC, number)
        self._send(SCALE, scale, number)
        self._send(OFFSET, 0.0, number)
        self._send(POSITION, 0.0, number)

    def _insist_on_probe(self, number: int, channel: Channel) -> None:
        unit = self._get(PROBE_UNITS, number)
        if unit != channel.unit:
            words = f"channel {number}, {channel.port}: its probe reads {unit}; plug in one that reads {channel.unit}"
            raise InstrumentError(self.resource, PROBE_UNITS.spelt(number), words)

    def _time_base(self, rate: float) -> float:
        """Sample no thinner than this. S/s, what it really samples at."""
        if self._sent.get((RATE, 0)) != rate:
            self._set(RATE, rate)
        real = self._get(RATE)
        if real < rate * (1.0 - 1e-6):
            raise self._nonsense(RATE, f"samples at {real:.6g} S/s, thinner than the {rate:g} S/s asked for")
        self._sent[RATE, 0] = rate
        return real

    def _send(self, command: Command[Any], value: Any, number: int = 0) -> None:
        """Send a setting that changed, read back. number: of the channel, 0 for none."""
        if self._sent.get((command, number)) == value:
            return
        self._set(command, value, *((number,) if number else ()), check=True)
        self._sent[command, number] = value

    # -- acquisition

    def _trigger(self) -> tuple[float, float]:
        """Arm, force, and see that it has triggered. s, the middle of the exchange in which it did, and its standard
        uncertainty: anywhere in it."""
        self._set(RUN, True)
        self._await(TRIGGER_STATE, lambda state: state is TriggerState.READY, ARMING, "it does not get ready")
        before = self._clock.now()
        line = f"{FORCE.spelt()} {FORCE.value.encode(Force.FORCE)};:{TRIGGER_STATE.spelt()}?"
        if self._understood(TRIGGER_STATE, line, self._ask(line)) is TriggerState.READY:
            self._await(TRIGGER_STATE, lambda state: state is not TriggerState.READY, ARMING, "it does not trigger")
        after = self._clock.now()
        errors = self._drain_errors()
        if errors:
            raise InstrumentError(self.resource, line, "; ".join(map(str, errors)))
        return (before + after) / 2.0, (after - before) / math.sqrt(12.0)

    def _await(self, command: Command[Any], true: Any, within: float, else_: str) -> None:
        """Ask until the answer holds."""
        late = self._clock.now() + within
        while not true(self._get(command)):
            if self._clock.now() > late:
                raise self._nonsense(command, f"{else_} within {within:g} s; look at its panel")
            self._clock.sleep(POLL)

    def _channel(self, recording: _Recording, number: int) -> tuple[_Preamble, npt.NDArray[np.int16]]:
        """Preamble and codes of one channel."""
        self._set(DATA_SOURCE, ANALOG[number - 1], check=True)
        preamble, unit = self._preamble(), self._options.channels[number].unit
        if preamble.unit != unit:
            raise self._nonsense(OUT_UNIT, f"channel {number} is in {preamble.unit}, its port in {unit}")
        if preamble.points != recording.points:
            words = f"holds {preamble.points} points of {recording.points}: somebody has stopped it; record again"
            raise self._nonsense(OUT_POINTS, words)
        if not (preamble.step > 0.0 and preamble.scale > 0.0) or 1.0 / preamble.step < recording.asked * (1.0 - 1e-6):
            raise self._nonsense(OUT_STEP, f"describes no record of {recording.asked:g} S/s or more: {preamble}")
        block = self._get_block(CURVE)
        if len(block) != 2 * preamble.points:
            raise self._nonsense(CURVE, f"sends {len(block)} bytes for {preamble.points} points of two")
        return preamble, np.frombuffer(block, dtype="<i2")

    def _preamble(self) -> _Preamble:
        """All of it in one exchange, so that it is of one waveform."""
        first, *rest = (command.spelt() for command in PREAMBLE)
        node = first[: first.rfind(":") + 1]
        line = f"{first}?;" + ";".join(f"{one.removeprefix(node)}?" for one in rest)
        fields = self._ask(line).split(";")
        if len(fields) != len(PREAMBLE):
            raise InstrumentError(self.resource, line, f"sends {len(fields)} fields where {len(PREAMBLE)} belong")
        parts: list[Any] = []
        for command, field in zip(PREAMBLE, fields, strict=True):
            parts.append(self._understood(command, line, field))
        return _Preamble(*parts)

    def _drain_errors(self) -> list[Entry]:
        """Everything in the event queue, oldest first: what has happened is readable once *ESR? was read. Headers are
        put off by the way, so that a restart of the instrument does not make its replies strange."""
        line = f"{HEADER.spelt()} {HEADER.value.encode(False)};{ESR.spelt()}?"
        self._understood(ESR, line, self._ask(line))
        return super()._drain_errors()

    def _nonsense(self, command: Command[Any], words: str) -> InstrumentError:
        return InstrumentError(self.resource, command.header + "?", words)


def _gain_u(channel: Channel) -> float:
    return math.hypot(CHANNEL.reading, PROBE[channel.unit].reading) / 100.0 / math.sqrt(3.0)


def _offset_u(channel: Channel) -> float:
    probe = PROBE[channel.unit]
    return math.hypot(CHANNEL.range * channel.full, probe.range * probe.full) / 100.0 / math.sqrt(3.0)


def _values(preamble: _Preamble, codes: npt.NDArray[np.int16]) -> npt.NDArray[np.float32]:
    centred = codes.astype(np.float32) - np.float32(preamble.centre)
    values: npt.NDArray[np.float32] = centred * np.float32(preamble.scale) + np.float32(preamble.zero)
    return values


def _stands_at_rail(codes: npt.NDArray[np.int16]) -> bool:
    """Whether a sample is in the first or the last step of the converter, which has 12 bit; what high resolution makes
    of its samples is no better."""
    return bool(codes.min() <= LOW + COARSEST or codes.max() >= HIGH - COARSEST)


def open_driver(session: Session, options: Options, clock: Clock) -> TektronixMso5:
    """A driver on an open session."""
    return TektronixMso5(session, options, clock)
