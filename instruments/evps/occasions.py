"""When a defect shows: always, or only on an occasion. What makes a charger good on every bench day but one.

Theory
  A charger with occasional defects has one behaviour for each set of them that shows now. Before every step of its
  controller and of its PCS the occasions are looked at, and both machines are given the behaviour that goes with them.
  An occasion is told from what the charger itself knows, so it can be met on purpose.

  ramping             its current is on its way
  standby             it is told to stand by
  charging            the last current that flowed charged the car
  forming             the house is on the car alone
  later               not in its first session
  every:N             in every N-th session
  after:S             s of power without a break
  near:A              a mains loss within 30 degrees of this point on wave, or of the opposite one
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from instruments.evps.behaviour import Behaviour
from instruments.evps.controller import Controller
from instruments.evps.events import MainsSeen, Supply
from instruments.evps.pcs import Pcs
from instruments.evps.stops import Phase

WITHIN: Final = 30.0
"""degrees about a point on wave (project choice: one or two of eight angles in 45 degrees meet it)."""
FLOWS: Final = 1.0
"""A from which power flows (project choice)."""


@dataclass(slots=True)
class Moment:
    """What an occasion is told from. loaded_for: s of power without a break. angle: degrees of the last change of the
    mains."""

    ramping: bool = False
    standby: bool = False
    charged_last: bool = False
    forming: bool = False
    session: int = 0
    loaded_for: float = 0.0
    angle: float = 0.0


Test = Callable[[Moment, float], bool]


def _near(m: Moment, angle: float) -> bool:
    off = (m.angle - angle) % 180.0
    return min(off, 180.0 - off) <= WITHIN


OCCASIONS: Final[dict[str, Test]] = {
    "ramping": lambda m, _: m.ramping,
    "standby": lambda m, _: m.standby,
    "charging": lambda m, _: m.charged_last,
    "forming": lambda m, _: m.forming,
    "later": lambda m, _: m.session > 1,
    "every": lambda m, n: m.session > 0 and m.session % int(n) == 0,
    "after": lambda m, s: m.loaded_for >= s,
    "near": _near,
}
FIGURED: Final = frozenset({"every", "after", "near"})
"""Those that carry a figure."""


def read_occasion(text: str) -> str:
    """An occasion of a bench file, checked. ValueError says how to write it."""
    name, _, figure = text.partition(":")
    if name not in OCCASIONS:
        raise ValueError(f"when = {text!r} is no occasion: {', '.join(sorted(OCCASIONS))}")
    if name not in FIGURED:
        if figure:
            raise ValueError(f"when = {text!r}: {name!r} takes no figure; write when = {name!r}")
        return text
    try:
        value = float(figure)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 1e6 or (name == "every" and (value < 1.0 or value != int(value))):
        raise ValueError(f'when = {text!r}: write a figure after the colon, as in "every:100", "after:1200", "near:90"')
    return text


def holds(occasion: str, m: Moment) -> bool:
    """Whether it is one now. "": always."""
    if not occasion:
        return True
    name, _, figure = occasion.partition(":")
    return OCCASIONS[name](m, float(figure or 0.0))


class Moods:
    """Gives controller and PCS the behaviour of the moment. whens: of each defect; behave: which of them show -> the
    behaviour."""

    def __init__(
        self, controller: Controller, pcs: Pcs, whens: Iterable[str], behave: Callable[[tuple[bool, ...]], Behaviour]
    ) -> None:
        self._controller, self._pcs = controller, pcs
        self._whens, self._behave = tuple(whens), behave
        self._known: dict[tuple[bool, ...], Behaviour] = {}
        self._shown: tuple[bool, ...] | None = None
        self._moment = Moment()
        self._phase = Phase.OFF
        self._loaded_since: float | None = None

    def look(self, now: float, event: object) -> None:
        """Before a step at now (s) with this event."""
        m, control = self._moment, self._controller
        s, phase = control.s, control.phase
        if isinstance(event, MainsSeen):
            m.angle = event.angle
        if phase is Phase.CALLING and self._phase is not Phase.CALLING:
            m.session += 1
        self._phase = phase
        if abs(s.i) < FLOWS:
            self._loaded_since = None
        else:
            self._loaded_since = now if self._loaded_since is None else self._loaded_since
            m.charged_last = s.i > 0.0
        m.loaded_for = 0.0 if self._loaded_since is None else now - self._loaded_since
        m.ramping, m.standby = control.ramping, s.mode == "standby"
        m.forming = s.supply is Supply.ISLAND
        shown = tuple(holds(when, m) for when in self._whens)
        if shown == self._shown:
            return
        self._shown = shown
        if shown not in self._known:
            self._known[shown] = self._behave(shown)
        self._controller.behave(self._known[shown])
        self._pcs.behave(self._known[shown])
