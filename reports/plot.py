"""A Picture drawn from its captures as SVG: stacked panels over one time axis, with traces, levels, bands, spans and
edges. Knows documents and arrays; reads no file itself.

Every number of a Picture is in SI; a panel multiplies by its scale before it prints. Lines live in an inner SVG of
XSIZE x YSIZE whole units, so that a path is short and a script can read values back from it:
  shown value = low + (YSIZE - y) / YSIZE * (high - low)      shown time = t0 + x / XSIZE * (t1 - t0)
with low, high, t0, t1 in data attributes. A trace that holds its value is drawn so and says so (data-step).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from markupsafe import Markup

from reports import bus, svg
from reports.decimate import Floats, min_max, stepped
from reports.numbers import tick_text, ticks
from rig.evidence.documents import Panel, Picture, Span, Trace

XSIZE, YSIZE = 4000, 1000
WIDTH, LEFT, RIGHT = 960, 58, 12
INSIDE = WIDTH - LEFT - RIGHT
LETTER = 6.1
"""px a letter of 11 px takes, on average; only for keeping labels apart."""
COLORS = 5

Column = tuple[Floats, npt.NDArray[np.floating]]
"""t (s) and values, shape (n,)."""
Columns = Mapping[str, Column]
"""Channel name -> its samples, of the captures of one picture."""


@dataclass(frozen=True, slots=True)
class Window:
    """The time shown. start, end, origin: s. scale: what a second is divided by; unit: then."""

    start: float
    end: float
    origin: float

    @property
    def scale(self) -> float:
        """1e-3 for a window of less than two seconds."""
        return 1.0 if self.end - self.start >= 2.0 else 1e-3

    @property
    def unit(self) -> str:
        """Of the time axis."""
        return "s" if self.scale == 1.0 else "ms"

    def x(self, t: float) -> float:
        """px; beyond the window for a time beyond it."""
        return LEFT + (t - self.start) / (self.end - self.start) * INSIDE

    def shown(self, t: float) -> float:
        """As the axis counts it."""
        return (t - self.origin) / self.scale


@dataclass(frozen=True, slots=True)
class _Frame:
    """A panel's place. top, height: px. low, high: of its axis, as shown."""

    panel: Panel
    top: float
    height: float
    low: float
    high: float

    def y(self, shown: float) -> float:
        return self.top + (self.high - shown) / (self.high - self.low) * self.height


def draw(
    picture: Picture, columns: Columns, width: int, since: str = "bench time", log: pa.Table | None = None
) -> Markup | None:
    """The picture; None when nothing of it can be drawn. width: columns kept of each trace. since: what the time
    axis counts from where its origin is 0. log: frames of a bus, shown below over the same time."""
    window = window_of(picture, columns)
    if window is None or not picture.panels:
        return None
    lanes, top = _lanes(picture, window)
    frames = list[_Frame]()
    until = max(float(t[-1]) for t, _ in columns.values() if t.size)
    for panel in picture.panels:
        height = 190.0 if len(picture.panels) == 1 else 150.0 if len(picture.panels) == 2 else 112.0
        low, high = range_of(panel, columns, window)
        frames.append(_Frame(panel, top + 20, height, low, high))
        top += 20 + height + 10
    bottom = frames[-1].top + frames[-1].height
    lanes_of = bus.lanes(log, window.start, window.end, XSIZE) if log is not None else []
    below = list[Markup]()
    if lanes_of:
        top, tall = bottom + 30, bus.height(lanes_of)
        below = [
            svg.tag("path", class_="gr", d=_times(window, top, tall)),
            *bus.panel(lanes_of, top, LEFT, INSIDE, XSIZE, YSIZE),
        ]
        bottom = top + tall
    parts = [part for frame in frames for part in _panel(frame, columns, window, width, until)]
    parts = [*_spans(picture.spans, frames, window), *parts, *below, *_edges(picture, frames, window, lanes, bottom)]
    parts += _time_axis(picture, window, bottom, since)
    parts.append(svg.tag("path", class_="cur", d=""))
    told = f"{picture.title}. {picture.caption}".strip()
    return svg.tag(
        "svg",
        svg.title(told),
        *parts,
        class_="plot",
        viewBox=f"0 0 {WIDTH} {svg.number(bottom + 34)}",
        role="img",
        tabindex=0,
        data_t0=f"{window.shown(window.start):.9g}",
        data_t1=f"{window.shown(window.end):.9g}",
        data_tu=window.unit,
        data_top=frames[0].top,
        data_bottom=bottom,
    )


