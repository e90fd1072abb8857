"""The car against a scripted charger. Times are the vehicle profile's; wire bytes are those of the recorded session."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

import pytest

from rig.can.frame import Frame
from rig.chademo.codec import ChargerCapability, ChargerDischarge, ChargerDischargeTime, ChargerStatus
from rig.chademo.events import ContactorMoved, PackState, VehicleOut, Wire, WireChanged
from rig.chademo.vehicle import Vehicle
from rig.chademo.vehicle_profile import LEAF_ZE0_24KWH, Figure
from rig.chademo.vehicle_state import EV_FRAMES, FAULTS, Fault, StopReason, VehiclePhase, Wishes
from rig.clock import VirtualClock
from rig.errors import UseError
from rig.machine import run_on

P, R = VehiclePhase, StopReason
RUNNING = ChargerStatus(2, 374, 0, True, running=True, locked=True, stopping=False)
LOCKED = ChargerStatus(2, 0, 0, True, locked=True)


class Desk:
    """A car, a contactor with a coil fed by d1 and d2, and a charger that says what the script last told it to say."""

    def __init__(self, profile=LEAF_ZE0_24KWH, wishes: Wishes | None = None) -> None:
        self.clock = VirtualClock()
        self.vehicle = Vehicle(profile, wishes or Wishes(charge_current=14, discharge_limit=15))
        self.sent: list[tuple[float, Frame]] = []
        self.moves: list[tuple[float, VehicleOut, float]] = []
        self.pack = PackState(374.0, 0.0, 0.73, 25.0, 0.0)
        self.capability = ChargerCapability(True, 500, 15, 435)
        self.status = ChargerStatus(2, 0, 0, True)
        self.discharge: ChargerDischarge | None = ChargerDischarge(0, 500, 15, 250)
        self.talks = True
        self.wires: dict[str, bool] = {}
        self.sticks = False
        self.closed = False
        self.runner = run_on(self.clock, self.vehicle, self._emit)
        self.clock.every(0.1, self._cycle)

    def _emit(self, out: VehicleOut) -> None:
        now = self.clock.now()
        if isinstance(out, Frame):
            self.sent.append((now, out))
        else:
            self.moves.append((now, out, self.pack.current))
            if isinstance(out, ContactorMoved):
                self.clock.at(now + 0.03, lambda: self._contact(out.closed))

    def _contact(self, closed: bool) -> None:
        closed &= self.wires.get("d1", False) and self.wires.get("d2", False)
        if closed != self.closed and not self.sticks:
            self.closed = closed
            self.runner.tell(ContactorMoved(closed))

    def _cycle(self) -> None:
        if self.talks and self.wires.get("d1"):
            for message in (self.capability, self.status, self.discharge, ChargerDischargeTime(2)):
                if message is not None:
                    self.runner.tell(message.encode())
        self.runner.tell(self.pack)

    def wire(self, name: Wire, on: bool) -> None:
        self.wires[name] = on
        self.runner.tell(WireChanged(name, on))
        if not on and self.closed:
            self._contact(False)

    def says(self, **changes: object) -> None:
        self.status = replace(self.status, **changes)

    def feels(self, **changes: float) -> None:
        self.pack = replace(self.pack, **changes)

    def wish(self, **changes: object) -> None:
        self.vehicle.wishes = replace(self.vehicle.wishes, **changes)

    def until(self, phase: VehiclePhase, within: float = 30.0) -> float:
        waited = self.clock.wait_until(lambda: self.vehicle.phase is phase, within)
        assert self.vehicle.phase is phase, (self.vehicle.phase, self.vehicle.stop_reason)
        return waited

    def plug_and_start(self) -> None:
        self.wire("proximity", True)
        self.wire("d1", True)

    def to(self, phase: VehiclePhase) -> Desk:
        """A session without incident, up to a phase."""
        self.plug_and_start()
        for step, then in (
            (P.GREETING, lambda: None),
            (P.PERMITTED, self._lock_and_d2),
            (P.CLOSING, lambda: None),
            (P.CLOSED, lambda: None),
            (P.ASKING, self._run),
            (P.RUNNING, lambda: None),
        ):
            self.until(step)
            if step is phase:
                return self
            then()
        raise AssertionError(phase)

    def _lock_and_d2(self) -> None:
        self.status = replace(LOCKED, discharge_compatible=self.status.discharge_compatible)
        self.wire("d2", True)

    def _run(self) -> None:
        self.status = replace(RUNNING, discharge_compatible=self.status.discharge_compatible)

    def of(self, number: int) -> list[tuple[float, bytes]]:
        return [(at, frame.data) for at, frame in self.sent if frame.id == number]

    def last(self, number: int) -> bytes:
        return self.of(number)[-1][1]

    def opened(self) -> list[tuple[float, float]]:
        """(time, current) of every command to open."""
        return [(at, amps) for at, out, amps in self.moves if out == ContactorMoved(False)]

    def charger_stops(self) -> None:
        self.says(running=False, stopping=True, output_current=0)
        self.feels(current=0.0)


def distinct(rows: list[tuple[float, bytes]]) -> list[str]:
    """Payloads in order, repetitions left out."""
    texts = [data.hex(" ").upper() for _, data in rows]
    return [text for text, before in zip(texts, [None, *texts], strict=False) if text != before]


# -- frames and their time table


def test_asleep_it_says_nothing() -> None:
    desk = Desk()
    desk.wire("d1", True)  # no plug
    desk.clock.sleep(5.0)
    assert desk.sent == []
    assert desk.vehicle.phase is P.ASLEEP


def test_frames_are_10_ms_apart_every_100_ms_without_drift() -> None:
    desk = Desk().to(P.RUNNING)
    desk.clock.sleep(600.0)
    assert [frame.id for _, frame in desk.sent[:8]] == [*EV_FRAMES, *EV_FRAMES]
    start = round(desk.sent[0][0] * 1e9)
    due = [start + (n // 4) * 100_000_000 + (n % 4) * 10_000_000 for n in range(len(desk.sent))]
    assert [round(at * 1e9) for at, _ in desk.sent] == due
    assert len(desk.sent) > 24_000


def test_it_wakes_half_a_second_after_d1() -> None:
    desk = Desk()
    desk.wire("proximity", True)
    desk.clock.sleep(1.0)
    desk.wire("d1", True)
    desk.clock.sleep(1.0)
    assert desk.sent[0][0] == 1.5


def test_placeholders_are_those_of_the_recorded_car() -> None:
    desk = Desk().to(P.PERMITTED)
    desk.clock.sleep(0.5)
    assert distinct(desk.of(0x100)) == ["00 00 00 00 B3 01 F0 00", "00 00 00 00 B3 01 64 00"]
    assert distinct(desk.of(0x101)) == [
        "00 00 00 00 00 00 00 00",
        "00 00 00 00 00 F0 00 00",
        "00 00 00 00 00 DE 00 00",
        "00 FF 3C 00 00 DE 00 00",
    ]
    assert distinct(desk.of(0x102)) == [
        "02 9A 01 00 00 C8 03 00",
        "02 9A 01 00 00 C8 01 00",
        "02 9A 01 00 00 C8 49 00",
        "02 9A 01 00 00 C9 49 00",
    ]
    assert distinct(desk.of(0x200)) == ["FF 00 00 00 FA 00 FF FF", "FF 00 00 00 FA 00 43 B2"]
    start = desk.sent[0][0]
    times = {data.hex(): round(at - start, 6) for at, data in reversed(desk.of(0x102))}
    assert times["029a010000c84900"] == 2.12
    assert times["029a010000c94900"] == 3.92


def test_a_charger_of_0_9_gets_ff_and_no_contactor_bit() -> None:
    desk = Desk()
    desk.says(protocol=1)
    desk.to(P.PERMITTED)
    desk.clock.sleep(0.2)
    assert desk.last(0x100)[6] == 0xFF
    assert desk.last(0x102)[5] & 0x08 == 0


# -- the session


def test_charge_and_discharge_ramps_are_20_a_per_s_and_the_bytes_of_the_log() -> None:
    desk = Desk().to(P.RUNNING)
    desk.clock.sleep(3.0)
    requests = [(at, data[3]) for at, data in desk.of(0x102) if data[3]]
    assert [amps for _, amps in requests[:8]] == [2, 4, 6, 8, 10, 12, 14, 14]
    assert [round(b - a, 9) for (a, _), (b, _) in itertools.pairwise(requests[:8])] == [0.1] * 7
    raw = [data[0] for _, data in desk.of(0x200)]
    ramp = raw[raw.index(0xFD) :]
    assert ramp[:8] == [0xFD, 0xFB, 0xF9, 0xF7, 0xF5, 0xF3, 0xF1, 0xF0]
    assert set(ramp[8:]) == {0xF0}


def test_first_request_17_cycles_after_the_contactor_bit_as_in_the_log() -> None:
    desk = Desk().to(P.RUNNING)
    desk.clock.sleep(1.0)
    closed = next(at for at, data in desk.of(0x102) if data[5] == 0xC1)
    asked = next(at for at, data in desk.of(0x102) if data[3])
    limit = next(at for at, data in desk.of(0x200) if data[0] != 0xFF)
    assert asked - closed == pytest.approx(1.70, abs=1e-9)
    assert limit - asked == pytest.approx(0.41, abs=1e-9)


def test_108_3_zero_takes_the_request_back_within_a_cycle_and_the_session_stays() -> None:
    desk = Desk().to(P.RUNNING)
    desk.clock.sleep(2.0)
    desk.capability = replace(desk.capability, available_current=0)
    desk.clock.sleep(0.2)
    assert desk.last(0x102)[3] == 0
    assert desk.last(0x200)[0] == 0xF0
    desk.clock.sleep(30.0)
    assert desk.vehicle.phase is P.RUNNING
    desk.capability = replace(desk.capability, available_current=15)
    desk.clock.sleep(0.25)
    assert desk.last(0x102)[3] == 4


def test_k_and_enable_are_given_together_and_after_the_first_frames() -> None:
    desk = Desk().to(P.PERMITTED)
    desk.clock.sleep(0.1)
    k = next(at for at, out, _ in desk.moves if out == WireChanged("k", True))
    enabled = next(at for at, data in desk.of(0x102) if data[5] & 1)
    assert k - desk.sent[0][0] == pytest.approx(3.9)
    assert 0 <= enabled - k <= 0.1


def test_a_charger_without_v2h_gets_a_charge_session_only() -> None:
    desk = Desk()
    desk.says(discharge_compatible=False)
    desk.discharge = None
    desk.to(P.RUNNING)
    desk.clock.sleep(5.0)
    assert desk.vehicle.phase is P.RUNNING
    assert not desk.vehicle.can_discharge
    assert {data[0] for _, data in desk.of(0x200)} == {0xFF}
    assert desk.last(0x102)[3] == 14


def test_the_next_session_starts_afresh() -> None:
    desk = Desk().to(P.RUNNING)
    desk.wish(faults=frozenset({"high_temperature"}))
    desk.clock.sleep(0.3)
    desk.charger_stops()
    desk.until(P.ENDED)
    desk.wire("d2", False)
    desk.wire("d1", False)
    desk.until(P.ASLEEP, 0.1)
    silent_from = len(desk.sent)
    desk.wish(faults=frozenset())
    desk.clock.sleep(10.0)
    assert len(desk.sent) == silent_from
    desk.status = ChargerStatus(2, 0, 0, True)
    desk.to(P.RUNNING)
    desk.clock.sleep(1.0)
    second = [data for at, data in desk.of(0x102) if at > desk.vehicle.trail[0][0]]
    assert second[0].hex(" ").upper() == "02 9A 01 00 00 C8 03 00"
    assert {data[4] for data in second} == {0}
    assert desk.vehicle.stop_reason is R.NONE


# -- the charger ends it


def test_stop_by_the_charger_as_recorded() -> None:
    desk = Desk().to(P.RUNNING)
    desk.clock.sleep(3.0)
    desk.feels(current=14.0)
    desk.clock.sleep(1.0)
    start = desk.clock.now()
    desk.says(stopping=True)
    desk.clock.sleep(0.2)
    desk.charger_stops()
    desk.until(P.STOPPING, 0.2)
    assert 0.1 < desk.clock.now() - start <= 0.31
    desk.clock.sleep(0.1)
    assert desk.last(0x102).hex(" ").upper() == "02 9A 01 00 00 C0 49 00"
    assert desk.last(0x200)[0] == 0xFF
    desk.feels(inlet_voltage=375.0)
    desk.until(P.OPENING, 2.5)
    desk.until(P.WELD_CHECK, 0.1)
    desk.clock.sleep(0.6)
    assert desk.last(0x102)[5] == 0xC0
    desk.feels(inlet_voltage=5.0)
    desk.until(P.ENDED, 0.5)
    desk.clock.sleep(0.1)
    assert desk.last(0x102).hex(" ").upper() == "02 9A 01 00 00 C8 49 00"
    assert desk.clock.now() - start < 4.0
    assert desk.vehicle.stop_reason is R.CHARGER_STOP
    assert not desk.vehicle.opened_under_load
    assert not desk.vehicle.welded


@pytest.mark.parametrize("flag", ["malfunction", "battery_incompatible", "system_malfunction"])
@pytest.mark.parametrize("phase", [P.GREETING, P.PERMITTED, P.CLOSED, P.RUNNING])
def test_a_fault_flag_of_the_charger_ends_the_session(flag: str, phase: VehiclePhase) -> None:
    desk = Desk().to(phase)
    desk.says(**{flag: True})
    desk.clock.sleep(0.15)
    assert desk.vehicle.stop_reason is R.CHARGER_FAULT
    assert not desk.vehicle.k


def test_power_transfer_ended_without_a_stop_flag() -> None:
    desk = Desk().to(P.RUNNING)
    desk.says(running=False)
    desk.clock.sleep(0.3)
    assert desk.vehicle.stop_reason is R.CHARGER_ENDED


@pytest.mark.parametrize("wire", ["d1", "d2", "proximity"])
def test_a_lost_line_ends_the_session_and_the_contactor_opens(wire: Wire) -> None:
    desk = Desk().to(P.RUNNING)
    desk.wire(wire, False)
    assert desk.vehicle.stop_reason is (R.UNPLUGGED if wire == "proximity" else R.LINE_LOST)
    assert not desk.vehicle.k
    desk.clock.sleep(3.0)
    assert not desk.closed
    assert not desk.vehicle.contactor_asked


def test_a_contactor_that_drops_out_is_a_fault() -> None:
    desk = Desk().to(P.RUNNING)
    desk._contact(False)
    assert desk.vehicle.stop_reason is R.CONTACTOR
    desk.clock.sleep(0.2)
    assert desk.last(0x102)[5] & 0x04


# -- patience


@pytest.mark.parametrize("phase", [P.GREETING, P.PERMITTED, P.RUNNING])
def test_a_silent_charger_is_noticed_after_1_s(phase: VehiclePhase) -> None:
    desk = Desk().to(phase)
    desk.clock.sleep(0.15)
    desk.talks = False
    desk.clock.sleep(0.9)
    assert desk.vehicle.stop_reason is R.NONE
    desk.clock.sleep(0.25)
    assert desk.vehicle.stop_reason is R.CHARGER_SILENT


def test_a_charger_that_never_talks() -> None:
    desk = Desk()
    desk.talks = False
    desk.plug_and_start()
    desk.until(P.ENDED, 1.8)
    assert desk.vehicle.stop_reason is R.CHARGER_SILENT
    assert all(out != WireChanged("k", True) for _, out, _ in desk.moves)


def test_a_v2h_charger_must_send_208() -> None:
    desk = Desk()
    desk.discharge = None
    desk.to(P.PERMITTED)
    desk.clock.sleep(1.3)
    assert desk.vehicle.stop_reason is R.CHARGER_SILENT


def test_a_charger_that_unlocks_in_session() -> None:
    desk = Desk().to(P.CLOSED)
    desk.says(locked=False)
    desk.clock.sleep(0.15)
    assert desk.vehicle.stop_reason is R.CHARGER_UNLOCKED


def test_running_and_stopping_at_once_is_not_running() -> None:
    desk = Desk().to(P.ASKING)
    desk.says(running=True, stopping=True)
    desk.clock.sleep(1.0)
    assert desk.vehicle.phase is P.ASKING


def test_pulled_out_after_the_end_it_sleeps_even_with_d1_on() -> None:
    desk = Desk().to(P.PERMITTED)
    desk.vehicle.press_stop()
    desk.until(P.ENDED, 0.2)
    desk.wire("proximity", False)
    assert desk.vehicle.phase is P.ASLEEP


def test_called_late_it_skips_what_it_missed_and_sends_no_burst() -> None:
    vehicle = Vehicle(wishes=Wishes(wake=0.0))
    vehicle.step(0.0, WireChanged("proximity", True))
    first = vehicle.step(0.0, WireChanged("d1", True))
    assert [out.id for out in first.out if isinstance(out, Frame)] == [0x100]
    late = vehicle.step(0.535, None)
    assert [out.id for out in late.out if isinstance(out, Frame)] == [0x101]
    assert late.wake_at == 0.52  # due already: the rest of this cycle follows at once, the missed ones never
    sent = [vehicle.step(0.535, None) for _ in range(2)]
    assert [out.id for step in sent for out in step.out if isinstance(out, Frame)] == [0x102, 0x200]
    assert sent[-1].wake_at == 0.6


def test_no_d2_within_20_s() -> None:
    desk = Desk().to(P.PERMITTED)
    desk.clock.sleep(19.99)
    assert desk.vehicle.phase is P.PERMITTED
    desk.clock.sleep(0.02)
    assert desk.vehicle.stop_reason is R.NO_D2
    desk.clock.sleep(0.1)
    assert desk.last(0x102)[5] == 0xD8  # stop before charging, no permission
    assert desk.vehicle.phase is P.ENDED


def test_a_live_inlet_keeps_the_contactors_open() -> None:
    desk = Desk()
    desk.feels(inlet_voltage=60.0)
    desk.to(P.CLOSING)
    desk.clock.sleep(4.1)
    assert desk.vehicle.stop_reason is R.INLET_LIVE
    assert desk.vehicle.stop_detail == "inlet 60.0 V"
    assert not any(isinstance(out, ContactorMoved) for _, out, _ in desk.moves)


def test_contactors_that_do_not_close() -> None:
    desk = Desk()
    desk.sticks = True
    desk.to(P.CLOSING)
    desk.clock.sleep(2.1)
    assert desk.vehicle.stop_reason is R.CONTACTOR
    assert not desk.vehicle.contactor_asked


def test_no_running_charger_within_4_s_of_the_request() -> None:
    desk = Desk().to(P.ASKING)
    desk.clock.sleep(3.99)
    assert desk.vehicle.phase is P.ASKING
    desk.clock.sleep(0.02)
    assert desk.vehicle.stop_reason is R.NOT_RUNNING
    desk.clock.sleep(0.1)
    assert desk.last(0x102)[5] & 0x04


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d.says(protocol=0), "charger protocol number 0 is older than 0.9"),
        (
            lambda d: setattr(d, "capability", replace(d.capability, available_voltage=400)),
            "charger offers 400 V, the target is 410 V",
        ),
    ],
)
def test_a_charger_that_does_not_fit(change: Callable[[Desk], None], words: str) -> None:
    desk = Desk()
    change(desk)
    desk.plug_and_start()
    desk.until(P.ENDED)
    assert desk.vehicle.stop_reason is R.INCOMPATIBLE
    assert desk.vehicle.stop_detail == words
    desk.clock.sleep(0.1)
    assert desk.last(0x102)[5] == (0xD0 if "protocol" in words else 0xD8)


def test_delays_can_be_wished() -> None:
    desk = Desk(wishes=Wishes(wake=0.0, permission=1.0, closing=6.0, request=0.5))
    desk.to(P.RUNNING)
    at = {phase: when for when, phase in desk.vehicle.trail}
    assert at[P.GREETING] == 0.0
    assert at[P.PERMITTED] == 1.0
    assert at[P.CLOSED] - at[P.CLOSING] == pytest.approx(6.03)
    assert at[P.ASKING] - at[P.CLOSED] == pytest.approx(0.5)


# -- the car ends it


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_has_its_bit_and_takes_k_and_enable_with_it(fault: Fault) -> None:
    desk = Desk().to(P.RUNNING)
    desk.clock.sleep(2.0)
    desk.wish(faults=frozenset({fault}))
    desk.clock.sleep(0.11)
    data = desk.last(0x102)
    bit = FAULTS.index(fault)
    assert data[4] == (1 << bit if bit < 5 else 0)
    assert bool(data[5] & 0x04) == (fault == "system_fault")
    assert data[3] == 0
    assert not data[5] & 0x01
    assert not desk.vehicle.k
    assert desk.vehicle.stop_reason is R.FAULT
    assert desk.vehicle.stop_detail == fault


@pytest.mark.parametrize(
    ("feels", "fault"),
    [
        ({"voltage": 405.6}, "battery_overvoltage"),
        ({"voltage": 239.9}, "battery_undervoltage"),
        ({"temperature": 60.0}, "high_temperature"),
    ],
)
def test_the_pack_protects_itself(feels: dict[str, float], fault: Fault) -> None:
    desk = Desk().to(P.RUNNING)
    desk.feels(**feels)
    desk.clock.sleep(0.25)
    assert desk.vehicle.stop_detail == fault
    assert desk.last(0x102)[4] == 1 << FAULTS.index(fault)


@pytest.mark.parametrize("current", [-25.0, 24.0])
def test_current_deviation_of_10_a_for_5_s(current: float) -> None:
    desk = Desk().to(P.RUNNING)
    desk.clock.sleep(3.0)
    desk.feels(current=current)
    desk.clock.sleep(4.9)
    assert desk.vehicle.phase is P.RUNNING
    desk.clock.sleep(0.3)
    assert desk.vehicle.stop_detail == "current_deviation"
    k_off = next(at for at, out, _ in desk.moves if out == WireChanged("k", False))
    desk.clock.sleep(0.1)
    enable_off = next(at for at, data in desk.of(0x102) if data[4] == 0x04)
    assert 0 <= enable_off - k_off <= 0.1
    assert not desk.last(0x102)[5] & 1


@pytest.mark.parametrize("current", [-24.9, 23.9])
def test_less_than_10_a_beyond_is_borne(current: float) -> None:
    desk = Desk().to(P.RUNNING)
    desk.clock.sleep(3.0)
    desk.feels(current=current)
    desk.clock.sleep(20.0)
    assert desk.vehicle.phase is P.RUNNING


def test_current_deviation_starts_anew_after_a_pause() -> None:
    desk = Desk().to(P.RUNNING)
    desk.clock.sleep(3.0)
    for _ in range(3):
        desk.feels(current=-26.0)
        desk.clock.sleep(4.5)
        desk.feels(current=-15.0)
        desk.clock.sleep(0.5)
    assert desk.vehicle.phase is P.RUNNING


def test_voltage_deviation_five_in_a_row_after_10_s() -> None:
    desk = Desk().to(P.RUNNING)
    desk.says(output_voltage=374 - 48)
    desk.clock.sleep(9.5)
    assert desk.vehicle.phase is P.RUNNING
    desk.says(output_voltage=374 - 46)
    desk.clock.sleep(5.0)
    for _ in range(5):
        desk.says(output_voltage=374 - 48)
        desk.clock.sleep(0.4)
        desk.says(output_voltage=374)
        desk.clock.sleep(0.1)
    assert desk.vehicle.phase is P.RUNNING
    desk.says(output_voltage=374 - 48)
    desk.clock.sleep(0.5)
    assert desk.vehicle.stop_detail == "voltage_deviation"


@pytest.mark.parametrize(
    ("wishes", "feels", "reason"),
    [
        ({"min_discharge_level": 0.73}, {"current": -8.0}, R.MIN_LEVEL),
        ({"max_charge_level": 0.73}, {"current": 8.0}, R.MAX_LEVEL),
        ({}, {"current": -8.0, "voltage": 249.0}, R.MIN_VOLTAGE),
        ({"discharge_withdrawn": True}, {"current": -8.0}, R.WITHDRAWN),
    ],
)
def test_the_car_ends_what_the_charger_should_have_inhibited(
    wishes: dict[str, object], feels: dict[str, float], reason: StopReason
) -> None:
    desk = Desk().to(P.RUNNING)
    desk.clock.sleep(2.0)
    desk.wish(**wishes)
    desk.says(output_voltage=250 if "voltage" in feels else 374)
    desk.clock.sleep(6.0)
    assert desk.vehicle.phase is P.RUNNING  # nothing flows: nothing to end
    desk.feels(**feels)
    desk.clock.sleep(4.9)
    assert desk.vehicle.phase is P.RUNNING
    desk.clock.sleep(0.3)
    assert desk.vehicle.stop_reason is reason
    assert desk.last(0x102)[4] == 0


def test_a_level_of_0_is_not_used() -> None:
    desk = Desk().to(P.RUNNING)
    desk.clock.sleep(2.0)
    desk.wish(min_discharge_level=0.0)
    desk.feels(soc=0.0, current=-8.0)
    desk.clock.sleep(20.0)
    assert desk.vehicle.phase is P.RUNNING


def test_withdrawn_discharge_grants_no_current() -> None:
    desk = Desk().to(P.RUNNING)
    desk.clock.sleep(2.0)
    desk.wish(discharge_withdrawn=True)
    desk.feels(current=-12.0)
    desk.clock.sleep(6.0)
    assert desk.vehicle.stop_detail == "current_deviation"


def test_the_other_direction_stays_allowed_at_floor_and_ceiling() -> None:
    for wishes, current in (({"min_discharge_level": 0.73}, 8.0), ({"max_charge_level": 0.73}, -8.0)):
        desk = Desk().to(P.RUNNING)
        desk.clock.sleep(2.0)
        desk.wish(**wishes)
        desk.feels(current=current)
        desk.clock.sleep(20.0)
        assert desk.vehicle.phase is P.RUNNING


def test_withdrawn_discharge_cannot_come_back_in_the_session() -> None:
    desk = Desk().to(P.RUNNING)
    desk.clock.sleep(2.0)
    assert desk.vehicle.can_discharge
    desk.wish(discharge_withdrawn=True)
    desk.clock.sleep(0.2)
    assert not desk.vehicle.can_discharge
    assert not desk.last(0x102)[5] & 0x80
    assert desk.last(0x200)[0] == 0xF0
    desk.wish(discharge_withdrawn=False)
    desk.clock.sleep(0.2)
    assert not desk.last(0x102)[5] & 0x80


def test_near_the_end_of_charge_the_request_falls_and_stays_at_0_until_the_pack_has_room() -> None:
    desk = Desk().to(P.RUNNING)
    desk.clock.sleep(2.0)
    desk.feels(voltage=394.0)
    desk.says(output_voltage=394)
    desk.clock.sleep(1.0)
    assert desk.last(0x102)[3] == 8
    desk.feels(voltage=395.8)
    desk.clock.sleep(1.0)
    assert desk.last(0x102)[3] == 0
    desk.feels(voltage=392.0)
    desk.clock.sleep(1.0)
    assert desk.last(0x102)[3] == 0
    desk.feels(voltage=388.0)
    desk.clock.sleep(1.0)
    assert desk.last(0x102)[3] == 14
    assert desk.vehicle.phase is P.RUNNING


@pytest.mark.parametrize("feels", [{"voltage": 396.0}, {"soc": 0.80}])
def test_a_charge_session_ends_when_the_target_is_reached(feels: dict[str, float]) -> None:
    desk = Desk()
    desk.says(discharge_compatible=False)
    desk.to(P.RUNNING)
    desk.feels(**feels)
    desk.clock.sleep(0.2)
    assert desk.vehicle.stop_reason is R.TARGET_REACHED


def test_shift_lever() -> None:
    desk = Desk().to(P.RUNNING)
    desk.wish(shifted=True)
    desk.clock.sleep(0.11)
    assert desk.last(0x102)[5] == 0xC2
    assert desk.vehicle.stop_reason is R.SHIFT


@pytest.mark.parametrize(
    ("wishes", "reason"),
    [
        ({"shifted": True, "lone_signal": True}, R.SHIFT),
        ({"faults": frozenset({"battery_overvoltage"}), "lone_signal": True}, R.FAULT),
        ({"k_released": True}, R.K_RELEASED),
        ({"enable_withdrawn": True}, R.ENABLE_WITHDRAWN),
    ],
)
def test_a_lone_signal_leaves_the_rest_to_the_charger_for_2_5_s(wishes: dict[str, object], reason: StopReason) -> None:
    desk = Desk().to(P.RUNNING)
    desk.clock.sleep(2.0)
    desk.wish(**wishes)
    desk.clock.sleep(2.4)
    data = desk.last(0x102)
    assert desk.vehicle.phase is P.RUNNING
    assert bool(data[5] & 0x01) is (reason is not R.ENABLE_WITHDRAWN)
    assert desk.vehicle.k is (reason is not R.K_RELEASED)
    assert data[3] == 14
    desk.clock.sleep(0.3)
    assert desk.vehicle.stop_reason is reason
    assert not desk.vehicle.k
    assert not desk.last(0x102)[5] & 0x01


def test_user_stop_before_charging_shows_5_4() -> None:
    desk = Desk().to(P.PERMITTED)
    desk.vehicle.press_stop()
    desk.clock.sleep(0.11)
    assert desk.last(0x102)[5] == 0xD8
    assert desk.vehicle.stop_reason is R.USER


def test_stop_pressed_asleep_does_not_end_the_next_session() -> None:
    desk = Desk()
    desk.vehicle.press_stop()
    desk.to(P.RUNNING)
    desk.clock.sleep(1.0)
    assert desk.vehicle.stop_reason is R.NONE


def test_user_stop_in_session() -> None:
    desk = Desk().to(P.RUNNING)
    desk.clock.sleep(2.0)
    desk.vehicle.press_stop()
    desk.clock.sleep(0.11)
    assert desk.last(0x102).hex(" ").upper() == "02 9A 01 00 00 C0 49 00"
    desk.charger_stops()
    desk.until(P.ENDED, 4.0)
    assert desk.vehicle.stop_reason is R.USER


# -- contactors are never opened under load, but for one bounded fallback


def test_the_contactor_waits_for_5_a() -> None:
    desk = Desk().to(P.RUNNING)
    desk.feels(current=-14.0)
    desk.clock.sleep(1.0)
    start = desk.clock.now()
    desk.vehicle.press_stop()
    desk.clock.sleep(3.0)
    assert desk.opened() == []
    desk.feels(current=-4.9)
    desk.clock.sleep(0.2)
    ((at, amps),) = desk.opened()
    assert abs(amps) <= 5.0
    assert 2.5 < at - start < 4.0
    assert not desk.vehicle.opened_under_load


def test_current_gone_but_109_5_0_stays_the_contactor_opens_after_2_5_s() -> None:
    desk = Desk().to(P.RUNNING)
    desk.clock.sleep(1.0)
    desk.vehicle.press_stop()
    desk.clock.sleep(3.0)
    stopped = next(at for at, phase in desk.vehicle.trail if phase is P.STOPPING)
    assert [at - stopped for at, _ in desk.opened()] == [pytest.approx(2.5)]


def test_the_bounded_fallback_is_named() -> None:
    desk = Desk().to(P.RUNNING)
    desk.feels(current=-14.0)
    desk.clock.sleep(1.0)
    desk.vehicle.press_stop()
    desk.clock.sleep(5.0)
    stopped = next(at for at, phase in desk.vehicle.trail if phase is P.STOPPING)
    assert [(at - stopped, amps) for at, amps in desk.opened()] == [(pytest.approx(4.0), -14.0)]
    assert desk.vehicle.opened_under_load


# -- weld check


def test_an_inlet_that_stays_alive_is_a_weld() -> None:
    desk = Desk().to(P.RUNNING)
    desk.vehicle.press_stop()
    desk.feels(inlet_voltage=374.0)
    desk.clock.sleep(0.2)
    desk.charger_stops()
    desk.until(P.WELD_CHECK, 3.0)
    desk.clock.sleep(9.9)
    assert not desk.vehicle.welded
    desk.clock.sleep(0.3)
    assert desk.vehicle.welded
    assert desk.vehicle.phase is P.ENDED
    assert desk.last(0x102)[5] & 0x0C == 0x04  # fault, and never "test finished"


def test_contactors_that_do_not_open_are_a_weld() -> None:
    desk = Desk().to(P.RUNNING)
    desk.sticks = True
    desk.vehicle.press_stop()
    desk.clock.sleep(0.2)
    desk.charger_stops()
    desk.until(P.ENDED, 5.0)
    assert desk.vehicle.welded


def test_what_the_inlet_was_before_proves_nothing() -> None:
    desk = Desk().to(P.RUNNING)
    desk.feels(inlet_voltage=0.0)  # as it was told last, long before the opening
    desk.vehicle.press_stop()
    desk.clock.sleep(0.2)
    desk.charger_stops()
    desk.until(P.OPENING, 3.0)
    desk.feels(inlet_voltage=float("nan"))  # not measured any more
    desk.until(P.WELD_CHECK, 0.1)
    desk.clock.sleep(2.0)
    assert desk.vehicle.phase is P.WELD_CHECK


def test_contactors_wait_for_an_inlet_figure_taken_after_d2() -> None:
    vehicle = Vehicle(wishes=Wishes(wake=0.0, permission=0.0, closing=0.0))
    pack = PackState(374.0, 0.0, 0.5, 25.0, 0.0)
    told = [WireChanged("proximity", True), pack, WireChanged("d1", True)]
    told += [ChargerCapability(True, 500, 15, 435).encode(), replace(LOCKED).encode()]
    out = [o for n, event in enumerate(told) for o in vehicle.step(0.01 * n, event).out]
    assert vehicle.phase is P.PERMITTED
    out += vehicle.step(0.10, WireChanged("d2", True)).out
    assert vehicle.phase is P.CLOSING
    out += vehicle.step(0.12, None).out
    assert ContactorMoved(True) not in out
    out += vehicle.step(0.13, pack).out
    assert ContactorMoved(True) in out


# -- controls of the bench


def test_silence_of_one_frame_keeps_the_place_of_the_others() -> None:
    desk = Desk().to(P.RUNNING)
    desk.wish(silent=frozenset({0x102}))
    before = len(desk.sent)
    desk.clock.sleep(1.0)
    assert {frame.id for _, frame in desk.sent[before + 2 :]} == {0x100, 0x101, 0x200}
    desk.wish(silent=frozenset(EV_FRAMES))
    before = len(desk.sent)
    desk.clock.sleep(1.0)
    assert len(desk.sent) == before


def test_what_is_said_can_be_wished() -> None:
    desk = Desk().to(P.RUNNING)
    desk.clock.sleep(2.0)
    desk.wish(target_voltage=0.0, protocol_number=3, min_discharge_voltage=300.0, min_discharge_level=0.5)
    desk.clock.sleep(0.11)
    assert desk.last(0x102)[:3] == bytes([3, 0, 0])
    assert desk.last(0x200)[4:7] == bytes([0x2C, 0x01, 111])


def test_discharge_limit_falls_at_the_ramp_and_may_jump_when_wished() -> None:
    desk = Desk().to(P.RUNNING)
    desk.clock.sleep(2.0)
    desk.wish(discharge_limit=5.0)
    desk.clock.sleep(1.0)
    raw = [255 - data[0] for _, data in desk.of(0x200)]
    assert raw[-12:] == [15, 15, 13, 11, 9, 7, 5, 5, 5, 5, 5, 5] or raw[-11:] == [15, 13, 11, 9, 7, 5, 5, 5, 5, 5, 5]
    desk.wish(discharge_limit=12.9, ramp=float("inf"))
    desk.clock.sleep(0.1)
    assert desk.last(0x200)[0] == 255 - 12  # a limit is rounded down


def test_a_car_with_levels_in_per_cent() -> None:
    profile = replace(LEAF_ZE0_24KWH, level_in_energy=Figure(0.0, "1", "test"), status_bit_5_6=Figure(0.0, "1", "test"))
    desk = Desk(profile).to(P.PERMITTED)
    desk.clock.sleep(0.2)
    assert desk.last(0x200)[6:] == bytes([30, 80])
    assert desk.last(0x102)[5] == 0x89


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"charge_current": 256.0}, "charge_current=256.0"),
        ({"discharge_limit": -1.0}, "discharge_limit=-1.0"),
        ({"min_discharge_level": 30}, "min_discharge_level=30"),
        ({"faults": frozenset({"rust"})}, "faults=['rust']"),
        ({"silent": frozenset({0x108})}, "silent=['0x108']"),
    ],
)
def test_impossible_wishes_are_refused_where_they_are_made(wish: dict[str, object], words: str) -> None:
    with pytest.raises(UseError, match=words.replace("[", r"\[").replace("]", r"\]")):
        Wishes(**wish)  # type: ignore[arg-type]


def test_every_figure_has_a_source() -> None:
    figures = [
        getattr(LEAF_ZE0_24KWH, name) for name in LEAF_ZE0_24KWH.__dataclass_fields__ if name not in ("name", "frames")
    ]
    assert len(figures) > 40
    assert all(len(figure.source) > 10 for figure in figures)
