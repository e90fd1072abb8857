"""The pictures of one test on a page of their own, or on the terminal. Reads the evidence that is on the disk."""

from __future__ import annotations

import sys
import tempfile
import webbrowser
from html import escape
from pathlib import Path

from rich.console import Console

from reports.braille import print_picture
from reports.gather import gather
from reports.pictures import Gallery
from reports.plain import visible
from reports.run import Run, Test
from reports.standalone import standalone
from rig.evidence.journal import scan_journal

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
NARROW = 100
"""Characters of a terminal that does not say how wide it is."""


def show_from(folder: Path, first: int, way: str) -> int:
    """The pictures of a run's tests from number `first` on; how many tests there are. TraceError without a journal."""
    run = gather(scan_journal(folder))
    for test in run.tests[first:]:
        show(folder, run, test, way)
    return len(run.tests)


def show(folder: Path, run: Run, test: Test, way: str) -> Path | None:
    """The pictures of one test; where the page is that was opened. Nothing for a test without any."""
    if not test.pictures:
        return None
    gallery = Gallery(folder, run)
    if way == "terminal":
        console = Console(highlight=False, width=None if sys.stdout.isatty() else NARROW)
        console.print(f"\n{visible(test.start.test)}: {test.outcome}", markup=False)
        for picture in test.pictures:
            columns, notes = gallery.columns(picture)
            print_picture(console, picture, columns)
            for note in notes:
                console.print(visible(note), markup=False)
        return None
    page = Path(tempfile.mkdtemp(prefix="v2hrig-show-")) / "pictures.html"
    page.write_text(page_of(gallery, test), encoding="utf-8")
    if not webbrowser.open(page.as_uri()):
        print(f"v2hrig: no browser opens; look at {page}", file=sys.stderr)
    return page


def page_of(gallery: Gallery, test: Test) -> str:
    """A page that stands alone."""
    parts = [f"<h1>{escape(visible(test.start.title))}</h1><p>{escape(visible(test.start.test))}: {test.outcome}</p>"]
    for picture in test.pictures:
        drawn = gallery.draw(picture)
        parts.append(f"<h2>{escape(visible(picture.title))}</h2>")
        parts += [f"<p>{escape(visible(note))}</p>" for note in drawn.notes]
        parts.append(standalone(drawn.image) if drawn.image else "")
        parts.append(f"<p>{escape(visible(picture.caption))}</p>")
    head = f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    style = "<style>body{font-family:sans-serif;max-width:1100px;margin:1em auto}svg{width:100%;height:auto}</style>"
    return f"<!doctype html>{head}<title>{escape(visible(test.start.title))}</title>{style}{''.join(parts)}"
