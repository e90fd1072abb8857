"""What a supervisor decides, without its process: levels, silence, the E-stop input, log, lease, and the way down."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from fixtures.library import find_bench, find_profile
from instruments.registry import REGISTRY
from rig.cli.bench import guarded
from rig.clock import RealClock
from rig.errors import BenchConfigError, BenchFault, LostInstrument
from rig.evidence.documents import Incident, SafeStateReached
from rig.evidence.journal import Journal
from rig.evidence.reopen import CutOff
from rig.evidence.safety_log import SafetyLog, last_word, safety_logs
from rig.evidence.verify import verify_run
from rig.open_bench import read_bench_file
from rig.profile import read_profile
from rig.roles import DcReading, SafeState
from rig.safety import descent
from rig.safety.envelope import Envelope, Level, levels
from rig.safety.estop import open_estop
from rig.safety.lease import Claim, Lease, read_holder
from rig.safety.orders import Beat, Ended, KeepLog, Orders, Wire
from rig.safety.resources import lasting
from rig.safety.settings import SafetyTable
from rig.safety.vigil import Vigil

PROFILE = read_profile(find_profile("leaf-to-home-6kw"))
SOURCE = "10.0.0.7 INST0"


# -- levels


def test_a_level_may_be_left_for_its_time_and_no_longer() -> None:
    envelope = Envelope([Level("current", -30.0, 30.0, 0.3)])
    assert not envelope.look(1.0, {"current": 31.0})
    assert not envelope.look(1.29, {"current": -31.0, "voltage": 900.0})  # a voltage nobody limits
    assert not envelope.look(1.30, {"current": 30.0})  # back inside: its time begins anew
    assert not envelope.look(1.5, {"current": -30.1})
    assert "current -30.1 A was beyond -30 A for 0.31 s (0.3 s allowed)" in envelope.look(1.81, {"current": -30.1})


def test_no_number_is_outside_every_level() -> None:
    envelope = Envelope([Level("voltage", -450.0, 450.0, 0.0)])
    assert envelope.look(0.0, {"voltage": float("nan")})


def test_levels_are_the_plates_unless_the_bench_file_says_otherwise() -> None:
    table = SafetyTable.model_validate({"voltage": "420 V", "soc_min": "10 %"})
    found = {one.quantity: one for one in levels(table, PROFILE.ratings)}
    assert (found["voltage"].low, found["voltage"].high) == (-420.0, 420.0)
    assert found["current"].high == pytest.approx(1.2 * PROFILE.ratings.dc_current)
    assert found["soc"].low == pytest.approx(0.1)
    assert "temperature" not in found


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ('voltage = "420 A"', "[safety] voltage"),
        ("heartbeat = 0.1", "[safety] heartbeat"),
        ('estop = "gpio17"', "[safety] estop"),
        ('estop = "modbus:/dev/ttyUSB2"', "[safety] estop: names no line and input; write modbus:/dev/ttyUSB2?input=1"),
        ('estop = "modbus:?input=1"', "[safety] estop: names no line and input"),
        ('estop = "modbus:/dev/ttyUSB2?input=0"', "[safety] estop: input=0 is no key or no value of a board"),
        ('estop = "modbus:/dev/ttyUSB2?input=1&unti=2"', "[safety] estop: unti=2 is no key or no value of a board"),
        ("soc_min = 0.9\nsoc_max = 0.2", "soc_min = 0.9 is not below soc_max = 0.2"),
        ("hartbeat = 1.0", "did you mean 'heartbeat'?"),
        ('alone = ["vehicle"]', "[safety] alone"),
    ],
)
def test_a_wrong_key_is_told_with_its_line(tmp_path: Path, key: str, words: str) -> None:
    path = tmp_path / "bench.toml"
    path.write_text(f"{find_bench('emulated').read_text()}\n[safety]\n{key}\n")
    with pytest.raises(BenchConfigError) as told:
        read_bench_file(path, REGISTRY)
    assert words in str(told.value)
    assert len(told.value.problems) == 1


def test_bench_show_says_who_watches_and_that_no_emergency_stop_is_wired(tmp_path: Path) -> None:
    path = tmp_path / "bench.toml"
    text = find_bench("served").read_text().replace('"emulated"', '"TCPIP::10.0.0.1::5025::SOCKET"', 1)
    for number in range(2, 10):
        text = text.replace('"emulated"', f'"TCPIP::10.0.0.{number}::5025::SOCKET"', 1)
    path.write_text(text)
    config = read_bench_file(path, REGISTRY)
    lines = guarded(config, PROFILE)
    assert lines[0] == "supervisor: vehicle, battery, grid, house_l1, house_l2"
    assert "no input wired" in lines[2]
    virtual = read_bench_file(find_bench("emulated"), REGISTRY)
    assert guarded(virtual, PROFILE) == ["supervisor: none, no real output"]


# -- silence


def orders(**wishes: Any) -> Orders:
    fields = {"bench": "b", "origin": 0, "pid": os.getpid(), "parts": (), "levels": (), "heartbeat": 2.0}
    return Orders(**{**fields, "clock": 10.0, "conductor": 300.0, **wishes})


def test_silence_is_told_after_its_time_and_a_beat_ends_it() -> None:
    vigil = Vigil(orders(), 0.0)
    assert not vigil.silent(2.0)
    assert "no heartbeat of the rig for 2.10 s" in vigil.silent(2.1)
    assert not vigil.beat(2.2, Beat())
    assert not vigil.silent(4.2)


def test_a_rig_that_beats_with_a_clock_or_a_test_that_hangs_is_told() -> None:
    vigil = Vigil(orders(), 0.0)
    assert not vigil.beat(1.0, Beat(clock=9.9, conductor=299.0))
    assert "clock has not turned" in vigil.beat(1.1, Beat(clock=10.1))
    assert "the test has not shown itself for 301 s" in vigil.beat(1.2, Beat(conductor=301.0))


def test_what_the_rig_says_of_its_pack_is_held_against_its_levels() -> None:
    vigil = Vigil(orders(levels=(Level("soc", 0.1, 1.0, 0.0),)), 0.0)
    assert not vigil.beat(1.0, Beat(facts={"soc": 0.1}))
    assert "soc 0.05 1 was beyond 0.1" in vigil.beat(1.1, Beat(facts={"soc": 0.05}))


def test_a_clock_knows_who_has_not_come_back_and_what_a_sleep_is() -> None:
    clock = RealClock()
    try:
        turned, shown = clock.idle()
        assert turned < 5.0
        assert shown < 5.0
        clock._shown = clock.now() - 100.0
        assert clock.idle()[1] >= 100.0
        clock.sleep(0.0)
        assert clock.idle()[1] < 100.0
        clock._raise_failure(1e6)  # as a sleep of eleven days does at its beginning
        assert clock.idle()[1] == 0.0
    finally:
        clock.close()


def test_an_interruption_is_the_foregrounds_and_no_lanes() -> None:
    clock = RealClock()
    heard: list[str] = []

    def work() -> None:
        clock.sleep(0.0)

    try:
        clock.interrupt(BenchFault("stop"))
        clock.aside("lane", work, lambda _: heard.append("worked"))
        with pytest.raises(BenchFault, match="stop"):
            clock.wait_until(lambda: False, 5.0)
        assert clock.wait_until(lambda: bool(heard), 5.0) <= 5.0
    finally:
        clock.close()


# -- the E-stop input


@pytest.fixture
def clock() -> Iterator[RealClock]:
    clock = RealClock()
    yield clock
    clock.close()


def test_a_file_that_is_not_1_counts_as_pressed(tmp_path: Path, clock: RealClock) -> None:
    path = tmp_path / "value"
    look = open_estop(f"file:{path}", clock)
    assert "cannot be read" in look()  # a broken wire stops the bench too
    path.write_text("1\n")
    assert not look()
    path.write_text("0\n")
    assert "shows '0'" in look()
    assert not open_estop("", clock)()


def test_a_modem_line_that_is_off_counts_as_pressed(clock: RealClock) -> None:
    assert not open_estop("dsr:loop://", clock)()  # pyserial's loop answers on
    pressed = open_estop("cts:loop://", clock)
    assert not pressed()
    with pytest.raises(LostInstrument, match="estop"):
        open_estop("cts:/dev/none", clock)


# -- wire and log


def test_lines_arrive_whole_and_the_end_of_the_other_side_shows() -> None:
    ours, theirs = (Wire(end) for end in socket.socketpair())
    theirs.end.send(b'{"type":"Beat","clo')
    assert ours.receive() == []
    theirs.end.send(b'ck":1.5}\n')
    theirs.send(KeepLog("/x", 2))
    theirs.send(Ended(True, ("open",)))
    assert ours.receive() == [Beat(1.5), KeepLog("/x", 2), Ended(True, ("open",))]
    assert not ours.over
    theirs.close()
    ours.receive()
    assert ours.over
    ours.send(Beat())  # to nobody: no error
    ours.close()


@pytest.fixture
def cut_off(tmp_path: Path) -> Path:
    """A run that was killed, and what its supervisor wrote."""
    Journal(tmp_path, lambda: 0.0).close()
    log = SafetyLog(lambda: 7.0)
    log.add(Incident(kind="supervisor", what="the rig's process 5 is gone", fault="bench"))
    log.keep_in(tmp_path, 1)
    log.add(SafeStateReached(confirmed=True, readings=("source off",)))
    log.close()
    return tmp_path


def test_the_log_keeps_what_came_before_its_folder_and_can_be_verified(cut_off: Path) -> None:
    (log,) = safety_logs(cut_off)
    assert [type(one).__name__ for one in log.documents] == ["Incident", "SafeStateReached"]
    said = last_word(log)
    assert said is not None
    assert said.confirmed
    found = verify_run(cut_off)
    assert not found.problems
    assert not [note for note in found.notes if "safety.jsonl" in note]
    assert CutOff(log, None, 2, (), watched=(log,)).left == (  # type: ignore[arg-type]
        "its supervisor left the bench CONFIRMED safe (the rig's process 5 is gone)"
    )


def test_a_changed_byte_of_the_log_is_found(cut_off: Path) -> None:
    path = cut_off / "safety.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"confirmed":true', b'"confirmed":"ye'))
    assert verify_run(cut_off).problems == ("line 2 of safety.jsonl: its bytes do not match its digest",)


def test_what_is_lost_of_its_end_is_no_word(cut_off: Path) -> None:
    path = cut_off / "safety.jsonl"
    path.write_bytes(path.read_bytes()[:-40])
    (log,) = safety_logs(cut_off)
    assert last_word(log) is None
    assert "did not come to say" in CutOff(log, None, 2, (), watched=(log,)).left  # type: ignore[arg-type]


# -- the lease


def lease(folder: Path, drill: bool = False) -> Lease:
    return Lease(folder, Claim("anna", "lab1", 4711, "night 12"), drill=drill)


HOLDS = """
import os, sys
from pathlib import Path
from rig.safety.lease import Claim, Lease
held = Lease(Path(sys.argv[1]), Claim("anna", "lab1", os.getpid(), "night 12")).take([sys.argv[2]])
print(held.handles[0][0], held.handles[0][1], flush=True)
sys.stdin.readline()
pid = os.fork()
os._exit(0) if pid else sys.stdin.readline()
"""


def test_a_lease_is_held_while_one_process_of_two_has_its_file(tmp_path: Path) -> None:
    """The first dies, its child (as a supervisor) keeps the open file: nobody gets the bench until that is gone too."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(tmp_path), SOURCE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as first:
        assert first.stdin is not None
        assert first.stdout is not None
        assert first.stdout.readline()
        first.stdin.write("die\n")
        first.stdin.flush()
        first.wait(30)
        with pytest.raises(BenchFault, match="held by anna"):
            lease(tmp_path).take([SOURCE])
        first.stdin.close()  # ends the child
        while first.stdout.read():
            pass
    new = lease(tmp_path).take([SOURCE])
    assert new.abandoned  # it was never given back: nobody knows what is on
    new.give_back()
    assert not lease(tmp_path).take([SOURCE]).abandoned


