"""Emulated vehicle interface box: what it does at the connector of a world.

It drives k, proximity and the coils of the EV contactor pair, and sees the other wires, the auxiliary contact and the
inlet voltage (through its own divider's errors). Its microsecond counter started some time before the bench did and
runs off by a few parts in a million. Its watchdog needs no host: it is an event of the clock.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from instruments.vehicle_interface.commands import (
    DRIVEN,
    FORM,
    IDENTITY,
    OPEN_DELAY,
    PROTOCOL,
    REFUSALS,
    TRIPPED,
    UNKNOWN,
    VALUE,
    WATCHDOG_LONGEST,
    WATCHDOG_SHORTEST,
    WIRES,
    Options,
)
from rig.chademo.events import ContactorMoved, WireChanged
from rig.clock import Cancel, Phase
from rig.lines.face import LineFace, Refusal
from rig.metrology.accuracy import Specimen, read_accuracy
from rig.plant.world import World
from rig.scpi.codec import plain

ACCURACY = read_accuracy(Path(__file__).with_name("accuracy.toml"))
THINKING = 0.0005
"""s a small controller needs for a request (project choice)."""
CRYSTAL = 30e-6
"""Largest relative error of its crystal (project choice: usual parts state 30 ppm)."""
SWITCHED_ON_BEFORE = 3600.0
"""s; it was switched on at most this long before the bench was opened (project choice)."""
POWER_ON_WATCHDOG = 4.0
"""s until the host says otherwise (project choice)."""


class EmulatedVehicleInterface:
    """State and physics. Knows the connector, its own errors; knows no lines."""

    def __init__(self, world: World, tell: Callable[[str], None]) -> None:
        self._world, self._send = world, tell
        rng = world.rng("vehicle_interface")
        self._specimen = Specimen(ACCURACY, rng)
        self._ahead = float(rng.uniform(0.0, SWITCHED_ON_BEFORE))
        self._rate = 1.0 + float(rng.uniform(-CRYSTAL, CRYSTAL))
        self.demand = self.tripped = False
        self.watchdog = POWER_ON_WATCHDOG
        self._heard = 0.0
        self._watch: Cancel | None = None
        self._opening: Cancel | None = None
        world.plant.subscribe(self._changed)

    def micros(self, at: float | None = None) -> int:
        """Its counter, now or at a bench time."""
        now = self._world.clock.now() if at is None else at
        return int((now * self._rate + self._ahead) * 1e6)

    # -- told

    def heard(self) -> None:
        """A request came in: the watchdog starts anew."""
        self._heard = self._world.clock.now()

    def set_wire(self, wire: str, on: bool) -> None:
        for driven in DRIVEN:
            if driven == wire:
                self._refuse_tripped(on)
                self._world.plant.set_wire(driven, on)
                return self._arm()
        raise Refusal(VALUE, f"{wire} cannot be driven; k and proximity can")

    def set_contactor(self, on: bool) -> None:
        self._refuse_tripped(on)
        self.demand = on
        if self._opening is not None:
            self._opening()
            self._opening = None
        self._world.plant.command_ev_contactor(on)
        self._arm()

    def set_watchdog(self, seconds: float) -> None:
        if not WATCHDOG_SHORTEST <= seconds <= WATCHDOG_LONGEST:
            raise Refusal(VALUE, f"watchdog {WATCHDOG_SHORTEST:g}..{WATCHDOG_LONGEST:g} s")
        self.watchdog = seconds
        if self._watch is not None:
            self._watch()
            self._watch = None
        self._arm()

    def reset(self) -> None:
        self.tripped = False

    # -- asked

    def bits(self) -> str:
        plant = self._world.plant
        states = (*(plant.wire(wire) for wire in WIRES), plant.ev_contactor_closed, self.demand, self.tripped)
        return "".join("1" if state else "0" for state in states)

    def inlet_voltage(self) -> float:
        return self._specimen.read("inlet_voltage", self._world.plant.at("dc").u)

    # -- inside

    def _refuse_tripped(self, on: bool) -> None:
        if on and self.tripped:
            raise Refusal(TRIPPED, REFUSALS[TRIPPED])

    def _active(self) -> bool:
        plant = self._world.plant
        return self.demand or any(plant.wire(wire) for wire in DRIVEN)

    def _arm(self) -> None:
        """Look again when the host will have been silent too long; one look is under way at a time."""
        if self._watch is None and not self.tripped and self._active():
            self._watch = self._world.clock.at(self._heard + self.watchdog, self._look, Phase.ACT)

    def _look(self) -> None:
        self._watch = None
        if self._world.clock.now() - self._heard < self.watchdog - 1e-6:
            self._arm()
        elif self._active():
            self._trip()

    def _trip(self) -> None:
        self.tripped = True
        self._say("watchdog", True)
        plant = self._world.plant
        plant.set_wire("k", False)
        if self.demand:
            self._opening = self._world.clock.at(self._world.clock.now() + OPEN_DELAY, self._let_go, Phase.ACT)

    def _let_go(self) -> None:
        self._opening = None
        self.demand = False
        self._world.plant.command_ev_contactor(False)

    def _changed(self, at: float, change: object) -> None:
        if isinstance(change, WireChanged):
            self._say(change.wire, change.on, at)
        elif isinstance(change, ContactorMoved):
            self._say("contactor", change.closed, at)

    def _say(self, name: str, on: bool, at: float | None = None) -> None:
        self._send(f"{self.micros(at)} {name} {on:d}")


class _Box:
    """Bodies of requests to acts of the box."""

    def __init__(self, world: World) -> None:
        self.face = LineFace(self.answer, THINKING)
        self._box = EmulatedVehicleInterface(world, self.face.tell)

    def answer(self, body: str) -> str:
        self._box.heard()
        word, *values = body.split(" ")
        if word.endswith("?") and not values:
            return self._asked(word)
        box = self._box
        match word, values:
            case "WIRE", [wire, bit]:
                box.set_wire(wire, _bit(bit))
                return f"{wire} {bit}"
            case "CONTACTOR", [bit]:
                box.set_contactor(_bit(bit))
                return f"contactor {bit}"
            case "WATCHDOG", [seconds]:
                box.set_watchdog(_seconds(seconds))
                return f"watchdog {seconds}"
            case "RESET", []:
                box.reset()
                return "reset"
            case (("WIRE" | "CONTACTOR" | "WATCHDOG" | "RESET"), _):
                raise Refusal(FORM, REFUSALS[FORM])
        raise Refusal(UNKNOWN, REFUSALS[UNKNOWN])

    def _asked(self, word: str) -> str:
        box = self._box
        match word:
            case "ID?":
                return f"{IDENTITY},EMULATED1,1.0,{PROTOCOL}"
            case "TIME?":
                return f"{box.micros()} {self.face.events}"
            case "STATE?":
                return f"{box.micros()} {self.face.events} {box.bits()}"
            case "VOLT?":
                return f"{box.micros()} {box.inlet_voltage():.2f}"
        raise Refusal(UNKNOWN, REFUSALS[UNKNOWN])


def _bit(word: str) -> bool:
    if word not in ("0", "1"):
        raise Refusal(VALUE, "0 or 1")
    return word == "1"


def _seconds(word: str) -> float:
    try:
        return plain(word)
    except ValueError:
        raise Refusal(VALUE, "seconds, as a number") from None


def build(world: World, options: Options) -> LineFace:  # noqa: ARG001  (every emulator is built alike)
    """The box at the connector of a world."""
    return _Box(world).face
