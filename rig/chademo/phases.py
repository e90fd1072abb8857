"""The phases of a CHAdeMO session, and the table by which one follows another. Data over what `Session` has seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rig.chademo.session import Session

SILENCE = 1.0
"""s without a frame of a kind: its sender is gone (chademo.md 2, CAN timeout: JLD and CLARA use 1 s, ten frames)."""
DEAD = 20.0
"""V, an output that counts as discharged (chademo.md 2 step 5 [BE])."""
FLOW = 1.5
"""A, below it no power flows: one count of the frames and half a count of noise (project choice)."""
GONE = 2 * SILENCE
"""s without 0x102, after which a stopped session is over (project choice: its time-out and the stop after it)."""


class Phase(Enum):
    """Where the session stands. The value is the word for reports."""

    __hash__ = object.__hash__  # members are single, and phases are looked up at every change

    WAITING = "waiting"
    HANDSHAKE = "handshake"
    ENABLED = "vehicle enabled"
    LOCKED = "connector locked"
    INSULATION = "insulation test"
    TESTED = "output discharged"
    CLOSED = "contactors closed"
    REQUESTED = "current requested"
    STANDBY = "standby at 0 A"
    CHARGING = "charging"
    DISCHARGING = "discharging"
    STOPPING = "stopping"
    WELD_CHECK = "weld check"
    OPEN = "contactors open"
    UNLOCKED = "unlocked"
    ENDED = "ended"


P = Phase
STARTING = frozenset({P.ENABLED, P.LOCKED, P.INSULATION, P.TESTED})
PERMITTED = STARTING | {P.CLOSED, P.REQUESTED}
RUNNING = frozenset({P.STANDBY, P.CHARGING, P.DISCHARGING})
OVER = frozenset({P.WAITING, P.HANDSHAKE, P.OPEN, P.UNLOCKED, P.ENDED})
"""Phases in which a vehicle may fall silent."""


@dataclass(frozen=True, slots=True)
class Row:
    """From any of these phases, when this holds, to that phase."""

    leaves: frozenset[Phase]
    when: Callable[[Session], bool]
    to: Phase


def _live(s: Session) -> bool:
    return s.voltage is not None and s.voltage > DEAD


def _asks(s: Session) -> bool:
    return s.status is not None and s.status.current_request > 0


def _charging(s: Session) -> bool:
    return s.current is not None and s.current > FLOW


def _discharging(s: Session) -> bool:
    return s.current is not None and s.current < -FLOW


def _idle(s: Session) -> bool:
    return s.current is not None and -FLOW <= s.current <= FLOW


def _stops(s: Session) -> bool:
    return s.vehicle_stops or s.charger_fault or not s.running or (s.charger is not None and s.charger.stopping)


def _opened(s: Session) -> bool:
    """The welding check is over: by the flag, else by the contact, else by a dead output."""
    if s.running:
        return False
    return (not _live(s) if s.aux is None else not s.aux) if s.flag_closed is None else not s.flag_closed


def _abandoned(s: Session) -> bool:
    """Nobody will finish the welding check: the vehicle is gone, or cut off."""
    return not s.running and (s.wires.get("d1") is False or s.now >= s.slots[0x102].last + GONE)


TABLE: tuple[Row, ...] = (
    Row(RUNNING, _stops, P.STOPPING),
    Row(PERMITTED, lambda s: s.vehicle_stops or s.charger_fault, P.STOPPING),
    Row(frozenset({P.STOPPING}), lambda s: s.closed is True and not s.running, P.WELD_CHECK),
    Row(frozenset({P.STOPPING, P.WELD_CHECK}), _opened, P.OPEN),
    Row(frozenset({P.OPEN}), lambda s: s.charger is not None and not s.charger.locked, P.UNLOCKED),
    Row(frozenset({P.STOPPING, P.WELD_CHECK}), _abandoned, P.ENDED),
    Row(frozenset({P.OPEN, P.UNLOCKED}), lambda s: s.wires.get("d1") is False or s.silent(s.now), P.ENDED),
    Row(frozenset({P.WAITING}), lambda s: s.status is not None or s.charger is not None, P.HANDSHAKE),
    Row(
        frozenset({P.HANDSHAKE, P.OPEN, P.UNLOCKED, P.ENDED}),
        lambda s: s.permitted and not s.vehicle_stops and not s.charger_fault,
        P.ENABLED,
    ),
    Row(PERMITTED, lambda s: s.running and not _stops(s), P.STANDBY),
    Row(STARTING, lambda s: s.closed is True, P.CLOSED),
    Row(STARTING, lambda s: s.closed is None and _asks(s), P.REQUESTED),
    Row(frozenset({P.ENABLED}), lambda s: s.charger is not None and s.charger.locked, P.LOCKED),
    Row(frozenset({P.ENABLED, P.LOCKED, P.TESTED}), lambda s: _live(s), P.INSULATION),
    Row(frozenset({P.INSULATION}), lambda s: not _live(s), P.TESTED),
    Row(frozenset({P.CLOSED}), _asks, P.REQUESTED),
    Row(frozenset({P.STANDBY, P.DISCHARGING}), _charging, P.CHARGING),
    Row(frozenset({P.STANDBY, P.CHARGING}), _discharging, P.DISCHARGING),
    Row(frozenset({P.CHARGING, P.DISCHARGING}), _idle, P.STANDBY),
)

LEAVING: dict[Phase, tuple[Row, ...]] = {phase: tuple(row for row in TABLE if phase in row.leaves) for phase in Phase}
