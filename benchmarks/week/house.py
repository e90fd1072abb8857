"""The house, the car and the roof over time, on the emulated circuit, with every joule booked.

Theory
  Time is walked from change to change: a row of the load profile, an outage's begin or end, the car's coming or going.
  In between all is constant, and the circuit steps it exactly. Beside the mains the charger gives what the rule of its
  own meter asks (instruments.evps.managing), within the pack's window; in an outage it forms the house, if the car is
  there. The pack is a model of its own: what the circuit has put through the connector in a step is what goes into the
  pack in it, so the current through the pack is whatever makes these two the same.

  The account closes over all of it, with no term taken for granted: sun and mains in; house, drives, heat of charger
  and pack out; what charger and pack hold at the end less what they held at the beginning.

Signs: DC current positive into the pack; power from the mains positive.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from instruments.evps.behaviour import Behaviour
from instruments.evps.managing import asked
from instruments.evps.situation import NOTHING
from rig.load_profile import LoadProfile
from rig.metrology.wear import Wear, wear
from rig.plant.battery import LEAF_24KWH, Pack
from rig.plant.params import JAPAN_50HZ, PlantParams
from rig.plant.plant import Plant
from rig.plant.ports import DcSupply, Mains, StageCommand, StageMode
from rig.plant.stage_params import dc_current

HOUR, DAY = 3600.0, 86400.0
BEGINS = 30.0
"""s before the first step: the circuit comes up."""
MOVES = 0.1
"""s a contact has to move (rig.plant.params: all are faster)."""
MATCHES = 3.0
"""s the charger's output has to reach the pack's voltage."""
MOST_CURRENT = 30.0
"""A (chademo.md 4 [NICH])."""
LEG_SHARES = (0.55, 0.45)
"""Of the house's load on its two legs; project choice."""
CLOSE, LEAST = 1e-10, 1e-6
"""Of the energy of a step, and J, to which the pack's current is found (sums of 1e9 J hold no more)."""
DRIVE = 0.5
"""h of each of the day's two drives."""


@dataclass(frozen=True)
class Habits:
    """What the people want. reserve: charge kept for outages beside the mains, floor: in one; ceiling: never charged
    above. night: hours in which the car is charged up to `full` at `night_power` (W), the demand kept at `night_most`
    (W). trip: J a day's drive takes. away: hours on weekdays."""

    reserve: float = 0.35
    floor: float = 0.10
    ceiling: float = 0.90
    night: tuple[float, float] = (1.0, 5.0)
    full: float = 0.60
    night_power: float = 2000.0
    night_most: float = 3000.0
    trip: float = 4.5 * 3.6e6
    away: tuple[float, float] = (8.0, 17.5)


@dataclass
class Account:
    """J over the time looked at. imported and exported are the two ways of the mains; asked: what the house wanted,
    dark: of that, what it did not get. stored: rise of what charger and pack hold. residual: what is left over."""

    sun: float = 0.0
    imported: float = 0.0
    exported: float = 0.0
    house: float = 0.0
    asked: float = 0.0
    dark: float = 0.0
    driven: float = 0.0
    charger_heat: float = 0.0
    pack_heat: float = 0.0
    stored: float = 0.0
    residual: float = 0.0

    @property
    def turnover(self) -> float:
        """J: the scale of the residual."""
        return self.sun + self.imported + self.exported + self.house + self.driven + self.charger_heat + self.pack_heat

    @property
    def error(self) -> float:
        """Residual over turnover."""
        return abs(self.residual) / self.turnover


@dataclass
class Outcome:
    """account: of all of it. days: one account a day, without the residual. bridged: s on the car in outages; lost: s
    dark. peak: W, highest mean from the mains over a step. wear: of the car's pack, drives included.
    incidents: what must not happen in a circuit, and has."""

    account: Account
    days: list[Account]
    bridged: float
    lost: float
    peak: float
    lowest: float
    highest: float
    wear: Wear
    steps: int
    incidents: tuple[str, ...]


Spans = Sequence[tuple[float, float]]


@dataclass
class _Log:
    """The pack's course: edges of steps (s), current between them (A)."""

    edges: list[float] = field(default_factory=lambda: [0.0])
    current: list[float] = field(default_factory=list)


