"""The car that lives on a bench: the vehicle machine on bus and wires, with a pack that a DC source imitates.

It is the rig's own on every bench, real or emulated; it knows roles, never makers.

Theory
  The vehicle machine is told frames from the bus, wires and the contactors' auxiliary contact from the vehicle
  interface, and the pack's state from here. What it answers goes to the bus, to k, and to the contactor command.

  Once per pack period the pack is updated (rig.car_pack) and told to the vehicle; every `FAST_PERIOD`, with the inlet
  voltage read as well, while contactors are about to move or the pack is being pulled: that is when a car must not act
  on old figures. Inside a clock event an exchange costs no bench time (rig.clock), so none of this shifts a frame.

  Between what the vehicle says and what comes out of it lie overlays (rig.chademo.vehicle_overlays), none as a rule: a
  misbehaving car is a good one with something laid over it.

  A charger that does not bring its current down within the time it has is choked: the source gives and takes next to
  nothing from then on, so that the contactors need not break a current. An error of an instrument in here is never
  swallowed: it comes out of the clock in the foreground.

Signs: current positive into the pack. Verbs take effect at the car's next frame.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from typing import Literal

from rig.can.bus import Bus
from rig.can.frame import Frame
from rig.car_pack import HOLD_RATE, ImitatedPack
from rig.chademo.events import ContactorMoved, PackState, VehicleOut, WireChanged
from rig.chademo.messages import PERIOD
from rig.chademo.vehicle import Vehicle
from rig.chademo.vehicle_overlays import Overlaid, lay
from rig.chademo.vehicle_state import EV_FRAMES, Fault, StopReason, VehiclePhase, Wishes
from rig.clock import Cancel, Clock
from rig.errors import InstrumentError, RigError, UnsafeState, UseError
from rig.machine import Runner, run_on
from rig.plant.battery import Pack
from rig.roles import DcReading, DcSource, SafeState, VehicleInterface
from rig.told import Told
from rig.vehicle_model import LEAF, VehicleModel

PACK_PERIOD = 1.0
"""s (project choice: the slow voltages of a pack move by less than 0.1 V in it)."""
FAST_PERIOD = 0.1
"""s, one cycle of the bus (chademo.md 0)."""
SAFE_WITHIN = 20.0
"""s for make_safe: stop 4 s, opening 1 s, weld test 10 s (vehicle profile), release, and what the polling adds."""
RELEASES_WITHIN = 3.0
"""s from the car's last word (102.5.3) until the charger has let go of d1, before the plug is pulled all the same: d2,
0.5 s, d1 (chademo.md 2 stop), a cycle to hear of it, and the lock (project choice)."""

P = VehiclePhase
FAST_PHASES = frozenset({P.CLOSING, P.STOPPING, P.OPENING, P.WELD_CHECK})
OVER_PHASES = frozenset({P.ASLEEP, P.WAKING})


class Car:
    """Plug it in, wish something, look at it. One car a bench."""

    def __init__(
        self,
        clock: Clock,
        bus: Bus,
        interface: VehicleInterface,
        source: DcSource,
        *,
        model: VehicleModel = LEAF,
        pack_period: float = PACK_PERIOD,
        told: Told | None = None,
    ) -> None:
        self._told = told or Told()
        self._clock, self._interface = clock, interface
        self.model = self._own = model
        """What it is now."""
        self.vehicle = Vehicle(model.profile)
        self._source = source
        self._battery = ImitatedPack(clock, source, model.pack)
        self._slow = max(1, round(pack_period / FAST_PERIOD))
        self._ticks = 0
        self._plugged = self._disturbed = False
        self._task: Cancel | None = None
        self._port = bus.attach("car", self._heard)
        self._overlays: tuple[Runner[VehicleOut, VehicleOut], ...] = ()
        self._misread: dict[str, bool] = {}
        self._misbehaves = False
        self._runner = run_on(clock, self.vehicle, self._emit)
        interface.subscribe(self._felt)

    # -- what it shows

    @property
    def phase(self) -> VehiclePhase:
        """Where in a session it is."""
        return self.vehicle.phase

    @property
    def stop_reason(self) -> StopReason:
        """Why the last session ended; StopReason.NONE while one runs."""
        return self.vehicle.stop_reason

    @property
    def soc(self) -> float:
        """State of charge of its pack, 0..1."""
        return self._battery.model.soc

    @property
    def pack(self) -> Pack:
        """The pack model now in the car."""
        return self._battery.model

    @property
    def reading(self) -> DcReading | None:
        """What was last read at the source's terminals."""
        return self._battery.reading

    @property
    def pulling(self) -> bool:
        """Its pack's voltage is still on the way to where it was pulled."""
        return self._battery.moving

    @property
    def plugged_in(self) -> bool:
        """The plug is in."""
        return self._plugged

    @property
    def disturbed(self) -> bool:
        """It was told to do what a good car does not, or was unplugged, since the plug went in: duties it breaks from
        then on are not its own fault."""
        return self._disturbed

    @property
    def in_session(self) -> bool:
        """Power may flow."""
        return self.phase is P.RUNNING

    @property
    def contactor_closed(self) -> bool:
        """The auxiliary contact, read now."""
        return self._interface.contactor_closed()

    def wait_for(self, phase: VehiclePhase, within: float) -> float:
        """s until the car is in a phase; inf when it never was."""
        return self._clock.wait_until(lambda: self.vehicle.phase is phase, within)

    # -- plug

    def plug_in(self, soc: float, temperature: float = 25.0) -> None:
        """Bring a rested pack of soc (0..1) and temperature (degC) and push the plug in. What would end a session at
        once (faults, shift, silence ...) is forgotten; currents, levels and delays wished before stay."""
        if self._plugged:
            raise UseError("car: it is plugged in already; unplug() first")
        if not 0 <= soc <= 1:
            raise UseError(f"car: soc={soc} must be a fraction 0..1 (50 % is 0.5)")
        if self._task is not None and math.isinf(self.wait_for(P.ASLEEP, SAFE_WITHIN)):
            raise UseError(f"car: still {self.phase.value} from the session before; make_safe() ends it")
        self._told.say("car: plug in", {"soc": "1", "temperature": "degC"}, soc=soc, temperature=temperature)
        self._end_task()
        self.vehicle.wishes = without_incidents(self.vehicle.wishes)
        self._battery.rest(soc, temperature)
        self._update()
        self._clock.at(self._clock.now(), self._look_at_wires)
        self._interface.set_wire("proximity", True)
        self._plugged, self._ticks = True, 0
        self._disturbed = self._misbehaves or disturbs(self.vehicle.wishes)
        self._task = self._clock.every(FAST_PERIOD, self._tick)

    def become(self, model: VehicleModel | None = None) -> None:
        """Be another model of car from the next plug on, with no wishes; None: the one the bench file names. Not while
        it is plugged in (UseError)."""
        model = model or self._own
        if self._plugged or self._task is not None:
            raise UseError(f"car: it cannot become {model.name} with its plug in; unplug it first")
        if model is self.model:
            return
        self._told.say(f"car: become {model.name}")
        self._runner.stop()
        self.model, self.vehicle = model, Vehicle(model.profile)
        self._battery = ImitatedPack(self._clock, self._source, model.pack)
        self._runner = run_on(self._clock, self.vehicle, self._emit)

    def unplug(self) -> None:
        """Pull the plug. In a session that is an emergency. The source goes off once the car is asleep. Idempotent."""
        self._told.say("car: unplug")
        self._plugged, self._disturbed = False, True
        self._interface.set_wire("proximity", False)
        if self._task is not None and self.phase is P.ASLEEP:
            self._leave()

    # -- wishes

    @property
    def wishes(self) -> Wishes:
        """All that can be wished; replace it whole."""
        return self.vehicle.wishes

    @wishes.setter
    def wishes(self, wishes: Wishes) -> None:
        self._told.say("car: " + differences(self.vehicle.wishes, wishes))
        self.vehicle.wishes = wishes
        self._disturbed = self._disturbed or disturbs(wishes)

    def set_charge_current(self, current: float) -> None:
        """current: A it asks for, 0 or more; the charger's offer (108.3) caps it."""
        self.wishes = replace(self.wishes, charge_current=current)

    def set_discharge_limit(self, current: float) -> None:
        """current: A it grants for discharge (200.0), 0 or more; reached at 20 A/s."""
        self.wishes = replace(self.wishes, discharge_limit=current)

    def set_levels(self, minimum: float | None = None, maximum: float | None = None) -> None:
        """Fractions 0..1: below minimum no discharge, above maximum no charge. None: as the car's profile."""
        self.wishes = replace(self.wishes, min_discharge_level=minimum, max_charge_level=maximum)

    def raise_fault(self, name: Fault, lone: bool = False) -> None:
        """Show a fault and end the session. lone: the bit alone; the charger must react to it by itself."""
        self.wishes = replace(self.wishes, faults=self.wishes.faults | {name}, lone_signal=lone)

    def clear_faults(self) -> None:
        """No fault is wished any more. Faults that ended a session stay latched until the car sleeps."""
        self.wishes = replace(self.wishes, faults=frozenset(), lone_signal=False)

    def shift(self, drive: bool, lone: bool = False) -> None:
        """Shift lever out of park (drive) or back."""
        self.wishes = replace(self.wishes, shifted=drive, lone_signal=lone)

    def withdraw_discharge(self) -> None:
        """102.5.7 to 0 for the rest of the session."""
        self.wishes = replace(self.wishes, discharge_withdrawn=True)

    def silence(self, *frames: int) -> None:
        """Stop sending these frames (ids), or all when none is named."""
        self.wishes = replace(
            self.wishes, silent=frozenset(frames or (*EV_FRAMES, *(one.id for one in self.vehicle.profile.frames)))
        )

    def speak(self) -> None:
        """Send all frames again."""
        self.wishes = replace(self.wishes, silent=frozenset())

    def release_k(self) -> None:
        """Let go of k alone; 102.5.0 stays. The charger must react within 2.5 s, else the car ends the session."""
        self.wishes = replace(self.wishes, k_released=True)

    def withdraw_enable(self) -> None:
        """102.5.0 to 0 alone; k stays. The charger must react within 2.5 s, else the car ends the session."""
        self.wishes = replace(self.wishes, enable_withdrawn=True)

    def misbehave(self, name: str, severity: float | None = None) -> None:
        """Lay a misbehaviour over the car (rig.chademo.vehicle_overlays, by name), over those that lie there already.
        severity: its figure, in its own unit. It lies there until behave(), or the end of make_safe()."""
        overlay = lay(name, severity)
        self._told.say(f"car: misbehave {name}" + ("" if severity is None else f" = {severity:g}"))
        self._misbehaves = self._disturbed = True
        self._clock.at(self._clock.now(), partial(self._lay, overlay))

    def misread(self, wire: Literal["d1", "d2"], on: bool) -> None:
        """What the car's own eye on a wire (opto-coupler f, g) tells it, whatever the wire does, until behave()."""
        self._told.say(f"car: misread {wire}", on=on)
        self._misbehaves = self._disturbed = True
        self._misread[wire] = on
        self._clock.at(self._clock.now(), lambda: self._runner.tell(WireChanged(wire, on)))

    def behave(self) -> None:
        """Take every misbehaviour off. Idempotent; what a wire is held at stays until the car drives it anew."""
        self._misread.clear()
        self._misbehaves = False
        overlays, self._overlays = self._overlays, ()
        for overlay in overlays:
            overlay.stop()

    def request_stop(self) -> None:
        """Press stop in the car: a normal end of this session. Asleep: nothing."""
        self._told.say("car: request stop")
        self.vehicle.press_stop()

    def hold_pack(self, voltage: float | None = None, rate: float = HOLD_RATE) -> None:
        """Pull the pack's voltage at no current to `voltage` (V) at `rate` (V/s) and hold it there, whatever the model
        says. None: back to the model at the same rate."""
        if voltage is None:
            self._told.say("car: let the pack go", {"rate": "V/s"}, rate=rate)
        else:
            self._told.say("car: pull the pack", {"voltage": "V", "rate": "V/s"}, voltage=voltage, rate=rate)
        self._battery.hold(voltage, rate)

    # -- end

    def make_safe(self) -> SafeState:
        """End any session: current down, contactors open at 5 A or less (or after the bound of the vehicle profile), k
        off, both read back; the plug is pulled when the charger has let go. Leaves the car unplugged; the source is
        still on. Bounded by SAFE_WITHIN; goes on through errors of others, and raises UnsafeState when the contactors
        cannot be confirmed open."""
        notes: list[str] = []
        self._end_task()
        self.vehicle.press_stop()
        self._clock.at(self._clock.now(), lambda: self._runner.tell(None))
        end = self._clock.now() + SAFE_WITHIN
        release = math.inf
        while self._clock.now() < min(end, release):
            self._try(notes, lambda: self._clock.sleep(FAST_PERIOD))
            if self.phase in OVER_PHASES:
                break
            if self.phase is P.ENDED:
                release = min(release, self._clock.now() + RELEASES_WITHIN)
            self._try(notes, self._update)
        self._try(notes, lambda: self._interface.set_wire("k", False))
        self._try(notes, lambda: self._interface.move_contactor(False))  # by now open, or past every bound
        self._plugged = False
        self._try(notes, lambda: self._interface.set_wire("proximity", False))
        self._try(notes, lambda: self._clock.sleep(FAST_PERIOD))
        self.behave()
        return self._confirm(notes)

    def close(self) -> None:
        """Leave the bus and stop. Changes no output. Idempotent."""
        self._end_task()
        self._runner.stop()
        self._port.close()

    # -- inside

    def _heard(self, at: float, frame: Frame) -> None:
        if not self.vehicle.repeats(at, frame):
            self._runner.tell(frame)

    def _felt(self, at: float, change: WireChanged | ContactorMoved) -> None:
        if isinstance(change, WireChanged) and change.wire in self._misread:
            return
        self._runner.tell(change)

    def _emit(self, out: VehicleOut) -> None:
        if self._overlays:
            self._overlays[0].tell(out)
        elif type(out) is Frame:
            self._port.cycle(out, PERIOD)
        else:
            self._drive(out)

    def _lay(self, overlay: Overlaid) -> None:
        """Nearest to the wire: what the overlays before it put out goes in."""
        runner = Runner(self._clock, overlay, partial(self._beyond, len(self._overlays) + 1))
        self._overlays = (*self._overlays, runner)
        runner.tell(None)

    def _beyond(self, place: int, out: VehicleOut) -> None:
        if place < len(self._overlays):
            self._overlays[place].tell(out)
        else:
            self._drive(out)

    def _drive(self, out: VehicleOut) -> None:
        if isinstance(out, Frame):
            if self._overlays:
                self._port.send(out)  # at times of its own
            else:
                self._port.cycle(out, PERIOD)
        elif isinstance(out, ContactorMoved):
            self._interface.move_contactor(out.closed)
        elif out.wire == "k":
            self._interface.set_wire("k", out.on)

    def _look_at_wires(self) -> None:
        """What was there before anybody listened."""
        for wire, on in self._interface.wires().items():
            if wire in ("d1", "d2"):
                self._runner.tell(WireChanged(wire, on))
        self._runner.tell(ContactorMoved(self._interface.contactor_closed()))

    def _tick(self) -> None:
        self._ticks += 1
        if self._ticks % self._slow == 0 or self.phase in FAST_PHASES or self._battery.moving:
            self._clock.aside("car", self._exchange, self._feel)
        if not self._plugged and self.phase is P.ASLEEP:
            self._clock.aside("car", self._leave, _nothing)

    def _update(self) -> None:
        """Pack to source, pack to vehicle."""
        self._feel(self._exchange())

    def _exchange(self) -> PackState:
        """Pack to source, and what there is to feel. The inlet is read when it matters; else it is not known (nan)."""
        self._battery.choked = self._must_choke()
        reading = self._battery.update()
        inlet = self._interface.inlet_voltage() if self.phase in FAST_PHASES else math.nan
        pack = self._battery.model
        return PackState(reading.voltage, reading.current, pack.soc, pack.temperature, inlet)

    def _feel(self, state: PackState) -> None:
        # By way of the clock, since this also runs in the foreground: one thread alone steps the machine.
        self._clock.at(self._clock.now(), lambda: self._runner.tell(state))

    def _must_choke(self) -> bool:
        """The charger had its time to bring the current down and has not; holds until the contactors are told."""
        vehicle, reading = self.vehicle, self._battery.reading
        if vehicle.phase is not P.STOPPING or reading is None:
            return False
        over = self._clock.now() - vehicle.trail[-1][0] >= vehicle.profile.stop_limit.value
        return self._battery.choked or (over and abs(reading.current) > vehicle.profile.safe_current.value)

    def _leave(self) -> None:
        self._end_task()
        self._battery.source.make_safe()

    def _end_task(self) -> None:
        if self._task is not None:
            self._task()
            self._task = None

    def _try(self, notes: list[str], call: Callable[[], None]) -> None:
        """make_safe goes on whatever fails; what failed is in its readings."""
        try:
            call()
        except RigError as error:
            notes.append(f"{type(error).__name__}: {error}")

    def _confirm(self, notes: list[str]) -> SafeState:
        try:
            closed, k = self._interface.contactor_closed(), self._interface.wires().get("k", False)
        except InstrumentError as error:
            raise UnsafeState(f"car: the vehicle interface does not answer, contactors unknown: {error}") from error
        if closed:
            raise UnsafeState(
                f"car: EV contactors still closed {SAFE_WITHIN:g} s after the stop; cut the source by hand"
            )
        readings = ["EV contactors open", f"k {'ON' if k else 'off'}", f"session: {self.stop_reason.value}"]
        if self.vehicle.opened_under_load:
            readings.append("the contactors were opened above 5 A after the bounded wait")
        return SafeState(not k, (*readings, *dict.fromkeys(notes)))


