"""The emulated charger's ECHONET Lite node: frames to buttons, its display to properties.

It takes a SetC, SetI, Get or INF_REQ to its charger object, all instances included, and answers nothing else: a
datagram that is no frame, or is for another object, changes nothing. A SetC is taken property by property in its order,
and refused ones stand in the SetC_SNA with their value. It announces nothing of itself, and says so in its map.
"""

from __future__ import annotations

from zlib import crc32

from instruments.echonet_lite import commands as c
from instruments.echonet_lite.frame import REFUSAL, RESPONSE, Eoj, Esv, Frame, Prop, decode, encode, property_map
from instruments.evps.commands import NONE
from instruments.evps.commands import Options as EvpsOptions
from instruments.evps.emulator import build as build_charger
from rig.can.frame import Frame as CanFrame
from rig.chademo.codec import VehicleStatus
from rig.chademo.codec import decode as decode_can
from rig.lines.frame import Line
from rig.lines.frame import decode as decode_line
from rig.lines.frame import encode as encode_line
from rig.plant.world import World

THINKING = 0.05
"""s a home gateway needs for an answer (project choice; other nodes take up to seconds)."""
MAKER_CODE = bytes((0xFF, 0xFF, 0xFE))
"""Of nobody; 0xFFFFFE is kept for experiments (M)."""
BOUND = {"calling", "locking", "checking", "testing", "bleeding", "coupling", "matching", "ready"}
ENDING = {"stopping", "opening", "releasing"}
WATTS = {c.CHARGE_POWER.epc, c.DISCHARGE_POWER.epc}
METHODS = {c.CHARGING_METHOD.epc: c.CHARGE_POWER, c.DISCHARGING_METHOD.epc: c.DISCHARGE_POWER}


