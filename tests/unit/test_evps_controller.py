"""The charger's controller alone, against a scripted car and a plain power stage."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from instruments.evps.behaviour import Behaviour
from instruments.evps.controller import Controller
from instruments.evps.defect_pairs import PAIRS
from instruments.evps.defects import ALL, DEFECTS, Planted, plant, read_planted
from instruments.evps.events import (
    Ability,
    ControllerIn,
    ControllerOut,
    EmergencyStop,
    InsulationReading,
    MeasureInsulation,
    Reset,
    SetMode,
    SetPower,
    SetReserve,
    Start,
    Stop,
    Supply,
)
from instruments.evps.stops import CAUSES, Phase
from rig.can.frame import Frame
from rig.chademo.codec import (
    ChargerCapability,
    ChargerDischarge,
    ChargerStatus,
    Message,
    VehicleDischarge,
    VehicleDischargeEnergy,
    VehicleLimits,
    VehicleStatus,
    VehicleTimes,
    decode,
)
from rig.chademo.events import Wire, WireChanged
from rig.plant.ports import StageCommand, StageMode, StageReading
from rig.roles import ChargerMode

P = Phase
BATTERY = 380.0
EFFICIENCY = 0.9
LAG = 0.1
"""s of the current loop (chademo.md 2: about 100 ms)."""
KWH = 3.6e6


class Desk:
    """A controller, a car of plain messages every 100 ms, and a stage with a plain lag."""

    def __init__(self, b: Behaviour | None = None) -> None:
        self.c = Controller(b or Behaviour())
        self.now = 0.0
        self.wake: float | None = None
        self.command = StageCommand()
        self.insulation = 1e9
        self.battery = BATTERY
        self.house = (100.0, 100.0)
        self.house_power = 2000.0
        self.alive = True
        self.i = self._read_at = 0.0
        self.wires: dict[Wire, bool] = {"d1": False, "d2": False, "lock": False}
        self.out: list[tuple[float, ControllerOut]] = []
        self.speaks = False
        self.mute: frozenset[int] = frozenset()
        self.limits = VehicleLimits(max_voltage=435.0)
        self.times = VehicleTimes(max_charge_time_10s=2550.0, max_charge_time_min=3600.0, rated_capacity=22.2 * KWH)
        self.status = VehicleStatus(target_voltage=410.0, discharge_compatible=True, charged_rate=60)
        self.discharge = VehicleDischarge(0.0, 250.0, 67, 178)
        self.energy: VehicleDischargeEnergy | None = None
        self._said = -1.0
        self.tell(Supply.GRID)

    # -- the world

    def reading(self) -> StageReading:
        command = self.command
        coupled = self.ev_closed and command.contactor
        node = self.battery if coupled else command.u_ref if command.mode is StageMode.VOLTAGE else 0.0
        fade, self._read_at = math.exp(-(self.now - self._read_at) / LAG), self.now
        if not coupled or command.mode in (StageMode.OFF, StageMode.VOLTAGE):
            self.i = 0.0
        elif command.mode is StageMode.CURRENT:
            self.i = command.i_ref + (self.i - command.i_ref) * fade
        else:
            self.i = -min(command.i_discharge_max, self.house_power / EFFICIENCY / self.battery)
        connector = node if command.contactor else self.battery if self.ev_closed else 0.0
        watts = self.i * self.battery
        p_ac = -watts / EFFICIENCY if watts > 0.0 else -watts * EFFICIENCY
        return StageReading(connector, self.i, self.house, p_ac, self.alive, node)

    @property
    def ev_closed(self) -> bool:
        return self.wires["d1"] and self.wires["d2"] and not self.status.contactor_open

    def tell(self, event: ControllerIn | None) -> None:
        self._step(self.reading())
        if event is not None:
            self._step(event)

    def _step(self, event: ControllerIn) -> None:
        step = self.c.step(self.now, event)
        self.wake = step.wake_at
        for out in step.out:
            self.out.append((self.now, out))
            if isinstance(out, StageCommand):
                self.command = out
            elif isinstance(out, WireChanged):
                self.wires[out.wire] = out.on
        if any(isinstance(out, MeasureInsulation) for out in step.out):
            self._step(InsulationReading(self.insulation))

    def run(self, seconds: float, until: Callable[[], bool] = lambda: False) -> float:
        """s until it held, inf when it never did."""
        begun, end = self.now, self.now + seconds
        while self.now < end and not until():
            speak = self._said + 0.1 if self.speaks else math.inf
            due = min(end, speak, math.inf if self.wake is None else max(self.wake, self.now))
            self.now = due
            if due == speak or (self.speaks and self._said < 0):
                self.speak()
            else:
                self.tell(None)
        return self.now - begun if until() else math.inf

    def speak(self) -> None:
        self._said = self.now
        for message in (self.limits, self.times, self.status, self.discharge, self.energy):
            if message is not None and (frame := message.encode()).id not in self.mute:
                self._step(frame)

    # -- shortcuts

    def say(self, **status: object) -> None:
        self.status = replace(self.status, **status)  # type: ignore[arg-type]

    def call(self, mode: ChargerMode = "charge") -> None:
        """Plug, start, and a car that has woken."""
        self.tell(None)
        self.tell(WireChanged("proximity", True))
        self.tell(Start(mode))
        assert self.wires["d1"]
        self.run(0.5)
        self.speaks, self._said = True, self.now - 0.1

    def permit(self) -> None:
        self.run(0.5)
        self.tell(WireChanged("k", True))
        self.say(enabled=True)

    def session(self, mode: ChargerMode = "charge", request: float = 12.0, limit: float = 15.0) -> None:
        """Up to RUNNING with a settled current."""
        self.call(mode)
        self.permit()
        assert self.run(15.0, lambda: self.wires["d2"]) < 15.0, self.c.phase
        self.run(1.0)
        self.say(contactor_open=False)
        self.run(2.0)
        self.say(current_request=request)
        self.discharge = replace(self.discharge, max_discharge_current=limit)
        assert self.run(2.0, lambda: self.c.phase is P.RUNNING) < 2.0, self.c.phase
        self.run(3.0)

    def last(self, kind: type[Message]) -> Message:
        messages = [decode(out) for _, out in self.out if isinstance(out, Frame)]
        return next(message for message in reversed(messages) if isinstance(message, kind))

    @property
    def shown(self) -> ChargerStatus:
        status = self.last(ChargerStatus)
        assert isinstance(status, ChargerStatus)
        return status


@pytest.fixture
def desk() -> Desk:
    return Desk()


# -- the way in


def test_nothing_happens_without_a_plug_and_start_waits_for_it(desk: Desk) -> None:
    desk.tell(None)
    desk.tell(Start("charge"))
    assert not desk.wires["d1"]
    desk.tell(WireChanged("proximity", True))
    assert desk.wires["d1"]


def test_it_is_silent_until_the_car_has_spoken_and_then_every_100_ms(desk: Desk) -> None:
    desk.call()
    assert not [out for _, out in desk.out if isinstance(out, Frame)]
    desk.run(1.0)
    frames = [(at, out) for at, out in desk.out if isinstance(out, Frame)]
    assert [frame.id for _, frame in frames[:8]] == [0x108, 0x109, 0x208, 0x209] * 2
    assert frames[4][0] - frames[0][0] == pytest.approx(0.1)
    assert desk.shown == replace(ChargerStatus(), discharge_compatible=True, remaining_time_10s=0.0)


def test_threshold_and_offers(desk: Desk) -> None:
    desk.call()
    desk.run(1.0)
    capability, discharge = desk.last(ChargerCapability), desk.last(ChargerDischarge)
    assert isinstance(capability, ChargerCapability)
    assert isinstance(discharge, ChargerDischarge)
    assert capability.threshold_voltage == 435.0
    assert (capability.available_current, discharge.available_input_current) == (30.0, 30.0)


@pytest.mark.parametrize("missing", ["k", "enable"])
def test_both_ways_of_permission_are_needed(desk: Desk, missing: str) -> None:
    desk.call()
    if missing == "k":
        desk.say(enabled=True)
    else:
        desk.tell(WireChanged("k", True))
    desk.run(10.0)
    assert not any(desk.wires.values())
    assert desk.c.phase is P.IDLE


def test_a_target_above_its_own_voltage_is_incompatible(desk: Desk) -> None:
    desk.say(target_voltage=460.0)
    desk.call()
    desk.run(3.0)
    assert desk.shown.battery_incompatible
    assert desk.c.fault == "battery_incompatible"
    assert not desk.wires["lock"]


def test_lock_test_bleed_d2_in_this_order(desk: Desk) -> None:
    desk.call()
    desk.permit()
    assert desk.run(10.0, lambda: desk.wires["lock"]) < 10.0
    assert desk.run(10.0, lambda: desk.reading().u_out > 490.0) < 10.0
    assert not desk.wires["d2"]
    assert desk.run(10.0, lambda: desk.wires["d2"]) < 10.0
    assert not desk.command.contactor
    assert desk.reading().u_out <= 10.0


@pytest.mark.parametrize(("ohm", "good"), [(44e3, False), (46e3, True)])
def test_the_insulation_is_judged_per_volt(desk: Desk, ohm: float, good: bool) -> None:
    desk.insulation = ohm
    desk.call()
    desk.permit()
    assert math.isfinite(desk.run(10.0, lambda: desk.wires["d2"])) is good
    assert (desk.c.fault == "insulation") is not good


def test_its_own_contactor_closes_onto_the_voltage_of_the_battery(desk: Desk) -> None:
    desk.call()
    desk.permit()
    desk.run(15.0, lambda: desk.wires["d2"])
    desk.say(contactor_open=False)
    desk.run(1.5, lambda: desk.command.contactor)
    assert desk.command == StageCommand(StageMode.VOLTAGE, u_ref=BATTERY, contactor=True)


def test_no_current_before_it_is_asked_for(desk: Desk) -> None:
    desk.call()
    desk.permit()
    desk.run(15.0, lambda: desk.wires["d2"])
    desk.say(contactor_open=False)
    desk.run(3.0)
    assert desk.c.phase is P.READY
    assert abs(desk.i) < 0.05
    assert desk.shown.stopping
    assert not desk.shown.running


def test_a_car_without_v2h_charges_and_its_offer_stays(desk: Desk) -> None:
    desk.say(discharge_compatible=False)
    desk.session("charge")
    assert desk.i == pytest.approx(12.0, abs=0.1)
    desk.tell(SetMode("discharge"))
    desk.run(2.0)
    assert abs(desk.i) < 0.05
    capability = desk.last(ChargerCapability)
    assert isinstance(capability, ChargerCapability)
    assert capability.available_current == 15.0  # what 6 kW make of the battery's voltage, told before power flows


def test_a_car_without_v2h_is_not_discharged(desk: Desk) -> None:
    desk.say(discharge_compatible=False)
    desk.call("discharge")
    desk.permit()
    desk.run(5.0)
    assert desk.c.ended_by == "no_discharge"


# -- power


def test_charge_is_the_least_of_request_offer_and_power(desk: Desk) -> None:
    desk.session("charge", request=12.0)
    assert desk.i == pytest.approx(12.0, abs=0.1)
    desk.say(current_request=30.0)
    desk.run(3.0)
    assert desk.reading().p_ac == pytest.approx(-6000.0, rel=0.01)
    desk.tell(SetPower(2000.0))
    desk.run(3.0)
    assert desk.reading().p_ac == pytest.approx(-2000.0, rel=0.01)


def test_discharge_is_the_least_of_limit_and_power(desk: Desk) -> None:
    desk.session("discharge", limit=10.0)
    assert 9.0 <= -desk.i <= 10.0
    desk.tell(SetPower(1500.0))
    desk.run(3.0)
    assert desk.reading().p_ac == pytest.approx(1500.0, rel=0.01)


def test_charge_is_inhibited_by_an_offer_of_nothing(desk: Desk) -> None:
    desk.session("discharge")
    capability = desk.last(ChargerCapability)
    assert isinstance(capability, ChargerCapability)
    assert capability.available_current == 0.0
    assert desk.shown.running


def test_currents_are_reported_in_the_frame_of_their_direction(desk: Desk) -> None:
    desk.session("discharge", limit=10.0)
    given = desk.last(ChargerDischarge)
    assert isinstance(given, ChargerDischarge)
    # whole amperes, from what it keeps below the limit of 10 A
    assert (given.discharge_current, desk.shown.output_current) == (
        float(math.floor(10.0 - Behaviour().limit_margin)),
        0.0,
    )
    desk.tell(SetMode("charge"))
    desk.run(3.0)
    given = desk.last(ChargerDischarge)
    assert isinstance(given, ChargerDischarge)
    assert (given.discharge_current, desk.shown.output_current) == (0.0, 12.0)


def test_a_pause_and_an_island_are_no_end(desk: Desk) -> None:
    desk.session("charge")
    desk.tell(Supply.CEASE)
    desk.run(0.5)
    assert abs(desk.i) < 0.05
    desk.tell(Supply.ISLAND)
    desk.run(0.5)
    assert desk.command.mode is StageMode.FORM
    assert desk.command.i_discharge_max <= 15.0
    desk.tell(Supply.GRID)
    desk.run(3.0)
    assert desk.i == pytest.approx(12.0, abs=0.1)


def test_the_pcs_is_told_whether_the_house_could_be_formed(desk: Desk) -> None:
    desk.session("charge")
    abilities = [out for _, out in desk.out if isinstance(out, Ability)]
    assert abilities[-1] == Ability(True, False)
    desk.discharge = replace(desk.discharge, max_discharge_current=0.0)
    desk.run(0.3)
    abilities = [out for _, out in desk.out if isinstance(out, Ability)]
    assert abilities[-1] == Ability(False, False)


# -- inhibits


@pytest.mark.parametrize(("percent", "floor"), [(False, 67), (True, 30)])
def test_the_unit_of_the_levels_depends_on_0x201(desk: Desk, percent: bool, floor: int) -> None:
    """67 counts are 6.7 kWh of 22.2 kWh, 30 %; with 0x201 a count is a per cent."""
    desk.energy = VehicleDischargeEnergy(2) if percent else None
    desk.discharge = replace(desk.discharge, min_discharge_level=floor, max_charge_level=0)
    desk.session("discharge")
    for rate, flows in ((31, True), (30, False), (31, False), (32, True)):
        desk.say(charged_rate=rate)
        desk.run(2.0)
        assert (desk.i < -1.0) is flows, rate


def test_a_level_of_nothing_is_not_used(desk: Desk) -> None:
    desk.discharge = replace(desk.discharge, min_discharge_level=0, max_charge_level=0)
    desk.say(charged_rate=1)
    desk.session("discharge")
    assert desk.i < -1.0


def test_the_reserve_is_a_floor_too(desk: Desk) -> None:
    desk.session("discharge")
    desk.tell(SetReserve(0.6))
    desk.run(2.0)
    assert abs(desk.i) < 0.05
    desk.tell(SetReserve(0.0))
    desk.run(2.0)
    assert desk.i < -1.0


@pytest.mark.parametrize(("volts", "flows"), [(257.0, True), (254.0, False)])
def test_discharge_stops_above_the_lowest_voltage(desk: Desk, volts: float, flows: bool) -> None:
    desk.session("discharge")
    desk.battery = volts
    desk.run(1.0)
    assert (desk.i < -1.0) is flows
    assert desk.c.phase is P.RUNNING


def test_charge_stops_at_the_target_voltage(desk: Desk) -> None:
    desk.session("charge")
    desk.battery = 411.0
    desk.run(1.0)
    assert abs(desk.i) < 0.05


def test_the_charging_time_of_the_car_ends_a_charge(desk: Desk) -> None:
    desk.times = replace(desk.times, max_charge_time_min=60.0)
    desk.session("charge")
    desk.run(70.0)
    assert abs(desk.i) < 0.05
    assert desk.c.phase is P.RUNNING


# -- the way out

SIGNALS: dict[str, Callable[[Desk], None]] = {
    **{
        bit: (lambda desk, bit=bit: desk.say(**{bit: True}))  # type: ignore[misc]
        for bit in (
            "fault_overvoltage",
            "fault_undervoltage",
            "fault_current_deviation",
            "fault_high_temperature",
            "fault_voltage_deviation",
            "system_fault",
            "not_in_park",
        )
    },
    "enable": lambda desk: desk.say(enabled=False),
    "target": lambda desk: desk.say(target_voltage=0.0),
    "k": lambda desk: desk.tell(WireChanged("k", False)),
    "stop": lambda desk: desk.tell(Stop()),
}


@pytest.mark.parametrize("mode", ["charge", "discharge"])
@pytest.mark.parametrize("name", SIGNALS)
def test_a_normal_stop(desk: Desk, name: str, mode: ChargerMode) -> None:
    desk.session(mode)
    SIGNALS[name](desk)
    assert desk.run(1.0, lambda: abs(desk.i) <= 5.0) <= 0.3
    assert desk.run(1.0, lambda: desk.shown.stopping and not desk.shown.running) <= 0.5
    desk.run(2.0)
    assert desk.wires["d2"]  # until the car has tested for welding
    desk.say(contactor_open=True)
    assert desk.run(1.0, lambda: not desk.wires["d2"]) < 0.2
    assert desk.run(2.0, lambda: not desk.wires["d1"]) >= 0.5
    assert desk.run(2.0, lambda: not desk.wires["lock"]) < 2.0
    desk.run(1.0)
    assert desk.c.phase is P.IDLE
    assert desk.c.fault == ""


@pytest.mark.parametrize(
    ("name", "act", "within"),
    [
        ("emergency_stop", lambda desk: desk.tell(EmergencyStop()), 0.05),
        ("unplugged", lambda desk: desk.tell(WireChanged("proximity", False)), 0.05),
        ("silence", lambda desk: setattr(desk, "mute", frozenset({0x102})), 1.1),
        ("silence", lambda desk: setattr(desk, "mute", frozenset({0x200})), 1.1),
        ("insulation", lambda desk: setattr(desk, "insulation", 30e3), 10.0),
        ("overvoltage", lambda desk: setattr(desk, "battery", 436.0), 0.2),
    ],
)
def test_an_alarm_blocks_the_gates_and_is_latched(
    desk: Desk, name: str, act: Callable[[Desk], None], within: float
) -> None:
    desk.session("charge")
    act(desk)
    assert desk.run(12.0, lambda: abs(desk.i) < 0.05) <= within
    desk.say(contactor_open=True)
    desk.run(5.0)
    assert not any(desk.wires.values())
    assert desk.c.fault == name
    assert desk.c.phase is P.FAULT
    desk.tell(Start("charge"))
    assert not desk.wires["d1"]
    desk.tell(Reset())
    assert desk.c.fault == ""


def test_a_blackout_ends_current_first_then_lines(desk: Desk) -> None:
    desk.session("charge")
    begun = desk.now
    desk.tell(Supply.OUT)
    assert desk.run(1.0, lambda: not desk.wires["d2"] or abs(desk.i) <= 1.0) < 0.5
    assert desk.wires["d2"]
    assert desk.run(3.0, lambda: not desk.wires["d2"]) < 1.0
    assert [out for at, out in desk.out if at > begun and isinstance(out, Frame) and out.id == 0x109][-1].data[
        5
    ] & 1 == 0
    desk.say(contactor_open=True)
    desk.run(3.0)
    assert desk.c.phase is P.IDLE
    assert desk.c.fault == ""


def test_welded_contactors_of_the_car_are_a_fault(desk: Desk) -> None:
    desk.session("charge")
    desk.tell(Stop())
    desk.run(12.0)
    assert desk.c.fault == "vehicle_contactor"


def test_it_stays_locked_while_its_output_is_alive(desk: Desk) -> None:
    desk.session("charge")
    desk.tell(Stop())
    desk.run(1.0)
    reading = desk.reading
    desk.reading = lambda: reading()._replace(u_node=300.0)  # type: ignore[method-assign]
    desk.say(contactor_open=True)
    desk.run(15.0)
    assert desk.wires["lock"]
    assert desk.c.fault == "output_alive"


def test_a_control_without_power_forgets_everything(desk: Desk) -> None:
    desk.session("charge")
    desk.alive = False
    desk.wires["d1"] = desk.wires["d2"] = False
    desk.run(0.2)
    assert desk.c.phase is P.OFF
    desk.out.clear()
    desk.run(2.0)
    assert not [out for _, out in desk.out if isinstance(out, Frame)]
    desk.alive = True
    desk.say(contactor_open=True)
    desk.tell(None)
    desk.run(2.0)
    assert desk.c.phase is P.IDLE
    assert not desk.wires["lock"]


# -- defects


def test_every_defect_changes_the_behaviour_and_says_what_it_breaks() -> None:
    good = Behaviour()
    for defect in ALL:
        assert defect.change(good, defect.severity) != good, defect.name
        assert defect.breaks, defect.name
        assert defect.description, defect.name
        assert defect.least <= defect.severity <= defect.most, defect.name
        assert defect.nil != defect.severity, defect.name
    assert len(DEFECTS) == len(ALL) >= 80


def test_every_pair_is_of_defects_there_are() -> None:
    for pair in PAIRS:
        assert len({read_planted(one) for one in pair.defects}) == 2, pair.name


@pytest.mark.parametrize("entry", ["ignores-k", {"name": "ignores-k"}, {"name": "ignores-k", "when": "standby"}])
def test_an_occasion_may_be_named_in_the_bench_file(entry: object) -> None:
    when = entry.get("when", "") if isinstance(entry, dict) else ""
    assert read_planted(entry) == Planted("ignores-k", 1.0, when)


@pytest.mark.parametrize("when", ["tuesdays", "standby:3", "every", "every:0", "every:2.5", "near:west", "after:-1"])
def test_an_occasion_that_is_none_is_refused(when: str) -> None:
    with pytest.raises(ValueError, match="when"):
        read_planted({"name": "ignores-k", "when": when})


def test_every_ignored_name_exists() -> None:
    from instruments.evps.inhibits import INHIBITS

    names = {cause.name for cause in CAUSES} | {inhibit.name for inhibit in INHIBITS}
    for defect in ALL:
        changed = defect.change(Behaviour(), defect.severity)
        assert changed.ignored <= names, defect.name
        assert {name for name, _ in changed.late} <= names, defect.name


def test_defects_combine() -> None:
    b = plant(Behaviour(), [read_planted("ignores-k"), read_planted("ignores-enable"), read_planted("slow-ramp=7")])
    assert b.ignored == {"k", "enable"}
    assert b.ramp_up == 7.0


def with_defect(text: str) -> Desk:
    return Desk(plant(Behaviour(), [read_planted(text)]))


def test_the_limit_read_raw_is_not_the_limit() -> None:
    desk = with_defect("reads-0x200-without-255-minus")
    desk.session("discharge", limit=5.0)
    assert -desk.i > 14.0


def test_a_lowered_limit_followed_late() -> None:
    desk = with_defect("follows-lowered-limit-late=3")
    desk.session("discharge", limit=15.0)
    desk.discharge = replace(desk.discharge, max_discharge_current=5.0)
    desk.run(2.5)
    assert -desk.i > 14.0
    desk.run(2.0)
    assert -desk.i <= 5.0


def test_a_level_that_is_passed() -> None:
    desk = with_defect("discharges-below-minimum-level=0.05")
    desk.session("discharge")
    for rate, flows in ((30, True), (26, True), (25, False)):
        desk.say(charged_rate=rate)
        desk.run(2.0)
        assert (desk.i < -1.0) is flows


def test_a_report_that_is_off() -> None:
    desk = with_defect("voltage-report-offset=15")
    desk.session("charge")
    assert desk.shown.output_voltage == BATTERY + 15.0


@pytest.mark.parametrize("name", ["fault_high_temperature", "fault_overvoltage"])
def test_a_deaf_charger_ignores_only_its_bit(name: str) -> None:
    desk = with_defect("ignores-temperature-bit")
    desk.session("charge")
    SIGNALS[name](desk)
    desk.run(1.0)
    assert (desk.c.phase is P.RUNNING) is (name == "fault_high_temperature")
