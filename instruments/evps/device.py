"""The emulated charger in its world: controller and PCS on the clock, with their sensors and the bus.

With emulator.py the only file of the charger that knows clock, plant and bus. Every message between the two machines,
and from the plant to them, goes by way of the clock, so that each is told after the one before has finished. A wake of
the controller brings a fresh reading of the stage's sensors; a wake of the PCS, while it compares, the waves on both
sides of its open contact.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from instruments.evps.behaviour import Behaviour
from instruments.evps.commands import NONE, Options
from instruments.evps.controller import Controller
from instruments.evps.defects import plant as planted
from instruments.evps.events import (
    Ability,
    ControllerIn,
    ControllerOut,
    Display,
    InsulationReading,
    MainsSeen,
    MeasureInsulation,
    Offset,
    PcsCoil,
    PcsIn,
    PcsOut,
)
from instruments.evps.grid_codes import CODES, fast_deviation, usual_code
from instruments.evps.occasions import Moods
from instruments.evps.pcs import Pcs
from instruments.evps.stops import Phase
from rig.can.frame import Frame
from rig.chademo.events import WireChanged
from rig.errors import UseError
from rig.machine import Step, run_on
from rig.plant.ports import MainsChanged, PcsMoved, StageCommand, StageReading, WavePort
from rig.plant.world import World

WAKES_AFTER = (0.2, 1.0)
"""s after a change of the mains, or from the opening of a portable station on, at which its control looks whether it
has power (its link fills in 0.1 s)."""
COMPARE_RATE = 10_000.0
"""S/s of the comparison of two waves (project choice)."""


@dataclass(frozen=True, slots=True)
class Sensing:
    """The controller with its sensors: a wake carries a reading."""

    world: World
    controller: Controller
    moods: Moods | None

    def step(self, now: float, event: ControllerIn | None) -> Step[ControllerOut]:
        """See Machine.step."""
        if self.moods is not None:
            self.moods.look(now, event)
        return self.controller.step(now, self.reading() if event is None else event)

    def reading(self) -> StageReading:
        """Of its sensors; the meter is looked at where something follows from it."""
        plant, controller = self.world.plant, self.controller
        reading = plant.stage()
        if not controller.manages:
            return reading
        legs = (plant.at("grid_l1"), plant.at("grid_l2"))
        return reading._replace(p_mains=sum(leg.p for leg in legs), f_mains=legs[0].f)


@dataclass(frozen=True, slots=True)
class Comparing:
    """The PCS with its eyes on both sides of its contact."""

    world: World
    pcs: Pcs
    behaviour: Behaviour
    moods: Moods | None

    def step(self, now: float, event: PcsIn | None) -> Step[PcsOut]:
        """See Machine.step."""
        if self.moods is not None:
            self.moods.look(now, event)
        return self.pcs.step(now, self._offset(now) if event is None and self.pcs.comparing else event)

    def _offset(self, now: float) -> Offset:
        plant, b = self.world.plant, self.behaviour
        mains, house = plant.at("grid_l1"), plant.at("house_l1")
        ours, theirs = (self._phasor(port, now, mains.f or b.f_nominal) for port in ("house_l1", "grid_l1"))
        angle = math.degrees(cmath.phase(theirs * ours.conjugate()))
        return Offset(mains.f - house.f, (abs(theirs) - abs(ours)) / b.u_nominal, angle)

    def _phasor(self, port: WavePort, now: float, f: float) -> complex:
        """V rms with its phase, of the last cycle."""
        start = now - 1.0 / f
        wave = self.world.plant.waves(port, start, 1.0 / f, COMPARE_RATE)
        turns = np.arange(len(wave)) / COMPARE_RATE * f
        return complex(np.mean(wave * np.exp(-2j * np.pi * turns)) * math.sqrt(2.0))


class EmulatedEvps:
    """The charger in its world. Its inner truth is for the rig's own tests."""

    def __init__(self, world: World, options: Options, say: Callable[[str], None]) -> None:
        if world.bus is None:
            raise UseError(
                'evps: an emulated charger needs the CHAdeMO bus; add [can] driver = "emulated" to the bench'
            )
        self._world, self._say = world, say
        good, always = behaviour_of(world, options), [one for one in options.defects if not one.when]
        self.behaviour = b = planted(good, always)
        self.controller, self.pcs = Controller(b), Pcs(b)
        moods = self._moods(good, options) if len(always) < len(options.defects) else None
        fit_stage(world, b)
        self._shown = Display(Phase.OFF.value, "", False)
        self._bus = world.bus.attach("evps", self._heard)
        world.plant.command_pcs(b.mains)
        self._sensing = Sensing(world, self.controller, moods)
        self._control = run_on(world.clock, self._sensing, self._act)
        self._transfer = run_on(world.clock, Comparing(world, self.pcs, b, moods), self._move)
        world.plant.subscribe(self._changed)
        for wire in ("proximity", "k"):
            if world.plant.wire(wire):
                self._control.tell(WireChanged(wire, True))
        mains = world.plant.at("grid_l1")
        if mains.f:
            legs = (mains.u, world.plant.at("grid_l2").u)
            self._transfer.tell(MainsSeen(legs, mains.f, 0.0))
        if not b.mains:
            for after in WAKES_AFTER:
                self._soon(self._wake, after)

    def _moods(self, good: Behaviour, options: Options) -> Moods:
        """What gives it its behaviour of the moment, where a defect shows on occasion only."""
        defects = options.defects

        def behave(shown: tuple[bool, ...]) -> Behaviour:
            return planted(good, [one for one, now in zip(defects, shown, strict=True) if now])

        return Moods(self.controller, self.pcs, [one.when for one in defects], behave)

    def press(self, event: ControllerIn) -> None:
        """A button, by way of a fresh reading."""
        self.read()
        self._control.tell(event)

    def switch(self, event: PcsIn) -> None:
        """A switch of the PCS."""
        self._transfer.tell(event)

    def read(self) -> None:
        """Let the controller look at its sensors."""
        self._control.tell(self._sensing.reading())

    # -- the world speaks

    def _heard(self, at: float, frame: Frame) -> None:
        if not self.controller.repeats(at, frame):
            self._control.tell(frame)

    def _soon(self, call: Callable[[], None], after: float = 0.0) -> None:
        self._world.clock.at(self._world.clock.now() + after, call)

    def _changed(self, at: float, change: object) -> None:
        if isinstance(change, MainsChanged):
            seen = self._seen(change)
            self._soon(lambda: self._transfer.tell(seen))
            for after in WAKES_AFTER:
                self._soon(self._wake, after)
        elif isinstance(change, PcsMoved):
            self._soon(lambda: self._transfer.tell(change))
        elif isinstance(change, WireChanged):
            if change.wire in ("k", "proximity"):
                self._soon(lambda: self.press(change))
            elif not change.on:
                self._soon(self.read)  # its own control may have died

    def _seen(self, change: MainsChanged) -> MainsSeen:
        mains = change.mains
        decay = 0.0 if mains.on else self._world.plant.params.residual_tau
        return MainsSeen(mains.u if mains.on else (0.0, 0.0), mains.f, change.angle, decay)

    def _wake(self) -> None:
        if self.controller.phase in (Phase.OFF, Phase.IDLE):
            self.read()

    # -- the machines speak

    def _act(self, out: ControllerOut) -> None:
        if isinstance(out, Frame):
            self._bus.send(out)
            return
        plant = self._world.plant
        match out:
            case StageCommand():
                plant.command_stage(out)
            case WireChanged():
                plant.set_wire(out.wire, out.on)
            case MeasureInsulation():
                self._soon(lambda: self._control.tell(InsulationReading(plant.insulation)))
            case Display():
                self._show(out)
            case Ability():
                self._soon(lambda: self._transfer.tell(out))

    def _move(self, out: PcsOut) -> None:
        if isinstance(out, PcsCoil):
            self._world.plant.command_pcs(out.closed)
        else:
            self._soon(lambda: self.press(out))

    def _show(self, display: Display) -> None:
        """Event lines of what is new on the display."""
        before, self._shown = self._shown, display
        if display.phase != before.phase:
            self._say(f"phase {display.phase}")
        if display.fault != before.fault:
            self._say(f"fault {display.fault or NONE}")
        if display.backup != before.backup:
            self._say(f"backup {display.backup:d}")


