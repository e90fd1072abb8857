"""Waves of the circuit, sample by sample: what a digitizer is given, against closed forms."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from plant_circuit import U_DC, at_rest, command, connected, forming, on_mains, running, service

from rig.chademo.events import ContactorMoved
from rig.errors import UseError
from rig.plant.params import EUROPE_230V, JAPAN_50HZ, JAPAN_60HZ, PlantParams
from rig.plant.plant import Plant
from rig.plant.ports import Mains, PcsMoved, StageCommand, StageMode, WavePort
from rig.plant.render import History, Segment

RATE = 50_000.0
"""S/s; standards.md XFR-009 measures at 50 kS/s."""
Wave = npt.NDArray[np.float64]


def record(plant: Plant, port: WavePort, start: float, end: float, rate: float = RATE) -> tuple[Wave, Wave]:
    """s, V"""
    samples = plant.waves(port, start, end - start, rate).astype(np.float64)
    return start + np.arange(samples.size) / rate, samples


def fit(t: Wave, v: Wave, f: float) -> tuple[float, float]:
    """V rms and turns at t = 0 of the sine of f in v, by least squares."""
    columns = np.column_stack([np.sin(2 * math.pi * f * t), np.cos(2 * math.pi * f * t)])
    (a, b), *_ = np.linalg.lstsq(columns, v, rcond=None)
    return math.hypot(a, b) / math.sqrt(2), (math.atan2(b, a) / (2 * math.pi)) % 1.0


@pytest.mark.parametrize("params", [JAPAN_50HZ, JAPAN_60HZ])
def test_mains_are_a_sine_in_antiphase_on_two_legs(params: PlantParams) -> None:
    plant = on_mains(params)
    start = plant.now
    at_rest(plant, 0.2)
    for ports in (("grid_l1", "grid_l2"), ("house_l1", "house_l2")):
        (t, one), (_, two) = (record(plant, port, start, start + 0.2) for port in ports)  # type: ignore[arg-type]
        wanted = math.sqrt(2) * plant.at("grid_l1").u * np.sin(2 * math.pi * params.f_nominal * t)
        assert np.max(np.abs(one - wanted)) < 1e-3 * 141.0
        assert np.array_equal(one, -two)


def test_a_distorted_mains_is_distorted_wherever_it_reaches_and_a_formed_house_is_not() -> None:
    """A third harmonic of 5 %: within the rms that a meter reads, and none of it in the stage's own wave."""
    fed: tuple[tuple[Plant, WavePort, float], ...] = (
        (on_mains(), "grid_l1", 0.05),
        (on_mains(), "house_l2", 0.05),
        (forming(), "house_l1", 0.0),
    )
    for plant, port, third in fed:
        plant.set_mains(Mains(True, (100.0, 100.0), 50.0, third=0.05))
        start = plant.now
        at_rest(plant, 0.2)
        t, v = record(plant, port, start, start + 0.2)
        own, _ = fit(t, v, 50.0)
        other, _ = fit(t, v, 150.0)
        assert other / own == pytest.approx(third, abs=1e-4)
        assert math.sqrt(float(np.mean(v**2))) == pytest.approx(100.0, rel=2e-3)


def test_a_two_wire_service_shows_nothing_on_its_second_leg() -> None:
    plant = on_mains(EUROPE_230V)
    start = plant.now
    at_rest(plant, 0.1)
    _, one = record(plant, "house_l1", start, start + 0.1)
    assert np.max(one) == pytest.approx(math.sqrt(2) * 230.0, rel=1e-3)
    for port in ("house_l2", "grid_l2"):
        assert not np.any(record(plant, port, start, start + 0.1)[1])  # type: ignore[arg-type]


@pytest.mark.parametrize("load", [0.0, 1500.0, 3000.0])
def test_what_the_meter_reads_is_the_rms_of_the_wave(load: float) -> None:
    plant = forming((load, load / 2))
    start = plant.now
    at_rest(plant, 0.2)
    for port in ("house_l1", "house_l2"):
        _, v = record(plant, port, start, start + 0.2)  # type: ignore[arg-type]
        assert math.sqrt(np.mean(v**2)) == pytest.approx(plant.at(port).u, rel=4e-4)  # type: ignore[arg-type]


