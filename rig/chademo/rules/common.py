"""What the families share: the age of a report, the safe current, and a few conditions."""

from __future__ import annotations

from collections.abc import Callable

from rig.chademo.messages import PERIOD
from rig.chademo.rules.judges import After
from rig.chademo.rules.rule import Breach
from rig.chademo.session import Phase, Session

FREE = frozenset({Phase.OPEN, Phase.UNLOCKED, Phase.ENDED})
"""Phases after the welding check: nothing is left to be stopped."""
CYCLE = PERIOD + 0.01
"""s, what a frame reports may be this old (chademo.md 0: 100 ms +-10 ms)."""
CYCLE_WHY = "0.11 s: what a cyclic frame shows may be one cycle old"
MOMENT_WHY = "not judged while the current moves: what is known of it is of the past"
SAFE_CURRENT = 5.0
"""A, a contactor opens at this or less, a stop ends here (chademo.md 2, 3 [BE][RS][CLARA])."""
TOUCH_SAFE = 10.0
"""V, the plug may be unlocked at this or less (chademo.md 1, 109.5.2; 2)."""
STOP_TIME = 0.5
"""s, C-time from a stop signal to 5 A (chademo.md 2 stop, [CLARA])."""
PATIENCE = 2.5
"""s, the vehicle waits for 5 A and 109.5.0 = 0, then it may open (chademo.md 2 stop, [CLARA])."""
RAMP = 20.0
"""A/s, the slope both sides follow (chademo.md 2 step 10: logs A and B exactly; 3)."""
OUTPUT_LAG = 0.1
"""s, the output follows a request with about one cycle's delay (chademo.md 2 step 10)."""
COUNT = 1.0
"""A or V, one count of the frames."""


def ahead(s: Session) -> float:
    """s, how far a measured value may be ahead of the flags it is held against; 0 where both are of one frame."""
    return 0.0 if s.sampled("dc_voltage") is None and s.sampled("dc_current") is None else CYCLE


def pulled(s: Session) -> bool:
    """The plug is out: its pins have parted, and with them the bus between both sides."""
    return s.wires.get("proximity") is False


def safe(current: float | None) -> Breach | bool | None:
    """A current of 5 A or less in either direction."""
    if current is None:
        return None
    return abs(current) <= SAFE_CURRENT or Breach(
        abs(current), SAFE_CURRENT, f"{abs(current):g} A flow, {SAFE_CURRENT:g} A allowed"
    )


def safe_current(s: Session) -> Breach | bool | None:
    """5 A or less in either direction, as last known."""
    return safe(s.current)


def safe_by_now(s: Session) -> Breach | bool | None:
    """5 A or less at this very moment. More than that is a breach only where nothing moves: of a current on its way
    down nobody knows where it is by now."""
    found = safe(s.current)
    return None if isinstance(found, Breach) and not s.current_stands else found


def charge_current(s: Session) -> float | None:
    """A into the battery, 0 while discharging."""
    return None if s.current is None else max(0.0, s.current)


def discharge_current(s: Session) -> float | None:
    """A out of the battery, positive, 0 while charging."""
    return None if s.current is None else max(0.0, -s.current)


def charge_target(s: Session) -> float | None:
    """A, min(102.3, 108.3) once the vehicle has asked; None where 102.3 = FF hands over to 0x110."""
    if not (s.ran or s.requested) or s.status is None or s.capability is None:
        return None
    if s.status.protocol >= 3 and s.status.current_request == 255:  # chademo.md 1, 102.3 [BE]
        return None
    return min(s.status.current_request, s.capability.available_current)


def stop_in_time(trigger: Callable[[Session], bool], limit: float = STOP_TIME + CYCLE) -> After:
    """In a session that has transferred power and is not over, `limit` s after `trigger` no more than 5 A flow."""
    return After(lambda s: s.ran and s.phase not in FREE and trigger(s), limit, safe_current)


def stored_levels(s: Session) -> tuple[float, float, float] | None:
    """State of charge, least for discharge and most for charge in whole per cent; 0 where a limit is not used.

    Unit of the levels (chademo.md 1, 0x200): per cent where the vehicle also sends 0x201, else 0.1 kWh, to be
    divided by the rated capacity and truncated. Not to be used before the vehicle is enabled.
    """
    if s.status is None or s.limits is None or s.discharge is None or not s.permitted:
        return None
    if s.limits.charged_rate_reference != 100:
        return None
    soc = float(s.status.charged_rate)
    least, most = s.discharge.min_discharge_level, s.discharge.max_charge_level
    if s.energy is not None:
        return soc, float(least), float(most)
    if s.times is None or s.times.rated_capacity <= 0:
        return None
    percent = 100 * 0.1 * 3.6e6 / s.times.rated_capacity
    hair = 1e-9  # a whole per cent must not be truncated to the one below
    return soc, float(int(least * percent + hair)), float(int(most * percent + hair))
