"""A part that is no message instrument falls silent in the middle of a session: the test ends with an error of the
bench (INVALID, never a verdict on the device); what can be brought to rest is, and the silent part is UNCONFIRMED by
name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from fixtures.library import find_bench, find_profile
from instruments.registry import REGISTRY
from rig.bench import Bench
from rig.chademo.vehicle_state import VehiclePhase
from rig.errors import LostInstrument
from rig.open_bench import open_bench, read_bench_file
from rig.profile import read_profile

CASES = [("digital-io", "vehicle"), ("digital-io", "charger"), ("digital-io", "digital_io"), ("echonet", "charger")]


@pytest.fixture
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    config = read_bench_file(find_bench(request.param), REGISTRY)
    with open_bench(config, REGISTRY, read_profile(find_profile(config.bench.profile))) as opened:
        yield opened


def device(bench: Bench, part: str) -> Any:
    """The emulated end of a part's line."""
    session = bench.instruments[part]._session
    return session._port._device if hasattr(session, "_port") else session._device


@pytest.mark.parametrize(("bench", "part"), CASES, indirect=["bench"])
def test_a_part_that_falls_silent_ends_the_test_and_the_bench_comes_to_rest(
    bench: Bench, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.prepare()
    bench.car.plug_in(0.5)
    bench.charger.start("charge")
    assert bench.car.wait_for(VehiclePhase.RUNNING, 60.0) <= 60.0
    monkeypatch.setattr(device(bench, part), "process", lambda raw: None)
    begun = bench.clock.now()

    def go_on() -> None:
        bench.clock.sleep(10.0)  # whoever speaks to it by himself hears of it
        bench.charger.state()

    with pytest.raises(LostInstrument) as told:
        go_on()
    assert f"EMU::{part}::INSTR" in str(told.value)
    outcome = bench.make_safe()
    assert bench.clock.now() - begun < 60.0
    assert not outcome.confirmed, outcome.readings
    assert any(f"EMU::{part}::INSTR" in one and "no answer" in one for one in outcome.readings)
    assert bench.world is not None
    plant = bench.world.plant
    assert not plant._supply.on
    assert not plant._mains.now.on
    bench.clock.sleep(20.0)  # the box's own watchdog
    assert not plant.ev_contactor_closed
    assert abs(plant.at("dc").i) < 0.5
