"""The circuit under random commands: every joule is accounted for, and looking at it changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from rig.plant.params import EUROPE_230V, JAPAN_50HZ, JAPAN_60HZ, PlantParams
from rig.plant.plant import Change, Incident, Plant
from rig.plant.ports import DcSupply, Mains, Port, StageCommand, StageMode

PORTS: tuple[Port, ...] = ("grid_l1", "grid_l2", "house_l1", "house_l2", "evps_l1", "evps_l2", "dc")
Act = Callable[[Plant], None]


def wires(on: bool) -> Act:
    def act(plant: Plant) -> None:
        plant.set_wire("d1", on)
        plant.set_wire("d2", on)

    return act


def mains(scale: float) -> st.SearchStrategy[Act]:
    leg = st.one_of(st.just(100.0), st.floats(0.0, 130.0))
    states = st.builds(
        lambda on, a, b, f, phase: Mains(on, (a * scale, b * scale), f, phase),
        st.sampled_from([True, True, False]), leg, leg, st.sampled_from([50.0, 60.0, 49.8]), st.floats(0.0, 360.0),
    )  # fmt: skip
    return states.map(lambda state: lambda plant: plant.set_mains(state))


SUPPLIES = st.builds(
    DcSupply,
    on=st.sampled_from([True, True, True, False]),
    u_set=st.one_of(st.just(377.0), st.floats(0.0, 500.0)),
    resistance=st.sampled_from([0.0, 0.1, 1.0]),
    i_source_max=st.floats(0.0, 60.0),
    i_sink_max=st.floats(0.0, 60.0),
)
COMMANDS = st.builds(
    StageCommand,
    mode=st.sampled_from([*StageMode, StageMode.CURRENT, StageMode.FORM]),
    u_ref=st.floats(-10.0, 600.0),
    i_ref=st.floats(-40.0, 40.0),
    i_discharge_max=st.floats(-1.0, 40.0),
    contactor=st.sampled_from([True, True, True, False]),
    bleed=st.booleans(),
)


def acts(scale: float) -> st.SearchStrategy[Act]:
    return st.one_of(
        mains(scale),
        st.builds(lambda leg, p: lambda plant: plant.set_house_load(leg, p), st.integers(0, 1), st.floats(0.0, 8e3)),
        SUPPLIES.map(lambda supply: lambda plant: plant.set_dc_supply(supply)),
        st.booleans().map(wires),
        st.booleans().map(lambda on: lambda plant: plant.command_ev_contactor(on)),
        st.booleans().map(lambda on: lambda plant: plant.command_pcs(on)),
        COMMANDS.map(lambda command: lambda plant: plant.command_stage(command)),
        COMMANDS.map(lambda command: lambda plant: plant.command_stage(command)),
    )


GAPS = st.one_of(st.integers(0, 3), st.integers(0, 10**7), st.integers(0, 10**9), st.integers(0, 10**11))
"""ns between two commands."""
CUTS = st.lists(st.floats(0.0, 1.0), max_size=4)
PORTABLE = replace(JAPAN_50HZ, legs=1, stage=replace(JAPAN_50HZ.stage, own_supply=True))
PARAMS = st.sampled_from([(JAPAN_50HZ, 1.0), (JAPAN_60HZ, 1.0), (EUROPE_230V, 2.3), (PORTABLE, 1.0)])
SCRIPTS = PARAMS.flatmap(
    lambda p: st.tuples(st.just(p[0]), st.lists(st.tuples(GAPS, CUTS, acts(p[1])), min_size=1, max_size=25))
)
Script = tuple[PlantParams, list[tuple[int, list[float], Act]]]


class Told:
    """A plant and all it told, in order."""

    def __init__(self, params: PlantParams) -> None:
        self.plant, self.changes = Plant(params), list[tuple[float, Change]]()
        self.plant.subscribe(lambda at, change: self.changes.append((at, change)))


def everything(plant: Plant) -> object:
    waves = [plant.waves(port, max(plant.now - 0.5, 0.0), min(plant.now, 0.5), 5e3).tobytes()
             for port in ("grid_l1", "grid_l2", "house_l1", "house_l2", "dc", "pcs_aux")]  # fmt: skip
    return plant.energy(), plant.stage(), [plant.at(port) for port in PORTS], plant.incidents, waves


def refuse_lost_joules(plant: Plant) -> None:
    account = plant.energy()
    assert abs(account.residual()) <= 1e-9 * (account.turnover() + account.stored) + 1e-9, account
    assert account.stored >= -1e-6
    assert account.loss >= 0.0
    assert min(account.house) >= 0.0


@given(SCRIPTS)
@settings(deadline=None, max_examples=150)
def test_the_balance_closes_and_looking_changes_nothing(script: Script) -> None:
    params, parts = script
    alone, watched, ns = Told(params), Told(params), 0
    for gap, cuts, act in parts:
        for cut in sorted(cuts):
            watched.plant.advance((ns + round(gap * cut)) / 1e9)
            refuse_lost_joules(watched.plant)
            everything(watched.plant)
        ns += gap
        alone.plant.advance(ns / 1e9)
        watched.plant.advance(ns / 1e9)
        refuse_lost_joules(alone.plant)
        act(alone.plant)
        act(watched.plant)
        refuse_lost_joules(alone.plant)
        assert watched.changes == alone.changes
        assert everything(watched.plant) == everything(alone.plant)


@given(SCRIPTS)
@settings(deadline=None, max_examples=60)
def test_it_comes_to_rest(script: Script) -> None:
    """Whatever was commanded, nothing goes on moving by itself: no storm of events in the clock's queue."""
    params, parts = script
    told, ns = Told(params), 0
    for gap, _, act in parts:
        ns += gap
        told.plant.advance(ns / 1e9)
        act(told.plant)
    plant, moves = told.plant, 0
    end = plant.now + 3600.0
    while plant.next_event() < end:
        plant.advance(plant.next_event())
        moves += 1
        assert moves < 2000


@given(SCRIPTS)
@settings(deadline=None, max_examples=60)
def test_no_port_contradicts_itself(script: Script) -> None:
    params, parts = script
    plant, ns = Plant(params), 0
    for gap, _, act in parts:
        ns += gap
        plant.advance(ns / 1e9)
        act(plant)
        for port in PORTS:
            here = plant.at(port)
            assert here.u >= 0.0
            if port == "dc":
                assert here.p == here.u * here.i
                continue
            assert here.i >= 0.0
            assert here.u * here.i >= abs(here.p) * (1 - 1e-12)  # equal but for a fault current
            assert (here.f > 0.0) == (here.u >= 1.0)
        if params.legs == 1:
            dead = ("grid_l2", "house_l2", "evps_l2")
            assert all((plant.at(port).u, plant.at(port).p) == (0.0, 0.0) for port in dead)
        evps = plant.at("evps_l1").p + plant.at("evps_l2").p
        grid = plant.at("grid_l1").p + plant.at("grid_l2").p
        house = plant.at("house_l1").p + plant.at("house_l2").p
        assert abs(grid + evps - house) <= 1e-9 * (abs(evps) + house) + 1e-9
        assert all(isinstance(one, Incident) and one.at <= plant.now for one in plant.incidents)