def transfer(angle: float, gap: float) -> tuple[Plant, float, float]:
    """Mains cut at an angle of its wave (degrees), the house fed again gap s after its contact has opened."""
    plant = running(connected(), -5.0)
    plant.set_house_load(0, 800.0)
    plant.set_house_load(1, 800.0)
    at_rest(plant)
    cycles = math.ceil(plant.now * 50.0) + angle / 360.0
    plant.advance(round(cycles / 50.0 * 1e9) / 1e9)
    cut = plant.now
    plant.set_mains(service(JAPAN_50HZ, on=False))
    plant.command_pcs(False)
    at_rest(plant, gap)
    formed = plant.now
    plant.command_stage(StageCommand(StageMode.FORM, i_discharge_max=30.0, contactor=True))
    return at_rest(plant, 0.3), cut, formed


@pytest.mark.parametrize("angle", range(0, 360, 45))
@pytest.mark.parametrize("gap", [0.005, 0.0137, 0.100, 0.900])
def test_a_gap_begins_and_ends_where_it_was_commanded(angle: float, gap: float) -> None:
    plant, cut, formed = transfer(angle, gap)
    t, v = record(plant, "house_l1", cut - 0.1, formed + 0.2)
    mains = math.sqrt(2) * 99.95 * np.sin(2 * math.pi * 50.0 * t)
    inside = (t >= cut) & (t < formed)
    assert np.max(np.abs(v[t < cut] - mains[t < cut])) < 0.5
    decay = np.exp(-(t - cut) / 0.002)
    assert np.max(np.abs(v[inside] - (mains * decay)[inside])) < 0.5
    ramp = np.clip((t - formed) / 0.004, 0.0, 1.0)
    wave = math.sqrt(2) * 100.0 * ramp * np.sin(2 * math.pi * 50.0 * (t - cut) + math.radians(angle))
    after = t >= formed
    assert np.max(np.abs(v[after] - wave[after])) < 3.0  # droop at 800 W: 0.5 %


def test_a_leg_and_its_antiphase_stay_so_through_a_transfer() -> None:
    plant, cut, formed = transfer(30.0, 0.02)
    _, one = record(plant, "house_l1", cut - 0.05, formed + 0.1)
    _, two = record(plant, "house_l2", cut - 0.05, formed + 0.1)
    assert np.max(np.abs(one + two)) < 1e-4


def test_the_mains_side_is_dead_while_the_house_is_fed() -> None:
    plant, cut, formed = transfer(60.0, 0.05)
    t, v = record(plant, "grid_l1", cut, formed + 0.2)
    assert np.max(np.abs(v[t >= formed])) == 0.0
    assert np.max(np.abs(v[t >= cut + JAPAN_50HZ.pcs_release])) == 0.0  # nothing feeds back once the contact is open


def test_until_the_contact_opens_both_sides_are_one() -> None:
    plant, cut, _ = transfer(90.0, 0.05)
    grid = record(plant, "grid_l1", cut - 0.01, cut + 0.0035)[1]
    house = record(plant, "house_l1", cut - 0.01, cut + 0.0035)[1]
    assert np.array_equal(grid, house)
    assert np.max(np.abs(grid)) > 100.0


def test_the_formed_wave_never_jumps_whatever_the_load_does() -> None:
    plant = forming()
    start = plant.now
    for k in range(20):
        plant.set_house_load(k % 2, 2900.0 if k % 3 else 100.0)
        at_rest(plant, 0.0131)
    t, v = record(plant, "house_l1", start, plant.now)
    steepest = math.sqrt(2) * 100.0 * 2 * math.pi * 50.0 / RATE
    droop = math.sqrt(2) * 100.0 * JAPAN_50HZ.stage.droop
    assert np.max(np.abs(np.diff(v))) <= steepest + droop
    assert fit(t, v, 50.0)[1] == pytest.approx(plant._history.house[-1].turns_at(0.0), abs=1e-3)


def slip(plant: Plant, around: float, f_house: float) -> float:
    """Turns by which the mains wave leads the house's."""
    (t, house), (_, grid) = (record(plant, port, around - 0.01, around + 0.01) for port in ("house_l1", "grid_l1"))
    return (fit(t - around, grid, 50.0)[1] - fit(t - around, house, f_house)[1]) % 1.0


