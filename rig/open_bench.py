"""Open a bench: build what its file says from the bottom up, and bring it to its safe state when it is left.

Theory
  Clock, bus, the emulated world (where any part is emulated), a session a part, a driver a session, the car on top.
  Emulated parts sit behind the same pyvisa and line sessions as real ones, so from the driver up nobody can tell. The
  table of drivers is an argument: this file knows no maker, and is the only one that reads that table.

  Leaving the context brings the bench to its safe state, always, then closes the sessions. An unconfirmed safe state
  raises UnsafeState, unless a worse error is already under way.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pyvisa
from pydantic import BaseModel

from rig.bench import Bench
from rig.bench_config import CONTACTS, BenchConfig, PartConfig, PartName, read_bench
from rig.can.bus import Bus, VirtualBus
from rig.can.hardware import HardwareBus
from rig.car import Car
from rig.clock import Clock, Phase, RealClock, VirtualClock
from rig.corrected import corrected, correction_problems
from rig.datagrams.session import EmulatedDatagrams, UdpSession
from rig.drivers import Driver, Registry
from rig.errors import BenchConfigError, UnsafeState
from rig.house import House
from rig.lines.emulated import emulated_lines
from rig.lines.session import BAUD, open_lines
from rig.modbus.session import BAUD as MODBUS_BAUD
from rig.modbus.session import EmulatedModbus, SerialModbus
from rig.plant.params import PlantParams
from rig.plant.plant import Plant
from rig.plant.world import World
from rig.profile import Profile
from rig.prompts import CONSOLE, Desk, DeskPrompter, EmulatedPrompter, TerminalPrompter
from rig.replay.bench_file import BENCH, replay_bench
from rig.replay.record import FORMAT, Head, PartHead
from rig.replay.recorded import Recorder
from rig.replay.replayed import Replay
from rig.roles import DigitalIo, ElectronicLoad, Instrument
from rig.safety.begin import begin_guard
from rig.safety.estop import watch_chain
from rig.safety.guard import Guard
from rig.safety.lease import LOCAL, RENEWED_EVERY, Claim, Lease
from rig.safety.resources import real_resources, shared_estop
from rig.told import Told, ToldCharger, ToldGrid, ToldLoad
from rig.vehicle_model import LEAF, VehicleModel
from rig.visa.faults import Fault, FaultyDevice
from rig.visa.library import EmulatedVisaLibrary
from rig.visa.session import open_session


def read_bench_file(path: Path, registry: Registry) -> BenchConfig:
    """Read and check a bench file against the drivers there are. BenchConfigError names every problem."""
    config = read_bench(
        path, {name: d.options for name, d in registry.items()}, {name: d.role for name, d in registry.items()}
    )
    problems = [
        f"{path}: [{part.name}] resource: {part.driver!r} has no emulator; name the resource of the real one"
        for part in config.parts.values()
        if part.emulated and registry[part.driver].emulate is None
    ]
    problems += [
        f"{path}: [{part.name}] faults: {part.driver!r} is no message instrument; plant the fault in another part"
        for part in config.parts.values()
        if part.faults and registry[part.driver].transport != "visa"
    ]
    problems += [
        f"{path}: [{part.name}] {key}: only an emulated part can be told to be wrong; remove it"
        for part in config.parts.values()
        for key in ("misreads", "third_harmonic", "estop_opens", "wrong")
        if part.options.get(key) and not part.emulated
    ]
    for part in config.parts.values():
        driver = registry[part.driver]
        wrong = correction_problems(part, driver.role, driver.options.model_validate(part.options))
        problems += [f"{path}: [{part.name}] corrections: {words}" for words in wrong]
    problems += [
        f"{path}: [{part.name}] {words}"
        for part in config.parts.values()
        if registry[part.driver].transport == "contacts" and (words := _unwired(part, config.parts.get("digital_io")))
    ]
    if words := shared_estop(config, socket.gethostname()):
        problems.append(f"{path}: [safety] estop: {words}")
    if problems:
        raise BenchConfigError(problems)
    return config


def _unwired(part: PartConfig, board: PartConfig | None) -> str:
    """Why the contacts of the bench's board cannot serve this part; empty when they can."""
    if board is None:
        return f"driver: {part.driver!r} needs the relay contacts of a board; add [digital_io]"
    if not part.emulated and part.resource != CONTACTS:
        return f'resource: its contacts are those of [digital_io]; write resource = "{CONTACTS}"'
    if part.emulated != board.emulated:
        return "resource: the charger and the board at its buttons must both be emulated, or neither; mend one of them"
    return ""


