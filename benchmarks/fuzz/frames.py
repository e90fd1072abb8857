"""Frames to the car, to the emulated charger and to the rules, as an adapter hands them on: any identifier, any length,
remote, error and FD frames, payloads changed from those of sessions.
"""

from __future__ import annotations

import struct
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from random import Random

import can

from benchmarks.fuzz.engine import Wrong
from benchmarks.fuzz.mutate import below
from benchmarks.fuzz.witness import Witness
from instruments.evps.commands import Options
from instruments.evps.device import EmulatedEvps
from instruments.evps.events import SetMode, Start
from instruments.evps.stops import LIVE as PHASES_LIVE
from rig.can.bus import VirtualBus
from rig.can.frame import Frame
from rig.can.python_can import data_frame
from rig.chademo.codec import (
    ChargerCapability,
    ChargerDischarge,
    ChargerDischargeTime,
    ChargerStatus,
    VehicleDischarge,
    VehicleLimits,
    VehicleStatus,
    VehicleTimes,
    decode,
)
from rig.chademo.events import ContactorMoved, PackState, Sample, VehicleOut, Wire, WireChanged
from rig.chademo.rules import ALL
from rig.chademo.rules.ruleset import RuleSet
from rig.chademo.vehicle import Vehicle
from rig.chademo.vehicle_state import VehiclePhase
from rig.clock import VirtualClock
from rig.machine import run_on
from rig.plant.plant import Plant
from rig.plant.ports import DcSupply, Mains
from rig.plant.world import World
from rig.trace.observer import Observer

PAUSES = (0.0, 0.0, 0.0002, 0.001, 0.01, 0.03, 0.1)
"""s between two inputs."""
SHORTEST = 94e-6
"""s that the shortest frame takes on the wire, 47 bits at 500 kbit/s."""


@dataclass(frozen=True)
class Heard:
    """What an adapter hands on, after a pause of s."""

    pause: float
    id: int
    data: bytes
    extended: bool = False
    remote: bool = False
    error: bool = False
    fd: bool = False

    def frame(self) -> Frame | None:
        """As the rig's bus takes it."""
        return data_frame(
            can.Message(
                arbitration_id=self.id,
                data=b"" if self.remote else self.data,
                is_extended_id=self.extended,
                is_remote_frame=self.remote,
                is_error_frame=self.error,
                is_fd=self.fd,
            )
        )


class Frames:
    """How frames are made and changed. ids: those that mean something to whoever hears them."""

    episode = 400
    ids: Sequence[int] = (0x108, 0x109, 0x208, 0x209)
    good: Sequence[Frame] = ()

    def seeds(self) -> list[Heard]:
        return [Heard(0.001, frame.id, frame.data) for frame in self.good]

    def make(self, rng: Random) -> Heard:
        data = rng.randbytes(8 if rng.random() < 0.7 else below(rng, 9))
        id = self.ids[below(rng, len(self.ids))] if rng.random() < 0.8 else below(rng, 0x800)
        return self._odd(rng, Heard(PAUSES[below(rng, len(PAUSES))], id, data))

    def change(self, rng: Random, one: Heard, other: Heard) -> Heard:
        data = bytearray(one.data)
        match below(rng, 7):
            case 0 | 1 if data:
                data[below(rng, len(data))] ^= 1 << below(rng, 8)
            case 2 if data:
                data[below(rng, len(data))] = below(rng, 256)
            case 3:
                del data[below(rng, 9) :]
            case 4 if len(data) >= 2:
                at = below(rng, len(data) - 1)
                data[at : at + 2] = struct.pack("<H", (0, 1, 255, 256, 410, 450, 500, 65535)[below(rng, 8)])
            case 5:
                at = below(rng, 9)
                data[at:] = other.data[at:]
            case _:
                pass
        pause = PAUSES[below(rng, len(PAUSES))]
        id = other.id if rng.random() < 0.05 else one.id
        return self._odd(rng, Heard(pause, id, bytes(data[:8])))

    def _odd(self, rng: Random, one: Heard) -> Heard:
        if rng.random() < 0.9:
            return one
        match below(rng, 5):
            case 0:
                return replace(one, extended=True)
            case 1:
                return replace(one, remote=True)
            case 2:
                return replace(one, error=True)
            case 3:
                return replace(one, fd=True, data=(one.data * 8)[:64])
            case _:
                return replace(one, extended=True, id=one.id | below(rng, 1 << 18) << 11)

    def end(self) -> None:
        return


