"""Samples analysed a second: RMS and transfer time of 10 s at 1 MS/s beside numpy's plain reading of the same array.

The record lies on a memory map, as a capture does. Plain reading is the sum of its float32 samples. The contenders take
turns, and the best of each counts, in the processor's time: of some milliseconds, what others do on the machine takes
more from the longer ones. Then how much memory eight such channels take while they are analysed.
"""

from __future__ import annotations

import argparse
import math
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np

from rig.metrology.rms import rms, urms_half
from rig.metrology.transfer import transfer_time
from rig.metrology.wave import Wave

RATE, SECONDS, CHANNELS = 1e6, 10.0, 8
AIM = 0.1


def record(path: Path, channels: int) -> np.memmap:
    """A house voltage that is gone for 20 ms in the middle, on every channel."""
    n = round(SECONDS * RATE)
    t = np.arange(n) / RATE
    row = (math.sqrt(2) * 100.0 * np.sin(2 * math.pi * 50.0 * t + 0.3)).astype(np.float32)
    row[n // 2 : n // 2 + 20_000] = 0.0
    mapped = np.memmap(path, np.float32, "w+", shape=(channels, n))
    mapped[:] = row
    mapped.flush()
    return np.memmap(path, np.float32, "r", shape=(channels, n))


def rates(w: Wave, repeats: int) -> dict[str, float]:
    """Of each contender, samples a second."""
    contenders: dict[str, Callable[[], object]] = {
        "plain read": w.samples.sum,
        "Urms(1/2)": lambda: urms_half(w, 50.0),
        "RMS": lambda: rms(w, 50.0),
        "transfer": lambda: transfer_time([w], 100.0, 50.0),
    }
    best = dict.fromkeys(contenders, 0.0)
    for _ in range(repeats):
        for name, run in contenders.items():
            begun = time.process_time()
            run()
            best[name] = max(best[name], len(w.samples) / (time.process_time() - begun))
    return best


def measured(repeats: int) -> dict[str, float]:
    """Of each contender, samples a second of one channel on a memory map."""
    with tempfile.TemporaryDirectory() as folder:
        return rates(Wave(record(Path(folder) / "capture.f32", 1)[0], RATE), repeats)


def print_bandwidth(repeats: int) -> None:
    """The section of `make bench`."""
    with tempfile.TemporaryDirectory() as folder:
        mapped = record(Path(folder) / "capture.f32", CHANNELS)
        waves = [Wave(row, RATE) for row in mapped]
        best = rates(waves[0], repeats)
        print(f"analysing              {SECONDS:g} s at 1 MS/s on a memory map, best of {repeats}")
        for name, rate in best.items():
            share = rate / best["plain read"]
            aim = "" if name == "plain read" else f"   {share:5.2f} of plain read (aim {AIM:g} or more)"
            print(f"{name:<23}{rate / 1e6:8.0f} MS/s per channel{aim}")
        tracemalloc.start()
        for w in waves:
            rms(w, 50.0)
        transfer_time(waves, 100.0, 50.0)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        print(f"memory, 8 channels     {peak / 1e6:8.1f} MB besides the {mapped.nbytes / 1e6:.0f} MB of the capture")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.analysing", description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    print_bandwidth(parser.parse_args().repeats)
