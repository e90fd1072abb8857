"""The picture of a decided value whose test asked for none: its waveform about the instant, with edges and limit.

Drawn from the journal alone. A duration is shaded from where it begins to its end, `Measured.at`, and its limit is an
edge; of any other quantity only the instant is shown, since a limit on an RMS value is no level of a waveform.
"""

from __future__ import annotations

import math

from reports import numbers
from reports.pictures import Drawn, Gallery
from reports.run import Value
from rig.evidence.documents import CaptureStored, Edge, Judged, Panel, Picture, Span, Trace

ABOUT = 0.06
"""s shown on each side, at the least: three cycles of 50 Hz. Project choice."""
PANELS = 4


def look(gallery: Gallery, value: Value, judged: Judged) -> Drawn | None:
    """The picture, None for a value of no waveform or with no number."""
    stored = next((one for sha in value.doc.of if (one := gallery.waveform(sha))), None)
    if stored is None or not math.isfinite(value.doc.value):
        return None
    return gallery.draw(_picture(stored, value, judged))


def _picture(stored: CaptureStored, value: Value, judged: Judged) -> Picture:
    doc, end = value.doc, stored.start + (stored.rows / stored.rate if stored.rate > 0 else 0.0)
    at = min(max(doc.at, stored.start), end)
    told = f"{judged.quantity} {numbers.with_u(doc.value, judged.expanded, doc.unit)}"
    duration = doc.value if doc.unit == "s" and 0 < doc.value <= at - stored.start else 0.0
    edges, spans = [Edge(at=at, label="end" if duration else "measured here")], list[Span]()
    if duration:
        edges.append(Edge(at=at - duration, label="begin"))
        spans.append(Span(start=at - duration, end=at, label=judged.quantity, tone="event"))
        if judged.limit.max is not None:
            limit = numbers.quantity(judged.limit.max, "s")
            edges.append(Edge(at=at - duration + judged.limit.max, label=f"limit {limit}"))
    room = max(ABOUT, 0.25 * duration)
    return Picture(
        name=f"decided-{value.n}",
        title=f"{judged.requirement}: {stored.name}",
        kind="transfer",
        captures=(stored.sha256,),
        panels=tuple(
            Panel(title=one.name, unit=one.unit, traces=(Trace(channel=one.name, label=one.name),))
            for one in stored.channels[:PANELS]
        ),
        spans=tuple(spans),
        edges=tuple(edges),
        start=max(stored.start, at - duration - room),
        end=min(end, at + room),
        origin=at - duration,
        caption=f"{told}; {judged.verdict}.",
        requirements=(judged.requirement,),
    )
