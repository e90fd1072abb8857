"""The bench's bus on real hardware, through python-can: socketcan, slcan, udp_multicast, vendor interfaces.

Reception
  Frames arrive on a thread of the bus's own and are handed to the clock as events, so machines and watchers stay
  single-threaded, and what one of them raises comes up in the foreground instead of ending the reception. A frame's
  time is its stamp. An interface that fails while it listens is a lost instrument.

Cycles
  A node says a cyclic frame anew every period (BusPort.cycle), each time with what is true then. The first time starts
  a periodic task LEAD later: the kernel's broadcast manager on SocketCAN, a process of its own elsewhere
  (rig/can/carrier.py says why); from then on only changed bytes are handed to it, and its pace is never touched. So a
  frame leaves on time whatever the rig is busy with, and what it says was decided LEAD before. Only python-can's
  "virtual" interface, which ends at this process, has threads here.

  A periodic task must not outlive its author: a car that says "enabled" for ever because its process hangs would be
  worse than a silent one. A cycle that is not renewed ends before its next frame is due; if the clock itself stands
  still, the listening thread ends it after HOLD, well inside the 1 s after which a charger must see a silence
  (chademo.md 2, CAN timeout). The kernel drops the tasks of a process that dies.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import cast

import can
from can.broadcastmanager import ModifiableCyclicTaskABC

from rig.can.bus import BusPort, Receive, Watch
from rig.can.carried import CarriedBus
from rig.can.carrier import FAILURES
from rig.can.frame import Frame, refuse_bad_frame
from rig.can.interfaces import interface as known_interface
from rig.can.python_can import data_frame, message_of, thread_cycle
from rig.clock import Cancel, Phase, RealClock, take_precedence
from rig.errors import InstrumentError, LostInstrument, UseError

POLL = 0.2
"""s after which the listening thread looks whether it shall end (project choice)."""
LEAD = 0.005
"""s between a frame's bytes and its sending (project choice: half the 10 ms between two frames of a car, far above the
usual lateness of the clock's thread)."""
LATE = 0.001
"""s by which the clock may be late before its author is given time (project choice)."""
HOLD = 0.3
"""s a cycle goes on without its author (project choice: three cycles)."""
HERE = "virtual"
"""The interface that ends at this process."""