def charger_frames(status: ChargerStatus, capability: ChargerCapability) -> list[Frame]:
    """One cycle of a charger."""
    messages = (capability, status, ChargerDischarge(0, 500, 15, 250), ChargerDischargeTime(2))
    return [message.encode() for message in messages]


STANDS = ChargerStatus(2, 0, 0, True)
LOCKED = replace(STANDS, locked=True)
RUNS = replace(LOCKED, running=True, stopping=False, output_voltage=374)
OFFERS = ChargerCapability(True, 500, 15, 435)
STARTS = (0.3, 2.0, 5.0, 6.5, 7.5, 8.2, 9.0, 10.5, 13.0)
"""s of a good session before the noise begins."""


AFTERWARDS = 25
"""Inputs after a session has ended, before the next is plugged in."""
LIVE = frozenset(VehiclePhase) - {
    *(VehiclePhase.STOPPING, VehiclePhase.OPENING, VehiclePhase.WELD_CHECK, VehiclePhase.ENDED, VehiclePhase.ASLEEP)
}
ALIVE = frozenset(phase.value for phase in PHASES_LIVE)


class VehicleFuzz(Frames):
    """Frames to the car, beside a charger that behaves or is silent, while wires and pack do as they like."""

    name = "can vehicle"
    garbage = "closed or asked by garbage"
    good = tuple(frame for status in (STANDS, LOCKED, RUNS) for frame in charger_frames(status, OFFERS))

    def __init__(self, vehicle: type[Vehicle] = Vehicle) -> None:
        self._kind = vehicle

    def begin(self, rng: Random) -> None:
        self._rng = rng
        self._plug_in()

    def take(self, one: Heard) -> Hashable:
        rng = self._rng
        if rng.random() < 0.02:
            self._happens(rng)
        frame = one.frame()
        if frame is not None:
            self._tell(frame)
        self._clock.sleep(one.pause)
        self._witness.look(self._clock.now())
        phase, reason = self._vehicle.phase, self._vehicle.stop_reason
        sight = (phase, reason, frame is None, self._witness.request.bit_length())
        if phase not in LIVE:
            self._over += 1
            if self._over > AFTERWARDS:
                self._plug_in()
        return sight

    def _plug_in(self) -> None:
        rng = self._rng
        self._clock, self._witness, self._over = VirtualClock(), Witness(), 0
        self._vehicle = self._kind()
        self._pack = PackState(374.0, 0.0, 0.5, 25.0, 0.0)
        self._status, self._talks, self._contact = STANDS, True, False
        self._runner = run_on(self._clock, self._vehicle, self._does)
        for wire in ("proximity", "d1"):
            self._wire(wire, True)
        self._clock.every(0.1, self._cycle)
        self._clock.at(6.0, self._lock)
        self._clock.at(9.5, lambda: self._says(RUNS))
        self._clock.sleep(STARTS[below(rng, len(STARTS))])
        self._talks = rng.random() < 0.8

    def _happens(self, rng: Random) -> None:
        """Something other than a frame."""
        match below(rng, 6):
            case 0:
                self._wire(("d1", "d2", "proximity")[below(rng, 3)], rng.random() < 0.7)
            case 1:
                self._pack = replace(self._pack, current=rng.uniform(-40.0, 40.0))
            case 2:
                self._pack = replace(self._pack, inlet_voltage=(0.0, 15.0, 25.0, 374.0, float("nan"))[below(rng, 5)])
            case 3:
                self._pack = replace(self._pack, voltage=rng.uniform(200.0, 420.0), soc=rng.random())
            case 4:
                self._talks = not self._talks
            case _:
                self._vehicle.press_stop()

    def _says(self, status: ChargerStatus) -> None:
        self._status = status

    def _lock(self) -> None:
        self._says(LOCKED)
        self._wire("d2", True)

    def _cycle(self) -> None:
        if self._talks:
            for frame in charger_frames(self._status, OFFERS):
                self._tell(frame)
        self._tell(self._pack)

    def _tell(self, event: Frame | WireChanged | ContactorMoved | PackState) -> None:
        self._witness.told(self._clock.now(), event)
        self._runner.tell(event)

    def _wire(self, name: str, on: bool) -> None:
        self._tell(WireChanged(name, on))  # type: ignore[arg-type]
        self._move(self._contact)

    def _move(self, closed: bool) -> None:
        closed &= bool(self._witness.wires.get("d1") and self._witness.wires.get("d2"))
        if closed != self._contact:
            self._contact = closed
            self._tell(ContactorMoved(closed))

    def _does(self, out: VehicleOut) -> None:
        self._witness.does(self._clock.now(), out, self._vehicle.opened_under_load)
        if isinstance(out, ContactorMoved):
            self._clock.at(self._clock.now() + 0.03, lambda: self._move(out.closed))