def window_of(picture: Picture, columns: Columns) -> Window | None:
    """The time a picture shows; None where there is none."""
    start, end = picture.start, picture.end
    if start == end:
        used = [columns[t.channel][0] for p in picture.panels for t in p.traces if t.channel in columns]
        spans = [(float(t[0]), float(t[-1])) for t in used if t.size]
        if not spans:
            return None
        start, end = min(low for low, _ in spans), max(high for _, high in spans)
    return Window(start, end, picture.origin) if np.isfinite(end - start) and end > start else None


def range_of(panel: Panel, columns: Columns, window: Window) -> tuple[float, float]:
    """Of the value axis, as shown: all that is in the window, its levels and bands, and some room."""
    seen = [level.value for level in panel.levels] + [one for band in panel.bands for one in (band.low, band.high)]
    for trace in panel.traces:
        if trace.channel in columns:
            t, values = columns[trace.channel]
            inside = values[np.searchsorted(t, window.start) : np.searchsorted(t, window.end, "right")]
            inside = inside[np.isfinite(inside)]
            if inside.size:
                seen += [float(inside.min()), float(inside.max())]
    shown = [one * panel.scale for one in seen if np.isfinite(one)] or [0.0, 1.0]
    low, high = min(shown), max(shown)
    room = 0.07 * (high - low) or 0.05 * abs(high) or 1.0
    low = low - room if panel.low is None else panel.low * panel.scale
    high = high + room if panel.high is None else panel.high * panel.scale
    return (low, high) if high > low else (low - 1.0, low + 1.0)


def _panel(frame: _Frame, columns: Columns, window: Window, width: int, until: float) -> list[Markup]:
    """until: s, the end of the record, to which a held value holds."""
    panel, names = frame.panel, _classes(frame.panel.traces)
    label = f"{panel.title} / {panel.unit}" if panel.unit else panel.title
    parts = [svg.tag("text", label, class_="pt", x=LEFT, y=frame.top - 6)]
    parts += _grid(frame, window)
    for band in panel.bands:
        high, low = frame.y(band.high * panel.scale), frame.y(band.low * panel.scale)
        high, low = max(high, frame.top), min(low, frame.top + frame.height)
        if low > high:
            parts.append(svg.tag("rect", class_="bd", x=LEFT, y=high, width=INSIDE, height=low - high))
            parts.append(
                svg.tag("text", band.label, class_="hl good", x=LEFT + 6, y=high + 12) if band.label else Markup()
            )
    lines = [
        line
        for trace, name in zip(panel.traces, names, strict=True)
        if trace.channel in columns and (line := _line(frame, trace, name, columns, window, width, until)) is not None
    ]
    parts.append(
        svg.tag(
            "svg",
            *lines,
            class_="in",
            x=LEFT,
            y=frame.top,
            width=INSIDE,
            height=frame.height,
            viewBox=f"0 0 {XSIZE} {YSIZE}",
            preserveAspectRatio="none",
            data_low=f"{frame.low:.9g}",
            data_high=f"{frame.high:.9g}",
            data_unit=panel.unit,
            data_title=panel.title,
        )
    )
    parts += _levels(frame)
    parts += _legend(frame, names, LEFT + LETTER * 1.12 * len(label) + 24)
    return parts


def _classes(traces: tuple[Trace, ...]) -> list[str]:
    """How each is drawn: measured ones take a colour of their own, the others the look of their role."""
    names, used = list[str](), 0
    for trace in traces:
        if trace.role == "measured":
            names.append(f"m{used % COLORS}")
            used += 1
        else:
            names.append({"asked": "as", "limit": "li", "other": "ot"}[trace.role])
    return names


