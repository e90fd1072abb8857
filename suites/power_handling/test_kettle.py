"""A cup of hot chocolate without the grid (EMS-009, PQ-001): a kettle and a house around it on the car alone.

Set-up  House or outlets on the car, the mains gone or never there. The load profile of a kettle of the service's
        voltage (fixtures/loads), on leg L1.
Method  Energy into the loads while the kettle is on, less what the house around it takes meanwhile at its mean before;
        every 10-cycle reading of leg voltage through switching on, boiling and switching off.
"""

from dataclasses import replace

import pytest

from rig.evidence.documents import Band
from rig.metrology.power import energy
from rig.metrology.series import mean
from rig.pictures import session_picture
from suites.power_handling.plate import SETTLES

pytestmark = pytest.mark.needs("outage", "house", "analyzer", "island", "discharge")

HIGH = 200.0
"""V of a leg from which the kettle is that of a 230 V service (project choice)."""


@pytest.mark.verifies("EMS-009", "PQ-001")
def test_a_cup_without_the_grid(evps, bench, plate, record, check, loads, picture):
    """The kettle boils on the car alone, and the house does not notice."""
    profile = loads("kettle-230v" if plate.leg_voltage >= HIGH else "kettle-100v")
    leg = [1.0, *([0.0] * (len(plate.house) - 1))]
    on_at, off_at = switched(profile)
    with evps.island(discharge_limit=plate.dc_current):
        begin = bench.clock.now()
        bench.house.draw(profile.at("house", 0.0), leg)
        bench.clock.sleep(SETTLES)
        with record("a cup", 0.2, plate.house_u_p) as cup:
            for at, until, watts in profile.steps():
                bench.house.draw(watts["kettle"] + watts["house"], leg)
                if at == on_at:
                    begin = bench.clock.now()
                bench.clock.sleep(until - at)
        bench.house.draw(0.0)
    power = cup["house_l1_p"]
    end = begin + off_at - on_at
    boiled = energy(power, "cup_energy", since=begin, until=end)
    around = mean(power, "around", until=begin - 0.5).value * (end - begin)
    check("EMS-009", replace(boiled, value=boiled.value - around))
    plate.volts(check, cup)
    band = Band(low=0.94 * plate.leg_voltage, high=1.06 * plate.leg_voltage, label="PQ-001")
    picture(session_picture("cup", "A cup without the grid", cup.done, requirements=("EMS-009",), bands=(band,)))


def switched(profile):
    """s at which the kettle goes on and off."""
    boiling = [(begin, end) for begin, end, watts in profile.steps() if watts["kettle"]]
    return boiling[0][0], boiling[-1][1]