class HardwareBus:
    """A python-can bus shared by the rig's nodes (as a rule one: the car). options: arguments of that interface."""

    def __init__(
        self,
        clock: RealClock,
        interface: str,
        channel: str,
        bitrate: int = 500_000,
        options: Mapping[str, object] | None = None,
    ) -> None:
        self._clock = clock
        self.resource = f"{interface}:{channel}"
        self._does = known_interface(interface)
        self._watchers: tuple[Watch, ...] = ()
        self._ports: dict[str, _HardwarePort] = {}
        self._cycles: dict[int, _Cycle] = {}
        self._cycled: dict[int, _HardwarePort] = {}
        self._sending = threading.Lock()
        arguments = {**dict(self._does.fixed), **(options or {}), **({"channel": channel} if channel else {})}
        try:
            self._bus = self._opened({"interface": interface, "bitrate": bitrate, **arguments})
        except (can.CanError, OSError, ValueError, ImportError) as error:
            raise LostInstrument(self.resource, "open", f"{error}; check [can] of the bench file") from error
        self._closed = False
        self._thread = threading.Thread(target=self._listen, name=f"CAN {self.resource}", daemon=True)
        self._thread.start()

    def _opened(self, arguments: dict[str, object]) -> can.BusABC | CarriedBus:
        if self._does.kernel_cycle or arguments["interface"] == HERE:
            return can.Bus(**arguments)  # type: ignore[arg-type]
        bus = CarriedBus(arguments, self._does.echoes, self._does.stamps, self._refused_there, self._ended_there)
        self._does = replace(self._does, stamps=True, kernel_cycle=True)
        return bus

    def attach(self, name: str, receive: Receive) -> BusPort:
        """Join as a node; nodes of this process also hear one another."""
        if name in self._ports:
            raise UseError(
                f"CAN bus {self.resource}: a node named {name!r} is attached already; give each its own name"
            )
        self._ports[name] = port = _HardwarePort(self, name, receive)
        return port

    def watch(self, call: Watch) -> Cancel:
        """Hear every frame; frames from the wire are named "bus". Ends when the answer is called."""
        self._watchers = (*self._watchers, call)

        def cancel() -> None:
            self._watchers = tuple(one for one in self._watchers if one is not call)

        return cancel

    def close(self) -> None:
        """End every cycle, stop listening and let go of the interface. Idempotent."""
        if not self._closed:
            self._closed = True
            for cycle in tuple(self._cycles.values()):
                self._end(cycle)
            self._thread.join(timeout=5.0 * POLL)
            self._bus.shutdown()

    # -- sending

    def send(self, port: _HardwarePort, frame: Frame) -> None:
        """Send now, and let the nodes and watchers of this process hear it. Ends a cycle of this frame's id: its times
        are its sender's own from now on."""
        self._refuse(port, frame)
        with self._clock.lock:
            if (cycle := self._cycles.get(frame.id)) is not None:
                self._end(cycle)
            now = self._clock.now()
            try:
                with self._sending:
                    self._bus.send(message_of(frame))
            except (can.CanError, OSError) as error:
                raise self._refused(frame, error) from error
            self._tell(port, port.name, now, frame)

    def cycle(self, port: _HardwarePort, frame: Frame, period: float) -> None:
        """Say a cyclic frame: the first time begins its cycle, the next ones renew it with what it says now."""
        self._refuse(port, frame)
        with self._clock.lock:
            now = self._clock.now()
            cycle = self._cycles.get(frame.id)
            if cycle is None:
                self._cycles[frame.id] = cycle = _Cycle(port, frame, period)
                self._cycled[frame.id] = port
                self._clock.at(now + LEAD, partial(self._begin, cycle))
            elif frame != cycle.frame:
                try:
                    cycle.say(frame)
                except (can.CanError, OSError) as error:
                    raise self._refused(frame, error) from error
            cycle.renewed = now
            self._look_at(cycle, now + period + LEAD / 2.0)

    def detach(self, port: _HardwarePort) -> None:
        """Forget a node and end its cycles."""
        if self._ports.get(port.name) is port:
            del self._ports[port.name]
        for cycle in tuple(self._cycles.values()):
            if cycle.port is port:
                self._end(cycle)

    def _refuse(self, port: _HardwarePort, frame: Frame) -> None:
        refuse_bad_frame(frame)
        if self._closed or self._ports.get(port.name) is not port:
            raise UseError(f"CAN bus {self.resource}: node {port.name!r} has left the bus and cannot send")

    def _refused(self, frame: Frame, error: Exception) -> InstrumentError:
        return InstrumentError(self.resource, f"send {frame}", str(error))

    # -- cycles

    def _begin(self, cycle: _Cycle) -> None:
        if self._cycles.get(cycle.frame.id) is not cycle:
            return
        message = message_of(cycle.frame)
        if self._does.kernel_cycle:
            try:
                # The bus's own class makes a task of the broadcast manager, which can change its bytes.
                cycle.task = cast(ModifiableCyclicTaskABC, self._bus.send_periodic(message, cycle.period))
            except (can.CanError, OSError) as error:
                raise self._refused(cycle.frame, error) from error
            return
        assert isinstance(self._bus, can.BusABC)  # one of this process
        failed, leaves = partial(self._cycle_failed, cycle), partial(self._leaves, cycle)
        cycle.task = thread_cycle(self._bus, self._sending, message, cycle.period, failed, leaves)

    def _look_at(self, cycle: _Cycle, when: float) -> None:
        """End it at `when` (s), unless it was renewed by then."""
        self._clock.at(when, partial(self._end_unless_renewed, cycle, cycle.renewed, when))

    def _end_unless_renewed(self, cycle: _Cycle, since: float, due: float) -> None:
        if cycle.renewed != since:
            return
        now = self._clock.now()
        if now - due > LATE:
            self._look_at(cycle, now + LEAD / 2.0)  # the clock was held up, and so was the author: he comes first
        else:
            self._end(cycle)

    def _end(self, cycle: _Cycle) -> None:
        if self._cycles.get(cycle.frame.id) is cycle:
            del self._cycles[cycle.frame.id]
        task, cycle.task = cycle.task, None
        if task is not None:
            task.stop()

    def _leaves(self, cycle: _Cycle, message: can.Message) -> None:
        """On the task's own thread, just before a frame goes out."""
        if not cycle.precedes:
            cycle.precedes = True
            take_precedence()
        now, frame = self._clock.now(), cast(Frame, data_frame(message))
        self._clock.at(now, partial(self._tell, cycle.port, cycle.port.name, now, frame), Phase.DELIVER)

    def _cycle_failed(self, cycle: _Cycle, error: Exception) -> bool:
        self._come_up(self._refused(cycle.frame, error))
        return False

    def _refused_there(self, words: str) -> None:
        """On the listening thread: the bus's own process could not send."""
        self._come_up(InstrumentError(self.resource, "send", words))

    def _ended_there(self, number: int) -> None:
        """On the listening thread: the bus's own process has not heard from here, and has ended a cycle. Its author
        begins it anew when he says it next."""
        if (cycle := self._cycles.get(number)) is not None:
            self._end(cycle)

    def _come_up(self, error: Exception) -> None:
        if not self._closed:
            self._clock.at(self._clock.now(), partial(self._raise, error), Phase.DELIVER)

    def _raise(self, error: Exception) -> None:
        raise error

    def _guard(self) -> None:
        """On the listening thread: a cycle whose author stands still is ended."""
        now = self._clock.now()
        for cycle in tuple(self._cycles.values()):
            if now - cycle.renewed > HOLD:
                self._end(cycle)

    # -- reception

    def _listen(self) -> None:
        take_precedence()
        failures = 0
        while not self._closed:
            try:
                message = self._bus.recv(POLL)
                failures = 0
            except (can.CanError, OSError, ValueError, TypeError) as error:  # TypeError: closed under its feet
                failures += 1
                if failures >= FAILURES and not self._closed:
                    words = f"the interface failed ({error}); check it and its cable"
                    lost = LostInstrument(self.resource, "receive", words)
                    self._clock.at(self._clock.now(), partial(self._raise, lost), Phase.DELIVER)
                    return
                continue
            self._guard()
            if message is not None and (frame := data_frame(message)) is not None:
                self._heard(message, frame)

    def _heard(self, message: can.Message, frame: Frame) -> None:
        now = self._clock.now()
        at = self._clock.of_wall(message.timestamp) if self._does.stamps else now
        port = self._cycled.get(frame.id) if self._does.kernel_cycle and not message.is_rx else None
        name = "bus" if port is None else port.name
        self._clock.at(now, partial(self._tell, port, name, at, frame), Phase.DELIVER)

    def _tell(self, sender: _HardwarePort | None, name: str, at: float, frame: Frame) -> None:
        for port in tuple(self._ports.values()):
            if port is not sender:
                port.receive(at, frame)
        for watch in self._watchers:
            watch(at, name, frame)


class _Cycle:
    """A frame that is said every period. renewed: s its author last did. precedes: its task's thread has asked to."""

    __slots__ = ("frame", "period", "port", "precedes", "renewed", "task")

    def __init__(self, port: _HardwarePort, frame: Frame, period: float) -> None:
        self.port, self.frame, self.period = port, frame, period
        self.renewed, self.precedes = 0.0, False
        self.task: ModifiableCyclicTaskABC | None = None

    def say(self, frame: Frame) -> None:
        """Other bytes from its next sending on."""
        self.frame = frame
        if self.task is not None:
            self.task.modify_data(message_of(frame))


class _HardwarePort:
    """A node of this process on a real bus."""

    def __init__(self, bus: HardwareBus, name: str, receive: Receive) -> None:
        self._bus, self.name, self.receive = bus, name, receive

    def send(self, frame: Frame) -> None:
        """Put a frame on the wire."""
        self._bus.send(self, frame)

    def cycle(self, frame: Frame, period: float) -> None:
        """Say a frame that is said every period."""
        self._bus.cycle(self, frame, period)

    def close(self) -> None:
        """Leave."""
        self._bus.detach(self)
