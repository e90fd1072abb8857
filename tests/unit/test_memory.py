"""What is kept of what came in must not grow with what comes in: a run of days sees any number of lines and frames.

Each case takes far more different inputs than any store of the code holds, and holds the bytes left over against what a
store may take. (The whole: `make soak`.)
"""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable

import pytest

from rig.can.carrier import Echoes
from rig.can.frame import Frame
from rig.chademo import codec
from rig.scpi.codec import Real
from rig.scpi.command import Command
from rig.scpi.face import ScpiFace

VOLTAGE = Command[float]("VOLTage", Real("V", 0, 500), "test", "S")


def left_over(come: Callable[[int], object], many: int) -> float:
    """kB that stay after so many inputs, beyond those of the first."""
    come(0)
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(1, many):
            come(number)
        gc.collect()
        return (tracemalloc.get_traced_memory()[0] - before) / 1e3
    finally:
        tracemalloc.stop()


def test_lines_that_do_not_come_again_are_forgotten() -> None:
    face = ScpiFace("ACME,3600,SN1,1.0", {VOLTAGE: (lambda value: None, lambda: 0.0)})
    assert left_over(lambda n: face.process(f"VOLT {n / 100:.2f}"), 600) < 200.0


def test_frames_that_do_not_come_again_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec, "_KNOWN", {})
    assert left_over(lambda n: codec.decode(Frame(0x109, n.to_bytes(8, "big"))), 4_200) < 400.0


@pytest.mark.parametrize("comes_back", [True, False])
def test_frames_that_came_back_or_never_will_are_awaited_no_longer(comes_back: bool) -> None:
    echoes = Echoes()

    def come(n: int) -> None:
        frame = Frame(0x102, n.to_bytes(8, "big"))
        echoes.expect(frame, 0.1 * n)
        assert not comes_back or echoes.is_one(frame, 0.1 * n + 0.01)

    assert left_over(come, 600) < 300.0
    assert not echoes.is_one(Frame(0x102, bytes(8)), 1e4)
