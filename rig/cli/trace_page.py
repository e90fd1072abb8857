"""A judged trace as the report's values: traces over time, phases, lanes of bits and tables."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from reports.plot import Column as Drawn
from reports.session import Lane, SessionPage, Sheet, Stretch
from rig.chademo.rules.rule import RuleState, RuleVerdict
from rig.chademo.session import Phase
from rig.cli.trace_words import head_lines, number, value
from rig.evidence.documents import Edge, Panel, Picture, Span, Trace
from rig.trace.columns import BITS, Column, Columns
from rig.trace.judge import SessionReport, TraceReport
from rig.trace.reader import TraceFile

MOST_NAMED = 8
"""Broken rules named above a drawing and marked in it; the table below it has all."""
LEAD = 0.5
"""s shown before and after a session (project choice)."""
P = Phase
TONES: dict[Phase, str] = {
    P.INSULATION: "test",
    P.CHARGING: "flow",
    P.DISCHARGING: "out",
    P.STOPPING: "end",
    P.WELD_CHECK: "test",
}
"""Phases that are to be seen at once; the others take turns."""
SHADES: dict[str, str] = {"test": "event", "flow": "good", "out": "back", "end": "bad"}
VOLTAGES = (
    ("output_voltage", "output 109.1-2", "measured"),
    ("target_voltage", "target 102.1-2", "asked"),
    ("threshold_voltage", "threshold 108.4-5", "limit"),
    ("min_discharge_voltage", "lowest 200.4-5", "limit"),
)
CURRENTS = (
    ("current", "output 109.3, 208.0", "measured"),
    ("request", "request 102.3", "asked"),
    ("available", "offers 108.3", "other"),
    ("discharge_limit", "limit 200.0", "limit"),
    ("input_current", "takes 208.3", "other"),
)
SOC = (("soc", "102.6 of 100.6", "measured"),)


def session_pages(trace: TraceFile, report: TraceReport, columns: Columns) -> list[SessionPage]:
    """A page of each session."""
    return [_page(trace, report, session, columns) for session in report.sessions]


def _page(trace: TraceFile, report: TraceReport, session: SessionReport, columns: Columns) -> SessionPage:
    several = len(report.sessions) + report.more_sessions > 1
    title = f"{trace.path.name}, session {session.number}" if several else trace.path.name
    broken = report.broken()
    start, end = max(0.0, session.phases[0].start - LEAD), min(report.span, session.phases[-1].end + LEAD)
    end = end if end > start else start + LEAD
    return SessionPage(
        title=title,
        lines=tuple(head_lines(trace)),
        picture=_picture(title, session, start, end, columns, broken),
        columns={name: _drawn(column, end) for name, column in columns.values.items() if any_known(column)},
        phases=_phases(session),
        lanes=_lanes(columns, start, end),
        sheets=(_phase_sheet(session), *_fact_sheets(session), *([_broken_sheet(report)] if broken else [])),
        verdict=_told(broken) if broken else f"no violation in {report.frames} frames",
        bad=bool(broken),
    )


def _told(broken: Sequence[RuleVerdict]) -> str:
    ids = [verdict.rule.id for verdict in broken]
    more = f" and {len(ids) - MOST_NAMED} more" if len(ids) > MOST_NAMED else ""
    return f"broken in this recording: {', '.join(ids[:MOST_NAMED])}{more}"


def any_known(column: Column) -> bool:
    """Something of it was seen."""
    return any(one is not None for one in column.values)


def _picture(
    title: str, session: SessionReport, start: float, end: float, columns: Columns, broken: Sequence[RuleVerdict]
) -> Picture:
    def traces(wanted: tuple[tuple[str, str, str], ...]) -> tuple[Trace, ...]:
        return tuple(
            Trace(channel=name, label=label, role=role, step=True)  # type: ignore[arg-type]
            for name, label, role in wanted
            if any_known(columns.values[name])
        )

    panels = (
        Panel(title="Voltage", unit="V", traces=traces(VOLTAGES)),
        Panel(title="Current, positive into the battery", unit="A", traces=traces(CURRENTS)),
        Panel(title="State of charge", unit="%", scale=100.0, traces=traces(SOC), low=0.0, high=1.0),
    )
    shown = tuple(panel for panel in panels if panel.traces)
    spans = [
        Span(start=span.start, end=span.end, tone=SHADES[TONES[span.phase]])  # type: ignore[arg-type]
        for span in session.phases
        if span.phase in TONES and span.duration > 0
    ]
    edges = [Edge(at=one.first.at, label=one.rule.id) for one in broken[:MOST_NAMED] if one.first is not None]
    return Picture(
        name="session", title=title, kind="session", captures=(), panels=shown, spans=tuple(spans), edges=tuple(edges),
        start=start, end=end,
    )  # fmt: skip


def _drawn(column: Column, end: float) -> Drawn:
    values = np.array([math.nan if one is None else one for one in column.values], dtype=np.float64)
    t = np.array(column.t, dtype=np.float64)
    return np.append(t, max(end, t[-1])), np.append(values, values[-1])


def _phases(session: SessionReport) -> tuple[Stretch, ...]:
    return tuple(
        Stretch(
            span.start,
            span.end,
            span.phase.value,
            TONES.get(span.phase, "even" if n % 2 else ""),
            f"{n}. {span.phase.value}: {span.start:.2f} s to {span.end:.2f} s, {span.duration:.2f} s",
        )
        for n, span in enumerate(session.phases, 1)
    )


def _lanes(columns: Columns, start: float, end: float) -> tuple[Lane, ...]:
    """Bits that were ever set; a bit that is about a fault in the colour of one."""
    lanes = []
    for bit in BITS:
        column = columns.bits[bit]
        ends = [*column.t[1:], end]
        runs = [(t, stop) for t, stop, on in zip(column.t, ends, column.values, strict=True) if on]
        seen = [(max(t, start), min(stop, end)) for t, stop in runs if stop > start and t < end]
        if not seen:
            continue
        tone = "fault" if bit.name in ("fault", "not in P") else bit.side
        told = f"{bit.where} {bit.name}"
        group = f"{bit.side.capitalize()}'s status bits"
        stretches = tuple(Stretch(a, b, tone=tone, told=f"{told}: {a:.2f} s to {b:.2f} s") for a, b in seen)
        lanes.append(Lane(group, bit.name, bit.where, stretches))
    return tuple(lanes)


def _phase_sheet(session: SessionReport) -> Sheet:
    rows = tuple(
        (
            str(n),
            span.phase.value,
            f"{span.start:.3f}",
            f"{span.duration:.3f}",
            *map(
                number,
                (span.voltage, span.charge, span.discharge, span.request, span.available, span.discharge_limit),
            ),
        )
        for n, span in enumerate(session.phases, 1)
    )
    columns = ("", "phase", "at s", "for s", "V", "charge A", "discharge A", "request A", "108.3 A", "200.0 A")
    return Sheet("Phases, with the highest of each", columns, rows, frozenset(range(2, len(columns))))


def _fact_sheets(session: SessionReport) -> list[Sheet]:
    made = []
    for side, title in (("charger", "Charger"), ("vehicle", "Vehicle"), (None, "Course")):
        rows = tuple((one.name, value(one), one.unit, one.where) for one in session.facts if one.side == side)
        if rows:
            made.append(Sheet(title, ("what", "value", "unit", "from"), rows, frozenset({1})))
    return made


def _broken_sheet(report: TraceReport) -> Sheet:
    rows = []
    for verdict in report.verdicts:
        first = verdict.first
        if verdict.state is RuleState.BROKEN and first is not None:
            rule = verdict.rule
            frame = str(report.where[rule.id])
            rows.append((rule.id, rule.duty, f"{first.at:.3f}", frame, first.message, rule.title, rule.source))
    columns = ("rule", "whose", "at s", "frame", "what", "rule says", "source")
    return Sheet("Rules broken", columns, tuple(rows), frozenset({2, 3}), frozenset(range(len(rows))))
