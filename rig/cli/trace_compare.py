"""`v2hrig trace diff` and `v2hrig trace card`: two sessions side by side, and who is at the two ends of one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console

from reports.card import shown
from reports.gather import gather
from rig.chademo.rules.rule import RuleVerdict
from rig.cli.trace_words import difference, head, line, make_console, number, print_json, table, value
from rig.errors import TraceError
from rig.evidence.journal import scan_journal
from rig.trace.card import Card, Deviations, cards
from rig.trace.compare import Comparison, FactPair, PhasePair, compare
from rig.trace.facts import Fact
from rig.trace.judge import SessionReport, judge_trace
from rig.trace.observer import Span
from rig.trace.reader import TraceFile, open_trace

File = Annotated[Path, typer.Argument(help="trace of a CHAdeMO session")]
Json = Annotated[bool, typer.Option("--json", help="for machines, on standard output")]
PEAK_NAMES = {
    "voltage": "V",
    "charge": "charge A",
    "discharge": "discharge A",
    "request": "request A",
    "available": "108.3 A",
    "discharge_limit": "200.0 A",
}


def diff(
    a: File,
    b: File,
    session_a: Annotated[int, typer.Option(help="which session of A")] = 1,
    session_b: Annotated[int, typer.Option(help="which session of B")] = 1,
    everything: Annotated[bool, typer.Option("--all", help="also what is the same")] = False,
    as_json: Json = False,
) -> None:
    """Compare two sessions phase by phase: durations, limits, peaks, what each side says of itself."""
    found = compare(_session(a, session_a), _session(b, session_b))
    if as_json:
        print_json({"a": str(a), "b": str(b)} | comparison_data(found))
        return
    console = make_console()
    line(console, f"A  {a}")
    line(console, f"B  {b}")
    print_comparison(console, found, everything)


def _session(path: Path, number: int) -> SessionReport:
    sessions = judge_trace(open_trace(path).frames()).sessions
    for session in sessions:
        if session.number == number:
            return session
    raise TraceError(f"{path}: has {len(sessions)} sessions and no number {number}; v2hrig trace show tells them")


def print_comparison(
    console: Console, found: Comparison, everything: bool, names: tuple[str, str] = ("A", "B")
) -> None:
    """Phases, then facts. everything: also those that are the same."""
    a, b = names
    right = (f"{a} at s", f"{b} at s", f"{a} for s", f"{b} for s", "longer s")
    phases = table("phase", *right, f"highest, {a} / {b} where they differ", right=right)
    for pair in found.phases:
        phases.add_row(*_phase_row(pair, names))
    console.print(phases)
    values = (a, b, f"{b} - {a}")
    facts, same = table("who", "what", *values, "unit", "from", right=values), 0
    for one in found.facts:
        same += not one.differs
        if one.differs or everything:
            facts.add_row(*_fact_row(one))
    if facts.row_count:
        console.print(facts)
    if same and not everything:
        line(console, f"{same} more facts are the same in both (--all shows them)")


def _phase_row(pair: PhasePair, names: tuple[str, str]) -> tuple[str, ...]:
    def start(span: Span | None) -> str:
        return "-" if span is None else f"{span.start:.3f}"

    def duration(span: Span | None) -> str:
        return "-" if span is None else f"{span.duration:.3f}"

    both = pair.a is not None and pair.b is not None
    peaks = ", ".join(f"{PEAK_NAMES[k]} {number(a) or '-'} / {number(b) or '-'}" for k, (a, b) in pair.peaks.items())
    told = peaks if both else f"not in {names[pair.b is None]}"
    late = difference(pair.difference, "s")
    return pair.name, start(pair.a), start(pair.b), duration(pair.a), duration(pair.b), late, told


def _fact_row(pair: FactPair) -> tuple[str, ...]:
    def shown(fact: Fact | None) -> str:
        return "-" if fact is None else value(fact)

    fact = pair.fact
    late = difference(pair.difference, fact.unit)
    return fact.side or "", fact.name, shown(pair.a), shown(pair.b), late, fact.unit, fact.where


def comparison_data(found: Comparison) -> dict[str, Any]:
    """A comparison as plain data."""

    def span(one: Span | None) -> dict[str, Any] | None:
        if one is None:
            return None
        return {"start_s": one.start, "end_s": one.end} | {name: getattr(one, name) for name in PEAK_NAMES}

    return {
        "same_course": found.same_course,
        "phases": [
            {
                "phase": pair.name,
                "a": span(pair.a),
                "b": span(pair.b),
                "longer_s": pair.difference,
                "differs": pair.differs,
            }
            for pair in found.phases
        ],
        "facts": {
            pair.fact.key: {
                "side": pair.fact.side,
                "unit": pair.fact.unit,
                "a": None if pair.a is None else pair.a.value,
                "b": None if pair.b is None else pair.b.value,
                "differs": pair.differs,
            }
            for pair in found.facts
        },
    }


def card(
    file: Annotated[Path, typer.Argument(help="trace of a CHAdeMO session, or the folder of a run")],
    as_json: Json = False,
) -> None:
    """The identity card: who charger and vehicle say they are, what they can, each step against the rule that limits
    it, ramps, and the output against the request. Of a run: the charger's, as its report has it."""
    if file.is_dir():
        _run_card(file, as_json)
        return
    trace, found = read_cards(file)
    if as_json:
        print_json({"file": str(file), "sessions": [card_data(one) for one in found]})
        return
    console = make_console()
    head(console, trace)
    print_cards(console, found)


