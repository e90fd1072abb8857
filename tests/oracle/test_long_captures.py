"""Eight channels at 1 MS/s on a memory map are analysed in pieces: what is held besides is a small part of it."""

from __future__ import annotations

import math
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rig.metrology.active_power import active_power
from rig.metrology.ripple import ripple
from rig.metrology.rms import frequency, rms, thd, urms_half
from rig.metrology.transfer import transfer_time
from rig.metrology.wave import Wave

RATE, SECONDS, CHANNELS = 1e6, 2.5, 8
"""The same in pieces whatever the length: a quarter of the usual 10 s, so that the test is quick."""
SHARE = 8
"""The capture over what may be held besides: one channel of it."""


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> np.memmap:
    path: Path = tmp_path_factory.mktemp("capture") / "eight.f32"
    n = round(SECONDS * RATE)
    mapped = np.memmap(path, np.float32, "w+", shape=(CHANNELS, n))
    t = np.arange(n) / RATE
    row = (math.sqrt(2) * 100.0 * np.sin(2 * math.pi * 50.02 * t)).astype(np.float32)
    for channel in range(CHANNELS):
        mapped[channel] = row
        mapped[channel, 1_200_000 : 1_220_000 + 1000 * channel] = 0.0
    mapped.flush()
    return np.memmap(path, np.float32, "r", shape=(CHANNELS, n))


ANALYSES: dict[str, Callable[[list[Wave]], object]] = {
    "rms": lambda waves: [rms(w, 50.0) for w in waves],
    "urms_half": lambda waves: [urms_half(w, 50.0) for w in waves],
    "frequency": lambda waves: [frequency(w, 50.0) for w in waves],
    "thd": lambda waves: [thd(w, 50.0) for w in waves[:1]],
    "ripple": lambda waves: [ripple(w, 0.0, 5e3) for w in waves[:2]],
    "power": lambda waves: active_power(waves[0], Wave(waves[1].samples, RATE, unit="A"), 50.0),
    "transfer": lambda waves: transfer_time(waves, 100.0, 50.0),
}


@pytest.mark.parametrize("name", ANALYSES)
def test_no_analysis_copies_a_capture(capture: np.memmap, name: str) -> None:
    waves = [Wave(capture[channel], RATE) for channel in range(CHANNELS)]
    assert all(np.shares_memory(w.samples, capture) for w in waves)
    tracemalloc.start()
    try:
        ANALYSES[name](waves)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < capture.nbytes / SHARE
