"""When a free-running instrument's updates end, learnt from looks at it. Knows no instrument and no clock.

A look tells whether an update has ended since the look before. Ends lie one period apart, so every look narrows the
window in which the last one must have been; two crystals drift apart, so the window widens with time. A look that
contradicts what was thought is believed, and the rest forgotten.
"""

from __future__ import annotations

import math

DRIFT = 1e-4
"""s/s two clocks may drift apart (project choice: 100 ppm, two ordinary crystals)."""
SLACK = 1e-9
"""s: bench times are whole nanoseconds."""


class Beat:
    """period: s between two ends."""

    def __init__(self, period: float) -> None:
        self._period = period
        self._low = self._high = math.nan  # an end lies in this window
        self._seen = -math.inf  # when a look last found one

    def looked(self, since: float, now: float, ended: bool) -> None:
        """A look at `now` (s), the one before it at `since`; ended: an update has ended in between."""
        if ended:
            self._seen = now
        elif now - self._seen > 1.5 * self._period:
            self._low = self._high = math.nan  # one should have ended by now, and has not
            return
        low, high = self._window(now)
        if now - since >= self._period:
            if ended and math.isnan(low):
                self._low, self._high = now - self._period, now
        elif ended:
            if math.isnan(low) or high < since - SLACK or low > now + SLACK:
                low, high = since, now
            self._low, self._high = max(low, since), min(high, now)
        elif low < since < high <= now:
            self._low, self._high = low, since
        elif since <= low <= now < high:
            self._low, self._high = now, high  # still to come

    def last(self, now: float) -> float:
        """s, the best guess of the last end not after `now`."""
        low, high = self._window(now)
        if math.isnan(low):
            return now - self._period / 2.0
        middle = (low + high) / 2.0
        return middle if middle <= now + SLACK else middle - self._period

    def next_by(self, now: float) -> float:
        """s by which the next end after `now` has surely come."""
        high = self._window(now)[1]
        if math.isnan(high):
            return now
        return high if high > now else high + self._period

    @property
    def known(self) -> bool:
        """Whether any end has been seen."""
        return not math.isnan(self._low)

    def _window(self, now: float) -> tuple[float, float]:
        """The window of the last end that can have come by now, widened by the drift since it was learnt."""
        if math.isnan(self._low):
            return math.nan, math.nan
        periods = math.floor((now - self._low) / self._period + SLACK)
        widen = DRIFT * abs(now - self._low)
        shift = periods * self._period
        return self._low + shift - widen, self._high + shift + widen
