"""A bench's emulated parts served to other processes in real time: the world here, the rig somewhere else.

Theory
  One world on a real clock. The charger speaks on a real CAN bus; each emulated part gets a place of its own that the
  rig's bench file can name: a TCP port for a message instrument, a pseudo-terminal for a box with a serial line. The
  cable between car and charger (wires, contactors, DC power) is copper, not data: the box and the source at its end are
  therefore served by the process that has the charger, from the same world, and the rig that plays the car reaches them
  as it would reach real ones. So the rig's process knows nothing of the emulation, and no part of it is shared.

  A world whose grid simulator is not served has a wall socket instead: mains at the device's nominal values.

  It is left by way of a safe state: places closed first, so that nobody outside interferes, then charger stopped, box,
  source, mains and loads brought down by their own drivers, in the order of rig.safety.safe_state.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import pyvisa

from rig.bench_config import CONTACTS, PARTS, BenchConfig, PartConfig, PartName
from rig.can.hardware import HardwareBus
from rig.clock import RealClock
from rig.datagrams.serve import serve as serve_datagrams
from rig.datagrams.session import EmulatedDatagrams
from rig.drivers import Driver, Registry
from rig.errors import UnsafeState, UseError
from rig.lines.emulated import emulated_lines
from rig.lines.serve import serve as serve_lines
from rig.modbus.serve import serve as serve_modbus
from rig.modbus.session import EmulatedModbus
from rig.open_bench import emulated_device, plant_params
from rig.plant.plant import Plant
from rig.plant.ports import Mains
from rig.plant.world import World
from rig.profile import Profile
from rig.roles import Charger
from rig.safety.safe_state import SafeOutcome, SafeStep, bring_to_safe_state
from rig.visa.library import EmulatedVisaLibrary
from rig.visa.places import Places, Ports, Transport
from rig.visa.session import open_session
from rig.visa.streams import LOOPBACK

CABLE: tuple[PartName, ...] = ("charger", "vehicle", "battery")
"""The charger and what hangs on its cable."""
OUTPUTS: tuple[PartName, ...] = ("vehicle", "battery", "grid", "house_l1", "house_l2", "digital_io")
"""Parts with an output, in the order in which they are brought down after the charger (rig.safety.safe_state)."""
NO_CURRENT = 0.5
"""A at the connector that counts as none (project choice: a tenth of what contactors may open)."""
STOPS_WITHIN = 5.0
"""s for the charger to bring its current down (project choice: ten times the 0.5 s of chademo.md 2)."""


@dataclass(frozen=True, eq=False)
class Served:
    """What is served. places: the resource of each part, as a bench file names it. everywhere: all resources of each
    part. notes: what could not be offered, and what it takes, a line each."""

    config: BenchConfig
    clock: RealClock
    world: World
    places: Mapping[PartName, str]
    everywhere: Mapping[PartName, Sequence[str]]
    notes: Sequence[str]

    def wait(self, seconds: float) -> None:
        """Let it run. Raises what went wrong inside it meanwhile."""
        self.clock.sleep(seconds)


@contextmanager
def serve_bench(
    config: BenchConfig,
    registry: Registry,
    profile: Profile,
    *,
    seed: int = 0,
    cable_only: bool = False,
    ports: Ports | None = None,
    host: str = LOOPBACK,
    via: Transport = "socket",
    others: Mapping[str, Transport] | None = None,
    first: str = "",
) -> Iterator[Served]:
    """Serve the emulated parts of a bench for as long as the block runs. cable_only: just the charger and what hangs on
    its cable. ports: where they listen; None: the system chooses, and there is no port mapper. via: the transport under
    which `places` names a message instrument; others: of single ones, by part. first: the message instrument that
    stands first on a shared port."""
    parts = [config.parts[name] for name in PARTS if name in config.parts and config.parts[name].emulated]
    parts = [part for part in parts if part.name in CABLE or not cable_only]
    _refuse(config, parts, registry)
    others = others or {}
    known = [part.name for part in parts if registry[part.driver].transport == "visa"]
    for option, name in [*(("--via", one) for one in others), *([("--first", first)] if first else [])]:
        if name not in known:
            raise UseError(
                f"{config.file}: {option} {name}: no message instrument is served under this name; "
                f"name one of {', '.join(known)}"
            )
    parts.sort(key=lambda part: part.name != first)
    with ExitStack() as stack:
        serving = _Serving(config, registry, profile, seed, stack)
        served = serving.begin(parts, ports or Ports(), host, {**dict.fromkeys(known, via), **others})
        try:
            yield served
        finally:
            outcome = serving.end()
        if not outcome.confirmed:
            raise UnsafeState(f"bench {config.bench.name}: safe state UNCONFIRMED: {'; '.join(outcome.readings)}")


def _refuse(config: BenchConfig, parts: list[PartConfig], registry: Registry) -> None:
    """What cannot be served, in one line."""
    where = f"{config.file}: "
    for part in parts:
        if registry[part.driver].transport == "prompts":
            raise UseError(where + f"[{part.name}] driver: a person is no port to serve; choose another driver")
        if registry[part.driver].transport == "contacts" and not any(one.name == "digital_io" for one in parts):
            raise UseError(where + f"[{part.name}] driver: its contacts are the board's; serve the whole bench")
    if config.bench.clock != "real":
        raise UseError(
            where + '[bench] clock: others can only be served in real time; write clock = "real", and a real bus in '
            '[can], as interface = "udp_multicast"'
        )
    if not any(part.name == "charger" for part in parts):
        raise UseError(where + '[charger] resource: no emulated charger to serve; write resource = "emulated"')
    apart = [name for name in CABLE if not config.parts[name].emulated]
    if apart:
        raise UseError(
            where + f"[{apart[0]}] resource: it hangs on the emulated charger's cable, which is in its world; write "
            'resource = "emulated"'
        )


class _Serving:
    """One serving. stack: closes what was opened, last first."""

    def __init__(self, config: BenchConfig, registry: Registry, profile: Profile, seed: int, stack: ExitStack) -> None:
        self._config, self._registry, self._profile = config, registry, profile
        can = config.can
        self._clock = clock = RealClock()
        stack.callback(clock.close)
        bus = HardwareBus(clock, can.interface, can.channel, can.bitrate, can.options)
        stack.callback(bus.close)
        with clock.lock:
            self._world = World(clock, Plant(plant_params(profile)), seed, bus)
        stack.callback(self._world.close)
        self._places = stack.enter_context(ExitStack())
        self._devices: dict[PartName, tuple[PartConfig, Driver, Any]] = {}

    def begin(self, parts: list[PartConfig], ports: Ports, host: str, via: Mapping[str, Transport]) -> Served:
        """Emulate and serve. via: of each message instrument."""
        everywhere: dict[PartName, list[str]] = {}
        with self._clock.lock:
            if not any(part.name == "grid" for part in parts):
                ratings = self._profile.ratings
                self._world.plant.set_mains(
                    Mains(on=True, u=(ratings.leg_voltage, ratings.leg_voltage), f=ratings.frequency)
                )
            for part in parts:
                driver = self._registry[part.driver]
                self._devices[part.name] = part, driver, emulated_device(self._world, driver, part)
        places: dict[PartName, str] = {}
        for name, (_, driver, device) in self._devices.items():
            if driver.transport == "lines":
                places[name], close = serve_lines(device, self._clock)
                self._places.callback(close)
                everywhere[name] = [places[name]]
            elif driver.transport == "contacts":
                places[name], everywhere[name] = CONTACTS, [CONTACTS]
            elif driver.transport == "modbus":
                places[name], close = serve_modbus(device, self._clock)
                self._places.callback(close)
                everywhere[name] = [places[name]]
            elif driver.transport == "datagrams":
                places[name], close = serve_datagrams(device, self._clock, host)
                self._places.callback(close)
                everywhere[name] = [places[name]]
        messages = {name: device for name, (_, driver, device) in self._devices.items() if driver.transport == "visa"}
        served = Places(messages, self._clock, ports, host)
        self._places.callback(served.close)
        for name in messages:
            resources = served.resources[name]
            places[name], everywhere[name] = resources[via[name]], list(resources.values())
        ordered = {part.name: places[part.name] for part in parts}
        return Served(self._config, self._clock, self._world, ordered, everywhere, served.notes)

    def end(self) -> SafeOutcome:
        """Nobody outside any more, then everything to no energy."""
        self._places.close()
        with ExitStack() as stack:
            drivers = self._drivers(stack)
            steps = [SafeStep("charger", lambda: self._stop(drivers["charger"]))]
            steps += [SafeStep(name, drivers[name].make_safe) for name in OUTPUTS if name in drivers]
            return bring_to_safe_state(steps)

    def _stop(self, charger: Charger) -> None:
        """Press stop, and give it its time to bring the current down."""
        charger.stop()
        self._clock.wait_until(lambda: abs(self._world.plant.at("dc").i) <= NO_CURRENT, STOPS_WITHIN)

    def _drivers(self, stack: ExitStack) -> dict[str, Any]:
        """A driver on each part, in this process."""
        visa = {
            part.session_resource: dev for part, driver, dev in self._devices.values() if driver.transport == "visa"
        }
        manager = pyvisa.ResourceManager(EmulatedVisaLibrary(visa, self._clock))
        stack.callback(manager.close)
        found: dict[str, Any] = {}
        for name, (part, driver, device) in self._devices.items():
            resource = part.session_resource
            if driver.transport == "lines":
                session: Any = emulated_lines(device, resource, self._clock)
            elif driver.transport == "contacts":
                session = found["digital_io"]
            elif driver.transport == "modbus":
                session = EmulatedModbus(device, resource, self._clock)
            elif driver.transport == "datagrams":
                session = EmulatedDatagrams(device, resource, self._clock)
            else:
                session = open_session(resource, manager)
            options = driver.options.model_validate(part.options)
            found[name] = driver.open(session, options, self._clock)
            stack.callback(found[name].close)
        return found