@pytest.mark.parametrize(("shift", "rate"), [(90.0, 0.25), (-60.0, -0.25)])
def test_a_formed_house_drifts_into_step_with_returned_mains_at_its_rate(shift: float, rate: float) -> None:
    plant, turns = forming(), shift / 360.0
    plant.set_mains(replace(service(JAPAN_50HZ), phase=shift))
    start, arrival = plant.now, turns / rate
    at_rest(plant, 2.0)
    for part in (0.1, 0.5, 0.9):
        left = slip(plant, start + part * arrival, 50.0 + rate)
        assert left == pytest.approx(((1 - part) * turns) % 1.0, abs=1e-4)
    (_, house), (_, grid) = (
        record(plant, port, start + arrival + 0.01, start + arrival + 0.5) for port in ("house_l1", "grid_l1")
    )
    assert np.max(np.abs(house - grid)) < 0.1
    assert plant.at("house_l1").f == 50.0


def test_mains_out_of_their_window_are_not_followed() -> None:
    """standards.md PWR-005 [NICH]: 200 V +-15 %, 50/60 Hz +-5 %."""
    for change in ({"f": 47.0}, {"u": (84.0, 100.0)}, {"on": False}):
        plant = forming()
        plant.set_mains(replace(service(JAPAN_50HZ), phase=90.0, **change))  # type: ignore[arg-type]
        at_rest(plant, 3.0)
        assert plant.at("house_l1").f == 50.0
        t, v = record(plant, "house_l1", plant.now - 1.0, plant.now)
        assert fit(t, v, 50.0)[1] == pytest.approx(0.0, abs=1e-4) or change == {"on": False}


def test_mains_of_another_frequency_in_the_window_are_followed() -> None:
    plant = forming()
    plant.set_mains(replace(service(JAPAN_50HZ), f=50.8))
    at_rest(plant, 8.0)
    assert plant.at("house_l1").f == 50.8
    (_, house), (_, grid) = (record(plant, port, plant.now - 0.5, plant.now) for port in ("house_l1", "grid_l1"))
    assert np.max(np.abs(house - grid)) < 0.2


# -- soft start


def rising(formed: float) -> Plant:
    """Forming begins at this time (s); mains off, contact open."""
    plant = connected()
    plant.set_mains(service(JAPAN_50HZ, on=False))
    plant.command_pcs(False)
    plant.advance(formed)
    plant.command_stage(StageCommand(StageMode.FORM, i_discharge_max=30.0, contactor=True))
    return plant


def test_a_load_in_the_middle_of_a_soft_start_does_not_start_it_again() -> None:
    plant, other = rising(10.0), rising(10.0)
    plant.advance(10.002)
    plant.set_house_load(0, 3000.0)
    for one in (plant, other):
        one.advance(10.1)
    loaded, bare = (record(one, "house_l1", 10.0, 10.004)[1] for one in (plant, other))
    assert np.max(np.abs(loaded - bare)) < math.sqrt(2) * 2.0 * 1.01  # the droop of 3 kW is 2 V
    assert record(plant, "house_l1", 10.004, 10.02)[1].max() == pytest.approx(math.sqrt(2) * 98.0, rel=1e-3)


def test_a_contact_that_closes_in_the_middle_of_a_soft_start_shows_the_same_on_both_sides() -> None:
    plant = connected()
    plant.set_mains(service(JAPAN_50HZ, on=False))
    plant.command_pcs(False)
    plant.advance(10.0 - 0.006)
    plant.command_pcs(True)  # closed 8 ms later, in the middle of the ramp
    plant.advance(10.0)
    plant.command_stage(StageCommand(StageMode.FORM, i_discharge_max=30.0, contactor=True))
    plant.advance(10.1)
    grid, house = (record(plant, port, 10.002, 10.1)[1] for port in ("grid_l1", "house_l1"))
    assert np.array_equal(grid, house)
    assert not np.any(record(plant, "grid_l1", 9.98, 10.002)[1])


# -- direct current


def test_the_connector_shows_the_terminals_with_a_ripple_of_twice_the_mains() -> None:
    plant = running(connected(), 15.0)
    start = plant.now
    at_rest(plant, 1.0)
    t, v = record(plant, "dc", start, start + 1.0, 10e3)
    assert np.mean(v) == pytest.approx(U_DC + 1.5, abs=1e-3)
    assert fit(t, v - np.mean(v), 100.0)[0] * math.sqrt(2) == pytest.approx(0.15, rel=1e-3)
    assert np.std(v - np.mean(v)) == pytest.approx(0.15 / math.sqrt(2), rel=1e-2)


