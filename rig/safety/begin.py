"""Which benches have a supervisor, and what it is told of them."""

from __future__ import annotations

import os

from rig.bench_config import BenchConfig, PartConfig, PartName
from rig.clock import Clock, RealClock
from rig.drivers import Registry
from rig.profile import Profile
from rig.safety.envelope import levels
from rig.safety.guard import Guard
from rig.safety.lease import Lease
from rig.safety.orders import Orders, PartOrder
from rig.safety.resources import local_port

OUTPUTS: tuple[PartName, ...] = ("charger", "vehicle", "battery", "grid", "house_l1", "house_l2", "digital_io")
"""Parts that move energy, and the panel of the device under test, which is only ever told to stop."""


def begin_guard(
    config: BenchConfig, registry: Registry, profile: Profile, clock: Clock, lease: Lease | None
) -> Guard | None:
    """A supervisor for the real outputs of a bench in real time; None where there are none, or where the bench file
    wants none. It is not armed yet, but where the bench was abandoned it is, and has brought it down."""
    parts = [config.parts[name] for name in OUTPUTS if name in config.parts and not config.parts[name].emulated]
    # A person is no hand of its own, and contacts are the board's.
    real = [part for part in parts if registry[part.driver].transport not in ("prompts", "contacts")]
    if (
        not isinstance(clock, RealClock)
        or not config.safety.supervisor
        or not any(one.name != "charger" for one in real)
    ):
        return None
    first = lease is not None and lease.abandoned
    safety = config.safety
    orders = Orders(
        bench=config.bench.name,
        origin=clock.origin,
        pid=os.getpid(),
        parts=tuple(_order(part, registry, safety.alone) for part in real),
        levels=levels(safety, profile.ratings),
        heartbeat=safety.heartbeat,
        clock=safety.clock,
        conductor=safety.conductor,
        estop=safety.estop,
        lease="" if lease is None else str(lease.folder),
        held=() if lease is None else lease.handles,
        first=first,
    )
    guard = Guard(clock, orders)
    if first:
        guard.await_armed()
    return guard


def _order(part: PartConfig, registry: Registry, alone: tuple[str, ...]) -> PartOrder:
    """A serial line has one owner; what takes messages over a network usually serves several, unless told otherwise."""
    shared = registry[part.driver].transport == "visa" and not local_port(part.resource) and part.name not in alone
    return PartOrder(
        name=part.name, driver=part.driver, resource=part.resource, options=dict(part.options), held=shared
    )
