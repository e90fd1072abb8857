"""A run that never happened, told through rig.evidence as a real one would be: for tests of what reads a run's folder.

Every verdict occurs, with transfer waveforms (a sine with a gap at a phase angle), a current ramp, the quantities of a
session, rules kept, broken and without occasion, a lost instrument and a safe state. The same arguments give the same
bytes. Figures are plausible and nothing more. Long, because it is mostly data: a catalogue, a bench, pictures.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from rig.evidence.captures import Captures
from rig.evidence.documents import (
    Band,
    BenchDescribed,
    Bounds,
    BudgetLine,
    Calibration,
    CaptureStored,
    CardRow,
    ChargerCard,
    Edge,
    Incident,
    Item,
    Judged,
    Level,
    Measured,
    NotRun,
    OutputDeviation,
    Panel,
    Part,
    PartIdentity,
    Picture,
    Required,
    Row,
    RuleFound,
    RunStart,
    RunStop,
    SafeStateReached,
    Span,
    Stimulus,
    TestStart,
    TestStop,
    Trace,
    Word,
)
from rig.evidence.journal import Journal
from rig.evidence.run_info import RunInfo, write_run_info

RULE = "guard band 1 U, k = 2, non-binary"
PROJECT = "meets project limit"
ITIC = "ITIC curve 0 V for 20 ms [OPQ], [SIG]"
PLATE = "Nichicon EV Power Station specification [NICH]"

CATALOGUE = (
    Required(
        id="PWR-001",
        title="Rated continuous AC output, island mode",
        stated=">= 6.0 (declared rating) kW",
        source=f"{PLATE}; duration proposed",
        confidence="S (6 kW) / P (duration)",
        claim=PROJECT,
        rows=(Row(quantity="p_ac", limit=Bounds(min=6000.0, unit="W"), source="power = 6000 W of the profile"),),
        rule=RULE,
        method="Resistive bank at 100 % until thermal steady state; 10-cycle RMS P",
        selected=True,
        conditions="200 V 1-ph 3-wire, balanced legs; pack mid-SOC",
    ),
    Required(
        id="PQ-001",
        title="Output voltage, island mode",
        stated="200 +/-6 % V",
        source=PLATE,
        confidence="S",
        claim=f"conforms to {PLATE}",
        rule=RULE,
        method="10-cycle RMS at 0, 50 and 100 % load",
        selected=True,
        rows=(
            Row(quantity="v_leg", limit=Bounds(min=94.0, max=106.0, unit="V")),
            Row(quantity="frequency", limit=Bounds(min=49.0, max=51.0, unit="Hz")),
        ),
    ),
    Required(
        id="XFR-001",
        title="Mains-loss to house re-supplied (outer bound)",
        stated="<= 10 s",
        source="NFPA 110 Type 10 [ESM]; NEC 10 s [ECM]",
        confidence="S",
        claim="conforms to NFPA 110 Type 10 [ESM]",
        rows=(Row(quantity="t_transfer", limit=Bounds(max=10.0, unit="s")),),
        rule=RULE,
        selected=True,
        method="Open mains at PCC; time until the load voltage is back and stays",
        conditions="0/25/50/100 % load",
    ),
    Required(
        id="XFR-002",
        title="Seamless / ITE-compatible transfer (optional class)",
        stated="<= 20 ms",
        source=ITIC,
        confidence="S",
        claim=f"conforms to {ITIC}",
        rule=RULE,
        method="Point on wave",
        selected=True,
        rows=(Row(quantity="t_transfer", limit=Bounds(max=0.02, unit="s")),),
        conditions=">= 8 phase angles",
    ),
    Required(
        id="BAT-004",
        title="Discharge current follows the vehicle's limit",
        stated="<= limit sent + 0 A, within 1 s",
        source="CHAdeMO 0x200, implementers' notes [VCU]",
        confidence="S2",
        claim="conforms to CHAdeMO 0x200 [VCU]",
        rows=(Row(quantity="i_excess", limit=Bounds(max=1.0, unit="A")),),
        rule=RULE,
        selected=True,
        method="Step the discharge limit 30 -> 12 A during 6 kW discharge",
    ),
    Required(
        id="BAT-007",
        title="Discharge ends at the floor of the state of charge",
        stated=">= 10 %",
        confidence="P",
        source="project choice",
        claim=PROJECT,
        rule=RULE,
        method="Discharge to the floor",
        selected=True,
        rows=(Row(quantity="soc_end", limit=Bounds(min=0.10, unit="1")),),
    ),
    Required(
        id="EFF-001",
        title="DC to AC efficiency at rated power",
        stated=">= 90 %",
        source=PLATE,
        confidence="S",
        claim=f"conforms to {PLATE}",
        rule=RULE,
        method="P_AC / P_DC, 10 s means",
        selected=True,
        rows=(Row(quantity="efficiency", limit=Bounds(min=0.90, unit="1")),),
    ),
    Required(
        id="SAF-003",
        title="Current below 5 A before a contactor opens",
        stated="<= 5 A",
        confidence="S2",
        source="CHAdeMO 0x102 bit 3, implementers' notes [VCU]",
        claim="conforms to CHAdeMO [VCU]",
        rule=RULE,
        rows=(Row(quantity="i_at_opening", limit=Bounds(max=5.0, unit="A")),),
        selected=True,
        method="DC current when an EV contactor opens",
    ),
    Required(
        id="PWR-008",
        title="Short overload 105-125 %",
        stated="30 s",
        source="benchmark [HUA-H]",
        selected=True,
        confidence="S (benchmarks) / P (limit)",
        claim=PROJECT,
        rule=RULE,
        method="Step to 105, 110, 125 %",
        rows=(Row(quantity="t_overload", limit=Bounds(min=30.0, unit="s")),),
    ),
    Required(
        id="QLT-002",
        title="Voltage distortion, rectifier load",
        stated="<= 8 %",
        source="IEC 62040-3 Annex (load)",
        confidence="M",
        claim=PROJECT,
        rule=RULE,
        method="THD of the house voltage",
        selected=True,
        rows=(Row(quantity="thd_v", limit=Bounds(max=0.08, unit="1")),),
    ),
)
_ELSEWHERE = "needs a second inverter on the bench"
UNJUDGED = tuple(
    Required(id=f"GRD-{n:03d}", title=title, stated=stated, source="IEEE 1547-2018 in [UL1741SB]", confidence="S",
             claim="conforms to IEEE 1547-2018", method="Step from below to above the setting", not_run=reason)
    for n, (title, stated, reason) in enumerate(
        (
            ("OV2 trip", "1.20 pu, 0.16 s", "the profile's grid code is jeac-9701"),
            ("UV2 trip", "0.45 pu 0.16 s", "the profile's grid code is jeac-9701"),
            ("ROCOF ride-through", "3.0 Hz/s", "the profile's grid code is jeac-9701"),
            ("Unintentional islanding clearing time", "<= 2.0 s", ""),
            ("DC injection", "<= 0.5 %", "no offset-nulled sensor on this bench"),
            ("Reconnection inhibit after restoration", "300 s", ""),
            ("Multi-inverter islanding", "<= 2.0 s", _ELSEWHERE),
        ),
        1,
    )
)  # fmt: skip

RATE = 20e3


CARD = ChargerCard(
    sessions=7, spoiled=2, versions=("1.0 to 1.2",), broken=("TIM-03",),
    says=(CardRow(key="offered_current", name="offered current", unit="A", where="108.3, first", least=30.0,
                  median=30.0, most=30.0, count=7),),
    course=(CardRow(key="off_time", name="stop to end of power transfer", unit="s", where="109.5.0", least=0.1,
                    median=0.21, most=0.43, count=6, rule="R-STOP-ANSWER", says="The charger answers", state="kept"),),
    deviation=OutputDeviation(mean=-0.25, worst=-1.0, seconds=12.5),
)  # fmt: skip


@dataclass(slots=True)
class Teller:
    """Tells a run to a journal; `t` is the bench's time, moved on by hand."""

    folder: Path
    kind: Literal["hardware", "emulated", "mixed"] = "emulated"
    t: float = 0.0
    journal: Journal = field(init=False)
    captures: Captures = field(init=False)

    def __post_init__(self) -> None:
        self.journal = Journal(self.folder, lambda: self.t, sync=lambda _: None)
        self.captures = Captures(self.journal)

    def begin(self, catalogue: Iterable[Required] = (*CATALOGUE, *UNJUDGED), title: str = "") -> None:
        """RunStart, the bench, the catalogue."""
        name = "Charger model, 6 kW CHAdeMO V2H" if self.kind == "emulated" else "EV Power Station, 6 kW"
        item = Item(name=title or name, maker="Example Power", model="EVPS-6", serial="EX-000123", firmware="2.4.1")
        suites = ("transfer_timing", "power_handling", "battery_protection", "chademo_protocol")
        self.journal.append(
            RunStart(seed=7, bench="desk.toml", profile="leaf-to-home-6kw", catalogue="c41f0e6b92aa", suites=suites,
                     item=item, rig="0.1.0")
        )  # fmt: skip
        self.journal.append(
            BenchDescribed(kind=self.kind, clock="virtual", parts=self._parts(), absent=("digitizer 2",))
        )
        for one in catalogue:
            self.journal.append(one)

    def _parts(self) -> tuple[Part, ...]:
        rows = (
            ("evps", "evps", PartIdentity(maker="Example Power", model="EVPS-6", serial="EX-000123"), ""),
            ("house", "chroma_63804", PartIdentity(maker="Chroma", model="63804", serial="L1"), "63804 manual p. 2-3"),
            ("grid", "chroma_61845", PartIdentity(maker="Chroma", model="61845", serial="G1"), "61800 manual p. 13"),
            ("battery", "ea_psb_10000", PartIdentity(maker="EA", model="PSB 10500-60", serial="B1"), "PSB data sheet"),
            ("analyzer", "wt5000", PartIdentity(maker="Yokogawa", model="WT5000", serial="Y1"), "IM WT5000-01 ch. 2"),
        )
        emulated = {"emulated": {row[0] for row in rows}, "hardware": set(), "mixed": {"grid", "house"}}[self.kind]
        return tuple(
            Part(name=name, driver=driver, identity=who, accuracy=accuracy, emulated=name in emulated,
                 resource="emulated" if name in emulated else f"TCPIP::10.0.0.{n}::INSTR",
                 met_hardware=name not in emulated and name != "battery",
                 calibration=Calibration() if name in emulated or name == "evps"
                 else Calibration(until="2026-03-31" if name == "analyzer" else "2027-03-31", certificate=f"K-{n}/26"))
            for n, (name, driver, who, accuracy) in enumerate(rows, 10)
        )  # fmt: skip

    def start(self, test: str, title: str, requirements: tuple[str, ...], procedure: str, suite: str) -> str:
        """TestStart; the test's id."""
        self.journal.append(
            TestStart(test=test, title=title, requirements=requirements, procedure=procedure, suite=suite)
        )
        return test

    def measure(self, name: str, value: float, unit: str, us: tuple[float, ...], of: tuple[str, ...] = ()) -> int:
        """A measurement whose budget has these contributions; its number."""
        names = ("meter, gain", "meter, offset", "method", "repeatability", "resolution")
        lines = tuple(
            BudgetLine(name=names[k % 5], u=u, distribution=("rectangular", "normal")[k % 2], source="accuracy.toml")
            for k, u in enumerate(us)
        )
        u = math.sqrt(math.fsum(one**2 for one in us))
        return self.journal.append(
            Measured(name=name, value=value, unit=unit, u=u, budget=lines, source="house leg 1", at=self.t, of=of)
        )

    def judge(self, number: int, requirement: str, value: float, u: float, verdict: Word | None = None) -> Word:
        """Judge a measurement by its requirement's first row under a guard band; the verdict."""
        asked = next(one for one in (*CATALOGUE, *UNJUDGED) if one.id == requirement)
        return self.judge_row(number, asked, asked.rows[0], value, u, verdict)

    def judge_row(
        self, number: int, asked: Required, row: Row, value: float, u: float, verdict: Word | None = None
    ) -> Word:
        """The same by a given row."""
        low, high, big = row.limit.min, row.limit.max, 2 * u
        room = min(math.inf if low is None else value - low, math.inf if high is None else high - value)
        word: Word = verdict or ("PASS" if room >= big else "FAIL" if room <= -big else "INCONCLUSIVE")
        accepted = Bounds(
            min=None if low is None else low + big, max=None if high is None else high - big, unit=row.limit.unit
        )
        probability = 0.5 * math.erfc(-room / u / math.sqrt(2)) if u > 0 and math.isfinite(room) else float(room >= 0)
        self.journal.append(
            Judged(requirement=asked.id, quantity=row.quantity, verdict=word, measurement=number, limit=row.limit,
                   acceptance=accepted, expanded=big, k=2.0, rule=asked.rule, claim=asked.claim, margin=room,
                   probability=probability, reason=f"{row.quantity} {value:.6g} (U {big:.2g}); {RULE}")
        )  # fmt: skip
        return word

    def stop(self, test: str, outcome: Word | Literal["ERROR"], seconds: float, reason: str = "") -> None:
        """TestStop, the clock moved on."""
        self.t += 0.5
        self.journal.append(TestStop(test=test, outcome=outcome, seconds=seconds, reason=reason))

    def end(self, stop: bool = True) -> Path:
        """Safe state and RunStop, run.json beside it."""
        readings = ("battery |I| 0.02 A < 1 A", "house 0.4 V", "grid output off", "EV contactors open")
        self.journal.append(SafeStateReached(confirmed=True, readings=readings))
        if stop:
            self.journal.append(RunStop(status="completed"))
        self.journal.close()
        info = RunInfo(
            run=self.folder.name, begun="2026-11-25T08:00:00+00:00", ended="2026-11-25T08:00:09+00:00" if stop else "",
            wall_seconds=9.4 if stop else 0.0, host="bench-1", user="operator", python="3.11.7", system="Linux",
            packages={"numpy": "2.1.0", "pyarrow": "18.0.0"}, commit="0123456789abcdef", command="v2hrig certify",
        )  # fmt: skip
        write_run_info(self.folder, info)
        return self.folder


