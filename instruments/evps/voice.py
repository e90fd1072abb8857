"""What the charger says: 108, 109, 208, 209 back to back, every 100 ms from its first (chademo.md 0).

A frame is packed anew only when what it says has changed. Currents are measured ones: 109.3 holds what flows into the
car, 208.0 what flows out of it, the other is 0 (chademo.md 1).
"""

from __future__ import annotations

import math

from instruments.evps.behaviour import Behaviour
from instruments.evps.situation import Situation
from rig.can.frame import Frame
from rig.chademo.codec import ChargerCapability, ChargerDischarge, ChargerDischargeTime, ChargerStatus
from rig.chademo.messages import USE_MINUTES

LONGEST = 255
"""min that 109.7 and 209 are kept below (one byte; project choice for 209)."""


class Voice:
    """The charger's four frames and the flags of 109.5."""

    def __init__(self, b: Behaviour) -> None:
        self._b = b
        self._frames: dict[int, tuple[object, Frame]] = {}
        self._burst: tuple[Frame, ...] = ()
        self.stale = True
        """Something may have changed since the last cycle."""
        self.clear()
        self.silence()

    def behave(self, b: Behaviour) -> None:
        """Say it as this behaviour would."""
        self._b, self.stale = b, True

    def clear(self) -> None:
        """No fault is shown any more."""
        self.malfunction = self.system_malfunction = self.incompatible = False

    def silence(self) -> None:
        """Say nothing until the next `begin`; faults stay as they are."""
        self.next = math.inf
        """s, next cycle."""
        self.running = self.locked = False
        self.stopping = True
        self.offer = self._b.dc_current
        self._start, self._count = 0.0, 0

    def begin(self, now: float) -> None:
        """The car has spoken; the first cycle follows."""
        if math.isinf(self.next):
            self._start, self._count = now + self._b.first_frame, 0
            self.next = self._start

    def say(self, now: float, s: Situation) -> tuple[Frame, ...]:
        """The frames of a cycle that is due. A late call skips what was missed."""
        b = self._b
        self._count = max(self._count, int((now - self._start) / b.cycle + 1e-6)) + 1
        self.next = self._start + self._count * b.cycle
        if self.stale or self._count <= 2:
            self.stale = False
            self._burst = (self._capability(s), self._status(s))
            if b.discharge_frames:
                self._burst += (self._discharge(s), self._time(s))
        return self._burst

    def _capability(self, s: Situation) -> Frame:
        key = (self.offer, s.threshold)
        kept = self._frames.get(0x108)
        if kept is not None and kept[0] == key:
            return kept[1]
        message = ChargerCapability(True, self._b.dc_voltage, self.offer, s.threshold)
        return self._keep(0x108, key, message.encode())

    def _status(self, s: Situation) -> Frame:
        b = self._b
        u = s.status.target_voltage if b.echoes_target and s.status is not None else s.u
        volts = round(max(0.0, u + (b.voltage_report_offset if s.u > b.bled else 0.0)))
        amperes = round(max(0.0, s.i) * b.current_report_gain)
        minutes = self._minutes_left(s)
        flags = (self.running, self.malfunction, self.locked, self.incompatible, self.system_malfunction, self.stopping)
        key = (volts, amperes, minutes, flags)
        kept = self._frames.get(0x109)
        if kept is not None and kept[0] == key:
            return kept[1]
        tens, left = (USE_MINUTES, minutes * 60.0) if minutes or not self.stopping else (0.0, 0.0)
        message = ChargerStatus(b.protocol, volts, amperes, True, *flags, tens, left)
        return self._keep(0x109, key, message.encode())

    def _minutes_left(self, s: Situation) -> int:
        """Minutes of 101 still to charge, counted down (chademo.md 1 0x109)."""
        if not self.running or self.stopping or s.times is None:
            return 0
        return max(0, min(LONGEST, math.ceil((s.times.max_charge_time - s.charged_for) / 60.0)))

    def _discharge(self, s: Situation) -> Frame:
        b = self._b
        # chademo.md 5 log A: the very first 208 offers nothing; then it stands
        offer = b.dc_current + b.discharge_overstated if self._count > 1 else 0.0
        amperes = round(max(0.0, -s.i) * b.current_report_gain)
        key = (amperes, offer)
        kept = self._frames.get(0x208)
        if kept is not None and kept[0] == key:
            return kept[1]
        message = ChargerDischarge(amperes, b.dc_voltage, offer, b.dc_voltage_min)
        return self._keep(0x208, key, message.encode())

    def _time(self, s: Situation) -> Frame:
        minutes = _minutes_to_floor(s)
        kept = self._frames.get(0x209)
        if kept is not None and kept[0] == minutes:
            return kept[1]
        return self._keep(0x209, minutes, ChargerDischargeTime(self._b.sequence, minutes * 60.0).encode())

    def _keep(self, number: int, key: object, frame: Frame) -> Frame:
        self._frames[number] = (key, frame)
        return frame


def _minutes_to_floor(s: Situation) -> int:
    """Minutes until the car's floor at the present power; 0 when it does not discharge or nothing is known."""
    if s.i > -1.0 or s.soc is None or s.times is None:
        return 0
    joules = max(0.0, s.soc - max(s.floor, s.reserve)) * s.times.rated_capacity
    return min(LONGEST, math.ceil(joules / (s.u * -s.i) / 60.0)) if s.u > 0.0 else 0
