"""Words of the power suite."""

from collections.abc import Callable

import pytest

from rig.errors import DutViolation
from suites.power_handling.plate import SETTLES, Plate

FLOWS = 0.5
"""Of what is asked for, that must flow for a state to count as reached (project choice: half)."""
PULLED_WITHIN = 30.0
"""s for a pack's voltage to be pulled where it is wanted (20 V/s, rig.car_pack)."""


@pytest.fixture
def plate(profile):
    """Ratings, and the columns of the legs."""
    return Plate(profile)


@pytest.fixture
def beside_the_mains(bench, evps, plate) -> Callable[..., None]:
    """Bring the EVPS to power beside live mains, settled: beside_the_mains("discharge", 6000.0). power: W at the AC
    side. pack: V the pack is pulled to, None for its own. DutViolation where next to nothing flows."""

    def begin(mode, power, *, soc=0.5, pack=None, discharge_limit=plate.dc_current):
        evps.in_session("standby", soc=soc, discharge_limit=discharge_limit)
        if pack is not None:
            bench.car.hold_pack(pack)
            bench.clock.wait_until(lambda: not bench.car.pulling, PULLED_WITHIN)
        bench.charger.set_power(power)
        bench.charger.set_mode(mode)
        bench.clock.sleep(SETTLES)
        current = bench.battery.reading().current
        if abs(current) * plate.dc_voltage < FLOWS * power:
            raise DutViolation(f"{mode} at {power:g} W: {current:.1f} A flow {SETTLES:g} s after the order")

    return begin
