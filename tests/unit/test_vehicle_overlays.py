"""Misbehaving vehicles: what each overlay makes of a good car's words, and that it leaves the rest alone."""

from __future__ import annotations

from itertools import pairwise

import pytest

from rig.can.frame import EXTENDED, Frame
from rig.chademo.codec import VehicleDischarge, VehicleStatus, decode
from rig.chademo.events import ContactorMoved, VehicleOut, WireChanged
from rig.chademo.vehicle_overlays import ALL, FOREIGN, OVERLAYS, lay
from rig.errors import UseError

STATUS = VehicleStatus(protocol=2, target_voltage=410, enabled=True, contactor_open=True, discharge_compatible=True)
OTHER = Frame(0x101, bytes(8))


class Desk:
    """An overlay fed at the car's pace; what comes out with its time."""

    def __init__(self, name: str, severity: float | None = None) -> None:
        self.machine = lay(name, severity)
        self.out: list[tuple[float, VehicleOut]] = []
        self.wake: float | None = None
        self.now = 0.0
        self.tell(0.0, None)

    def tell(self, now: float, event: VehicleOut | None) -> None:
        while self.wake is not None and self.wake < now - 1e-9:
            self._step(self.wake, None)
        self._step(now, event)

    def _step(self, now: float, event: VehicleOut | None) -> None:
        step = self.machine.step(now, event)
        self.now, self.wake = now, step.wake_at
        self.out += [(now, one) for one in step.out]

    def run(self, cycles: int, *frames: Frame) -> None:
        """The car's cycle, so many times."""
        start = self.now
        for cycle in range(cycles):
            for place, frame in enumerate(frames or (STATUS.encode(), OTHER)):
                self.tell(start + 0.1 * cycle + 0.01 * place, frame)

    def times(self, id: int) -> list[float]:
        return [at for at, one in self.out if isinstance(one, Frame) and one.id == id]

    def gaps(self, id: int) -> list[float]:
        return [b - a for a, b in pairwise(self.times(id))]


def through(name: str, *events: VehicleOut, severity: float | None = None) -> list[VehicleOut]:
    desk = Desk(name, severity)
    for event in events:
        desk.tell(desk.now, event)
    return [one for _, one in desk.out]


def status(name: str, message: VehicleStatus = STATUS, severity: float | None = None) -> VehicleStatus:
    (frame,) = through(name, message.encode(), severity=severity)
    assert isinstance(frame, Frame)
    found = decode(frame)
    assert isinstance(found, VehicleStatus)
    return found


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("shows-overvoltage", "fault_overvoltage", True),
        ("shows-undervoltage", "fault_undervoltage", True),
        ("shows-current-deviation", "fault_current_deviation", True),
        ("shows-high-temperature", "fault_high_temperature", True),
        ("shows-voltage-deviation", "fault_voltage_deviation", True),
        ("withholds-enable", "enabled", False),
        ("shows-shifted", "not_in_park", True),
        ("shows-system-fault", "system_fault", True),
        ("shows-stop-before", "stop_before_charging", True),
        ("target-zero", "target_voltage", 0),
        ("says-closed", "contactor_open", False),
        ("cannot-discharge", "discharge_compatible", False),
        ("asks-while-open", "current_request", 10),
    ],
)
def test_a_signal_changes_its_own_field_alone(name: str, field: str, value: object) -> None:
    found = status(name)
    assert getattr(found, field) == value
    for other in VehicleStatus.__dataclass_fields__:
        assert other == field or getattr(found, other) == getattr(STATUS, other), other
    assert through(name, OTHER) == [OTHER]


def test_a_request_stands_only_while_the_contactors_are_said_open() -> None:
    closed = VehicleStatus(enabled=True, contactor_open=False, current_request=4)
    assert status("asks-while-open", closed) == closed


def test_figures_of_voltages_and_their_bounds() -> None:
    assert status("target", severity=451.0).target_voltage == 451
    with pytest.raises(UseError, match=r"misbehaviour target=70000 V must lie in 0\.\.65535"):
        lay("target", 70000.0)
    with pytest.raises(UseError, match="no misbehaviour is named 'sulks'; there are asks-while-open, "):
        lay("sulks")


def test_a_withheld_k_is_let_go_and_never_driven() -> None:
    on = WireChanged("k", True)
    assert through("withholds-k", on, OTHER) == [WireChanged("k", False), OTHER]
    assert through("k-at-once", WireChanged("k", False)) == [on]


def test_stuck_contactors_never_close_and_may_open() -> None:
    assert through("contactors-stuck", ContactorMoved(True), ContactorMoved(False)) == [ContactorMoved(False)]


