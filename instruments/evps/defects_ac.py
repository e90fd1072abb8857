"""Planted defects of the AC side: PCS, grid protections, power stage, and what shows only now and then. Data only."""

from __future__ import annotations

from dataclasses import replace

from instruments.evps.behaviour import Behaviour
from instruments.evps.defect import Change, Defect


def _trips(figure: str = "", moved: bool = False) -> Change:
    """Protections of a figure ("" for all): so many times as late, or `moved`: off by a fraction of their set value."""

    def change(b: Behaviour, figured: float) -> Behaviour:
        code = b.grid_code
        trips = tuple(
            trip
            if figure not in ("", trip.figure)
            else replace(trip, limit=trip.limit * (1.0 + (figured if trip.above else -figured)))
            if moved
            else replace(trip, after=trip.after * figured)
            for trip in code.trips
        )
        return replace(b, grid_code=replace(code, trips=trips))

    return change


def _no_frequency_trip(b: Behaviour, _: float) -> Behaviour:
    trips = tuple(trip for trip in b.grid_code.trips if trip.figure != "f")
    return replace(b, grid_code=replace(b.grid_code, trips=trips))


def _early_trip(b: Behaviour, share: float) -> Behaviour:
    return replace(b, overloads=tuple((fraction, seconds * share) for fraction, seconds in b.overloads))


def _slow_trip(b: Behaviour, seconds: float) -> Behaviour:
    (short, held), (heavy, _) = b.overloads
    return replace(b, overloads=((short, max(held, seconds)), (heavy, seconds)))


LATE = lambda b, s: replace(b, transfer_late=s)  # noqa: E731  (a Change, thrice)

