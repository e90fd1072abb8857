"""What an instrument does step by step, each at its time: slopes, pulses, lists. Knows no instrument.

Only the next step waits on the clock. So a slope of hours or a list of a million points costs no more than a short one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rig.clock import Cancel, Clock, Phase

Step = tuple[float, Callable[[], None]]
"""(s bench time, what happens then)."""


class Program:
    """Steps in order of time, begun at once. Ends by itself, or when it is stopped; also by one of its own steps."""

    def __init__(self, clock: Clock, steps: Iterator[Step]) -> None:
        self._clock, self._steps = clock, steps
        self._cancel: Cancel | None = None
        self._over = False
        self._wait()

    def stop(self) -> None:
        """No more steps. Idempotent."""
        self._over = True
        if self._cancel is not None:
            self._cancel()
            self._cancel = None

    def _wait(self) -> None:
        step = None if self._over else next(self._steps, None)
        if step is None:
            return
        when, act = step

        def due() -> None:
            self._cancel = None
            act()
            self._wait()

        self._cancel = self._clock.at(when, due, Phase.PLANT)