@contextmanager
def open_bench(
    config: BenchConfig,
    registry: Registry,
    profile: Profile,
    seed: int = 0,
    today: date | None = None,
    car: VehicleModel = LEAF,
    purpose: str = "",
    drill: bool = False,
    record: Path | None = None,
    desk: Desk | None = None,
) -> Iterator[Bench]:
    """A bench for as long as the block runs. seed: of every noise on an emulated part. today: for calibration dates.
    car: the vehicle the rig plays, as read from what the bench file names. purpose: what others are told who want the
    bench meanwhile. drill: take it although it was left without a confirmed safe state. record: new folder in which
    every exchange is written down. desk: who is asked where the bench file says "console". BenchFault when another run
    has it, or its supervisor cannot watch it."""
    with ExitStack() as stack:
        bench = _Builder(config, registry, profile, seed, today, car, stack, purpose, drill, record, desk).build()
        try:
            yield bench
        except BaseException:
            bench.make_safe()
            raise
        outcome = bench.make_safe()
        if not outcome.confirmed:
            raise UnsafeState(f"bench {config.bench.name}: safe state UNCONFIRMED: {'; '.join(outcome.readings)}")


def plant_params(profile: Profile) -> PlantParams:
    """The emulated circuit of a device: its service and its plate."""
    ratings, usual = profile.ratings, PlantParams()
    stage = replace(
        usual.stage,
        own_supply=not profile.wired,
        i_dc_max=ratings.dc_current,
        u_dc_max=ratings.dc_voltage,
        i_ac_max=ratings.charge_ac_current,
        i_form_max=1.6 * ratings.ac_current,
    )
    return PlantParams(
        legs=profile.legs,
        u_nominal=ratings.leg_voltage,
        f_nominal=ratings.frequency,
        p_rated=ratings.power,
        stage=stage,
    )


def emulated_device(world: World, driver: Driver, part: PartConfig) -> Any:
    """The emulator of a part in a world, with the faults its table orders."""
    assert driver.emulate is not None  # read_bench_file has checked
    device = driver.emulate(world, driver.options.model_validate(part.options))
    if not part.faults:
        return device
    faulty = FaultyDevice(device)
    for one in part.faults:
        world.clock.at(one.at, partial(faulty.order, Fault(one.fault), one.times, one.when))
    return faulty


