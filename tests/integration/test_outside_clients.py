"""Clients that others wrote, on every transport `v2hrig emulate` serves: pyvisa-py (raw socket, HiSLIP, VXI-11, serial)
and Debian's `lxi` (raw socket, VXI-11 through the port mapper). Identify, set, measure, ask for errors, fetch a wave.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import pyvisa
from emulating import Emulator, bench_on, free_port, multicast
from pyvisa.resources import MessageBasedResource

KINDS = ("SOCKET", "hislip", "inst", "ASRL")
POINTS = 1000
MOST_LOOKS = 2000
"""At the digitizer's state, until its record must have ended."""
PATIENCE = 30.0
"""s a tool may take before it counts as hanging."""


@dataclass(frozen=True)
class Served:
    """What an emulator offers. places: part -> its resources."""

    places: dict[str, list[str]]
    notes: str

    def of(self, part: str, kind: str) -> str:
        return next(resource for resource in self.places[part] if kind in resource)

    def port(self, part: str) -> str:
        return self.of(part, "SOCKET").split("::")[2]


@contextmanager
def serve(folder: Path, first: str, mapper: bool = False) -> Iterator[Served]:
    if reason := multicast():
        pytest.skip(reason)
    bench = bench_on(folder, f'interface = "udp_multicast"\nchannel = "239.74.163.2"\nport = {free_port()}')
    emulator = Emulator("--bench", str(bench), "--first", first, mapper=mapper)
    try:
        emulator.ready()
        places: dict[str, list[str]] = {}
        part = ""
        for line in emulator.said:
            cells = [cell.strip() for cell in line.split("│")[1:-1]]
            if len(cells) == 3:
                part = cells[0] or part
                places.setdefault(part, []).append(cells[2])
        yield Served(places, "".join(emulator.said))
        assert emulator.interrupt() == 0, emulator.said
    finally:
        emulator.end()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("battery"), "battery") as served:
        yield served


@pytest.fixture
def manager() -> Iterator[pyvisa.ResourceManager]:
    manager = pyvisa.ResourceManager("@py")
    yield manager
    manager.close()


def reach(manager: pyvisa.ResourceManager, resource: str) -> MessageBasedResource:
    visa = manager.open_resource(resource)
    assert isinstance(visa, MessageBasedResource)
    visa.timeout, visa.write_termination = 10_000, "\n"
    if "SOCKET" in resource or "ASRL" in resource:
        visa.read_termination = "\n"
    return visa


def waits_for(true: Callable[[], object]) -> bool:
    """It comes about within so many looks."""
    return any(true() for _ in range(MOST_LOOKS))


@pytest.mark.parametrize("kind", KINDS)
def test_pyvisa_py_identifies_sets_measures_and_asks_for_errors(
    served: Served, manager: pyvisa.ResourceManager, kind: str
) -> None:
    source = reach(manager, served.of("battery", kind))
    assert "PSB" in source.query("*IDN?")
    source.write("SYST:LOCK ON")
    source.write("VOLT 321.5")
    assert source.query("VOLT?").strip() == "321.50 V"
    assert re.fullmatch(r"-?\d+\.\d+ V", source.query("MEAS:VOLT?").strip())
    source.write("NO:SUCH:THING 1")
    assert source.query("SYST:ERR?").startswith("-100,")  # what this model says of an unknown header
    assert source.query("SYST:ERR?").startswith("0,")
    source.write("SYST:LOCK OFF")
    source.close()


@pytest.mark.parametrize("kind", KINDS)
def test_pyvisa_py_fetches_a_binary_waveform(served: Served, manager: pyvisa.ResourceManager, kind: str) -> None:
    scope = reach(manager, served.of("digitizer", kind))
    for line in ("*RST", ":CHAN1:DISP ON", ":TIM:RANG 0.1", ":WAV:FORM WORD", ":WAV:UNS ON", ":SING", ":TRIG:FORC"):
        scope.write(line)
    assert waits_for(lambda: not int(scope.query(":OPER:COND?")) & 8)
    assert scope.query("SYST:ERR?").startswith("0,")
    preamble = scope.query(":WAV:PRE?").split(",")
    codes = scope.query_binary_values(":WAV:DATA?", datatype="H", is_big_endian=True)
    assert len(codes) == int(float(preamble[2])) == POINTS
    assert scope.query("*IDN?").startswith("KEYSIGHT")
    scope.close()