def gap_sine(start: float, opened: float, gap: float, seconds: float, rate: float, phase: float) -> np.ndarray:
    """Two legs of 100 V 50 Hz that vanish at `opened` for `gap` s and come back with a short ring. Shape (2, n)."""
    t = start + np.arange(round(seconds * rate)) / rate
    wave = 100 * math.sqrt(2) * np.sin(2 * np.pi * 50 * (t - opened) + math.radians(phase))
    since = t - opened - gap
    ring = np.where(since > 0, 60 * np.exp(-since / 0.003) * np.sin(2 * np.pi * 400 * since), 0.0)
    decay = np.where((t > opened) & (since <= 0), np.exp(-(t - opened) / 0.0006), 1.0)
    noise = np.random.default_rng(int(phase)).normal(0, 0.4, (2, t.size))
    return (np.stack((wave * decay + ring, -(wave * decay + ring))) + noise).astype(np.float32)


def transfer(
    teller: Teller, load: float, angle: int, gap: float, u: float = 0.00025, seconds: float = 1.2, name: str = ""
) -> None:
    """One transfer test with its record and picture."""
    test = f"suites/transfer_timing/test_mains_loss.py::test_backup[{load:.0%}-{angle}deg]{name}"
    title = f"Backup supplies the house after mains loss, {load:.0%} load, {angle} deg"
    procedure = (
        "Open the mains at the point of common coupling on a given point on wave; the house must be back in its band "
        "in time.\n\nThe charger is in session, the pack at 50 %, the house resistive."
    )
    teller.start(test, title, ("XFR-001", "XFR-002"), procedure, "transfer_timing")
    begun = teller.t
    teller.journal.append(
        Stimulus(what="Draw power from the house", values={"power": load * 6000.0}, units={"power": "W"})
    )
    teller.t += 2.0
    opened = teller.t + 0.4
    teller.journal.append(Stimulus(what="Open the mains at an angle", values={"angle": angle}, units={"angle": "deg"}))
    samples = gap_sine(teller.t, opened, gap, seconds, RATE, angle)
    stored = teller.captures.waveform(f"transfer {load:.0%} at {angle}", ("leg1", "leg2"), samples,
                                      start=teller.t, rate=RATE)  # fmt: skip
    teller.t += seconds
    number = teller.measure("t_transfer", gap, "s", (0.8 * u, 0.5 * u, 0.33 * u), (stored.sha256,))
    words = [teller.judge(number, "XFR-001", gap, u), teller.judge(number, "XFR-002", gap, u)]
    teller.journal.append(_transfer_picture(stored, opened, gap, angle))
    outcome = max(words, key=("PASS", "INCONCLUSIVE", "FAIL").index)
    teller.stop(test, outcome, teller.t - begun)


