"""Driver of the charger's service port. Role: Charger. Of our own protocol; never met hardware.

The port takes what the panel's buttons do and shows what its display shows. It needs no time of its own: every request
is one exchange, and the charger acts by itself.
"""

from __future__ import annotations

from typing import ClassVar, cast

from instruments.evps.commands import IDENTITY, MODES, NONE, PROTOCOL, Options
from rig.clock import Clock
from rig.errors import InstrumentError, UseError
from rig.lines.session import LineSession
from rig.roles import ChargerMode, ChargerState, Identity, refuse_crossed


class EvpsPanel:
    """The charger's buttons and display."""

    met_hardware: ClassVar[bool] = False

    def __init__(self, session: LineSession, options: Options) -> None:
        self.resource = session.resource
        self._session, self._options = session, options

    def identity(self) -> Identity:
        """Who answers."""
        fields = self._session.request("ID?").split(",")
        if len(fields) != 5 or ",".join(fields[:2]) != IDENTITY:
            raise InstrumentError(self.resource, "ID?", f"{','.join(fields)!r} is no charger; check the port")
        if fields[4] != str(PROTOCOL):
            raise InstrumentError(self.resource, "ID?", f"it speaks protocol {fields[4]}, this driver {PROTOCOL}")
        return Identity(fields[0], fields[1], fields[2], fields[3])

    def close(self) -> None:
        """End the session. The charger goes on by itself."""
        self._session.close()

    def start(self, mode: ChargerMode) -> None:
        """Press start."""
        self._order(f"START {mode}")

    def set_mode(self, mode: ChargerMode) -> None:
        """Change direction without a new session."""
        self._order(f"MODE {mode}")

    def set_power(self, power: float) -> None:
        """AC power in either direction. power: W, 0 or more."""
        if not 0.0 <= power <= self._options.power:
            raise UseError(f"{self.resource}: set_power({power}) must lie in 0..{self._options.power:g} W, its rating")
        self._order(f"POWER {power:g}")

    def set_transfer(self, automatic: bool) -> None:
        """Whether the PCS transfers by itself."""
        self._order(f"TRANSFER {'auto' if automatic else 'manual'}")

    def keep_meter(self, least: float | None, most: float | None) -> None:
        """Bounds of the power taken from the mains, W; None for none."""
        refuse_crossed(self.resource, least, most)
        words = (NONE if bound is None else f"{bound:g}" for bound in (least, most))
        self._order(f"METER {' '.join(words)}")

    def move_house(self, backup: bool) -> None:
        """The operator's switch: the house to the car (backup) or back to the mains."""
        self._order(f"HOUSE {'backup' if backup else 'mains'}")

    def set_reserve(self, soc: float) -> None:
        """The user's floor for discharge. soc: 0..1."""
        if not 0.0 <= soc <= 1.0:
            raise UseError(f"{self.resource}: set_reserve({soc}) must be a fraction 0..1")
        self._order(f"RESERVE {soc:g}")

    def stop(self) -> None:
        """Press stop."""
        self._order("STOP")

    def emergency_stop(self) -> None:
        """Press its emergency stop."""
        self._order("ESTOP")

    def reset(self) -> None:
        """Acknowledge a latched fault."""
        self._order("RESET")

    def state(self) -> ChargerState:
        """What its display shows."""
        reply = self._session.request("STATE?")
        fields = reply.split(" ")
        if len(fields) != 4 or fields[1] not in MODES or fields[2] not in ("0", "1"):
            raise InstrumentError(self.resource, "STATE?", f"answers {reply!r}, which is no state")
        phase, mode, backup, fault = fields
        return ChargerState(phase, cast(ChargerMode, mode), "" if fault == NONE else fault, backup == "1")

    def last_stop(self) -> str:
        """What ended the last session, in the charger's word; "" when nothing did. Not part of the role."""
        word = self._session.request("LAST?")
        return "" if word == NONE else word

    def _order(self, body: str) -> None:
        reply = self._session.request(body)
        word, _, rest = body.partition(" ")
        expected = f"{word.lower()} {rest}".strip()
        if reply != expected:
            raise InstrumentError(self.resource, body, f"answers {reply!r} instead of {expected!r}")


def open_driver(session: LineSession, options: Options, clock: Clock) -> EvpsPanel:  # noqa: ARG001
    """The charger's service port. (Every driver is opened alike; this one needs no clock.)"""
    return EvpsPanel(session, options)
