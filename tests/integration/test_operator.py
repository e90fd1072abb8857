"""A charger whose buttons a person presses: the driver, the emulated person, and a real terminal."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fixtures.library import find_bench, find_profile
from instruments.operator.commands import Options, read_display
from instruments.operator.driver import OperatedCharger, open_driver
from instruments.registry import REGISTRY
from rig.clock import RealClock, VirtualClock
from rig.errors import BenchConfigError, InstrumentError, LostInstrument, UseError
from rig.open_bench import open_bench, read_bench_file
from rig.profile import read_profile
from rig.prompts import EmulatedPrompter, Prompt, TerminalPrompter
from rig.roles import ChargerState

NAME = "terminal"


@dataclass
class Person:
    """Answers as told; keeps what was asked."""

    seconds: float = 2.0
    says: str = "done"
    asked: list[Prompt] = field(default_factory=list)

    def answer(self, prompt: Prompt) -> str:
        self.asked.append(prompt)
        return self.says


@dataclass
class Desk:
    clock: VirtualClock
    person: Person
    charger: OperatedCharger


@pytest.fixture
def desk() -> Desk:
    clock, person = VirtualClock(), Person()
    options = Options(maker="Acme", model="V2H-6", serial="17", within="60 s", fresh="5 s")  # type: ignore[arg-type]
    return Desk(clock, person, open_driver(EmulatedPrompter(person, NAME, clock), options, clock))


VERBS: dict[str, tuple[Callable[[OperatedCharger], None], str, str]] = {
    "start": (lambda c: c.start("charge"), "charge", "START"),
    "mode": (lambda c: c.set_mode("discharge"), "discharge", "discharge"),
    "power": (lambda c: c.set_power(1500.0), "1500 W", "1500 W"),
    "transfer": (lambda c: c.set_transfer(True), "automatic", "automatic"),
    "reserve": (lambda c: c.set_reserve(0.3), "30 %", "30 %"),
    "stop": (lambda c: c.stop(), "", "STOP"),
    "emergency stop": (lambda c: c.emergency_stop(), "", "EMERGENCY STOP"),
    "reset": (lambda c: c.reset(), "", "Acknowledge"),
}


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_is_a_prompt_that_costs_the_person_s_time(desk: Desk, verb: str) -> None:
    press, value, words = VERBS[verb]
    press(desk.charger)
    (prompt,) = desk.person.asked
    assert (prompt.verb, prompt.value) == (verb, value)
    assert words in prompt.words
    assert desk.clock.now() == 2.0


@pytest.mark.parametrize("verb", VERBS)
def test_what_was_not_done_is_told_in_the_person_s_words(desk: Desk, verb: str) -> None:
    desk.person.says = "the red lamp is on"
    with pytest.raises(InstrumentError, match="not done: the red lamp is on"):
        VERBS[verb][0](desk.charger)


@pytest.mark.parametrize("verb", VERBS)
def test_silence_is_an_error_after_the_time_a_person_has(desk: Desk, verb: str) -> None:
    desk.person.seconds = 3600.0
    with pytest.raises(InstrumentError, match="no answer within 60 s"):
        VERBS[verb][0](desk.charger)
    assert desk.clock.now() == 60.0
    assert desk.person.asked == []


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("idle", ChargerState("idle", "charge", "", False)),
        ("Running backup", ChargerState("running", "charge", "", True)),
        ("stopped fault earth leak", ChargerState("stopped", "charge", "earth_leak", False)),
        ("forming BACKUP Fault E42", ChargerState("forming", "charge", "E42", True)),
        ("fault E42", ChargerState("fault", "charge", "E42", False)),
    ],
)
def test_the_display_in_a_person_s_words(text: str, state: ChargerState) -> None:
    assert read_display(text, "charge") == state


@pytest.mark.parametrize("text", ["I cannot see it", "idle fault", "", "running on backup"])
def test_an_answer_that_cannot_be_understood_is_no_state(desk: Desk, text: str) -> None:
    desk.person.says = text
    with pytest.raises(InstrumentError, match="display"):
        desk.charger.state()


def test_a_display_read_a_moment_ago_is_not_asked_for_again(desk: Desk) -> None:
    desk.person.says = "idle"
    for _ in range(40):
        desk.charger.state()
        desk.clock.sleep(0.1)
    assert len(desk.person.asked) == 1
    desk.clock.sleep(2.0)
    desk.charger.state()
    assert len(desk.person.asked) == 2
    desk.person.says = "done"
    desk.charger.start("discharge")
    desk.person.says = "starting"
    assert desk.charger.state() == ChargerState("starting", "discharge", "", False)


def test_ratings_are_checked_before_anybody_is_asked(desk: Desk) -> None:
    with pytest.raises(UseError, match="rating"):
        desk.charger.set_power(6001.0)
    with pytest.raises(UseError, match="fraction"):
        desk.charger.set_reserve(1.1)
    assert desk.person.asked == []
    assert desk.charger.identity().maker == "Acme"


def test_nobody_is_asked_after_the_end(desk: Desk) -> None:
    desk.charger.close()
    desk.charger.close()
    with pytest.raises(LostInstrument, match="open the bench again"):
        desk.charger.stop()


# -- on an emulated bench


def bench_file(folder: Path, lines: str) -> Path:
    """The emulated bench with an operator in front of the charger."""
    text = find_bench("emulated").read_text()
    path = folder / "operated.toml"
    path.write_text(text.replace('driver = "evps"\n', f'driver = "operator"\n{lines}\n'))
    return path


def test_a_session_by_hand_on_the_emulated_bench(tmp_path: Path) -> None:
    config = read_bench_file(bench_file(tmp_path, 'delay = "1 s"'), REGISTRY)
    with open_bench(config, REGISTRY, read_profile(find_profile(config.bench.profile))) as bench:
        bench.prepare()
        bench.charger.set_power(2000.0)
        bench.car.plug_in(0.6)
        bench.charger.start("charge")
        bench.clock.wait_until(lambda: bench.battery.reading().current > 4.0, 30.0)
        assert bench.battery.reading().current > 4.0
        assert bench.charger.state().phase == "running"
        bench.charger.emergency_stop()
        bench.clock.sleep(3.0)
        assert bench.charger.state().fault == "emergency_stop"
        with pytest.raises(InstrumentError, match=r"not done: it says .*RESET"):
            bench.charger.start("charge")
        bench.charger.reset()


def test_a_key_that_is_none_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(BenchConfigError, match="unknown key"):
        read_bench_file(bench_file(tmp_path, 'retransfer_delay = "5 s"'), REGISTRY)


# -- a real terminal


class Typist:
    """The other end of a pseudo-terminal."""

    def __init__(self) -> None:
        self.master, slave = os.openpty()
        self.path = os.ttyname(slave)
        self._slave = slave

    def type(self, *lines: str) -> None:
        """What a person types once a prompt is there."""

        def answer() -> None:
            seen = b""
            while b">>>" not in seen:
                seen += os.read(self.master, 4096)
            for line in lines:
                os.write(self.master, line.encode())

        threading.Thread(target=answer, daemon=True).start()

    def close(self) -> None:
        os.close(self._slave)
        os.close(self.master)


@contextmanager
def terminal() -> Iterator[tuple[Typist, TerminalPrompter]]:
    clock, typist = RealClock(), Typist()
    prompter = TerminalPrompter(typist.path, clock)
    try:
        yield typist, prompter
    finally:
        prompter.close()
        typist.close()
        clock.close()


PROMPT = Prompt("start", "charge", "Press START.")


def test_a_line_typed_at_a_terminal_is_the_answer() -> None:
    with terminal() as (typist, prompter):
        typist.type("\n", "  do", "ne \n")
        assert prompter.ask(PROMPT, 20.0) == "done"


def test_what_was_typed_before_the_prompt_is_no_answer() -> None:
    with terminal() as (typist, prompter):
        os.write(typist.master, b"done\n")
        with pytest.raises(InstrumentError, match=r"no answer within 0\.3 s"):
            prompter.ask(PROMPT, 0.3)


def test_a_terminal_that_is_not_there_is_lost() -> None:
    clock = RealClock()
    with pytest.raises(LostInstrument, match="cannot be opened"):
        TerminalPrompter("/dev/no-such-terminal", clock)
    clock.close()
    with pytest.raises(UseError, match="real"):
        TerminalPrompter("terminal", VirtualClock())