def _transfer_picture(stored: CaptureStored, opened: float, gap: float, angle: int) -> Picture:
    back, limit = opened + gap, opened + 0.02
    return Picture(
        name=f"transfer-{angle}", title="House voltage through the loss of mains", kind="transfer",
        captures=(stored.sha256,), start=opened - 0.04, end=opened + 0.08, origin=opened,
        caption=f"Mains opened at {angle} deg; the voltage was away for {1e3 * gap:.1f} ms.", requirements=("XFR-002",),
        panels=(
            Panel(title="Leg 1", unit="V", traces=(Trace(channel="leg1", label="house L1-N"),)),
            Panel(title="Leg 2", unit="V", traces=(Trace(channel="leg2", label="house L2-N"),)),
        ),
        spans=(Span(start=opened, end=back, label="interruption", tone="event"),),
        edges=(Edge(at=opened, label="mains opened"), Edge(at=back, label="voltage back"),
               Edge(at=limit, label="limit 20 ms", panel="Leg 2")),
    )  # fmt: skip


def ramp(teller: Teller) -> None:
    """The discharge current follows a falling limit: PASS with a picture from a series."""
    test = teller.start(
        "suites/battery_protection/test_limits.py::test_current_follows_limit", "Current follows a falling limit",
        ("BAT-004",), "Step the vehicle's discharge limit down while 6 kW are drawn; the current follows within 1 s.",
        "battery_protection",
    )  # fmt: skip
    t = teller.t + np.arange(0, 12, 0.01)
    limit = np.where(t < teller.t + 5, 30.0, 12.0)
    asked = np.clip(limit - 0.5, 0, 18)
    lag = np.exp(-np.clip(t - teller.t - 5, 0, None) / 0.18)
    current = -np.where(t < teller.t + 5, 17.5, 11.5 + 6 * lag) + np.random.default_rng(3).normal(0, 0.05, t.size)
    stored = teller.captures.series("ramp", t, {"i_dc": current, "asked": -asked, "limit": -limit},
                                    {"i_dc": "A", "asked": "A", "limit": "A"})  # fmt: skip
    teller.journal.append(Stimulus(what="Send a discharge limit", values={"limit": 12.0}, units={"limit": "A"}))
    teller.journal.append(
        Picture(
            name="ramp", title="DC current against the limit the car sent", kind="ramp", captures=(stored.sha256,),
            origin=teller.t + 5, requirements=("BAT-004",),
            panels=(Panel(title="DC current", unit="A", traces=(
                Trace(channel="i_dc", label="measured"), Trace(channel="asked", label="asked", role="asked", step=True),
                Trace(channel="limit", label="limit sent", role="limit", step=True))),),
            edges=(Edge(at=teller.t + 5, label="limit lowered to 12 A"),),
            spans=(Span(start=teller.t + 5, end=teller.t + 6, label="allowed 1 s", tone="good"),),
        )
    )  # fmt: skip
    teller.t += 12
    number = teller.measure("i_excess", -0.31, "A", (0.05, 0.03), (stored.sha256,))
    teller.judge(number, "BAT-004", -0.31, 0.06)
    _rules(teller, broken=False)
    teller.stop(test, "PASS", 12.0)


