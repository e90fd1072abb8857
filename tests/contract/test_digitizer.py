"""Every digitizer keeps the promises of its role. Through the in-process VISA library, on an emulated world."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import pyvisa
from pydantic import ValidationError

from instruments.keysight_dsox import commands as keysight_dsox
from instruments.keysight_dsox import driver as keysight_dsox_driver
from instruments.keysight_dsox import emulator as keysight_dsox_emulator
from instruments.tektronix_mso5 import commands as tektronix_mso5
from instruments.tektronix_mso5 import driver as tektronix_mso5_driver
from instruments.tektronix_mso5 import emulator as tektronix_mso5_emulator
from rig.clock import VirtualClock
from rig.errors import BenchFault, InstrumentError, LostInstrument, UseError
from rig.metrology.wave import wave
from rig.plant.plant import Plant
from rig.plant.ports import DcSupply, Mains, StageCommand, StageMode, WavePort
from rig.plant.world import World
from rig.roles import Digitizer, Waveforms
from rig.visa.faults import Fault, FaultyDevice
from rig.visa.library import EmulatedVisaLibrary
from rig.visa.session import open_session

NAME = "EMU::digitizer::INSTR"
VOLTS, HERTZ = 100.0, 50.0


@dataclass(frozen=True)
class Model:
    """A digitizer and how it is spoken to. options: of a channel for each of LEGS and pcs_aux. small: legs l1 and l2 in
    these ranges. beside: a port that is not wired. range_of: full range of a leg, V. zero: limit of a channel's zero, a
    share of that. denser: by how much its rates may pass what is asked. memory: points of two and more channels.
    describes, sends, ends: questions of a fetch. asked: questions of a start and a fetch. told: settings. stop: what
    somebody at the panel does. data: the reply that holds the points."""

    open: Callable[..., Any]
    build: Callable[..., Any]
    options: Any
    small: Callable[[float, float], Any]
    beside: WavePort
    range_of: float
    zero: float
    denser: float
    memory: int
    describes: str
    sends: str
    ends: str
    asked: tuple[str, ...]
    told: tuple[str, ...]
    stop: str


def _keysight(**options: Any) -> Model:
    return Model(
        open=keysight_dsox_driver.open_driver,
        build=keysight_dsox_emulator.build,
        options=keysight_dsox.Options(**options),
        small=lambda one, two: keysight_dsox.Options.model_validate(
            {"channels": {1: {"port": "house_l1", "range": one}, 2: {"port": "house_l2", "range": two}}}
        ),
        beside="dc",
        range_of=400.0,
        zero=0.0126,  # a tenth of one of eight divisions
        denser=1.5,
        memory=2_000_000,
        describes="WAV:PRE?",
        sends="WAV:DATA?",
        ends="OPER:COND?",
        asked=("AER?", "TER?", "TIM:RANG?", "CHAN1:RANG?", "WAV:PRE?", "WAV:DATA?"),
        told=("SING", "CHAN1:RANG 400", "TIM:POS 0", "TIM:REF", "WAV:FORM", "ACQ:TYPE", "TRIG:SWE"),
        stop=":STOP",
    )


def _tektronix() -> Model:
    channels: dict[int, object] = dict(enumerate(("house_l1", "house_l2", "grid_l1", "pcs_aux", "dc_i"), 1))
    return Model(
        open=tektronix_mso5_driver.open_driver,
        build=tektronix_mso5_emulator.build,
        options=tektronix_mso5.Options.model_validate({"channels": channels}),
        small=lambda one, two: tektronix_mso5.Options.model_validate(
            {"channels": {1: {"port": "house_l1", "range": one}, 2: {"port": "house_l2", "range": two}}}
        ),
        beside="dc",
        range_of=400.0,
        zero=0.0201,  # a fifth of one of ten divisions
        denser=2.6,
        memory=62_500_000,
        describes="WFMO:NR_P?",
        sends="CURV?",
        ends="ACQ:STATE?",
        asked=("*ESR?", "EVM?", "TRIG FORC", "TRIG:STATE?", "HOR:SAMPLER?", "CH1:SCA?", "CH1:PRO:UNI?", "CURV?"),
        told=("*CLS", "ACQ:STATE ON", "CH1:SCA 40", "HOR:POS 0", "HOR:SAMPLER 2", "HOR:RECO", "DAT:ENC", "TRIG:A:MOD"),
        stop="ACQuire:STATE STOP",
    )


DRIVERS = {
    "keysight_dsox": _keysight(),
    "keysight_dsox, 8 bit": _keysight(high_resolution=False),
    "tektronix_mso5": _tektronix(),
}
LEGS: tuple[WavePort, ...] = ("house_l1", "house_l2", "grid_l1")


@dataclass
class Desk:
    model: Model
    clock: VirtualClock
    world: World
    line: FaultyDevice
    digitizer: Digitizer

    def record(self, channels: Any = LEGS, seconds: float = 0.2, rate: float = 20e3) -> Waveforms:
        self.digitizer.start(channels, seconds, rate)
        return self.digitizer.fetch()


def sit_down(driver: str, seed: int = 1, options: Any = None) -> tuple[Desk, pyvisa.ResourceManager]:
    model = DRIVERS[driver]
    clock = VirtualClock()
    world = World(clock, Plant(), seed, None)
    line = FaultyDevice(model.build(world, options or model.options))
    manager = pyvisa.ResourceManager(EmulatedVisaLibrary({NAME: line}, clock))
    digitizer = model.open(open_session(NAME, manager), options or model.options, clock)
    world.plant.set_mains(Mains(True, (VOLTS, VOLTS), HERTZ))
    world.plant.command_pcs(True)
    clock.sleep(1.0)
    return Desk(model, clock, world, line, digitizer), manager


@pytest.fixture(params=DRIVERS)
def desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    desk, manager = sit_down(request.param)
    yield desk
    manager.close()


@dataclass(frozen=True)
class Fit:
    """v = amplitude * sin(2 pi f t + phase) + offset, by least squares; rest: V rms about it."""

    amplitude: float
    phase: float
    offset: float
    rest: float


def fit(w: Waveforms, channel: WavePort, hertz: float = HERTZ) -> Fit:
    """A sine of known frequency through a channel, time 0 at bench time 0 (least squares, nothing of the rig)."""
    v = np.asarray(w[channel], dtype=np.float64)
    t = w.start + np.arange(len(v)) / w.rate
    columns = np.stack([np.sin(2 * np.pi * hertz * t), np.cos(2 * np.pi * hertz * t), np.ones_like(t)], axis=1)
    (a, b, c), *_ = np.linalg.lstsq(columns, v, rcond=None)
    rest = v - columns @ np.array([a, b, c])
    return Fit(math.hypot(a, b), math.atan2(b, a), float(c), float(np.sqrt(np.mean(rest**2))))


# -- numbers


def test_a_record_is_the_sine_it_was_made_from(desk: Desk) -> None:
    w = desk.record()
    peak = math.sqrt(2.0) * VOLTS
    for channel in LEGS:
        found = fit(w, channel)
        assert found.amplitude == pytest.approx(peak, abs=2.0 * w.gain_u * peak)
        assert abs(found.offset) <= desk.model.zero * desk.model.range_of
        step = w.resolution[w.channels.index(channel)]
        assert step / math.sqrt(12.0) * 0.5 < found.rest < 0.002 * 400.0 + step
    # the mains source's phase runs from bench time 0 on, from 0 degrees
    assert fit(w, "grid_l1").phase == pytest.approx(0.0, abs=2 * math.pi * HERTZ * 0.002)
    turned = fit(w, "house_l2").phase - fit(w, "house_l1").phase
    assert abs(turned) == pytest.approx(math.pi, abs=1e-3)


def test_the_shape_of_a_record(desk: Desk) -> None:
    w = desk.record(("grid_l1", "pcs_aux"), 0.5, 20e3)
    assert w.channels == ("grid_l1", "pcs_aux")
    assert w.samples.dtype == np.float32
    assert w.samples.shape[0] == 2
    assert w.samples.flags.c_contiguous
    assert w.rate >= 20e3
    assert w.samples.shape[1] / w.rate == pytest.approx(0.5, abs=2.0 / w.rate)
    assert len(w.resolution) == len(w.clipped) == 2
    assert not any(w.clipped)
    assert w["pcs_aux"].mean() == pytest.approx(12.0, abs=1.2)
    assert NAME in w.source
    assert w.units == ("V", "V")
    with pytest.raises(ValueError):
        w[desk.model.beside]


@pytest.mark.parametrize(("seconds", "rate"), [(0.05, 50e3), (1.0, 20e3), (3.0, 20e3), (12.0, 20e3), (0.01, 1e6)])
def test_it_may_be_denser_but_never_thinner(desk: Desk, seconds: float, rate: float) -> None:
    w = desk.record(("house_l1", "house_l2", "grid_l1", "pcs_aux"), seconds, rate)
    assert rate <= w.rate < desk.model.denser * rate
    assert w.samples.shape[1] >= seconds * rate
    assert fit(w, "house_l1").amplitude == pytest.approx(141.4, rel=0.03)


def test_all_channels_stand_on_one_time_base(desk: Desk) -> None:
    w = desk.record(LEGS, 2.0, 20e3)
    assert fit(w, "house_l1").phase == pytest.approx(fit(w, "grid_l1").phase, abs=1e-4)
    assert w.time_u < 1e-3


def test_short_records_are_finer_where_the_bench_wants_it() -> None:
    fine, manager = sit_down("keysight_dsox")
    short, long = fine.record(LEGS, 0.5), fine.record(LEGS, 3.0)
    assert short.resolution[0] == pytest.approx(400.0 / 4096, rel=1e-6)
    assert long.resolution[0] == pytest.approx(400.0 / 256, rel=1e-6)
    assert fit(short, "house_l1").rest < 0.5 * fit(long, "house_l1").rest
    manager.close()
    coarse, manager = sit_down("keysight_dsox, 8 bit")
    assert coarse.record(LEGS, 0.5).resolution[0] == pytest.approx(400.0 / 256, rel=1e-6)
    manager.close()


@pytest.mark.parametrize("driver", ["keysight_dsox", "tektronix_mso5"])
def test_the_budget_covers_the_errors_of_many_specimens(driver: str) -> None:
    gains, clocks = [], []
    for seed in range(60):
        desk, manager = sit_down(driver, seed)
        w = desk.record(LEGS, 0.4)
        peaks = [fit(w, channel).amplitude for channel in LEGS]
        gains += [abs(peak / (math.sqrt(2.0) * VOLTS) - 1.0) / (2.0 * w.gain_u) for peak in peaks]
        middle = w.samples.shape[1] // 2
        halves = [_part(w, 0, middle), _part(w, middle, w.samples.shape[1])]
        drift = fit(halves[1], "house_l1").phase - fit(halves[0], "house_l1").phase
        clocks.append(abs(drift) / (2.0 * math.pi * HERTZ) / (2.0 * w.time_u * math.sqrt(2.0)))
        manager.close()
    assert sum(g <= 1.0 for g in gains) / len(gains) > 0.95
    assert 0.5 < max(gains) < 1.2
    assert sum(c <= 1.0 for c in clocks) / len(clocks) > 0.95
    assert max(clocks) > 0.05


def _part(w: Waveforms, first: int, end: int) -> Waveforms:
    return Waveforms(
        w.channels,
        w.samples[:, first:end],
        w.start + first / w.rate,
        w.rate,
        w.resolution,
        w.gain_u,
        w.time_u,
        w.clipped,
        w.source,
        w.offset_u,
        w.start_u,
    )


def test_a_voltage_beyond_the_rail_is_flagged_and_not_measured(desk: Desk) -> None:
    driver = next(name for name, model in DRIVERS.items() if model is desk.model)
    small, manager = sit_down(driver, options=desk.model.small(250.0, 300.0))
    w = small.record(("house_l1", "house_l2"))
    assert w.clipped == (True, False)  # 141 V of 125 V and of 150 V
    assert w["house_l1"].max() == pytest.approx(125.0, rel=0.03)
    with pytest.raises(BenchFault, match="clipped"):
        wave(w, "house_l1").volts()
    wave(w, "house_l2").volts()
    manager.close()


# -- time


def test_it_records_from_the_call_on(desk: Desk) -> None:
    """What happens after start() is in the record, where the clock says it was."""
    desk.clock.sleep(0.0137)
    desk.digitizer.start(("grid_l1", "house_l1", "pcs_aux"), 1.0, 20e3)
    began = desk.clock.now()
    desk.clock.at(began + 0.3, lambda: desk.world.plant.set_mains(Mains(False)))
    desk.clock.at(began + 0.5, lambda: desk.world.plant.command_pcs(False))
    w = desk.digitizer.fetch()
    assert w.start <= began
    assert w.start == pytest.approx(began, abs=0.02)
    assert desk.clock.now() >= w.start + 1.0
    open_, cut = _last_above(w, "pcs_aux", 6.0), _last_above(w, "grid_l1", 20.0)
    assert cut == pytest.approx(began + 0.3, abs=0.006 + 0.002)
    assert open_ == pytest.approx(began + 0.5 + 0.004, abs=0.002)  # the contact takes 4 ms


def _last_above(w: Waveforms, channel: WavePort, volts: float) -> float:
    """s, bench time of the last sample above a voltage."""
    indices: npt.NDArray[np.intp] = np.flatnonzero(np.abs(w[channel]) > volts)
    return w.start + float(indices[-1]) / w.rate


def test_fetch_waits_for_the_end_and_start_does_not(desk: Desk) -> None:
    desk.record()
    before = desk.clock.now()
    desk.digitizer.start(LEGS, 5.0, 20e3)
    assert desk.clock.now() - before < 0.1
    desk.digitizer.fetch()
    assert 5.0 <= desk.clock.now() - before < 5.5


def test_a_record_waits_for_whoever_comes_late(desk: Desk) -> None:
    desk.digitizer.start(LEGS, 2.0, 20e3)
    began = desk.clock.now()
    desk.clock.sleep(1.0)
    desk.world.plant.set_mains(Mains(True, (80.0, 80.0), HERTZ))
    desk.clock.sleep(300.0)
    w = desk.digitizer.fetch()
    assert w.start == pytest.approx(began, abs=0.01)
    half = w.samples.shape[1] // 2
    assert fit(_part(w, 0, half - 500), "house_l1").amplitude == pytest.approx(141.4, rel=0.03)
    assert fit(_part(w, half + 500, 2 * half), "house_l1").amplitude == pytest.approx(113.1, rel=0.03)
    again = desk.digitizer.fetch()
    assert np.array_equal(again.samples, w.samples)


def test_a_new_start_forgets_the_record_before(desk: Desk) -> None:
    desk.digitizer.start(LEGS, 10.0, 20e3)
    desk.clock.sleep(3.0)
    desk.digitizer.start(("house_l1",), 0.1, 50e3)
    began = desk.clock.now()
    w = desk.digitizer.fetch()
    assert w.channels == ("house_l1",)
    assert w.start == pytest.approx(began, abs=0.02)
    assert desk.clock.now() < began + 0.5


@pytest.mark.parametrize("driver", DRIVERS)
def test_the_same_seed_gives_the_same_samples(driver: str) -> None:
    shots = []
    for seed in (7, 7, 8):
        desk, manager = sit_down(driver, seed)
        shots.append(desk.record().samples)
        manager.close()
    assert np.array_equal(shots[0], shots[1])
    assert not np.array_equal(shots[0], shots[2])


# -- what is refused, and what breaks


@pytest.mark.parametrize(
    ("channels", "seconds", "rate"),
    [
        ((), 1.0, 20e3),
        (("house_l1", "house_l1"), 1.0, 20e3),
        (("dc",), 1.0, 20e3),
        (LEGS, 0.0, 20e3),
        (LEGS, -1.0, 20e3),
        (LEGS, math.nan, 20e3),
        (LEGS, 501.0, 1e3),
        (LEGS, 1.0, 0.0),
        (LEGS, 1.0, math.inf),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_sent(
    desk: Desk, channels: Any, seconds: float, rate: float
) -> None:
    with pytest.raises(UseError, match=NAME):
        desk.digitizer.start(channels, seconds, rate)
    assert desk.line.lines == []


def test_a_record_its_memory_cannot_hold(desk: Desk) -> None:
    with pytest.raises(InstrumentError, match=f"its memory holds {desk.model.memory}"):
        desk.digitizer.start(LEGS, 12.0, desk.model.memory / 10.0)
    assert desk.line.lines == []


def test_fetching_what_was_never_started(desk: Desk) -> None:
    with pytest.raises(UseError, match=r"call start\(\) first"):
        desk.digitizer.fetch()


@pytest.mark.parametrize("fault", [Fault.GARBAGE, Fault.NONSENSE, Fault.EMPTY, Fault.HALF, Fault.NAN])
@pytest.mark.parametrize("question", ["describes", "sends", "ends"])
def test_a_broken_reply_is_never_a_record(desk: Desk, fault: Fault, question: str) -> None:
    desk.digitizer.start(LEGS, 0.2, 20e3)
    desk.line.order(fault, when=getattr(desk.model, question))
    with pytest.raises(InstrumentError, match=NAME):
        desk.digitizer.fetch()
    assert fit(desk.digitizer.fetch(), "house_l1").amplitude == pytest.approx(141.4, rel=0.03)


ASKED = [(name, when) for name, model in DRIVERS.items() for when in model.asked]
TOLD = [(name, when) for name, model in DRIVERS.items() for when in model.told]


@pytest.mark.parametrize("fault", [Fault.SILENCE, Fault.MUTE, Fault.LATE])
@pytest.mark.parametrize(("driver", "when"), ASKED)
def test_silence_is_a_lost_instrument_and_the_next_record_is_whole(driver: str, fault: Fault, when: str) -> None:
    desk, manager = sit_down(driver)
    desk.line.order(fault, when=when)
    with pytest.raises(LostInstrument, match=f"{NAME}.*no answer"):
        desk.record()
    assert fit(desk.record(), "house_l1").amplitude == pytest.approx(141.4, rel=0.03)
    manager.close()


@pytest.mark.parametrize(("driver", "when"), TOLD)
def test_a_setting_that_got_lost_never_makes_a_wrong_record(driver: str, when: str) -> None:
    desk, manager = sit_down(driver)
    desk.line.order(Fault.SILENCE, when=when)
    with suppress(InstrumentError):
        desk.record()
    assert len([line for line in desk.line.lines if when in line]) >= 1
    began = desk.clock.now()
    w = desk.record()
    assert fit(w, "house_l1").amplitude == pytest.approx(141.4, rel=0.03)
    assert w.start >= began
    manager.close()


def test_a_gone_instrument(desk: Desk) -> None:
    desk.digitizer.start(LEGS, 0.2, 20e3)
    desk.line.order(Fault.UNPLUGGED)
    for _ in range(2):
        with pytest.raises(LostInstrument, match=NAME):
            desk.digitizer.fetch()
    with pytest.raises(LostInstrument, match=NAME):
        desk.digitizer.start(LEGS, 0.2, 20e3)
    desk.digitizer.close()


def test_someone_who_stops_it_is_noticed(desk: Desk) -> None:
    desk.digitizer.start(LEGS, 5.0, 20e3)
    desk.line.process(desk.model.stop)
    with pytest.raises(InstrumentError, match=NAME):
        desk.digitizer.fetch()
    assert fit(desk.record(), "house_l1").amplitude == pytest.approx(141.4, rel=0.03)


@pytest.mark.parametrize("driver", DRIVERS)
def test_longer_than_the_circuit_is_remembered_is_said(driver: str) -> None:
    desk, manager = sit_down(driver)
    desk.digitizer.start(("house_l1",), 100.0, 1e3)
    with pytest.raises(InstrumentError, match=NAME):
        desk.digitizer.fetch()
    manager.close()


# -- the Keysight's own manners


def test_alone_a_channel_has_the_whole_memory(keysight: Desk) -> None:
    assert keysight.record(("house_l1",), 12.0, 200e3).rate >= 200e3


def test_a_hole_in_the_record_is_no_voltage(keysight: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = keysight.line.device.process

    def with_a_hole(line: str) -> bytes | None:
        reply = whole(line)
        return reply[:10] + b"\0\0" + reply[12:] if reply and "DATA?" in line else reply

    monkeypatch.setattr(keysight.line.device, "process", with_a_hole)
    with pytest.raises(InstrumentError, match="1 holes"):
        keysight.record()


@pytest.fixture
def keysight() -> Iterator[Desk]:
    desk, manager = sit_down("keysight_dsox")
    desk.record(("house_l1", "house_l2"), 0.1, 20e3)
    yield desk
    manager.close()


def said(desk: Desk, line: str) -> str:
    return (desk.line.process(line) or b"").decode("latin-1").strip()


def test_bytes_words_and_signs_say_the_same(keysight: Desk) -> None:
    keysight.line.process(":WAV:SOUR CHAN1;FORM WORD;BYT LSBF;UNS 1")
    words = _block(keysight, "<u2")
    keysight.line.process(":WAV:BYT MSBF")
    assert np.array_equal(_block(keysight, ">u2"), words)
    keysight.line.process(":WAV:UNS 0")
    assert np.array_equal(_block(keysight, ">i2").astype(int) + 32768, words)
    keysight.line.process(":WAV:UNS 1;FORM BYTE")
    assert np.array_equal(_block(keysight, "u1"), words >> 8)
    fields = said(keysight, ":WAVEFORM:PREAMBLE?").split(",")
    assert len(fields) == 10
    points, dx = int(fields[2]), float(fields[4])
    assert points == len(words)
    assert points * dx == pytest.approx(0.1, abs=2 * dx)
    volts = (_block(keysight, "u1").astype(float) - float(fields[9])) * float(fields[7]) + float(fields[8])
    assert np.sqrt(np.mean(volts**2)) == pytest.approx(VOLTS, rel=0.03)


def _block(desk: Desk, kind: str) -> npt.NDArray[Any]:
    raw = desk.line.process(":WAV:DATA?") or b""
    assert raw[:2] == b"#8"
    count = int(raw[2:10])
    assert raw[10 + count :] == b"\n"
    return np.frombuffer(raw[10 : 10 + count], dtype=kind)


def test_a_single_waits_for_its_trigger_and_registers_clear_when_read(keysight: Desk) -> None:
    for line in (":TIM:RANG 0.1", ":SINGLE"):
        keysight.line.process(line)
    keysight.clock.sleep(3.0)
    assert said(keysight, ":OPER:COND?") == "40"  # running, waiting for a trigger
    assert said(keysight, ":AER?;:AER?;:TER?") == "1;0;0"
    assert said(keysight, ":WAV:DATA?;:SYST:ERR?") == ""
    assert said(keysight, ":SYST:ERR?") == '-230,"Data corrupt or stale"'
    keysight.line.process(":TRIGGER:FORCE")
    assert said(keysight, ":TER?;:TER?") == "1;0"
    assert said(keysight, ":OPER:COND?") == "8"
    keysight.clock.sleep(0.12)
    assert said(keysight, ":OPER:COND?") == "0"


def test_a_trigger_waits_until_what_lies_before_it_is_full(keysight: Desk) -> None:
    begun = keysight.clock.now()
    for line in (":TIM:RANG 2;REF CENT", ":SINGLE", ":TRIG:FORC"):
        keysight.line.process(line)
    assert said(keysight, ":OPER:COND?;:AER?;:TER?") == "8;0;0"
    keysight.clock.wait_until(lambda: said(keysight, ":TER?") == "1", 5.0)
    assert keysight.clock.now() - begun == pytest.approx(1.0, abs=0.05)
    assert said(keysight, ":AER?;:AER?") == "1;0"
    keysight.clock.sleep(1.1)
    assert said(keysight, ":OPER:COND?") == "0"
    assert _block(keysight, "u1").any()


def test_a_record_of_a_bench_just_opened_is_of_that_bench(keysight: Desk) -> None:
    """Nothing before its opening is asked of the plant, though the trigger stands in the middle."""
    for line in (":TIM:RANG 40;REF CENT", ":CHAN1:DISP ON", ":SINGLE", ":TRIG:FORC"):
        keysight.line.process(line)
    keysight.clock.sleep(41.0)
    assert _block(keysight, "u1").any()
    assert said(keysight, ":OPER:COND?;:SYST:ERR?").startswith("0;0,")


@pytest.mark.parametrize("reference", ["LEFT", "CENT", "RIGHT"])
def test_the_reference_says_where_the_trigger_stands(keysight: Desk, reference: str) -> None:
    for line in (":TIM:RANG 0.2;POS 0.01", f":TIM:REF {reference}", ":SINGLE", ":TRIG:FORC"):
        keysight.line.process(line)
    keysight.clock.sleep(0.5)
    origin = float(said(keysight, ":WAV:SOUR CHAN1;PRE?").split(",")[5])
    assert origin == pytest.approx(0.01 - {"LEFT": 0.02, "CENT": 0.1, "RIGHT": 0.18}[reference])


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (":CHANEL1:RANGE 1", '-113,"Undefined header"'),
        (":CHANNEL5:DISPLAY ON", '-114,"Header suffix out of range"'),
        (":CHANNEL1:RANGE 5000", '-222,"Data out of range"'),
        (":TIMEBASE:RANGE 600", '-222,"Data out of range"'),
        (":TIMEBASE:RANGE", '-109,"Missing parameter"'),
        (":TIMEBASE:RANGE 1 V", '-131,"Invalid suffix"'),
        (":WAVEFORM:FORMAT REAL", '-224,"Illegal parameter value"'),
        (":WAVEFORM:POINTS 99", '-222,"Data out of range"'),
    ],
)
def test_its_error_numbers(keysight: Desk, line: str, error: str) -> None:
    keysight.line.process(line)
    assert said(keysight, ":SYSTEM:ERROR?") == error
    assert said(keysight, ":SYSTEM:ERROR?") == '0,"No error"'


def test_the_probe_scales_the_range_at_its_tip(keysight: Desk) -> None:
    keysight.line.process(":CHANNEL2:PROBE 10")
    assert float(said(keysight, ":CHANNEL2:RANGE?")) == pytest.approx(40.0)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"channels": {5: "dc"}}, "channels 1..4"),
        ({"channels": {1: "dc", 2: "dc"}}, "wired twice"),
        ({"channels": {1: {"port": "dc", "probe": 1.0}}}, "outside 0.008..40 V"),
        ({"channels": {1: "evps_l1"}}, "house_l1"),
        ({"channels": {1: "dc_i"}}, "current probe"),
        ({"channels": {}}, "at least 1"),
    ],
)
def test_a_wrong_bench_file_is_told(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        keysight_dsox.Options.model_validate(options)


# -- the Tektronix's own manners


@pytest.fixture
def tektronix() -> Iterator[Desk]:
    desk, manager = sit_down("tektronix_mso5")
    desk.record(("house_l1", "house_l2"), 0.1, 20e3)
    yield desk
    manager.close()


def test_a_direct_current_is_recorded_in_amperes_and_its_budget_covers_it() -> None:
    """12 A into the vehicle, by many specimens of channel and probe, within what offset_u and gain_u allow."""
    off = []
    for seed in range(60):
        desk, manager = sit_down("tektronix_mso5", seed, tektronix_mso5.Options())
        flowing(desk.world.plant, 12.0)
        desk.clock.sleep(2.0)
        w = desk.record(("dc", "dc_i"), 0.1, 10e3)
        assert w.units == ("V", "A")
        u = math.hypot(w.gain_u * 12.0, w.offset_u[1])
        off.append(abs(float(w["dc_i"].mean()) - 12.0) / (2.0 * u))
        manager.close()
    assert sum(one <= 1.0 for one in off) / len(off) > 0.95
    assert max(off) > 0.4


def flowing(plant: Plant, amperes: float) -> None:
    """The battery's place on a stage that charges it."""
    plant.set_dc_supply(DcSupply(on=True, u_set=377.0, resistance=0.1, i_source_max=60.0, i_sink_max=60.0))
    plant.set_wire("d1", True)
    plant.set_wire("d2", True)
    plant.command_ev_contactor(True)
    plant.command_stage(StageCommand(StageMode.VOLTAGE, u_ref=377.0))
    plant.advance(plant.now + 2.0)
    plant.command_stage(StageCommand(StageMode.CURRENT, i_ref=amperes, contactor=True))


