"""Two sessions side by side: phase by phase, and everything that was said or found. Data; judges nothing."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher

from rig.trace.facts import Fact
from rig.trace.judge import SessionReport
from rig.trace.observer import Span

SAME_RATIO = 0.01
"""Of a value by which two ramps may differ and count as the same: they are read off frames whose pace is not exact."""
PEAKS = ("voltage", "charge", "discharge", "request", "available", "discharge_limit")
"""What of a phase is compared beside its time: the highest of each (Span)."""
SAME_TIME = 0.11
"""s two times may be apart and count as the same: one cycle and its jitter (chademo.md 0)."""


@dataclass(frozen=True, slots=True)
class PhasePair:
    """A phase of both sessions, or of one alone (the other None)."""

    a: Span | None
    b: Span | None

    @property
    def name(self) -> str:
        """The phase, in words."""
        span = self.a or self.b
        assert span is not None
        return span.phase.value

    @property
    def difference(self) -> float | None:
        """s by which it lasts longer in b."""
        return None if self.a is None or self.b is None else self.b.duration - self.a.duration

    @property
    def peaks(self) -> dict[str, tuple[float | None, float | None]]:
        """Those highest values that differ, a and b."""
        values = {name: (getattr(self.a, name, None), getattr(self.b, name, None)) for name in PEAKS}
        return {name: pair for name, pair in values.items() if pair[0] != pair[1]}

    @property
    def differs(self) -> bool:
        """In its duration by more than a cycle, in a highest value, or by not being there."""
        return self.difference is None or abs(self.difference) > SAME_TIME or bool(self.peaks)


@dataclass(frozen=True, slots=True)
class FactPair:
    """A fact of both sessions, or of one alone (the other None)."""

    a: Fact | None
    b: Fact | None

    @property
    def fact(self) -> Fact:
        """Its key, name, unit and side."""
        fact = self.a or self.b
        assert fact is not None
        return fact

    @property
    def difference(self) -> float | None:
        """b - a, of numbers."""
        if self.a is None or self.b is None or isinstance(self.a.value, bool) or isinstance(self.b.value, bool):
            return None
        return self.b.value - self.a.value

    @property
    def differs(self) -> bool:
        """Of times: by more than a cycle; of ramps: by more than a hundredth."""
        if self.a is None or self.b is None:
            return True
        if self.difference is not None:
            assert self.a is not None
            ratio = SAME_RATIO * abs(self.a.value) if self.fact.unit == "A/s" else 0.0
            return abs(self.difference) > (SAME_TIME if self.fact.unit == "s" else ratio)
        return self.a.value != self.b.value


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two sessions. phases in their order, those of both in one line; facts in the order of a session report."""

    phases: tuple[PhasePair, ...]
    facts: tuple[FactPair, ...]

    @property
    def same_course(self) -> bool:
        """Both walked through the same phases in the same order."""
        return all(pair.a is not None and pair.b is not None for pair in self.phases)


def compare(a: SessionReport, b: SessionReport) -> Comparison:
    """Line two sessions up by their phases."""
    return Comparison(tuple(_phases(a.phases, b.phases)), tuple(_facts(a.facts, b.facts)))


def _phases(a: tuple[Span, ...], b: tuple[Span, ...]) -> list[PhasePair]:
    names_a, names_b = [span.phase.value for span in a], [span.phase.value for span in b]
    pairs: list[PhasePair] = []
    for _, i, i_end, j, j_end in SequenceMatcher(None, names_a, names_b, autojunk=False).get_opcodes():
        if names_a[i:i_end] == names_b[j:j_end]:
            pairs += [PhasePair(one, other) for one, other in zip(a[i:i_end], b[j:j_end], strict=True)]
        else:
            pairs += [PhasePair(one, None) for one in a[i:i_end]]
            pairs += [PhasePair(None, other) for other in b[j:j_end]]
    return pairs


def _facts(a: tuple[Fact, ...], b: tuple[Fact, ...]) -> list[FactPair]:
    in_a, in_b = {fact.key: fact for fact in a}, {fact.key: fact for fact in b}
    order = list(in_a)
    for n, key in enumerate(in_b):
        if key not in in_a:
            before = next((one for one in reversed(list(in_b)[:n]) if one in order), None)
            order.insert(0 if before is None else order.index(before) + 1, key)
    return [FactPair(in_a.get(key), in_b.get(key)) for key in order]
