"""Whatever a charger, wires and a pack do to the car: it never crashes, and its contactors stay bounded and honest."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rig.can.frame import Frame
from rig.chademo.codec import ChargerCapability, ChargerDischarge, ChargerDischargeTime, ChargerStatus
from rig.chademo.events import ContactorMoved, PackState, VehicleOut, WireChanged
from rig.chademo.vehicle import Vehicle
from rig.chademo.vehicle_state import EV_FRAMES, FAULTS, Wishes
from rig.clock import VirtualClock
from rig.machine import run_on

# Longest time with k off and the contactors told closed: the grace of a lone k (2.5 s), the bounded opening (4.0 s),
# and one gap between two frames.
BOUND = 2.5 + 4.0 + 0.1


class World:
    """A charger that behaves, until something is done to it; and a witness of what the car does."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.vehicle = Vehicle()
        self.pack = PackState(374.0, 0.0, 0.5, 25.0, 0.0)
        self.status = ChargerStatus(2, 0, 0, True)
        self.capability = ChargerCapability(True, 500, 15, 435)
        self.talks = True
        self.d = {"d1": True, "d2": False, "proximity": True}
        self.contact = False
        self.k_off_since: float | None = 0.0
        self.offer = 255
        self.request = 0
        self.spoken_at = -1.0
        self.runner = run_on(self.clock, self.vehicle, self.witness)
        for wire in ("proximity", "d1"):
            self.runner.tell(WireChanged(wire, True))
        self.clock.every(0.1, self.cycle)
        self.clock.at(6.0, self.lock)
        self.clock.at(9.5, self.run)

    def lock(self) -> None:
        self.status = replace(self.status, locked=True)
        self.wire("d2", True)

    def run(self) -> None:
        self.status = replace(self.status, running=True, stopping=False, output_voltage=374)

    def wire(self, name: str, on: bool) -> None:
        self.d[name] = on
        self.runner.tell(WireChanged(name, on))
        if not (self.d["d1"] and self.d["d2"]):
            self.move(False)

    def move(self, closed: bool) -> None:
        closed &= self.d["d1"] and self.d["d2"]
        if closed != self.contact:
            self.contact = closed
            self.runner.tell(ContactorMoved(closed))

    def cycle(self) -> None:
        if self.talks:
            for message in (self.capability, self.status, ChargerDischarge(0, 500, 15, 250), ChargerDischargeTime(2)):
                self.hear(message.encode())
        self.runner.tell(self.pack)
        self.check_bound()

    def hear(self, frame: Frame) -> None:
        if frame.id == 0x108 and len(frame.data) == 8:
            self.offer = frame.data[3]
        self.runner.tell(frame)

    def check_bound(self) -> None:
        if self.k_off_since is not None and self.vehicle.contactor_asked:
            assert self.clock.now() - self.k_off_since <= BOUND

    def witness(self, out: VehicleOut) -> None:
        now, vehicle = self.clock.now(), self.vehicle
        if isinstance(out, WireChanged):
            assert out.wire == "k"
            self.k_off_since = None if out.on else now
        elif isinstance(out, ContactorMoved):
            if out.closed:
                assert self.pack.inlet_voltage <= 20.0
                assert vehicle.k or vehicle.wishes.k_released
            elif self.contact and abs(self.pack.current) > 5.0:
                assert vehicle.opened_under_load
            self.clock.at(now + 0.03, lambda: self.move(out.closed))
        else:
            self.check_frame(now, out)

    def check_frame(self, now: float, frame: Frame) -> None:
        assert frame.id in EV_FRAMES
        assert len(frame.data) == 8
        assert now - self.spoken_at > 0.0099 or self.spoken_at < 0
        self.spoken_at = now
        if frame.id == 0x102:
            request, enabled = frame.data[3], frame.data[5] & 1
            assert request <= self.offer or request == 0
            assert request <= self.request + 2 or request == 0
            assert not enabled or self.vehicle.k or self.vehicle.wishes.k_released
            self.request = request


