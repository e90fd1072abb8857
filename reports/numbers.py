"""Values as a reader wants them: engineering units, digits that the uncertainty deserves. Knows no document."""

from __future__ import annotations

import math

_THOUSANDS = ((1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "µ"))
_SCALES: dict[str, tuple[tuple[float, str], ...]] = {
    "s": ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")),
    "1": ((1.0, ""),),
    "K": ((1.0, "K"),),
    "degC": ((1.0, "°C"),),
    "deg": ((1.0, "°"),),
    "ohm": ((1e6, "MΩ"), (1e3, "kΩ"), (1.0, "Ω"), (1e-3, "mΩ")),
    "Hz": ((1e3, "kHz"), (1.0, "Hz"), (1e-3, "mHz")),
    "A/s": ((1e3, "kA/s"), (1.0, "A/s")),
    "W/s": ((1e3, "kW/s"), (1.0, "W/s")),
    "Hz/s": ((1.0, "Hz/s"),),
    "%": ((1.0, "%"),),
    "": ((1.0, ""),),
}
"""What a value is divided by, and the unit it is then shown in; largest first. V, A, W, VA, J: by thousands."""
_PREFIXED = frozenset({"V", "A", "W", "VA", "J"})
_FROM = 0.1
"""A smaller unit is taken when the value is below this much of the larger one: 0.5 A, but 20 ms. Project choice."""
_DIGITS = 5
"""Significant digits of a value nobody stated an uncertainty for."""


def unit_for(reference: float, unit: str) -> tuple[float, str]:
    """What to divide by, and the unit to print, for values as large as reference (in unit)."""
    scales = _SCALES.get(unit)
    if scales is None:
        scales = tuple((size, prefix + unit) for size, prefix in _THOUSANDS) if unit in _PREFIXED else ((1.0, unit),)
    plain = next(one for one in scales if one[0] == 1.0)
    size = abs(reference)
    if size == 0 or not math.isfinite(size):
        return plain
    for scale, name in scales:
        if size >= scale * (1.0 if scale > 1 else _FROM):
            return scale, name
    return scales[-1]


def digits(value: float, resolution: float) -> str:
    """A finite value with two significant digits of its resolution (U, or a tick's step); plainly when it is 0."""
    if not (math.isfinite(resolution) and resolution > 0):
        return f"{value:.{_DIGITS}g}" if abs(value) < 1e5 or value != round(value) else f"{value:.0f}"
    places = min(9, max(0, 1 - math.floor(math.log10(resolution))))
    text = f"{value:.{places}f}"
    return text.removeprefix("-") if not float(text) else text


def joined(number: str, unit: str) -> str:
    """A number and its unit, a degree sign close to it."""
    return number + unit if unit == "°" else f"{number} {unit}".strip()


def quantity(value: float, unit: str) -> str:
    """A value without uncertainty: "20 ms"."""
    if math.isnan(value):
        return "no number"
    if math.isinf(value):
        return ("never" if unit == "s" else "unbounded") if value > 0 else "below any bound"
    scale, name = unit_for(value, unit)
    return joined(digits(value / scale, 0.0), name)


def with_u(value: float, expanded: float, unit: str) -> str:
    """A value with its expanded uncertainty: "18.24 ± 0.49 ms"."""
    if not math.isfinite(value) or not (math.isfinite(expanded) and expanded > 0):
        return quantity(value, unit)
    scale, name = unit_for(max(abs(value), expanded), unit)
    u = expanded / scale
    return joined(f"{digits(value / scale, u)} ± {digits(u, u)}", name)


def bounds(low: float | None, high: float | None, unit: str) -> str:
    """A limit: "≤ 20 ms", "188 to 212 V", "no limit"."""
    if low is None:
        return "no limit" if high is None else f"≤ {quantity(high, unit)}"
    if high is None:
        return f"≥ {quantity(low, unit)}"
    if low == high:
        return f"= {quantity(high, unit)}"
    scale, name = unit_for(max(abs(low), abs(high)), unit)
    return joined(f"{digits(low / scale, 0.0)} to {digits(high / scale, 0.0)}", name)


def per_cent(share: float) -> str:
    """A probability or a share of a whole, never rounded up to certainty: "> 99.9 %"."""
    if math.isnan(share):
        return "not stated"
    if 0.999 < share < 1.0 or share == 1.0:
        return "> 99.9 %"
    return "< 0.1 %" if share < 0.001 else f"{100 * share:.3g} %"


def span(seconds: float) -> str:
    """A length of time for people: "0.42 s", "3 min 12 s", "2 h 05 min"."""
    if not math.isfinite(seconds):
        return "not known"
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def ticks(low: float, high: float, about: int) -> tuple[float, list[float]]:
    """The step 1, 2 or 5 times a power of ten that gives about so many ticks, and the ticks inside."""
    if not (high > low and math.isfinite(high - low)):
        return 1.0, [low]
    raw = (high - low) / max(1, about)
    power = 10.0 ** math.floor(math.log10(raw))
    steps = [factor * power for factor in (0.5, 1.0, 2.0, 5.0, 10.0)]
    choice = next(k for k, step in enumerate(steps) if k > 0 and step >= raw * 0.999)
    # A range narrower than its step may hold no multiple of it: the next finer step then has one.
    for step in (steps[choice], steps[choice - 1]):
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if first <= last:
            break
    return step, [k * step for k in range(first, last + 1)]


def tick_text(value: float, step: float) -> str:
    """A tick with as many decimals as its step has."""
    places = max(0, -math.floor(math.log10(step) + 1e-9)) if step > 0 else 0
    if places > 6 or abs(value) >= 1e6:
        return f"{value:.4g}"
    text = f"{value:.{places}f}"
    return text.removeprefix("-") if not float(text) else text
