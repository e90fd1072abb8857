"""The one circuit of an emulated bench: mains, PCS contact, house, EVPS power stage, cable and battery's place.

Sans-IO: no clock. `advance` steps it to a time; every `set_*` and `command_*` acts at `now`. The circuit:

    mains ── grid port ── PCS contact ── house bus ── house loads
                                             │
                                         EVPS stage ── output node ── own contactor ── connector
                                                                                          │
                                                                  DC supply ──────── EV contactor

Theory
  Between two changes everything is either constant or on a known curve (rig.plant.evps). A change (a command, a delayed
  contact, a link threshold) is followed by `_refresh`, which works the circuit out anew: contacts' coils, who feeds the
  house bus, the stage's regime and aims, what is recorded for the waveforms, and when the next change comes by itself.
  Mains on the bus rules its voltage; the EVPS then only adds or takes power. The mains' voltage drop is not part of the
  energy account, which begins at the grid port. A stage that forms sees the mains side of the PCS contact: it begins in
  step with it, and when the mains comes back it drifts into step at `sync_rate`, ready for a closing (XFR-008).

  When the control dies (link empty) its outputs go: stage off, own contactor, d1 and d2; so the EV contactor drops.
  `incidents` is the truth about abuse (contacts opened under load, forming onto live mains), for the rig's own tests.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from rig.chademo.events import ContactorMoved, Wire, WireChanged
from rig.errors import UseError
from rig.plant.energy import EnergyAccount, Ledger
from rig.plant.evps import PowerStage, Regime
from rig.plant.house import DEAD, Formed, form, leg_power
from rig.plant.mains import MainsSource, loaded_voltage, refuse_bad_mains
from rig.plant.params import JAPAN_50HZ, PlantParams
from rig.plant.pcs import Contact
from rig.plant.ports import (
    DcSupply,
    Mains,
    MainsChanged,
    Operating,
    PcsMoved,
    Port,
    StageCommand,
    StageMode,
    StageReading,
    WavePort,
)
from rig.plant.render import SLACK, DcSegment, History, Samples, Segment, Shape
from rig.plant.stage_params import StageParams
from rig.units import NS_PER_S, to_ns, to_s

Change = WireChanged | ContactorMoved | MainsChanged | PcsMoved
Told = Callable[[float, Change], None]

LOAD_CURRENT = 5.0
"""A above which a DC contact must not open (chademo.md 3 [BE][RS])."""
INRUSH_STEP = 20.0
"""V across a DC contact that closes, above which it is an incident (chademo.md 2: <20 V before)."""
SOFT_FACTOR = 1.0 / math.sqrt(3.0)
"""rms of a linear ramp over its end value."""
DEAF = 1.0
"""V rms below which a bus counts as dead and has no frequency (project choice)."""
GOOD_VOLTAGE, GOOD_FREQUENCY = 0.85, 0.05
"""Fractions of nominal within which a forming stage follows the mains: its AC input window, 200 V +/-15 %, 50/60 Hz
+/-5 % (standards.md PWR-005 [NICH])."""
IN_STEP = 1e-4
"""Turns of phase within which it locks to the mains (project choice: 0.04 degrees)."""
REDRAW = 3e-4
"""Fraction of nominal by which an amplitude may stray from the recorded one (a third of the 0.1 % wanted)."""


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that must not happen, has. at: s. value: A or V as the name says."""

    at: float
    name: str
    value: float


