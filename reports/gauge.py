"""A measured value on one small axis with its U, its limit and the acceptance limit, as SVG.

  red hatch    beyond the limit            amber   guard band, between limit and acceptance limit
  green        acceptance                  dot and whisker   the value and its U        small ticks   its fellows
A widened acceptance (an inherent rule) has no amber. A value that is no number, or never came, is said in words.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from reports import svg
from reports.numbers import digits, joined, quantity, unit_for, with_u
from rig.evidence.documents import Bounds, Judged

WIDTH, HEIGHT = 260, 46
_LEFT, _RIGHT, _TOP, _DEEP = 6.0, 254.0, 6.0, 16.0
_ROOM = 0.16
"""Of the span, kept free on either side."""


class _Axis:
    """Values to pixels."""

    def __init__(self, low: float, high: float) -> None:
        room = (high - low) * _ROOM or abs(high) * 0.1 or 1.0
        self.low, self.high = low - room, high + room

    def x(self, value: float) -> float:
        """px, in tenths; held inside the axis."""
        share = (value - self.low) / (self.high - self.low)
        return round(_LEFT + min(1.0, max(0.0, share)) * (_RIGHT - _LEFT), 1)


def gauge(value: float, judged: Judged, fellows: Sequence[float] = (), told: bool = True) -> Markup:
    """The value of a judgement. fellows: values of the same quantity and limit, drawn small. told: said in words to who
    cannot see it; needless where the words stand beside it."""
    limit, acceptance = judged.limit, judged.acceptance
    u = judged.expanded if math.isfinite(judged.expanded) else 0.0
    points = _finite_of(limit.min, limit.max, acceptance.min, acceptance.max)
    points += _finite_of(*fellows)
    points += [value - u, value + u] if math.isfinite(value) else []
    axis = _Axis(min(points), max(points)) if points else _Axis(0.0, 1.0)
    parts = [svg.title(_told(value, judged))] if told else []
    parts += _zones(axis, limit, acceptance)
    parts += _ticks(axis, fellows)
    parts += _value(axis, value, u)
    parts += _labels(axis, limit)
    word = judged.verdict.replace(" ", "-").lower()
    return svg.tag(
        "svg",
        *parts,
        class_=f"g v-{word}",
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img" if told else None,
        aria_hidden=None if told else "true",
    )


def _told(value: float, judged: Judged) -> str:
    shown = with_u(value, judged.expanded, judged.limit.unit)
    limits = [quantity(one, judged.limit.unit) for one in (judged.limit.min, judged.limit.max) if one is not None]
    bounds = (judged.acceptance.min, judged.acceptance.max)
    accepted = [quantity(one, judged.limit.unit) for one in bounds if one is not None]
    return f"{shown}; limit {' and '.join(limits) or 'none'}; acceptance limit {' and '.join(accepted) or 'none'}"


def _zones(axis: _Axis, limit: Bounds, acceptance: Bounds) -> list[Markup]:
    """The bar: acceptance, guard bands, beyond. From the left: what lies below each bound."""
    low_in = _LEFT if acceptance.min is None else axis.x(acceptance.min)
    low_out = _LEFT if limit.min is None else axis.x(limit.min)
    high_in = _RIGHT if acceptance.max is None else axis.x(acceptance.max)
    high_out = _RIGHT if limit.max is None else axis.x(limit.max)
    free = limit.min is None and limit.max is None
    zones = [
        ("zb", _LEFT, min(low_out, low_in)),
        ("zw", low_out, low_in),
        ("zn" if free else "zg", low_in, high_in),
        ("zw", high_in, high_out),
        ("zb", max(high_out, high_in), _RIGHT),
    ]
    drawn = [
        svg.tag("path", class_=kind, d=f"M{svg.number(left)} {_TOP:g}H{svg.number(right)}v{_DEEP:g}H{svg.number(left)}")
        for kind, left, right in zones
        if right - left > 0.05
    ]
    bounds = _finite_of(limit.min, limit.max)
    lines = [(one, "zl") for one in bounds]
    lines += [(one, "za") for one in _finite_of(acceptance.min, acceptance.max) if one not in bounds]
    for bound, kind in lines:
        drawn.append(svg.tag("path", class_=kind, d=f"M{svg.number(axis.x(bound))} {_TOP - 3:g}v{_DEEP + 6:g}"))
    return drawn


def _ticks(axis: _Axis, fellows: Sequence[float]) -> list[Markup]:
    places = sorted({round(axis.x(one)) for one in _finite_of(*fellows)})
    return (
        [svg.tag("path", class_="zt", d="".join(f"M{x} {_TOP + 3:g}v{_DEEP - 6:g}" for x in places))] if places else []
    )


def _value(axis: _Axis, value: float, u: float) -> list[Markup]:
    middle = _TOP + _DEEP / 2
    if math.isnan(value):
        return [svg.tag("text", "no number", class_="zv", x=(_LEFT + _RIGHT) / 2, y=middle + 4, text_anchor="middle")]
    if math.isinf(value):
        edge, way, anchor = (_RIGHT, -1, "end") if value > 0 else (_LEFT, 1, "start")
        arrow = f"M{edge:g} {middle:g}l{10 * way} -6v12z"
        word = "never came" if value > 0 else "below any bound"
        return [
            svg.tag("path", class_="zd", d=arrow),
            svg.tag("text", word, class_="zv", x=edge + 14 * way, y=middle + 4, text_anchor=anchor),
        ]
    x, left, right = axis.x(value), axis.x(value - u), axis.x(value + u)
    whisker = f"M{svg.number(left)} {middle - 4:g}v8m0-4H{svg.number(right)}m0-4v8"
    drawn = [svg.tag("path", class_="zu", d=whisker)] if u > 0 else []
    return [*drawn, svg.tag("circle", class_="zd", cx=x, cy=middle, r=4)]


def _labels(axis: _Axis, limit: Bounds) -> list[Markup]:
    """The limit's numbers under their lines, at the outer side when both would touch."""
    known = _finite_of(limit.min, limit.max)
    scale, name = unit_for(max(map(abs, known), default=0.0), limit.unit)
    drawn = []
    for bound in dict.fromkeys(known):
        x = axis.x(bound)
        text = joined(digits(bound / scale, 0.0), name)
        crowded = len(set(known)) == 2 and abs(axis.x(known[1]) - axis.x(known[0])) < 90
        anchor = ("end" if bound == known[0] else "start") if crowded else "middle"
        half = 3.2 * len(text)
        if anchor == "middle":
            x = min(max(x, _LEFT + half), _RIGHT - half)
        drawn.append(svg.tag("text", text, class_="zx", x=x, y=HEIGHT - 8, text_anchor=anchor))
    return drawn


def _finite_of(*values: float | None) -> list[float]:
    return [one for one in values if one is not None and math.isfinite(one)]