def _line(
    frame: _Frame, trace: Trace, name: str, columns: Columns, window: Window, width: int, until: float
) -> Markup | None:
    t, values = columns[trace.channel]
    held = trace.step and t.size > 0 and float(t[-1]) < until
    whole = np.asarray(values, dtype=np.float64)
    if held:
        t, whole = np.append(t, until), np.append(whole, whole[-1])
    times, kept = min_max(t, whole, window.start, window.end, width)
    if trace.step:
        times, kept = stepped(times, kept)
    x = np.rint((times - window.start) / (window.end - window.start) * XSIZE)
    y = np.rint((frame.high - kept * frame.panel.scale) / (frame.high - frame.low) * YSIZE)
    d = _path(np.clip(x, -99 * XSIZE, 99 * XSIZE), np.clip(y, -99 * YSIZE, 99 * YSIZE))
    label = trace.label or trace.channel
    return svg.tag("path", class_=name, d=d, data_label=label, data_step=1 if trace.step else None) if d else None


def _path(x: Floats, y: Floats) -> str:
    """Whole units, each point told from the one before; a gap where y is NaN."""
    pieces = list[str]()
    gaps = np.flatnonzero(np.diff(np.isfinite(y).astype(np.int8), prepend=0, append=0))
    for first, last in zip(gaps[::2], gaps[1::2], strict=True):
        px, py = x[first:last].astype(int), y[first:last].astype(int)
        steps = np.stack((np.diff(px), np.diff(py)), axis=1)
        steps = steps[np.any(steps != 0, axis=1)]
        rest = " ".join(map(str, steps.reshape(-1).tolist())).replace(" -", "-")
        pieces.append(f"M{px[0]} {py[0]}l{rest or '1 0'}")
    return "".join(pieces)


def _grid(frame: _Frame, window: Window) -> list[Markup]:
    step, values = ticks(frame.low, frame.high, max(3, round(frame.height / 30)))
    parts = [svg.tag("rect", class_="bg", x=LEFT, y=frame.top, width=INSIDE, height=frame.height)]
    d = "".join(f"M{LEFT} {svg.number(frame.y(one))}h{INSIDE}" for one in values)
    parts.append(svg.tag("path", class_="gr", d=d + _times(window, frame.top, frame.height)))
    for one in values:
        text = tick_text(one, step)
        parts.append(svg.tag("text", text, class_="tk", x=LEFT - 7, y=frame.y(one) + 4, text_anchor="end"))
    return parts


def _times(window: Window, top: float, height: float) -> str:
    """The grid's lines of time."""
    _, times = ticks(window.shown(window.start), window.shown(window.end), 10)
    return "".join(f"M{svg.number(_tick_x(one, window))} {svg.number(top)}v{height:g}" for one in times)


def _tick_x(shown: float, window: Window) -> float:
    return window.x(window.origin + shown * window.scale)


def _levels(frame: _Frame) -> list[Markup]:
    parts = list[Markup]()
    for level in frame.panel.levels:
        y = frame.y(level.value * frame.panel.scale)
        if not frame.top <= y <= frame.top + frame.height:
            continue
        name = "lv" if level.kind == "limit" else "nv"
        parts.append(svg.tag("path", class_=name, d=f"M{LEFT} {svg.number(y)}h{INSIDE}"))
        if level.label:
            above = y - 4 if y - frame.top > 16 else y + 12
            kind = "hl bad" if level.kind == "limit" else "hl"
            parts.append(svg.tag("text", level.label, class_=kind, x=WIDTH - RIGHT - 6, y=above, text_anchor="end"))
    return parts


def _legend(frame: _Frame, names: list[str], x: float) -> list[Markup]:
    """Right of the panel's title; left out when the panel has one trace that says no more than the title."""
    traces = frame.panel.traces
    if len(traces) == 1 and (traces[0].label or traces[0].channel) == frame.panel.title:
        return []
    parts, y = list[Markup](), frame.top - 10
    for trace, name in zip(frame.panel.traces, names, strict=True):
        label = trace.label or trace.channel
        parts.append(svg.tag("path", class_=f"{name} lg", d=f"M{svg.number(x)} {svg.number(y)}h18"))
        parts.append(svg.tag("text", label, class_="le", x=x + 23, y=y + 4))
        x += 23 + LETTER * len(label) + 18
    return parts