def fit_stage(world: World, b: Behaviour) -> None:
    """The circuit's power stage as this charger's: what the behaviour says of it, else the usual."""
    usual = world.plant.params.stage
    stage = replace(
        usual,
        droop=usual.droop if b.droop is None else b.droop,
        soft_start=usual.soft_start if b.soft_start is None else b.soft_start,
        weak_leg=b.weak_leg,
        form_level=b.form_level,
        form_df=b.form_df,
        p_idle=usual.p_idle + b.extra_loss + b.part_loss,
        loss_linear=usual.loss_linear - b.part_loss / b.power,
    )
    if stage != usual:
        world.plant.fit_stage(stage)


def behaviour_of(world: World, options: Options) -> Behaviour:
    """A good charger with these ratings, built for this circuit."""
    params = world.plant.params
    code = CODES[options.grid_code or usual_code(params.u_nominal, params.f_nominal)]
    return Behaviour(
        power=options.power,
        dc_current=options.dc_current,
        dc_voltage=options.dc_voltage,
        dc_voltage_min=options.minimum_voltage,
        retransfer_delay=options.retransfer_delay,
        mains=options.mains,
        transfers=options.transfers,
        supports=options.supports,
        grid_code=code,
        loss_deviation=fast_deviation(code),
        u_nominal=params.u_nominal,
        f_nominal=params.f_nominal,
        legs=params.legs,
        current_lag=params.stage.current_lag,
        contact_operate=params.pcs_operate,
    )
