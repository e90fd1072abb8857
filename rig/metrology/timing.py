"""Counts and durations between two instants."""

from __future__ import annotations

from rig.metrology.measurement import Component, Measurement


def count(name: str, n: int, source: str = "", at: float = 0.0) -> Measurement:
    """A number of events: exact, no uncertainty, and its budget says so."""
    return Measurement(name, float(n), "1", (Component("counted", 0.0, "normal", "exact"),), source, at)


def duration(name: str, start: float, end: float, u_start: float, u_end: float, source: str = "") -> Measurement:
    """s from start to end, two instants with their standard uncertainties. end: inf for what never happened."""
    budget = (
        Component("instant of the start", u_start, "rectangular", source),
        Component("instant of the end", u_end, "rectangular", source),
    )
    return Measurement(name, end - start, "s", budget, source, end)
