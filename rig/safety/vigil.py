"""When a supervisor must act: silence of the rig, judged by what its heartbeats say. Sans-IO.

A process that is stopped or swaps sends nothing; one whose clock hangs in an exchange still beats, and says so; one
whose test never comes back does too. Three bounds, from the narrowest to the most generous.
"""

from __future__ import annotations

from rig.safety.envelope import Envelope
from rig.safety.orders import Beat, Orders


class Vigil:
    """now: s, of the beginning."""

    def __init__(self, orders: Orders, now: float) -> None:
        self._orders, self._heard = orders, now
        self._pack = Envelope(orders.levels)

    def beat(self, now: float, beat: Beat) -> str:
        """A heartbeat has come: why to act because of what it says; empty for no reason."""
        self._heard = now
        if beat.clock > self._orders.clock:
            return f"the rig's clock has not turned for {beat.clock:.1f} s ({self._orders.clock:g} s allowed)"
        if beat.conductor > self._orders.conductor:
            allowed = f"{self._orders.conductor:g} s allowed, [safety] conductor"
            return f"the test has not shown itself for {beat.conductor:.0f} s ({allowed})"
        return self._pack.look(now, beat.facts)

    def silent(self, now: float) -> str:
        """Why to act because nothing came; empty for no reason."""
        quiet = now - self._heard
        if quiet <= self._orders.heartbeat:
            return ""
        return f"no heartbeat of the rig for {quiet:.2f} s ({self._orders.heartbeat:g} s allowed)"
