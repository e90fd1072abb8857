"""The phases of a session, and how a procedure comes to stand in each: the rows of every "trigger x phase" table.

A phase is told from outside, by what both sides have shown on bus, wires and contact (rig.chademo.session), so it is
the same with any charger. The car of these procedures is quick: its pauses are short, so that a hundred sessions fit
into an hour of bench time; nothing in the facts asks a car to be slow.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from enum import Enum

from fixtures.words import Bench, EventsLog, Evps, Run
from rig.chademo.session import Phase, Session
from rig.chademo.vehicle_state import VehiclePhase, Wishes
from rig.errors import DutViolation
from rig.roles import ChargerMode

QUICK = Wishes(wake=0.3, permission=0.8, closing=0.3)
"""s from d1 to the first frame, on to permission (levels 200.6/7 are valid from 0.73 s on, log A), and from d2
to the contactors (project choice; the limits are 8 and 4 s, chademo.md 2). The first request comes as late as in logs A
and B: the charger has the battery's voltage to match first (step 8)."""
COMES_WITHIN = 40.0
"""s from the button to any phase: 8 + 20 + 4 + 4 s (chademo.md 2, C- and T-times), and room."""
STANDS = 1.0
"""s a flow is left alone before something happens to it (project choice: above the 0.8 s of a ramp to 16 A, 20 A/s)."""


class Stage(Enum):
    """Where a session stands. The value is the word in a case's name."""

    PLUGGED = "plugged"
    HANDSHAKE = "handshake"
    LOCKED = "locked"
    INSULATION = "insulation"
    PRECHARGE = "precharge"
    RAMP = "ramp"
    CHARGING = "charging"
    STANDBY = "standby"
    DISCHARGING = "discharging"
    STOPPING = "stopping"
    WELD_CHECK = "weld-check"


S = Stage
ALL = tuple(S)
BEFORE_PERMISSION = (S.PLUGGED, S.HANDSHAKE)
BEFORE_POWER = (*BEFORE_PERMISSION, S.LOCKED, S.INSULATION, S.PRECHARGE)
FLOWING = (S.RAMP, S.CHARGING, S.STANDBY, S.DISCHARGING)
ENDING = (S.STOPPING, S.WELD_CHECK)
COUPLED = (S.PRECHARGE, *FLOWING, *ENDING)
"""d2 is on and the car has seen it."""
SPOKEN = ALL[1:]
"""The car has said something."""

MODE: dict[Stage, ChargerMode] = {
    S.STANDBY: "standby",
    S.DISCHARGING: "discharge",
    S.RAMP: "charge",
    S.CHARGING: "charge",
}
"""What start is pressed with; for the others whatever the device has."""

_SEEN: dict[Stage, Callable[[Session], bool]] = {
    S.HANDSHAKE: lambda s: s.phase is Phase.HANDSHAKE and s.charger is not None,
    S.LOCKED: lambda s: s.phase is Phase.LOCKED,
    S.INSULATION: lambda s: s.phase is Phase.INSULATION,
    S.PRECHARGE: lambda s: s.phase is Phase.CLOSED,
    S.RAMP: lambda s: s.phase is Phase.CHARGING,
    S.CHARGING: lambda s: s.phase is Phase.CHARGING,
    S.STANDBY: lambda s: s.phase is Phase.STANDBY,
    S.DISCHARGING: lambda s: s.phase is Phase.DISCHARGING,
    S.STOPPING: lambda s: s.phase is Phase.STOPPING,
    S.WELD_CHECK: lambda s: s.phase is Phase.WELD_CHECK,
}


class Walk:
    """Brings a session to a stage and says what became of it."""

    def __init__(self, bench: Bench, events: EventsLog, run: Run, evps: Evps) -> None:
        self.bench, self.events, self._run, self._evps = bench, events, run, evps
        self.usual: ChargerMode = "charge" if evps.can("charge") else "discharge"
        """What start is pressed with where the direction does not matter."""

    @property
    def session(self) -> Session:
        """What both sides have shown."""
        return self._run.watch.session

    def begin(self, mode: ChargerMode, soc: float = 0.5, **wishes: object) -> None:
        """Plug a quick car in and press start. wishes: more of the car, as rig.chademo.vehicle_state.Wishes."""
        car = self.bench.car
        self._evps.refuse_lacking(mode)
        car.wishes = replace(QUICK, **wishes)
        car.plug_in(soc)
        if mode == "discharge":
            self._evps.load_outlets()
        self.bench.charger.start(mode)

    def turn(self, mode: ChargerMode) -> None:
        """Ask for another direction. A device with no mains side gives what is drawn from it, and no other word."""
        if self.bench.profile.wired:
            self.bench.charger.set_mode(mode)
        elif mode == "discharge":
            self._evps.load_outlets()
        elif self.bench.house is not None:
            self.bench.house.draw(0.0)

    def refuse(self, *modes: ChargerMode) -> None:
        """Not run where the device lacks one of these."""
        for mode in modes:
            self._evps.refuse_lacking(mode)

    def can(self, mode: ChargerMode) -> bool:
        """Whether the device has this mode."""
        return self._evps.can(mode)

    def until(self, seen: Callable[[Session], bool], within: float = COMES_WITHIN) -> bool:
        """Run until the session is seen so. Whether it was."""
        return math.isfinite(self.bench.clock.wait_until(lambda: seen(self.session), within))

    def reach(self, stage: Stage) -> None:
        """Stand in a stage. DutViolation when the charger does not get there with a good car."""
        self.begin(MODE.get(stage, self.usual))
        if stage is S.PLUGGED:
            came = math.isfinite(self.bench.car.wait_for(VehiclePhase.WAKING, COMES_WITHIN))
        elif stage in ENDING:
            self._stand(S.CHARGING if self.usual == "charge" else S.DISCHARGING)
            self.bench.charger.stop()
            came = self.until(_SEEN[stage])
        else:
            came = self._stand(stage)
        if not came:
            state = self.bench.charger.state()
            raise DutViolation(
                f"a good car is not brought to {stage.value!r} within {COMES_WITHIN:g} s: the charger shows "
                f"{state.phase!r}{f', fault {state.fault!r}' if state.fault else ''}; the session is at "
                f"{self.session.phase.value!r}"
            )

    def run_to(self, mode: ChargerMode) -> None:
        """Power may flow, and what the car asks for or grants has risen. DutViolation when it does not come about."""
        stage = {"charge": S.CHARGING, "discharge": S.DISCHARGING, "standby": S.STANDBY}[mode]
        self.reach(stage)

    def _stand(self, stage: Stage) -> bool:
        came = self.until(_SEEN[stage])
        if came and stage in (S.CHARGING, S.STANDBY, S.DISCHARGING):
            self.bench.clock.sleep(STANDS)
        return came
