"""The emulated charger's service port: requests to buttons, the display to replies and event lines.

What the charger is and does stands in device.py and below; this file knows only words.
"""

from __future__ import annotations

import math

from instruments.evps.commands import (
    DEAD,
    FORM,
    IDENTITY,
    MODES,
    NONE,
    PLACES,
    PROTOCOL,
    REFUSALS,
    STATE,
    TRANSFERS,
    UNKNOWN,
    VALUE,
    Options,
)
from instruments.evps.device import EmulatedEvps
from instruments.evps.events import (
    EmergencyStop,
    Reset,
    SetMeter,
    SetMode,
    SetPower,
    SetReserve,
    SetTransfer,
    Start,
    Stop,
    Transfer,
)
from instruments.evps.own import OwnPort
from instruments.evps.stops import Phase
from rig.lines.face import LineFace, Refusal
from rig.plant.world import World
from rig.roles import ChargerMode
from rig.scpi.codec import plain

THINKING = 0.002
"""s the panel's controller needs for a request (project choice)."""


class ServicePort:
    """Bodies of requests to buttons."""

    def __init__(self, world: World, options: Options) -> None:
        self.face = LineFace(self._answer, THINKING)
        self.evps = EmulatedEvps(world, options, self.face.tell)
        self._transfer = "manual"

    def _answer(self, body: str) -> str:
        word, *values = body.split(" ")
        self.evps.read()
        if word.endswith("?"):
            return self._asked(word, values)
        self._do(word, values)
        return body.replace(word, word.lower(), 1)

    def _asked(self, word: str, values: list[str]) -> str:
        control = self.evps.controller
        if values:
            raise Refusal(FORM, REFUSALS[FORM])
        match word:
            case "ID?":
                return f"{IDENTITY},EMULATED1,1.0,{PROTOCOL}"
            case "STATE?":
                return f"{control.phase.value} {control.s.mode} {control.forming:d} {control.fault or NONE}"
            case "LAST?":
                return control.ended_by or NONE
            case "SETTINGS?":
                return f"{control.s.mode} {control.s.power:g} {control.s.reserve:g} {self._transfer}"
        raise Refusal(UNKNOWN, REFUSALS[UNKNOWN])

    def _do(self, word: str, values: list[str]) -> None:
        evps, control = self.evps, self.evps.controller
        match word, values:
            case "START", [mode]:
                self._may_start()
                evps.press(Start(_mode(mode)))
            case "MODE", [mode]:
                evps.press(SetMode(_mode(mode)))
            case "POWER", [watts]:
                evps.press(SetPower(_figure(watts, evps.behaviour.power)))
            case "RESERVE", [soc]:
                evps.press(SetReserve(_figure(soc, 1.0)))
            case "METER", [least, most]:
                evps.press(_meter(least, most))
            case "TRANSFER", [how]:
                self._transfer = _one_of(how, TRANSFERS)
                evps.switch(SetTransfer(how == "auto"))
            case "HOUSE", [where]:
                evps.switch(Transfer(_one_of(where, PLACES) == "backup"))
            case "STOP", []:
                evps.press(Stop())
            case "ESTOP", []:
                evps.press(EmergencyStop())
            case "RESET", []:
                if control.phase not in (Phase.FAULT, Phase.IDLE, Phase.OFF):
                    raise Refusal(STATE, f"{control.phase.value}: a session is under way; STOP it first")
                evps.press(Reset())
            case (
                ("START" | "MODE" | "POWER" | "RESERVE" | "METER" | "TRANSFER" | "HOUSE" | "STOP" | "ESTOP" | "RESET"),
                _,
            ):
                raise Refusal(FORM, REFUSALS[FORM])
            case _:
                raise Refusal(UNKNOWN, REFUSALS[UNKNOWN])

    def _may_start(self) -> None:
        control = self.evps.controller
        if control.phase is Phase.OFF:
            raise Refusal(DEAD, REFUSALS[DEAD])
        if control.fault:
            raise Refusal(STATE, f"fault {control.fault} is latched; RESET first")


def _mode(word: str) -> ChargerMode:
    for mode in MODES:
        if mode == word:
            return mode
    raise Refusal(VALUE, f"one of {', '.join(MODES)}")


def _one_of(word: str, words: tuple[str, ...]) -> str:
    if word not in words:
        raise Refusal(VALUE, f"one of {', '.join(words)}")
    return word


def _meter(least: str, most: str) -> SetMeter:
    low, high = (None if word == NONE else _figure(word, math.inf, -math.inf) for word in (least, most))
    if low is not None and high is not None and low > high:
        raise Refusal(VALUE, "least is above most")
    return SetMeter(low, high)


def _figure(word: str, most: float, least: float = 0.0) -> float:
    try:
        value = plain(word)
    except ValueError:
        raise Refusal(VALUE, f"a number 0..{most:g}") from None
    if not least <= value <= most:
        raise Refusal(VALUE, f"{least:g}..{most:g}")
    return value


def build(world: World, options: Options) -> LineFace:
    """The charger in a world, behind its service port: the rig's own, or the one the bench file names."""
    if options.emulator:
        return OwnPort(world, options).face
    return ServicePort(world, options).face
