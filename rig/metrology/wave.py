"""One channel of a record on its own time base: what the wave algorithms take. Knows no instrument.

A record may be long and lie on disk: algorithms walk it in blocks, or convert the few cycles they look at (`part`).
Only `volts` makes a float64 copy of the whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from rig.errors import BenchFault, UseError

Floats = npt.NDArray[np.float64]

BLOCK = 1 << 16
"""Samples worked on at once: 512 kB as float64, which a processor's second cache holds (project choice)."""


@dataclass(frozen=True, slots=True, eq=False)
class Wave:
    """A sampled voltage, or with unit A a current.

    samples: at the tip of the probe, in unit, shape (n,). rate: S/s. start: s, bench time of the first sample.
    resolution: unit of one converter step. gain_u: standard uncertainty of the gain, 1. offset_u: of the zero, unit.
    time_u: s, standard uncertainty of an instant against the other channels. start_u: s, of `start` against the bench's
    time. noise: unit, standard deviation of what the digitizer itself adds to a sample. clipped: a sample stood at the
    converter's rail.
    """

    samples: npt.NDArray[Any]
    rate: float
    start: float = 0.0
    resolution: float = 0.0
    gain_u: float = 0.0
    time_u: float = 0.0
    clipped: bool = False
    source: str = ""
    of: tuple[str, ...] = ()
    unit: str = "V"
    offset_u: float = 0.0
    start_u: float = 0.0
    noise: float = 0.0

    def __post_init__(self) -> None:
        # A plain view of a memory-mapped array: slicing the mapped one costs more than adding up a cycle.
        object.__setattr__(self, "samples", np.asarray(self.samples))
        if self.samples.ndim != 1 or not len(self.samples) or not self.rate > 0:
            raise UseError(f"{self.source or 'wave'}: give one channel of shape (n,), n > 0, and a rate above 0 S/s")

    @property
    def seconds(self) -> float:
        """Length, s."""
        return len(self.samples) / self.rate

    @property
    def time(self) -> Floats:
        """s since the first sample, of each sample."""
        return self.times(0, len(self.samples))

    def times(self, low: int, high: int) -> Floats:
        """s since the first sample, of samples low to high (without it)."""
        return np.arange(low, high) / self.rate

    def volts(self) -> Floats:
        """All samples as float64. BenchFault for a record that cannot be measured: clipped, or holding no numbers."""
        return self.part(0, len(self.samples))

    def part(self, low: int, high: int) -> Floats:
        """Samples low to high (without it) as float64; BenchFault as volts."""
        self.must_not_clip()
        values = np.asarray(self.samples[low:high], dtype=np.float64)
        if not np.isfinite(values).all():
            raise self.no_number()
        return values

    def must_not_clip(self) -> None:
        """BenchFault for a record that touched the converter's rail."""
        if self.clipped:
            raise BenchFault(f"{self.source or 'wave'}: clipped; choose a larger range and measure again")

    def no_number(self) -> BenchFault:
        """What to raise for samples that are NaN or infinite: missing ones, or a broken transfer."""
        return BenchFault(
            f"{self.source or 'wave'}: holds samples that are no number; look for missing samples and at the transfer "
            "format"
        )

    def thinned(self, rate: float) -> Wave:
        """Every n-th sample, a view and no copy: as few as keep this rate (S/s). What is above it folds back."""
        n = int(self.rate / rate)
        return replace(self, samples=self.samples[::n], rate=self.rate / n) if n > 1 else self

    def picked(self, rate: float) -> Wave:
        """The same as a copy, made in one reading of all samples. BenchFault where any of them is no number."""
        n = max(1, int(self.rate / rate))
        samples = np.empty(-(-len(self.samples) // n), self.samples.dtype)
        with np.errstate(invalid="ignore"):  # told in words below
            for low, high in blocks(0, len(self.samples), size=4 * BLOCK // n * n or n):
                values = self.samples[low:high]
                samples[low // n : -(-high // n)] = values[::n]
                if not np.isfinite(values.sum()):
                    raise self.no_number()
        return replace(self, samples=samples, rate=self.rate / n)

    def cut(self, low: int, high: int | None = None) -> Wave:
        """Samples low to high as a wave of their own, nothing copied."""
        return replace(self, samples=self.samples[low:high], start=self.start + low / self.rate)


def blocks(
    low: int, high: int, overlap: int = 0, backwards: bool = False, size: int = BLOCK
) -> Iterator[tuple[int, int]]:
    """Stretches (begin, end) that cover low to high, each with `overlap` samples more where there are any."""
    begins = range(low, high, size)
    for begin in reversed(begins) if backwards else begins:
        yield begin, min(high, begin + size + overlap)


class Captured(Protocol):
    """What a digitizer brings home (rig.roles.Waveforms has this shape)."""

    @property
    def channels(self) -> Sequence[str]: ...
    @property
    def samples(self) -> npt.NDArray[Any]: ...
    @property
    def start(self) -> float: ...
    @property
    def rate(self) -> float: ...
    @property
    def resolution(self) -> Sequence[float]: ...
    @property
    def gain_u(self) -> float: ...
    @property
    def time_u(self) -> float: ...
    @property
    def clipped(self) -> Sequence[bool]: ...
    @property
    def source(self) -> str: ...
    @property
    def units(self) -> Sequence[str]: ...
    @property
    def offset_u(self) -> Sequence[float]: ...
    @property
    def start_u(self) -> float: ...
    @property
    def noise(self) -> Sequence[float]: ...


def wave(capture: Captured, channel: str, of: tuple[str, ...] = ()) -> Wave:
    """One channel of a capture. of: digests of the capture. UseError for a channel it does not have."""
    if channel not in capture.channels:
        raise UseError(f"{capture.source}: no channel {channel!r}; recorded are {', '.join(capture.channels)}")
    row = list(capture.channels).index(channel)
    return Wave(
        capture.samples[row],
        capture.rate,
        capture.start,
        capture.resolution[row],
        capture.gain_u,
        capture.time_u,
        capture.clipped[row],
        f"{capture.source} {channel}",
        of,
        capture.units[row],
        capture.offset_u[row],
        capture.start_u,
        capture.noise[row] if capture.noise else 0.0,
    )