class Plant:
    """The emulated circuit. now: s."""

    def __init__(self, params: PlantParams = JAPAN_50HZ) -> None:
        self.params = params
        self.now = 0.0
        self.incidents: list[Incident] = []
        self.insulation = 1e9
        self._stage = PowerStage(params.stage)
        self._ledger = Ledger()
        self._mains = MainsSource(Mains(f=params.f_nominal, u=(params.u_nominal, params.u_nominal)))
        self._supply = DcSupply()
        self._demand = (0.0, 0.0)
        self._sun = self._shining = (0.0, 0.0)
        self._wires: dict[Wire, bool] = {"d1": False, "d2": False, "k": False, "proximity": False, "lock": False}
        self._pcs = Contact(params.pcs_operate, params.pcs_release)
        self._ev = Contact(params.ev_operate, params.ev_release)
        self._own = Contact(params.stage.contactor_operate, params.stage.contactor_release)
        self._ev_asked = False
        self._history = History(0.0, params.f_nominal, params.horizon)
        self._forming = params.forming()
        self._grid_live = self._parallel = False
        self._formed = DEAD
        self._house = (0.0, 0.0)
        self._soft_until = self._fault_until = self._sync_until = math.inf
        self._fault_current = 0.0
        self._next = math.inf
        self._mark = (0.0, self._stage.mark(), self._ledger.mark())
        self._told: list[Told] = []
        self._scheduled: list[Callable[[float], None]] = []

    # -- time

    def advance(self, to: float) -> None:
        """Step to a time (s, bench time). Equal to now is free; before now is an error."""
        if to == self.now:
            return
        if not self.now < to < math.inf:
            raise UseError(f"plant: advance(to={to!r}): not a time after its now={self.now!r}; time never goes back")
        while self._next <= to:
            if self._next > self.now:
                self._run(self._next)
            self._fire()
        if to > self.now:
            self._run(to)

    def next_event(self) -> float:
        """s at which something will change by itself (a contact, the link); inf when nothing will."""
        return self._next

    def subscribe(self, call: Told) -> None:
        """Be told of every change, at its time: call(at, change)."""
        self._told.append(call)

    def watch_schedule(self, call: Callable[[float], None]) -> None:
        """Be told of every new next_event."""
        self._scheduled.append(call)

    # -- sources and loads

    def set_mains(self, mains: Mains) -> None:
        """The mains source takes a new state."""
        refuse_bad_mains(mains)
        before = self._mains.now
        if mains == before and mains.phase == 0.0:
            return
        angle = self._mains.change(mains, self.now)
        self._refresh()
        self._tell(MainsChanged(mains, before, angle))

    def set_house_load(self, leg: int, power: float) -> None:
        """leg: 0 or 1. power: W, 0 or more; constant power, a resistance below half voltage."""
        if leg not in (0, 1) or not (power >= 0.0 and math.isfinite(power)):
            raise UseError(f"plant: set_house_load({leg}, {power}): leg is 0 or 1, power 0 W or more and finite")
        if power != self._demand[leg]:
            self._demand = (power, self._demand[1]) if leg == 0 else (self._demand[0], power)
            self._refresh()

    def set_sun(self, leg: int, power: float) -> None:
        """What else feeds a leg of the house, as an inverter on the roof does: beside a live mains only. leg: 0 or 1.
        power: W, 0 or more."""
        if leg not in (0, 1) or not (power >= 0.0 and math.isfinite(power)):
            raise UseError(f"plant: set_sun({leg}, {power}): leg is 0 or 1, power 0 W or more and finite")
        if power != self._sun[leg]:
            self._sun = (power, self._sun[1]) if leg == 0 else (self._sun[0], power)
            self._refresh()

    def set_dc_supply(self, supply: DcSupply) -> None:
        """The DC source in the battery's place takes a new state."""
        figures = (supply.u_set, supply.resistance, supply.i_source_max, supply.i_sink_max)
        if not all(x >= 0.0 and math.isfinite(x) for x in figures):
            raise UseError(f"plant: set_dc_supply({supply}): every figure must be 0 or more and finite")
        if supply != self._supply:
            self._supply = supply
            self._refresh()

    # -- cable and car side

    def set_wire(self, wire: Wire, on: bool) -> None:
        """Drive a wire of the cable. No change, no event."""
        if self._wires[wire] != on:
            self._wires[wire] = on
            if wire in ("d1", "d2"):
                self._refresh()
            self._tell(WireChanged(wire, on))

    def wire(self, wire: Wire) -> bool:
        """Whether a wire is active."""
        return self._wires[wire]

    def command_ev_contactor(self, closed: bool) -> None:
        """The car asks for its contactor pair. The coil is fed through d1 and d2."""
        if closed != self._ev_asked:
            self._ev_asked = closed
            self._refresh()

    @property
    def ev_contactor_closed(self) -> bool:
        """The EV contactor pair."""
        return self._ev.closed

    def set_insulation(self, ohm: float) -> None:
        """Insulation resistance from DC to PE. ohm: above 0."""
        if not ohm > 0.0:
            raise UseError(f"plant: set_insulation({ohm}): must be above 0 ohm")
        self.insulation = ohm

    # -- EVPS side

    def fit_stage(self, stage: StageParams) -> None:
        """Another power stage in the EVPS, before anything has flowed. UseError afterwards."""
        if self.now > 0.0 or self._stage.alive:
            raise UseError("plant: fit_stage(): the circuit lives already; fit the stage before its first event")
        self.params = replace(self.params, stage=stage)
        self._stage, self._forming = PowerStage(stage), self.params.forming()
        self._own = Contact(stage.contactor_operate, stage.contactor_release)
        self._mark = (0.0, self._stage.mark(), self._ledger.mark())
        self._refresh()

    def command_stage(self, command: StageCommand) -> None:
        """The charger's controller commands its power stage."""
        figures = (command.u_ref, command.i_ref, command.i_discharge_max)
        if not all(math.isfinite(x) for x in figures):
            raise UseError(f"plant: command_stage({command}): figures must be finite")
        if command != self._stage.command:
            self._stage.command = command
            self._refresh()

    def stage(self) -> StageReading:
        """What the EVPS's own sensors say."""
        stage = self._stage
        house = (self._u_house(0), self._u_house(1))
        return StageReading(
            u_out=self._u_connector(),
            i_out=stage.i if stage.connected else 0.0,
            u_house=house,
            p_ac=-stage.p_ac,
            alive=stage.alive,
            u_node=stage.u_node,
        )

    def command_pcs(self, closed: bool) -> None:
        """Coil of the PCS main contact between mains and house."""
        self._pcs.drive(closed, self.now)
        self._refresh()

    @property
    def pcs_closed(self) -> bool:
        """The PCS main contact."""
        return self._pcs.closed

    # -- reads

    def at(self, port: Port) -> Operating:
        """What a perfect meter at a port reads now."""
        if port == "dc":
            u, i = self._u_connector(), self._stage.i if self._stage.connected else 0.0
            return Operating(u, i, u * i, 0.0)
        leg = 1 if port.endswith("2") else 0
        if port.startswith("grid"):
            u, p = self._u_grid(leg), self._p_grid(leg)
            f = self._f_house() if self._pcs.closed else self._mains.now.f
        else:
            u, f = self._u_house(leg), self._f_house()
            p = self._house[leg] if port.startswith("house") else -self._stage.p_ac * self._share(leg)
        if u < DEAF:
            return Operating(u, 0.0, 0.0, 0.0)
        i = abs(p) / u
        if self._fault_current > 0.0 and not port.startswith("house") and self._share(leg) > 0.0:
            i = math.hypot(i, self._fault_current)
        return Operating(u, i, p, f)

    def energy(self) -> EnergyAccount:
        """J since the start."""
        book = self._ledger
        house = (book.house0, book.house1)
        return EnergyAccount(book.mains, house, book.dc, book.loss, self._stage.stored(), book.own, book.sun)

    def waves(self, port: WavePort, start: float, seconds: float, rate: float) -> Samples:
        """V (of "dc_i": A), float32, round(seconds*rate) samples from start (s) at rate (S/s); see rig.plant.render."""
        if not (math.isfinite(start) and 0.0 <= seconds < math.inf and 0.0 < rate < math.inf):
            raise UseError(
                f"waves(start={start}, seconds={seconds}, rate={rate}): seconds 0 or more, rate above 0, all finite"
            )
        n = round(seconds * rate)
        history = self._history
        history.refuse_unknown(start, seconds, self.now)
        if port == "dc":
            return history.dc_wave(start, n, rate)
        if port == "dc_i":
            return history.dc_current(start, n, rate)
        if port == "pcs_aux":
            return history.aux_wave(start, n, rate)
        row = history.grid if port.startswith("grid") else history.house
        return history.ac(row, 1 if port.endswith("2") else 0, start, n, rate)

    # -- voltages and powers now

    def _share(self, leg: int) -> float:
        """Part of the EVPS's AC power on a leg: it works across both."""
        if self._formed.u[0] > 0.0 and self._stage.p_ac != 0.0:
            return -self._formed.p[leg] / self._stage.p_ac
        return 1.0 / self.params.legs if leg < self.params.legs else 0.0

    def _p_grid(self, leg: int) -> float:
        if not self._grid_live:
            return 0.0
        return self._house[leg] - self._shining[leg] + self._stage.p_ac * self._share(leg)

    def _u_house(self, leg: int) -> float:
        """V rms of the house bus."""
        if leg >= self.params.legs:
            return 0.0
        if self._grid_live:
            return loaded_voltage(self._mains.now.u[leg], self.params.mains_resistance, self._p_grid(leg))
        soft = SOFT_FACTOR if self._soft_until < math.inf else 1.0
        return self._formed.u[leg] * soft

    def _u_grid(self, leg: int) -> float:
        """V rms of the mains terminals: a closed PCS contact makes them one with the house."""
        if self._pcs.closed:
            return self._u_house(leg)
        return self._mains.now.u[leg] if self._mains.now.on and leg < self.params.legs else 0.0

    def _f_house(self) -> float:
        return self._mains.now.f if self._grid_live else self._history.house[-1].f

    def _u_connector(self) -> float:
        """V at the CHAdeMO connector."""
        if self._own.closed:
            return self._stage.u_node
        return self._supply.u_set if self._ev.closed and self._supply.on else 0.0

    # -- inside

    def _run(self, to: float) -> None:
        """Step to a time with nothing changing on the way: always from the last change, so a look in between leaves no
        trace, not even a rounding."""
        since, stage_then, book_then = self._mark
        stage, book, dt = self._stage, self._ledger, to - since
        if self.now > since:
            stage.back_to(stage_then)
            book.back_to(book_then)
        ac = book.ac
        stage.step(dt, book)
        p0, p1 = self._house
        book.house0 += p0 * dt
        book.house1 += p1 * dt
        if self._grid_live:
            sun = self._shining[0] + self._shining[1]
            book.sun += sun * dt
            book.mains += (p0 + p1 - sun) * dt + (book.ac - ac)
        self.now = to

    def _fire(self) -> None:
        """Whatever is due now: contacts move, the circuit is worked out anew, subscribers are told."""
        now, changes = self.now, list[Change]()
        if self._pcs.due <= now:
            self._pcs.move()
            self._history.add_aux(now, self._pcs.closed)
            changes.append(PcsMoved(self._pcs.closed))
        if self._ev.due <= now:
            self._stress(self._ev, "EV contactor")
            self._ev.move()
            changes.append(ContactorMoved(self._ev.closed))
        if self._own.due <= now:
            self._stress(self._own, "EVPS contactor")
            self._own.move()
        if self._soft_until <= now:
            self._soft_until = math.inf
        if self._fault_until <= now:
            self._fault_until, self._fault_current = math.inf, 0.0
            self._stage.tripped = True
        self._refresh()
        for change in changes:
            self._tell(change)

    def _stress(self, contact: Contact, name: str) -> None:
        """Incidents of a DC contact that is about to move."""
        stage = self._stage
        if contact.closed and not contact.coil:
            if stage.connected and abs(stage.i) > LOAD_CURRENT:
                self.incidents.append(Incident(self.now, f"{name} opened under load", stage.i))
            return
        other = self._own if contact is self._ev else self._ev
        step = self._supply.u_set - stage.u_node
        if other.closed and self._supply.on and abs(step) > INRUSH_STEP:
            self.incidents.append(Incident(self.now, f"{name} closed onto a voltage step", step))

    def _tell(self, change: Change) -> None:
        for call in tuple(self._told):
            call(self.now, change)

    def _refresh(self) -> None:
        """Work the circuit out anew after a change."""
        stage, params = self._stage, self.params
        was_alive = stage.alive
        if stage.command.mode is not StageMode.FORM:
            stage.tripped = False
        stage.look_at_link()
        lost = self._lose_control() if was_alive and not stage.alive else []
        self._own.drive(stage.command.contactor and stage.alive, self.now)
        self._ev.drive(self._ev_asked and self._wires["d1"] and self._wires["d2"], self.now)
        mains = self._mains.now
        self._grid_live = live = mains.on and self._pcs.closed and max(mains.u[: params.legs]) >= DEAF
        stage.connect(self._ev.closed and self._own.closed and self._supply.on, self._supply)
        self._watch_parallel(live)
        wanted = self._feed_house()
        u_ac = sum(mains.u[: params.legs])
        lives = live and min(mains.u[: params.legs]) >= params.stage.u_ac_min * params.u_nominal
        alone = Regime.OWN if params.stage.own_supply else Regime.LINK
        regime = Regime.GRID if lives else Regime.BATTERY if stage.connected else alone
        stage.settle(regime, u_ac, sum(self._formed.p), wanted, self._ledger)
        self._draw_dc()
        self._draw_house()
        self._draw_grid()
        self._mark = (self.now, stage.mark(), self._ledger.mark())
        self._plan()
        for change in lost:
            self._tell(change)

    def _lose_control(self) -> list[Change]:
        """The control has died: its 12 V goes, and with it d1 and d2."""
        lost: list[Change] = []
        dying: tuple[Wire, ...] = ("d2", "d1")
        for wire in dying:
            if self._wires[wire]:
                self._wires[wire] = False
                lost.append(WireChanged(wire, False))
        return lost

    def _feed_house(self) -> float:
        """Voltages and powers of the house bus. W it would take from a formed bus if the link were full."""
        legs, nominal, stage = self.params.legs, self.params.u_nominal, self._stage
        before, self._formed, self._shining = self._formed, DEAD, (0.0, 0.0)
        if self._grid_live:
            u = self._mains.now.u
            p = [leg_power(self._demand[leg], u[leg], nominal) if leg < legs else 0.0 for leg in (0, 1)]
            self._house = (p[0], p[1])
            self._shining = (self._sun[0], self._sun[1] if legs > 1 else 0.0)
            self._soft_until = math.inf
            return 0.0
        if stage.mode is not StageMode.FORM:
            self._house, self._soft_until = (0.0, 0.0), math.inf
            return 0.0
        self._formed = formed = form(self._demand, stage.available(), self._forming)
        self._house = formed.p
        self._soften(before, formed)
        return sum(form(self._demand, stage.promised(), self._forming).p)

    def _soften(self, before: Formed, after: Formed) -> None:
        """A bus that begins to be formed rises in a ramp."""
        if after.u[0] <= 0.0:
            self._soft_until = math.inf
        elif before.u[0] <= 0.0 and self.params.stage.soft_start > 0.0:
            self._soft_until = self.now + self.params.stage.soft_start

    def _watch_parallel(self, live: bool) -> None:
        """The stage forms and the mains is on the bus: two voltages in parallel, over the stage's filter."""
        stage, params = self._stage, self.params
        parallel = live and stage.mode is StageMode.FORM
        if parallel and not self._parallel:
            difference = self._phasor_difference()
            current = difference / (params.stage.form_impedance + params.mains_resistance)
            self.incidents.append(Incident(self.now, "forming onto live mains, A rms", current))
            if current > params.stage.i_form_max:
                self._fault_current, self._fault_until = current, self.now + params.stage.trip_time
        if not parallel:
            self._fault_current, self._fault_until = 0.0, math.inf
        self._parallel = parallel

    def _phasor_difference(self) -> float:
        """V rms between the mains and what the stage formed (or would form, in step, when the bus was dead)."""
        mains = self._mains.now
        last = self._history.house[-1]
        if self._formed.u[0] <= 0.0:
            return abs(mains.u[0] - self.params.u_nominal)
        angle = 2.0 * math.pi * (last.turns_at(self.now) - self._mains.turns(self.now))
        a, b = self._formed.u[0], mains.u[0]
        return math.sqrt(max(a * a + b * b - 2.0 * a * b * math.cos(angle), 0.0))

    def _plan(self) -> None:
        """When the next change comes by itself, rounded up to whole nanoseconds."""
        when = min(self._soft_until, self._fault_until, self._sync_until, self._stage.next_event(self.now))
        if when < math.inf:
            when = to_s(max(math.floor(when * NS_PER_S), to_ns(self.now)) + 1)
        when = min(when, self._pcs.due, self._ev.due, self._own.due)
        if when != self._next:
            self._next = when
            for call in self._scheduled:
                call(when)

    # -- what is kept for the waveforms

    def _draw_dc(self) -> None:
        """The DC voltage from now on, when it is not what the last segment goes on to be."""
        stage, now, last = self._stage, self.now, self._history.dc[-1]
        if self._own.closed:
            course = stage.course()
            new = DcSegment(now, stage.u_node, stage.i, course.u, course.i, course.tau, course.slope)
        else:
            u = self._u_connector()
            new = DcSegment(now, u, 0.0, u, 0.0)
        if not last.leads_to(new):
            self._history.add_dc(new)

    def _draw_house(self) -> None:
        """A segment of the house bus, when it is not what the last one says."""
        last = self._history.house[-1]
        now = self.now
        self._sync_until = math.inf
        if self._grid_live:
            u, mains = (self._u_house(0), self._u_house(1)), self._mains.now
            new = Segment(now, u, mains.f, self._mains.turns(now), third=mains.third)
        elif self._formed.u[0] > 0.0:
            new = self._draw_formed(last)
        else:
            new = self._draw_dead(last)
        if self._tells_more(last, new):
            self._history.add_house(new)
            if self._pcs.closed:
                self._draw_grid()

    def _draw_formed(self, last: Segment) -> Segment:
        """The stage's own wave: in step with the mains while that is there, else going on from what was."""
        now, u, soft = self.now, self._formed.u, self._soft_until < math.inf
        if soft and last.shape is Shape.RISE:
            return Segment(now, u, last.f, last.turns_at(now), Shape.RISE, last.span, last.past + now - last.at)
        fresh = last.shape is Shape.FALL or last.u[0] <= 0.0
        turns, f = self._steer(self._mains.turns(now) if fresh and self._mains.now.on else last.turns_at(now))
        return (
            Segment(now, u, f, turns, Shape.RISE, self.params.stage.soft_start) if soft else Segment(now, u, f, turns)
        )

    def _steer(self, turns: float) -> tuple[float, float]:
        """Phase (turns) and frequency (Hz) of a formed bus at this phase: drawn towards a good mains, then with it."""
        mains, params = self._mains.now, self.params
        rate, nominal = params.stage.sync_rate if self._stage.command.sync else 0.0, params.u_nominal
        good = mains.on and min(mains.u[: params.legs]) >= GOOD_VOLTAGE * nominal
        self._sync_until = math.inf
        if not good or rate <= 0.0 or abs(mains.f - params.f_nominal) > GOOD_FREQUENCY * params.f_nominal:
            return turns, params.f_nominal + params.stage.form_df
        goal = self._mains.turns(self.now)
        slip = (goal - turns + 0.5) % 1.0 - 0.5
        if abs(slip) <= IN_STEP:
            return goal, mains.f
        self._sync_until = self.now + abs(slip) / rate
        return turns, mains.f + math.copysign(rate, slip)

    def _draw_dead(self, last: Segment) -> Segment:
        if last.shape is Shape.FALL or last.u == (0.0, 0.0):
            return last
        scale = last.scale_at(self.now)
        u = (last.u[0] * scale, last.u[1] * scale)
        return Segment(self.now, u, last.f, last.turns_at(self.now), Shape.FALL, self.params.residual_tau)

    def _draw_grid(self) -> None:
        """A segment of the mains terminals."""
        row, mains, now = self._history.grid, self._mains.now, self.now
        if self._pcs.closed:
            bus = self._history.house[-1]
            past = 0.0 if bus.shape is Shape.STEADY else bus.past + now - bus.at
            new = Segment(now, bus.u, bus.f, bus.turns_at(now), bus.shape, bus.span, past, bus.third)
        elif mains.on:
            second = mains.u[1] if self.params.legs == 2 else 0.0
            new = Segment(now, (mains.u[0], second), mains.f, self._mains.turns(now), third=mains.third)
        else:
            new = Segment(now, (0.0, 0.0), mains.f, self._mains.turns(now))
        if self._tells_more(row[-1], new, 0.0 if self._pcs.closed else REDRAW):
            self._history.add_grid(new)

    def _tells_more(self, last: Segment, new: Segment, redraw: float = REDRAW) -> bool:
        """Whether a segment differs from what the last one would go on to be. redraw: fraction of nominal."""
        if new is last:
            return False
        if (new.shape, new.f, new.third) != (last.shape, last.f, last.third):
            return True
        if new.shape is not Shape.STEADY and abs(last.past + self.now - last.at - new.past) > SLACK:
            return True
        stray = max(abs(new.u[0] - last.u[0]), abs(new.u[1] - last.u[1]))
        slip = abs(new.turns_at(self.now) - last.turns_at(self.now))
        return stray > redraw * self.params.u_nominal or min(slip, 1.0 - slip) > 1e-7
