"""Pictures of the key waveforms as values: captures, lines, marks. Drawing them is a report's work."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rig.evidence.documents import Band, Edge, Level, Panel, Picture, Span, Trace
from rig.metrology.transfer import TransferResult
from rig.plant.ports import WavePort
from rig.recorder import Record
from rig.run import Capture

BEFORE, AFTER = 0.06, 0.10
"""s shown around an interruption (project choice: three cycles before, five after)."""
IN_BAND = 0.10
"""Of the nominal peak: the tolerance of the point-on-wave method (standards.md 2.3)."""


def transfer_picture(
    name: str,
    title: str,
    capture: Capture,
    result: TransferResult,
    channels: Sequence[WavePort],
    limit: float | None,
    requirements: Sequence[str] = (),
) -> Picture:
    """Voltages through a change of source: found edges, the stretch without supply, and the longest allowed one.

    limit: s, None for none. channels: one panel each; result is of the house legs among them.
    """
    start = result.start if math.isfinite(result.start) else 0.0
    end = result.end if math.isfinite(result.end) else start
    spans = (
        [Span(start=start, end=end, label=f"{result.measurement.value * 1e3:.1f} ms", tone="event")] if start else []
    )
    edges = [Edge(at=start, label="leaves tolerance"), Edge(at=end, label="back to stay")] if start else []
    if start and limit is not None and limit < 1.0:
        edges.append(Edge(at=start + limit, label=f"limit {limit * 1e3:g} ms"))
    return Picture(
        name=name,
        title=title,
        kind="transfer",
        captures=capture.of,
        panels=tuple(
            Panel(title=channel, unit="V", traces=(Trace(channel=channel, label=channel),)) for channel in channels
        ),
        spans=tuple(spans),
        edges=tuple(edges),
        start=start - BEFORE if start else 0.0,
        end=max(end, start + (limit if limit is not None and limit < 1.0 else 0.0)) + AFTER if start else 0.0,
        origin=start,
        caption=result.reason,
        requirements=tuple(requirements),
    )


def ramp_picture(
    name: str,
    title: str,
    record: Record,
    capture: Capture | None = None,
    *,
    requirements: Sequence[str] = (),
    start: float = 0.0,
    end: float = 0.0,
    edges: Sequence[Edge] = (),
    levels: Sequence[Level] = (),
    caption: str = "",
) -> Picture:
    """The DC current against what the car asked for and allowed. capture: holds its wave (dc_i), where there is one.
    start, end: s, both 0 for all of it."""
    current = _current(record)
    if capture is not None:
        current = (Trace(channel="dc_i", label="measured", role="measured"), *current[1:])
    panel = Panel(title="DC current, positive into the battery", unit="A", traces=current, levels=tuple(levels))
    return Picture(
        name=name,
        title=title,
        kind="ramp",
        captures=(*(() if capture is None else capture.of), *record.captures),
        panels=(panel,),
        edges=tuple(edges),
        start=start,
        end=end,
        origin=start,
        caption=caption,
        requirements=tuple(requirements),
    )


def session_picture(
    name: str, title: str, record: Record, *, requirements: Sequence[str] = (), bands: Sequence[Band] = ()
) -> Picture:
    """A whole session: current, voltage, power and state of charge. bands: of the house voltage."""
    panels = [
        Panel(title="DC current, positive into the battery", unit="A", traces=_current(record)),
        Panel(title="DC voltage", unit="V", traces=_known(record, ("dc_u", "measured", "measured"))),
        Panel(
            title="House power",
            unit="kW",
            scale=1e-3,
            traces=_known(record, ("house_l1_p", "leg L1", "measured"), ("house_l2_p", "leg L2", "other")),
        ),
        Panel(
            title="House voltage",
            unit="V",
            traces=_known(record, ("house_l1_u", "leg L1", "measured"), ("house_l2_u", "leg L2", "other")),
            bands=tuple(bands),
        ),
        Panel(title="State of charge", unit="%", scale=100.0, traces=_known(record, ("soc", "102.6", "measured"))),
    ]
    return Picture(
        name=name,
        title=title,
        kind="session",
        captures=record.captures,
        panels=tuple(panel for panel in panels if panel.traces),
        requirements=tuple(requirements),
    )


def _current(record: Record) -> tuple[Trace, ...]:
    return _known(
        record,
        # the source's own meter, where a record has it, shows a ramp that the analyzer averages away
        ("source_i" if "source_i" in record else "dc_i", "measured", "measured"),
        ("asked_current", "request 102.3", "asked"),
        ("discharge_bound", "limit 200.0", "limit"),
        ("reported_current", "reported 109/208", "other"),
    )


def _known(record: Record, *wanted: tuple[str, str, str]) -> tuple[Trace, ...]:
    """Traces of the columns the record has; what frames say holds until the next."""
    made = []
    for channel, label, role in wanted:
        if channel not in record:
            continue
        step = not channel.startswith(("dc_", "house_", "evps_", "grid_", "source_", "inlet_"))
        made.append(Trace(channel=channel, label=label, role=role, step=step))  # type: ignore[arg-type]
    return tuple(made)
