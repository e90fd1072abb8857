"""Driver of a charger without any port: its buttons are pressed by a person. Role: Charger.

Every verb is a prompt; an answer that is not "done" is told in the person's words, and silence is an error of the
bench, never of the device. A display that was read a moment ago is not asked for again (`fresh`), unless a button was
pressed since.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

from instruments.operator.commands import DISPLAY, DONE, HOW, WORDS, Options, read_display
from rig.clock import Clock
from rig.errors import InstrumentError, UseError
from rig.prompts import Prompt, Prompter
from rig.roles import ChargerMode, ChargerState, Identity, refuse_crossed


class OperatedCharger:
    """A charger and the person in front of it."""

    met_hardware: ClassVar[bool] = False

    def __init__(
        self,
        session: Prompter,
        options: Options,
        clock: Clock,
        words: Mapping[str, str] = WORDS,
        display: str = DISPLAY,
    ) -> None:
        """words: what a person is told for each verb; one that is not there the device has no button for."""
        self.resource = session.resource
        self._words, self._asks = words, display
        self._session, self._options, self._clock = session, options, clock
        self._mode: ChargerMode = "standby"
        self._seen: ChargerState | None = None
        self._seen_at = -math.inf

    def identity(self) -> Identity:
        """As the bench file says: nobody else can."""
        options = self._options
        return Identity(options.maker, options.model, options.serial, "")

    def close(self) -> None:
        """End the session."""
        self._session.close()

    def start(self, mode: ChargerMode) -> None:
        """Press start."""
        self._done("start", mode)
        self._mode = mode

    def set_mode(self, mode: ChargerMode) -> None:
        """Change direction without a new session."""
        self._done("mode", mode)
        self._mode = mode

    def set_power(self, power: float) -> None:
        """AC power in either direction. power: W, 0 or more."""
        if not 0.0 <= power <= self._options.power:
            raise UseError(f"{self.resource}: set_power({power}) must lie in 0..{self._options.power:g} W, its rating")
        self._done("power", f"{power:g} W")

    def set_transfer(self, automatic: bool) -> None:
        """Whether the PCS transfers by itself."""
        self._done("transfer", "automatic" if automatic else "manual")

    def move_house(self, backup: bool) -> None:
        """Move the house by hand."""
        self._done("house", "backup" if backup else "mains")

    def keep_meter(self, least: float | None, most: float | None) -> None:
        """Bounds of the power taken from the mains, W."""
        refuse_crossed(self.resource, least, most)
        words = ("none" if bound is None else f"{bound:g} W" for bound in (least, most))
        self._done("meter", " to ".join(words))

    def set_reserve(self, soc: float) -> None:
        """The user's floor for discharge. soc: 0..1."""
        if not 0.0 <= soc <= 1.0:
            raise UseError(f"{self.resource}: set_reserve({soc}) must be a fraction 0..1")
        self._done("reserve", f"{100.0 * soc:g} %")

    def stop(self) -> None:
        """Press stop."""
        self._done("stop")

    def emergency_stop(self) -> None:
        """Press its emergency stop."""
        self._done("emergency stop")

    def reset(self) -> None:
        """Acknowledge a latched fault."""
        self._done("reset")

    def state(self) -> ChargerState:
        """What the display shows, at most `fresh` s ago."""
        if self._seen is None or self._clock.now() - self._seen_at > self._options.fresh:
            answer = self._ask("display", "", self._asks)
            try:
                self._seen = read_display(answer, self._mode)
            except ValueError as error:
                raise InstrumentError(self.resource, "display", f"the answer {answer!r} {error}") from None
            self._seen_at = self._clock.now()
        return self._seen

    def _done(self, verb: str, value: str = "") -> None:
        self._seen = None
        if verb not in self._words:
            raise InstrumentError(self.resource, f"{verb} {value}".strip(), "the device has no button for it")
        answer = self._ask(verb, value, self._words[verb].format(value=value) + HOW)
        if answer.lower() not in DONE:
            raise InstrumentError(self.resource, f"{verb} {value}".strip(), f"not done: {answer}")

    def _ask(self, verb: str, value: str, words: str) -> str:
        return self._session.ask(Prompt(verb, value, words), self._options.within)


def open_driver(session: Prompter, options: Options, clock: Clock) -> OperatedCharger:
    """A person at a terminal."""
    return OperatedCharger(session, options, clock)
