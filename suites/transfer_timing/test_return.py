"""Return of the house to the mains (XFR-005, 006, 007, 008, 015).

Set-up  House on the car, mains gone; digitizer on house legs, mains side and auxiliary contact of the PCS.
Method  The mains is good from the moment its voltage comes to life; the contact closes in the middle of its bounce.
        Offsets at closing come from fits of both sides over the last cycles, carried on to that moment; magnitudes are
        those of the power analyzer, the digitizer only says how they compare (rig.metrology.trim).
"""

import math

import pytest

from rig.errors import DutViolation
from rig.metrology.closing import offsets_at_close
from rig.metrology.contact import AUX_LEVEL, comes_alive, moves
from rig.metrology.envelope import itic_margin
from rig.metrology.timing import count, duration
from rig.metrology.transfer import transfer_time
from rig.metrology.trim import trimmed
from rig.pictures import transfer_picture
from suites.transfer_timing.outage import AFTER, POLL, RATE, SYNCHRONISES, around, first_closing

pytestmark = pytest.mark.needs("grid", "house", "digitizer", "transfer")

CLOSE = 2.0
"""s before the end of the delay at which a record of the closing itself begins, where the delay is longer (project
choice)."""
LEAD = 0.5
"""s of a good mains before a dip within the delay (project choice: more than the cycles a fit needs)."""
DEAD = 0.1
"""s of a dead mains at the beginning of a record (project choice: five cycles)."""
WITHIN_WINDOW = {
    "nominal": (0.0, 1.00, 0.0),
    "nominal-quarter-turn": (0.0, 1.00, 0.25),
    "nominal-half-turn": (0.0, 1.00, 0.50),
    "nominal-three-quarter-turn": (0.0, 1.00, 0.75),
    "slow-0.2Hz": (-0.2, 1.00, 0.40),
    "fast-0.08Hz": (0.08, 1.00, 0.60),
    "low-95%": (0.0, 0.95, 0.30),
    "high-104%": (0.0, 1.04, 0.70),
    "slow-0.2Hz-low-95%": (-0.2, 0.95, 0.10),
}
"""How the mains comes back: Hz off nominal, fraction of nominal, turns later than the first. All may be closed on, once
in step: 59.5 to 60.1 Hz of 60 and 0.917 to 1.05 pu count as good (standards.md GRD-010 [UL1741SB])."""
BEYOND_WINDOW = {
    "fast-3%": (0.03, 1.00),
    "slow-3%": (-0.03, 1.00),
    "low-82%": (0.0, 0.82),
    "high-118%": (0.0, 1.18),
}
"""(fraction of nominal frequency off, fraction of nominal voltage). No island inside its own bands of 2 % and 6 %
(PQ-001, PQ-002) can come within 0.3 Hz and 10 % of these."""
HELD = 10.0
"""s beyond the delay for which a mains out of the window is held (project choice)."""


def closing_on(outage, capture, bench, name, channels, voltage=1.0, df=0.0, later=0.0):
    """Let the mains come back `later` s on and record the closing. Gives the record and what the analyzer read of both
    sides then, None without one."""
    wait = max(outage.delay - CLOSE, 0.0)
    if wait:  # the record begins when the delay is nearly over
        bench.clock.sleep(later)
        bench.grid.supply(voltage * outage.voltage, outage.frequency + df)
        bench.clock.sleep(wait)
    seconds = (CLOSE if wait else DEAD + later + outage.delay) + SYNCHRONISES + AFTER
    with capture(name, channels, seconds, RATE) as record:
        if not wait:
            bench.clock.sleep(DEAD + later)
            bench.grid.supply(voltage * outage.voltage, outage.frequency + df)
        both = (("grid_l1", "u"), ("house_l1", "u"))
        read = bench.analyzer.read(*both) if bench.analyzer is not None else None
    return record, read


@pytest.mark.verifies("XFR-006")
def test_mains_must_be_good_for_the_delay(outage, evps, bench, capture, contact, check):
    """The house goes back only after the mains has been good for the declared delay.

    Restore the mains with the house at 50 % load; measure from the return of the voltage to the closing of the contact.
    """
    with bench.house.drawing(0.5 * outage.rated), evps.island():
        with capture("return", outage.channels(), DEAD + LEAD, RATE) as record:
            bench.clock.sleep(DEAD)
            bench.grid.supply(outage.voltage, outage.frequency)
        good, u_good = comes_alive(record["grid_l1"], outage.voltage, outage.frequency)
        closed, u = contact.moves_to(True, outage.delay + SYNCHRONISES)
    if math.isinf(closed):
        raise DutViolation(f"the mains contact does not close within {SYNCHRONISES:g} s of the delay")
    check("XFR-006", duration("retransfer_delay", good, closed, u_good, u, closing_source(record)))


