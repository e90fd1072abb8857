"""Everything that ends a session, as one table: what is done, and on which sentence of the facts the answer rests.

Each signal of the car is shown alone and for good by an overlay (rig.chademo.vehicle_overlays): the car goes on as if
nothing were, so that the charger must end the session by itself (chademo.md 2 safety times: signals are redundant).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from fixtures.words import Bench
from suites.chademo_protocol.stages import ALL, BEFORE_POWER, COUPLED, SPOKEN, Stage

Requirement = Literal["CHA-022", ""]


@dataclass(frozen=True)
class Trigger:
    """id: in the name of the case. stages: in which it can be shown at all. fault: it is latched at the charger."""

    id: str
    act: Callable[[Bench], None]
    source: str
    stages: tuple[Stage, ...] = ALL
    requirement: Requirement = ""
    fault: bool = False

    def __str__(self) -> str:
        return self.id


def _shows(id: str, overlay: str, source: str, stages: tuple[Stage, ...] = ALL) -> Trigger:
    return Trigger(id, lambda bench: bench.car.misbehave(overlay), source, stages, "CHA-022")


TRIGGERS: tuple[Trigger, ...] = (
    _shows("102.4.0-overvoltage", "shows-overvoltage", "chademo.md 3, 102.4.0: stop control regardless of j [BE]"),
    _shows("102.4.1-undervoltage", "shows-undervoltage", "chademo.md 3, 102.4.1: stop [BE]"),
    _shows("102.4.2-current-deviation", "shows-current-deviation", "chademo.md 3, 102.4.2: stop [CLARA]"),
    _shows("102.4.3-high-temperature", "shows-high-temperature", "chademo.md 3, 102.4.3: stop ([BE] forgets it)"),
    _shows("102.4.4-voltage-deviation", "shows-voltage-deviation", "chademo.md 3, 102.4.4: stop [JLD]"),
    _shows("102.5.0-enable-off", "withholds-enable", "chademo.md 3, 102.5.0=0: stop; 2 step 3: no test while it is 0"),
    _shows("102.5.1-not-in-park", "shows-shifted", "chademo.md 3, 102.5.1=1: stop"),
    _shows("102.5.2-system-fault", "shows-system-fault", "chademo.md 3, 102.5.2=1: stop"),
    _shows("102.5.4-stop-before-start", "shows-stop-before",
           "chademo.md 3, 102.5.4=1 (before start): stop; 1: only valid until first current request", BEFORE_POWER),
    _shows("target-voltage-0", "target-zero", "chademo.md 3: target V drops to 0, stop [BE]"),
    _shows("k-off", "withholds-k", "chademo.md 3, k off: stop; 2 step 3 [BE]: enable with k off is an inconsistency"),
    Trigger("d1-lost", lambda bench: bench.car.misread("d1", False),
            "chademo.md 2 safety times [FURDOG]: stop immediately on loss of a control line"),
    Trigger("d2-lost", lambda bench: bench.car.misread("d2", False),
            "chademo.md 2 safety times [FURDOG]: stop immediately on loss of a control line", COUPLED),
    Trigger("can-silent", lambda bench: bench.car.silence(),
            "chademo.md 2 safety times: stop on loss of CAN; CAN timeout 1 s [JLD][CLARA]"),
    Trigger("can-102-silent", lambda bench: bench.car.silence(0x102),
            "chademo.md 2 CAN timeout 1 s [JLD][CLARA]; standards.md CHA-012", SPOKEN),
    Trigger("unplugged", lambda bench: bench.car.unplug(),
            "chademo.md 2 safety times [FURDOG]: proximity is a control line, stop immediately"),
    Trigger("car-stops", lambda bench: bench.car.request_stop(),
            "chademo.md 2 stop (EV initiated): k off, 102.5.0=0, request 0", SPOKEN),
    Trigger("operator-stop", lambda bench: bench.charger.stop(),
            "chademo.md 2 stop (EVSE initiated): 109.5.5=1, current to 5 A, 109.5.0=0; log A"),
    Trigger("emergency-stop", lambda bench: bench.charger.emergency_stop(),
            "chademo.md 2 emergency/fault [BE]: 5.1/5.4 + 5.5, lines dropped, latched until power cycle", fault=True),
)  # fmt: skip
