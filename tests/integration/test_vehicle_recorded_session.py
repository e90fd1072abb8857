"""Our car in the recorded car's place: the charger's frames as recorded, our frames against the recorded car's.

The recording has no wires. d1 is put half a second (our wake delay) before the car's first frame, d2 one second (our
closing delay) before the car's contactor bit, both off after the charger unlocked. The inlet follows 109.1-2.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from rig.can.frame import Frame
from rig.chademo.codec import ChargerStatus, decode
from rig.chademo.events import ContactorMoved, PackState, VehicleOut, WireChanged
from rig.chademo.vehicle import Vehicle
from rig.chademo.vehicle_state import StopReason, VehiclePhase, Wishes
from rig.clock import VirtualClock
from rig.machine import run_on

RECORDING = Path(__file__).parents[3] / "shared" / "data" / "nissan-leaf-chademo-start-stop.csv"
pytestmark = pytest.mark.skipif(not RECORDING.exists(), reason=f"no recorded session at {RECORDING}")

WAKE = 0.5
EV = (0x100, 0x101, 0x102, 0x200)
CHARGER = (0x108, 0x109, 0x208, 0x209)


def recorded() -> list[tuple[float, Frame]]:
    """(s since the first frame, frame)."""
    with RECORDING.open() as file:
        rows = list(csv.DictReader(file))
    start = int(rows[0]["Time Stamp"])
    return [
        (
            (int(row["Time Stamp"]) - start) / 1e6,
            Frame(int(row["ID"], 16), bytes(int(row[f"D{n}"], 16) for n in range(1, 9))),
        )
        for row in rows
    ]


def distinct(frames: list[Frame]) -> list[str]:
    texts = [frame.data.hex(" ").upper() for frame in frames]
    return [text for text, before in zip(texts, [None, *texts], strict=False) if text != before]


class Replay:
    """The recorded charger, told to our car at the recorded times."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.vehicle = Vehicle(wishes=Wishes(charge_current=14, discharge_limit=15))
        self.sent: list[tuple[float, Frame]] = []
        self.runner = run_on(self.clock, self.vehicle, self._emit)
        self.pack = PackState(374.0, 0.0, 0.73, 25.0, 0.0)
        self.k: list[tuple[float, bool]] = []

    def _emit(self, out: VehicleOut) -> None:
        now = self.clock.now()
        if isinstance(out, Frame):
            self.sent.append((now - WAKE, out))
        elif isinstance(out, ContactorMoved):
            self.clock.at(now + 0.03, lambda: self.runner.tell(out))
        else:
            self.k.append((now - WAKE, out.on))

    def hear(self, frame: Frame) -> None:
        self.runner.tell(frame)
        message = decode(frame)
        if isinstance(message, ChargerStatus):
            self.pack = PackState(374.0, message.output_current, 0.73, 25.0, message.output_voltage)
            self.runner.tell(self.pack)

    def run(self, frames: list[tuple[float, Frame]]) -> None:
        closed = next(at for at, frame in frames if frame.id == 0x102 and frame.data[5] == 0xC1)
        unlocked = next(at for at, frame in frames if frame.id == 0x109 and at > 40 and frame.data[5] == 0x20)
        wires = [
            (-WAKE, WireChanged("proximity", True)),
            (-WAKE, WireChanged("d1", True)),
            (closed - 1.1, WireChanged("d2", True)),
            (unlocked + 0.2, WireChanged("d2", False)),
            (unlocked + 0.7, WireChanged("d1", False)),
        ]
        for at, wire in wires:
            self.clock.at(at + WAKE, lambda wire=wire: self.runner.tell(wire))
        for at, frame in frames:
            if frame.id in CHARGER:
                self.clock.at(at + WAKE, lambda frame=frame: self.hear(frame))
        self.clock.sleep(frames[-1][0] + WAKE + 1.0)


@pytest.fixture(scope="module")
def replay() -> Replay:
    replay = Replay()
    replay.run(recorded())
    return replay


def test_it_walks_all_phases(replay: Replay) -> None:
    P = VehiclePhase
    assert [phase for _, phase in replay.vehicle.trail] == [
        P.WAKING,
        P.GREETING,
        P.PERMITTED,
        P.CLOSING,
        P.CLOSED,
        P.ASKING,
        P.RUNNING,
        P.STOPPING,
        P.OPENING,
        P.WELD_CHECK,
        P.ENDED,
        P.ASLEEP,
    ]
    assert replay.vehicle.stop_reason is StopReason.CHARGER_STOP
    assert not replay.vehicle.opened_under_load
    assert not replay.vehicle.welded


@pytest.mark.parametrize("number", EV, ids=hex)
def test_it_says_what_the_recorded_car_said(replay: Replay, number: int) -> None:
    ours = distinct([frame for _, frame in replay.sent if frame.id == number])
    theirs = distinct([frame for _, frame in recorded() if frame.id == number])
    assert ours == theirs


def test_it_says_it_when_the_recorded_car_did(replay: Replay) -> None:
    """First time of every payload of 102 and 200, within the two cycles that drift and reaction may differ."""
    for number in (0x102, 0x200):
        ours: dict[bytes, float] = {}
        theirs: dict[bytes, float] = {}
        for into, frames in ((ours, replay.sent), (theirs, recorded())):
            for at, frame in frames:
                if frame.id == number:
                    into.setdefault(frame.data, at)
        assert ours.keys() == theirs.keys()
        assert {data.hex(" "): at for data, at in ours.items()} == pytest.approx(
            {data.hex(" "): at for data, at in theirs.items()}, abs=0.2
        )


def test_k_follows_the_recorded_enable(replay: Replay) -> None:
    (on, given), (off, kept) = replay.k
    assert (given, kept) == (True, False)
    assert on == pytest.approx(3.924, abs=0.1)
    assert off == pytest.approx(46.967, abs=0.1)
