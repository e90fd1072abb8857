"""Recorded sessions as one PNG: the drawing of reports.session on white, set by typst with the fonts of its wheel.

The same sessions give the same bytes. The phases' strip, the panels and the lanes of status bits share their time axis;
the tables are left to the HTML page.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import typst

from reports import plain
from reports.paper.figures import FAMILY, LETTER
from reports.plot import WIDTH, draw
from reports.session import FINE, SINCE, SessionPage, key_of, lanes_of, strip_of
from reports.standalone import standalone

MOST = 8
"""Sessions in one picture: more would be taller than viewers take (project choice). The rest is told in a line."""
PPI = 144
"""Two pixels of the file for each of the drawing."""
_TEMPLATE = Path(__file__).parent / "templates" / "session.typ"


def render_session_image(pages: Sequence[SessionPage]) -> bytes:
    """A PNG of the sessions of a trace, one below the other."""
    more = len(pages) - MOST
    told = {
        "width": WIDTH,
        "pages": [_page(page) for page in pages[:MOST]],
        "more": f"and {more} more sessions, which the HTML page shows" if more > 0 else "",
    }
    fit = plain.every(told, lambda text: text if text.startswith("<svg") else plain.known(plain.visible(text)))
    compiler = typst.Compiler(_TEMPLATE.read_bytes(), ignore_system_fonts=True, sys_inputs={"session": json.dumps(fit)})
    raw = compiler.compile(format="png", ppi=PPI)
    assert isinstance(raw, bytes)
    return raw


def _page(page: SessionPage) -> dict[str, object]:
    picture = draw(page.picture, page.columns, FINE, SINCE)
    parts, key = (strip_of(page), picture, lanes_of(page) if page.lanes else None), key_of(page)
    return {
        "title": page.title,
        "lines": list(page.lines),
        "verdict": page.verdict,
        "bad": "yes" if page.bad else "",
        "key": f"Phases by number: {key}" if key else "",
        "drawings": [standalone(one, FAMILY, LETTER) for one in parts if one is not None],
    }
