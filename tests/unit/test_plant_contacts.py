"""Contacts of the circuit: when they move, what goes with them, and what is abuse."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from plant_circuit import PACK, U_DC, at_rest, command, connected, forming, on_mains, running, service

from rig.chademo.events import ContactorMoved, WireChanged
from rig.errors import UseError
from rig.plant.params import EUROPE_230V, JAPAN_50HZ
from rig.plant.pcs import Contact
from rig.plant.plant import Change, Plant
from rig.plant.ports import DcSupply, Mains, MainsChanged, PcsMoved, StageCommand, StageMode


def listen(plant: Plant) -> list[tuple[float, Change]]:
    told: list[tuple[float, Change]] = []
    plant.subscribe(lambda at, change: told.append((at, change)))
    return told


def after(start: float, told: list[tuple[float, Change]]) -> list[tuple[float, Change]]:
    return [(round(at - start, 9), change) for at, change in told]


def test_a_contact_moves_its_delay_after_the_coil_and_a_change_of_mind_leaves_it() -> None:
    contact = Contact(operate=0.008, release=0.004)
    contact.drive(True, 1.0)
    assert (contact.due, contact.closed) == (1.008, False)
    contact.drive(True, 1.005)
    assert contact.due == 1.008
    contact.drive(False, 1.006)
    assert contact.due == math.inf
    contact.drive(True, 1.007)
    contact.move()
    assert contact.closed
    contact.drive(False, 2.0)
    assert contact.due == 2.004


def test_the_pcs_contact_moves_when_its_figures_say() -> None:
    plant = Plant()
    plant.set_mains(service(JAPAN_50HZ))
    told, start = listen(plant), plant.now
    plant.command_pcs(True)
    at_rest(plant, 0.1)
    plant.command_pcs(False)
    at_rest(plant, 0.1)
    assert after(start, told) == [
        (JAPAN_50HZ.pcs_operate, PcsMoved(True)),
        (round(0.1 + JAPAN_50HZ.pcs_release, 9), PcsMoved(False)),
    ]


def test_listeners_find_the_circuit_as_it_is_after_the_change() -> None:
    plant, seen = Plant(), []
    plant.set_mains(service(JAPAN_50HZ))
    plant.subscribe(lambda at, change: seen.append((plant.now == at, plant.pcs_closed, plant.at("house_l1").u > 99)))
    plant.command_pcs(True)
    at_rest(plant, 0.1)
    assert seen == [(True, True, True)]


def test_a_listener_may_command_the_circuit_at_once() -> None:
    plant, told = connected(), list[tuple[float, Change]]()

    def answer(at: float, change: Change) -> None:
        told.append((at, change))
        if isinstance(change, MainsChanged) and not change.mains.on:
            plant.command_pcs(False)

    plant.subscribe(answer)
    start = plant.now
    plant.set_mains(service(JAPAN_50HZ, on=False))
    at_rest(plant, 0.1)
    assert [(at, type(change)) for at, change in after(start, told)] == [
        (0.0, MainsChanged),
        (JAPAN_50HZ.pcs_release, PcsMoved),
    ]


def test_the_ev_contactor_wants_d1_and_d2_and_the_car() -> None:
    plant = Plant()
    told, start = listen(plant), plant.now
    for wire in ("d1", "d2"):
        plant.command_ev_contactor(True)
        at_rest(plant, 0.1)
        assert not plant.ev_contactor_closed
        plant.set_wire(wire, True)  # type: ignore[arg-type]
    at_rest(plant, 0.1)
    assert plant.ev_contactor_closed
    plant.set_wire("d1", False)
    at_rest(plant, 0.1)
    assert after(start, told)[-3:] == [
        (0.2 + JAPAN_50HZ.ev_operate, ContactorMoved(True)),
        (0.3, WireChanged("d1", False)),
        (0.3 + JAPAN_50HZ.ev_release, ContactorMoved(False)),
    ]


def test_a_wire_that_does_not_change_says_nothing() -> None:
    plant = Plant()
    told = listen(plant)
    plant.set_wire("k", False)
    plant.set_wire("k", True)
    plant.set_wire("k", True)
    assert told == [(0.0, WireChanged("k", True))]


def test_the_evps_contactor_needs_a_live_control() -> None:
    plant = Plant()
    plant.command_stage(StageCommand(contactor=True))
    at_rest(plant, 1.0)
    plant.set_dc_supply(PACK)
    for wire in ("d1", "d2"):
        plant.set_wire(wire, True)  # type: ignore[arg-type]
    plant.command_ev_contactor(True)
    at_rest(plant, 1.0)
    assert plant.stage().i_out == 0.0
    assert plant.at("dc").u == U_DC  # the battery is on the cable, not on the stage


# -- mains loss


def test_a_house_on_lost_mains_is_dead_while_the_contact_is_closed() -> None:
    plant = connected()
    plant.set_house_load(0, 1000.0)
    told, start = listen(plant), plant.now
    plant.set_mains(service(JAPAN_50HZ, on=False))
    assert plant.at("house_l1").u == plant.at("grid_l1").u == 0.0
    assert plant.at("house_l1").p == plant.at("grid_l1").p == 0.0
    assert after(start, told) == [(0.0, MainsChanged(service(JAPAN_50HZ, on=False), service(JAPAN_50HZ), 0.0))]


def test_a_house_that_is_fed_does_not_see_the_mains_go_and_come() -> None:
    plant = forming((1500.0, 700.0))
    before = plant.at("house_l1"), plant.at("house_l2"), plant.at("dc")
    plant.set_mains(service(JAPAN_50HZ, on=False))
    at_rest(plant)
    assert plant.at("grid_l1").u == 0.0
    assert (plant.at("house_l1"), plant.at("house_l2"), plant.at("dc")) == before
    plant.set_mains(service(JAPAN_50HZ))
    at_rest(plant, 10.0)
    assert (plant.at("house_l1"), plant.at("house_l2"), plant.at("dc")) == before
    assert plant.incidents == []


def test_a_formed_house_on_a_closed_contact_feeds_back_onto_dead_mains_terminals() -> None:
    plant = connected()
    plant.set_mains(service(JAPAN_50HZ, on=False))
    plant.command_stage(StageCommand(StageMode.FORM, i_discharge_max=30.0, contactor=True))
    at_rest(plant)
    assert plant.at("grid_l1").u == plant.at("house_l1").u > 90.0
    assert plant.incidents == []


def test_the_mains_carry_house_and_charger_and_sag_by_their_resistance() -> None:
    plant = running(connected(), 10.0)
    plant.set_house_load(0, 1000.0)
    grid, house, evps = plant.at("grid_l1"), plant.at("house_l1"), plant.at("evps_l1")
    assert grid.p == pytest.approx(house.p - evps.p)
    assert evps.p < 0.0
    assert grid.u == house.u == pytest.approx(100.0 - 0.005 * grid.i)
    exporting = running(connected(), -10.0)
    assert exporting.at("grid_l1").p < 0.0
    assert exporting.at("grid_l1").u > 100.0


def test_the_angle_of_a_mains_change_is_that_of_the_wave() -> None:
    plant = Plant()
    plant.set_mains(service(JAPAN_50HZ))
    told = listen(plant)
    plant.advance(0.0125)  # 5/8 of a 50 Hz cycle
    plant.set_mains(replace(service(JAPAN_50HZ), phase=90.0))
    plant.advance(0.0225)
    plant.set_mains(service(JAPAN_50HZ, on=False))
    angles = [change.angle for _, change in told if isinstance(change, MainsChanged)]
    assert angles == pytest.approx([225.0, 135.0], abs=1e-6)


@pytest.mark.parametrize(
    "bad", [Mains(u=(-1.0, 0.0)), Mains(f=0.0), Mains(f=math.nan), Mains(u=(math.inf, 0.0)), Mains(phase=math.nan)]
)
def test_mains_that_cannot_be_are_refused_and_change_nothing(bad: Mains) -> None:
    plant = on_mains()
    before = plant.at("grid_l1")
    with pytest.raises(UseError, match="must be 0 or more"):
        plant.set_mains(bad)
    assert plant.at("grid_l1") == before


@pytest.mark.parametrize(("leg", "power"), [(2, 1.0), (0, -1.0), (0, math.nan), (1, math.inf)])
def test_a_load_that_cannot_be_is_refused(leg: int, power: float) -> None:
    with pytest.raises(UseError, match="set_house_load"):
        Plant().set_house_load(leg, power)


@pytest.mark.parametrize("change", [{"u_set": -1.0}, {"resistance": math.nan}, {"i_source_max": math.inf}])
def test_a_supply_that_cannot_be_is_refused(change: dict[str, float]) -> None:
    with pytest.raises(UseError, match="set_dc_supply"):
        Plant().set_dc_supply(replace(PACK, **change))  # type: ignore[arg-type]


@pytest.mark.parametrize("ohm", [0.0, -1.0, math.nan])
def test_an_insulation_that_cannot_be_is_refused(ohm: float) -> None:
    with pytest.raises(UseError, match="above 0 ohm"):
        Plant().set_insulation(ohm)


@pytest.mark.parametrize("to", [0.5, math.nan, math.inf, -math.inf])
def test_time_never_goes_back_nor_anywhere_strange(to: float) -> None:
    plant = Plant()
    plant.advance(1.0)
    plant.advance(1.0)
    with pytest.raises(UseError, match="time never goes back"):
        plant.advance(to)
    assert plant.now == 1.0


# -- incidents: each exactly when it is true


@pytest.mark.parametrize("current", [15.0, -15.0, 6.0, -6.0, 4.5, -4.5, 0.0])
@pytest.mark.parametrize("way", ["ev", "own"])
def test_a_contact_that_opens_under_more_than_5_a_is_recorded(way: str, current: float) -> None:
    plant = running(connected(), current)
    start = plant.now
    if way == "ev":
        plant.set_wire("d2", False)
        delay, name = JAPAN_50HZ.ev_release, "EV contactor"
    else:
        command(plant, contactor=False)
        delay, name = JAPAN_50HZ.stage.contactor_release, "EVPS contactor"
    at_rest(plant, 1.0)
    if abs(current) < 5.0:
        assert plant.incidents == []
        return
    (incident,) = plant.incidents
    assert incident.name == f"{name} opened under load"
    assert incident.at == pytest.approx(start + delay, abs=1e-9)
    assert incident.value == pytest.approx(current, abs=1e-3)


def test_a_current_that_is_gone_by_the_time_the_contact_opens_is_no_load() -> None:
    plant = running(connected(), 15.0)
    command(plant, i_ref=0.0)
    at_rest(plant, 0.110)  # 15 A * exp(-1.1) = 4.99 A
    plant.set_wire("d1", False)
    at_rest(plant)
    assert plant.incidents == []


@pytest.mark.parametrize(
    ("u_node", "is_abuse"), [(377.0, False), (360.0, False), (394.0, False), (350.0, True), (0.0, True)]
)
@pytest.mark.parametrize("last", ["ev", "own"])
def test_a_contact_that_closes_onto_more_than_20_v_is_recorded(last: str, u_node: float, is_abuse: bool) -> None:
    plant = on_mains()
    plant.set_dc_supply(PACK)
    hold = StageCommand(StageMode.VOLTAGE, u_ref=u_node, contactor=last == "ev")
    plant.command_stage(hold)
    at_rest(plant)
    plant.set_wire("d1", True)
    plant.set_wire("d2", True)
    if last == "own":
        plant.command_ev_contactor(True)
    at_rest(plant)
    assert plant.incidents == []  # one contact alone carries nothing
    start = plant.now
    plant.command_ev_contactor(True)
    plant.command_stage(replace(hold, contactor=True))
    at_rest(plant)
    if not is_abuse:
        assert plant.incidents == []
        return
    (incident,) = plant.incidents
    delay = JAPAN_50HZ.ev_operate if last == "ev" else JAPAN_50HZ.stage.contactor_operate
    assert incident.name == f"{'EV' if last == 'ev' else 'EVPS'} contactor closed onto a voltage step"
    assert incident.at == pytest.approx(start + delay, abs=1e-9)
    assert incident.value == pytest.approx(U_DC - u_node)


def test_a_contact_that_closes_towards_no_battery_is_no_incident() -> None:
    plant = on_mains()
    plant.set_dc_supply(DcSupply(on=False, u_set=377.0))
    plant.command_stage(StageCommand(contactor=True))
    plant.set_wire("d1", True)
    plant.set_wire("d2", True)
    plant.command_ev_contactor(True)
    at_rest(plant)
    assert plant.incidents == []


def test_forming_on_live_mains_in_step_is_recorded_but_carried() -> None:
    plant = connected()
    plant.command_stage(StageCommand(StageMode.FORM, i_discharge_max=30.0, contactor=True))
    (incident,) = plant.incidents
    assert (incident.at, incident.name) == (plant.now, "forming onto live mains, A rms")
    assert incident.value == pytest.approx(0.0, abs=1e-6)  # in step, equal voltages
    at_rest(plant)
    assert plant.stage().alive
    assert len(plant.incidents) == 1


@pytest.mark.parametrize("shift", [180.0, 90.0, 20.0])
def test_closing_on_mains_out_of_step_is_recorded_with_its_current_and_trips_the_stage(shift: float) -> None:
    plant = forming()
    plant.set_mains(replace(service(JAPAN_50HZ), phase=shift))
    plant.command_pcs(True)  # 8 ms are too short to drift back into step
    start = plant.now
    at_rest(plant, JAPAN_50HZ.pcs_operate)
    (incident,) = plant.incidents
    drifted = 0.25 * JAPAN_50HZ.pcs_operate * 360.0
    volts = 2.0 * 100.0 * math.sin(math.radians((shift - drifted) / 2))
    assert incident.value == pytest.approx(volts / 0.205, rel=1e-3)
    assert incident.at == pytest.approx(start + JAPAN_50HZ.pcs_operate, abs=1e-9)
    assert plant.at("evps_l1").i >= incident.value * 0.999
    at_rest(plant, JAPAN_50HZ.stage.trip_time + 1e-6)
    assert plant.at("evps_l1").i < 1.0  # blocked
    plant.command_pcs(False)
    at_rest(plant)
    assert plant.at("house_l1").u == 0.0  # and stays so until told anew
    command(plant, mode=StageMode.OFF)
    command(plant, mode=StageMode.FORM)
    at_rest(plant)
    assert plant.at("house_l1").u > 90.0


def test_a_good_session_has_no_incident() -> None:
    plant = running(connected(), -15.0)
    command(plant, i_ref=0.0)
    at_rest(plant)
    plant.command_ev_contactor(False)
    at_rest(plant)
    plant.command_stage(StageCommand(bleed=True))
    at_rest(plant)
    assert plant.incidents == []
    assert plant.stage().u_node < 1.0


def test_a_two_wire_service_has_one_leg() -> None:
    plant = forming((3000.0, 3000.0), EUROPE_230V)
    assert plant.at("house_l1").u == pytest.approx(230.0, rel=0.06)
    for port in ("house_l2", "evps_l2", "grid_l2"):
        here = plant.at(port)  # type: ignore[arg-type]
        assert (here.u, here.i, here.p, here.f) == (0.0, 0.0, 0.0, 0.0)
    assert plant.energy().house[1] == 0.0
