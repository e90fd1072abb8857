"""One recorded session as one page: values over time with the phases shaded, status bits as lanes, and tables.

It is handed plain values and draws them with the report's own picture; where they come from it does not know. All is
inside the file, as in a report: no request, no script but its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from reports import svg
from reports.html import asset, environment, policy_hash
from reports.plot import INSIDE, LEFT, LETTER, WIDTH, Columns, Window, draw
from rig.evidence.documents import Picture

FINE = 900
"""Columns kept of a trace, as in a report."""
STRIP, LANE, HEAD = 22, 15, 18
"""px: height of the phases' strip, of a lane, of a group's head."""
SINCE = "from the first frame of the recording"


@dataclass(frozen=True, slots=True)
class Stretch:
    """From start to end, s. tone: a class of session.css. told: what a pointer held over it shows."""

    start: float
    end: float
    label: str = ""
    tone: str = ""
    told: str = ""


@dataclass(frozen=True, slots=True)
class Lane:
    """A status bit: when it is set. Lanes of one group stand together."""

    group: str
    name: str
    where: str
    set: tuple[Stretch, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table. right: columns of numbers, by their place. marked: rows to be seen, by their place."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: frozenset[int] = frozenset()
    marked: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class SessionPage:
    """Everything that is shown. picture: with its window in start and end. verdict: one line, bad: as an alarm."""

    title: str
    lines: tuple[str, ...]
    picture: Picture
    columns: Columns
    phases: tuple[Stretch, ...]
    lanes: tuple[Lane, ...]
    sheets: tuple[Sheet, ...]
    verdict: str = ""
    bad: bool = False


def render_sessions(title: str, pages: Sequence[SessionPage]) -> str:
    """One HTML file of the sessions of a trace."""
    css, js = asset("report.css") + asset("session.css"), asset("cursor.js")
    drawn = [
        (page, draw(page.picture, page.columns, FINE, SINCE), strip_of(page), lanes_of(page) if page.lanes else None)
        for page in pages
    ]
    return (
        environment()
        .get_template("session.html.j2")
        .render(
            title=title,
            drawn=drawn,
            css=Markup(css),
            js=Markup(js),
            css_hash=policy_hash(css),
            js_hash=policy_hash(js),
        )
    )


def _window(page: SessionPage) -> Window:
    return Window(page.picture.start, page.picture.end, 0.0)


def strip_of(page: SessionPage) -> Markup:
    """The phases by name where there is room, else by number."""
    window, parts = _window(page), list[Markup]()
    for number, phase in enumerate(page.phases, 1):
        left, width = _place(phase, window)
        parts.append(_block(phase, left, width, 0.0, STRIP))
        if room := _room(number, phase, width):
            middle = left + width / 2
            parts.append(svg.tag("text", room, class_="phn", x=middle, y=STRIP - 7, text_anchor="middle"))
    return _canvas(parts, STRIP, "Phases of the session")


def key_of(page: SessionPage) -> str:
    """What the numbers in the strip stand for."""
    window = _window(page)
    placed = [(n, phase, _place(phase, window)[1]) for n, phase in enumerate(page.phases, 1)]
    return ", ".join(f"{n} {phase.label}" for n, phase, width in placed if _room(n, phase, width) == str(n))


def _room(number: int, phase: Stretch, width: float) -> str:
    return next((one for one in (phase.label, str(number)) if LETTER * len(one) + 6 <= width), "")


def lanes_of(page: SessionPage) -> Markup:
    """A line a bit, drawn where it is set."""
    window, parts, top, group = _window(page), list[Markup](), 0.0, ""
    for lane in page.lanes:
        if lane.group != group:
            group = lane.group
            parts.append(svg.tag("text", group, class_="pt", x=LEFT, y=top + HEAD - 5))
            top += HEAD
        name = svg.tag("text", svg.title(lane.where), lane.name, class_="ln", x=LEFT - 5, y=top + 11, text_anchor="end")
        parts.append(name)
        parts.append(svg.tag("path", class_="gr", d=f"M{LEFT} {svg.number(top + LANE / 2)}h{INSIDE}"))
        for one in lane.set:
            left, width = _place(one, window)
            parts.append(_block(one, left, width, top + 3, LANE - 6))
        top += LANE
    return _canvas(parts, top + 4, "Status bits")


def _place(one: Stretch, window: Window) -> tuple[float, float]:
    """px: left and width, at least a hair wide."""
    left, right = (min(max(window.x(t), LEFT), LEFT + INSIDE) for t in (one.start, one.end))
    return left, max(right - left, 0.8)


def _block(one: Stretch, left: float, width: float, top: float, height: float) -> Markup:
    told = one.told or one.label
    return svg.tag("rect", svg.title(told), class_=f"st {one.tone}", x=left, y=top, width=width, height=height, rx=1.5)


def _canvas(parts: list[Markup], height: float, name: str) -> Markup:
    return svg.tag(
        "svg", *parts, class_="lanes", viewBox=f"0 0 {WIDTH} {svg.number(height)}", role="img", aria_label=name
    )
