"""A little of `make fuzz`: whatever comes from outside, nothing falls, nothing hangs, nothing comes on. And what judges
that is not blind: each witness sees the fault it is there for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from benchmarks.fuzz.boxes import BoxDriverFuzz, BoxFuzz, framed, request
from benchmarks.fuzz.echonet import NodeDriverFuzz, NodeFuzz, may_start
from benchmarks.fuzz.echonet import frame as echonet_frame
from benchmarks.fuzz.engine import Endless, Fuzz, Wrong, bounded
from benchmarks.fuzz.files import JournalFuzz, RecordFuzz, TomlFuzz, TraceFuzz
from benchmarks.fuzz.frames import ChargerFuzz, RulesFuzz, VehicleFuzz
from benchmarks.fuzz.recogniser import switches_on
from benchmarks.fuzz.scpi import DriverFuzz, LineFuzz, ReplyFuzz, options
from benchmarks.fuzz.witness import Witness
from instruments.ea_psb_10000 import emulator as ea
from instruments.registry import REGISTRY
from rig.can.frame import Frame
from rig.chademo.events import ContactorMoved, PackState, WireChanged
from rig.plant.world import World
from rig.scpi import codec
from rig.scpi.face import ScpiFace

HOW_MANY: tuple[tuple[Callable[[], Any], int], ...] = (
    (LineFuzz, 4000),
    (ReplyFuzz, 10000),
    (DriverFuzz, 800),
    (VehicleFuzz, 1500),
    (RulesFuzz, 1000),
    (ChargerFuzz, 300),
    (BoxFuzz, 4000),
    (BoxDriverFuzz, 1500),
    (NodeFuzz, 1500),
    (NodeDriverFuzz, 500),
    (TomlFuzz, 120),
    (TraceFuzz, 25),
    (JournalFuzz, 120),
    (RecordFuzz, 250),
)


@pytest.mark.parametrize(("subject", "inputs"), HOW_MANY, ids=lambda one: getattr(one, "__name__", ""))
def test_nothing_that_comes_from_outside_does_harm(subject: Callable[[], Any], inputs: int) -> None:
    tally = Fuzz(subject(), seed=20261125).run(inputs)
    assert tally.clean, "\n".join(tally.words)
    assert tally.inputs == inputs
    assert tally.seen > 3


def test_the_same_seed_tries_the_same() -> None:
    first, again, other = (Fuzz(LineFuzz(("ea_psb_10000",)), seed).run(400) for seed in (1, 1, 2))
    assert (first.seen, first.corpus) == (again.seen, again.corpus)
    assert (first.seen, first.corpus) != (other.seen, other.corpus)


# -- the witnesses are not blind


class _Lax(ScpiFace):
    """Takes every line that looks a little like OUTPut ON for that."""

    def process(self, line: str) -> bytes | None:
        return super().process("OUTP ON" if "OUTP" in line and "?" not in line and "O" in line[4:] else line)


def test_an_instrument_that_takes_garbage_for_on_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def lax(model: str, world: World) -> ScpiFace:
        face = ea.build(world, options(model))
        monkeypatch.setattr(face, "__class__", type("Lax", (_Lax, type(face)), {}))
        return face

    tally = Fuzz(LineFuzz(("ea_psb_10000",), lax), 1).run(3000)
    assert tally.garbage
    assert "put on" in tally.words[0]


def test_a_codec_that_reads_garbage_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec.Integer, "parse", lambda _, text: int(text))  # Python's own: 1_0, and more
    tally = Fuzz(ReplyFuzz(), 1).run(20000)
    assert tally.garbage


def test_a_crash_is_told_with_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec.Switch, "decode", lambda *_: 1 / 0)
    tally = Fuzz(LineFuzz(("ea_psb_10000",)), 1).run(200)
    assert tally.crashes
    assert "ZeroDivisionError" in tally.words[0]
    assert "test_fuzz.py" in tally.words[0]


def spin() -> None:
    while True:
        pass


def test_an_input_that_never_ends_is_found() -> None:
    with pytest.raises(Endless), bounded(0.05):
        spin()


@pytest.mark.parametrize("model", ["ea_psb_10000", "keysight_rp7962", "itech_it8617", "chroma_63804"])
def test_the_recogniser_knows_each_models_own_switch(model: str) -> None:
    driver = {"ea_psb_10000": "OUTP", "keysight_rp7962": "OUTP", "itech_it8617": "INP", "chroma_63804": ":LOAD"}[model]
    assert REGISTRY[model].emulate is not None
    for on in (f"{driver} ON", f"{driver.lower()}\t1", f"*CLS;{driver} 2.5", f"VOLT 1;{driver} on"):
        assert switches_on(model, on), on
    for not_on in (f"{driver}?", f"{driver} OFF", f"{driver} 0.4", f"{driver}ON", f"A:B 1;{driver.strip(':')} ON",
                   f'"{driver} ON', f"{driver} \xb2", f"{driver} 1_0", f"::{driver} ON",
                   f"{driver} ON ON"):  # fmt: skip
        assert not switches_on(model, not_on), not_on


def test_only_a_whole_line_is_a_request() -> None:
    line = framed(b"WIRE k 1").strip(b"\n")
    assert request(line) == b"WIRE k 1"
    for spoilt in (line[:-1], line[1:], line.lower(), line.replace(b"k", b"K"), b"<" + line[1:], line + b" "):
        assert request(spoilt) is None, spoilt


def good() -> Witness:
    witness = Witness()
    for wire in ("proximity", "d1", "d2", "k"):
        witness.told(0.0, WireChanged(wire, True))  # type: ignore[arg-type]
    witness.does(0.0, WireChanged("k", True), False)
    witness.told(0.0, Frame(0x108, bytes((1, 244, 1, 15, 0, 0, 0, 0))))
    witness.told(0.0, Frame(0x109, bytes((2, 0, 0, 0, 1, 0b100, 0, 0))))
    witness.told(0.0, PackState(374.0, 0.0, 0.5, 25.0, 0.0))
    witness.does(0.1, Frame(0x102, bytes((2, 154, 1, 0, 0, 1, 50, 0))), False)
    return witness


SPOILT: dict[str, Frame | WireChanged | PackState] = {
    "d2 is off": WireChanged("d2", False),
    "unlocked": Frame(0x109, bytes((2, 0, 0, 0, 1, 0, 0, 0))),
    "fault": Frame(0x109, bytes((2, 0, 0, 0, 1, 0b110, 0, 0))),
    "at the inlet": PackState(374.0, 0.0, 0.5, 25.0, 21.0),
    "nan V": PackState(374.0, 0.0, 0.5, 25.0, float("nan")),
}


def test_a_good_car_may_close() -> None:
    good().does(0.2, ContactorMoved(True), False)


@pytest.mark.parametrize("why", SPOILT)
def test_a_car_that_closes_on_what_is_not_fit_is_found(why: str) -> None:
    witness = good()
    witness.told(0.2, SPOILT[why])
    with pytest.raises(Wrong, match=why):
        witness.does(0.3, ContactorMoved(True), False)


def test_short_and_extended_frames_are_no_word_of_the_charger() -> None:
    witness = good()
    witness.told(0.2, Frame(0x109, bytes((2, 0, 0, 0, 1, 0))))
    witness.told(0.2, Frame(0x8000_0109, bytes((2, 0, 0, 0, 1, 0, 0, 0))))
    witness.does(0.3, ContactorMoved(True), False)
    with pytest.raises(Wrong, match="not been heard"):
        witness.does(5.0, ContactorMoved(True), False)


def test_a_car_that_asks_beyond_the_offer_is_found() -> None:
    witness = good()
    witness.told(0.2, ContactorMoved(True))
    witness.does(0.3, Frame(0x102, bytes((2, 154, 1, 2, 0, 1, 50, 0))), False)
    witness.told(0.3, Frame(0x108, bytes((1, 244, 1, 3, 0, 0, 0, 0))))
    with pytest.raises(Wrong, match="offers 3 A"):
        witness.does(0.4, Frame(0x102, bytes((2, 154, 1, 4, 0, 1, 50, 0))), False)
    with pytest.raises(Wrong, match="rises"):
        good().does(0.4, Frame(0x102, bytes((2, 154, 1, 3, 0, 1, 50, 0))), False)


def test_a_file_that_is_taken_as_it_is_would_be_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def raises(path: Path) -> None:
        raise OSError(path)

    monkeypatch.setattr("benchmarks.fuzz.files.READERS", dict.fromkeys(("bench", "profile", "vehicle"), raises))
    tally = Fuzz(TomlFuzz(), 1).run(20)
    assert tally.crashes


def test_only_a_whole_set_of_the_mode_starts_an_echonet_charger() -> None:
    subject = NodeFuzz()
    subject.begin(Random(1))
    start = echonet_frame(0x61, (0xDA, b"\x42"))
    asks, stops = echonet_frame(0x62, (0xDA, b"\x42")), echonet_frame(0x61, (0xDA, b"\x47"))
    for no_start in (start[:-1], start + b"\0", asks, stops):
        assert not may_start(no_start)
        subject.take(no_start)
        assert not subject._wanted()
    assert may_start(start)
    subject.take(start)
    assert subject._wanted()