def test_an_adopted_lease_is_renewed_and_given_back_by_who_adopted_it(tmp_path: Path) -> None:
    held = lease(tmp_path).take([SOURCE])
    files = tuple((os.dup(file), path) for file, path in held.handles)
    adopted = Lease.adopt(tmp_path, files)
    adopted.take_over("bringing it to its safe state: the rig is gone")
    holder = read_holder(Path(held.handles[0][1]))
    assert holder is not None
    assert (holder.pid, holder.purpose) == (os.getpid(), "bringing it to its safe state: the rig is gone")
    adopted.give_back()
    again = lease(tmp_path).take([SOURCE])
    assert not again.abandoned


def test_a_bench_left_unsafe_is_nobodys_until_a_drill(tmp_path: Path) -> None:
    held = lease(tmp_path).take([SOURCE])
    held.mark_unsafe()
    held.give_back()
    with pytest.raises(BenchFault, match=r"left without a confirmed safe state by anna .* v2hrig bench check"):
        lease(tmp_path).take([SOURCE])
    drill = lease(tmp_path, drill=True).take([SOURCE])
    assert drill.abandoned
    drill.give_back()
    assert not lease(tmp_path).take([SOURCE]).abandoned


def test_what_ends_with_a_process_bears_no_mark(tmp_path: Path) -> None:
    assert lasting("lab1 /dev/ttyUSB0")
    assert lasting("10.0.0.7 5025")
    assert not lasting("lab1 /dev/pts/5")
    assert not lasting("lab1 127.0.0.1 5025")
    assert not lasting("lab1 CAN socketcan can0")
    held = lease(tmp_path).take(["lab1 /dev/pts/5"])
    held.mark_unsafe()
    held.give_back()
    assert not lease(tmp_path).take(["lab1 /dev/pts/5"]).abandoned


