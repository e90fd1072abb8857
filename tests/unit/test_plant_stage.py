"""The EVPS's power stage in its circuit: lag, limits, losses, hold-up, forming, reversal."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from plant_circuit import PACK, U_DC, at_rest, command, connected, forming, on_mains, running, service

from rig.chademo.events import ContactorMoved, WireChanged
from rig.errors import UseError
from rig.plant.params import EUROPE_230V, JAPAN_50HZ, PlantParams
from rig.plant.plant import Plant
from rig.plant.ports import DcSupply, StageCommand, StageMode
from rig.plant.stage_params import StageParams, dc_current

EFFICIENCY = 0.90
"""chademo.md 4 [NICH], both ways."""
STANDBY = 55.0
"""W; standards.md EFF-004 [CONS]."""


def plant_power(plant: Plant) -> float:
    """W out of the EVPS into the house bus."""
    return plant.at("evps_l1").p + plant.at("evps_l2").p


@pytest.mark.parametrize("current", [15.0, -15.0, 3.0])
def test_the_current_follows_with_a_lag_of_100_ms(current: float) -> None:
    """chademo.md 2 [LOG B]."""
    plant = connected()
    start = plant.now
    command(plant, i_ref=current)
    for k in range(1, 60):
        plant.advance(start + k * 0.01)
        left = math.exp(-k * 0.01 / 0.100)
        assert plant.stage().i_out == pytest.approx(current * (1 - left), abs=2e-4)
    plant.advance(start + 3.0)
    assert plant.stage().i_out == current


def test_a_reference_that_changes_on_the_way_is_followed_from_where_the_current_is() -> None:
    plant = connected()
    command(plant, i_ref=20.0)
    at_rest(plant, 0.05)
    here = plant.stage().i_out
    command(plant, i_ref=-10.0)
    assert plant.stage().i_out == here
    at_rest(plant, 0.1)
    assert plant.stage().i_out == pytest.approx(-10.0 + (here + 10.0) * math.exp(-1.0), abs=1e-9)


@pytest.mark.parametrize(
    ("supply", "asked", "given"),
    [
        (replace(PACK, u_set=200.0), 40.0, 30.0),  # chademo.md 4 [NICH]: 30 A
        (replace(PACK, u_set=200.0), -40.0, -30.0),
        (replace(PACK, i_sink_max=10.0), 15.0, 10.0),
        (replace(PACK, i_source_max=10.0), -15.0, -10.0),
        (replace(PACK, u_set=449.0), 15.0, 10.0),  # 450 V at the terminals
        (replace(PACK, u_set=455.0), 15.0, 0.0),
        (replace(PACK, u_set=455.0), -10.0, -10.0),
    ],
)
def test_the_current_stops_at_the_nearest_limit(supply: DcSupply, asked: float, given: float) -> None:
    plant = running(connected(supply=supply), asked)
    assert plant.stage().i_out == pytest.approx(given, abs=1e-6)


@pytest.mark.parametrize("asked", [30.0, -30.0])
def test_the_mains_side_takes_and_gives_no_more_than_36_a_a_leg(asked: float) -> None:
    plant = running(connected(), asked)
    assert abs(plant.stage().i_out) < 30.0
    legs = [abs(plant.at(port).p) / 100.0 for port in ("evps_l1", "evps_l2")]
    assert legs == pytest.approx([36.0, 36.0], rel=1e-9)


def test_less_mains_means_less_power_and_half_of_it_none() -> None:
    plant = running(connected(), 15.0)
    plant.set_mains(replace(plant._mains.now, u=(60.0, 60.0)))
    at_rest(plant)
    assert plant.at("evps_l1").p == pytest.approx(-36.0 * 60.0)
    plant.set_mains(replace(plant._mains.now, u=(49.0, 49.0)))
    at_rest(plant, 0.5)
    assert plant.stage().i_out <= 0.0  # lives on the battery now
    assert plant.at("evps_l1").p == 0.0


@pytest.mark.parametrize("params", [JAPAN_50HZ, EUROPE_230V])
def test_charging_at_rated_power_is_efficient(params: PlantParams) -> None:
    plant = connected(params)
    low, high = 0.0, 30.0
    for _ in range(60):  # the reference at which the AC side takes 6 kW
        middle = (low + high) / 2
        ac = -plant_power(running(plant, middle))
        low, high = (middle, high) if ac < 6000.0 else (low, middle)
    dc = plant.at("dc")
    assert ac == pytest.approx(6000.0, abs=0.1)
    assert dc.p == pytest.approx(dc.u * dc.i)
    assert dc.p / ac >= EFFICIENCY


@pytest.mark.parametrize(("params", "demand"), [(JAPAN_50HZ, (3000.0, 3000.0)), (EUROPE_230V, (6000.0, 0.0))])
def test_discharging_at_rated_power_is_efficient(params: PlantParams, demand: tuple[float, float]) -> None:
    plant = forming(demand, params)
    dc = plant.at("dc")
    assert plant_power(plant) == pytest.approx(6000.0)
    assert -30.0 < dc.i < 0.0
    assert 6000.0 / -dc.p >= EFFICIENCY


def test_the_loss_law_is_its_own_inverse_and_has_no_step() -> None:
    p = StageParams()
    for given in (0.0, 1.0, 55.0, 3000.0, 8000.0):
        assert p.given(given + p.loss(given)) == pytest.approx(given, abs=1e-9)
    assert p.given(p.p_idle - 1.0) == 0.0
    for at in (0.0, -p.p_idle):
        assert p.loss_at_dc(at - 1e-6) == pytest.approx(p.loss_at_dc(at + 1e-6), abs=1e-5)


@pytest.mark.parametrize(("power", "r"), [(5000.0, 0.1), (-5000.0, 0.1), (0.0, 0.0), (3000.0, 0.0)])
def test_the_current_of_a_power_gives_that_power(power: float, r: float) -> None:
    i = dc_current(power, 377.0, r)
    assert i * (377.0 + r * i) == pytest.approx(power, abs=1e-9)


def test_a_source_asked_for_more_than_it_has_gives_its_most() -> None:
    assert dc_current(-2500.0, 100.0, 1.0) == pytest.approx(-50.0)
    assert dc_current(-1e9, 100.0, 1.0) == -50.0
    assert dc_current(0.0, 0.0, 0.0) == 0.0


# -- standby, hold-up


def test_standby_is_within_the_benchmark() -> None:
    """standards.md EFF-004 [CONS]: about 55 W, on the AC side idle, on the DC side when it feeds an empty house."""
    idle = on_mains()
    assert 0.0 < -plant_power(idle) <= STANDBY
    empty = forming()
    assert 0.0 < -empty.at("dc").p <= STANDBY
    assert empty.at("house_l1").u == pytest.approx(100.0)


def test_without_mains_and_battery_the_control_lives_on_its_link_and_takes_the_contactors_with_it() -> None:
    plant = connected()
    told: list[tuple[float, object]] = []
    plant.subscribe(lambda at, change: told.append((at, change)))
    plant.set_dc_supply(DcSupply())
    start = plant.now
    plant.set_mains(service(JAPAN_50HZ, on=False))
    plant.advance(start + 5.0)
    assert plant.stage().alive
    plant.advance(start + 20.0)
    assert not plant.stage().alive
    dead = next(at for at, change in told if change == WireChanged("d2", False))
    spent = JAPAN_50HZ.stage.link_energy(420.0) - JAPAN_50HZ.stage.link_energy(150.0)
    assert dead - start == pytest.approx(spent / 48.0, abs=0.01)  # gates on, no power
    assert [(round(at - dead, 9), change) for at, change in told[-3:]] == [
        (0.0, WireChanged("d2", False)),
        (0.0, WireChanged("d1", False)),
        (JAPAN_50HZ.ev_release, ContactorMoved(False)),
    ]
    assert not plant.wire("d1")


def test_a_battery_keeps_the_control_alive_without_mains() -> None:
    plant = connected()
    plant.command_pcs(False)
    at_rest(plant, 3600.0)
    assert plant.stage().alive
    assert plant.at("dc").p == pytest.approx(-48.0 - U_DC**2 / 500e3, abs=0.2)


def test_mains_that_come_back_wake_the_control() -> None:
    plant = connected()
    plant.set_dc_supply(DcSupply())
    plant.set_mains(service(JAPAN_50HZ, on=False))
    at_rest(plant, 60.0)
    assert plant.at("evps_l1").p == 0.0
    plant.set_mains(service(JAPAN_50HZ))
    at_rest(plant, 2.0)
    assert plant.stage().alive


# -- forming


@pytest.mark.parametrize("demand", [(0.0, 0.0), (3000.0, 3000.0), (3000.0, 0.0), (0.0, 3000.0), (500.0, 2000.0)])
def test_a_formed_house_is_within_6_per_cent_on_both_legs(demand: tuple[float, float]) -> None:
    """chademo.md 4 [NICH]: 100 V +-6 % a leg, 3 kW a leg."""
    plant = forming(demand)
    for leg, port in enumerate(("house_l1", "house_l2")):
        here = plant.at(port)  # type: ignore[arg-type]
        assert here.u == pytest.approx(100.0, rel=0.06)
        assert here.f == 50.0
        assert here.p == demand[leg]
        assert plant.at(f"evps_l{leg + 1}").p == pytest.approx(demand[leg])  # type: ignore[arg-type]
    assert plant.at("grid_l1").p == plant.at("grid_l2").p == 0.0


@pytest.mark.parametrize("limit", [0.0, 5.0, 12.0])
def test_the_battery_is_never_asked_for_more_than_the_discharge_limit(limit: float) -> None:
    plant = forming(i_discharge_max=limit)
    least = 0.0
    plant.set_house_load(0, 3000.0)
    plant.set_house_load(1, 3000.0)
    for _ in range(200):
        at_rest(plant, 0.005)
        least = min(least, plant.at("dc").i)
    leak = U_DC / 500e3  # the dividers hang on the battery whatever the limit
    assert least >= -limit - 2 * leak
    assert plant.at("house_l1").u < 50.0  # the house gives way, below half voltage
    if limit:
        assert plant.at("dc").i == pytest.approx(-limit)


def test_a_weak_source_sags_the_house_too() -> None:
    plant = forming((2000.0, 2000.0), supply=replace(PACK, i_source_max=8.0))
    assert plant.at("dc").i == pytest.approx(-8.0)
    assert plant.at("house_l1").u < 50.0


def test_a_leg_gives_48_a_and_no_more() -> None:
    plant = forming((4600.0, 0.0))
    assert plant.at("house_l1").i == pytest.approx(4600.0 / plant.at("house_l1").u)
    assert plant.at("house_l1").u > 94.0
    over = forming((6000.0, 1000.0))
    assert over.at("house_l1").i == pytest.approx(48.0)
    assert over.at("house_l1").u < 50.0
    assert over.at("house_l2").u > 94.0


def test_without_a_battery_nothing_is_formed() -> None:
    plant = on_mains()
    plant.command_stage(StageCommand(StageMode.FORM, i_discharge_max=30.0))
    plant.command_pcs(False)
    at_rest(plant)
    assert plant.at("house_l1").u == 0.0


def test_a_reversal_from_full_charge_to_full_discharge_is_carried_by_the_link() -> None:
    plant = running(connected(), 15.0)
    for leg in (0, 1):
        plant.set_house_load(leg, 3000.0)
    plant.command_pcs(False)
    at_rest(plant, 0.010)
    assert plant.at("house_l1").u < 1.0  # dead between the contact and the command
    plant.command_stage(StageCommand(StageMode.FORM, i_discharge_max=30.0, contactor=True))
    for _ in range(100):
        at_rest(plant, 0.001)
        assert plant._stage.link > JAPAN_50HZ.stage.link_energy(300.0)
        assert plant.at("house_l1").p == 3000.0
    at_rest(plant)
    assert plant.at("dc").i == pytest.approx(dc_current(-6000.0 / 0.924, U_DC, 0.1), rel=5e-3)
    assert plant.incidents == []


# -- the output node


def test_the_insulation_test_lifts_the_output_and_the_bleed_empties_it() -> None:
    """505 V within 1 to 4 s, below 9 V after half a second (chademo.md 2, log A)."""
    plant = on_mains()
    plant.command_stage(StageCommand(StageMode.VOLTAGE, u_ref=505.0, contactor=True))
    at_rest(plant, 1.0)
    assert 200.0 < plant.stage().u_out < 400.0
    at_rest(plant, 3.0)
    assert plant.stage().u_out == 505.0
    plant.command_stage(StageCommand(contactor=True, bleed=True))
    at_rest(plant, 0.5)
    assert 0.0 < plant.stage().u_out < 9.0
    assert plant.stage().u_out == pytest.approx(505.0 * math.exp(-0.5 / (100e-6 / (1 / 1200 + 1 / 500e3))), abs=0.01)
    at_rest(plant, 1.0)
    assert plant.stage().u_out == 0.0


def test_no_reference_lifts_the_output_beyond_its_most() -> None:
    plant = on_mains()
    plant.command_stage(StageCommand(StageMode.VOLTAGE, u_ref=900.0, contactor=True))
    at_rest(plant, 5.0)
    assert plant.stage().u_out == 510.0


def test_the_node_is_seen_at_the_connector_only_through_the_contactor() -> None:
    plant = on_mains()
    plant.command_stage(StageCommand(StageMode.VOLTAGE, u_ref=400.0))
    at_rest(plant, 3.0)
    assert (plant.stage().u_node, plant.stage().u_out, plant.at("dc").u) == (400.0, 0.0, 0.0)
    command(plant, contactor=True)
    at_rest(plant, JAPAN_50HZ.stage.contactor_operate)
    assert plant.stage().u_out == 400.0


@pytest.mark.parametrize("bad", [{"u_ref": math.nan}, {"i_ref": math.inf}, {"i_discharge_max": math.nan}])
def test_a_command_that_is_no_number_is_refused(bad: dict[str, float]) -> None:
    plant = on_mains()
    with pytest.raises(UseError, match="must be finite"):
        plant.command_stage(StageCommand(**bad))  # type: ignore[arg-type]
