"""What the families share: the age of a report, the safe current, and a few conditions."""

from __future__ import annotations

from rig.chademo.messages import PERIOD
from rig.chademo.rules.rule import Breach
from rig.chademo.session import Session

CYCLE = PERIOD + 0.01
"""s, what a frame reports may be this old (chademo.md 0: 100 ms +-10 ms)."""
CYCLE_WHY = "0.11 s: what a cyclic frame shows may be one cycle old"
SAFE_CURRENT = 5.0
"""A, a contactor opens at this or less, a stop ends here (chademo.md 2, 3 [BE][RS][CLARA])."""
TOUCH_SAFE = 10.0
"""V, the plug may be unlocked at this or less (chademo.md 1, 109.5.2; 2)."""
STOP_TIME = 0.5
"""s, C-time from a stop signal to 5 A (chademo.md 2 stop, [CLARA])."""


def late(s: Session) -> float:
    """s, how old the current the rules see may be: an instrument's is fresh, a report up to one cycle."""
    return 0.0 if s.sampled("dc_current") is not None else CYCLE


def safe_current(s: Session) -> Breach | bool | None:
    """5 A or less in either direction."""
    current = s.current
    if current is None:
        return None
    return abs(current) <= SAFE_CURRENT or Breach(
        abs(current), SAFE_CURRENT, f"{abs(current):g} A flow, {SAFE_CURRENT:g} A allowed"
    )


def charge_current(s: Session) -> float | None:
    """A into the battery, 0 while discharging."""
    return None if s.current is None else max(0.0, s.current)


def discharge_current(s: Session) -> float | None:
    """A out of the battery, positive, 0 while charging."""
    return None if s.current is None else max(0.0, -s.current)


def stored_levels(s: Session) -> tuple[float, float, float] | None:
    """State of charge, least for discharge and most for charge in whole per cent; 0 where a limit is not used.

    Unit of the levels (chademo.md 1, 0x200): per cent where the vehicle also sends 0x201, else 0.1 kWh, to be
    divided by the rated capacity and truncated. Not to be used before the vehicle is enabled.
    """
    if s.status is None or s.limits is None or s.discharge is None or not s.permitted:
        return None
    reference = s.limits.charged_rate_reference
    if reference != 100:
        return None
    soc = float(s.status.charged_rate)
    least, most = s.discharge.min_discharge_level, s.discharge.max_charge_level
    if s.energy is not None:
        return soc, float(least), float(most)
    if s.times is None or s.times.rated_capacity <= 0:
        return None
    tenth = 0.1 * 3.6e6 / s.times.rated_capacity
    return soc, float(int(100 * least * tenth)), float(int(100 * most * tenth))
