"""The car on a bench of plain fakes: a vehicle interface, a source, and a small obedient charger on the virtual bus."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from rig.can.bus import VirtualBus
from rig.can.frame import Frame
from rig.car import SAFE_WITHIN, Car
from rig.car_pack import CHOKE, ImitatedPack
from rig.chademo.codec import (
    ChargerCapability,
    ChargerDischarge,
    ChargerDischargeTime,
    ChargerStatus,
    VehicleStatus,
    decode,
)
from rig.chademo.codec import VehicleDischarge as DischargeLimits
from rig.chademo.events import ContactorMoved, PackState, VehicleIn, VehicleOut, Wire, WireChanged
from rig.chademo.vehicle_profile import Figure, FixedFrame
from rig.chademo.vehicle_state import EV_FRAMES, StopReason, VehiclePhase
from rig.clock import VirtualClock
from rig.errors import InstrumentError, LostInstrument, UnsafeState, UseError
from rig.machine import Step
from rig.plant.battery import LEAF_24KWH
from rig.roles import DcReading, Identity, Rating, SafeState
from rig.vehicle_model import LEAF

P, R = VehiclePhase, StopReason


class FakeSource:
    """Voltage behind a resistance; `current` is what the charger pushes, clipped to the limits."""

    resource = "fake source"

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.rating = Rating(500.0, 40.0, 20_000.0)
        self.on = self.broken = False
        self.set: list[tuple[float, float, float, float]] = []
        self.asked = 0.0
        self.reads = 0

    def identity(self) -> Identity:
        return Identity("", "", "", "")

    def close(self) -> None:
        pass

    def imitate(self, voltage: float, resistance: float, i_source_max: float, i_sink_max: float) -> None:
        if self.broken:
            raise LostInstrument(self.resource, "VOLT", "no answer")
        self.on = True
        self.set.append((voltage, resistance, i_source_max, i_sink_max))

    @property
    def current(self) -> float:
        _, _, most_out, most_in = self.set[-1]
        return max(-most_out, min(most_in, self.asked))

    def reading(self) -> DcReading:
        self.reads += 1
        if self.broken:
            raise LostInstrument(self.resource, "MEAS?", "no answer")
        if not self.on:
            return DcReading(self.clock.now(), 0.0, 0.0)
        voltage, resistance, *_ = self.set[-1]
        return DcReading(self.clock.now(), voltage + resistance * self.current, self.current)

    def make_safe(self) -> SafeState:
        self.on = False
        return SafeState(True, ())


class FakeInterface:
    """Wires, and a contactor that moves 30 ms after its command while d1 and d2 are on."""

    resource = "fake interface"

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.state: dict[Wire, bool] = dict.fromkeys(("d1", "d2", "k", "proximity", "lock"), False)
        self.closed = self.sticks = self.broken = False
        self.inlet = 0.0
        self.inlet_reads = 0
        self.commands: list[tuple[float, bool]] = []
        self.calls: list[Callable[[float, WireChanged | ContactorMoved], None]] = []

    def identity(self) -> Identity:
        return Identity("", "", "", "")

    def close(self) -> None:
        pass

    def make_safe(self) -> SafeState:
        return SafeState(True, ())

    def put(self, wire: Wire, on: bool) -> None:
        if self.state[wire] != on:
            self.state[wire] = on
            self.told(WireChanged(wire, on))
        if not (self.state["d1"] and self.state["d2"]):
            self.move(False)

    def told(self, change: WireChanged | ContactorMoved) -> None:
        for call in self.calls:
            call(self.clock.now(), change)

    def move(self, closed: bool) -> None:
        closed &= self.state["d1"] and self.state["d2"]
        if closed != self.closed and not self.sticks:
            self.closed = closed
            self.told(ContactorMoved(closed))

    def set_wire(self, wire: Wire, on: bool) -> None:
        if self.broken:
            raise LostInstrument(self.resource, f"{wire}", "no answer")
        self.put(wire, on)

    def move_contactor(self, closed: bool) -> None:
        if self.broken:
            raise LostInstrument(self.resource, "contactor", "no answer")
        self.commands.append((self.clock.now(), closed))
        self.clock.at(self.clock.now() + 0.03, lambda: self.move(closed))

    def wires(self) -> Mapping[Wire, bool]:
        if self.broken:
            raise LostInstrument(self.resource, "wires?", "no answer")
        return dict(self.state)

    def contactor_closed(self) -> bool:
        if self.broken:
            raise LostInstrument(self.resource, "contactor?", "no answer")
        return self.closed

    def inlet_voltage(self) -> float:
        self.inlet_reads += 1
        return self.inlet

    def subscribe(self, call: Callable[[float, WireChanged | ContactorMoved], None]) -> None:
        self.calls.append(call)


class ObedientCharger:
    """Starts when told, pushes `power` A, stops when the car says so (unless deaf)."""

    def __init__(self, clock: VirtualClock, bus: VirtualBus, wires: FakeInterface, source: FakeSource) -> None:
        self.wires, self.source = wires, source
        self.port = bus.attach("charger", self.heard)
        self.status = ChargerStatus(2, 0, 0, True)
        self.capability = ChargerCapability(True, 500, 15, 435)
        self.car: VehicleStatus | None = None
        self.frames: list[Frame] = []
        self.push = 0.0
        self.on = self.deaf = False
        clock.every(0.1, self.cycle)

    def start(self) -> None:
        self.on = True
        self.status = ChargerStatus(2, 0, 0, True)
        self.wires.put("d1", True)

    def off(self) -> None:
        self.on = False
        self.wires.put("d2", False)
        self.wires.put("d1", False)

    def heard(self, at: float, frame: Frame) -> None:
        self.frames.append(frame)
        message = decode(frame)
        if isinstance(message, VehicleStatus):
            self.car = message

    def cycle(self) -> None:
        car = self.car
        if not self.on or car is None:
            return
        if car.enabled and self.wires.state["k"]:
            self.status = replace(self.status, locked=True)
            self.wires.put("d2", True)
            if not car.contactor_open and car.current_request > 0:
                self.status = replace(self.status, running=True, stopping=False)
        elif self.status.running and not self.deaf:
            self.status = replace(self.status, running=False, stopping=True)
        self.source.asked = self.push if self.status.running else 0.0
        self.wires.inlet = self.source.reading().voltage if self.wires.closed else 0.0
        self.status = replace(self.status, output_voltage=round(self.wires.inlet))
        for message in (self.capability, self.status, ChargerDischarge(0, 500, 15, 250), ChargerDischargeTime(2)):
            self.port.send(message.encode())

    def last(self, number: int) -> bytes:
        return next(frame.data for frame in reversed(self.frames) if frame.id == number)


class Desk:
    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.bus = VirtualBus(self.clock)
        self.wires = FakeInterface(self.clock)
        self.source = FakeSource(self.clock)
        self.charger = ObedientCharger(self.clock, self.bus, self.wires, self.source)
        self.car = Car(self.clock, self.bus, self.wires, self.source)

    def session(self, soc: float = 0.5) -> Desk:
        self.car.plug_in(soc)
        self.charger.start()
        waited = self.car.wait_for(P.RUNNING, 30.0)
        assert math.isfinite(waited), (self.car.phase, self.car.stop_reason, self.car.vehicle.stop_detail)
        return self


def test_a_session_from_plug_to_sleep() -> None:
    desk = Desk()
    desk.car.set_charge_current(10.0)
    desk.car.set_discharge_limit(12.0)
    desk.session(soc=0.62)
    desk.clock.sleep(3.0)
    assert desk.car.in_session
    assert desk.car.contactor_closed
    assert desk.charger.last(0x102)[3] == 10
    assert desk.charger.last(0x102)[6] == 62
    assert desk.charger.last(0x200)[0] == 255 - 12
    desk.car.request_stop()
    assert math.isfinite(desk.car.wait_for(P.ENDED, 6.0))
    assert not desk.car.contactor_closed
    desk.charger.off()
    assert math.isfinite(desk.car.wait_for(P.ASLEEP, 0.1))
    assert desk.car.stop_reason is R.USER
    assert desk.source.on  # still plugged in
    desk.car.unplug()
    assert not desk.source.on
    assert not desk.car.plugged_in


def test_the_pack_follows_the_current_and_the_source_follows_the_pack() -> None:
    desk = Desk().session(soc=0.5)
    desk.car.set_levels(minimum=0.1)
    desk.clock.sleep(2.0)
    desk.charger.push = -15.0
    before, soc = desk.source.set[-1][0], desk.car.soc
    desk.clock.sleep(600.0)
    taken = soc - desk.car.soc
    assert taken == pytest.approx(15.0 * 600.0 / 3600.0 / 65.0, rel=0.1)  # 65-66 Ah pack, chademo.md 4
    assert desk.source.set[-1][0] < before
    assert desk.source.set[-1][0] == pytest.approx(desk.car.pack.source_voltage(), abs=0.01)


def test_pack_and_inlet_are_read_as_often_as_it_matters() -> None:
    desk = Desk().session()
    desk.clock.sleep(2.0)
    reads, inlets, charger = desk.source.reads, desk.wires.inlet_reads, 100
    desk.clock.sleep(10.0)
    assert desk.source.reads - reads == 10 + charger  # the charger of this test looks once a cycle
    assert desk.wires.inlet_reads == inlets
    desk.car.request_stop()
    desk.clock.sleep(2.0)
    assert desk.wires.inlet_reads - inlets >= 15


def test_an_instrument_error_comes_out_in_the_foreground() -> None:
    desk = Desk().session()
    desk.charger.on = False
    desk.source.broken = True
    with pytest.raises(LostInstrument, match="no answer"):
        desk.clock.sleep(1.5)


def test_a_source_that_does_not_come_up_is_refused() -> None:
    desk = Desk()
    desk.source.imitate = lambda *a: desk.source.set.append(a)  # type: ignore[method-assign]
    with pytest.raises(InstrumentError, match=r"terminals at 0.0 V"):
        desk.car.plug_in(0.5)
    assert not desk.car.plugged_in
    assert not desk.wires.state["proximity"]


@pytest.mark.parametrize("soc", [-0.01, 50.0])
def test_soc_is_a_fraction(soc: float) -> None:
    with pytest.raises(UseError, match=r"fraction 0\.\.1"):
        Desk().car.plug_in(soc)


def test_twice_in_is_refused_and_twice_out_is_not() -> None:
    desk = Desk()
    desk.car.plug_in(0.5)
    with pytest.raises(UseError, match="unplug"):
        desk.car.plug_in(0.5)
    desk.car.unplug()
    desk.car.unplug()
    desk.car.plug_in(0.6)
    assert desk.car.soc == pytest.approx(0.6)


def test_unplugged_in_session_the_source_stays_until_the_contactors_are_open() -> None:
    desk = Desk().session()
    desk.charger.push = 10.0
    desk.clock.sleep(2.0)
    desk.car.unplug()
    assert desk.source.on
    desk.clock.sleep(0.1)
    assert desk.car.stop_reason is R.UNPLUGGED
    desk.charger.push = 0.0
    desk.car.plug_in(0.4)  # waits for the car to be asleep
    assert not desk.wires.closed
    assert desk.car.soc == pytest.approx(0.4, abs=1e-3)
    desk.charger.off()
    desk.charger.on = False
    desk.clock.sleep(5.0)
    reads = desk.source.reads
    desk.clock.sleep(10.0)
    assert desk.source.reads - reads == 10  # one periodic task, not two


def test_a_charger_that_was_ready_before_the_plug() -> None:
    desk = Desk()
    desk.wires.state["d1"] = True  # nobody has been told
    desk.car.plug_in(0.5)
    desk.clock.sleep(1.0)
    assert desk.car.phase is P.GREETING


def test_the_inlet_is_unknown_while_it_is_not_read() -> None:
    desk = Desk().session()
    inlets: dict[VehiclePhase, set[bool]] = {}
    step = desk.car.vehicle.step

    def spy(now: float, event: VehicleIn | None) -> Step[VehicleOut]:
        if isinstance(event, PackState):
            inlets.setdefault(desk.car.phase, set()).add(math.isnan(event.inlet_voltage))
        return step(now, event)

    desk.car.vehicle.step = spy  # type: ignore[method-assign]
    desk.clock.sleep(3.0)
    desk.car.request_stop()
    desk.car.wait_for(P.ENDED, 6.0)
    assert inlets[P.RUNNING] == {True}
    assert inlets[P.WELD_CHECK] == {False}


def test_between_two_readings_the_mean_current_counts() -> None:
    clock = VirtualClock()
    source = FakeSource(clock)
    pack = ImitatedPack(clock, source, LEAF_24KWH)
    pack.rest(0.5, 25.0)
    clock.sleep(100.0)
    source.asked = 20.0
    pack.update()
    ramp = pack.model.soc - 0.5
    clock.sleep(100.0)
    pack.update()
    assert pack.model.soc - 0.5 - ramp == pytest.approx(2 * ramp, rel=1e-6)


def test_a_new_pack_is_not_held() -> None:
    desk = Desk()
    desk.car.plug_in(0.5)
    desk.car.hold_pack(300.0)
    desk.clock.sleep(10.0)
    desk.car.unplug()
    desk.car.plug_in(0.5)
    assert desk.source.set[-1][0] == pytest.approx(desk.car.pack.source_voltage(), abs=0.01)


def test_hold_pack_pulls_the_source_down_and_lets_it_back() -> None:
    desk = Desk().session()
    desk.clock.sleep(2.0)
    start = desk.source.set[-1][0]
    desk.car.hold_pack(start - 20.0, rate=10.0)
    desk.clock.sleep(1.0)
    assert start - 12.0 <= desk.source.set[-1][0] <= start - 8.0
    desk.clock.sleep(3.0)
    assert desk.source.set[-1][0] == pytest.approx(start - 20.0, abs=0.02)
    desk.car.hold_pack(None)
    desk.clock.sleep(3.0)
    assert desk.source.set[-1][0] == pytest.approx(desk.car.pack.source_voltage(), abs=0.02)
    desk.charger.on, desk.wires.inlet = False, 0.0
    desk.wires.put("d1", False)
    desk.clock.sleep(6.0)
    reads = desk.source.reads
    desk.clock.sleep(10.0)
    assert desk.source.reads - reads == 10  # not pulled any more: no hurry


def test_an_undervoltage_ends_the_session_with_its_fault() -> None:
    desk = Desk().session()
    desk.charger.push = -5.0
    desk.car.hold_pack(235.0, rate=50.0)
    desk.clock.sleep(5.0)
    assert desk.car.stop_reason is R.FAULT
    assert desk.car.vehicle.stop_detail == "battery_undervoltage"


@pytest.mark.parametrize(("voltage", "rate"), [(0.0, 1.0), (501.0, 1.0), (300.0, 0.0)])
def test_impossible_holds_are_refused(voltage: float, rate: float) -> None:
    with pytest.raises(UseError, match="hold_pack"):
        Desk().car.hold_pack(voltage, rate)


def test_every_verb_reaches_the_bus() -> None:
    desk = Desk().session()
    desk.clock.sleep(2.0)
    desk.car.withdraw_discharge()
    desk.clock.sleep(0.2)
    assert not desk.charger.last(0x102)[5] & 0x80
    desk.car.silence(0x200)
    desk.clock.sleep(0.2)
    desk.charger.frames.clear()
    desk.clock.sleep(1.0)
    assert {frame.id for frame in desk.charger.frames} == {0x100, 0x101, 0x102}
    desk.car.speak()
    desk.clock.sleep(0.2)
    assert isinstance(decode(Frame(0x200, desk.charger.last(0x200))), DischargeLimits)
    desk.charger.deaf = True
    desk.car.shift(True, lone=True)
    desk.clock.sleep(0.2)
    assert desk.charger.last(0x102)[5] & 0x03 == 0x03
    desk.car.shift(False)
    desk.car.release_k()
    desk.clock.sleep(0.2)
    assert not desk.wires.state["k"]
    assert desk.charger.last(0x102)[5] & 0x03 == 0x01
    desk.clock.sleep(2.6)
    assert desk.car.stop_reason is R.K_RELEASED


def test_enable_alone_makes_the_charger_stop() -> None:
    desk = Desk().session()
    desk.clock.sleep(1.0)
    desk.car.withdraw_enable()
    desk.clock.sleep(0.5)
    assert desk.car.stop_reason is R.CHARGER_STOP


def test_faults_are_latched_until_sleep_and_forgotten_by_the_next_plug() -> None:
    desk = Desk().session()
    desk.car.raise_fault("high_temperature")
    desk.clock.sleep(0.2)
    desk.car.clear_faults()
    desk.clock.sleep(0.5)
    assert desk.charger.last(0x102)[4] == 0x08
    desk.car.wait_for(P.ENDED, 6.0)
    desk.charger.off()
    desk.car.unplug()
    desk.car.raise_fault("high_temperature")
    desk.session()
    assert desk.charger.last(0x102)[4] == 0


def test_silence_of_all_frames() -> None:
    desk = Desk().session()
    desk.car.silence()
    desk.clock.sleep(0.2)
    assert desk.car.wishes.silent == frozenset(EV_FRAMES)
    desk.charger.frames.clear()
    desk.clock.sleep(0.5)
    assert desk.charger.frames == []


# -- ending it


def test_a_charger_that_does_not_stop_is_choked_before_the_contactors_open() -> None:
    desk = Desk().session()
    desk.charger.push, desk.charger.deaf = 14.0, True
    desk.clock.sleep(2.0)
    desk.car.request_stop()
    currents = []
    desk.car.wait_for(P.STOPPING, 0.2)
    while desk.car.phase is P.STOPPING:
        currents.append(desk.source.current)
        desk.clock.sleep(0.05)
    assert desk.wires.commands[-1][1] is False
    assert max(currents) == 14.0
    assert currents[-1] == CHOKE
    assert not desk.car.vehicle.opened_under_load
    desk.clock.sleep(0.2)
    assert desk.source.set[-1][2:] == (40.0, 40.0)


def test_make_safe_in_session() -> None:
    desk = Desk().session()
    desk.charger.push = 14.0
    desk.clock.sleep(2.0)
    start = desk.clock.now()
    state = desk.car.make_safe()
    assert state.confirmed
    assert "EV contactors open" in state.readings
    assert not desk.wires.closed
    assert not desk.wires.state["k"]
    assert not desk.wires.state["proximity"]
    assert desk.clock.now() - start < SAFE_WITHIN
    again = desk.car.make_safe()
    assert again.confirmed


def test_make_safe_of_a_car_that_was_never_plugged() -> None:
    assert Desk().car.make_safe().confirmed


def test_make_safe_goes_on_when_the_source_is_lost() -> None:
    desk = Desk().session()
    desk.charger.on = False  # the charger of this test reads the source too
    desk.source.broken = True
    state = desk.car.make_safe()
    assert state.confirmed
    assert any("LostInstrument" in reading for reading in state.readings)
    assert not desk.wires.closed


def test_make_safe_refuses_to_call_a_welded_contactor_safe() -> None:
    desk = Desk().session()
    desk.wires.sticks = True
    with pytest.raises(UnsafeState, match="still closed"):
        desk.car.make_safe()


def test_make_safe_without_its_interface_is_not_safe() -> None:
    desk = Desk().session()
    desk.wires.broken = True
    with pytest.raises(UnsafeState, match="does not answer"):
        desk.car.make_safe()


def test_closed_it_is_off_the_bus() -> None:
    desk = Desk().session()
    desk.car.close()
    desk.car.close()
    desk.clock.sleep(0.001)  # what was on the wire still arrives
    desk.charger.frames.clear()
    desk.clock.sleep(1.0)
    assert desk.charger.frames == []


# -- misbehaviour, and other models of car


def test_a_misbehaving_car_goes_on_inside_as_if_nothing_were() -> None:
    desk = Desk().session()
    desk.car.misbehave("shows-overvoltage")
    assert desk.car.disturbed
    desk.charger.deaf = True
    desk.clock.sleep(1.0)
    assert desk.charger.last(0x102)[4] == 0x01
    assert desk.car.in_session
    desk.car.behave()
    desk.clock.sleep(0.2)
    assert desk.charger.last(0x102)[4] == 0x00
    assert desk.car.in_session


def test_misbehaviours_lie_over_one_another_and_are_gone_after_the_session() -> None:
    desk = Desk()
    desk.car.misbehave("target", 450.0)
    desk.car.misbehave("shows-shifted")
    desk.car.plug_in(0.5)
    assert desk.car.disturbed
    desk.charger.start()
    desk.clock.sleep(1.5)
    assert desk.charger.last(0x102)[1:3] == (450).to_bytes(2, "little")
    assert desk.charger.last(0x102)[5] & 0x02
    desk.car.make_safe()
    desk.charger.off()
    desk.session()
    assert desk.charger.last(0x102)[1:3] == (410).to_bytes(2, "little")
    assert not desk.charger.last(0x102)[5] & 0x02
    assert not desk.car.disturbed


def test_a_held_k_is_on_the_wire_before_the_car_says_anything() -> None:
    desk = Desk()
    desk.car.misbehave("k-at-once")
    desk.clock.sleep(0.01)
    assert desk.wires.state["k"]
    assert desk.charger.frames == []


@pytest.mark.parametrize("wire", ["d1", "d2"])
def test_a_line_the_car_no_longer_sees_ends_its_session(wire: Wire) -> None:
    desk = Desk().session()
    assert wire in ("d1", "d2")
    desk.car.misread(wire, False)  # type: ignore[arg-type]
    desk.clock.sleep(0.5)
    assert desk.car.stop_reason is R.LINE_LOST
    assert not desk.wires.state["k"]
    assert desk.wires.state[wire]
    desk.wires.told(WireChanged(wire, True))
    desk.clock.sleep(0.2)
    assert desk.car.stop_reason is R.LINE_LOST


def test_a_car_becomes_another_and_is_itself_again() -> None:
    desk = Desk()
    profile = replace(LEAF.profile, name="small", target_voltage=Figure(370.0, "V", "test"))
    small = replace(LEAF, name="small", profile=profile)
    desk.car.become(small)
    desk.session()
    assert desk.charger.last(0x102)[1:3] == (370).to_bytes(2, "little")
    with pytest.raises(UseError, match="cannot become leaf-24kwh with its plug in"):
        desk.car.become()
    desk.car.make_safe()
    desk.charger.off()
    desk.car.become()
    assert desk.car.model is LEAF
    desk.session()
    assert desk.charger.last(0x102)[1:3] == (410).to_bytes(2, "little")


def test_a_silent_car_withholds_what_its_profile_adds_too() -> None:
    desk = Desk()
    extra = FixedFrame(0x201, bytes(8), "test")
    desk.car.become(replace(LEAF, name="more", profile=replace(LEAF.profile, frames=(extra,))))
    desk.session()
    desk.clock.sleep(0.5)
    assert desk.charger.last(0x201) == bytes(8)
    desk.car.silence()
    desk.clock.sleep(0.1)
    count = len(desk.charger.frames)
    desk.clock.sleep(0.5)
    assert len(desk.charger.frames) == count