def session(teller: Teller) -> None:
    """A whole session: slow quantities, three verdicts of which one fails, a rule broken."""
    test = teller.start(
        "suites/power_handling/test_rated.py::test_rated_power", "Rated power for an hour, then to the floor",
        ("PWR-001", "PQ-001", "EFF-001", "BAT-007", "SAF-003"),
        "Draw 6 kW in island mode until thermally steady, then discharge to the floor of the state of charge.",
        "power_handling",
    )  # fmt: skip
    t = teller.t + np.arange(0, 4200, 1.0)
    x = t - teller.t
    soc = np.maximum(0.103, 0.75 - 0.65 * x / 4000)
    power = np.where(x < 4000, 6000 - 40 * (1 - np.exp(-x / 900)), 0) + np.random.default_rng(5).normal(0, 6, x.size)
    volts, temp = 330 + 60 * soc, 25 + 28 * (1 - np.exp(-x / 1200))
    columns = {"p_ac": power, "soc": soc, "v_dc": volts, "t_case": np.where((x > 2000) & (x < 2200), np.nan, temp)}
    stored = teller.captures.series("session", t, columns, {"p_ac": "W", "soc": "1", "v_dc": "V", "t_case": "degC"})
    teller.journal.append(
        Picture(
            name="session", title="Session at rated power", kind="session", captures=(stored.sha256,), origin=teller.t,
            caption="AC power sags as the case warms; the record of the case has a gap of 200 s.",
            panels=(
                Panel(title="AC power", unit="kW", scale=1e-3, traces=(Trace(channel="p_ac", label="P AC"),), low=0.0,
                      high=7000.0, levels=(Level(value=6000.0, label="rated 6 kW"),)),
                Panel(title="State of charge", unit="%", scale=100.0, traces=(Trace(channel="soc", label="SOC"),),
                      levels=(Level(value=0.10, label="floor 10 %"),)),
                Panel(title="Battery voltage", unit="V", traces=(Trace(channel="v_dc"),),
                      bands=(Band(low=320.0, high=400.0, label="pack window"),)),
                Panel(title="Case", unit="degC", traces=(Trace(channel="t_case", label="case", role="other"),)),
            ),
            edges=(Edge(at=teller.t + 4000, label="floor reached"),),
        )
    )  # fmt: skip
    teller.t += 4200
    of = (stored.sha256,)
    quality, leg = CATALOGUE[1], CATALOGUE[1].rows
    teller.judge(teller.measure("p_ac", 5962.0, "W", (8.0, 6.0, 5.0), of), "PWR-001", 5962.0, 11.2)
    teller.judge_row(teller.measure("v_leg", 101.32, "V", (0.1, 0.04)), quality, leg[0], 101.32, 0.108)
    teller.judge_row(teller.measure("frequency", 50.002, "Hz", (0.002,)), quality, leg[1], 50.002, 0.002)
    teller.judge(teller.measure("efficiency", 0.9031, "1", (0.0026, 0.0012), of), "EFF-001", 0.9031, 0.0029)
    teller.judge(teller.measure("soc_end", 0.1030, "1", (0.001,), of), "BAT-007", 0.1030, 0.001)
    teller.judge(teller.measure("i_at_opening", 0.4, "A", (0.05,), of), "SAF-003", 0.4, 0.05)
    _rules(teller, broken=True)
    teller.stop(test, "FAIL", 4200.0)


