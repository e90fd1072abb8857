"""A bench, opened: roles on one clock, ready for a suite. It is made by rig.open_bench.

A bench has three ways to come to rest
  stand_by   between two tests: session ended, loads open, battery off; the mains stays
  make_safe  everything to no energy, in the declared order (rig.safety.safe_state)
  prepare    before a test: mains on, charger acknowledged and in its default modes, house live, no car

`world` is the emulated truth. It is for the rig's own tests; suites get roles only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pydantic import BaseModel

from rig.bench_config import BenchConfig, PartName
from rig.can.bus import Bus
from rig.car import Car
from rig.chademo.vehicle_state import Wishes
from rig.clock import Clock
from rig.drivers import Driver
from rig.errors import BenchFault, OutOfCalibration
from rig.house import House
from rig.plant.world import World
from rig.profile import Profile
from rig.replay.recorded import Recorder
from rig.replay.replayed import Replay
from rig.roles import (
    Charger,
    DcSource,
    DigitalIo,
    Digitizer,
    GridSimulator,
    Identity,
    Instrument,
    PowerAnalyzer,
    Thermometer,
    VehicleInterface,
)
from rig.safety.estop import refuse_open_chain
from rig.safety.guard import Guard
from rig.safety.lease import Lease
from rig.safety.safe_state import SafeOutcome, SafeStep, bring_to_safe_state
from rig.told import Told

LIVE = 0.85
"""Fraction of nominal at which the house counts as live (the AC input window, standards.md PWR-005 [NICH])."""
SETTLES_WITHIN = 10.0
"""s beyond the charger's own re-transfer delay for the house to be live (project choice)."""
STOPS_WITHIN = 5.0
"""s for a charger's own stop before the car ends the session (project choice: ten times the 0.5 s of chademo.md 2)."""
RETURNS = 1.02, 1.0
"""Times the declared delay, and s more, after which a charger is back beside a good mains (project choice)."""
POLL = 0.1
"""s between two looks (project choice: one cycle)."""


