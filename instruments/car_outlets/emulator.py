"""An emulated plug-in hybrid with outlets, and the person at its dash.

Theory
  An inverter makes the outlets' voltage from the pack. The circuit knows one more source of AC beside the charger's
  stage: what stands at its mains terminals. The outlets stand there; the device has no mains side, so nobody else does.

  The pack is counted in joules: what the outlets give over the inverter's efficiency, and what the car itself takes.
  Below `ENGINE_STARTS` of its charge the engine starts its generator, which gives more than the outlets can take, until
  `ENGINE_STOPS`. An empty pack, or an overload that lasts, puts the outlets out.
"""

from __future__ import annotations

from dataclasses import replace

from instruments.car_outlets.commands import Options
from instruments.operator.commands import DONE
from rig.plant.ports import Mains
from rig.plant.world import World
from rig.prompts import Prompt

CAPACITY = 12.0 * 3.6e6
"""J (fixtures/vehicles/phev-12kwh.toml: 12 kWh)."""
ENGINE_STARTS = 0.20
"""Of charge (antaranews.com 977052: the maker's service manager says near 20 per cent)."""
ENGINE_STOPS = 0.30
"""Of charge; project choice."""
GENERATOR = 4000.0
"""W into the pack; project choice, above what the outlets can take."""
CRANKS = 2.0
"""s from the order to the generator's power; project choice."""
EFFICIENCY = 0.90
"""Of the inverter; project choice as EFF-001."""
ITSELF = 150.0
"""W the car takes while it is switched on; project choice (BAT-009: up to several hundred)."""
DROOP = 0.01
"""Of nominal voltage at rated power; project choice within +/-6 %."""
OVERLOAD = 1.05
"""Of rated power; beyond it for `BEARS` the outlets go out; project choice."""
BEARS = 5.0
"""s."""
COMES = 1.0
"""s from the switch to live outlets; project choice."""
DROPS = 3.0
"""s for which a car that is wrong loses its outlets when the engine starts."""
LOOK = 0.1
"""s between two looks at what is drawn; project choice."""
FINE = 0.02
"""V the outlets' voltage must move before it is set anew."""


class EmulatedCar:
    """The car and the person. `soc` and `engine` are for the rig's own tests."""

    def __init__(self, world: World, options: Options) -> None:
        self.seconds = options.delay
        self._world, self._options = world, options
        self.soc = options.soc
        self.engine = False
        self.fault = ""
        self.on = False
        self._live_from = self._cranked = self._over_since = float("inf")
        self._dark_until = 0.0
        self._u = 0.0
        stage = replace(world.plant.params.stage, p_control=0.0, p_idle=0.0)  # there is no charger: it takes nothing
        world.plant.fit_stage(stage)
        world.plant.command_pcs(True)
        world.clock.every(LOOK, self._look)

    # -- the person

    def answer(self, prompt: Prompt) -> str:
        match prompt.verb:
            case "display":
                return self._display()
            case "start":
                if self.fault:
                    return f"it shows {self.fault} and stays off"
                self.on, self._live_from = True, self._world.clock.now() + COMES
            case "stop" | "emergency stop":
                self._off()
            case "reset":
                self._off()
                self.fault = ""
            case _:
                return f"the car has nothing to set its {prompt.verb} with"
        return DONE[0]

    def _display(self) -> str:
        if self.fault:
            return f"fault {self.fault}"
        if not self._u:
            return "idle"
        return "engine backup" if self.engine else "outlets backup"

    # -- the car

    def _off(self) -> None:
        self.on = self.engine = False
        self._put(0.0)

    def _put(self, u: float) -> None:
        """V at the outlets."""
        if (u > 0.0) is (self._u > 0.0) and abs(u - self._u) < FINE:
            return
        self._u = u
        plant = self._world.plant
        legs = (u, u if plant.params.legs > 1 else 0.0)
        plant.set_mains(Mains(u > 0.0, legs, plant.params.f_nominal))

    def _look(self) -> None:
        now, plant = self._world.clock.now(), self._world.plant
        if not self.on:
            return
        drawn = plant.at("grid_l1").p if self._u else 0.0
        taken = drawn / EFFICIENCY + ITSELF - (GENERATOR if self.engine and now >= self._cranked else 0.0)
        self.soc = min(1.0, self.soc - taken * LOOK / CAPACITY)
        self._govern(now)
        if not self._bears(now, drawn):
            return
        lives = now >= self._live_from and now >= self._dark_until
        self._put(self._options.voltage * (1.0 - DROOP * drawn / self._options.power) if lives else 0.0)

    def _govern(self, now: float) -> None:
        """Engine on and off."""
        if self.engine:
            self.engine = self.soc < ENGINE_STOPS
        elif self.soc <= ENGINE_STARTS and self._options.wrong != "engine-never-starts":
            self.engine, self._cranked = True, now + CRANKS
            if self._options.wrong == "drops-at-engine-start":
                self._dark_until = now + DROPS

    def _bears(self, now: float, drawn: float) -> bool:
        """Whether the outlets stay on."""
        if drawn <= OVERLOAD * self._options.power:
            self._over_since = float("inf")
        else:
            self._over_since = min(self._over_since, now)
        cause = "empty" if self.soc <= 0.0 else "overload" if now - self._over_since >= BEARS else ""
        if cause:
            self.fault = cause
            self._off()
        return not cause


def build(world: World, options: Options) -> EmulatedCar:
    """The car and the person in a world."""
    return EmulatedCar(world, options)
