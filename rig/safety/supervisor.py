"""The supervisor: a small process beside a run, with sessions of its own, that outlives it.

Theory
  It watches the rig (its socket, its process, its heartbeats), the battery source (at the pace of its meter), and the
  E-stop input. Three things can happen
    the rig is gone      by any signal, or its own fault: the bench is taken and brought down (rig.safety.descent)
    the rig hangs        it is killed first, so that it cannot come back and put energy on; then as above
    the rig lives        but an envelope is left, the E-stop pressed, or the supervisor told to end: the battery source
                         goes off at once, the rig is told to come to rest and let go, and has YIELDS_WITHIN for it;
                         then as above
  Also after a run in order it looks at everything once more. What it reads stands in safety.jsonl beside the run's
  journal, chained as that is. It holds the rig's lease until the bench is CONFIRMED safe, so nobody can energise it
  meanwhile; where it never is, the lease bears a mark that only a drill (`v2hrig bench check`) takes away.

It knows no maker and no pytest, and starts no thread that could outlive it.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from rig.clock import RealClock, take_precedence
from rig.drivers import Registry
from rig.errors import BenchFault, RigError
from rig.evidence.documents import Incident, SafeStateReached, Stimulus
from rig.evidence.safety_log import SafetyLog
from rig.safety.descent import descend
from rig.safety.envelope import Envelope
from rig.safety.estop import open_estop
from rig.safety.lease import Lease
from rig.safety.orders import Acted, Armed, Beat, Ended, KeepLog, Message, Orders, Refused, Rested, Wire
from rig.safety.outputs import Outputs
from rig.safety.safe_state import SafeOutcome
from rig.safety.vigil import Vigil

TURN = 0.1
"""s between two looks at what tells nothing by itself (project choice: one cycle of the bus)."""
WATCHED_EVERY = 0.1
"""s between two readings of the source; its meter is quicker, its line is shared with the rig (project choice)."""
BLIND_FOR = 2.0
"""s without a reading of the source after which nobody is watching it (project choice: two time-outs)."""
YIELDS_WITHIN = 15.0
"""s for a living rig to come to rest and let go, the battery source being off (project choice: the usual way down takes
three)."""
ATTEMPTS, PAUSE = 3, 1.0
"""Ways down that are tried, and s between them (project choice: a relay that sticks may let go)."""
ORDERS_WITHIN = 10.0
"""s for the first line."""
FIRST = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
NICE = -10


class Supervisor:
    """One bench, from its orders to its last reading."""

    def __init__(self, wire: Wire, orders: Orders, registry: Registry) -> None:
        self._wire, self._orders = wire, orders
        self._clock = clock = RealClock(orders.origin)
        self._log = SafetyLog(clock.now)
        self._outputs = Outputs(orders.parts, registry, clock)
        self._lease = Lease.adopt(Path(orders.lease), orders.held) if orders.held else None
        self._vigil = Vigil(orders, clock.now())
        self._envelope = Envelope(orders.levels)
        self._asked = self._breach = ""
        self._rested = False
        self._seen = clock.now()
        self._wake_in, self._wake_out = socket.socketpair()
        self._pid = _open_pid(orders.pid)

    def run(self) -> int:
        """Exit code: 0 CONFIRMED, 4 not."""
        self._listen_to_signals()
        try:
            self._outputs.hold()
            estop = open_estop(self._orders.estop, self._clock)
        except RigError as error:
            self._wire.send(Refused(f"the supervisor cannot watch the bench: {error}"))
            return 2
        if self._orders.first and not self._bring_down("the run before this one ended without letting go").confirmed:
            self._wire.send(Refused("the bench was left energised, and cannot be brought to a confirmed safe state"))
            return self._end(False)
        self._outputs.give()
        self._vigil = Vigil(self._orders, self._clock.now())
        cancel = self._watch_source()
        self._log.add(Stimulus(what="supervisor: watching", values={"outputs": ", ".join(self._outputs.names)}))
        self._wire.send(Armed())
        with self._selector() as selector:
            reason, gone = self._watch(selector, estop)
            cancel()
            if not gone:
                self._yield(selector, reason)
        outcome = self._bring_down(reason, known=not gone)
        self._wire.send(Ended(outcome.confirmed, outcome.readings))
        return self._end(outcome.confirmed)

    # -- watching

    def _selector(self) -> selectors.BaseSelector:
        selector = selectors.DefaultSelector()
        for one in (self._wire.end, self._wake_in):
            selector.register(one, selectors.EVENT_READ)
        if self._pid is not None:
            selector.register(self._pid, selectors.EVENT_READ)
        return selector

    def _watch(self, selector: selectors.BaseSelector, estop: Callable[[], str]) -> tuple[str, bool]:
        """Until there is a reason to act: which, and whether the rig is gone."""
        while True:
            reason, gone = self._look(selector)
            if gone or reason:
                return reason, gone
            if reason := self._asked or self._breach or estop() or self._blind() or self._silent():
                return reason, False

    def _look(self, selector: selectors.BaseSelector, turn: float = TURN) -> tuple[str, bool]:
        ready = {key.fileobj for key, _ in selector.select(turn)}
        if self._wake_in in ready:
            self._wake_in.recv(1024)
        reason = ""
        for message in self._wire.receive():
            reason = reason or self._heard(message)
        if self._rested:
            return "", True
        if self._wire.over or (self._pid is not None and self._pid in ready):
            return f"the rig's process {self._orders.pid} is gone", True
        return reason, False

    def _heard(self, message: Message) -> str:
        match message:
            case Beat():
                return self._vigil.beat(self._clock.now(), message)
            case KeepLog():
                self._log.keep_in(Path(message.folder), message.part)
            case Rested():
                self._rested = True
            case _:
                pass
        return ""

    def _silent(self) -> str:
        return self._vigil.silent(self._clock.now())

    def _blind(self) -> str:
        if "battery" not in self._outputs.drivers or self._clock.now() - self._seen <= BLIND_FOR:
            return ""
        return f"the battery source has not been read for {self._clock.now() - self._seen:.1f} s"

    def _watch_source(self) -> Callable[[], None]:
        battery = self._outputs.drivers.get("battery")
        if battery is None:
            return lambda: None
        self._seen = self._clock.now()

        def read() -> dict[str, float] | None:
            try:
                now = battery.reading()
            except BenchFault:
                return None
            return {"voltage": now.voltage, "current": now.current, "power": now.voltage * now.current}

        def judge(values: dict[str, float] | None) -> None:
            if values is None:
                return
            self._seen = self._clock.now()
            self._breach = self._breach or self._envelope.look(self._seen, values)
            if self._breach:
                self._wake()

        def look() -> None:
            self._clock.aside("source", read, judge)

        return self._clock.every(WATCHED_EVERY, look)

    # -- acting

    def _yield(self, selector: selectors.BaseSelector, reason: str) -> None:
        """The rig lives: source off, rig told, and given its time. One that does not let go is killed."""
        self._log.add(Incident(kind="supervisor", what=reason, fault="bench"))
        self._say(reason)
        self._wire.send(Acted(reason))
        if self._silent():
            self._kill()
            return
        off = threading.Thread(target=self._source_off, name="source off", daemon=True)
        off.start()
        end, gone = self._clock.now() + YIELDS_WITHIN, False
        while not gone and self._clock.now() < end and not self._silent():
            _, gone = self._look(selector)
        if not gone:
            self._log.add(Incident(kind="supervisor", what="the rig did not let go, and was killed", fault="bench"))
            self._kill()
        off.join(YIELDS_WITHIN)

    def _source_off(self) -> None:
        battery = self._outputs.drivers.get("battery")
        if battery is None:
            return
        try:
            state = battery.make_safe()
            readings = state.readings
        except RigError as error:
            readings = (str(error),)
        self._log.add(Stimulus(what=f"supervisor: battery source off at once: {', '.join(readings)}"))

    def _kill(self) -> None:
        """End a rig that cannot be trusted to stay quiet; by its handle, so that no other process can be meant."""
        with contextlib.suppress(OSError):
            if self._pid is not None:
                signal.pidfd_send_signal(self._pid, signal.SIGKILL)
                with selectors.DefaultSelector() as gone:
                    gone.register(self._pid, selectors.EVENT_READ)
                    gone.select(5.0)
            else:
                os.kill(self._orders.pid, signal.SIGKILL)

    def _bring_down(self, reason: str, known: bool = False) -> SafeOutcome:
        """All of it, as often as it takes within bounds, and on record. known: the reason has been told."""
        if reason and not known:
            self._log.add(Incident(kind="supervisor", what=reason, fault="bench"))
            self._say(f"{reason}; bringing the bench to its safe state")
        if self._lease is not None and not self._rested:
            self._lease.take_over(f"bringing it to its safe state: {reason}")
        outcome = SafeOutcome(False, ())
        for attempt in range(ATTEMPTS):
            if attempt:
                self._clock.sleep(PAUSE)
            outcome = self._once()
            self._log.add(SafeStateReached(confirmed=outcome.confirmed, readings=outcome.readings))
            if outcome.confirmed:
                break
            if self._lease is not None:
                with contextlib.suppress(RigError):
                    self._lease.renew()
        if reason or not outcome.confirmed:
            self._say(f"bench {self._orders.bench}: safe state {'CONFIRMED' if outcome.confirmed else 'UNCONFIRMED'}")
        return outcome

    def _once(self) -> SafeOutcome:
        try:
            return descend(self._clock, self._outputs.take(), self._outputs.missing)
        except Exception as error:  # noqa: BLE001  (whatever it is, the next attempt and the record come first)
            return SafeOutcome(False, (f"UNCONFIRMED, {type(error).__name__}: {error}",))

    def _end(self, confirmed: bool) -> int:
        self._outputs.close()
        if self._lease is not None:
            if not confirmed:
                self._lease.mark_unsafe()
            elif not self._rested:
                self._lease.give_back()
        self._log.close()
        self._clock.close()
        return 0 if confirmed else 4

    # -- the system

    def _listen_to_signals(self) -> None:
        for one in (self._wake_in, self._wake_out):
            one.setblocking(False)

        def asked(number: int, _: object) -> None:
            self._asked = f"the supervisor was told to end ({signal.Signals(number).name})"
            self._wake()

        for number in FIRST:
            signal.signal(number, asked)

    def _wake(self) -> None:
        with contextlib.suppress(OSError):  # full: it wakes anyway
            self._wake_out.send(b"x")

    def _say(self, words: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # nobody may be left to read it
            print(f"v2hrig supervisor: {words}", file=sys.stderr, flush=True)


def supervise(descriptor: int, registry: Registry) -> int:
    """The process: orders from the socket with this descriptor, then a bench for as long as there is one. Exit code."""
    with contextlib.suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, 0, NICE)
    take_precedence()
    wire = Wire(socket.socket(fileno=descriptor))
    while not wire.over:
        with selectors.DefaultSelector() as selector:
            selector.register(wire.end, selectors.EVENT_READ)
            if not selector.select(ORDERS_WITHIN):
                return 2
        for message in wire.receive():
            if isinstance(message, Orders):
                return Supervisor(wire, message, registry).run()
    return 2


def _open_pid(pid: int) -> int | None:
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None
