"""Contacts that move some time after their coil: the PCS main contact, the EV contactors, the EVPS's own contactor.

A coil that changes its mind before the contact has moved leaves it where it is. The contact knows no clock: it says
when it is due and is told when that time has come. Times are whole nanoseconds, as the bench's clock counts them.
"""

from __future__ import annotations

import math

from rig.units import to_ns, to_s

CLOSING_BOUNCE = ((0.0, True), (0.25e-3, False), (0.40e-3, True), (0.65e-3, False), (0.75e-3, True))
"""(s after the first touch, closed) of an auxiliary contact that closes; project choice, a millisecond of bounce."""
OPENING_BOUNCE = ((0.0, False), (0.15e-3, True), (0.25e-3, False))
"""The same for one that opens; project choice."""


class Contact:
    """One delayed contact. operate, release: s from coil to contact."""

    __slots__ = ("closed", "coil", "due", "operate", "release")

    def __init__(self, operate: float, release: float) -> None:
        self.operate, self.release = operate, release
        self.closed = self.coil = False
        self.due = math.inf

    def drive(self, coil: bool, now: float) -> None:
        """Feed the coil or not, from now (s) on."""
        if coil == self.coil:
            return
        self.coil = coil
        delay = self.operate if coil else self.release
        self.due = math.inf if coil == self.closed else to_s(to_ns(now + delay))

    def move(self) -> None:
        """The time `due` has come."""
        self.closed, self.due = self.coil, math.inf