@pytest.mark.verifies("XFR-006")
def test_dip_starts_the_delay_anew(outage, evps, bench, capture, check):
    """A dip within the delay starts it anew.

    Restore the mains; at 25 % of the delay let it dip to 0 V for 80 ms; measure from the end of the dip to the closing.
    """
    channels = outage.channels()
    with bench.house.drawing(0.5 * outage.rated), evps.island():
        bench.grid.supply(outage.voltage, outage.frequency)
        since = bench.clock.now()
        bench.clock.sleep(0.25 * outage.delay - LEAD)
        with capture("dip within the delay", channels, LEAD + 0.08 + AFTER, RATE) as early:
            bench.clock.sleep(LEAD)
            bench.grid.dip(0.0, 0.08)
        dip = transfer_time([early["grid_l1"]], outage.voltage, outage.frequency, "dip")
        bench.clock.sleep(max(dip.end + outage.delay - CLOSE - bench.clock.now(), 0.0))
        with capture("closing after the dip", channels, CLOSE + SYNCHRONISES + AFTER, RATE) as record:
            pass
    seen = [move for part in (early, record) for move in moves(part["pcs_aux"]) if move.closed]
    if not seen and float(record["pcs_aux"].volts()[0]) < AUX_LEVEL:
        raise DutViolation(f"the mains contact does not close within {SYNCHRONISES:g} s of the delay after the dip")
    if seen and seen[0].at < dip.end:  # it did not even wait for the dip
        check("XFR-006", duration("retransfer_delay", since, seen[0].at, POLL, seen[0].u, closing_source(record)))
        return
    # Closed between the two records: at the latest when the second begins.
    closed, u = (seen[0].at, seen[0].u) if seen else (record["pcs_aux"].start, POLL)
    check("XFR-006", duration("retransfer_delay_after_dip", dip.end, closed, dip.measurement.u, u, "end of the dip"))


@pytest.mark.verifies("XFR-005", "XFR-007", "XFR-015")
@pytest.mark.parametrize("load", [0.0, 0.5, 1.0], ids="{:.0%}".format)
def test_break_on_return(outage, evps, bench, capture, check, picture, profile, load):
    """The break in the house when it goes back to the mains is no longer than when it left.

    Restore the mains and measure the interruption about the closing of the contact.
    """
    with bench.house.drawing(load * outage.rated), evps.island():
        record, _ = closing_on(outage, capture, bench, "return", outage.channels())
    closing = first_closing(record["pcs_aux"])
    waves = [around(record[leg], closing.at, 0.5, AFTER) for leg in outage.legs]
    result = transfer_time(waves, outage.voltage, outage.frequency)
    check("XFR-007", result.measurement)
    check("XFR-005", itic_margin(waves, outage.voltage, outage.frequency))
    check("XFR-015", result.settle)
    if load == 1.0:
        limit = profile.figure("transfer_time")
        title = "Back to the mains at full load"
        picture(transfer_picture("return", title, record, result, outage.legs, limit, ("XFR-007",)))


@pytest.mark.verifies("XFR-008")
@pytest.mark.needs("analyzer")
@pytest.mark.parametrize("offset", WITHIN_WINDOW.values(), ids=WITHIN_WINDOW)
def test_closes_in_step(outage, evps, bench, capture, check, offset):
    """The contact closes only when mains and house are in step.

    Let the mains come back at another frequency, voltage and phase; measure what both sides differ by at closing.
    """
    df, voltage, turns = offset
    with bench.house.drawing(0.5 * outage.rated), evps.island():
        channels = ("grid_l1", "house_l1", "pcs_aux")
        later = turns / outage.frequency
        record, read = closing_on(outage, capture, bench, "return", channels, voltage, df, later)
    steady = (read.at - bench.analyzer.update_period, read.at)
    grid, house = (
        trimmed(record[port], read.values[port, "u"], outage.frequency, *steady) for port in ("grid_l1", "house_l1")
    )
    offsets = offsets_at_close(grid, house, first_closing(record["pcs_aux"]), outage.voltage, outage.frequency)
    check("XFR-008", offsets.df)
    check("XFR-008", offsets.dv)
    check("XFR-008", offsets.dphi)


@pytest.mark.verifies("XFR-008")
@pytest.mark.parametrize("offset", BEYOND_WINDOW.values(), ids=BEYOND_WINDOW)
def test_does_not_close_out_of_step(outage, evps, bench, contact, check, offset):
    """The contact stays open on a mains that is out of the window.

    Hold the mains at an offset beyond the window for longer than the delay and count closings of the contact.
    """
    df, voltage = offset
    with bench.house.drawing(0.5 * outage.rated), evps.island():
        bench.grid.supply(voltage * outage.voltage, (1.0 + df) * outage.frequency)
        closings = math.isfinite(contact.moves_to(True, outage.delay + HELD)[0])
    check("XFR-008", count("closings_outside_window", closings, "auxiliary contact of the PCS", bench.clock.now()))


def closing_source(record) -> str:
    """What a delay was measured between."""
    return f"{record['grid_l1'].source} to {record['pcs_aux'].source}"
