"""An emulated bench's world: the plant on the clock, and one noise source per name. The only glue of the two.

`plant` is the circuit as of the clock's now. The clock carries one Phase.PLANT event at the plant's next own change, so
contacts move and subscribers are told at the right moment even when nobody looks.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
from collections.abc import Callable

import numpy as np

from rig.can.bus import Bus
from rig.clock import Cancel, Clock, Phase, RealClock
from rig.errors import UseError
from rig.plant.plant import Plant
from rig.plant.strip import Strip


class World:
    """A plant living on a clock. seed: of the bench, 0 or more. bus: the CHAdeMO bus, where there is one."""

    def __init__(self, clock: Clock, plant: Plant, seed: int, bus: Bus | None) -> None:
        if seed < 0:
            raise UseError(f"world: seed={seed} must be 0 or more")
        self.clock, self.seed, self.bus = clock, seed, bus
        self.strip = Strip()
        self.ambient = 23.0  # degC of the room, whatever the pack has
        self._plant = plant
        self._rngs: dict[str, np.random.Generator] = {}
        self._pending = math.inf
        self._cancel: Cancel | None = None
        self._closing = contextlib.ExitStack()
        self._told: list[Callable[[], None]] = []
        self.device_fault = ""
        """Why what stands in the device's place is no device any more; empty while it is one."""
        plant.watch_schedule(self._arm)
        self._arm(plant.next_event())

    @property
    def plant(self) -> Plant:
        """The circuit now."""
        plant, now = self._plant, self.clock.now()
        if now > plant.now:
            plant.advance(now)
        return plant

    def rng(self, name: str) -> np.random.Generator:
        """The noise of one part: depends on the bench's seed and the name only, the same object at every call."""
        if name not in self._rngs:
            words = np.frombuffer(hashlib.sha256(name.encode()).digest(), dtype="<u4")
            sequence = np.random.SeedSequence([self.seed, *(int(word) for word in words)])
            self._rngs[name] = np.random.Generator(np.random.PCG64(sequence))
        return self._rngs[name]

    def fail_device(self, words: str) -> None:
        """The emulator in the device's place has failed: nothing it does from now on is the device's doing."""
        if not self.device_fault:
            self.device_fault = words
            for call in self._told:
                call()

    def on_device_fault(self, call: Callable[[], None]) -> None:
        """Be told at that moment, before anything follows from it."""
        self._told.append(call)

    def on_close(self, call: Callable[[], object]) -> None:
        """Have what holds more than memory, as a loaded library, let go of it at the end."""
        self._closing.callback(call)

    def close(self) -> None:
        """The bench is closed. Idempotent. On a real clock no event runs meanwhile."""
        with self.clock.lock if isinstance(self.clock, RealClock) else contextlib.nullcontext():
            self._closing.close()

    def _arm(self, when: float) -> None:
        """Have the clock wake the plant at `when`. An event that is due earlier than needed only looks again."""
        if when >= self._pending:
            return
        if self._cancel is not None:
            self._cancel()
        self._pending = when
        self._cancel = self.clock.at(when, self._wake, Phase.PLANT)

    def _wake(self) -> None:
        self._pending, self._cancel = math.inf, None
        self._arm(self.plant.next_event())
