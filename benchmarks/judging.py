"""Frames judged a second: `trace check` on a long recording beside cantools decoding the very same frames.

The recording is a session of the emulated bench, written as a GVRET CSV. `check` is all that the command does, from the
bytes of the file to the verdicts; `read` is its reader alone, `judge` the rules alone on frames that are in memory
already. cantools is handed such frames too and decodes each into its signals: it is spared the file.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

import cantools

import rig.chademo
from fixtures.library import find_bench, find_profile
from instruments.registry import REGISTRY
from rig.can.frame import Frame
from rig.chademo.messages import SPECS
from rig.chademo.vehicle_state import VehiclePhase
from rig.clock import Stopwatch
from rig.open_bench import open_bench, read_bench_file
from rig.profile import read_profile
from rig.trace.judge import judge_trace
from rig.trace.reader import open_trace
from rig.trace.writer import write_gvret

DBC = Path(rig.chademo.__file__).parent / "chademo.dbc"


def record(seconds: float) -> list[tuple[float, Frame]]:
    """The frames of a session of the emulated bench with so many seconds of charge, from 0 s."""
    config = read_bench_file(find_bench("emulated"), REGISTRY)
    frames: list[tuple[float, Frame]] = []
    with open_bench(config, REGISTRY, read_profile(find_profile(config.bench.profile)), seed=1) as bench:
        bench.prepare()

        def keep(at: float, sender: str, frame: Frame) -> None:  # noqa: ARG001
            frames.append((at, frame))

        bench.bus.watch(keep)
        bench.car.plug_in(0.5)
        bench.charger.start("charge")
        bench.car.wait_for(VehiclePhase.RUNNING, 60.0)
        bench.clock.sleep(seconds)
        bench.stand_by()
    return [(at - frames[0][0], frame) for at, frame in frames]


def rates(seconds: float, repeats: int) -> tuple[int, dict[str, float]]:
    """Frames, and of each contender the frames a second of its best of `repeats` turns; they take turns."""
    frames = record(seconds)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "session.csv"
        with path.open("w", encoding="utf-8") as file:
            write_gvret(file, frames)
        decode = _cantools()
        contenders: dict[str, Callable[[], object]] = {
            "check": lambda: judge_trace(open_trace(path).frames()),
            "read": lambda: sum(1 for _ in open_trace(path).frames()),
            "judge": lambda: judge_trace(frames),
            "cantools": lambda: [decode(frame) for _, frame in frames],
        }
        best = dict.fromkeys(contenders, 0.0)
        for _ in range(repeats):
            for name, run in contenders.items():
                watch = Stopwatch()
                run()
                best[name] = max(best[name], len(frames) / watch.seconds())
    return len(frames), best


def _cantools() -> Callable[[Frame], object]:
    database = cantools.database.Database()
    database.add_dbc_file(DBC)
    messages = {number: database.get_message_by_frame_id(number) for number, spec in SPECS.items() if spec.decoded}

    def decode(frame: Frame) -> object:
        message = messages.get(frame.id)
        return None if message is None else message.decode(frame.data, decode_choices=False)

    return decode


def print_rates(seconds: float, repeats: int) -> None:
    """The section of `make bench`."""
    count, best = rates(seconds, repeats)
    print(f"judging                {count} frames of a recorded session, best of {repeats}")
    for name, words in (
        ("check", "trace check: read and judged"),
        ("read", "reading alone"),
        ("judge", "judging alone"),
        ("cantools", "cantools decode alone"),
    ):
        print(f"{words:<31}{best[name] / 1e3:8.0f} k frames/s")
    print(f"check / cantools       {best['check'] / best['cantools']:8.2f}   (aim 1 or more)")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.judging", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3600.0, help="bench time of the recorded session")
    parser.add_argument("--repeats", type=int, default=3)
    chosen = parser.parse_args()
    print_rates(chosen.seconds, chosen.repeats)