# -- the way down


class FakeBench:
    """Outputs whose order of events is kept. obeys: the charger lets its current go when k is released."""

    def __init__(self, obeys: bool = True) -> None:
        self.obeys, self.events = obeys, list[str]()
        self.current, self.closed, self.inlet, self.house = 30.0, True, 380.0, 100.0
        self.drivers: dict[str, Any] = {
            "charger": Charger(self),
            "vehicle": Box(self),
            "battery": Source(self),
            "grid": Grid(self),
            "house_l1": Load(self),
        }


class _Part:
    def __init__(self, bench: FakeBench) -> None:
        self.bench = bench


class Charger(_Part):
    def stop(self) -> None:
        self.bench.events.append("stop")


class Box(_Part):
    lost: ClassVar[bool] = False

    def set_wire(self, wire: str, on: bool) -> None:
        self.bench.events.append(f"{wire} {on:d}")
        if self.bench.obeys:
            self.bench.current = 0.0

    def contactor_closed(self) -> bool:
        return self.bench.closed

    def move_contactor(self, closed: bool) -> None:
        self.bench.events.append(f"contactor at {self.bench.current:g} A")
        self.bench.closed, self.bench.inlet = closed, 0.0

    def inlet_voltage(self) -> float:
        return self.bench.inlet

    def make_safe(self) -> SafeState:
        return SafeState(not self.bench.closed, ("contactor",))


