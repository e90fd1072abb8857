"""What the vehicle interface box understands and says: protocol 1, our own. For builders: docs/vehicle-interface.md.

Lines are framed, tagged and checked as rig/lines/frame.py says. Bodies: TABLE, its source our own page; and by itself

  event line           <micros> <name> <bit>
                       name: d1 d2 k proximity lock contactor watchdog; bit: its new state (watchdog: 1)

micros counts microseconds since power-on and never wraps (a 32 bit timer is extended by software). Every request may be
repeated without harm.

Watchdog. It watches while any output is active (k, proximity or the contactor coils). A host that is silent for longer
trips it: k is dropped at once, which tells the charger to bring its current down; the contactor coils follow
OPEN_DELAY later, not at once, because contactors must not open under load; proximity stays as it is. After a trip WIRE
and CONTACTOR refuse to switch anything on until RESET.

Refusals are "<code> <words>": the table REFUSALS.
"""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from rig.chademo.events import Wire
from rig.lines.session import BAUD
from rig.lines.table import Request

PROTOCOL: Final = 1
IDENTITY: Final = "v2hrig,vehicle-interface"

WIRES: Final[tuple[Wire, ...]] = ("d1", "d2", "k", "proximity", "lock")
DRIVEN: Final[tuple[Wire, ...]] = ("k", "proximity")
STATE_BITS: Final = (*WIRES, "contactor", "demand", "tripped")
"""Order of the bits of STATE?. contactor: its auxiliary contact. demand: its coils are energised."""

TABLE: Final = (
    Request("ID?", "v2hrig,vehicle-interface,<serial>,<firmware>,<protocol>", "who answers"),
    Request("TIME?", "<micros> <events>", "counter now, event lines sent since power-on"),
    Request("STATE?", "<micros> <events> <bits>", "STATE_BITS, each 0 or 1"),
    Request("WIRE <wire> <bit>", "<wire> <bit>", "drives k or proximity"),
    Request("CONTACTOR <bit>", "contactor <bit>", "energises (or not) the coils of the EV contactor pair"),
    Request("VOLT?", "<micros> <volts>", "inlet voltage, connector side of the contactor, two decimals"),
    Request("WATCHDOG <s>", "watchdog <s>", "how long the host may be silent"),
    Request("RESET", "reset", "acknowledges a trip"),
    Request("EVENT <nn>", "<micros> <name> <bit>", "an event line that was missed, while it is kept"),
)
FIELDS: Final = {
    "serial": r"[^,]+", "firmware": r"[^,]+", "protocol": r"\d+", "micros": r"\d+", "events": r"\d+", "bits": "[01]{8}",
    "wire": "k|proximity", "bit": "[01]", "volts": r"-?\d+\.\d\d", "s": r"\d+(?:\.\d+)?", "nn": "[0-9A-F]{2}",
    "name": "d1|d2|k|proximity|lock|contactor|watchdog",
}  # fmt: skip

OPEN_DELAY: Final = 2.5
"""s from k off to the coils off (chademo.md 2 stop: the EVSE has 0.5 s for 5 A or less after k off [CLARA], and the EV
waits up to 2.5 s before it may open)."""
WATCHDOG_SHORTEST: Final = 0.2
WATCHDOG_LONGEST: Final = 60.0
"""s (project choice)."""

FORM, UNKNOWN, VALUE, TRIPPED, NOT_KEPT = 1, 2, 3, 5, 6
REFUSALS: Final = {
    FORM: "malformed request",
    UNKNOWN: "unknown request",
    VALUE: "value not allowed",
    TRIPPED: "watchdog tripped; send RESET",
    NOT_KEPT: "event not kept",
}


class Options(BaseModel):
    """Keys of a bench part. baud: bit/s of the port. watchdog: s the box lets the host be silent while it drives
    anything; the host speaks four times as often."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    baud: int = Field(BAUD, ge=9600, le=4_000_000)
    watchdog: float = Field(4.0, ge=WATCHDOG_SHORTEST, le=WATCHDOG_LONGEST)