@dataclass(frozen=True, eq=False)
class Bench:
    """What a suite may touch, by role; None where the bench has none."""

    config: BenchConfig
    profile: Profile
    seed: int
    clock: Clock
    bus: Bus
    told: Told
    car: Car
    vehicle: VehicleInterface
    battery: DcSource
    charger: Charger
    house: House | None
    grid: GridSimulator | None
    analyzer: PowerAnalyzer | None
    digitizer: Digitizer | None
    digitizer2: Digitizer | None
    thermometer: Thermometer | None
    digital_io: DigitalIo | None
    instruments: Mapping[PartName, Instrument]
    drivers: Mapping[PartName, Driver]
    options: Mapping[PartName, BaseModel]
    """Of each part, as its driver read them."""
    expired: Mapping[PartName, date]
    """Parts past their calibration, with the day it ended."""
    world: World | None
    lease: Lease | None = None
    """Of a bench with a real part."""
    guard: Guard | None = None
    """Of a bench in real time with a real output."""
    recorder: Recorder | None = None
    """Of a bench whose exchanges are written down."""
    replay: Replay | None = None
    """Of a bench that answers from a record."""

    def missing(self, needs: Sequence[str]) -> str:
        """Why this bench or device cannot serve all of needs; empty when it can.

        "grid", "house", "digitizer" (either of two), "analyzer"; "digitizer:dc_i", "digitizer:dc,dc_i" (one that is
        wired to all of these); or a capability of the profile. "outage": a mains that can be taken away, or a device
        that has none. "no_mains": such a device.
        """
        any_digitizer = next(iter(self.digitizers.values()), None)
        parts = {"grid": self.grid, "house": self.house, "digitizer": any_digitizer, "analyzer": self.analyzer}
        for need in needs:
            if need == "outage":
                need = "grid" if self.profile.wired else "house"
            if need == "no_mains":
                if self.profile.wired:
                    return f"the device {self.profile.name} has a mains side, beside which this is judged"
                continue
            part, _, wanted = need.partition(":")
            if part == "digitizer" and wanted:
                if self.records(*wanted.split(",")) is None:
                    ports = wanted.replace(",", " and ")
                    return f"the bench {self.config.bench.name} has no digitizer wired to {ports}"
            elif need in parts:
                if parts[need] is None:
                    return f"the bench {self.config.bench.name} has no {need}"
            elif need not in self.profile.capabilities:
                return f"the device {self.profile.name} has no {need}"
        return ""

    @property
    def digitizers(self) -> Mapping[PartName, Digitizer]:
        """Those the bench has."""
        both: dict[PartName, Digitizer | None] = {"digitizer": self.digitizer, "digitizer2": self.digitizer2}
        return {name: one for name, one in both.items() if one is not None}

    def records(self, *channels: str) -> Digitizer | None:
        """The first digitizer that is wired to all of these, None for none."""
        return next((one for one in self.digitizers.values() if set(channels) <= set(one.ports)), None)

    def check_calibration(self) -> None:
        """OutOfCalibration when an instrument is past its date, unless the bench file allows it by name."""
        allowed = self.config.bench.overdue_allowed
        late = {name: day for name, day in self.expired.items() if name not in allowed}
        if self.config.bench.check_calibration and late:
            named = ", ".join(f"[{name}] since {day.isoformat()}" for name, day in late.items())
            raise OutOfCalibration(
                f"{self.config.file}: out of calibration: {named}; have it calibrated and mend calibrated_until, or "
                f"name it in [bench] overdue_allowed"
            )

    def identities(self) -> Mapping[PartName, Identity]:
        """Who answers in each place."""
        return {name: part.identity() for name, part in self.instruments.items()}

    @property
    def device_fault(self) -> str:
        """Why the emulator in the device's place has failed; empty while it has not, and where the device is real."""
        return "" if self.world is None else self.world.device_fault

    def prepare(self) -> None:
        """A known state before a test: mains on, charger acknowledged and in its default modes, house live, no car.
        BenchFault when the house does not come up, another run may have the bench, or its supervisor stops it."""
        if self.lease is not None:
            self.lease.check()
        if self.guard is not None:
            self.guard.check()
        if self.digital_io is not None:
            refuse_open_chain(self.digital_io)
        ratings = self.profile.ratings
        if self.house is not None:
            self.house.draw(0.0)
        if self.grid is not None:
            self.grid.supply(ratings.leg_voltage, ratings.frequency)
        if self.charger.state().fault:
            self.charger.reset()
        if "chademo" in self.profile.capabilities:
            self.charger.set_transfer("manual_transfer" not in self.profile.capabilities)
            self.charger.set_reserve(0.0)
            self.charger.set_power(ratings.power)
        if "meter" in self.profile.capabilities:
            self.charger.keep_meter(None, None)
        self.car.become()
        self.car.wishes = Wishes()
        if self.analyzer is not None:
            # Once in the foreground, so that readings taken in the background know when its updates end.
            self.analyzer.read((self.analyzer.ports[0], "u"))
        self._wait_for_house()
        self._wait_for_return()

    def stand_by(self) -> SafeOutcome:
        """End the session, battery and loads off; the mains stays on."""
        return self._at_rest() or bring_to_safe_state([*self._session_steps(), *self._load_steps()])

    def make_safe(self) -> SafeOutcome:
        """Everything to no energy, in the declared order."""
        mains = [] if self.grid is None else [SafeStep("mains", self.grid.make_safe)]
        return self._at_rest() or bring_to_safe_state([*self._session_steps(), *mains, *self._load_steps()])

    def _at_rest(self) -> SafeOutcome | None:
        """A record that has ended answers nothing more, and holds no energy."""
        if self.replay is None or not self.replay.diverged:
            return None
        return SafeOutcome(True, (f"nothing is energised, {self.replay.diverged}",))

    def _session_steps(self) -> list[SafeStep]:
        return [
            SafeStep("charger", self._stop_charger),
            SafeStep("car", self.car.make_safe),
            SafeStep("vehicle interface", self.vehicle.make_safe),
            SafeStep("battery source", self.battery.make_safe),
            *([] if self.digital_io is None else [SafeStep("digital I/O", self.digital_io.make_safe)]),
        ]

    def _load_steps(self) -> list[SafeStep]:
        legs = () if self.house is None else self.house.legs
        return [SafeStep(f"house leg {n}", leg.make_safe) for n, leg in enumerate(legs, 1)]

    def _stop_charger(self) -> None:
        """Press stop, and give the charger its time to bring the current down."""
        self.charger.stop()
        if self.car.in_session:
            self.clock.wait_until(lambda: not self.car.in_session, STOPS_WITHIN)

    def _wait_for_house(self) -> None:
        moved = {"transfer", "manual_transfer"} & set(self.profile.capabilities)
        if self.house is None or self.grid is None or not moved:
            return
        within = (self.profile.figure("retransfer_delay") or 0.0) * 1.2 + SETTLES_WITHIN
        least = LIVE * self.profile.ratings.leg_voltage
        end = self.clock.now() + within
        while min(leg.voltage().value for leg in self.house.legs) < least:
            if self.clock.now() >= end:
                raise BenchFault(
                    f"bench {self.config.bench.name}: the house is not live {within:g} s after the mains came; "
                    f"look at the PCS and the grid simulator"
                )
            self.clock.sleep(POLL)

    def _wait_for_return(self) -> None:
        """Where the mains was changed: wait until the charger may work beside it again, at full power."""
        if not self.told.mains_moved or "grid_parallel" not in self.profile.capabilities:
            return
        delay, ramp = (self.profile.figure(name) or 0.0 for name in ("retransfer_delay", "enter_ramp"))
        self.clock.sleep(RETURNS[0] * (delay + ramp) + RETURNS[1])
        self.told.mains_moved = False
