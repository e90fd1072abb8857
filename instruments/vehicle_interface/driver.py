"""Driver of the vehicle interface box. Role: VehicleInterface. Of our own design; never met hardware.

Theory
  Box time. The box stamps events with its own microsecond counter. Each TIME? exchange shows the counter's reading
  between two instants of bench time, so the offset lies in an interval as wide as the exchange took; the narrowest one
  so far is kept, and widened by DRIFT for its age, so a quick exchange long ago gives way to a fresh one in time.

  Lost events. Event lines are numbered. A gap, or a count of events in a TIME? reply that is ahead of what came, makes
  the driver ask for the missing ones; they come with their own stamps, in order, and nobody notices.

  Silence. While the box drives anything the driver speaks to it four times as often as its watchdog wants.

Listeners are called from events of the clock, never from within a request in the foreground.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import ClassVar, Literal

from instruments.vehicle_interface.commands import (
    IDENTITY,
    OPEN_DELAY,
    PROTOCOL,
    STATE_BITS,
    WIRES,
    Options,
)
from rig.chademo.events import ContactorMoved, Wire, WireChanged
from rig.clock import Cancel, Clock, Phase
from rig.errors import InstrumentError, LostInstrument, UnsafeState
from rig.lines.frame import TAGS
from rig.lines.session import LineSession
from rig.metrology.accuracy import read_accuracy
from rig.metrology.measurement import Measurement
from rig.roles import Identity, SafeState
from rig.scpi.codec import plain

ACCURACY = read_accuracy(Path(__file__).with_name("accuracy.toml"))
DRIFT = 100e-6
"""s/s the box's counter may run off (project choice: twice a usual crystal)."""
SYNCS = 3
"""TIME? exchanges at the start; the quickest counts."""
RESTARTED = 1_000_000
"""us; a counter that is behind by more than two exchanges can overlap began anew (project choice)."""
MOVES_WITHIN = 0.5
"""s a contactor may take to open once its coils are off (project choice: ten times a usual EV contactor)."""
POLL = 0.02
"""s between two looks at it."""
SAFE_INLET = 1000.0
"""V; above it, or below minus it, a reading is not of this world (the divider ends at 600 V)."""

Change = WireChanged | ContactorMoved
Bits = Mapping[str, bool]


