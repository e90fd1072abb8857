"""A qualification as one page: what was caught and from where on, what was not, the kill matrix, and good devices.

Like a report it is made from the file alone and is whole in itself: no request, no script.
"""

from __future__ import annotations

from pathlib import Path

from markupsafe import Markup

from reports.html import asset, environment, policy_hash
from rig.qualify.qualification import Caught, Qualification
from rig.qualify.units import Found

PAGE = "qualification.html"


def write_page(q: Qualification, folder: Path) -> Path:
    """Write the page; its path."""
    path = folder / PAGE
    path.write_text(render(q), encoding="utf-8")
    return path


def render(q: Qualification) -> str:
    """The page."""
    css = asset("report.css") + asset("qualification.css")
    template = environment().get_template("qualification.html.j2")
    return template.render(
        q=q,
        css=Markup(css),
        css_hash=policy_hash(css),
        catches=q.catches(),
        idle=q.idle(),
        word=word,
        cells=cells(q),
        columns=list(q.catches()),
        figure=figure,
        excess=excess,
        short=short,
    )


def word(case: Caught) -> str:
    """What became of a case, in a word."""
    if case.failure and not case.caught:
        return "not run"
    if case.blamed:
        return "device blamed"
    return "caught" if case.caught else "beyond" if case.beyond else "missed"


def cells(q: Qualification) -> dict[str, str]:
    """Case -> a letter for each column of the matrix: k killed, d in doubt, s survived, - not tried."""
    columns = list(q.catches())
    rows = {}
    for case in q.cases:
        kills, doubts, tried = set(case.kills), set(case.doubts), set(case.tried)
        rows[case.name] = "".join(
            "k" if test in kills else "d" if test in doubts else "s" if test in tried else "-" for test in columns
        )
    return rows


def figure(value: float, unit: str) -> str:
    """A severity for a reader."""
    return f"{value:.4g}" if unit == "1" else f"{value:.4g} {unit}"


def excess(witness: Found) -> str:
    """How far beyond its limit what caught it lay."""
    limit = witness.maximum if witness.maximum is not None and witness.value > witness.maximum else witness.minimum
    named = f"{witness.quantity} {figure(witness.value, witness.unit)}"
    if limit is None:
        return named
    return f"{named}, limit {figure(limit, witness.unit)}, {witness.beyond() / witness.expanded:.2g} U beyond"


def short(test: str) -> str:
    """A procedure's name without its folder of suites."""
    return test.removeprefix("suites/")
