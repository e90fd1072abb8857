"""The rig's side of its supervisor: starts it before any output can go on, shows it that the rig lives, hears it out.

What it says, and that it died, becomes an error in the foreground at the test's next look at the clock, and `reason`
from then on: the running test is INVALID, the bench comes to rest, the run stops.
"""

from __future__ import annotations

import os
import selectors
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from rig.clock import RealClock
from rig.errors import BenchFault
from rig.safety.orders import Acted, Armed, Beat, Ended, KeepLog, Message, Orders, Refused, Rested, Wire

PROGRAM = ("-m", "rig.cli.supervisor")
"""By name, not by import: the commands know every room and nobody knows them."""
BEATS_EVERY = 0.1
"""s (project choice: one cycle of the bus)."""
ARMED_WITHIN = 60.0
"""s for it to start and reach its outputs; longer where it has to bring down what it finds (project choice)."""
ENDS_WITHIN = 90.0
"""s for its last look: three ways down, each within the bounds of rig.safety.descent (project choice)."""


class Guard:
    """A supervisor, started. facts: of the imitated pack, by quantity of the envelope; set once there is one."""

    def __init__(self, clock: RealClock, orders: Orders) -> None:
        self._clock = clock
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, *PROGRAM, str(theirs.fileno())],
                pass_fds=(theirs.fileno(), *(descriptor for descriptor, _ in orders.held)),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C in the terminal is for the rig
                cwd="/",
                env={**os.environ, "PYTHONPATH": os.pathsep.join(one for one in sys.path if one)},
            )
        self._wire = Wire(ours)
        self._wire.send(orders)
        self.facts: Callable[[], Mapping[str, float]] = dict
        self.reason = ""
        """Why the run must stop; empty while all is well."""
        self._armed, self._over = threading.Event(), threading.Event()
        self._refused = ""
        self._ended: Ended | None = None
        self._resting = False
        self._thread = threading.Thread(target=self._run, name="guard", daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int:
        """Of the supervisor."""
        return self._process.pid

    def await_armed(self) -> None:
        """Return when it watches: nothing may be energised before. BenchFault when it does not come to that."""
        if not self._armed.wait(ARMED_WITHIN) or self._refused:
            words = self._refused or f"it did not come to watch within {ARMED_WITHIN:g} s"
            raise BenchFault(f"no supervisor: {words}; see [safety] in the bench file")

    def check(self) -> None:
        """BenchFault when the run must stop: nothing may be energised any more."""
        if self.reason:
            raise BenchFault(self.reason)

    def keep_log(self, folder: Path, part: int) -> None:
        """Its log belongs into this run's folder."""
        self._wire.send(KeepLog(str(folder.resolve()), part))

    def rest(self) -> Ended | None:
        """Let go of the bench: the rig's sessions are closed. How the supervisor found it; None when it did not say."""
        self._resting = True
        if not self._over.is_set():
            self._wire.send(Rested())
            self._over.wait(ENDS_WITHIN)
        try:
            self._process.wait(5.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5.0)
        self._thread.join(5.0)
        self._wire.close()
        return self._ended

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._wire.end, selectors.EVENT_READ)
            beaten = self._clock.now()
            while not self._wire.over and self._ended is None:
                selector.select(BEATS_EVERY / 2)
                for message in self._wire.receive():
                    self._heard(message)
                if not self._resting and self._clock.now() - beaten >= BEATS_EVERY:
                    beaten = self._clock.now()
                    self._beat()
        if self._ended is None and not self._refused:
            self._stop("the supervisor has died: nobody would bring the bench down if the rig died too")
        self._refused = self._refused or ("" if self._armed.is_set() else "it has died")
        self._armed.set()
        self._over.set()

    def _beat(self) -> None:
        turned, shown = self._clock.idle()
        self._wire.send(Beat(turned, shown, self.facts()))

    def _heard(self, message: Message) -> None:
        match message:
            case Armed():
                self._armed.set()
            case Refused(words):
                self._refused = words
                self._armed.set()
            case Acted(reason):
                self._stop(f"the supervisor stops the bench: {reason}")
            case Ended():
                self._ended = message
            case _:
                pass

    def _stop(self, reason: str) -> None:
        if not self.reason and not self._resting:
            self.reason = reason
            self._clock.interrupt(BenchFault(reason))