class Source(_Part):
    def reading(self) -> DcReading:
        return DcReading(0.0, 380.0, self.bench.current)

    def make_safe(self) -> SafeState:
        self.bench.events.append("source off")
        self.bench.current = 0.0
        return SafeState(True, ("output off",))


class Grid(_Part):
    def make_safe(self) -> SafeState:
        self.bench.events.append("mains off")
        self.bench.house = 0.0
        return SafeState(True, ("output off",))


class Volts:
    def __init__(self, value: float) -> None:
        self.value = value


class Load(_Part):
    def voltage(self) -> Volts:
        return Volts(self.bench.house)

    def make_safe(self) -> SafeState:
        self.bench.events.append(f"load off at {self.bench.house:g} V")
        return SafeState(True, ("input open",))


def test_a_charger_that_obeys_ends_the_current_before_anything_is_opened(clock: RealClock) -> None:
    bench = FakeBench()
    outcome = descent.descend(clock, bench.drivers, {})
    assert outcome.confirmed, outcome.readings
    assert set(bench.events[:2]) == {"stop", "k 0"}
    assert "contactor at 0 A" in bench.events
    assert "load off at 0 V" in bench.events
    assert any("current at 5 A or less" in line for line in outcome.readings)


def test_one_that_does_not_obey_loses_the_source_before_the_contactors_open(clock: RealClock) -> None:
    bench = FakeBench(obeys=False)
    outcome = descent.descend(clock, bench.drivers, {})
    assert outcome.confirmed, outcome.readings
    assert bench.events.index("source off") < bench.events.index("contactor at 0 A")