def _rules(teller: Teller, broken: bool) -> None:
    table: tuple[tuple[str, str, Literal["kept", "unknown"], tuple[str, ...]], ...] = (
        (
            "CUR-01",
            "Discharge current at or below the limit last sent, within the ramp allowance",
            "kept",
            ("BAT-004",),
        ),
        ("CON-02", "Current at or below 5 A before a contactor opens", "kept", ("SAF-003",)),
        ("TIM-03", "Charger's frames every 100 ms", "kept", ()),
        ("STP-04", "Stop within 2 s of the vehicle's stop request", "unknown", ()),
    )
    for rule, title, state, requirements in table:
        bad = broken and rule == "TIM-03"
        teller.journal.append(
            RuleFound(rule=rule, title=title, state="broken" if bad else state, duty="charger", confidence="S2",
                      source="CHAdeMO, implementers' notes [VCU]", requirements=requirements,
                      at=teller.t - 812.3 if bad else 0.0, frame="109 02 00 00 00 00 05 00 00" if bad else "",
                      value=0.412 if bad else 0.0, limit=0.15 if bad else 0.0, unit="s" if bad else "",
                      message="0x109 came 412 ms after the one before" if bad else "", count=2 if bad else 0)
        )  # fmt: skip


def overload(teller: Teller) -> None:
    """An instrument is lost: INVALID, with an incident and a safe state inside the test."""
    test = teller.start(
        "suites/power_handling/test_overload.py::test_overload[125%]", "Overload of 125 %", ("PWR-008",),
        "Step to 125 % of rated power; it must hold for 30 s.", "power_handling",
    )  # fmt: skip
    teller.journal.append(Stimulus(what="Draw power from the house", values={"power": 7500.0}, units={"power": "W"}))
    teller.t += 3.2
    teller.journal.append(Incident(kind="LostInstrument", what="house: no answer to MEAS:POW? in 2 s", fault="bench"))
    teller.journal.append(SafeStateReached(confirmed=True, readings=("battery |I| 0.01 A < 1 A", "house open")))
    teller.stop(test, "INVALID", 3.2, "house: no answer to 'MEAS:POW?'")


