"""A recorded charger played to our car in virtual time; and what any replay comes out as.

The car is the vehicle machine of a bench's car, wishing what the recorded one asked for. Its pack shows the voltage of
the recording and the current that the recorded charger reports; its inlet follows 109.1-2. So what the car does is its
own, and what flows is the recording's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rig.can.bus import VirtualBus
from rig.can.frame import Frame
from rig.chademo.codec import ChargerDischarge, ChargerStatus, decode
from rig.chademo.events import ContactorMoved, PackState, VehicleOut, WireChanged
from rig.chademo.messages import PERIOD, Side
from rig.chademo.rules import ALL
from rig.chademo.rules.rule import RuleState, RuleVerdict
from rig.chademo.rules.ruleset import RuleSet
from rig.chademo.vehicle import Vehicle
from rig.chademo.vehicle_state import VehiclePhase, Wishes
from rig.clock import VirtualClock
from rig.errors import TraceError
from rig.machine import run_on
from rig.plant.battery import Pack
from rig.trace.compare import Comparison, compare
from rig.trace.judge import SessionReport, judge_trace
from rig.trace.playback import Passed, Playback
from rig.trace.script import Event, Press, Script
from rig.vehicle_model import VehicleModel

CONTACT_TIME = 0.03
"""s a contactor takes (project choice, as the emulated vehicle interface)."""
AFTERWARDS = 3.0
"""s the living side is watched after the last recorded frame (project choice: longer than a silence of 1 s counts)."""
LONGEST = 86_400.0
"""s a replay may take (project choice)."""
USUAL_SOC = 0.5
"""Of a pack of which the recording tells nothing (project choice)."""
TEMPERATURE = 25.0
"""degC."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """A replay. side: which was alive. live: the session as it became. passed: its milestones in the order of the
    recording. lacking: what it did not reach, "" when it walked through; why: what it says itself of how it ended.
    verdicts: of every rule; those of `side` are about what was alive.
    """

    side: Side
    recorded: SessionReport
    live: SessionReport
    passed: tuple[Passed, ...]
    lacking: str
    why: str
    verdicts: tuple[RuleVerdict, ...]

    @property
    def comparison(self) -> Comparison:
        """Recorded and live, phase by phase."""
        return compare(self.recorded, self.live)

    @property
    def broken(self) -> tuple[RuleVerdict, ...]:
        """Rules that the living side broke."""
        return tuple(v for v in self.verdicts if v.state is RuleState.BROKEN and v.rule.duty == self.side)

    @property
    def walked_through(self) -> bool:
        """The living side did everything the recorded one did, and every phase of the recording came about."""
        return not self.lacking and {s.phase for s in self.recorded.phases} <= {s.phase for s in self.live.phases}


def outcome(
    script: Script,
    playback: Playback,
    frames: Sequence[tuple[float, Frame]],
    verdicts: tuple[RuleVerdict, ...],
    why: str,
) -> Replayed:
    """Put together what a replay has shown. frames: of both sides, s from any beginning."""
    sessions = judge_trace((at - frames[0][0], frame) for at, frame in frames).sessions if frames else ()
    if not sessions:
        raise TraceError("nothing was heard on the bus during the replay; look at [can] of the bench file")
    passed = tuple(sorted(playback.passed, key=lambda one: one.recorded))
    lacking = "" if playback.lacking is None else playback.lacking.milestone.name
    return Replayed(script.other, script.recorded, sessions[0], passed, lacking, why, verdicts)


def replay_charger(script: Script, model: VehicleModel) -> Replayed:
    """Play a recorded charger to our car of that model, in virtual time."""
    living = _Living(script, model)
    living.run()
    return outcome(script, living.playback, living.frames, living.verdicts(), living.why)


def deaf(at: float, frame: Frame) -> None:
    """A recording hears nothing."""


def _wishes(recorded: SessionReport) -> Wishes:
    """What makes our car ask for what the recorded one did."""

    def said(key: str, scale: float = 1.0) -> float | None:
        value = recorded.fact(key)
        return None if value is None else float(value) * scale

    return Wishes(
        charge_current=said("request_peak"),
        discharge_limit=said("discharge_limit_peak"),
        target_voltage=said("target_voltage"),
        max_battery_voltage=said("max_battery_voltage"),
        min_discharge_voltage=said("min_discharge_voltage"),
        min_discharge_level=said("min_discharge_level", 0.01),
        max_charge_level=said("max_charge_level", 0.01),
    )


class _Living:
    """Our car on a bus of its own with the recorded charger."""

    def __init__(self, script: Script, model: VehicleModel) -> None:
        self._script, self._clock = script, VirtualClock()
        self.frames: list[tuple[float, Frame]] = []
        self._rules = RuleSet(ALL)
        self._soc = USUAL_SOC if script.soc is None else script.soc
        self._volts = Pack(model.pack, self._soc).source_voltage() if script.voltage is None else script.voltage
        self._inlet = self._discharge = 0.0
        self._car = Vehicle(model.profile, _wishes(script.recorded))
        bus = VirtualBus(self._clock)
        self._port = bus.attach("car", self._hear)
        self._charger = bus.attach("recorded charger", deaf)
        bus.watch(self._watch)
        self.playback = Playback(self._clock, script, self._play, lambda: self._rules.session)
        self._runner = run_on(self._clock, self._car, self._emit)
        self._feel(0.0)

    def run(self) -> None:
        """Plug in, close d1, and let the recorded charger speak when its car has spoken."""
        clock, wake = self._clock, self._car.profile.wake.value
        for wire in ("proximity", "d1"):
            self._wire(WireChanged(wire, True))
        clock.sleep(wake)
        clock.at(clock.now(), self.playback.begin)
        clock.wait_until(lambda: self.playback.done, LONGEST)
        if self._car.phase is not VehiclePhase.ASLEEP:
            clock.at(clock.now(), lambda: self._wire(WireChanged("d1", False)))
        clock.sleep(AFTERWARDS)
        self._runner.stop()

    @property
    def why(self) -> str:
        """What ended the session, as the car has it."""
        detail = self._car.stop_detail
        return self._car.stop_reason.value + (f": {detail}" if detail else "")

    def verdicts(self) -> tuple[RuleVerdict, ...]:
        """Of frames and wires."""
        self._rules.close(self._clock.now())
        return self._rules.verdicts()

    def _hear(self, at: float, frame: Frame) -> None:
        self._runner.tell(frame, at)

    def _watch(self, at: float, sender: str, frame: Frame) -> None:
        self.frames.append((at, frame))
        self._rules.step(at, frame)
        self.playback.look()

    def _play(self, event: Event) -> None:
        if isinstance(event, Frame):
            self._charger.send(event)
            message = decode(event)
            if isinstance(message, ChargerDischarge):
                self._discharge = message.discharge_current
            if isinstance(message, ChargerStatus):
                self._inlet = message.output_voltage
                self._feel(message.output_current - self._discharge)
        elif isinstance(event, WireChanged):
            self._wire(event)
        else:
            assert not isinstance(event, Press)

    def _feel(self, current: float) -> None:
        self._runner.tell(PackState(self._volts, current, self._soc, TEMPERATURE, self._inlet))

    def _wire(self, change: WireChanged) -> None:
        self._rules.step(self._clock.now(), change)
        self._runner.tell(change)

    def _emit(self, out: VehicleOut) -> None:
        now = self._clock.now()
        if isinstance(out, Frame):
            self._port.cycle(out, PERIOD)
        elif isinstance(out, WireChanged):
            self._rules.step(now, out)
        else:
            self._clock.at(now + CONTACT_TIME, lambda: self._contact(out))

    def _contact(self, moved: ContactorMoved) -> None:
        self._rules.step(self._clock.now(), moved)
        self._runner.tell(moved)