VEHICLE_SAYS = (
    VehicleLimits(0, 0, 0, 435),
    VehicleTimes(2550, 3600, 600, 22.2 * 3.6e6),
    VehicleStatus(target_voltage=410, discharge_compatible=True, charged_rate=50),
    VehicleDischarge(30, 250, 67, 178),
)


class ChargerFuzz(Frames):
    """Frames to the emulated charger in its circuit, beside a car that behaves."""

    name = "can charger"
    garbage = "current beyond what was heard"
    ids = (0x100, 0x101, 0x102, 0x200, 0x201)
    good = tuple(
        message.encode()
        for message in (
            *VEHICLE_SAYS,
            replace(VEHICLE_SAYS[2], enabled=True, contactor_open=False, current_request=12),
            VehicleDischarge(12, 250, 67, 178),
        )
    )

    def begin(self, rng: Random) -> None:
        self._rng = rng
        self._plug_in()

    def take(self, one: Heard) -> Hashable:
        frame = one.frame()
        if frame is not None:
            self._note(frame)
            self._bus.send(frame)
        self._clock.sleep(one.pause)
        self._judge()
        control = self._evps.controller
        if control.phase.value not in ALIVE:
            self._over += 1
            if self._over > AFTERWARDS:
                self._plug_in()
        return control.phase, control.fault, control.ended_by, control.s.mode

    def _plug_in(self) -> None:
        clock = self._clock = VirtualClock()
        bus = VirtualBus(clock)
        self._world = world = World(clock, Plant(), 1, bus)
        plant = world.plant
        plant.set_mains(Mains(True, (100.0, 100.0), 50.0))
        self._evps = EmulatedEvps(world, Options(), lambda _: None)
        plant.set_dc_supply(DcSupply(True, 374.0, 0.1, 40.0, 40.0))
        self._bus, self._over = bus.attach("car", lambda *_: None), 0
        self._status, self._limit, self._enabled = VEHICLE_SAYS[2], 0, False
        self._asked: list[tuple[float, float]] = [(0.0, 0.0)]
        self._let: list[tuple[float, float]] = [(0.0, 0.0)]
        clock.every(0.1, self._cycle)
        clock.sleep(6.0)
        plant.set_wire("proximity", True)
        mode = ("charge", "discharge")[below(self._rng, 2)]
        self._evps.press(Start(mode))  # type: ignore[arg-type]
        clock.sleep((1.0, 4.0, 12.0, 25.0)[below(self._rng, 4)])
        if self._rng.random() < 0.2:
            self._evps.press(SetMode("standby"))

    def _cycle(self) -> None:
        """A car that does the least there is to a session."""
        plant, control = self._world.plant, self._evps.controller
        if not plant.wire("d1"):
            return
        if not self._enabled:
            self._enabled = True
            self._world.clock.at(self._clock.now() + 1.0, lambda: plant.set_wire("k", True))
        k = plant.wire("k")
        if plant.wire("d2") and not plant.ev_contactor_closed:
            plant.command_ev_contactor(True)
        closed = plant.ev_contactor_closed
        runs = closed and control.phase.value in ("ready", "running")
        request = min(12.0, self._status.current_request + 2.0) if runs else 0.0
        self._limit = min(12, self._limit + 2) if runs else 0
        self._status = replace(self._status, enabled=k, contactor_open=not closed, current_request=request)
        for message in (*VEHICLE_SAYS[:2], self._status, VehicleDischarge(self._limit, 250, 67, 178)):
            frame = message.encode()
            self._note(frame)
            self._bus.send(frame)

    def _note(self, frame: Frame) -> None:
        """What it may have heard: the highest of what was said lately counts."""
        now = self._clock.now()
        if frame.id == 0x102 and len(frame.data) == 8:
            self._asked = [*self._asked[-400:], (now, float(frame.data[3]))]
        elif frame.id == 0x200 and len(frame.data) == 8:
            self._let = [*self._let[-400:], (now, 255.0 - frame.data[0])]

    def _judge(self) -> None:
        i, now = self._world.plant.at("dc").i, self._clock.now()
        said, what = (self._asked, "asked for") if i > 0.0 else (self._let, "let go")
        most = max((value for at, value in said if now - at < 1.3), default=0.0)
        if abs(i) > most + 3.0 and abs(i) > 5.0 and len(said) < 400:
            raise Wrong(f"{now:.2f} s: {i:.1f} A though at most {most:g} A were {what} in the last second")