def build(
    folder: Path,
    kind: Literal["hardware", "emulated", "mixed"] = "emulated",
    angles: tuple[int, ...] = (0, 45, 90, 135, 180, 225, 270, 315),
    stop: bool = True,
) -> Path:
    """The whole run; its folder."""
    teller = Teller(folder, kind)
    teller.begin()
    gaps = np.random.default_rng(11).uniform(0.0128, 0.0182, 2 * len(angles))
    for k, (load, angle) in enumerate((load, angle) for load in (0.5, 1.0) for angle in angles):
        late = load == 1.0 and angle == 315
        transfer(teller, load, angle, 0.0197 if late else float(gaps[k]))
    session(teller)
    overload(teller)
    ramp(teller)
    teller.journal.append(
        NotRun(subject="test", id="suites/power_handling/test_distortion.py::test_rectifier_load",
               reason="the bench has no second digitizer channel")
    )  # fmt: skip
    teller.journal.append(
        NotRun(subject="requirement", id="QLT-002", reason="the bench has no second digitizer channel")
    )
    if stop:
        teller.journal.append(CARD)
    return teller.end(stop)


def many(folder: Path, tests: int) -> Path:
    """A long run of transfer tests, each with a record, a picture and two verdicts."""
    teller = Teller(folder)
    teller.begin()
    gaps = np.random.default_rng(2).uniform(0.012, 0.021, tests)
    for k in range(tests):
        transfer(teller, (0.25, 0.5, 1.0)[k % 3], 15 * (k % 24), float(gaps[k]), seconds=0.55, name=f"[{k}]")
    return teller.end()


def change(folder: Path, number: int, old: bytes, new: bytes) -> None:
    """Change bytes of one line of a journal, as someone who wants another result would."""
    path = folder / "journal.jsonl"
    lines = path.read_bytes().split(b"\n")
    assert old in lines[number]
    lines[number] = lines[number].replace(old, new)
    path.write_bytes(b"\n".join(lines))


def points(d: str) -> list[tuple[int, int]]:
    """The points of a drawn line, from its path: where it begins, then each from the one before."""
    found = list[tuple[int, int]]()
    for piece in d.split("M")[1:]:
        x, y, *steps = map(int, re.findall(r"-?\d+", piece))
        found.append((x, y))
        for dx, dy in zip(steps[::2], steps[1::2], strict=True):
            x, y = x + dx, y + dy
            found.append((x, y))
    return found