@pytest.mark.parametrize(("name", "id"), [("extended-0x102", 0x102), ("extended-all", 0x101)])
def test_an_extended_identifier_is_another_frame(name: str, id: int) -> None:
    frame = Frame(id, bytes(8))
    assert through(name, frame) == [Frame(EXTENDED | id, frame.data)]
    assert decode(Frame(EXTENDED | 0x102, STATUS.encode().data)) is None


def test_a_shadow_stands_beside_the_good_frame() -> None:
    good = STATUS.encode()
    first, second = through("extended-shadow", good)
    assert first == good
    assert second == Frame(EXTENDED | 0x102, good.data[:4] + b"\x1f" + good.data[5:])


@pytest.mark.parametrize("length", [0, 7])
def test_a_short_frame(length: int) -> None:
    good = STATUS.encode()
    assert through("short-0x102", good, OTHER, severity=length) == [Frame(0x102, good.data[:length]), OTHER]
    assert through("short-all", OTHER, severity=length) == [Frame(0x101, OTHER.data[:length])]


def test_foreign_frames_come_with_each_cycle() -> None:
    first = Frame(0x100, bytes(8))
    assert through("foreign-frames", first, OTHER) == [first, *FOREIGN, OTHER]


def test_doubled_frames_are_5_ms_apart() -> None:
    desk = Desk("doubled")
    desk.run(3)
    desk.tell(1.0, WireChanged("k", True))
    assert desk.gaps(0x101) == pytest.approx([0.005, 0.095, 0.005, 0.095, 0.005])
    assert [one for _, one in desk.out if isinstance(one, WireChanged)] == [WireChanged("k", True)]


@pytest.mark.parametrize("period", [0.09, 0.225, 1.2])
def test_another_period(period: float) -> None:
    desk = Desk("period", period)
    desk.run(60)
    assert len(desk.gaps(0x102)) > 3
    assert desk.gaps(0x102) == pytest.approx([period] * len(desk.gaps(0x102)))
    assert desk.times(0x101)[0] - desk.times(0x102)[0] == pytest.approx(0.01)


@pytest.mark.parametrize(("name", "first"), [("late", 0.16), ("early", 0.04)])
def test_every_tenth_cycle_is_off(name: str, first: float) -> None:
    desk = Desk(name, 0.06)
    desk.run(30)
    odd = [gap for gap in desk.gaps(0x102) if gap != pytest.approx(0.1)]
    assert odd[:2] == pytest.approx([first, 0.2 - first])
    assert len(odd) == 4


def test_jitter_keeps_the_mean_and_repeats_itself() -> None:
    first, second = Desk("jitter", 0.04), Desk("jitter", 0.04)
    first.run(100)
    second.run(100)
    gaps = first.gaps(0x102)
    assert gaps == second.gaps(0x102)
    assert max(abs(gap - 0.1) for gap in gaps) <= 0.08
    assert len({round(gap, 6) for gap in gaps}) > 50
    assert sum(gaps) / len(gaps) == pytest.approx(0.1, abs=0.001)


def test_what_the_car_says_last_is_what_a_retimed_car_sends_and_silence_stays_silence() -> None:
    desk = Desk("period", 0.225)
    desk.run(10)
    changed = VehicleStatus(enabled=False).encode()
    desk.run(10, changed, OTHER)
    assert desk.out[-1][1] in (changed, OTHER)
    assert changed in [one for _, one in desk.out]
    before = len(desk.times(0x102))
    desk.tell(desk.now + 3.0, WireChanged("k", False))
    assert len(desk.times(0x102)) <= before + 2


def test_an_initial_limit_stands_until_the_car_asks() -> None:
    limit, asks = VehicleDischarge(max_discharge_current=4).encode(), VehicleStatus(current_request=2).encode()
    raised, _, own = through("initial-limit", limit, asks, limit, severity=200.0)
    assert isinstance(raised, Frame)
    assert decode(raised) == VehicleDischarge(max_discharge_current=200)
    assert own == limit


def test_a_car_that_never_asks_grants_nothing_either() -> None:
    asks = VehicleStatus(current_request=20, enabled=True)
    first, second = through("never-asks", asks.encode(), VehicleDischarge(max_discharge_current=15).encode())
    assert isinstance(first, Frame)
    assert isinstance(second, Frame)
    assert decode(first) == VehicleStatus(enabled=True)
    assert decode(second) == VehicleDischarge()


def test_every_overlay_says_what_it_does_and_on_which_sentence_it_rests() -> None:
    assert len(OVERLAYS) == len(ALL)
    for overlay in ALL:
        assert overlay.description, overlay.name
        assert overlay.source.startswith(("chademo.md", "standards.md")), overlay.name
        assert overlay.least <= overlay.severity <= overlay.most, overlay.name
        lay(overlay.name)