def test_a_ramp_of_the_current_is_on_the_wave_as_the_lag_draws_it() -> None:
    plant = connected()
    start = plant.now
    command(plant, i_ref=-15.0)
    at_rest(plant, 2.0)
    t, v = record(plant, "dc", start - 0.1, start + 2.0, 10e3)
    wanted = U_DC - 1.5 * -np.expm1(-np.maximum(t - start, 0.0) / 0.100)
    assert np.max(np.abs(v - wanted)) < 0.151  # the ripple at 15 A, no more


def test_a_step_of_the_house_is_on_the_dc_wave_as_the_link_draws_it() -> None:
    plant = forming()
    start = plant.now
    plant.set_house_load(0, 3000.0)
    at_rest(plant, 0.2)
    t, v = record(plant, "dc", start, start + 0.2)
    before, after = U_DC, plant.at("dc").u
    wanted = after + (before - after) * np.exp(-(t - start) / 0.005)
    ripple, refill = 0.10, 0.14  # V: 10 A of 30, and 500 W for the link that gave the difference
    assert np.max(np.abs(v - wanted)) < ripple + refill


def test_the_current_is_drawn_as_the_lag_and_every_command_bend_it() -> None:
    """To +15 A, and before it is there to -6 A: two exponentials of 100 ms that meet, no ripple."""
    plant = connected()
    start = plant.now
    command(plant, i_ref=15.0)
    at_rest(plant, 0.12)
    turned = plant.now
    command(plant, i_ref=-6.0)
    at_rest(plant, 2.0)
    t, i = record(plant, "dc_i", start - 0.1, start + 2.0, 10e3)
    rise = 15.0 * -np.expm1(-np.maximum(t - start, 0.0) / 0.100)
    top = 15.0 * -math.expm1(-0.12 / 0.100)
    fall = -6.0 + (top + 6.0) * np.exp(-(t - turned) / 0.100)
    assert np.max(np.abs(i - np.where(t < turned, rise, fall))) < 1e-3
    assert i[-1] == pytest.approx(plant.at("dc").i, abs=1e-3)


def test_a_contactor_that_opens_under_load_cuts_the_current_there() -> None:
    """The battery's side goes with d2 while 12 A flow: the wave holds them to the moment of the contact, then none."""
    plant, moved = running(connected(), 12.0), list[float]()
    plant.subscribe(lambda at, change: moved.append(at) if isinstance(change, ContactorMoved) else None)
    start = plant.now
    at_rest(plant, 0.1)
    plant.set_wire("d2", False)
    at_rest(plant, 0.5)
    (opened,) = moved
    t, i = record(plant, "dc_i", start, start + 0.5)
    assert np.max(np.abs(i[t < opened - 1e-6] - 12.0)) < 1e-3
    assert not np.any(i[t > opened + 1e-6])


def test_a_step_of_the_house_is_on_the_current_as_the_link_draws_it() -> None:
    plant = forming()
    start = plant.now
    plant.set_house_load(0, 3000.0)
    before = float(record(plant, "dc_i", start - 0.1, start)[1].mean())
    at_rest(plant, 0.2)
    t, i = record(plant, "dc_i", start, start + 0.2)
    after = plant.at("dc").i
    wanted = after + (before - after) * np.exp(-(t - start) / 0.005)
    refill = 500.0 / (0.95 * plant.at("dc").u)  # A: the link is filled again with 500 W, through the stage
    assert after < -7.0
    assert np.max(np.abs(i - wanted)) < refill


def test_insulation_test_and_bleed_are_on_the_wave() -> None:
    plant = on_mains()
    plant.command_stage(StageCommand(StageMode.VOLTAGE, u_ref=505.0, contactor=True))
    start = plant.now
    at_rest(plant, 3.0)
    plant.command_stage(StageCommand(contactor=True, bleed=True))
    bleed = plant.now
    at_rest(plant, 1.0)
    t, v = record(plant, "dc", start + 0.03, bleed, 1e3)
    assert np.max(np.abs(v - np.minimum(300.0 * (t - start), 505.0))) < 1e-3
    t, v = record(plant, "dc", bleed, bleed + 0.5, 1e3)
    tau = 100e-6 / (1 / 1200 + 1 / 500e3)
    assert np.max(np.abs(v - 505.0 * np.exp(-(t - bleed) / tau))) < 1e-3


# -- the auxiliary contact


