"""Driver of the Keysight DSOX4024A. Role: Digitizer.

A record begins when it is asked for: a single acquisition is armed with a trigger source that has no signal, then
forced. With the time reference left and the position at a tenth of the range the left edge of the screen is the
trigger itself. When it happened is known to the exchange that forced and confirmed it: `start` of the record is its
middle. Records that fit the measurement record are taken in high resolution (12 bit), longer ones raw (8 bit); the
points sent are as few as keep the rate asked for.

gain_u is the data sheet's, and offset_u a channel's (a tenth of a division, 5 V of a 400 V range): to the rms of a
100 V leg it adds a tenth of what gain_u allows, but a DC level is better taken from the power analyzer. time_u is such
that sqrt(2) * time_u is the standard uncertainty of an interval as long as the record, from the limit of the time base;
shorter intervals are better than that. Never met hardware.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from instruments.keysight_dsox.commands import (
    ACQUIRE,
    ANALOG,
    ARMED,
    CHANNELS,
    CONDITION,
    COUPLING,
    DATA,
    DISPLAY,
    DIVISIONS,
    FORCE,
    LONGEST,
    MEMORY,
    OFFSET,
    POSITION,
    PREAMBLE,
    PROBE,
    RANGE,
    REFERENCE,
    RUN,
    SINGLE,
    STOP,
    SWEEP,
    TIME_RANGE,
    TRIGGER_SOURCE,
    TRIGGERED,
    WAVE_FORM,
    WAVE_ORDER,
    WAVE_POINTS,
    WAVE_RECORD,
    WAVE_SOURCE,
    WAVE_UNSIGNED,
    Acquire,
    Coupling,
    Form,
    Options,
    Order,
    Points,
    Preamble,
    Reference,
    Source,
    Sweep,
)
from rig.clock import Clock
from rig.errors import InstrumentError, UseError
from rig.metrology.accuracy import read_accuracy
from rig.plant.ports import WavePort
from rig.roles import Waveforms
from rig.scpi.command import Command
from rig.scpi.driver import ScpiDriver, Session

ACCURACY = read_accuracy(Path(__file__).with_name("accuracy.toml"))
OFFSET_U = ACCURACY["voltage"].ranges[0].range / 100.0 / math.sqrt(3.0)
"""Of a channel's range."""
GAIN_U = ACCURACY["voltage"].ranges[0].reading / 100.0 / math.sqrt(3.0)
NOISE = {
    bits: ACCURACY[function].ranges[0].noise / 100.0
    for bits, function in ((8, "voltage"), (12, "voltage_high_resolution"))
}
"""Standard deviation of a sample, of a channel's range."""
TIME_LIMIT = ACCURACY["time"].ranges[0].reading / 100.0
"""s/s, limit of error of the time base."""
SPARE = 1.05
"""Points asked for over points needed: the instrument returns about as many as asked for (project choice)."""
SHORT = 30_000
"""Points up to which high resolution is taken: the measurement record of a DSOX4034A held 32,258 where 60,000 were
asked for (public bench notes), so half of its 62,500 are counted on."""
COARSEST = 1 << 8
"""One step of the 8 bit converter in a 16 bit word."""
POLL = 0.005
"""s between two looks at a status register (project choice)."""
ARMING = 2.0
"""s until an armed or triggered state that does not come is a fault (project choice)."""
LATE = 5.0
"""s a record may take beyond its length (project choice)."""


@dataclass(frozen=True, slots=True)
class _Recording:
    """What has been started. trigger: s, bench time of the left edge; trigger_u its standard uncertainty."""

    channels: tuple[WavePort, ...]
    numbers: tuple[int, ...]
    rate: float
    bits: int
    trigger: float
    trigger_u: float
    end: float


