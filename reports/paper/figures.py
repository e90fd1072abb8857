"""Section 7: the waveforms that decided something."""

from __future__ import annotations

from markupsafe import Markup

from reports import summary
from reports.paper.sources import Section, Sources, by_id, key, test_of
from reports.pictures import Drawn
from reports.run import SEVERITY, Test
from reports.standalone import standalone

FAMILY, LETTER = "Libertinus Serif", 13.0
"""Of the labels in pictures: 13 px of it are 6.1 px a letter, which reports.plot counts with."""
FIGURES = 40
"""Pictures on paper; the HTML report has all. Project choice."""
WIDE, NARROW, TALL = 91, 77, 4
"""Per cent of the line a picture takes; less from so many panels on, so that two stand on a page. Project choice."""


def figures(sources: Sources) -> dict[str, Section]:
    """Pictures of what decided a requirement and of what did not pass; how many others there are."""
    run, wanted, plain = sources.run, list[int](), list[tuple[int, Drawn]]()
    for asked in by_id(run.in_scope):
        values = {value.n: value for value, _ in asked.judged}
        for one in summary.decisive(asked):
            value = values[one.n]
            wanted.append(value.test)
            if value.test not in sources.drawn and (look := sources.look(value, one.judged)):
                shows = (look.picture.captures, look.picture.start)
                if shows not in [(told.picture.captures, told.picture.start) for _, told in plain]:
                    plain.append((value.test, look))
    wanted += [test.index for test in run.everything if test.outcome not in ("PASS", "NOT RUN")]
    order = sorted(dict.fromkeys(wanted), key=lambda index: (-SEVERITY.index(test_of(run, index).outcome), index))
    shown = [(index, drawn) for index in order for drawn in sources.drawn.get(index, ())]
    # A test that decided nothing still shows a kind of waveform nobody else does.
    names = {drawn.picture.title for _, drawn in shown}
    for index, row in sorted(sources.drawn.items()):
        for drawn in row:
            if drawn.picture.title not in names:
                names.add(drawn.picture.title)
                shown.append((index, drawn))
    total = sum(map(len, sources.drawn.values())) + len(plain)
    shown += plain
    return {
        "figures": [_figure(test_of(run, index), drawn) for index, drawn in shown[:FIGURES]],
        "figures_left": total - min(len(shown), FIGURES),
    }


def _figure(test: Test, drawn: Drawn) -> Section:
    image = drawn.image
    return {
        "svg": standalone(Markup(image), FAMILY, LETTER) if image else "",
        "width": NARROW if len(drawn.picture.panels) >= TALL else WIDE,
        "title": drawn.picture.title,
        "caption": drawn.picture.caption,
        "test": f"{key(test)} {test.name}",
        "outcome": test.outcome,
        "requirements": ", ".join(drawn.picture.requirements),
        "notes": list(drawn.notes),
        "captures": ", ".join(f"{one.file} (SHA-256 {one.sha256[:16]})" for one in drawn.captures),
    }