def test_the_auxiliary_contact_bounces_and_then_tells_the_truth() -> None:
    plant, moved = on_mains(), list[tuple[float, bool]]()
    plant.subscribe(lambda at, change: moved.append((at, change.closed)) if isinstance(change, PcsMoved) else None)
    start = plant.now
    plant.command_pcs(False)
    at_rest(plant, 0.05)
    plant.command_pcs(True)
    at_rest(plant, 0.05)
    t, v = record(plant, "pcs_aux", start - 0.01, plant.now, 1e6)
    assert set(np.unique(v)) == {0.0, 12.0}
    (opened, _), (closed, _) = moved
    assert np.all(v[t < opened - 1e-6] == 12.0)
    assert np.all(v[(t > opened + 0.001) & (t < closed - 1e-6)] == 0.0)
    assert np.all(v[t > closed + 0.001] == 12.0)
    edges = t[1:][np.diff(v) != 0.0]
    assert edges[0] == pytest.approx(opened, abs=2e-6)
    assert edges[edges > opened + 0.01][0] == pytest.approx(closed, abs=2e-6)
    assert len(edges) == 3 + 5  # project choice of the bounce: rig.plant.pcs


# -- the record


def test_one_window_read_twice_or_in_parts_is_the_same() -> None:
    plant, cut, formed = transfer(45.0, 0.02)
    for port in ("grid_l1", "house_l2", "dc", "dc_i", "pcs_aux"):
        whole = record(plant, port, cut - 0.02, formed + 0.02)[1]  # type: ignore[arg-type]
        at_rest(plant, 5.0)
        plant.set_mains(replace(service(JAPAN_50HZ), f=50.5))
        at_rest(plant, 5.0)
        assert np.array_equal(record(plant, port, cut - 0.02, formed + 0.02)[1], whole)  # type: ignore[arg-type]
        half = whole.size // 2
        part = record(plant, port, cut - 0.02 + half / RATE, formed + 0.02)[1]  # type: ignore[arg-type]
        assert np.max(np.abs(part - whole[half:])) < 1e-3 or port == "pcs_aux"


def test_the_record_holds_its_horizon_and_no_more() -> None:
    plant = Plant(replace(JAPAN_50HZ, horizon=10.0))
    plant.set_mains(service(JAPAN_50HZ))
    plant.command_pcs(True)
    for k in range(2000):
        plant.set_house_load(0, 100.0 * (k % 17))
        at_rest(plant, 0.1)
    history = plant._history
    assert max(len(row) for row in (history.grid, history.house, history.dc, history.aux)) < 150
    t, v = record(plant, "house_l1", plant.now - 10.0, plant.now, 1e3)
    assert fit(t, v, 50.0)[0] == pytest.approx(99.96, abs=0.05)
    with pytest.raises(UseError, match="history holds 10 s"):
        plant.waves("house_l1", plant.now - 10.1, 1.0, RATE)


@pytest.mark.parametrize(
    ("start", "seconds", "rate", "words"),
    [
        (-0.1, 0.05, RATE, "before the bench was opened"),
        (0.5, 0.6, RATE, "advance the plant first"),
        (0.5, -0.1, RATE, "seconds 0 or more"),
        (0.5, 0.1, 0.0, "rate above 0"),
        (math.nan, 0.1, RATE, "finite"),
        (0.5, math.inf, RATE, "finite"),
        (0.5, 0.1, math.inf, "finite"),
    ],
)
def test_a_window_that_was_not_recorded_is_refused(start: float, seconds: float, rate: float, words: str) -> None:
    plant = Plant()
    plant.advance(1.0)
    with pytest.raises(UseError, match=words):
        plant.waves("house_l1", start, seconds, rate)


def test_a_window_may_be_empty_and_may_end_now() -> None:
    plant = Plant()
    plant.advance(1.0)
    assert plant.waves("house_l1", 0.5, 0.0, RATE).size == 0
    assert plant.waves("dc", 0.5, 0.5, RATE).shape == (25_000,)
    assert plant.waves("pcs_aux", 0.5, 0.5, RATE).dtype == np.float32


def test_a_segment_far_in_time_keeps_its_phase() -> None:
    """After a week of bench time a sample is still where the closed form says, to a hundredth of a degree."""
    week, history = 7 * 86400.0, History(0.0, 50.0, 1.0)
    history.add_grid(Segment(week, (100.0, 100.0), 50.0, 0.25))
    v = history.ac(history.grid, 0, week + 0.5, 1000, RATE)
    k = np.arange(1000) / RATE
    assert np.max(np.abs(v - math.sqrt(2) * 100.0 * np.cos(2 * math.pi * 50.0 * k))) < 0.02
