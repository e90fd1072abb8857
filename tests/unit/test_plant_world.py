"""The plant on a clock: woken at its own changes, one noise for each name."""

from __future__ import annotations

import numpy as np
import pytest
from plant_circuit import service

from rig.clock import Phase, VirtualClock
from rig.errors import UseError
from rig.plant.params import JAPAN_50HZ
from rig.plant.plant import Plant
from rig.plant.ports import DcSupply, PcsMoved, StageCommand, StageMode
from rig.plant.world import World


def world(seed: int = 1) -> tuple[VirtualClock, World]:
    clock = VirtualClock()
    return clock, World(clock, Plant(), seed, None)


def test_the_plant_is_always_that_of_now() -> None:
    clock, here = world()
    here.plant.set_mains(service(JAPAN_50HZ))
    here.plant.command_pcs(True)
    clock.sleep(1.0)
    assert here.plant.now == 1.0
    assert here.plant.pcs_closed


def test_a_contact_is_told_at_its_time_in_the_plant_phase_though_nobody_looks() -> None:
    clock, here = world()
    told = list[tuple[str, float, float]]()
    here.plant.subscribe(lambda at, change: told.append((type(change).__name__, at, clock.now())))
    here.plant.command_pcs(True)
    for phase in Phase:
        clock.at(JAPAN_50HZ.pcs_operate, lambda p=phase: told.append((p.name, clock.now(), clock.now())), phase)  # type: ignore[misc]
    clock.sleep(0.1)
    moved = (PcsMoved.__name__, JAPAN_50HZ.pcs_operate, JAPAN_50HZ.pcs_operate)
    assert told[0] == moved
    assert [name for name, _, _ in told[1:]] == ["PLANT", "DELIVER", "ACT", "OBSERVE"]


def test_a_change_that_comes_sooner_is_woken_for_and_one_put_off_is_not_missed() -> None:
    clock, here = world()
    told = list[float]()
    here.plant.subscribe(lambda at, change: told.append(at) if isinstance(change, PcsMoved) else None)
    here.plant.command_pcs(True)
    clock.sleep(0.005)
    here.plant.command_pcs(False)  # thought better of
    clock.sleep(0.001)
    here.plant.command_pcs(True)
    clock.sleep(1.0)
    assert told == [0.014]


def test_a_resting_plant_puts_no_event_into_the_clock() -> None:
    clock, here = world()
    here.plant.set_mains(service(JAPAN_50HZ))
    here.plant.command_pcs(True)
    clock.sleep(60.0)
    assert here.plant.next_event() == float("inf")
    woken, here_plant = list[float](), here._plant
    here_plant.watch_schedule(woken.append)
    clock.sleep(3600.0)
    assert woken == []


def run_session(clock: VirtualClock, here: World) -> list[object]:
    told = list[object]()
    plant = here.plant
    plant.subscribe(lambda at, change: told.append((at, change)))
    noise = here.rng("load")
    plant.set_mains(service(JAPAN_50HZ))
    plant.command_pcs(True)
    plant.set_dc_supply(DcSupply(True, 377.0, 0.1, 60.0, 60.0))
    for wire in ("d1", "d2"):
        plant.set_wire(wire, True)  # type: ignore[arg-type]
    clock.every(0.1, lambda: here.plant.set_house_load(0, float(noise.uniform(0.0, 3000.0))))
    clock.sleep(2.0)
    here.plant.command_stage(StageCommand(StageMode.VOLTAGE, u_ref=377.0, contactor=True))
    clock.sleep(2.0)
    here.plant.command_ev_contactor(True)
    clock.sleep(1.0)
    here.plant.command_stage(StageCommand(StageMode.CURRENT, i_ref=-10.0, contactor=True))
    clock.sleep(20.0)
    return [told, here.plant.energy(), here.plant.waves("house_l1", 20.0, 1.0, 5e3).tobytes()]


def test_the_same_seed_gives_the_same_world_to_the_bit() -> None:
    assert run_session(*world(7)) == run_session(*world(7))
    assert run_session(*world(7))[1] != run_session(*world(8))[1]


def test_a_watcher_in_the_background_changes_nothing() -> None:
    clock, here = world(7)
    clock.every(0.013, lambda: here.plant.at("dc"), Phase.OBSERVE)
    assert run_session(clock, here) == run_session(*world(7))


def test_noise_depends_on_seed_and_name_and_on_nothing_else() -> None:
    first, second = world(5)[1], world(5)[1]
    a = first.rng("analyzer").normal(size=8)
    first.rng("load").normal(size=1000)
    second.rng("load")
    second.rng("source").normal(size=3)
    assert np.array_equal(second.rng("analyzer").normal(size=8), a)
    assert first.rng("analyzer") is first.rng("analyzer")
    assert not np.array_equal(world(6)[1].rng("analyzer").normal(size=8), a)
    assert not np.array_equal(world(5)[1].rng("analyzer2").normal(size=8), a)


def test_two_names_make_independent_noise() -> None:
    here = world(3)[1]
    rows = np.array([here.rng(f"channel {k}").normal(size=4000) for k in range(8)])
    across = np.corrcoef(rows) - np.eye(8)
    assert np.max(np.abs(across)) < 0.08  # five standard deviations of 1/sqrt(4000)


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(UseError, match="seed=-1 must be 0 or more"):
        World(VirtualClock(), Plant(), -1, None)
