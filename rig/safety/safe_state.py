"""Bring a bench to its safe state, in a declared order, whatever has failed before.

The order (facts: chademo.md sections 2, 3 and 6, contactors are never opened under load):
  1 the charger is told to stop          its own ramp-down is the gentlest way to no current
  2 the car ends the session             current to 5 A or less, then its contactors; bounded, with a named fallback
  3 the vehicle interface                k, contactors and proximity released, read back
  4 the battery source off               no energy behind the contactors any more
  5 the mains off                        no energy on the other side
  6 the house loads off                  last: they take what is left in the charger
Every step is tried, in any order of failure; what failed is in the outcome. An instrument that does not confirm makes
the whole outcome unconfirmed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rig.errors import BenchFault
from rig.roles import SafeState


@dataclass(frozen=True, slots=True)
class SafeStep:
    """One step. act: brings its part to no energy and returns what was read back (None: a step without read-back)."""

    name: str
    act: Callable[[], SafeState | None]


@dataclass(frozen=True, slots=True)
class SafeOutcome:
    """confirmed: every step with a read-back confirmed it. readings: one line each, failures included."""

    confirmed: bool
    readings: tuple[str, ...]


def bring_to_safe_state(steps: Sequence[SafeStep]) -> SafeOutcome:
    """Run every step, however many fail."""
    confirmed, readings = True, []
    for step in steps:
        try:
            state = step.act()
        except Exception as error:  # noqa: BLE001  (whatever failed here, the next step may not wait for it)
            # A refusal by software (UseError) is as little a confirmation as a lost instrument.
            kind = "bench fault" if isinstance(error, BenchFault) else type(error).__name__
            readings.append(f"{step.name}: UNCONFIRMED, {kind}: {error}")
            confirmed = False
            continue
        if state is not None:
            confirmed &= state.confirmed
            word = "confirmed" if state.confirmed else "UNCONFIRMED"
            readings += [f"{step.name}: {word}, {reading}" for reading in state.readings or ("no reading",)]
    return SafeOutcome(confirmed, tuple(readings))
