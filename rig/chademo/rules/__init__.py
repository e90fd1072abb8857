"""Every rule of the CHAdeMO session, in the order of a session. `RuleSet(ALL)` watches them all."""

from __future__ import annotations

from rig.chademo.rules import blackout, contactors, current, discharge, handshake, permission, stop, traffic, vehicle
from rig.chademo.rules.rule import Rule

ALL: tuple[Rule, ...] = (
    *traffic.RULES,
    *handshake.RULES,
    *permission.RULES,
    *contactors.RULES,
    *current.RULES,
    *discharge.RULES,
    *stop.RULES,
    *blackout.RULES,
    *vehicle.RULES,
)