@pytest.mark.parametrize("kind", ["hislip", "inst"])
def test_pyvisa_py_polls_the_status_byte_and_clears(served: Served, manager: pyvisa.ResourceManager, kind: str) -> None:
    load = reach(manager, served.of("house_l1", kind))
    assert load.query("*IDN?")
    assert load.read_stb() & 16 == 0
    load.write("*IDN?")
    assert waits_for(lambda: load.read_stb() & 16)
    assert load.read()
    load.clear()
    assert load.read_stb() & 16 == 0
    load.write("NO:SUCH:THING")
    assert load.query("*OPC?")
    assert load.read_stb() & 4
    assert load.query("SYST:ERR?").startswith("-113,")
    load.write("*IDN?")
    assert load.query("*ESR?")  # the reply nobody read is gone, and noted
    assert load.query("SYST:ERR?").startswith("-410,")
    load.close()


def test_two_clients_on_two_transports_meet_one_instrument(served: Served, manager: pyvisa.ResourceManager) -> None:
    one, two = (reach(manager, served.of("house_l2", kind)) for kind in ("hislip", "SOCKET"))
    for level in (100.0, 200.0, 300.0):
        one.write(f":LOAD:POW {level}")
        assert one.query("*OPC?").strip() == "1"
        assert float(two.query(":LOAD:POW?")) == level
    for visa in (one, two):
        visa.close()


def lxi_is_there() -> None:
    if shutil.which("lxi") is None:
        pytest.skip("the tool lxi is not installed (Debian: lxi-tools)")


def lxi(*arguments: str) -> str:
    lxi_is_there()
    done = subprocess.run(
        ["lxi", "scpi", "-a", "127.0.0.1", *arguments], capture_output=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout.decode("latin-1")


def test_lxi_on_a_raw_socket(served: Served) -> None:
    raw = ("-r", "-p", served.port("battery"))
    assert "PSB" in lxi(*raw, "*IDN?")
    lxi(*raw, "SYST:LOCK ON")
    lxi(*raw, "VOLT 123.5")
    assert lxi(*raw, "VOLT?").strip() == "123.50 V"
    assert lxi(*raw, "MEAS:VOLT?").strip().endswith(" V")
    lxi(*raw, "NO:SUCH:THING 1")
    assert lxi(*raw, "SYST:ERR?").startswith("-100,")
    lxi(*raw, "SYST:LOCK OFF")


def wave(lxi_way: tuple[str, ...]) -> bytes:
    """A record of the digitizer, by lxi."""
    for line in ("*RST", ":CHAN1:DISP ON", ":TIM:RANG 0.1", ":WAV:FORM BYTE", ":SING", ":TRIG:FORC"):
        lxi(*lxi_way, line)
    assert waits_for(lambda: not int(lxi(*lxi_way, ":OPER:COND?")) & 8)
    assert lxi(*lxi_way, "SYST:ERR?").startswith("0,")
    digits = re.findall(r"\b[0-9A-Fa-f]{2}\b", lxi("-x", *lxi_way, ":WAV:DATA?").replace("0x", ""))
    return bytes(int(pair, 16) for pair in digits)


def test_lxi_fetches_a_binary_waveform_on_a_raw_socket(served: Served) -> None:
    way = ("-r", "-p", served.port("digitizer"))
    assert lxi(*way, "*IDN?").startswith("KEYSIGHT")
    assert wave(way).startswith(b"#800001000")


def test_lxi_over_vxi_11_and_the_port_mapper(tmp_path: Path) -> None:
    """The tool knows the first device only, so each of two instruments is first once."""
    lxi_is_there()
    with serve(tmp_path, "battery", mapper=True) as served:
        if "port mapper" in served.notes:
            pytest.skip(next(line for line in served.notes.splitlines() if "port mapper" in line))
        assert "PSB" in lxi("*IDN?")
        lxi("SYST:LOCK ON")
        lxi("VOLT 222.5")
        assert lxi("VOLT?").strip() == "222.50 V"
        assert lxi("MEAS:VOLT?").strip().endswith(" V")
        lxi("NO:SUCH:THING 1")
        assert lxi("SYST:ERR?").startswith("-100,")
        lxi("SYST:LOCK OFF")
    with serve(tmp_path, "digitizer", mapper=True):
        assert lxi("*IDN?").startswith("KEYSIGHT")
        assert wave(()).startswith(b"#800001000")