def _run_card(folder: Path, as_json: bool) -> None:
    made = gather(scan_journal(folder)).card
    if made is None:
        raise TraceError(f"{folder}: its journal holds no charger's card; a run that came to its end writes one")
    if as_json:
        print_json({"run": str(folder), "card": msgspec.to_builtins(made)})
        return
    console, told = make_console(), shown(made)
    line(console, told.head)
    says = table("it says", "value", "from", right=("value",))
    for row in told.says:
        says.add_row(*row)
    console.print(says)
    figures = ("least", "median", "most", "sessions")
    course = table("it took, gave, rose", *figures, "rule", "says", "state", right=figures)
    for step in told.course:
        course.add_row(*step)
    console.print(course)
    for text in told.lines:
        line(console, text)


def read_cards(path: Path) -> tuple[TraceFile, tuple[Card, ...]]:
    """A trace read to its end, and a card of each of its sessions. TraceError: there is none."""
    trace, deviations = open_trace(path), Deviations()
    report = judge_trace(trace.frames(), watch=deviations.see)
    if not report.sessions:
        raise TraceError(f"{path}: shows no CHAdeMO session")
    return trace, cards(report, deviations)


def print_cards(console: Console, found: Sequence[Card]) -> None:
    """Each card as three tables."""
    for one in found:
        console.print()
        if len(found) > 1:
            line(console, f"Session {one.number}", "bold")
        for side, facts in one.who.items():
            version = one.versions.get(side)
            line(console, f"{side.capitalize()}: CHAdeMO {version}" if version else f"{side.capitalize()}: not seen",
                 "bold")  # fmt: skip
            shown = table("what", "value", "unit", "from", right=("value",))
            for fact in facts:
                shown.add_row(fact.name, value(fact), fact.unit, fact.where)
            if facts:
                console.print(shown)
            line(console, f"rules broken: {', '.join(one.broken[side]) or 'none'}")
            console.print()
        line(console, "Course", "bold")
        course = table("what", "value", "unit", "from", "rule", "state", "says", right=("value",))
        for row in one.course:
            course.add_row(row.fact.name, value(row.fact), row.fact.unit, row.fact.where, *_rule(row.verdict))
        console.print(course)
        if one.deviation is None:
            line(console, "output against request: it never settled, or nothing was charged")
        else:
            line(
                console,
                f"output against request while charging and settled: mean {one.deviation.mean:+.2f} A, at most "
                f"{one.deviation.worst:+.1f} A, over {one.deviation.seconds:.1f} s",
            )


def _rule(verdict: RuleVerdict | None) -> tuple[str, str, str]:
    return ("", "", "") if verdict is None else (verdict.rule.id, verdict.state.value, verdict.rule.title)


def card_data(one: Card) -> dict[str, Any]:
    """A card as plain data."""

    def fact(f: Fact) -> dict[str, Any]:
        return {"name": f.name, "value": f.value, "unit": f.unit, "from": f.where}

    return {
        "number": one.number,
        "versions": dict(one.versions),
        "sides": {
            side: {"facts": {f.key: fact(f) for f in facts}, "broken": list(one.broken[side])}
            for side, facts in one.who.items()
        },
        "course": {
            row.fact.key: fact(row.fact)
            | {
                "rule": row.verdict and row.verdict.rule.id,
                "state": row.verdict and row.verdict.state.value,
                "says": row.verdict and row.verdict.rule.title,
            }
            for row in one.course
        },
        "deviation": None
        if one.deviation is None
        else {"mean_a": one.deviation.mean, "worst_a": one.deviation.worst, "seconds": one.deviation.seconds},
    }