ALL = (
    # Transfer
    Defect(
        "transfers-late-at-the-peak",
        "forms the house so late after a loss near a peak of the wave, and in time at any other point on wave",
        ("XFR-002", "XFR-005"),
        0.025,
        "s",
        LATE,
        nil=0.0,
        when="near:90",
    ),
    Defect(
        "transfers-late-at-the-crossing",
        "forms the house so late after a loss near a zero crossing, and in time at any other point on wave",
        ("XFR-002", "XFR-005"),
        0.025,
        "s",
        LATE,
        nil=0.0,
        when="near:0",
    ),
    Defect(
        "transfers-late-after-charging",
        "forms the house so late when it has charged before, and in time else",
        ("XFR-012",),
        12.0,
        "s",
        LATE,
        nil=0.0,
        when="charging",
    ),
    Defect(
        "feeds-back",
        "forms so long before it tells its contact to open: the mains is fed from the car",
        ("XFR-010",),
        0.04,
        "s",
        lambda b, s: replace(b, coil_late=s),
        most=1.0,
        nil=0.0,
    ),
    Defect(
        "sees-a-loss-late",
        "the wave must be off for so long before it counts as lost",
        ("XFR-002", "XFR-005"),
        0.03,
        "s",
        lambda b, s: replace(b, loss_confirm=s),
        least=5e-5,
        most=0.035,
        nil=0.001,
    ),
    Defect(
        "rises-slowly",
        "brings the house up over so many s",
        ("XFR-002", "XFR-015"),
        0.3,
        "s",
        lambda b, s: replace(b, soft_start=s),
        least=0.001,
        most=5.0,
        nil=0.004,
    ),
    Defect(
        "returns-to-a-bad-mains",
        "takes a mains for good that is off by so much of its voltage",
        ("XFR-008", "XFR-006"),
        0.5,
        "1",
        lambda b, off: replace(b, good_voltage=(1.0 - off, 1.0 + off), sync_dv=off),
        least=0.05,
        most=0.9,
        nil=0.08,
    ),
    Defect(
        "closes-at-an-angle",
        "closes on the mains with so many degrees between both waves",
        ("XFR-008",),
        120.0,
        "1",
        lambda b, degrees: replace(b, synchronises=False, sync_dphi=degrees, sync_df=1.0, sync_dv=0.5),
        most=180.0,
        nil=3.0,
    ),
    # Grid protection
    Defect(
        "trips-late",
        "its grid protections take so many times as long",
        ("GRD-019", "GRD-020"),
        4.0,
        "1",
        _trips(),
        least=1.0,
        most=100.0,
        nil=1.0,
    ),
    Defect(
        "trips-early",
        "its grid protections act after so much of their time",
        ("GRD-019", "GRD-020"),
        0.2,
        "1",
        _trips(),
        least=0.01,
        most=1.0,
        nil=1.0,
    ),
    Defect(
        "voltage-trips-moved",
        "its voltage protections act so much of their set value farther out",
        ("GRD-019",),
        0.1,
        "1",
        _trips("u", moved=True),
        most=0.5,
        nil=0.0,
    ),
    Defect(
        "frequency-trips-moved",
        "its frequency protections act so much of their set value farther out",
        ("GRD-020",),
        0.03,
        "1",
        _trips("f", moved=True),
        most=0.1,
        nil=0.0,
    ),
    Defect("no-frequency-protection", "has no frequency protection", ("GRD-020",), 1.0, "1", _no_frequency_trip),
    # Power
    Defect(
        "derates-when-warm",
        "gives only so much of its power after 20 minutes of it",
        ("PWR-001",),
        0.7,
        "1",
        lambda b, share: replace(b, derating=share),
        least=0.01,
        most=1.0,
        nil=1.0,
        when="after:1200",
    ),
    Defect(
        "weak-leg",
        "leg L2 loses so much of its voltage at rated power, beside the usual droop",
        ("PWR-012", "PQ-001"),
        0.15,
        "1",
        lambda b, share: replace(b, weak_leg=share),
        most=0.5,
        nil=0.0,
    ),
    Defect(
        "droops",
        "both legs lose so much of their voltage at rated power",
        ("PQ-001", "PWR-010"),
        0.15,
        "1",
        lambda b, share: replace(b, droop=share),
        most=0.5,
        nil=0.02,
    ),
    Defect(
        "forms-low",
        "forms the house at so much of its nominal voltage",
        ("PQ-001",),
        0.88,
        "1",
        lambda b, share: replace(b, form_level=share),
        least=0.6,
        most=1.2,
        nil=1.0,
    ),
    Defect(
        "forms-off-frequency",
        "forms the house by so many Hz too fast",
        ("PQ-002",),
        2.5,
        "Hz",
        lambda b, hz: replace(b, form_df=hz),
        least=-5.0,
        most=5.0,
        nil=0.0,
    ),
    Defect(
        "wastes",
        "loses so many W more than it should",
        ("EFF-001", "EFF-003"),
        800.0,
        "W",
        lambda b, w: replace(b, extra_loss=w),
        most=3000.0,
        nil=0.0,
    ),
    Defect(
        "wastes-at-part-load",
        "loses so many W at no load and nothing more at its rating",
        ("EFF-002",),
        200.0,
        "W",
        lambda b, w: replace(b, part_loss=w),
        most=240.0,
        nil=0.0,
        beyond="part-load efficiency and standby have no limit in the catalogue (EFF-002, EFF-004 are reported only)",
    ),
    Defect(
        "measures-its-power-wrong",
        "its own meter shows so much too much AC power",
        ("PWR-006",),
        0.12,
        "1",
        lambda b, share: replace(b, power_sense=1.0 + share),
        least=-0.5,
        most=0.5,
        nil=0.0,
        source="standards.md PWR-006, MET-001: +/-5 % of rating",
    ),
    Defect(
        "overshoots-its-set-point",
        "gives and takes so many times the power asked for",
        ("PWR-006",),
        1.15,
        "1",
        lambda b, share: replace(b, derating=share),
        least=1.0,
        most=1.5,
        nil=1.0,
    ),
    Defect(
        "follows-power-late",
        "follows a new power set-point after so many s",
        ("PWR-007",),
        60.0,
        "s",
        lambda b, s: replace(b, power_late=s),
        nil=0.0,
    ),
    Defect(
        "overload-trips-early",
        "carries an overload for so much of its time",
        ("PWR-008",),
        0.3,
        "1",
        _early_trip,
        least=0.01,
        most=1.0,
        nil=1.0,
    ),
    Defect(
        "overload-trips-late",
        "carries 125 % for so many s before it trips",
        ("PWR-009",),
        60.0,
        "s",
        _slow_trip,
        least=0.2,
        nil=0.2,
        beyond="PWR-009 is a benchmark from below (200 ms are to be carried) and not run: no row bounds from above how "
        "long 125 % may be carried",
    ),
)
