"""Driver of a car with outlets of its own: a person at its dash. Role: Charger. Never met hardware.

It has a switch and a display; whatever else a charger can be told is refused with the reason.
"""

from __future__ import annotations

from instruments.car_outlets.commands import DISPLAY, WORDS, Options
from instruments.operator.driver import OperatedCharger
from rig.clock import Clock
from rig.prompts import Prompter


def open_driver(session: Prompter, options: Options, clock: Clock) -> OperatedCharger:
    """A person at the car."""
    return OperatedCharger(session, options, clock, WORDS, DISPLAY)
