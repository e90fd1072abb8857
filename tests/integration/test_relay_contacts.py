"""A charger whose buttons are bridged by relay contacts: driver, board and emulated panel, in virtual time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fixtures.library import find_bench, find_profile
from instruments.registry import REGISTRY
from instruments.relay_contacts.commands import BOUNCE
from rig.bench import Bench
from rig.errors import BenchConfigError, InstrumentError, UseError
from rig.open_bench import open_bench, read_bench_file
from rig.profile import read_profile
from rig.roles import Charger, ChargerState


@pytest.fixture
def bench() -> Iterator[Bench]:
    config = read_bench_file(find_bench("relay-contacts"), REGISTRY)
    with open_bench(config, REGISTRY, read_profile(find_profile(config.bench.profile))) as opened:
        opened.prepare()
        yield opened


def test_a_session_both_ways_by_buttons(bench: Bench) -> None:
    bench.car.plug_in(0.6)
    bench.charger.start("charge")
    assert bench.clock.wait_until(lambda: bench.battery.reading().current > 4.0, 30.0) < 30.0
    assert bench.charger.state() == ChargerState("running", "charge", "", False)
    bench.charger.set_mode("discharge")
    assert bench.clock.wait_until(lambda: bench.battery.reading().current < -4.0, 30.0) < 30.0
    assert bench.car.in_session
    bench.charger.stop()
    assert bench.clock.wait_until(lambda: not bench.car.in_session, 15.0) < 15.0


def test_the_emergency_stop_is_latched_until_reset(bench: Bench) -> None:
    bench.charger.emergency_stop()
    bench.clock.sleep(1.0)
    assert bench.charger.state() == ChargerState("fault", "standby", "signalled", False)
    bench.charger.start("charge")
    assert bench.charger.state().phase == "fault"
    bench.charger.reset()
    assert bench.charger.state().fault == ""


def test_every_contact_is_open_after_a_press_and_the_press_took_its_time(bench: Bench) -> None:
    assert bench.digital_io is not None
    before = bench.clock.now()
    bench.charger.stop()
    assert bench.clock.now() - before >= 0.5
    assert not any(bench.digital_io.outputs())


def test_a_closure_shorter_than_the_bounce_is_no_press(bench: Bench) -> None:
    assert bench.world is not None
    for length, fault in ((0.5 * BOUNCE, ""), (2.0 * BOUNCE, "signalled")):
        bench.world.strip.move(5, True)
        bench.clock.sleep(length)
        bench.world.strip.move(5, False)
        bench.clock.sleep(0.2)
        assert bench.charger.state().fault == fault


def test_a_contact_that_sticks_is_told_with_its_output(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    board = bench.digital_io
    assert board is not None
    board.switch(4, True)
    with monkeypatch.context() as stuck:
        stuck.setattr(board, "pulse", lambda output, seconds: None)
        with pytest.raises(InstrumentError, match="output 4 is still closed; look at the board"):
            bench.charger.stop()


LACKING: dict[str, Callable[[Charger], None]] = {
    "power of 3000 W": lambda charger: charger.set_power(3000.0),
    "manual transfer": lambda charger: charger.set_transfer(False),
    "reserve": lambda charger: charger.set_reserve(0.2),
}


@pytest.mark.parametrize("what", LACKING)
def test_what_has_no_button_is_an_error_of_the_bench(bench: Bench, what: str) -> None:
    with pytest.raises(InstrumentError, match=f"{what}.*no contact is across one"):
        LACKING[what](bench.charger)
    for bad in (-1.0, float("nan"), 7000.0):
        with pytest.raises(UseError, match="rating"):
            bench.charger.set_power(bad)
        with pytest.raises(UseError, match="fraction"):
            bench.charger.set_reserve(bad)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("charge = 1\n", "charge = 2\n"), "one output is across two buttons"),
        (("stop = 4\n", ""), "key 'stop' is missing"),
        (('driver = "waveshare_relay_d"\nresource = "emulated"', 'driver = "waveshare_relay_d"\nresource = "/dev/x"'),
         "both be emulated, or neither"),
        (("[digital_io]", "[digital_io_]"), "unknown table"),
    ],
)  # fmt: skip
def test_a_wrong_bench_file_is_told(tmp_path: Path, change: tuple[str, str], words: str) -> None:
    text = find_bench("relay-contacts").read_text()
    assert change[0] in text
    text = text.replace(*change)
    if "/dev/x" in change[1]:
        text = text.replace('clock = "virtual"', 'clock = "real"').replace(
            'interface = "virtual"', 'interface = "udp_multicast"'
        )
    path = tmp_path / "bench.toml"
    path.write_text(text)
    with pytest.raises(BenchConfigError, match=words):
        read_bench_file(path, REGISTRY)


def test_contacts_without_a_board_are_told(tmp_path: Path) -> None:
    path = tmp_path / "bench.toml"
    path.write_text(find_bench("relay-contacts").read_text().partition("[digital_io]")[0])
    with pytest.raises(BenchConfigError, match=r"needs the relay contacts of a board; add \[digital_io\]"):
        read_bench_file(path, REGISTRY)