def test_its_encodings_say_the_same(tektronix: Desk) -> None:
    def codes(encoding: str, width: int, kind: str) -> npt.NDArray[Any]:
        tektronix.line.process(f"DATA:ENCDG {encoding};WIDTH {width}")
        raw = tektronix.line.process("CURVE?") or b""
        digits = int(raw[1:2])
        count = int(raw[2 : 2 + digits])
        assert raw[2 + digits + count :] == b"\n"
        return np.frombuffer(raw[2 + digits : 2 + digits + count], dtype=kind).astype(int)

    words = codes("SRIBINARY", 2, "<i2")
    assert np.array_equal(codes("RIBINARY", 2, ">i2"), words)
    assert np.array_equal(codes("SRPBINARY", 2, "<u2") - 32768, words)
    assert np.array_equal(codes("RIBINARY", 1, "i1"), words >> 8)
    scale = float(said(tektronix, "WFMOUTPRE:YMULT?"))
    assert np.sqrt(np.mean((codes("RIBINARY", 1, "i1") * scale) ** 2)) == pytest.approx(VOLTS, rel=0.05)


def test_an_event_is_readable_once_its_register_was_read(tektronix: Desk) -> None:
    tektronix.line.process("CH1:SCALLE 3")
    assert said(tektronix, "EVMSG?") == '1,"No events to report - new events pending *ESR?"'
    assert said(tektronix, "*ESR?") == "32"
    assert said(tektronix, "EVMSG?") == '113,"Undefined header"'
    assert said(tektronix, "EVMSG?") == '0,"No events to report - queue empty"'


