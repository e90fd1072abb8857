"""The report an engineer opens and a manager reads: one HTML file made from a run's folder alone.

Everything is inside the file: it opens offline, and its content security policy allows no request and no script but
its own, so that a name in the journal can never act. It reads without scripts; they add filters, cursors and a theme.
The same folder gives the same bytes. A flawed or torn journal is reported up to its flaw, with an alarm at the top.
"""

from __future__ import annotations

import base64
import hashlib
import os
from functools import partial
from pathlib import Path
from urllib.parse import quote

import jinja2
from markupsafe import Markup

from reports import numbers, summary, surroundings
from reports.account import account
from reports.card import shown
from reports.gather import gather
from reports.gauge import gauge
from reports.history.compare import compare
from reports.history.rows import read_run, rows
from reports.pictures import Gallery
from reports.place import put
from reports.plain import visible
from reports.run import SEVERITY, Run, counts
from reports.verdicts import rule_verdict
from rig.errors import TraceError
from rig.evidence.documents import Bounds, BudgetLine
from rig.evidence.journal import scan_journal
from rig.evidence.run_info import RunInfo, read_run_info

NAME = "report.html"
MANY = 200
"""Tests from which on a report saves space: equal budgets once, rows laid out when they are seen. Project choice."""
_TEMPLATES = Path(__file__).parent / "templates"
SHAPES = {
    "PASS": "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1m-1 10.4L3.9 8.3l1.2-1.2L7 9l4-4 1.2 1.2z",
    "FAIL": "M5 1h6l4 4v6l-4 4H5l-4-4V5z"
    "m.9 3.6L4.6 5.9 6.7 8l-2.1 2.1 1.3 1.3L8 9.3l2.1 2.1 1.3-1.3L9.3 8l2.1-2.1-1.3-1.3L8 6.7z",
    "INCONCLUSIVE": "M8 .5 15.5 8 8 15.5.5 8zM7.1 4v5h1.8V4zm0 6.2V12h1.8v-1.8z",
    "INVALID": "M8 1 15.8 15H.2zM7.1 6v4.5h1.8V6zm0 5.5v1.8h1.8v-1.8z",
    "ERROR": "M1 1h14v14H1zm6.1 2.5V9h1.8V3.5zm0 6.8v1.9h1.8v-1.9z",
    "NOT RUN": "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1m0 1.7a5.3 5.3 0 1 1 0 10.6A5.3 5.3 0 0 1 8 2.7M4.8 7.2h6.4v1.6H4.8z",
}
"""The mark of each verdict in a 16 x 16 box: told apart by shape alone, even-odd filled."""


def write_html(folder: Path, out: Path | None = None, former: Path | None = None) -> Path:
    """Write the report of a run; its path, folder/report.html unless out is given. former: folder of a run that it is
    compared with. TraceError without a journal."""
    path = folder / NAME if out is None else out
    text = render_html(folder, path.parent, former)
    return put(path, text.encode())


def render_html(folder: Path, beside: Path | None = None, former: Path | None = None) -> str:
    """The report's text. beside: the folder it will stand in and link to captures from; the run's own if None.
    former: as write_html."""
    run = gather(scan_journal(folder))
    gallery = Gallery(folder, run, buses=True)
    info = _info(folder)
    told = info if isinstance(info, RunInfo) else None
    css, js = asset("report.css"), asset("report.js") + asset("cursor.js") + asset("zoom.js")
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            run=run,
            info=told,
            compared=compare(read_run(former), rows(run, told, folder)) if former else None,
            kind=summary.kind(run),
            alarms=summary.alarms(run, info, folder, gallery.wrong),
            why=summary.why(run),
            account=account(run),
            surroundings=surroundings.rows(run),
            attention=summary.attention(run),
            gaps=summary.gaps(run),
            card=shown(run.card) if run.card else None,
            suites=summary.suites(run),
            pictures=gallery.draw_all(run),
            wrong=gallery.wrong,
            title=_title(run.start.item.name if run.start else "", info),
            css=Markup(css),
            js=Markup(js),
            css_hash=policy_hash(css),
            js_hash=policy_hash(js),
            href=partial(_href, folder, beside),
            claim=partial(summary.claim, run),
            first_with=partial(_first_with, run, first={}),
        )
    )


def environment() -> jinja2.Environment:
    """The templates, escaping whatever they print."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
    environment.filters.update(
        span=numbers.span,
        per_cent=numbers.per_cent,
        bounds=_bounds,
        slug=lambda word: str(word).replace(" ", "-").lower(),
        plain=_plain,
    )
    environment.globals.update(
        MANY=MANY,
        SEVERITY=SEVERITY,
        SHAPES=SHAPES,
        counts=counts,
        decisive=summary.decisive,
        gauge=gauge,
        quantity=numbers.quantity,
        rule_verdict=rule_verdict,
        shares=_shares,
        with_u=numbers.with_u,
    )
    return environment


def _visible(value: object) -> object:
    """What turns a line round or cannot be seen is shown as what it is; markup of our own stays."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _info(folder: Path) -> RunInfo | str | None:
    try:
        return read_run_info(folder)
    except TraceError as error:
        return str(error).replace(f"{folder}{os.sep}", "")


def _title(item: str, info: RunInfo | str | None) -> str:
    return " · ".join(one for one in (item, info.run if isinstance(info, RunInfo) else "", "test report") if one)


def asset(name: str) -> str:
    """A style or script as it stands in the templates' folder."""
    return (_TEMPLATES / name).read_text("utf-8")


def policy_hash(text: str) -> str:
    """As a content security policy names an inline style or script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _href(folder: Path, beside: Path | None, file: str) -> str:
    """A link to a file of the run that can only ever be a relative path."""
    away = "" if beside is None else Path(os.path.relpath(folder, beside)).as_posix()
    return "./" + quote(file if away in ("", ".") else f"{away}/{file}")


def _bounds(limit: Bounds) -> str:
    return numbers.bounds(limit.min, limit.max, limit.unit)


def _plain(value: bool | int | float | str, unit: str = "") -> str:
    """A set-point as it was given: no engineering prefix, so that it can be compared with the procedure."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = f"{value:.9g}" if isinstance(value, float) else str(value)
    return text if unit in ("", "1") else f"{text} {unit}"


def _first_with(run: Run, budget: tuple[BudgetLine, ...], n: int, first: dict[tuple[BudgetLine, ...], int]) -> int:
    """Of a budget and the journal number of its measurement: the number under which to print it. In a long run a budget
    that comes again is printed once."""
    return first.setdefault(budget, n) if len(run.tests) > MANY else n


def _shares(budget: tuple[BudgetLine, ...]) -> list[float]:
    """Of each line of a budget in the whole variance, 0..1."""
    squares = [line.contribution**2 for line in budget]
    whole = sum(squares)
    return [one / whole if whole > 0 else 0.0 for one in squares]
