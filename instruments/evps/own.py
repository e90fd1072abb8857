"""A charger of the user's own in the place of the emulated one: its terminals, and the service port in front of it.

The port understands the same requests as every charger's (commands.py), so the driver is the same.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from instruments.evps.commands import (
    FORM,
    IDENTITY,
    MODES,
    NONE,
    PROTOCOL,
    REFUSALS,
    STATE,
    TRANSFERS,
    UNKNOWN,
    VALUE,
    Options,
)
from rig.can.frame import Frame
from rig.errors import UseError
from rig.fmu.charger import FmuCharger
from rig.fmu.description import is_fmu, read_fmu
from rig.lines.face import LineFace, Refusal
from rig.own_charger import Driven, Listener, OwnCharger, Seen, load_charger
from rig.plant.ports import Operating, StageCommand, StageReading
from rig.plant.world import World
from rig.roles import ChargerMode, ChargerState

THINKING = 0.002
"""s the port needs for a request, as the emulated charger's."""
WORDS, WORD = 100, 32
"""Characters of a refusal, and of phase and fault, that a line can hold (rig/lines/frame.py)."""


class OwnTerminals:
    """A charger's electronics in a world. See rig.own_charger.Terminals."""

    def __init__(self, world: World) -> None:
        if world.bus is None:
            raise UseError("evps: a charger of your own needs the CHAdeMO bus; add [can] to the bench")
        params = world.plant.params
        self.legs: int = params.legs
        self.u_nominal, self.f_nominal = params.u_nominal, params.f_nominal
        self._world = world
        self._listeners: list[Listener] = []
        self._bus = world.bus.attach("evps", self._heard)
        world.plant.command_pcs(True)

    def now(self) -> float:
        return self._world.clock.now()

    def every(self, period: float, call: Callable[[], None]) -> None:
        self._world.clock.every(period, call)

    def after(self, seconds: float, call: Callable[[], None]) -> None:
        self._world.clock.at(self.now() + seconds, call)

    def send(self, frame: Frame) -> None:
        self._bus.send(frame)

    def on_frame(self, call: Listener) -> None:
        self._listeners.append(call)

    def wire(self, name: Seen) -> bool:
        return self._world.plant.wire(name)

    def drive(self, name: Driven, on: bool) -> None:
        self._world.plant.set_wire(name, on)

    def stage(self) -> StageReading:
        return self._world.plant.stage()

    def command(self, stage: StageCommand) -> None:
        self._world.plant.command_stage(stage)

    def insulation(self) -> float:
        return self._world.plant.insulation

    def mains(self) -> tuple[Operating, ...]:
        at = self._world.plant.at
        return (at("grid_l1"), at("grid_l2"))[: self.legs]

    def close_pcs(self, closed: bool) -> None:
        self._world.plant.command_pcs(closed)

    def _heard(self, at: float, frame: Frame) -> None:
        for call in tuple(self._listeners):
            call(at, frame)


class OwnPort:
    """Bodies of requests to the buttons of a charger of the user's own."""

    def __init__(self, world: World, options: Options) -> None:
        self._most = options.power
        self._charger, self._name, self._firmware = _made(world, options)
        if callable(close := getattr(self._charger, "close", None)):
            world.on_close(close)
        self._mode, self._transfer = "standby", "manual"
        self._power, self._reserve = options.power, 0.0
        self.face = LineFace(self._answer, THINKING)

    def _answer(self, body: str) -> str:
        word, *values = body.split(" ")
        try:
            if word.endswith("?"):
                return self._asked(word, values)
            self._do(word, values)
        except ValueError as error:
            raise Refusal(STATE, _line(str(error)) or "refused") from None
        return body.replace(word, word.lower(), 1)

    def _asked(self, word: str, values: list[str]) -> str:
        if values:
            raise Refusal(FORM, REFUSALS[FORM])
        match word:
            case "ID?":
                return f"{IDENTITY},{self._name},{self._firmware},{PROTOCOL}"
            case "STATE?":
                state = self._charger.state()
                if not isinstance(state, ChargerState) or state.mode not in MODES:
                    raise Refusal(STATE, f"{self._name}.state() gives {state!r}, no ChargerState")
                return f"{_word(state.phase)} {state.mode} {state.on_backup:d} {_word(state.fault)}"
            case "LAST?":
                return NONE
            case "SETTINGS?":
                return f"{self._mode} {self._power:g} {self._reserve:g} {self._transfer}"
        raise Refusal(UNKNOWN, REFUSALS[UNKNOWN])

    def _do(self, word: str, values: list[str]) -> None:
        charger = self._charger
        match word, values:
            case "START", [mode]:
                charger.start(_mode(mode))
                self._mode = mode
            case "MODE", [mode]:
                charger.set_mode(_mode(mode))
                self._mode = mode
            case "POWER", [watts]:
                charger.set_power(power := _figure(watts, self._most))
                self._power = power
            case "RESERVE", [soc]:
                charger.set_reserve(reserve := _figure(soc, 1.0))
                self._reserve = reserve
            case "TRANSFER", [how]:
                if how not in TRANSFERS:
                    raise Refusal(VALUE, f"one of {', '.join(TRANSFERS)}")
                self._transfer = how
                charger.set_transfer(how == "auto")
            case "STOP", []:
                charger.stop()
            case "ESTOP", []:
                charger.emergency_stop()
            case "RESET", []:
                charger.reset()
            case (("START" | "MODE" | "POWER" | "RESERVE" | "TRANSFER" | "STOP" | "ESTOP" | "RESET"), _):
                raise Refusal(FORM, REFUSALS[FORM])
            case _:
                raise Refusal(UNKNOWN, REFUSALS[UNKNOWN])


def _made(world: World, options: Options) -> tuple[OwnCharger, str, str]:
    """The charger the bench file names, what it is called, and as whose firmware: of an FMU, which file it was."""
    terminals = OwnTerminals(world)
    if not is_fmu(options.emulator):
        return load_charger(options.emulator)(terminals), _line(options.emulator.replace(",", " ")), "own"
    fmu = read_fmu(Path(options.emulator))
    name, version = (_line(text.replace(",", " "), 30) for text in (fmu.path.name, fmu.version or "fmu"))
    charger = FmuCharger(terminals, fmu, fmu.step_of(options.step), world.fail_device)
    return charger, name, f"{version} sha256:{fmu.digest[:12]}"


def _line(text: str, most: int = WORDS) -> str:
    """Words of a charger of the user's own, fit for a line of the protocol."""
    return "".join(one if one.isascii() and one.isprintable() else "?" for one in " ".join(text.split()))[:most]


def _word(text: str) -> str:
    return "_".join(_line(text, WORD).split()) or NONE


def _mode(word: str) -> ChargerMode:
    for mode in MODES:
        if mode == word:
            return mode
    raise Refusal(VALUE, f"one of {', '.join(MODES)}")


def _figure(word: str, most: float) -> float:
    try:
        value = float(word)
    except ValueError:
        raise Refusal(VALUE, f"a number 0..{most:g}") from None
    if not 0.0 <= value <= most:
        raise Refusal(VALUE, f"0..{most:g}")
    return value
