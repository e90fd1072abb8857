"""What a car may do, whatever it hears: the facts on CHAdeMO held against what it says and does. It knows no vehicle
machine; it hears the same frames, wires and pack, and keeps of them what it needs, in its own way.

A frame counts when it has an 11-bit identifier and 8 bytes (chademo.md 0); everything else is noise.

  contactors close   only with d1, d2, proximity and k on, charging enabled said (102.5.0), the plug locked (109.5.2),
                     no fault in 109.5, a charger heard within a second, and at most 20 V at the inlet (chademo.md 2, 3)
  current is asked   only while all of that holds and the contactors are closed; never more than 108.3 offers; rising by
                     no more than 2 A from frame to frame
  discharge is let   only to a charger that has said it can (109.4.0), under the same
  contactors open    at 5 A or less, unless it owns up to it
  k off              contactors told to open within 6.5 s (2.5 s and 4 s)
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from benchmarks.fuzz.engine import Wrong
from rig.can.frame import Frame
from rig.chademo.events import ContactorMoved, PackState, WireChanged

SILENT_AFTER = 1.0 + 0.1 + 0.02
"""s: ten frames missed, seen at the car's next cycle."""
LETS_GO_WITHIN = 2.5 + 4.0 + 0.1
FAULTS = 0b0001_1010
"""109.5.1, 109.5.3, 109.5.4."""


@dataclass
class Witness:
    """Of one car."""

    wires: dict[str, bool] = field(default_factory=dict)
    pack: PackState | None = None
    closed: bool = False
    told_closed: bool = False
    enabled: bool = False
    can_discharge: bool = False
    request: int = 0
    spoken: float = -math.inf
    k_off: float | None = 0.0
    heard: dict[int, tuple[float, bytes]] = field(default_factory=dict)

    def told(self, now: float, event: Frame | WireChanged | ContactorMoved | PackState) -> None:
        """The same that the car is told."""
        match event:
            case Frame(id, data) if id in (0x108, 0x109) and len(data) == 8:
                self.heard[id] = (now, data)
                self.can_discharge |= id == 0x109 and bool(data[4] & 1)
            case WireChanged(wire, on):
                self.wires[wire] = on
            case ContactorMoved(closed):
                self.closed = closed
            case PackState():
                self.pack = event
            case _:
                pass

    def does(self, now: float, out: Frame | WireChanged | ContactorMoved, owns_up: bool) -> None:
        """What the car does. owns_up: it says that it opened under load."""
        match out:
            case WireChanged("k", on):
                self.wires["k"] = on
                self.k_off = None if on else now
            case WireChanged():
                raise Wrong(f"{now:.3f} s: the car drives {out.wire}")
            case ContactorMoved(True):
                self.told_closed = True
                if why := self._not_fit(now) or self._inlet_live():
                    raise Wrong(f"{now:.3f} s: contactors told to close though {why}")
            case ContactorMoved(False):
                self.told_closed = False
                if self.closed and self.pack is not None and abs(self.pack.current) > 5.0 and not owns_up:
                    raise Wrong(f"{now:.3f} s: contactors told to open at {self.pack.current:.1f} A")
            case Frame():
                self._says(now, out)

    def look(self, now: float) -> None:
        """Bounds in time."""
        if self.told_closed and self.k_off is not None and now - self.k_off > LETS_GO_WITHIN:
            raise Wrong(f"{now:.3f} s: contactors still told closed {now - self.k_off:.1f} s after k")

    def _says(self, now: float, frame: Frame) -> None:
        if len(frame.data) != 8 or frame.id not in (0x100, 0x101, 0x102, 0x200):
            raise Wrong(f"{now:.3f} s: the car says {frame}", "crash")
        if now - self.spoken < 0.0099:
            raise Wrong(f"{now:.3f} s: the car says {frame} {now - self.spoken:.4f} s after the one before", "crash")
        self.spoken = now
        if frame.id == 0x102:
            self._asks(now, frame.data)
        elif frame.id == 0x200 and 255 - frame.data[0] > 0:
            why = self._not_flowing(now) or ("" if self.can_discharge else "the charger never said it can")
            if why:
                raise Wrong(f"{now:.3f} s: discharge of {255 - frame.data[0]} A is let though {why}")

    def _asks(self, now: float, data: bytes) -> None:
        request, self.enabled = data[3], bool(data[5] & 1)
        if self.enabled and not self.wires.get("k"):
            raise Wrong(f"{now:.3f} s: charging enabled is said while k is off")
        if request > self.request + 2:
            raise Wrong(f"{now:.3f} s: the request rises from {self.request} to {request} A in one frame")
        if request and (why := self._not_flowing(now) or self._offered_less(request)):
            raise Wrong(f"{now:.3f} s: {request} A are asked for though {why}")
        self.request = request

    def _not_fit(self, now: float) -> str:
        for wire in ("proximity", "d1", "d2", "k"):
            if not self.wires.get(wire):
                return f"{wire} is off"
        for id in (0x108, 0x109):
            if now - self.heard.get(id, (-math.inf, b""))[0] > SILENT_AFTER:
                return f"0x{id:X} has not been heard for {SILENT_AFTER} s"
        status = self.heard[0x109][1][5]
        if status & FAULTS:
            return f"109.5 says a fault ({status:#04x})"
        if not status & 0b100:
            return "109.5.2 says unlocked"
        return "" if self.enabled else "it has not said that charging is enabled"

    def _not_flowing(self, now: float) -> str:
        return self._not_fit(now) or ("" if self.closed else "the contactors are open")

    def _inlet_live(self) -> str:
        volts = math.nan if self.pack is None else self.pack.inlet_voltage
        return "" if volts <= 20.0 else f"there are {volts} V at the inlet"

    def _offered_less(self, request: int) -> str:
        offered = self.heard[0x108][1][3]
        return "" if request <= offered else f"108.3 offers {offered} A"
