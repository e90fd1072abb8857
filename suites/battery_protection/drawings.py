"""A session drawn: voltage at the connector and current, with the moments of wires, contacts and flags."""

from __future__ import annotations

import math
from collections.abc import Sequence

from fixtures.words import EventsLog, Picture
from rig.chademo.codec import ChargerStatus, VehicleStatus
from rig.chademo.events import ContactorMoved, WireChanged
from rig.evidence.documents import Edge, Level, Panel, Trace
from rig.recorder import Record

STEPS = (
    WireChanged("d1", True),
    WireChanged("k", True),
    WireChanged("lock", True),
    WireChanged("d2", True),
    ContactorMoved(True),
    WireChanged("k", False),
    ContactorMoved(False),
    WireChanged("d2", False),
    WireChanged("d1", False),
    WireChanged("lock", False),
)
"""What is marked, in the order of a session (chademo.md 2)."""


def course(
    name: str,
    title: str,
    record: Record,
    events: EventsLog,
    requirements: Sequence[str],
    *,
    since: float = 0.0,
    until: float = math.inf,
    levels: Sequence[Level] = (),
) -> Picture:
    """Voltage and current between two moments (s). levels: of the voltage."""
    instants = [
        *(events.change(step, since) for step in STEPS),
        events.said(VehicleStatus, lambda m: m.current_request > 0, "102.3 > 0", since),
        events.said(ChargerStatus, lambda m: m.running, "109.5.0 = 1", since),
    ]
    t = record["inlet_u"].t
    start, end = max(since, float(t[0])), min(until, float(t[-1]))
    return Picture(
        name=name,
        title=title,
        kind="session",
        captures=record.captures,
        panels=(
            Panel(
                title="Voltage at the connector",
                unit="V",
                traces=(
                    Trace(channel="inlet_u", label="measured"),
                    Trace(channel="reported_voltage", label="reported 109.1-2", role="other", step=True),
                ),
                levels=tuple(levels),
            ),
            Panel(
                title="DC current, positive into the battery",
                unit="A",
                traces=(
                    Trace(channel="source_i", label="measured"),
                    Trace(channel="asked_current", label="request 102.3", role="asked", step=True),
                ),
            ),
        ),
        edges=tuple(Edge(at=one.at, label=one.what) for one in instants if start <= one.at <= end),
        start=start,
        end=end,
        origin=start,
        requirements=tuple(requirements),
    )