def _nothing(_: None) -> None:
    """What follows a work without an outcome."""


def without_incidents(wishes: Wishes) -> Wishes:
    """Currents, levels and delays as wished; nothing in it that would end a session."""
    return replace(
        wishes,
        faults=frozenset(),
        shifted=False,
        discharge_withdrawn=False,
        k_released=False,
        enable_withdrawn=False,
        lone_signal=False,
        silent=frozenset(),
    )


def disturbs(wishes: Wishes) -> bool:
    """Whether a car that does this may break a vehicle's duty: incidents, delays of its own steps, and a target above
    the highest voltage it states itself."""
    delays = (wishes.wake, wishes.permission, wishes.closing, wishes.request, wishes.ramp, wishes.protocol_number)
    target, most = wishes.target_voltage, wishes.max_battery_voltage
    beyond = target is not None and most is not None and target > most
    return beyond or wishes != without_incidents(wishes) or any(delay is not None for delay in delays)


def differences(before: Wishes, after: Wishes) -> str:
    """What changes between two wishes, in words: "discharge_limit = 10", "silent = 0x102"."""
    was = asdict(before)
    changed = [f"{name} = {_shown(new)}" for name, new in asdict(after).items() if new != was[name]]
    return ", ".join(changed) or "wishes as before"


def _shown(value: object) -> str:
    if isinstance(value, frozenset):
        return " ".join(sorted(hex(one) if isinstance(one, int) else str(one) for one in value)) or "none"
    return "as the car's profile" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