def test_contactors_open_at_last_whatever_flows_and_nothing_is_confirmed_then(
    clock: RealClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(descent, "CURRENT_WITHIN", 0.02)
    monkeypatch.setattr(descent, "CONTACTS_WITHIN", 0.05)
    bench = FakeBench(obeys=False)
    bench.drivers["battery"].make_safe = lambda: SafeState(False, ("output on",))
    outcome = descent.descend(clock, bench.drivers, {})
    assert not outcome.confirmed
    assert "contactor at 30 A" in bench.events
    assert any("whatever flowed" in line for line in outcome.readings)


def test_voltage_that_stays_is_not_confirmed(clock: RealClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(descent, "GONE_WITHIN", 0.05)
    bench = FakeBench()
    bench.drivers["grid"].make_safe = lambda: SafeState(True, ("it says it is off",))
    outcome = descent.descend(clock, bench.drivers, {})
    assert not outcome.confirmed
    assert "house_l1: UNCONFIRMED, house 100.0 V" in outcome.readings


@pytest.mark.parametrize("lost", ["vehicle", "battery", "grid", "house_l1"])
def test_what_cannot_be_reached_keeps_no_other_from_its_way_down(
    clock: RealClock, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    monkeypatch.setattr(descent, "CURRENT_WITHIN", 0.05)
    bench = FakeBench()
    del bench.drivers[lost]
    outcome = descent.descend(clock, bench.drivers, {lost: "no answer"})
    assert not outcome.confirmed
    assert f"{lost}: UNCONFIRMED, no answer" in outcome.readings
    words = {"vehicle": "contactor", "battery": "source off", "grid": "mains off", "house_l1": "load off"}
    assert {one for one, word in words.items() if any(event.startswith(word) for event in bench.events)} == {
        one for one in words if one != lost
    }


def test_a_charger_that_does_not_answer_is_no_fault_of_the_bench(clock: RealClock) -> None:
    bench = FakeBench()
    del bench.drivers["charger"]
    assert descent.descend(clock, bench.drivers, {"charger": "no answer"}).confirmed


def test_one_that_hangs_is_not_waited_for(clock: RealClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(descent, "STAGE_WITHIN", 0.1)
    bench = FakeBench()
    hangs = RealClock()
    bench.drivers["grid"].make_safe = lambda: hangs.sleep(2.0)
    outcome = descent.descend(clock, bench.drivers, {})
    hangs.close()
    assert not outcome.confirmed
    assert "grid: UNCONFIRMED, no answer within 0.1 s" in outcome.readings
    assert "source off" in bench.events