def test_it_waits_for_its_trigger_and_then_stops(tektronix: Desk) -> None:
    for line in ("HOR:RECO 10000;SAMPLER 100E3", "ACQUIRE:STATE RUN"):
        tektronix.line.process(line)
    tektronix.clock.sleep(3.0)
    assert said(tektronix, "TRIGGER:STATE?;:ACQUIRE:STATE?") == "READY;1"
    assert said(tektronix, "CURVE?") == ""
    assert said(tektronix, "*ESR?;EVMSG?") == '8;2244,"Source waveform is not active"'
    tektronix.line.process("TRIGGER FORCE")
    assert said(tektronix, "TRIGGER:STATE?") == "TRIGGER"
    tektronix.clock.sleep(0.2)
    assert said(tektronix, "TRIGGER:STATE?;:ACQUIRE:STATE?") == "SAVE;0"
    assert said(tektronix, "HEADER ON;:WFMOUTPRE:NR_PT?") == ":WFMOUTPRE:NR_PT 10000"


def test_the_wrong_probe_is_refused_before_anything_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    desk, manager = sit_down("tektronix_mso5", options=tektronix_mso5.Options())
    answers = desk.line.device.process

    def with_a_voltage_probe(line: str) -> bytes | None:
        return b'"V"\n' if line == "CH2:PRO:UNI?" else answers(line)

    monkeypatch.setattr(desk.line.device, "process", with_a_voltage_probe)
    with pytest.raises(InstrumentError, match="dc_i: its probe reads V; plug in one that reads A"):
        desk.record(("dc_i",))
    manager.close()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"channels": {9: "dc"}}, "channels 1..8"),
        ({"channels": {1: "dc", 2: "dc"}}, "wired twice"),
        ({"channels": {1: {"port": "dc_i", "range": 600.0}}}, "outside 1..500 A"),
        ({"channels": {1: {"port": "dc", "range": 5.0}}}, "outside 15..3000 V"),
        ({"channels": {1: "evps_l1"}}, "house_l1"),
        (
            {"channels": dict(enumerate(("house_l1", "house_l2", "grid_l1", "grid_l2", "dc", "dc_i", "pcs_aux"), 1))},
            "",
        ),
    ],
)
def test_a_wrong_bench_file_of_the_tektronix_is_told(options: dict[str, Any], words: str) -> None:
    if not words:
        assert tektronix_mso5.Options.model_validate(options).free == 8
        return
    with pytest.raises(ValidationError, match=words):
        tektronix_mso5.Options.model_validate(options)
