"""The way down without the rig: a bench brought to no energy by whoever holds its outputs, and read back.

The order (facts: chademo.md sections 2 and 3; contactors are never opened under load)
  1 current to zero      the charger is told to stop and k is released; it has 0.5 s for 5 A or less
  2 sources off          battery source and mains; where the charger did not obey, this is what ends the current
  3 contactors open      at 5 A or less as the source reads it, at the latest when the source says it is off, and in any
                         case after CONTACTS_WITHIN; proximity after them
  4 loads off            once the mains is off and the house dead, bounded by GONE_WITHIN: they take what is left
The instruments are worked on beside each other, each on its own session; what must wait for another waits for its word,
within a bound, and none for one that hangs. The outcome is CONFIRMED when every output has been read back as off and
connector and house are without hazardous voltage.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from rig.clock import RealClock
from rig.errors import BenchFault, RigError
from rig.roles import ElectronicLoad, SafeState, VehicleInterface
from rig.safety.safe_state import SafeOutcome, SafeStep, bring_to_safe_state

OPENS_AT = 5.0
"""A at which a contactor may open (chademo.md 3 [BE][RS])."""
CURRENT_WITHIN = 0.6
"""s for the charger to come to 5 A after k is off: the 0.5 s of chademo.md 2 [CLARA], and a reading."""
CONTACTS_WITHIN = 2.5
"""s after which contactors open whatever flows: an EV waits no longer either (chademo.md 2 stop)."""
STAGE_WITHIN = 8.0
"""s a stage may take before the next begins (project choice: who answers nothing at all has been given up by then)."""
GONE_WITHIN = 3.0
"""s for house and connector to lose their voltage (project choice)."""
LOW_DC, LOW_AC = 60.0, 50.0
"""V; below them a conductor is not hazardous (IEC 61140: extra-low voltage, 50 V AC; 60 V for smooth DC)."""
CONTACT_MOVES = 0.5
"""s a contactor takes to open (project choice: ten times a usual EV contactor)."""
POLL = 0.01
"""s between two looks (project choice)."""
LOADS = ("house_l1", "house_l2")


def descend(clock: RealClock, drivers: Mapping[str, Any], missing: Mapping[str, str]) -> SafeOutcome:
    """Bring it down with what could be reached. missing: parts that could not, and why."""
    return _Descent(clock, drivers, missing).run()


class _Descent:
    def __init__(self, clock: RealClock, drivers: Mapping[str, Any], missing: Mapping[str, str]) -> None:
        self._clock, self._drivers, self._missing = clock, drivers, missing
        self._began = clock.now()
        self._source_off = threading.Event()
        self._notes: list[str] = []

    def run(self) -> SafeOutcome:
        outcomes = [
            SafeOutcome(name == "charger", (f"{name}: UNCONFIRMED, {words}",)) for name, words in self._missing.items()
        ]
        outcomes += [
            self._stage("told to stop", ("charger", self._stop), ("vehicle", self._release)),
            self._current_gone(),
            self._stage(
                "all read back",
                ("battery", self._battery_off),
                ("grid", _off),
                ("vehicle", self._open_contacts),
                *((leg, self._load_off) for leg in LOADS),
                ("digital_io", _off),
            ),
        ]
        readings = [line for outcome in outcomes for line in outcome.readings]
        readings += self._notes
        return SafeOutcome(all(outcome.confirmed for outcome in outcomes), tuple(readings))

    def _steps(self, *wanted: tuple[str, Callable[[Any], SafeState | None]]) -> list[SafeStep]:
        return [
            SafeStep(name, lambda act=act, driver=self._drivers[name]: act(driver))  # type: ignore[misc]
            for name, act in wanted
            if name in self._drivers
        ]

    def _stage(self, name: str, *wanted: tuple[str, Callable[[Any], SafeState | None]]) -> SafeOutcome:
        outcome, ended = self._together(self._steps(*wanted))
        self._notes.append(f"{name}: {', '.join(ended)}")
        return outcome

    def _current_gone(self) -> SafeOutcome:
        """A wait, not a step: what comes of it is seen in those after it."""
        obeyed = self._wait(self._no_current, CURRENT_WITHIN)
        words = f"current {'at 5 A or less' if obeyed else 'NOT known to be at 5 A or less'}"
        self._notes.append(f"{words}: {self._clock.now() - self._began:.3f} s")
        return SafeOutcome(True, ())

    def _together(self, steps: Sequence[SafeStep]) -> tuple[SafeOutcome, list[str]]:
        found: dict[int, SafeOutcome] = {}
        ended: list[str] = []

        def take(number: int, step: SafeStep) -> None:
            found[number] = bring_to_safe_state([step])
            ended.append(f"{step.name} {self._clock.now() - self._began:.3f} s")

        threads = [
            threading.Thread(target=take, args=(n, step), name=f"way down of {step.name}", daemon=True)
            for n, step in enumerate(steps)
        ]
        for thread in threads:
            thread.start()
        end = self._clock.now() + STAGE_WITHIN
        for thread in threads:
            thread.join(max(0.0, end - self._clock.now()))
        outcomes = [
            found.get(n, SafeOutcome(False, (f"{step.name}: UNCONFIRMED, no answer within {STAGE_WITHIN:g} s",)))
            for n, step in enumerate(steps)
        ]
        readings = tuple(line for one in outcomes for line in one.readings)
        return SafeOutcome(all(one.confirmed for one in outcomes), readings), ended

    # -- 1 current to zero

    def _stop(self, charger: Any) -> None:
        """The device under test is asked, never relied on: that it does not answer is no fault of the bench."""
        try:
            charger.stop()
        except BenchFault as error:
            self._notes.append(f"charger: was not told to stop ({error})")

    def _release(self, vehicle: VehicleInterface) -> None:
        vehicle.set_wire("k", False)

    def _no_current(self) -> bool:
        battery = self._drivers.get("battery")
        if battery is None:
            return False
        try:
            return bool(abs(battery.reading().current) <= OPENS_AT)
        except BenchFault:
            return False  # not known: the bound decides

    # -- 2 sources off, 3 contactors open

    def _battery_off(self, battery: Any) -> SafeState:
        state: SafeState = battery.make_safe()
        if state.confirmed:
            self._source_off.set()
        return state

    def _open_contacts(self, vehicle: VehicleInterface) -> SafeState:
        """At 5 A or less; then proximity, and all of it read back."""
        how = self._open(vehicle) if vehicle.contactor_closed() else "already open"
        state, volts = vehicle.make_safe(), self._connector(vehicle)
        readings = (f"contactors {how}", *state.readings, f"connector {volts:.1f} V")
        return SafeState(state.confirmed and abs(volts) <= LOW_DC, readings)

    def _open(self, vehicle: VehicleInterface) -> str:
        """How it was done."""
        low = self._wait(lambda: self._source_off.is_set() or self._no_current(), CONTACTS_WITHIN - CURRENT_WITHIN)
        vehicle.move_contactor(False)
        self._wait(lambda: not vehicle.contactor_closed(), CONTACT_MOVES)
        return "told to open at 5 A or less" if low else f"told to open after {CONTACTS_WITHIN:g} s, whatever flowed"

    def _connector(self, vehicle: VehicleInterface) -> float:
        """V, once they are low or have had their time."""
        self._wait(lambda: abs(vehicle.inlet_voltage()) <= LOW_DC, GONE_WITHIN)
        return vehicle.inlet_voltage()

    # -- 4 loads off

    def _load_off(self, load: ElectronicLoad) -> SafeState:
        """Kept until the house is dead."""
        if "grid" not in self._drivers:
            return _off(load)  # the mains is a wall socket, or somebody else's
        end, volts = self._clock.now() + GONE_WITHIN, load.voltage().value
        while volts > LOW_AC and self._clock.now() < end:
            volts = load.voltage().value  # its measuring interval is the pace
        state = _off(load)
        return SafeState(state.confirmed and volts <= LOW_AC, (f"house {volts:.1f} V", *state.readings))

    def _wait(self, true: Callable[[], bool], within: float) -> bool:
        """Whether it came true in time. An instrument's error is no."""
        end = self._clock.now() + within
        while True:
            with suppress(RigError):  # of the instrument, or of one that failed beside it meanwhile
                if true():
                    return True
                self._clock.sleep(POLL)
            if self._clock.now() >= end:
                return False


def _off(driver: Any) -> SafeState:
    state: SafeState = driver.make_safe()
    return state