class EmulatedNode:
    """One charger object. power: W asked for, by EPC of its setting. method: by EPC."""

    thinking = THINKING

    def __init__(self, world: World, options: c.Options) -> None:
        self._world, self._options = world, options
        self._charger = build_charger(
            world, EvpsOptions.model_validate({"power": options.power, "transfers": options.transfers})
        )
        self._mode = c.IDLE
        self._charged = 0  # %, as the car says
        if world.bus is not None:
            world.bus.watch(self._seen)
        self._power = dict.fromkeys(WATTS, round(options.power))
        self._method = dict.fromkeys(METHODS, 0x01)  # as much as it can
        own = options.own
        self._own = {epc: 0 for epc in (own.reserve, own.transfer, own.emergency_stop, own.reset) if epc}
        rows = [row for row in c.TABLE.values() if row is not c.ANNOUNCES]
        self._readable = sorted({row.epc for row in rows if "g" in row.access} | {c.ANNOUNCES.epc, *self._own})
        self._settable = sorted({c.MODE.epc, *WATTS, *METHODS, *self._own})

    def process(self, datagram: bytes) -> bytes | None:
        """The answer to a datagram; None where none is due."""
        try:
            frame = decode(datagram)
        except ValueError:
            return None
        group, kind, instance = frame.target
        if (group, kind) != c.CHARGER or instance not in (0, self._options.instance) or frame.service not in REFUSAL:
            return None
        setting = frame.service in (Esv.SET_C, Esv.SET_I)
        done = [self._set(one) if setting else self._get(one) for one in frame.props]
        good = all(one is not None for one in done)
        if good and frame.service is Esv.SET_I:
            return None
        props = tuple(
            (Prop(one.epc) if setting else Prop(one.epc, found)) if found is not None else one
            for one, found in zip(frame.props, done, strict=True)
        )
        service = RESPONSE[frame.service] if good else REFUSAL[frame.service]
        source = Eoj(*c.CHARGER, self._options.instance)
        return encode(Frame(frame.tid, source, frame.source, service, props))

    def _seen(self, at: float, sender: str, frame: CanFrame) -> None:
        if frame.id != 0x102:
            return
        status = decode_can(frame)
        if isinstance(status, VehicleStatus):
            self._charged = min(100, status.charged_rate)

    # -- set

    def _set(self, one: Prop) -> bytes | None:
        """Nothing when it was taken, None when not."""
        epc = one.epc
        size = c.TABLE[epc].size if epc in c.TABLE else 1
        if epc not in self._settable or len(one.data) != size:
            return None
        value = int.from_bytes(one.data, "big")
        if epc == c.MODE.epc:
            taken = self._set_mode(value)
        elif epc in WATTS:
            taken = value <= self._options.power
            self._power[epc] = value if taken else self._power[epc]
        elif epc in METHODS:
            taken = value in (0x01, c.DESIGNATED_POWER)
            self._method[epc] = value if taken else self._method[epc]
        else:
            taken = self._set_own(epc, value)
        if taken and (epc in WATTS or epc in METHODS):
            self._apply_power()
        return b"" if taken else None

    def _set_mode(self, value: int) -> bool:
        names = {code: name for name, code in c.MODES.items()}
        if value == c.IDLE:
            taken = self._press("STOP") is not None
        elif value in names:
            phase = self._display()[0]
            word = "MODE" if phase in BOUND or phase == "running" else "START"
            taken = self._press(f"{word} {names[value]}") is not None
        else:
            return False
        if taken:
            self._mode = value
            self._apply_power()
        return taken

    def _apply_power(self) -> None:
        """The charger has one figure; it is that of the direction."""
        method = c.DISCHARGING_METHOD if self._mode == c.DISCHARGING else c.CHARGING_METHOD
        designated = self._method[method.epc] == c.DESIGNATED_POWER
        watts = self._power[METHODS[method.epc].epc] if designated else self._options.power
        self._press(f"POWER {watts:g}")

    def _set_own(self, epc: int, value: int) -> bool:
        own = self._options.own
        if epc == own.reserve:
            body = f"RESERVE {value / 100.0:g}"
        elif epc == own.transfer and value in (c.AUTOMATIC, c.MANUAL):
            body = f"TRANSFER {'auto' if value == c.AUTOMATIC else 'manual'}"
        elif value == c.DO and epc in (own.emergency_stop, own.reset):
            body = "ESTOP" if epc == own.emergency_stop else "RESET"
        else:
            return False
        if self._press(body) is None:
            return False
        self._own[epc] = value
        return True

    # -- got

    def _get(self, one: Prop) -> bytes | None:
        if one.data or one.epc not in self._readable:
            return None
        if one.epc in self._own:
            return bytes((self._own[one.epc],))
        row = c.TABLE[one.epc]
        fixed = {
            c.STANDARD: b"\0\0R\0",
            c.MAKER: MAKER_CODE,
            c.PRODUCT: b"EMULATED".ljust(12, b"\0"),
            c.SERIAL: b"1".ljust(12, b"\0"),
            c.ANNOUNCES: property_map(()),
            c.SETTABLE: property_map(self._settable),
            c.READABLE: property_map(self._readable),
        }
        return fixed[row] if row in fixed else row.pack(self._value(row))

    def _value(self, row: c.Property) -> int:
        phase, backup, fault = self._display()
        plant = self._world.plant
        if row.epc in WATTS:
            return self._power[row.epc]
        if row.epc in METHODS:
            return self._method[row.epc]
        if row in (c.RATED_CHARGE, c.RATED_DISCHARGE):
            return round(self._options.power)
        values = {
            c.OPERATION: c.ON,
            c.PLACE: 0,
            c.FAULT: c.FAULTY if fault else c.SOUND,
            c.FAULT_CODE: crc32(fault.encode()) & 0xFFFF if fault else 0,
            c.POWER_NOW: -round(plant.at("evps_l1").p + plant.at("evps_l2").p),
            c.MODE: self._mode,
            c.INTERCONNECTED: c.INDEPENDENT if backup else c.PARALLEL,
            c.ACTUAL: self._actual(phase),
            c.REMAINING: self._charged,
        }
        return values[row]

    def _actual(self, phase: str) -> int:
        if phase == "running":
            return self._mode if self._mode != c.IDLE else c.OTHER
        if phase in BOUND or phase in ENDING:
            return c.PREPARATION
        return c.IDLE

    # -- the charger

    def _display(self) -> tuple[str, bool, str]:
        """Phase, whether it feeds the house, fault."""
        phase, _, backup, fault = (self._press("STATE?") or "off standby 0 -").split(" ")
        return phase, backup == "1", "" if fault == NONE else fault

    def _press(self, body: str) -> str | None:
        """What the service port says; None when it refuses."""
        raw = self._charger.process(encode_line(Line(">", 0, body)))
        line = None if raw is None else decode_line(raw)
        return line.body if line is not None and line.kind == "<" else None


def build(world: World, options: c.Options) -> EmulatedNode:
    """The node of the charger in a world."""
    return EmulatedNode(world, options)