statuses = st.builds(
    ChargerStatus,
    protocol=st.integers(0, 3),
    output_voltage=st.integers(0, 600),
    output_current=st.integers(0, 255),
    discharge_compatible=st.booleans(),
    running=st.booleans(),
    malfunction=st.booleans(),
    locked=st.booleans(),
    battery_incompatible=st.booleans(),
    system_malfunction=st.booleans(),
    stopping=st.booleans(),
)
capabilities = st.builds(
    ChargerCapability,
    available_voltage=st.integers(0, 600),
    available_current=st.integers(0, 255),
    threshold_voltage=st.integers(0, 600),
)
packs = st.builds(
    PackState,
    voltage=st.floats(0, 500),
    current=st.floats(-60, 60),
    soc=st.floats(-0.1, 1.1),
    temperature=st.floats(-40, 90),
    inlet_voltage=st.one_of(st.floats(0, 600), st.just(float("nan"))),
)
wishes = st.builds(
    Wishes,
    charge_current=st.one_of(st.none(), st.floats(0, 255)),
    discharge_limit=st.one_of(st.none(), st.floats(0, 255)),
    faults=st.frozensets(st.sampled_from(FAULTS), max_size=1),
    shifted=st.booleans(),
    discharge_withdrawn=st.booleans(),
    k_released=st.booleans(),
    enable_withdrawn=st.booleans(),
    lone_signal=st.booleans(),
    silent=st.frozensets(st.sampled_from(EV_FRAMES)),
)
frames = st.builds(
    Frame,
    st.sampled_from((0x108, 0x109, 0x208, 0x209, 0x118, 0x102, 0x7FF)),
    st.one_of(st.binary(min_size=8, max_size=8), st.binary(max_size=8)),
)
currents = st.floats(-60, 60)
incidents = st.one_of(
    st.tuples(st.just("status"), statuses),
    st.tuples(st.just("capability"), capabilities),
    st.tuples(st.just("pack"), packs),
    st.tuples(st.just("current"), currents),
    st.tuples(st.just("wishes"), wishes),
    st.tuples(st.just("frame"), frames),
    st.tuples(st.just("wire"), st.tuples(st.sampled_from(("d1", "d2", "proximity", "k", "lock")), st.booleans())),
    st.tuples(st.just("talks"), st.booleans()),
    st.tuples(st.just("drop"), st.just(None)),
    st.tuples(st.just("stop"), st.just(None)),
)


def happen(world: World, kind: str, value: object) -> None:
    if kind == "status":
        world.status = value
    elif kind == "capability":
        world.capability = value
    elif kind == "pack":
        world.pack = value
    elif kind == "current":
        world.pack = replace(world.pack, current=value)
    elif kind == "wishes":
        world.vehicle.wishes = value
    elif kind == "frame":
        world.hear(value)
    elif kind == "wire":
        world.wire(*value)
    elif kind == "talks":
        world.talks = value
    elif kind == "drop":
        world.move(False)
    else:
        world.vehicle.press_stop()


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from((0.3, 2.0, 5.0, 7.0, 8.2, 10.5, 13.0)),
    st.lists(st.tuples(st.sampled_from((0.0, 0.005, 0.05, 0.3, 1.1, 3.0)), incidents), max_size=12),
)
def test_nothing_makes_it_crash_or_leaves_its_contactors_unbounded(
    start: float, story: list[tuple[float, tuple[str, object]]]
) -> None:
    world = World()
    world.clock.sleep(start)
    for pause, (kind, value) in story:
        happen(world, kind, value)
        world.clock.sleep(pause)
    # The story over, the charger goes away: whatever the state, the car lets go.
    world.wire("d1", False)
    world.wire("d2", False)
    world.clock.sleep(BOUND)
    assert not world.vehicle.contactor_asked
    assert not world.vehicle.k
    assert not world.contact


def test_without_incident_the_story_reaches_power() -> None:
    world = World()
    world.clock.sleep(13.0)
    assert world.vehicle.phase.value == "running"
    assert world.contact
    assert world.request == 15
