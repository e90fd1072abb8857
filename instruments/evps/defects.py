"""Planted defects: each a charger that breaks one promise, as a small change of its behaviour. Data only.

A defect names what it breaks (requirement ids), carries one figure (how bad), and turns a Behaviour into another. So it
can be combined with others, made slight or gross, and never needs a copy of the controller. A bench part plants them:

    defects = ["ignores-k", "opens-contactors-at=12", { name = "returns-house-late", severity = "900 ms" }]
    defects = [{ name = "ignores-k", when = "standby" }]

Here: the first ones. defects_session.py has more of the session, defects_ac.py those of PCS, stage and occasion.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from instruments.evps import defects_ac, defects_optional, defects_session
from instruments.evps.behaviour import Behaviour
from instruments.evps.defect import Defect, deaf, ignore, late
from instruments.evps.occasions import read_occasion
from rig.quantity import parse_quantity

KEYS = {"name", "severity", "when"}
"""Of an entry that is a table."""


@dataclass(frozen=True, slots=True)
class Planted:
    """A defect in a charger, with its severity. when: its occasion, "" for always."""

    name: str
    severity: float
    when: str = ""

    def apply(self, b: Behaviour) -> Behaviour:
        """The behaviour with this defect in it."""
        return DEFECTS[self.name].change(b, self.severity)


def plant(b: Behaviour, defects: Iterable[Planted]) -> Behaviour:
    """The behaviour with all of them, in the order given."""
    for defect in defects:
        b = defect.apply(b)
    return b


def read_planted(value: object) -> Planted:
    """One entry of a bench file. ValueError says what is wrong and how to write it."""
    if isinstance(value, Planted):
        return value
    if isinstance(value, str):
        name, _, figure = value.partition("=")
        name, given = name.strip(), figure.strip() or None
    elif isinstance(value, Mapping) and set(value) <= KEYS and isinstance(value.get("name"), str):
        name, given = value["name"], value.get("severity")
    else:
        raise ValueError(f'{value!r} is no defect: write "name", "name=figure" or {{ name = "…", severity = … }}')
    defect = DEFECTS.get(name)
    if defect is None:
        raise ValueError(f"no defect is named {name!r}: {', '.join(sorted(DEFECTS))}")
    severity = defect.severity if given is None else parse_quantity(_number(given), defect.unit)
    if not defect.least <= severity <= defect.most:
        raise ValueError(f"{name}: {severity:g} {defect.unit} must lie in {defect.least:g}..{defect.most:g}")
    when = value.get("when", defect.when) if isinstance(value, Mapping) else defect.when
    return Planted(name, severity, read_occasion(str(when)) if when else "")


def _number(given: Any) -> object:
    """A bare number in a text counts as one."""
    try:
        return float(given)
    except (TypeError, ValueError):
        return given


def _out_of_phase(b: Behaviour, _: float) -> Behaviour:
    return replace(b, synchronises=False, sync_dphi=180.0, sync_df=1e3, sync_dv=1e3)


FIRST = (
    # Limits of the car
    Defect(
        "ignores-discharge-limit",
        "discharges by so much above 0x200 byte 0",
        ("CHA-016",),
        10.0,
        "A",
        lambda b, a: replace(b, limit_over=b.limit_margin + a),
        most=30.0,
        nil=0.0,
    ),
    Defect(
        "deaf-to-discharge-limit",
        "does not look at 0x200 byte 0 at all",
        ("CHA-016",),
        1.0,
        "1",
        lambda b, _: replace(b, limit_ignored=True),
        source="chademo.md 6: over-promised current, DEV_AMPS at a 20 A gap (#33)",
    ),
    Defect(
        "follows-lowered-limit-late",
        "a lowered discharge limit takes effect late",
        ("CHA-016",),
        3.0,
        "s",
        lambda b, s: replace(b, limit_late=s),
        nil=0.0,
    ),
    Defect(
        "reads-0x200-without-255-minus",
        "takes the raw byte of the discharge limit for amperes",
        ("CHA-016",),
        1.0,
        "1",
        lambda b, _: replace(b, limit_raw=True),
        source="chademo.md 6: 0x200 inverted current misread by several projects ([BE],[RS],[DBC])",
    ),
    Defect(
        "charges-above-request",
        "charges by so much above 102.3",
        ("CHA-001", "CHA-014"),
        5.0,
        "A",
        lambda b, a: replace(b, current_over=a),
        most=30.0,
        nil=0.0,
    ),
    Defect(
        "slow-ramp",
        "follows a risen request with so many A/s",
        ("CHA-003",),
        5.0,
        "1",
        lambda b, rate: replace(b, ramp_up=rate),
        least=0.1,
        nil=40.0,
    ),
    Defect(
        "slow-stop",
        "brings the current down with so many A/s",
        ("CHA-004", "CHA-006"),
        20.0,
        "1",
        lambda b, rate: replace(b, ramp_down=rate, stop_limit=60.0),
        least=0.1,
        nil=150.0,
    ),
    # Stop signals
    deaf("k", "k", "the car lets go of k", "CHA-006", "CHA-022"),
    deaf("enable", "enable", "102.5.0 goes to 0", "CHA-022"),
    deaf("overvoltage-bit", "battery_overvoltage", "102.4.0 is set", "CHA-022"),
    deaf("undervoltage-bit", "battery_undervoltage", "102.4.1 is set", "CHA-022"),
    deaf("current-deviation-bit", "current_deviation", "102.4.2 is set", "CHA-022"),
    deaf("temperature-bit", "high_temperature", "102.4.3 is set", "CHA-022", "BAT-006"),
    deaf("voltage-deviation-bit", "voltage_deviation", "102.4.4 is set", "CHA-022"),
    deaf("shift-bit", "shift", "102.5.1 says not in park", "CHA-022"),
    deaf("system-fault-bit", "system_fault", "102.5.2 is set", "CHA-022"),
    deaf("overvoltage", "overvoltage", "the output reaches the threshold of 108.4-5", "BAT-005"),
    deaf("insulation-alarm", "insulation", "the insulation breaks down while power flows", "BAT-008"),
    deaf("withdrawal", "withdrawn", "102.5.7 is withdrawn", "CHA-022"),
    deaf("stop-before-start", "stop_before_charging", "102.5.4 is set before the first request", "CHA-022"),
    deaf("target-zero", "target_zero", "the target voltage is 0", "CHA-022"),
    deaf("stop-button", "stop_button", "its stop button is pressed", "CHA-004"),
    deaf("emergency-stop", "emergency_stop", "its emergency stop is pressed", "CHA-005"),
    deaf("unplugging", "unplugged", "the plug's proximity line is lost", "CHA-005"),
    deaf("blackout", "blackout", "the mains is lost and nobody takes over", "CHA-026"),
    deaf("maximum-level", "maximum_level", "the level of 0x200 byte 7 is reached", "BAT-002"),
    Defect(
        "ignores-the-target",
        "does not compare the car's target voltage with what it offers",
        ("CHA-024",),
        1.0,
        "1",
        lambda b, _: replace(b, checks_target=False),
    ),
    Defect(
        "stops-at-late-102.5.4",
        "takes 102.5.4 for a stop at any time",
        ("CHA-024",),
        1.0,
        "1",
        lambda b, _: replace(b, stop_before_always=True),
        source="chademo.md 6: 102.5 0xC8 to 0xD8, stop before start, for no visible reason (#9, #42)",
    ),
    Defect(
        "ends-at-withdrawal",
        "ends the session where only one direction is inhibited",
        ("BAT-001", "BAT-002"),
        1.0,
        "1",
        lambda b, _: replace(b, inhibit_ends=True),
    ),
    Defect(
        "lets-go-late",
        "keeps d1 so long after d2, and with it the lock",
        ("CHA-011",),
        60.0,
        "s",
        lambda b, s: replace(b, d1_after_d2=s),
        nil=0.6,
    ),
    Defect(
        "relocks",
        "locks the plug once more so long after a session has ended",
        ("CHA-023",),
        0.1,
        "s",
        lambda b, s: replace(b, relocks=s),
        least=0.01,
        most=0.3,
    ),
    Defect(
        "touchy",
        "takes so short a silence of the car for its loss",
        ("CHA-012",),
        0.15,
        "s",
        lambda b, s: replace(b, silence=s),
        least=0.02,
        nil=1.0,
        source="chademo.md 6: a car of 225 ms period rejected (log F)",
    ),
    Defect(
        "takes-any-frame",
        "takes frames cut short and frames with 29-bit identifiers for the car's",
        ("CHA-012",),
        1.0,
        "1",
        lambda b, _: replace(b, any_frame=True),
    ),
    Defect(
        "trusts-the-contactor-flag",
        "believes 102.5.3 without looking at the voltage",
        ("CHA-009",),
        1.0,
        "1",
        lambda b, _: replace(b, trusts_flag=True),
        source="chademo.md 6: welded adapter, car left in turtle mode ([CLARA])",
    ),
    Defect(
        "trusts-the-initial-limit",
        "discharges on a limit 200.0 that never started at 0 A",
        ("CHA-016",),
        1.0,
        "1",
        lambda b, _: replace(b, limit_masked=False),
    ),
    Defect(
        "old-protocol-only",
        "serves no car with another protocol number than this",
        ("CHA-024",),
        2.0,
        "1",
        lambda b, number: replace(b, serves=int(number)),
        most=255.0,
    ),
    Defect(
        "starts-by-itself",
        "calls a car as soon as a plug is in",
        ("CHA-024",),
        1.0,
        "1",
        lambda b, _: replace(b, needs_start=False),
    ),
    Defect(
        "starts-without-a-plug",
        "switches d1 on with no plug in",
        ("CHA-023",),
        1.0,
        "1",
        lambda b, _: replace(b, needs_plug=False),
        source="chademo.md 6: precharge with no plug and no CAN (issue #1662)",
    ),
    Defect(
        "resumes-after-a-blackout",
        "begins a session anew by itself when the mains comes back",
        ("CHA-026",),
        1.0,
        "1",
        lambda b, _: replace(b, resumes=True),
    ),
    Defect(
        "discharges-anyone",
        "takes every car for one that can be discharged",
        ("CHA-016",),
        1.0,
        "1",
        lambda b, _: replace(b, checks_v2h=False, ignored=b.ignored | {"withdrawn"}, limit_ignored=True),
    ),
    Defect(
        "hides-its-discharge",
        "sends neither 0x208 nor 0x209",
        ("CHA-024",),
        1.0,
        "1",
        lambda b, _: replace(b, discharge_frames=False),
    ),
    Defect(
        "overstates-its-input",
        "says in 208.3 that it can take so much more than its plate",
        ("CHA-016",),
        20.0,
        "A",
        lambda b, a: replace(b, discharge_overstated=a),
        most=100.0,
        nil=0.0,
        source="chademo.md 6: over-promised available current (#33)",
    ),
    Defect(
        "starts-late",
        "shows 109.5.0 so long after the first request",
        ("CHA-010",),
        1.0,
        "s",
        lambda b, s: replace(b, start_late=s),
        nil=0.0,
    ),
    Defect(
        "uneven-cycle",
        "sends its frames every so many s",
        ("CHA-012",),
        0.15,
        "s",
        lambda b, s: replace(b, cycle=s),
        least=0.02,
        nil=0.1,
    ),
    Defect("k-late", "reacts late to k", ("CHA-006",), 1.0, "s", late("k"), nil=0.0),
    Defect(
        "can-timeout-late",
        "waits so long for a silent car",
        ("CHA-012",),
        5.0,
        "s",
        lambda b, s: replace(b, silence=s),
        least=0.2,
        nil=1.0,
    ),
    Defect(
        "misses-only-0x102",
        "does not miss any other frame of the car",
        ("CHA-012",),
        1.0,
        "1",
        lambda b, _: replace(b, watched=frozenset({0x102})),
    ),
    Defect(
        "opens-contactors-at",
        "takes d2 away in a stop when the current has come down to so much: the car's contactors open under load",
        ("CHA-011", "CHA-026"),
        12.0,
        "A",
        lambda b, a: replace(b, release_current=a),
        most=30.0,
        nil=0.0,
        source="chademo.md 6: contactors opened under load (#1750)",
    ),
    Defect(
        "d2-before-zero-on-blackout",
        "cuts d2 before the current is 0 when the mains is lost",
        ("CHA-011",),
        1.0,
        "1",
        lambda b, _: replace(b, d2_at_once=True),
        source="chademo.md 6: contactors opened under load, wanted is current to 0 first (#1750)",
    ),
    Defect(
        "d1-with-d2",
        "drops d1 so soon after d2",
        ("CHA-011",),
        0.1,
        "s",
        lambda b, s: replace(b, d1_after_d2=s),
        nil=0.6,
    ),
    # Levels and voltages
    Defect(
        "discharges-below-minimum-level",
        "discharges on so far below the level of 0x200 byte 6",
        ("BAT-001",),
        0.05,
        "1",
        lambda b, level: replace(b, level_below=level),
        most=1.0,
        nil=0.0,
    ),
    Defect(
        "discharges-below-minimum-voltage",
        "does not look at the lowest discharge voltage",
        ("CHA-017",),
        1.0,
        "1",
        ignore("minimum_voltage"),
    ),
    Defect("ignores-reserve", "discharges below the user's floor", ("BAT-004",), 1.0, "1", ignore("reserve")),
    Defect(
        "voltage-report-offset",
        "reports so many V too much in 109.1-2",
        ("CHA-013",),
        15.0,
        "V",
        lambda b, v: replace(b, voltage_report_offset=v),
        least=-400.0,
        most=400.0,
        nil=0.0,
    ),
    # Start
    Defect(
        "no-insulation-test",
        "goes on without an insulation test",
        ("CHA-020",),
        1.0,
        "1",
        lambda b, _: replace(b, insulation_test=False),
    ),
    Defect(
        "weak-insulation-test",
        "accepts so many ohm/V",
        ("CHA-020",),
        20.0,
        "1",
        lambda b, r: replace(b, insulation_per_volt=r),
        nil=100.0,
    ),
    Defect(
        "waits-too-long-for-permission",
        "waits so long for k",
        ("CHA-007",),
        20.0,
        "s",
        lambda b, s: replace(b, permission_limit=s),
        nil=8.0,
    ),
    Defect(
        "waits-too-long-for-contactors",
        "waits so long for the car's contactors",
        ("CHA-009",),
        10.0,
        "s",
        lambda b, s: replace(b, contactor_limit=s),
        nil=4.0,
    ),
    Defect(
        "waits-too-long-for-request",
        "waits so long for the first request",
        ("CHA-010",),
        10.0,
        "s",
        lambda b, s: replace(b, request_limit=s),
        nil=4.0,
    ),
    # Transfer
    Defect(
        "returns-house-late",
        "forms the house so late after the contact has opened",
        ("XFR-002",),
        0.9,
        "s",
        lambda b, s: replace(b, transfer_late=s),
        nil=0.0,
    ),
    Defect(
        "forms-before-open",
        "forms without waiting for the contact to open",
        ("XFR-010",),
        1.0,
        "1",
        lambda b, _: replace(b, form_before_open=True),
    ),
    Defect(
        "transfers-at-sags",
        "takes a sag down to so much of nominal for a loss",
        ("XFR-014",),
        0.2,
        "1",
        lambda b, share: replace(b, loss_deviation=share),
        least=0.05,
        most=0.5,
        nil=0.5,
    ),
    Defect(
        "retransfer-too-early",
        "goes back to the mains after so long",
        ("XFR-006",),
        1.0,
        "s",
        lambda b, s: replace(b, retransfer_delay=s),
        nil=5.0,
    ),
    Defect(
        "retransfer-timer-runs-on",
        "a dip of the mains does not start the delay anew",
        ("XFR-006",),
        1.0,
        "1",
        lambda b, _: replace(b, delay_restarts=False),
    ),
    Defect(
        "closes-out-of-phase", "closes on the mains without comparing the waves", ("XFR-008",), 1.0, "1", _out_of_phase
    ),
    # Power
    Defect(
        "derates",
        "gives only so much of its power",
        ("PWR-001", "PWR-006"),
        0.7,
        "1",
        lambda b, share: replace(b, derating=share),
        least=0.01,
        most=0.99,
        nil=1.0,
    ),
)

ALL = (*FIRST, *defects_session.ALL, *defects_ac.ALL, *defects_optional.ALL)
DEFECTS: Mapping[str, Defect] = {one.name: one for one in ALL}
"""By name."""
