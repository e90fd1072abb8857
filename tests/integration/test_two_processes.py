"""The charger in one process, the rig in another, in real time: `v2hrig emulate` on a real bus, instruments on sockets
and pseudo-terminals. One whole session a bus: charge, reversal to discharge, stop, with every rule watching.

What a rule says of the pace of frames is said of the machine this runs on, too: those rules must have watched, and are
not asserted to be kept.
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from emulating import Emulator, bench_on, free_port, multicast
from serial_cable import SerialCable

from fixtures.library import REQUIREMENTS, find_profile, find_vehicle
from instruments.registry import REGISTRY
from rig.bench import Bench
from rig.chademo.rules import ALL
from rig.chademo.rules.rule import RuleState
from rig.chademo.vehicle_state import StopReason, VehiclePhase
from rig.errors import BenchFault
from rig.open_bench import open_bench, read_bench_file
from rig.profile import read_profile
from rig.requirements import read_catalogue
from rig.run import Run
from rig.vehicle_model import read_vehicle

PACED = frozenset({"R-PERIOD-VEHICLE", "R-PERIOD-CHARGER", "R-REQUEST-RAMP", "R-LIMIT-RAMP"})
"""Rules that judge when a frame came, or what it says for the time since the one before."""
SETTLES = 3.0
"""s for the car's limits to rise at 20 A/s and the current to follow."""
FLOWS = 5.0
"""A that are a current, either way."""


@pytest.fixture
def emulate(tmp_path: Path) -> Iterator[Callable[..., tuple[Emulator, Path]]]:
    started: list[Emulator] = []

    def start(can: str, *arguments: str) -> tuple[Emulator, Path]:
        rig = tmp_path / "rig.toml"
        emulator = Emulator("--bench", str(bench_on(tmp_path, can)), "--rig", str(rig), *arguments)
        started.append(emulator)
        emulator.ready()
        return emulator, rig

    yield start
    for one in started:
        one.end()


def a_session(bench: Bench) -> None:
    """Charge, turn round without a new session, stop."""
    bench.prepare()
    bench.car.plug_in(0.5)
    bench.charger.start("charge")
    assert bench.car.wait_for(VehiclePhase.RUNNING, 60.0) <= 60.0, bench.charger.state()
    bench.clock.sleep(SETTLES)
    assert bench.battery.reading().current > FLOWS
    steps = len(bench.car.vehicle.trail)
    bench.charger.set_mode("discharge")
    bench.clock.sleep(SETTLES)
    assert bench.battery.reading().current < -FLOWS
    assert bench.car.in_session
    assert len(bench.car.vehicle.trail) == steps
    bench.charger.stop()
    assert bench.car.wait_for(VehiclePhase.ENDED, 30.0) <= 30.0
    assert bench.car.stop_reason is StopReason.CHARGER_STOP
    assert not bench.car.contactor_closed
    assert not bench.car.vehicle.opened_under_load


def judged(rig: Path, evidence: Path) -> dict[RuleState, set[str]]:
    """How the rules came out of a session on the rig's bench file."""
    config = read_bench_file(rig, REGISTRY)
    assert config.kind == "hardware"  # nothing in it is told to be emulated
    profile = read_profile(find_profile(config.bench.profile))
    car = read_vehicle(find_vehicle(config.car.profile))
    with open_bench(config, REGISTRY, profile, car=car) as bench:
        run = Run(bench, read_catalogue(REQUIREMENTS).for_profile(profile), evidence, ALL)
        run.begin((), ("two processes",), "")
        run.start_test("session", "A session between two processes")
        a_session(bench)
        outcome = bench.stand_by()
        assert outcome.confirmed, outcome.readings
        verdicts = run.watch.verdicts()
        run.conclude()
        run.stop_test("PASS")
        run.rested(bench.make_safe())
        run.end("completed")
    return {state: {one.rule.id for one in verdicts if one.state is state} for state in RuleState}


def the_rules_were_kept(rules: dict[RuleState, set[str]]) -> None:
    assert rules[RuleState.BROKEN] <= PACED
    seen = rules[RuleState.KEPT] | rules[RuleState.BROKEN]
    assert seen >= PACED
    assert len(seen) >= 40, seen  # both directions, the reversal and the stop were there to be judged


@pytest.mark.realtime
def test_a_session_over_udp_multicast(emulate: Callable[..., tuple[Emulator, Path]], tmp_path: Path) -> None:
    if reason := multicast():
        pytest.skip(reason)
    emulator, rig = emulate(f'interface = "udp_multicast"\nchannel = "239.74.163.2"\nport = {free_port()}')
    rules = judged(rig, tmp_path / "evidence")
    assert emulator.interrupt() == 0, emulator.said
    assert "safe state" in emulator.said[-1]
    the_rules_were_kept(rules)


@pytest.mark.realtime
def test_a_session_over_slcan_on_two_serial_ports(
    emulate: Callable[..., tuple[Emulator, Path]], tmp_path: Path
) -> None:
    cable = SerialCable()
    try:
        theirs, ours = cable.ports
        emulator, rig = emulate(
            f'interface = "slcan"\nchannel = "{theirs}"\nsleep_after_open = 0.1',
            "--only", "charger", "--channel", ours,
        )  # fmt: skip
        rules = judged(rig, tmp_path / "evidence")
        assert emulator.interrupt(signal.SIGTERM) == 0, emulator.said
    finally:
        cable.close()
    the_rules_were_kept(rules)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("served", "emulated"), r'\[bench\] clock: others can only be served in real time; write clock = "real"'),
        (("", ""), r"--rig .*nowhere/rig.toml: cannot be written"),
    ],
)
def test_what_cannot_be_served_is_told_in_one_line(tmp_path: Path, change: tuple[str, str], words: str) -> None:
    bench = "served".replace(*change) if change[0] else "served"
    command = [sys.executable, "-m", "rig.cli", "emulate", "--port", "0", "--seconds", "1", "--bench", bench]
    command += ["--rig", str(tmp_path / "nowhere" / "rig.toml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert re.search(words, done.stderr)


@pytest.mark.realtime
@pytest.mark.long
def test_an_emulator_that_is_interrupted_while_it_charges_comes_to_its_safe_state(
    emulate: Callable[..., tuple[Emulator, Path]],
) -> None:
    if reason := multicast():
        pytest.skip(reason)
    emulator, rig = emulate(
        f'interface = "udp_multicast"\nchannel = "239.74.163.2"\nport = {free_port()}', "--only", "charger"
    )
    config = read_bench_file(rig, REGISTRY)
    codes: list[int] = []

    def charge_until_it_is_gone() -> None:
        with open_bench(config, REGISTRY, read_profile(find_profile(config.bench.profile))) as bench:
            bench.prepare()
            bench.car.plug_in(0.5)
            bench.charger.start("charge")
            assert bench.car.wait_for(VehiclePhase.RUNNING, 60.0) <= 60.0
            bench.clock.sleep(SETTLES)
            codes.append(emulator.interrupt())

    with pytest.raises(BenchFault):  # the rig has lost its instruments, and says so
        charge_until_it_is_gone()
    assert codes == [0], emulator.said  # an unconfirmed safe state is 4
