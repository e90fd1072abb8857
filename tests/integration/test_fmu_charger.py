"""A charger that is an FMU in a bench file: the example of docs/examples/small_charger_fmu, built here, through the
drivers of any other; and FMUs that cannot serve, or fail on the way."""

from __future__ import annotations

import importlib.util
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from zipfile import ZipFile

import pytest

from fixtures.library import find_bench, find_profile
from instruments.registry import REGISTRY
from rig.bench import Bench
from rig.can.frame import Frame
from rig.errors import BenchConfigError, BenchFault, InstrumentError
from rig.evidence.documents import RuleFound
from rig.fmu import description
from rig.fmu.charger import FmuCharger
from rig.fmu.instance import Instance
from rig.open_bench import open_bench, read_bench_file
from rig.own_charger import Listener
from rig.plant.ports import Operating, StageCommand, StageReading
from rig.profile import read_profile
from rig.replay.bench_file import replay_bench
from rig.rig_file import rig_file
from tests.integration.rigs import certify

fmpy = pytest.importorskip("fmpy", reason="fmpy is not installed: pip install 'v2hrig[fmu]'")

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "small_charger_fmu"
DESCRIPTION = "modelDescription.xml"
BAD_STEP = """
#include <math.h>
#define fmi2DoStep example_step
#include "fmi2.c"
#undef fmi2DoStep
EXPORT fmi2Status fmi2DoStep(void *c, double at, double step, int no_return)
{
    charger *it = &((instance *)c)->charger;
    int ask = (int)it->r[SET_POWER] - 1000;
    fmi2Status done = example_step(c, at, step, no_return);
    if (ask == 8)
        it->r[COMMAND_U_REF] = NAN;
    if (ask == 9)
        it->i[COMMAND_MODE] = 9;
    if (ask == 10)
        it->r[THRESHOLD_VOLTAGE] = 70000.0, it->b[SPEAKS] = 1;
    if (ask == 3)
        failed(c, "the model of the stage diverges");
    if (ask == 5000 && it->phase == ON && at > 45.0)
        return fmi2Error;
    return ask > 1 && ask < 6 ? (fmi2Status)ask : done;
}
"""
"""The example with a fault planted by the power it is set to; at rated power it fails late."""


def build_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_small_charger_fmu", EXAMPLE / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    script = build_script()
    if script.compiler() is None:
        pytest.skip("no C compiler; Debian has it in build-essential")

    def built(*sources: Path) -> Path:
        folder = tmp_path_factory.mktemp("fmu")
        return Path(script.build(folder, sources) if sources else script.build(folder))

    return built


@pytest.fixture(scope="module")
def small(build: Callable[..., Path]) -> Path:
    return build()