class VehicleInterfaceBox:
    """The box in the car's place."""

    met_hardware: ClassVar[bool] = False

    def __init__(self, session: LineSession, options: Options, clock: Clock) -> None:
        self.resource = session.resource
        self._session, self._options, self._clock = session, options, clock
        self._listeners: list[Callable[[float, Change], None]] = []
        self._started = False
        self._offset, self._offset_u, self._offset_at = 0.0, math.inf, 0.0  # s: bench time = box time + offset
        self._micros = 0  # the counter when last seen
        self._next = 0  # number of the event line that comes next
        self._told_at = 0.0  # s stamp of the event told last; stamps never run backwards
        self._driving = {"k": False, "proximity": False, "demand": False}
        self._beat: Cancel | None = None
        self._tripped = False
        session.subscribe(self._event)

    # -- the role

    def identity(self) -> Identity:
        """Who answers."""
        fields = self._session.request("ID?").split(",")
        if len(fields) != 5 or ",".join(fields[:2]) != IDENTITY:
            raise InstrumentError(self.resource, "ID?", f"{','.join(fields)!r} is no vehicle interface; check the port")
        if fields[4] != str(PROTOCOL):
            raise InstrumentError(self.resource, "ID?", f"it speaks protocol {fields[4]}, this driver {PROTOCOL}")
        return Identity(fields[0], fields[1], fields[2], fields[3])

    def close(self) -> None:
        """End the session. Outputs stay as they are until the box's watchdog drops them."""
        self._keep_alive(False)
        self._session.close()

    def set_wire(self, wire: Literal["k", "proximity"], on: bool) -> None:
        """Drive a wire of the car's side."""
        self._switch(f"WIRE {wire} {on:d}", f"{wire} {on:d}", wire, on)

    def move_contactor(self, closed: bool) -> None:
        """Energise the coils of the EV contactor pair, or not. It closes only while d1 and d2 feed them."""
        self._switch(f"CONTACTOR {closed:d}", f"contactor {closed:d}", "demand", closed)

    def wires(self) -> Mapping[Wire, bool]:
        """All wires as they are now."""
        state = self._state()
        return {wire: state[wire] for wire in WIRES}

    def contactor_closed(self) -> bool:
        """The auxiliary contact."""
        return self._state()["contactor"]

    def inlet_voltage(self) -> float:
        """V at the connector side of the EV contactor."""
        reply = self._ask("VOLT?")
        fields = reply.split(" ")
        try:
            volts = plain(fields[1])
        except (ValueError, IndexError):
            raise self._nonsense("VOLT?", reply) from None
        if len(fields) != 2 or not abs(volts) < SAFE_INLET:
            raise self._nonsense("VOLT?", reply)
        return volts

    def inlet(self) -> Measurement:
        """V at the connector side of the EV contactor, with its uncertainty."""
        volts, source = self.inlet_voltage(), f"{self.resource} inlet voltage"
        budget = ACCURACY.budget("inlet_voltage", volts)
        return Measurement("inlet_voltage", volts, "V", budget, source, self._clock.now())

    def subscribe(self, call: Callable[[float, Change], None]) -> None:
        """Be told of every change: call(at, change), at in bench s as stamped by the box."""
        self._listeners.append(call)
        self._start()

    def make_safe(self) -> SafeState:
        """k off; a closed contactor only OPEN_DELAY later, so that the charger can bring its current down; then
        proximity; all read back. Bounded by OPEN_DELAY and MOVES_WITHIN and the exchanges."""
        readings: list[str] = []
        try:
            with self._session.lock:
                self._try(readings, partial(self._session.request, "WIRE k 0"))
                if self._read_state()["contactor"]:
                    self._clock.sleep(OPEN_DELAY)
                    readings.append(f"contactor was closed: waited {OPEN_DELAY:g} s after k off")
                self._try(readings, partial(self._session.request, "CONTACTOR 0"))
                end = self._clock.now() + MOVES_WITHIN
                while self._read_state()["contactor"] and self._clock.now() < end:
                    self._clock.sleep(POLL)
                self._try(readings, partial(self._session.request, "WIRE proximity 0"))
                if self._read_state()["tripped"]:
                    self._session.request("RESET")
                    readings.append("the watchdog had tripped")
                state = self._read_state()
        except InstrumentError as error:
            raise UnsafeState(f"{error}; contactor unknown: open the emergency stop") from error
        self._tripped = state["tripped"]
        self._note(state)
        active = [name for name in ("contactor", "demand", "k", "proximity") if state[name]]
        readings += [f"{name} {'ON' if state[name] else 'off'}" for name in ("contactor", "demand", "k", "proximity")]
        return SafeState(not active, tuple(readings))

    # -- box time

    def bench_time(self, micros: int) -> float:
        """Bench s of a reading of the box's counter; never in the future, never before what was told already."""
        return max(min(micros * 1e-6 + self._offset, self._clock.now()), self._told_at)

    @property
    def stamp_u(self) -> float:
        """s; half the width of the interval the offset lies in now."""
        return self._offset_u + DRIFT * (self._clock.now() - self._offset_at)

    def _sync(self) -> None:
        """One TIME? exchange: the offset, and whether events were lost."""
        before = self._clock.now()
        reply = self._session.request("TIME?")
        after = self._clock.now()
        fields = reply.split(" ")
        if len(fields) != 2 or not all(f.isdecimal() for f in fields):
            raise self._nonsense("TIME?", reply)
        micros, events = int(fields[0]), int(fields[1])
        if micros + RESTARTED < self._micros:
            raise InstrumentError(self.resource, "TIME?", "the box has restarted and its outputs are off; start anew")
        self._micros = micros
        if (after - before) / 2 <= self.stamp_u:
            self._offset = (before + after) / 2 - micros * 1e-6
            self._offset_u, self._offset_at = (after - before) / 2, after
        if self._started:
            self._catch_up(events % TAGS)
        else:
            self._next = events % TAGS

    # -- events

    def _event(self, number: int, body: str) -> None:
        """An event line has come; from an event of the clock."""
        if not self._started:
            return  # told before anybody listened; the state is read at the start
        ahead = (number - self._next) % TAGS
        if ahead >= TAGS // 2:
            return  # was asked for and told already
        self._catch_up(number)
        self._next = (number + 1) % TAGS
        self._tell_soon(body)

    def _catch_up(self, until: int) -> None:
        """Ask for the events that were missed. Others may come while it asks: what is next is looked at each time."""
        while 0 < (until - self._next) % TAGS < TAGS // 2:
            number = self._next
            self._next = (number + 1) % TAGS
            self._tell_soon(self._session.request(f"EVENT {number:02X}"))

    def _tell_soon(self, body: str) -> None:
        """By way of the clock, since this may run in the foreground, and so that the order stays."""
        self._clock.at(self._clock.now(), partial(self._tell, body), Phase.DELIVER)

    def _tell(self, body: str) -> None:
        fields = body.split(" ")
        if len(fields) != 3 or not fields[0].isdecimal() or fields[2] not in ("0", "1"):
            raise self._nonsense("event", body)
        name, on = fields[1], fields[2] == "1"
        change: Change
        if name == "contactor":
            change = ContactorMoved(on)
        elif name in WIRES:
            change = WireChanged(name, on)  # it is one of them
        elif name == "watchdog":
            self._tripped = True
            return
        else:
            raise self._nonsense("event", body)
        self._told_at = at = self.bench_time(int(fields[0]))
        for call in tuple(self._listeners):
            call(at, change)

    # -- inside

    def _start(self) -> None:
        if self._started:
            return
        with self._session.lock:
            self.identity()
            self._session.request(f"WATCHDOG {self._options.watchdog:g}")
            for _ in range(SYNCS):
                self._sync()
            self._started = True
            self._note(self._read_state())

    def _ask(self, body: str) -> str:
        self._start()
        return self._session.request(body)

    def _switch(self, body: str, expected: str, output: str, on: bool) -> None:
        self._start()
        if self._tripped and on:
            raise InstrumentError(
                self.resource, body, "the box's watchdog has tripped and dropped its outputs; make_safe() clears it"
            )
        with self._session.lock:
            reply = self._session.request(body)
            if reply != expected:
                raise self._nonsense(body, reply)
            self._driving[output] = on
            self._keep_alive(any(self._driving.values()))

    def _state(self) -> Bits:
        self._start()
        return self._read_state()

    def _read_state(self) -> Bits:
        reply = self._session.request("STATE?")
        fields = reply.split(" ")
        bits = fields[-1]
        if len(fields) != 3 or len(bits) != len(STATE_BITS) or set(bits) - {"0", "1"}:
            raise self._nonsense("STATE?", reply)
        return {name: bit == "1" for name, bit in zip(STATE_BITS, bits, strict=True)}

    def _note(self, state: Bits) -> None:
        """What the box drives now, as it says itself."""
        self._driving = {name: state[name] for name in self._driving}
        self._tripped = state["tripped"]
        self._keep_alive(any(self._driving.values()))

    def _keep_alive(self, wanted: bool) -> None:
        if wanted and self._beat is None:
            self._beat = self._clock.every(self._options.watchdog / 4.0, self._speak)
        elif not wanted and self._beat is not None:
            self._beat()
            self._beat = None

    def _speak(self) -> None:
        """The regular TIME?. That a box is gone is raised once; whoever uses it next hears it again."""
        try:
            self._sync()
        except InstrumentError:
            self._keep_alive(False)
            raise

    def _try(self, readings: list[str], call: Callable[[], object]) -> None:
        """A step that is refused does not keep the next from being tried; a box that is gone does."""
        try:
            call()
        except LostInstrument:
            raise
        except InstrumentError as error:
            readings.append(f"refused {error.command}: {error.words}")

    def _nonsense(self, request: str, reply: str) -> InstrumentError:
        return InstrumentError(self.resource, request, f"its reply {reply!r} makes no sense; check its firmware")


def open_driver(session: LineSession, options: Options, clock: Clock) -> VehicleInterfaceBox:
    """A driver on an open session."""
    return VehicleInterfaceBox(session, options, clock)