class House:
    """One run. outages: (begin, end) in s. days: how many of the profile's."""

    def __init__(
        self, profile: LoadProfile, outages: Spans, habits: Habits | None = None, soc: float = 0.6,
        params: PlantParams = JAPAN_50HZ, days: float | None = None,
    ) -> None:  # fmt: skip
        self.profile, self.outages = profile, outages
        self.habits = habits or Habits()
        self.length = profile.length if days is None else days * DAY
        self.plant, self.pack = Plant(params), Pack(LEAF_24KWH, soc)
        self.rule = Behaviour(power=params.p_rated)
        self.there = False
        """The car is plugged in and its contactors are closed."""
        self._log = _Log()

    # -- what the time asks for

    def away(self, t: float) -> bool:
        """Whether the car is away: weekdays, in working hours."""
        begin, end = self.habits.away
        return t // DAY % 7 < 5 and begin <= t % DAY / HOUR < end

    def driving(self, t: float) -> float:
        """W out of the pack on the road: the day's energy in the first and the last of its time away."""
        begin, end = self.habits.away
        hour = t % DAY / HOUR
        moves = self.away(t) and (hour < begin + DRIVE or hour >= end - DRIVE)
        return self.habits.trip / (2.0 * DRIVE * HOUR) if moves else 0.0

    def out(self, t: float) -> bool:
        """Whether the mains is gone."""
        return any(begin <= t < end for begin, end in self.outages)

    def changes(self) -> Iterator[tuple[float, float]]:
        """(begin, end) of every time in which nothing changes."""
        edges = {t for t in self.profile.seconds if t < self.length}
        edges |= {t for span in self.outages for t in span if 0.0 < t < self.length}
        begin, end = self.habits.away
        hours = (begin, begin + DRIVE, end - DRIVE, end)
        edges |= {d * DAY + h * HOUR for d in range(math.ceil(self.length / DAY)) for h in hours}
        ordered = sorted(t for t in edges if t < self.length)
        yield from zip(ordered, [*ordered[1:], self.length], strict=True)

    # -- the run

    def run(self) -> Outcome:
        """All of it."""
        plant = self.plant
        plant.set_mains(Mains(on=True))
        plant.command_pcs(True)
        plant.advance(BEGINS)
        total, today, days = Account(), Account(), list[Account]()
        bridged = lost = peak = 0.0
        lowest = highest = self.pack.soc
        begun, chemical, steps = plant.energy(), self._held(), 0
        for begin, end in self.changes():
            before = plant.energy()
            self._set(begin)
            driven = self.driving(begin) * (end - begin)
            plant.advance(BEGINS + end)
            fed = plant.at("house_l1").u > 0.0
            after = plant.energy()
            current = self._through_pack(after.dc - before.dc - driven, end - begin)
            self._log.edges.append(end)
            self._log.current.append(current)
            lowest, highest = min(lowest, self.pack.soc), max(highest, self.pack.soc)
            mains, house = after.mains - before.mains, sum(after.house) - sum(before.house)
            wanted = self.profile.at("house", begin) * (end - begin)
            for book in (total, today):
                book.sun += after.sun - before.sun
                book.imported += max(mains, 0.0)
                book.exported += max(-mains, 0.0)
                book.house += house
                book.asked += wanted
                book.dark += wanted - house
                book.driven += driven
                book.charger_heat += after.loss - before.loss
            if self.out(begin):
                bridged, lost = (bridged + end - begin, lost) if fed else (bridged, lost + end - begin)
            peak = max(peak, mains / (end - begin))
            steps += 1
            if end % DAY == 0.0 or end == self.length:
                days.append(today)
                today = Account()
        incidents = tuple(f"{one.at - BEGINS:g} s: {one.name}" for one in plant.incidents)
        total.pack_heat = self.pack.heat
        total.stored = self._held() - chemical + plant.energy().stored - begun.stored
        given = total.sun + total.imported - total.exported
        total.residual = given - total.house - total.driven - total.charger_heat - total.pack_heat - total.stored
        return Outcome(total, days, bridged, lost, peak, lowest, highest, self._wear(), steps, incidents)

    def _held(self) -> float:
        return self.pack.chemical + self.pack.rc_stored

    def _set(self, t: float) -> None:
        """Everything as it is to be from t on."""
        plant, out, away = self.plant, self.out(t), self.away(t)
        if self.there and away:
            self._unplug()
        for leg, share in enumerate(LEG_SHARES):
            plant.set_house_load(leg, self.profile.at("house", t) * share)
            plant.set_sun(leg, 0.0 if out else self.profile.at("sun", t) / 2.0)
        if self.there:
            self._offer()
        plant.set_mains(Mains(on=not out))
        forms = out and self.there and self.pack.soc > self.habits.floor
        if plant.pcs_closed is forms:
            if not forms and self.there:  # break before make
                plant.command_stage(StageCommand(StageMode.CURRENT, contactor=True))
            plant.command_pcs(not forms)
            plant.advance(plant.now + MOVES)
        if not self.there and not away and not out:
            self._plug_in(t)
        if self.there:
            plant.command_stage(self._order(t, forms, out))

    def _order(self, t: float, forms: bool, out: bool) -> StageCommand:
        if forms:
            return StageCommand(StageMode.FORM, i_discharge_max=MOST_CURRENT, contactor=True)
        if out:
            return StageCommand(StageMode.OFF, contactor=True)
        return StageCommand(StageMode.CURRENT, i_ref=self._current(self._wanted(t)), contactor=True)

    def _wanted(self, t: float) -> float:
        """W into the house, by the rule of the charger's meter, within the pack's window."""
        h, soc, hour = self.habits, self.pack.soc, t % DAY / HOUR
        net = self.profile.at("house", t) - self.profile.at("sun", t)
        night = h.night[0] <= hour < h.night[1]
        keep = (-math.inf, h.night_most) if night else (0.0, 0.0)
        wish = -h.night_power if night and soc < h.full else 0.0
        wanted = asked(keep, NOTHING._replace(p_mains=net), wish, self.rule)
        if (wanted > 0.0 and soc <= h.reserve) or (wanted < 0.0 and soc >= h.ceiling):
            return 0.0
        return wanted

    def _current(self, watts: float) -> float:
        """A through the connector that give so much at the AC side."""
        stage, u, r = self.plant.params.stage, self.pack.source_voltage(), self.pack.resistance()
        if watts == 0.0:
            return 0.0
        power = -(watts + stage.loss(watts)) if watts > 0.0 else stage.given(-watts)
        return max(-MOST_CURRENT, min(MOST_CURRENT, dc_current(power, u, r)))

    # -- the car

    def _offer(self) -> None:
        supply = DcSupply(True, self.pack.source_voltage(), self.pack.resistance(), 60.0, 60.0)
        self.plant.set_dc_supply(supply)

    def _unplug(self) -> None:
        plant = self.plant
        plant.command_stage(StageCommand(StageMode.CURRENT, contactor=True))
        plant.advance(plant.now + 1.0)
        plant.command_stage(StageCommand())
        plant.command_ev_contactor(False)
        plant.advance(plant.now + MOVES)
        for wire in ("d1", "d2"):
            plant.set_wire(wire, False)
        plant.set_dc_supply(DcSupply())
        self.there = False

    def _plug_in(self, t: float) -> None:
        plant = self.plant
        self._offer()
        plant.command_stage(StageCommand(StageMode.VOLTAGE, u_ref=self.pack.source_voltage()))
        plant.advance(plant.now + MATCHES)
        for wire in ("d1", "d2"):
            plant.set_wire(wire, True)
        plant.command_ev_contactor(True)
        plant.advance(plant.now + MOVES)
        plant.command_stage(StageCommand(StageMode.CURRENT, contactor=True))
        plant.advance(plant.now + MOVES)
        if not plant.ev_contactor_closed:
            raise RuntimeError(f"the car's contactors stay open at {t:g} s")
        self.there = True

    def _through_pack(self, joules: float, seconds: float) -> float:
        """Drive the pack with the current that takes so much at its terminals. The current, A."""
        if joules == 0.0:
            self.pack.advance(0.0, seconds)
            return 0.0
        current = joules / (seconds * self.pack.voltage(0.0))
        for _ in range(50):
            trial = copy.deepcopy(self.pack)
            trial.advance(current, seconds)
            missing = joules - (trial.terminal - self.pack.terminal)
            if abs(missing) <= LEAST + CLOSE * abs(joules):
                self.pack = trial
                return current
            current += missing / (seconds * self.pack.voltage(2.0 * current))
        raise RuntimeError(f"the pack cannot take {joules:g} J in {seconds:g} s")

    def _wear(self) -> Wear:
        edges, current = np.array(self._log.edges), np.array(self._log.current)
        t = np.sort(np.concatenate((edges[:-1], edges[1:] - 1e-3)))
        moved = float(np.sum(np.diff(edges) * current)) / self.pack.params.capacity
        return wear(t, np.repeat(current, 2), self.pack.soc - moved, self.pack.params.capacity)