@pytest.fixture(scope="module")
def failing(build: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = tmp_path_factory.mktemp("source") / "bad_step.c"
    source.write_text(BAD_STEP)
    return build(EXAMPLE / "charger.c", source)


def bench_file(folder: Path, fmu: Path | str, more: str = "") -> Path:
    """The emulated bench with an FMU in its charger's place."""
    text = find_bench("emulated").read_text()
    path = folder / "fmu.toml"
    path.write_text(text.replace('driver = "evps"\n', f'driver = "evps"\nemulator = "{fmu}"\n{more}'))
    return path


@contextmanager
def opened(file: Path) -> Iterator[Bench]:
    config = read_bench_file(file, REGISTRY)
    with open_bench(config, REGISTRY, read_profile(find_profile(config.bench.profile))) as bench:
        yield bench


def a_session(bench: Bench) -> list[float]:
    """A of the cable: charging, discharging, and under a lower limit of the car; then the end."""
    clock, seen = bench.clock, list[float]()
    bench.prepare()
    bench.charger.set_power(2000.0)
    bench.car.plug_in(0.6)
    bench.charger.start("charge")
    clock.wait_until(lambda: bench.charger.state().phase == "running", 30.0)
    clock.sleep(3.0)
    seen.append(bench.battery.reading().current)
    bench.charger.set_mode("discharge")
    clock.sleep(3.0)
    seen.append(bench.battery.reading().current)
    bench.car.set_discharge_limit(3.0)
    clock.sleep(2.0)
    seen.append(bench.battery.reading().current)
    bench.charger.stop()
    clock.wait_until(lambda: bench.charger.state().phase == "idle", 20.0)
    clock.sleep(1.0)
    return seen


def test_a_whole_session_in_both_directions(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with opened(bench_file(tmp_path, small)) as bench:
        world = bench.world
        assert world is not None
        charging, discharging, limited = a_session(bench)
        assert charging == pytest.approx(2000.0 * 0.93 / 380.0, abs=0.6)
        assert -6.5 < discharging < -4.0
        assert -3.0 < limited < -2.0
        assert bench.charger.state().fault == ""
        assert world.plant.incidents == []
        assert not any(world.plant.wire(wire) for wire in ("d1", "d2", "lock"))
        assert len(list(tmp_path.glob("v2hrig-fmu-*"))) == 1
    assert list(tmp_path.glob("v2hrig-fmu-*")) == []
    maps = Path("/proc/self/maps")
    assert not maps.exists() or str(tmp_path) not in maps.read_text()


def set_and_wait(bench: Bench, power: float) -> None:
    bench.charger.set_power(power)
    bench.clock.sleep(0.2)


def test_the_same_session_twice_is_the_same(small: Path, tmp_path: Path) -> None:
    runs = []
    for _ in range(2):
        with opened(bench_file(tmp_path, small)) as bench:
            runs.append((a_session(bench), bench.clock.now()))
    assert runs[0] == runs[1]


def test_buttons_display_and_name(small: Path, tmp_path: Path) -> None:
    with opened(bench_file(tmp_path, small, 'step = "20 ms"\n')) as bench:
        who = bench.charger.identity()
        assert who.serial == "small_charger.fmu"
        assert who.firmware.startswith("1.0 sha256:")
        bench.charger.emergency_stop()
        bench.clock.sleep(0.05)
        assert (bench.charger.state().phase, bench.charger.state().fault) == ("fault", "emergency_stop")
        bench.charger.reset()
        bench.charger.set_mode("discharge")
        bench.clock.sleep(0.05)
        state = bench.charger.state()
        assert (state.phase, state.mode, state.fault) == ("idle", "discharge", "")


@pytest.mark.parametrize(
    ("power", "words"),
    [
        (1002.0, r"fmi2DoStep failed with status 2 \(discard\)"),
        (1003.0, r"status 3 \(error\).* It says: the model of the stage diverges"),
        (1004.0, r"status 4 \(fatal\)"),
        (1005.0, r"status 5"),
        (1008.0, r"command\.u_ref = nan; an output must be finite"),
        (1009.0, r"command\.mode = 9; give 0 to 3"),
        (1010.0, r"ChargerCapability\.ThresholdVoltage = 70000 cannot be sent; give 0 to 65535 V"),
    ],
)
def test_a_step_that_fails_is_a_fault_of_the_bench(
    failing: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, power: float, words: str
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with opened(bench_file(tmp_path, failing)) as bench:
        assert bench.world is not None
        bench.prepare()
        bench.car.plug_in(0.6)
        bench.charger.start("charge")
        bench.clock.sleep(2.0)
        assert bench.world.plant.wire("d1")
        with pytest.raises(BenchFault, match=f"FMU.*{words}"):
            set_and_wait(bench, power)
        assert not bench.world.plant.wire("d1")
        with pytest.raises(InstrumentError, match="FMU"):
            bench.charger.state()
        bench.clock.sleep(1.0)
        assert bench.world.plant.at("dc").i == pytest.approx(0.0, abs=0.01)
    assert list(tmp_path.glob("v2hrig-fmu-*")) == []


def test_procedures_pass_and_one_under_an_fmu_that_failed_is_invalid(failing: Path, tmp_path: Path) -> None:
    """With the bench file of the example, its instruments warm already. What a dead charger does to the cable breaks
    rules: none of that may be told of the device."""
    text = (EXAMPLE.parent / "small-charger-fmu.toml").read_text()
    (tmp_path / "small_charger_fmu").mkdir()
    (tmp_path / "small_charger_fmu" / "small_charger.fmu").write_bytes(failing.read_bytes())
    (tmp_path / "bench.toml").write_text(f'{text}\n[room]\non_before = "1 h"\n')
    good, bad = "test_withdrawn_discharge_ends", "test_start_keeps_the_limit_from_the_first_ampere"
    asked = ("--bench", str(tmp_path / "bench.toml"), "--suite", "discharge_limits", "--depth", "quick")
    ran = certify(tmp_path / "run", *asked, "-k", f"{good} or {bad}")
    assert ran.outcomes == {f"{good}[grid]": "PASS", f"{bad}[3A]": "INVALID"}, ran.out + ran.err
    assert "FMU small_charger.fmu: fmi2DoStep failed with status 3 (error)" in ran.out
    assert not [doc for doc in ran.documents if isinstance(doc, RuleFound) and doc.state == "broken"]
    assert ran.code == 3


def repacked(fmu: Path, folder: Path, *edits: tuple[str, str], without: str = "-") -> Path:
    """The FMU with another description, or without some of its files."""
    path = folder / "changed.fmu"
    with ZipFile(fmu) as old, ZipFile(path, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == DESCRIPTION:
                text = data.decode()
                for before, after in edits:
                    assert before in text
                    text = text.replace(before, after)
                data = text.encode()
            if without not in name:
                new.writestr(name, data)
    return path


FMI_3 = """<?xml version="1.0" encoding="UTF-8"?>
<fmiModelDescription fmiVersion="3.0" modelName="Three" instantiationToken="three">
  <CoSimulation modelIdentifier="three"/>
  <ModelVariables><Float64 name="time" valueReference="0" causality="independent"/></ModelVariables>
  <ModelStructure/>
</fmiModelDescription>
"""
STEP = ' stepSize="0.01"'
ONLY_STEP = ' canHandleVariableCommunicationStepSize="true"'


@pytest.mark.parametrize(
    ("edits", "more", "words"),
    [
        ([('fmiVersion="2.0"', 'fmiVersion="4.0"')], "", r"cannot be read \(Unsupported FMI version: 4\.0\)"),
        ([("</ModelVariables>", "")], "", r"modelDescription\.xml cannot be read"),
        ([('name="interface"', 'name="edition"')], "", "has no Integer 'interface' with a start value; add it"),
        ([('name="interface" valueReference="6" causality="parameter" variability="fixed"><Integer start="1"',
           'name="interface" valueReference="6" causality="parameter" variability="fixed"><Integer start="2"')], "",
         "is made for interface 2, this rig has 1"),
        ([('name="wire.d2"', 'name="d2"')], "", r"lacks wire\.d2; add"),
        ([('name="ChargerDischarge.AvailableInputVoltage"', 'name="volts"')], "",
         r"lacks ChargerDischarge\.AvailableInputVoltage"),
        ([('name="insulation"', 'name="isolation"')], "", r"has isolation, which this rig does not know \(did you mean "
         r"insulation\?\)"),
        ([('name="set.reserve" valueReference="1" causality="input"',
           'name="set.reserve" valueReference="1" causality="parameter" variability="fixed"')], "",
         r"set\.reserve has causality parameter; make it input"),
        ([('name="wire.k" valueReference="5" causality="input" variability="discrete"><Boolean start="false"/>',
           'name="wire.k" valueReference="5" causality="input" variability="discrete"><Integer start="0"/>')], "",
         r"wire\.k is of type Integer; make it Boolean"),
        ([('<Real unit="A"/></ScalarVariable>\n    <ScalarVariable name="ChargerCapability.AvailableOutputV',
           '<Real unit="V"/></ScalarVariable>\n    <ScalarVariable name="ChargerCapability.AvailableOutputV')], "",
         r"command\.i_ref is in 'V', the rig's is in 'A'; convert it"),
        ([('<CoSimulation modelIdentifier="small_charger" canHandleVariableCommunicationStepSize="true"/>',
           '<ModelExchange modelIdentifier="small_charger"/>')], "", "has no co-simulation"),
        ([('modelIdentifier="small_charger"', 'modelIdentifier="other"')], "", r"has no binaries/\w+/other\."),
        ([(STEP, "")], "", r'has no stepSize in its DefaultExperiment; add step = "10 ms"'),
        ([(STEP, ' stepSize="2"')], "", r"a step of 2 s is outside 0\.0001 to 0\.1 s"),
        ([(ONLY_STEP, "")], 'step = "5 ms"\n', r"can only be stepped by its own 0\.01 s; remove step"),
    ],
)  # fmt: skip
def test_an_fmu_that_cannot_serve_is_told_with_file_line_and_key(
    small: Path, tmp_path: Path, edits: list[tuple[str, str]], more: str, words: str
) -> None:
    changed = repacked(small, tmp_path, *edits)
    with pytest.raises(BenchConfigError, match=words) as error:
        read_bench_file(bench_file(tmp_path, changed.name, more), REGISTRY)
    (line,) = str(error.value).splitlines()
    assert "fmu.toml:" in line
    assert "[charger]" in line
    assert "changed.fmu" in line


def test_fmi_3_and_what_is_not_there_are_told(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BenchConfigError, match=r"\[charger\] emulator: .*gone\.fmu: no such file"):
        read_bench_file(bench_file(tmp_path, "gone.fmu"), REGISTRY)
    (tmp_path / "text.fmu").write_text("no archive")
    with pytest.raises(BenchConfigError, match=r"\[charger\] emulator: text\.fmu: cannot be unpacked"):
        read_bench_file(bench_file(tmp_path, "text.fmu"), REGISTRY)
    with pytest.raises(BenchConfigError, match=r"\[charger\] step: only an FMU is stepped; remove it"):
        read_bench_file(bench_file(tmp_path, "", 'step = "10 ms"\n'), REGISTRY)
    with ZipFile(tmp_path / "three.fmu", "w") as archive:
        archive.writestr(DESCRIPTION, FMI_3)
    with pytest.raises(BenchConfigError, match=r"three\.fmu: is FMI 3\.0, this rig steps FMI 2\.0; export it as that"):
        read_bench_file(bench_file(tmp_path, "three.fmu"), REGISTRY)
    monkeypatch.setitem(sys.modules, "fmpy", None)
    with pytest.raises(BenchConfigError, match=r"emulator: changed\.fmu: needs fmpy .*pip install 'v2hrig\[fmu\]'"):
        read_bench_file(bench_file(tmp_path, repacked(small, tmp_path).name), REGISTRY)


def test_one_that_changed_since_the_bench_file_was_read_is_not_loaded(small: Path, tmp_path: Path) -> None:
    copy = repacked(small, tmp_path)
    config = read_bench_file(bench_file(tmp_path, copy), REGISTRY)
    found = description.read_fmu(copy)
    repacked(small, tmp_path, ("beside the mains", "beside the house"))
    description._read.cache_clear()
    with pytest.raises(BenchFault, match="has changed since the bench file was read"):
        Instance(found, {})
    assert config.parts["charger"].options["emulator"] == str(copy)


def test_a_record_and_a_rig_file_do_without_the_fmu(small: Path, tmp_path: Path) -> None:
    config = read_bench_file(bench_file(tmp_path, small, 'step = "10 ms"\n'), REGISTRY)
    for text in (replay_bench(config, "leaf-to-home-6kw"), rig_file(config, {"charger": "/dev/ttyUSB0"})):
        assert ".fmu" not in text
        assert "step =" not in text


class LateTerminals:
    """Electronics with nothing on them, and a clock that the test moves: late, as a real one may be."""

    legs, u_nominal, f_nominal = 2, 100.0, 50.0

    def __init__(self) -> None:
        self.time, self.commands = 100.0, list[StageCommand]()
        self.tick: Callable[[], None] = lambda: None

    def now(self) -> float:
        return self.time

    def every(self, period: float, call: Callable[[], None]) -> None:
        self.tick = call

    def after(self, seconds: float, call: Callable[[], None]) -> None: ...
    def send(self, frame: Frame) -> None: ...
    def on_frame(self, call: Listener) -> None: ...
    def drive(self, name: str, on: bool) -> None: ...
    def close_pcs(self, closed: bool) -> None: ...
    def wire(self, name: str) -> bool:
        return False

    def stage(self) -> StageReading:
        return StageReading(0.0, 0.0, (100.0, 100.0), 0.0, True)

    def command(self, stage: StageCommand) -> None:
        self.commands.append(stage)

    def insulation(self) -> float:
        return 1e9

    def mains(self) -> tuple[Operating, ...]:
        return (Operating(100.0, 0.0, 0.0, 50.0),) * 2


def test_steps_a_late_clock_missed_are_made_up_for_up_to_a_second(small: Path) -> None:
    terminals, told = LateTerminals(), list[str]()
    charger = FmuCharger(terminals, description.read_fmu(small), 0.01, told.append)
    try:
        for at, steps in ((100.01, 1), (100.06, 6), (100.06, 6), (100.9, 90)):
            terminals.time = at
            terminals.tick()
            assert len(terminals.commands) == steps
        terminals.time = 102.0
        with pytest.raises(BenchFault, match=r"FMU small_charger\.fmu: 110 steps behind the clock"):
            terminals.tick()
        assert told == ["FMU small_charger.fmu: 110 steps behind the clock; give it a longer step or a faster machine"]
        assert terminals.commands[-1] == StageCommand()
        with pytest.raises(ValueError, match="110 steps behind"):
            charger.state()
        charger.stop()  # it is at rest already
    finally:
        charger.close()


def test_words_of_the_display_may_be_items_of_an_enumeration(small: Path, tmp_path: Path) -> None:
    """As tools without text outputs have them; here both show what is a number in the example, command.mode."""
    text = 'valueReference="{}" causality="output" variability="discrete"><String/>'
    number = 'valueReference="7" causality="output" variability="discrete"><Enumeration declaredType="{}"/>'
    types = "".join(
        f'<SimpleType name="{name}"><Enumeration><Item name="{word}" value="0"/></Enumeration></SimpleType>'
        for name, word in (("Phases", "resting"), ("Faults", "none"))
    )
    changed = repacked(
        small,
        tmp_path,
        ('"display.phase" ' + text.format(0), '"display.phase" ' + number.format("Phases")),
        ('"display.fault" ' + text.format(1), '"display.fault" ' + number.format("Faults")),
        ("<DefaultExperiment", f"<TypeDefinitions>{types}</TypeDefinitions>\n  <DefaultExperiment"),
    )
    with opened(bench_file(tmp_path, changed)) as bench:
        bench.clock.sleep(0.05)
        assert (bench.charger.state().phase, bench.charger.state().fault) == ("resting", "")