def _spans(spans: tuple[Span, ...], frames: list[_Frame], window: Window) -> list[Markup]:
    parts = list[Markup]()
    for span in spans:
        left, right = max(LEFT, window.x(span.start)), min(LEFT + INSIDE, window.x(span.end))
        if not right > left:
            continue
        for first, frame in enumerate(_of(span.panel, frames)):
            parts.append(
                svg.tag("rect", class_=f"sp {span.tone}", x=left, y=frame.top, width=right - left, height=frame.height)
            )
            if first == 0 and span.label:
                middle, half = (left + right) / 2, LETTER * len(span.label) / 2
                middle = min(max(middle, LEFT + half), LEFT + INSIDE - half)
                parts.append(svg.tag("text", span.label, class_="sl", x=middle, y=frame.top + 13, text_anchor="middle"))
    return parts


def _of(title: str, frames: list[_Frame]) -> list[_Frame]:
    """The panel of that title, or all."""
    return [frame for frame in frames if not title or frame.panel.title == title]


def _lanes(picture: Picture, window: Window) -> tuple[dict[int, tuple[int, float, str]], float]:
    """A lane, an x and an anchor for the label of each edge over all panels, so that none touches; the height taken."""
    ends, placed = list[float](), dict[int, tuple[int, float, str]]()
    for index, edge in sorted(enumerate(picture.edges), key=lambda pair: (pair[1].at, pair[0])):
        x, length = window.x(edge.at), LETTER * len(edge.label) + 8
        if edge.panel or not LEFT - 0.5 <= x <= LEFT + INSIDE + 0.5:
            continue
        left, anchor = (x, "start") if x + length < WIDTH else (x - length, "end")
        lane = next((k for k, end in enumerate(ends) if end <= left), len(ends))
        ends[lane:] = [left + length, *ends[lane + 1 :]]
        placed[index] = (lane, x, anchor)
    return placed, 14.0 * len(ends) + (4 if ends else 0)


def _edges(
    picture: Picture, frames: list[_Frame], window: Window, lanes: Mapping[int, tuple[int, float, str]], bottom: float
) -> list[Markup]:
    """Over all panels, to the bottom, with the label in its lane above them; over one panel with the label inside."""
    parts = list[Markup]()
    for index, edge in enumerate(picture.edges):
        if index in lanes:
            lane, x, anchor = lanes[index]
            parts += _edge(x, 14.0 * lane + 4, bottom, edge.label, anchor)
        elif edge.panel and LEFT <= (x := window.x(edge.at)) <= LEFT + INSIDE:
            for frame in _of(edge.panel, frames):
                parts += _edge(x, frame.top + 3, frame.top + frame.height, edge.label, "start")
    return parts


def _edge(x: float, top: float, bottom: float, label: str, anchor: str) -> list[Markup]:
    line = svg.tag("path", class_="ed", d=f"M{svg.number(x)} {svg.number(top)}V{svg.number(bottom)}")
    shift = 4 if anchor == "start" else -4
    return [line, svg.tag("text", label, class_="el", x=x + shift, y=top + 9, text_anchor=anchor)]


def _time_axis(picture: Picture, window: Window, bottom: float, zero: str) -> list[Markup]:
    step, times = ticks(window.shown(window.start), window.shown(window.end), 10)
    parts = [
        svg.tag("text", tick_text(one, step), class_="tk", x=_tick_x(one, window), y=bottom + 15, text_anchor="middle")
        for one in times
    ]
    near = [edge.label for edge in picture.edges if abs(edge.at - window.origin) < 1e-9]
    since = f"from “{near[0]}”" if near else f"from {window.origin:.6g} s bench time"
    if window.origin == 0:
        since = zero
    text = f"{window.unit}, {since}"
    parts.append(svg.tag("text", text, class_="ax", x=LEFT + INSIDE / 2, y=bottom + 30, text_anchor="middle"))
    return parts
