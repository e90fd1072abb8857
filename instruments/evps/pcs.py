"""The PCS: watches the mains, moves the house between mains and car, and says what the AC side is good for.

Theory
  It samples the mains side of its main contact continuously and compares with the wave that should be there. A wave
  that is off by more than `loss_deviation` of the peak for `loss_confirm` is a lost mains: near a zero crossing that
  takes longer to see than at a peak, and a bus that decays slower than one that is shorted. Slower protections (trips)
  act on rms and frequency. What lies between is ridden through.

  A bad mains is left only when the charger could form the house from the car and the transfer is automatic (or the
  operator wants it). Break before make: the contact opens first, and the charger forms when it has opened. Otherwise
  the contact stays closed, so that the house lives as soon as the mains does, and the charger ceases or ends.

  Back: the mains must have been good for `retransfer_delay` without a break; the stage drifts into step; the waves on
  both sides are compared until they lie within the window; the contact is driven, and the charger stops forming just
  before it touches. A charger that was told to cease beside the mains waits for the same delay.

      MAINS -bad, can form-> OPENING -contact open-> ISLAND -good, in step-> CLOSING -contact closed-> MAINS
                                                     ISLAND -cannot form any more-> RETURNING -contact closed-> MAINS

  A portable station has no mains and no contact: its outlets are an island from the first moment on.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import Enum

from instruments.evps.behaviour import Behaviour
from instruments.evps.events import (
    Ability,
    MainsSeen,
    Offset,
    PcsCoil,
    PcsIn,
    PcsOut,
    SetTransfer,
    Supply,
    Transfer,
)
from instruments.evps.grid_codes import IDLE, Trip
from instruments.evps.protection import MeanVoltage, Rocof
from rig.machine import Step
from rig.plant.ports import PcsMoved

SAMPLE = 5e-5
"""s between two samples of the wave (project choice: 20 kS/s)."""
EPS = 1e-9
"""s; the queue counts whole nanoseconds."""


class Place(Enum):
    """Where the house is."""

    MAINS = "mains"
    OPENING = "opening"
    ISLAND = "island"
    CLOSING = "closing"
    RETURNING = "returning"


def detection_delay(before: float, seen: MainsSeen, b: Behaviour) -> float:
    """s until a change of the wave is recognised as a loss; inf when it is none. before: fraction of nominal it had."""
    after = min(seen.u[: b.legs]) / b.u_nominal
    turn, phase = 2.0 * math.pi * b.f_nominal * SAMPLE, math.radians(seen.angle)
    run, needed = 0, round(b.loss_confirm / SAMPLE)
    for n in range(round(2.0 / (b.f_nominal * SAMPLE))):
        left = math.exp(-n * SAMPLE / seen.decay) if seen.decay > 0.0 else 0.0
        now = after + (before - after) * left
        run = run + 1 if abs((1.0 - now) * math.sin(phase + n * turn)) > b.loss_deviation else 0
        if run > needed:
            return n * SAMPLE
    return math.inf


class Pcs:
    """The PCS as a machine. It begins with its contact closed and no mains seen."""

    def __init__(self, b: Behaviour) -> None:
        self._b = b
        self.place = Place.MAINS
        self.automatic = False
        self._held = False  # islanded by hand: only a hand brings it back
        self._asked = False  # by hand: bring it back now
        self._ability = Ability(False, False)
        self._seen = MainsSeen((0.0, 0.0), b.f_nominal, 0.0)
        self._good_since: float | None = None
        self._lost_at = 0.0
        self._beyond: dict[Trip, float] = {}
        self._mean, self._rocof = MeanVoltage(b), Rocof(b)
        self._served = False  # the mains was good for long enough since it was last bad
        self._since = 0.0
        self._broken = False  # CLOSING: the stage was told to stop forming
        self._told = True  # OPENING: the contact was told to open
        self._offset: Offset | None = None
        self._supply: Supply | None = None
        self._deadline = math.inf
        self._out: list[PcsOut] = []
        self._do: dict[Place, Callable[[float], Place | None]] = {
            Place.MAINS: self._on_mains,
            Place.OPENING: self._opening,
            Place.ISLAND: self._islanded,
            Place.CLOSING: self._closing,
            Place.RETURNING: self._returning,
        }

    def behave(self, b: Behaviour) -> None:
        """Go on as this behaviour would, from the next step on. What protections remember they keep."""
        self._b = b

    @property
    def comparing(self) -> bool:
        """It wants an Offset when it is woken."""
        return self.place is Place.ISLAND and self._wants_back()

    def step(self, now: float, event: PcsIn | None) -> Step[PcsOut]:
        """Take what is seen, told or pressed; or a wake."""
        if not self._b.mains:
            self._order(Supply.ISLAND)
            out, self._out = tuple(self._out), []
            return Step(out)
        self._offset = None
        match event:
            case MainsSeen():
                self._see(now, event)
            case Offset():
                self._offset = event
            case Ability():
                self._ability = event
            case SetTransfer():
                self.automatic = event.automatic
            case Transfer():
                self._by_hand(event.backup)
            case PcsMoved():
                self._moved(now, event.closed)
            case None:
                pass
        following: Place | None = self.place
        while following is not None:
            self._deadline = math.inf
            following = self._do[self.place](now)
            if following is not None:
                self._enter(now, following)
        out, self._out = tuple(self._out), []
        return Step(out, None if math.isinf(self._deadline) else self._deadline)

    # -- the mains

    def _see(self, now: float, seen: MainsSeen) -> None:
        b = self._b
        before, self._seen = min(self._seen.u[: b.legs]) / b.u_nominal, seen
        if 1.0 - min(seen.u[: b.legs]) / b.u_nominal <= b.loss_deviation:
            self._lost_at = math.inf
        elif math.isinf(self._lost_at):
            self._lost_at = now + detection_delay(min(before, 1.0), seen, b)
        for trip in (*IDLE, *b.grid_code.trips):
            if self._is_beyond(trip):
                self._beyond.setdefault(trip, now)
            else:
                self._beyond.pop(trip, None)
        self._mean.see(now, max(seen.u[: b.legs]) / b.u_nominal)
        self._rocof.see(now, seen.f)
        if not self._is_good():
            self._good_since = None if b.delay_restarts else self._good_since
        elif self._good_since is None:
            self._good_since = now

    def _is_beyond(self, trip: Trip) -> bool:
        b, seen = self._b, self._seen
        volts = [u / b.u_nominal for u in seen.u[: b.legs]]
        figure = seen.f / b.f_nominal if trip.figure == "f" else max(volts) if trip.above else min(volts)
        return figure > trip.limit if trip.above else figure < trip.limit

    def _is_good(self) -> bool:
        b, seen = self._b, self._seen
        least, most = b.good_voltage
        low, high = b.good_frequency
        volts = all(least <= u / b.u_nominal <= most for u in seen.u[: b.legs])
        return volts and low <= seen.f - b.f_nominal <= high

    def _lost(self, now: float) -> bool:
        return self._past(now, self._lost_at)

    def _bad(self, now: float) -> bool:
        bad = self._lost(now)
        feeding = self._ability.feeding
        for trip in self._b.grid_code.trips if feeding else IDLE:
            if trip in self._beyond:
                bad |= self._past(now, self._beyond[trip] + trip.after)
        if feeding:
            bad |= self._past(now, self._mean.due(now)) or self._past(now, self._rocof.due(now))
        return bad

    def _good_for_long(self, now: float) -> bool:
        return self._good_since is not None and self._past(now, self._good_since + self._b.retransfer_delay)

    def _past(self, now: float, due: float) -> bool:
        """Whether a time has come; if not, be looked at again then."""
        if now + EPS < due:
            self._deadline = min(self._deadline, due)
            return False
        return True

    # -- the house

    def _by_hand(self, backup: bool) -> None:
        self._held, self._asked = backup, not backup

    def _moved(self, now: float, closed: bool) -> None:
        if self.place is Place.OPENING and not closed:
            self._since = now
            self._broken = True
        elif self.place in (Place.CLOSING, Place.RETURNING) and closed:
            self._served = self._served or self.place is Place.CLOSING
            self._enter(now, Place.MAINS)

    def _enter(self, now: float, place: Place) -> None:
        self.place, self._since, self._broken = place, now, False

    def _order(self, supply: Supply) -> None:
        if supply is not self._supply:
            self._supply = supply
            self._out.append(supply)

    def _on_mains(self, now: float) -> Place | None:
        b = self._b
        self._asked = False
        bad = self._bad(now)
        wanted = (bad and (self.automatic or b.moves_by_itself)) or self._held
        if b.transfers and wanted and self._ability.can_form:
            self._served = False
            self._good_since = now if self._is_good() else None
            self._order(Supply.CEASE if b.coil_late <= 0.0 else Supply.ISLAND)
            self._told = False
            return Place.OPENING
        self._held = False
        if bad:
            self._served = False
            self._order(Supply.OUT if self._lost(now) else Supply.CEASE)
            return None
        self._served = self._served or self._good_for_long(now)
        self._order(Supply.GRID if self._served else Supply.CEASE)
        return None

    def _opening(self, now: float) -> Place | None:
        """The stage forms when the contact has opened and the dead time is over."""
        if not self._told and self._past(now, self._since + self._b.coil_late):
            self._out.append(PcsCoil(False))
            self._told = True
        if self._b.form_before_open:
            self._order(Supply.ISLAND)
        dead = self._b.dead_time + self._b.transfer_late
        if not self._broken or not self._past(now, self._since + dead):
            return None
        return Place.ISLAND

    def _wants_back(self) -> bool:
        return self._asked or not self._held or self._b.moves_by_itself

    def _islanded(self, now: float) -> Place | None:
        b = self._b
        if not self._ability.can_form:
            self._order(Supply.CEASE if self._is_good() else Supply.OUT)
            self._out.append(PcsCoil(True))
            return Place.RETURNING
        self._order(Supply.ISLAND)
        if not self._wants_back() or not self._good_for_long(now) or not self._is_good():
            return None
        if self._offset is not None and self._within(self._offset):
            self._out.append(PcsCoil(True))
            return Place.CLOSING
        self._deadline = now + b.sync_look
        return None

    def _within(self, offset: Offset) -> bool:
        b = self._b
        return abs(offset.df) <= b.sync_df and abs(offset.dv) <= b.sync_dv and abs(offset.dphi) <= b.sync_dphi

    def _closing(self, now: float) -> Place | None:
        """Stop forming just before the contact touches; back to forming when the mains fails meanwhile."""
        b = self._b
        if self._bad(now) and self._ability.can_form:
            self._out.append(PcsCoil(False))
            return Place.ISLAND
        if self._past(now, self._since + b.contact_operate - b.break_before_make):
            self._order(Supply.CEASE)
        return None

    def _returning(self, now: float) -> Place | None:
        """Nobody forms: the contact closes whatever the mains does."""
        self._order(Supply.OUT if self._lost(now) else Supply.CEASE)
        return None