@dataclass
class _Builder:
    """One opening. stack: closes what was opened, last first."""

    config: BenchConfig
    registry: Registry
    profile: Profile
    seed: int
    today: date | None
    model: VehicleModel
    stack: ExitStack
    purpose: str
    drill: bool = False
    record: Path | None = None
    desk: Desk | None = None
    told: Told = field(default_factory=Told)

    def build(self) -> Bench:
        self.clock = self._clock()
        lease = self._lease()
        self.guard = begin_guard(self.config, self.registry, self.profile, self.clock, lease)
        if self.guard is not None:
            self.stack.push(partial(self._let_go, self.guard, lease))
        self.bus = self._bus()
        self.recorder, self.replay = self._recorder(), self._replay()
        self.world = self._world()
        self._connect()
        self.parts: dict[PartName, Any] = {}
        for name, part in self.config.parts.items():
            self.parts[name] = self._open(part)
        parts = self.parts
        grid, charger = parts.get("grid"), ToldCharger(parts["charger"], self.told)
        car = Car(
            self.clock,
            self.bus,
            parts["vehicle"],
            parts["battery"],
            model=self.model,
            pack_period=self.config.car.pack_period,
            told=self.told,
        )
        self.stack.callback(car.close)
        if self.guard is not None:
            self.guard.facts = lambda: {"soc": car.soc, "temperature": car.pack.temperature}
            self.guard.await_armed()
        return Bench(
            config=self.config,
            profile=self.profile,
            seed=self.seed,
            clock=self.clock,
            bus=self.bus,
            told=self.told,
            car=car,
            vehicle=parts["vehicle"],
            battery=parts["battery"],
            charger=charger,
            house=self._house(parts),
            grid=None if grid is None else ToldGrid(grid, self.told),
            analyzer=parts.get("analyzer"),
            digitizer=parts.get("digitizer"),
            digitizer2=parts.get("digitizer2"),
            thermometer=parts.get("thermometer"),
            digital_io=self._digital_io(parts),
            instruments=parts,
            drivers={name: self.registry[part.driver] for name, part in self.config.parts.items()},
            options={name: self._options(part) for name, part in self.config.parts.items()},
            expired=self._expired(),
            world=self.world,
            lease=lease,
            guard=self.guard,
            recorder=self.recorder,
            replay=self.replay,
        )

    def _recorder(self) -> Recorder | None:
        if self.record is None:
            return None
        parts = {
            str(name): PartHead(part.driver, part.session_resource, self.registry[part.driver].transport)
            for name, part in self.config.parts.items()
        }
        head = Head(FORMAT, self.config.bench.name, self.profile.name, self.seed, self.purpose, parts)
        recorder = Recorder(self.record, head, self.clock)
        (self.record / BENCH).write_text(replay_bench(self.config, self.profile.name), encoding="utf-8")
        self.stack.callback(recorder.close)
        return recorder

    def _replay(self) -> Replay | None:
        if not self.config.bench.replay:
            return None
        replay = Replay(Path(self.config.bench.replay), self.clock)
        replay.speak(self.bus, self.config.can.bitrate)
        return replay

    def _lease(self) -> Lease | None:
        """The bench for ourselves, before anything of it is opened; given back when all of it is closed."""
        resources = real_resources(self.config, socket.gethostname())
        if not resources:
            return None
        folder, claim = Path(self.config.bench.lease or LOCAL), Claim.of_this_process(self.purpose)
        lease = Lease(folder, claim, drill=self.drill).take(resources)
        self.stack.callback(lease.give_back)
        clock = self.clock

        def renew() -> None:
            clock.aside("lease", lease.renew, lambda _: None)

        self.stack.callback(clock.every(RENEWED_EVERY, renew, Phase.OBSERVE))
        return lease

    def _let_go(self, guard: Guard, lease: Lease | None, kind: type[BaseException] | None, *_: object) -> None:
        """Every session is closed: let the supervisor look. UnsafeState when it finds the bench otherwise than safe,
        unless a worse error is already under way."""
        ended = guard.rest()
        if ended is None or ended.confirmed:
            return
        if lease is not None:
            lease.mark_unsafe()
        if kind is None:
            words = "; ".join(ended.readings)
            raise UnsafeState(f"bench {self.config.bench.name}: its supervisor finds it UNCONFIRMED: {words}")

    def _clock(self) -> Clock:
        if self.config.bench.clock == "virtual":
            return VirtualClock()
        clock = RealClock()
        self.stack.callback(clock.close)
        return clock

    def _bus(self) -> Bus:
        can, clock = self.config.can, self.clock
        bus: Bus
        if isinstance(clock, VirtualClock):
            bus = VirtualBus(clock, can.bitrate)
        else:
            assert isinstance(clock, RealClock)
            bus = HardwareBus(clock, can.interface, can.channel, can.bitrate, can.options)
        self.stack.callback(bus.close)
        return bus

    def _world(self) -> World | None:
        bus = self.bus if self.recorder is None else self.recorder.bus(self.bus)
        if self.replay is not None or not any(part.emulated for part in self.config.parts.values()):
            return None
        world = World(self.clock, Plant(plant_params(self.profile)), self.seed, bus)
        self.stack.callback(world.close)
        return world

    def _connect(self) -> None:
        """Emulated devices by resource, and a resource manager for each of the two kinds."""
        self.devices = {
            part.session_resource: self._emulate(part)
            for part in self.config.parts.values()
            if part.emulated and self.replay is None
        }
        visa = {name: device for name, (driver, device) in self.devices.items() if driver.transport == "visa"}
        self.emulated = pyvisa.ResourceManager(EmulatedVisaLibrary(visa, self.clock))
        self.stack.callback(self.emulated.close)
        self.real: pyvisa.ResourceManager | None = None

    def _emulate(self, part: PartConfig) -> tuple[Driver, Any]:
        driver = self.registry[part.driver]
        assert self.world is not None
        return driver, emulated_device(self.world, driver, part)

    def _options(self, part: PartConfig) -> BaseModel:
        return self.registry[part.driver].options.model_validate(part.options)

    def _open(self, part: PartConfig) -> Any:
        driver, options = self.registry[part.driver], self._options(part)
        session = self._session(part, driver, options)
        if self.recorder is not None and driver.transport != "contacts":
            session = self.recorder.session(part.name, driver.transport, session)
        instrument: Instrument = driver.open(session, options, self.clock)
        self.stack.callback(instrument.close)
        return corrected(instrument, part, driver.role, options)

    def _session(self, part: PartConfig, driver: Driver, options: BaseModel) -> Any:
        name = part.session_resource
        if driver.transport == "contacts":
            return self.parts["digital_io"]  # read_bench_file has checked; it comes before in PARTS
        if self.replay is not None:
            return self.replay.session(part.name, driver.transport)
        if driver.transport == "lines":
            baud = BAUD if driver.baud is None else driver.baud(options)
            if part.emulated:
                return emulated_lines(self.devices[name][1], name, self.clock, baud)
            return open_lines(part.resource, self.clock, baud)
        if driver.transport == "prompts":
            if part.emulated:
                return EmulatedPrompter(self.devices[name][1], name, self.clock)
            if part.resource == CONSOLE:
                return DeskPrompter(self.desk, part.resource, self.clock)
            return TerminalPrompter(part.resource, self.clock)
        if driver.transport == "datagrams":
            if part.emulated:
                return EmulatedDatagrams(self.devices[name][1], name, self.clock)
            return UdpSession(part.resource, self.clock, driver.port)
        if driver.transport == "modbus":
            baud = MODBUS_BAUD if driver.baud is None else driver.baud(options)
            if part.emulated:
                return EmulatedModbus(self.devices[name][1], name, self.clock, baud)
            return SerialModbus(part.resource, self.clock, baud)
        if part.emulated:
            return open_session(name, self.emulated)
        return open_session(part.resource, self._real_manager(), driver.serial)

    def _real_manager(self) -> pyvisa.ResourceManager:
        if self.real is None:
            from rig.visa.backend import real_manager  # a bench of emulators does without its import

            self.real = real_manager()
            self.stack.callback(self.real.close)
        return self.real

    def _digital_io(self, parts: Mapping[PartName, Any]) -> DigitalIo | None:
        """The board, and an eye on the E-stop chain where an input follows it."""
        board: DigitalIo | None = parts.get("digital_io")
        if board is not None:
            self.stack.callback(watch_chain(self.clock, board))
        return board

    def _house(self, parts: Mapping[PartName, Any]) -> House | None:
        names: tuple[PartName, ...] = ("house_l1", "house_l2")
        legs: list[ElectronicLoad] = [
            ToldLoad(parts[name], f"house {name[-2:]}", self.told) for name in names if name in parts
        ]
        if legs and len(legs) != self.profile.legs:
            where, device = f"{self.config.file}: [house_l1], [house_l2]", f"{self.profile.name} of {self.profile.legs}"
            mend = "give each leg one load, or none, or choose another profile"
            raise BenchConfigError([f"{where}: {len(legs)} load(s) for the device {device} leg(s); {mend}"])
        return House(legs) if legs else None

    def _expired(self) -> Mapping[PartName, date]:
        today = self.today
        return {
            name: part.calibrated_until
            for name, part in self.config.parts.items()
            if not part.emulated
            and today is not None
            and part.calibrated_until is not None
            and part.calibrated_until < today
        }
