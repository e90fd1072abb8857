"""What the car hears: charger frames, wires, contacts and its own pack, kept in the Situation.

A frame that repeats the last one of its kind costs a look-up and changes nothing but the time it was heard at. Only
frames the charger has sent once, or must send, are missed: 108 and 109 always, 208 when it says it can discharge
(chademo.md 1, 0x109), 209 and 208 once they have been there.
"""

from __future__ import annotations

from rig.can.frame import Frame
from rig.chademo.codec import ChargerCapability, ChargerDischarge, ChargerStatus, Message, decode
from rig.chademo.events import ContactorMoved, PackState, WireChanged
from rig.chademo.vehicle_causes import Situation
from rig.chademo.vehicle_voice import NOT_DUE
from rig.units import NS_PER_S, to_ns

CHARGER_FRAMES = (0x108, 0x109, 0x208, 0x209)


class Ears:
    """Sorts what comes in. `hear` and `take` say whether something has changed."""

    def __init__(self, situation: Situation) -> None:
        self._s = situation
        self._frames: dict[int, Frame] = {}
        self._last: dict[int, Message] = {}
        self._heard_at: dict[int, int] = {}
        self._unmasked_at = NOT_DUE

    def begin(self, t: int) -> None:
        """A new session: forget the last charger."""
        s = self._s
        self._frames.clear()
        self._last.clear()
        self._heard_at = {0x108: t, 0x109: t}
        self._unmasked_at = NOT_DUE
        s.capability, s.status, s.discharge = None, None, None
        s.silent, s.full, s.v2h, s.deviations = False, False, False, 0
        s.lasting.clear()

    def expect(self, t: int, frame: int) -> None:
        """From now on the charger must send this frame."""
        self._heard_at.setdefault(frame, t)

    def listen(self, t: int) -> bool:
        """Once a cycle: is the charger still there? True when that has changed."""
        silent = min(self._heard_at.values()) < t - to_ns(self._s.profile.silence_limit.value)
        changed = silent != self._s.silent
        self._s.silent = silent
        return changed

    def repeats(self, now: float, frame: Frame) -> bool:
        """Whether a frame (at s) is one that says the same as the one before, and nothing but that it came is to be
        noted. Of a 109 each one counts."""
        number = frame[0]
        if number == 0x109 or self._frames.get(number) != frame:
            return False
        self._heard_at[number] = round(now * NS_PER_S)
        return True

    def hear(self, t: int, frame: Frame, flowing: bool) -> bool:
        """Take a frame. flowing: the session runs, so that both sides' voltages must agree. False when nothing
        follows."""
        if self._s.voice.next_ns == NOT_DUE:
            return False
        number = frame.id
        repeats = self._frames.get(number) == frame
        if not repeats and not self._learn(frame):
            return False
        self._heard_at[number] = t
        return (number == 0x109 and self._compare(t, self._last[number], flowing)) or not repeats

    def take(self, t: int, event: WireChanged | ContactorMoved | PackState) -> bool:
        """Take anything else. False when nothing follows."""
        s = self._s
        if isinstance(event, PackState):
            s.pack, s.pack_at = event, t
            rate = max(0, min(100, int(event.soc * 100 + 1e-6)))
            if rate != s.voice.rate:
                s.voice.rate = rate
                s.voice.touch()
        elif isinstance(event, ContactorMoved):
            s.contactor_closed = event.closed
        elif event.wire == "d1":
            s.d1 = event.on
        elif event.wire == "d2":
            s.d2 = event.on
        elif event.wire == "proximity":
            s.proximity = event.on
        else:
            return False  # k is our own; the lock is heard in 109.5.2
        return True

    def _learn(self, frame: Frame) -> bool:
        """Note what a new frame says. False when it says nothing to a car."""
        message = decode(frame) if frame.id in CHARGER_FRAMES else None
        if message is None:
            return False
        self._frames[frame.id], self._last[frame.id] = frame, message
        self._note(message)
        return True

    def _note(self, message: Message) -> None:
        s = self._s
        if isinstance(message, ChargerStatus):
            s.status = message
            old = message.protocol < 2  # chademo.md 1 0x102: 1 is 0.9
            if old != s.voice.old_charger:
                s.voice.old_charger = old
                s.voice.touch()
        elif isinstance(message, ChargerCapability):
            s.capability = message
            s.voice.request_cap = message.available_current
        elif isinstance(message, ChargerDischarge):
            s.discharge = message

    def _compare(self, t: int, message: Message, flowing: bool) -> bool:
        """Count 109s whose voltage is not the car's own (chademo.md 3). True when there are too many."""
        s, p = self._s, self._s.profile
        if not flowing:
            s.deviations, self._unmasked_at = 0, NOT_DUE
            return False
        if self._unmasked_at == NOT_DUE:
            self._unmasked_at = t + to_ns(p.deviation_mask.value)
        if s.pack is None or not isinstance(message, ChargerStatus) or t < self._unmasked_at:
            return False
        apart = abs(s.pack.voltage - message.output_voltage) > p.deviation_voltage.value * s.pack.voltage
        s.deviations = s.deviations + 1 if apart else 0
        return s.deviations >= p.deviation_count.value