class RulesFuzz(Frames):
    """Frames of both sides, wires, contacts and readings to all rules, by their quick way and by their thorough one, to
    the observer of traces, and to the codec against the table of signals."""

    name = "can rules"
    garbage = "quick and thorough judges differ"
    ids = (0x100, 0x101, 0x102, 0x108, 0x109, 0x110, 0x118, 0x200, 0x201, 0x208, 0x209, 0x700, 0x708)
    good = (*VehicleFuzz.good, *ChargerFuzz.good)

    def begin(self, rng: Random) -> None:
        self._rng, self._now = rng, 0.0
        self._quick, self._thorough = RuleSet(ALL), RuleSet(ALL, thorough=True)
        self._observer = Observer(self._quick.session)

    def take(self, one: Heard) -> Hashable:
        rng = self._rng
        self._now += max(one.pause, SHORTEST)
        now, sight = self._now, 0
        frame = one.frame()
        if frame is None:
            for rules in (self._quick, self._thorough):
                rules.hole(now)
            return "hole"
        message = decode(frame)
        if (message is None) != (frame.id not in dbc_ids() or len(frame.data) != 8):
            raise Wrong(f"{frame} is decoded as {message}")
        if not self._quick.repeats(now, frame):
            sight = len(self._quick.step(now, frame).out)
        self._thorough.step(now, frame)
        if rng.random() < 0.05:
            event = self._other(rng)
            sight += len(self._quick.step(now, event).out)
            self._thorough.step(now, event)
        self._observer.see(now)
        return self._quick.session.phase, sight, type(message).__name__

    def end(self) -> None:
        for rules in (self._quick, self._thorough):
            rules.close(self._now)
        self._observer.close(self._now)
        for quick, thorough in zip(self._quick.verdicts(), self._thorough.verdicts(), strict=True):
            if (quick.state, quick.first) != (thorough.state, thorough.first):
                raise Wrong(
                    f"{quick.rule.id}: {quick.state} {quick.first}; thorough: {thorough.state} {thorough.first}"
                )

    def _other(self, rng: Random) -> WireChanged | ContactorMoved | Sample:
        wires: tuple[Wire, ...] = ("d1", "d2", "k", "proximity", "lock")
        match below(rng, 4):
            case 0:
                return WireChanged(wires[below(rng, 5)], rng.random() < 0.5)
            case 1:
                return ContactorMoved(rng.random() < 0.5)
            case 2:
                return Sample("dc_voltage", rng.uniform(0.0, 500.0), rng.random() / 10)
            case _:
                return Sample("dc_current", rng.uniform(-40.0, 40.0), rng.random() / 10)


def dbc_ids() -> frozenset[int]:
    """Identifiers of the messages that are decoded, by the published table (rig/chademo/chademo.dbc)."""
    return _IDS


_IDS = frozenset({0x100, 0x101, 0x102, 0x108, 0x109, 0x200, 0x201, 0x208, 0x209})
