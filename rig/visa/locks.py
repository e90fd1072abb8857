"""Who may use an instrument alone: the exclusive and the shared lock of VISA, one set for all transports. Pure but for
the bench's clock, which ends a wait.

The holder of the exclusive lock works alone; else those who share a key; else everybody. A request that cannot be
granted waits its time. Who goes loses what it holds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from rig.clock import Cancel, Clock

Held = Literal["", "exclusive", "shared"]


@dataclass(eq=False)
class _Wait:
    who: object
    ready: Callable[[], bool]
    then: Callable[[bool], None]
    cancel: Cancel = lambda: None


class Locks:
    """The locks of one instrument. changed: called when somebody may go on who could not."""

    def __init__(self, clock: Clock, changed: Callable[[], None]) -> None:
        self._clock, self._changed = clock, changed
        self._exclusive: object | None = None
        self._shared: dict[object, str] = {}
        self._waits: list[_Wait] = []

    @property
    def holders(self) -> int:
        """How many hold a lock of either kind."""
        return len(self._shared.keys() | ({self._exclusive} - {None}))

    @property
    def exclusive(self) -> bool:
        """Somebody holds the exclusive one."""
        return self._exclusive is not None

    def allowed(self, who: object) -> bool:
        """Whether this one may use the instrument now."""
        if self._exclusive is not None:
            return self._exclusive is who
        return not self._shared or who in self._shared

    def held(self, who: object) -> Held:
        """The strongest lock it holds."""
        return "exclusive" if self._exclusive is who else "shared" if who in self._shared else ""

    def request(self, who: object, key: str, within: float, then: Callable[[bool], None]) -> None:
        """Ask for a lock, shared under a key or (no key) exclusive; then(granted), at the latest after within s."""

        def ready() -> bool:
            if self._exclusive is not None and self._exclusive is not who:
                return False
            if key:
                return all(other == key for other in self._shared.values())
            return not self._shared or who in self._shared

        def granted(yes: bool) -> None:
            if yes and key:
                self._shared[who] = key
            elif yes:
                self._exclusive = who
            then(yes)

        self._wait(who, ready, within, granted)

    def when_allowed(self, who: object, within: float, then: Callable[[bool], None]) -> None:
        """then(True) as soon as this one may use the instrument, then(False) after within s."""
        self._wait(who, lambda: self.allowed(who), within, then)

    def release(self, who: object) -> Held:
        """Give back the strongest lock it holds: which one."""
        held = self.held(who)
        if held == "exclusive":
            self._exclusive = None
        else:
            self._shared.pop(who, None)
        if held:
            self._go_on()
        return held

    def forget(self, who: object) -> None:
        """It is gone."""
        for wait in [one for one in self._waits if one.who is who]:
            wait.cancel()
            self._waits.remove(wait)
        while self.release(who):
            pass

    def _wait(self, who: object, ready: Callable[[], bool], within: float, then: Callable[[bool], None]) -> None:
        if ready():
            then(True)
        elif within <= 0.0:
            then(False)
        else:
            wait = _Wait(who, ready, then)
            self._waits.append(wait)
            wait.cancel = self._clock.at(self._clock.now() + within, lambda: self._give_up(wait))

    def _give_up(self, wait: _Wait) -> None:
        if wait in self._waits:
            self._waits.remove(wait)
            wait.then(False)

    def _go_on(self) -> None:
        for wait in tuple(self._waits):
            if wait in self._waits and wait.ready():
                self._waits.remove(wait)
                wait.cancel()
                wait.then(True)
        self._changed()