class KeysightDsox(ScpiDriver):
    """Four voltages on one time base."""

    met_hardware: ClassVar[bool] = False
    self_tests: ClassVar[bool] = False  # takes minutes, and is started at its panel

    def __init__(self, session: Session, options: Options, clock: Clock) -> None:
        super().__init__(session, clock)
        self._options = options
        self._number: dict[WavePort, int] = {channel.port: n for n, channel in sorted(options.channels.items())}
        self.ports: Sequence[WavePort] = tuple(self._number)
        self._sent: dict[tuple[Command[Any], int], object] = {}
        self._recording: _Recording | None = None

    def start(self, channels: Sequence[WavePort], seconds: float, rate: float) -> None:
        """Record from now on. seconds: 500 at most. rate: S/s; the record may be denser, never thinner."""
        numbers = self._wired(channels)
        points, high = self._points(numbers, seconds, rate)
        self._recording = None
        with self._session.lock:
            try:
                self._prepare(numbers)
                self._send(ACQUIRE, Acquire.HIGH_RESOLUTION if high else Acquire.NORMAL)
                self._send(WAVE_RECORD, Points.NORMAL if high else Points.RAW)
                self._send(WAVE_POINTS, points, check=False)
                length = self._screen(seconds)
                trigger, trigger_u = self._trigger()
            except InstrumentError:
                self._sent.clear()
                raise
        bits = 12 if high else 8
        self._recording = _Recording(tuple(channels), numbers, rate, bits, trigger, trigger_u, trigger + length)

    def fetch(self) -> Waveforms:
        """Wait for the record to end and bring it home. What was fetched can be fetched again until the next start."""
        recording = self._recording
        if recording is None:
            raise UseError(f"{self.resource}: nothing has been recorded; call start() first")
        self._clock.sleep(max(recording.end - self._clock.now(), 0.0))
        with self._session.lock:
            self._await(CONDITION, lambda value: not value & RUN, LATE, "the record does not end")
            rows = [self._channel(number) for number in recording.numbers]
        first = rows[0][0]
        for preamble, _ in rows[1:]:
            if (preamble.points, preamble.x_increment) != (first.points, first.x_increment):
                raise self._nonsense(PREAMBLE, "channels of one record differ in points or time step")
        rate = 1.0 / first.x_increment
        if rate < recording.rate * (1.0 - 1e-6):
            raise self._nonsense(
                PREAMBLE, f"sampled at {rate:.6g} S/s, thinner than the {recording.rate:g} S/s asked for"
            )
        steps = [row[0].y_increment * 65536.0 / 2**recording.bits for row in rows]
        return Waveforms(
            channels=recording.channels,
            samples=np.stack([_volts(preamble, codes) for preamble, codes in rows]),
            start=recording.trigger + first.x_origin,
            rate=rate,
            resolution=tuple(steps),
            gain_u=GAIN_U,
            time_u=first.points * first.x_increment * TIME_LIMIT / math.sqrt(6.0),
            clipped=tuple(_stands_at_rail(codes) for _, codes in rows),
            source=f"{self.resource} {recording.bits} bit",
            offset_u=tuple(OFFSET_U * self._options.channels[number].full for number in recording.numbers),
            start_u=recording.trigger_u,
            noise=tuple(NOISE[recording.bits] * self._options.channels[number].full for number in recording.numbers),
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

    def _points(self, numbers: tuple[int, ...], seconds: float, rate: float) -> tuple[int, bool]:
        """Points to ask for, and whether they are taken in high resolution."""
        if not (0.0 < seconds <= LONGEST and 0.0 < rate < math.inf):
            raise UseError(f"{self.resource}: {seconds:g} s at {rate:g} S/s: give 0..{LONGEST:g} s and a rate above 0")
        needed = seconds * rate * SPARE
        paired = {1, 2} <= set(numbers) or {3, 4} <= set(numbers)
        memory = MEMORY // 2 if paired else MEMORY
        if needed > memory:
            words = f"{seconds:g} s at {rate:g} S/s need {needed:.0f} points and its memory holds {memory}; record less"
            raise InstrumentError(self.resource, WAVE_POINTS.spelt(), words)
        return max(math.ceil(needed), 100), self._options.high_resolution and needed <= SHORT

    def _prepare(self, numbers: tuple[int, ...]) -> None:
        """Stopped, inputs and trigger as the bench file says, and only the channels of the record on."""
        if not self._sent:
            self._do(STOP)
            for number, channel in sorted(self._options.channels.items()):
                self._send(PROBE, channel.probe, number)
                self._send(COUPLING, Coupling.DC, number)
                self._send(RANGE, channel.full, number)
                self._send(OFFSET, 0.0, number)
            self._send(REFERENCE, Reference.LEFT)
            self._send(SWEEP, Sweep.NORMAL)
            self._send(TRIGGER_SOURCE, Source.EXTERNAL)
            self._send(WAVE_FORM, Form.WORD)
            self._send(WAVE_ORDER, Order.LSB_FIRST)
            self._send(WAVE_UNSIGNED, True)
        for number in CHANNELS:
            self._send(DISPLAY, number in numbers, number)

    def _screen(self, seconds: float) -> float:
        """Put so many seconds on the screen, its left edge at the trigger. s really on it."""
        if self._sent.get((TIME_RANGE, 0)) != seconds:
            self._set(TIME_RANGE, seconds)
        length = self._get(TIME_RANGE)
        if length < seconds * (1.0 - 1e-6):
            raise self._nonsense(TIME_RANGE, f"asked for {seconds:g} s, reads back {length:g} s")
        self._sent[TIME_RANGE, 0] = seconds
        self._send(POSITION, length / DIVISIONS)
        return length

    def _send(self, command: Command[Any], value: Any, number: int = 0, check: bool = True) -> None:
        """Send a setting that changed, read back. number: of the channel, 0 for none."""
        if self._sent.get((command, number)) == value:
            return
        self._set(command, value, *((number,) if number else ()), check=check)
        self._sent[command, number] = value

    # -- acquisition

    def _trigger(self) -> tuple[float, float]:
        """Arm, force, and see that it has triggered. s, the middle of the exchange in which it did, and its standard
        uncertainty: anywhere in it."""
        self._get(ARMED)  # reading clears what an earlier record left
        self._get(TRIGGERED)
        self._do(SINGLE)
        self._await(ARMED, bool, ARMING, "it does not arm")
        before = self._clock.now()
        line = f"{FORCE.spelt()};{TRIGGERED.spelt()}?"
        if not self._understood(TRIGGERED, line, self._ask(line)):
            self._await(TRIGGERED, bool, ARMING, "it does not trigger")
        after = self._clock.now()
        errors = self._drain_errors()
        if errors:
            raise InstrumentError(self.resource, line, "; ".join(map(str, errors)))
        return (before + after) / 2.0, (after - before) / math.sqrt(12.0)

    def _await(self, command: Command[int], true: Any, within: float, else_: str) -> None:
        """Ask until the answer holds."""
        late = self._clock.now() + within
        while not true(self._get(command)):
            if self._clock.now() > late:
                raise self._nonsense(command, f"{else_} within {within:g} s; look at its panel")
            self._clock.sleep(POLL)

    def _channel(self, number: int) -> tuple[Preamble, npt.NDArray[np.uint16]]:
        """Preamble and codes of one channel."""
        self._set(WAVE_SOURCE, ANALOG[number - 1])
        preamble = self._get(PREAMBLE)
        good = preamble.form == 1 and preamble.points > 0 and preamble.x_increment > 0.0 and preamble.y_increment > 0.0
        if not good:
            raise self._nonsense(PREAMBLE, f"describes no record of words: {preamble}")
        block = self._get_block(DATA)
        if len(block) != 2 * preamble.points:
            raise self._nonsense(DATA, f"sends {len(block)} bytes for {preamble.points} points of two")
        codes = np.frombuffer(block, dtype="<u2")
        holes = int(np.count_nonzero(codes == 0))
        if holes:
            raise self._nonsense(DATA, f"channel {number} has {holes} holes in its record; record again")
        return preamble, codes

    def _nonsense(self, command: Command[Any], words: str) -> InstrumentError:
        return InstrumentError(self.resource, command.header + "?", words)


def _volts(preamble: Preamble, codes: npt.NDArray[np.uint16]) -> npt.NDArray[np.float32]:
    centred = codes.astype(np.float32) - np.float32(preamble.y_reference)
    volts: npt.NDArray[np.float32] = centred * np.float32(preamble.y_increment) + np.float32(preamble.y_origin)
    return volts


def _stands_at_rail(codes: npt.NDArray[np.uint16]) -> bool:
    """Whether a sample is in the first or the last step of the converter, which has 8 bit; high resolution is made
    from its samples, so one of its finer steps below the rail is no better."""
    return bool(codes.min() <= COARSEST or codes.max() >= (1 << 16) - COARSEST)


def open_driver(session: Session, options: Options, clock: Clock) -> KeysightDsox:
    """A driver on an open session."""
    return KeysightDsox(session, options, clock)
