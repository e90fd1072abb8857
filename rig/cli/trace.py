"""`v2hrig trace`: a recorded CHAdeMO session looked at, judged, converted, compared and played.

Exit 0: no violation; 1: a violation; 2: no trace, or none by which a rule can be judged.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from reports.session import render_sessions
from reports.session_image import render_session_image
from rig.can.frame import Frame
from rig.chademo.rules.rule import RuleState, RuleVerdict
from rig.cli.trace_compare import card, diff
from rig.cli.trace_page import session_pages
from rig.cli.trace_replay import replay
from rig.cli.trace_words import head, line, make_console, number, print_json, table, value
from rig.errors import TraceError, UseError
from rig.trace.columns import Columns
from rig.trace.judge import SessionReport, TraceReport, judge_trace
from rig.trace.observer import Span
from rig.trace.reader import TraceFile, open_trace
from rig.trace.writer import SUFFIXES, format_of, write_trace

app = typer.Typer(help="Look at and judge a recorded CHAdeMO session.", no_args_is_help=True)
File = Annotated[Path, typer.Argument(help="GVRET CSV (SavvyCAN), candump text, ASC, BLF, TRC or MF4")]
Bus = Annotated[str | None, typer.Option(help="bus in the file; default: the one that shows CHAdeMO")]
Json = Annotated[bool, typer.Option("--json", help="for machines, on standard output")]

ORDER = (RuleState.BROKEN, RuleState.KEPT, RuleState.UNKNOWN)
DRAWN = (".html", ".htm", ".png")
COLOUR = {RuleState.BROKEN: "bold red", RuleState.KEPT: "green", RuleState.UNKNOWN: "dim"}


app.command("diff")(diff)
app.command("card")(card)
app.command("replay")(replay)


@app.command("check")
def check(file: File, bus: Bus = None, as_json: Json = False) -> None:
    """Judge a trace by every rule: who broke what, at which frame and when."""
    trace, report = read(file, bus)
    if all(verdict.state is RuleState.UNKNOWN for verdict in report.verdicts):
        raise TraceError(_nothing_judged(trace))
    if as_json:
        print_json(as_data(trace, report))
    else:
        console = make_console()
        head(console, trace)
        for session in report.sessions:
            _session(console, session, len(report.sessions) + report.more_sessions)
        _rules(console, report)
    if report.broken():
        raise typer.Exit(1)


@app.command("show")
def show(
    file: File,
    bus: Bus = None,
    out: Annotated[
        Path | None,
        typer.Option("--to", "--out", help="write everything drawn over time: page.html, or a picture, page.png"),
    ] = None,
) -> None:
    """The timeline and the facts of a trace, without a verdict; with --to, drawn as one HTML page that names the rules
    broken as well, or as a picture."""
    if out is not None and out.suffix.lower() not in DRAWN:
        raise UseError(f"--to {out}: a session is drawn as a page or a picture; give a name that ends in .html or .png")
    columns = Columns()
    trace = open_trace(file, bus)
    report = judge_trace(trace.frames(), watch=None if out is None else columns.see)
    console = make_console()
    head(console, trace)
    for session in report.sessions:
        _session(console, session, len(report.sessions) + report.more_sessions)
    if out is not None:
        _write(out, trace, report, columns)
        line(console, f"{out}: written")


def _write(out: Path, trace: TraceFile, report: TraceReport, columns: Columns) -> None:
    if not report.sessions:
        raise TraceError(f"{trace.path}: shows no CHAdeMO session, so there is nothing to draw")
    pages = session_pages(trace, report, columns)
    if out.suffix.lower() == ".png":
        raw = render_session_image(pages)
    else:
        raw = render_sessions(trace.path.name, pages).encode()
    try:
        out.write_bytes(raw)
    except OSError as error:
        raise UseError(f"--to {out}: cannot be written ({error.strerror}); name a file in a folder") from error


@app.command("convert")
def convert(file: File, out: Annotated[Path, typer.Argument(help=f"file to write: {' '.join(SUFFIXES)}")],
            bus: Bus = None) -> None:  # fmt: skip
    """Write the CHAdeMO bus of a trace in another format, by the suffix of OUT, with times from 0 s."""
    name = format_of(out)
    if out.exists() and file.exists() and out.samefile(file):
        raise UseError(f"{out}: is the trace itself; give another name")
    trace, holes = open_trace(file, bus), 0

    def whole() -> Iterator[tuple[float, Frame]]:
        nonlocal holes
        for at, frame in trace.frames():
            if frame is None:
                holes += 1
            else:
                yield at, frame

    count = write_trace(out, whole())
    console = make_console()
    head(console, trace)
    line(console, f"{out}: {name}, {count} frames written")
    if holes:
        line(console, f"{holes} holes, where something could not be read, are not to be seen in {out}", "yellow")


def read(file: Path, bus: str | None) -> tuple[TraceFile, TraceReport]:
    """A trace, read to its end and judged. TraceError: nothing in it can be read."""
    trace = open_trace(file, bus)
    return trace, judge_trace(trace.frames())


def _nothing_judged(trace: TraceFile) -> str:
    """Silence is no verdict: whoever recorded another bus must not read that all is well."""
    others = f"; {trace.foreign} frames of other buses or kinds (extended, remote, FD) were left out"
    return (
        f"{trace.path}: no rule can be judged by {trace.frames_read} frames of bus {trace.bus or '?'}"
        f"{others if trace.foreign else ''}; give a recording of the CHAdeMO bus, or its name in the file with --bus"
    )


def _session(console: Console, session: SessionReport, of: int) -> None:
    console.print()
    line(console, "Session" if of == 1 else f"Session {session.number} of {of}", "bold")
    columns = ("at s", "for s", "V", "charge A", "discharge A", "request A", "108.3 A", "200.0 A")
    phases = table("phase", *columns, right=columns)
    for span in session.phases:
        phases.add_row(span.phase.value, f"{span.start:.3f}", f"{span.duration:.3f}", *map(number, _values(span)))
    console.print(phases)
    if session.more_phases:
        line(console, f"and {session.more_phases} more phases")
    shown = table("who", "what", "value", "unit", "from", right=("value",))
    for fact in session.facts:
        shown.add_row(fact.side or "", fact.name, value(fact), fact.unit, fact.where)
    console.print(shown)


def _values(span: Span) -> tuple[float | None, ...]:
    """The highest of each in this phase, in the order of the columns."""
    return span.voltage, span.charge, span.discharge, span.request, span.available, span.discharge_limit


def _rules(console: Console, report: TraceReport) -> None:
    console.print()
    counts = {state: sum(v.state is state for v in report.verdicts) for state in ORDER}
    line(console, "Rules: " + ", ".join(f"{counts[state]} {state.value}" for state in ORDER), "bold")
    rules = table("", "rule", "whose", "at s", "frame", "what", "known", right=("at s", "frame"))
    for state in ORDER:
        for verdict in report.verdicts:
            if verdict.state is state:
                rules.add_row(*_row(verdict, report))
    console.print(rules)
    broken = report.broken()
    if broken:
        line(console, f"VIOLATION: {', '.join(verdict.rule.id for verdict in broken)}", COLOUR[RuleState.BROKEN])
    else:
        line(console, f"no violation in {report.frames} frames", COLOUR[RuleState.KEPT])


def _row(verdict: RuleVerdict, report: TraceReport) -> tuple[Text, ...]:
    """A rule: its title, or what broke it, with the frame and the source."""
    rule, first = verdict.rule, verdict.first
    at = frame = ""
    what = rule.title
    if first is not None:
        at, frame = f"{first.at:.3f}", str(report.where[rule.id])
        times = f", {verdict.count} times" if verdict.count > 1 else ""
        shown = f" [{first.frame}]" if first.frame else ""
        what = f"{first.message}{times}{shown}. {rule.title} ({rule.source})"
    state = Text(verdict.state.value, style=COLOUR[verdict.state])
    return state, Text(rule.id), Text(rule.duty), Text(at), Text(frame), Text(what), Text(rule.confidence)


def as_data(trace: TraceFile, report: TraceReport) -> dict[str, Any]:
    """The whole report as plain data."""
    return {
        "file": str(trace.path),
        "format": trace.format.name,
        "bus": trace.bus,
        "frames": trace.frames_read,
        "span_s": trace.span,
        "foreign_frames": trace.foreign,
        "late_frames": trace.late,
        "lines_left_out": trace.left_out,
        "notes": [{"line": note.line, "why": note.why, "text": note.text} for note in trace.notes],
        "violation": bool(report.broken()),
        "sessions": [_session_data(session) for session in report.sessions],
        "more_sessions": report.more_sessions,
        "rules": [_rule_data(verdict, report) for verdict in report.verdicts],
    }


def _session_data(session: SessionReport) -> dict[str, Any]:
    names = ("voltage_v", "charge_a", "discharge_a", "request_a", "available_a", "discharge_limit_a")
    return {
        "number": session.number,
        "phases": [
            {"phase": span.phase.value, "start_s": span.start, "end_s": span.end}
            | dict(zip(names, _values(span), strict=True))
            for span in session.phases
        ],
        "more_phases": session.more_phases,
        "facts": {
            fact.key: {"side": fact.side, "value": fact.value, "unit": fact.unit, "from": fact.where}
            for fact in session.facts
        },
    }


def _rule_data(verdict: RuleVerdict, report: TraceReport) -> dict[str, Any]:
    rule, first = verdict.rule, verdict.first
    data: dict[str, Any] = {
        "id": rule.id,
        "title": rule.title,
        "duty": rule.duty,
        "source": rule.source,
        "confidence": rule.confidence,
        "tolerance": rule.tolerance,
        "requirements": list(rule.requirements),
        "state": verdict.state.value,
        "count": verdict.count,
        "first": None,
    }
    if first is not None:
        data["first"] = {
            "at_s": first.at,
            "frame_number": report.where[rule.id],
            "frame": first.frame,
            "value": first.value if math.isfinite(first.value) else None,
            "limit": first.limit if math.isfinite(first.limit) else None,
            "unit": rule.unit,
            "message": first.message,
        }
    return data
