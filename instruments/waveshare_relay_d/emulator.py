"""Emulated Waveshare Modbus RTU Relay (D): coils and inputs in a world, a Modbus slave in front of them.

It answers its own unit only, and an unknown function, address or value with the standard's exception. Its inputs follow
what the bench file says is wired to them; the emergency stop's chain of an emulated bench is closed,
until `estop_opens`.
"""

from __future__ import annotations

from functools import partial

from instruments.waveshare_relay_d import commands as c
from rig.clock import Cancel
from rig.modbus.frame import whole
from rig.plant.world import World

THINKING = 0.005
"""s the board needs for a request (project choice)."""
FIRMWARE = 200
ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE = 1, 2, 3


class EmulatedRelayD:
    """State of the relays, and who follows the inputs."""

    def __init__(self, world: World, options: c.Options) -> None:
        self._world, self._options = world, options
        self.relays = [False] * c.CHANNELS
        self._letting_go: dict[int, Cancel] = {}

    def latency(self, raw: bytes) -> float:
        return THINKING

    def process(self, raw: bytes) -> bytes | None:
        """Unit and PDU in; a whole frame out, or nothing for another unit."""
        if len(raw) < 2 or raw[0] != self._options.unit:
            return None
        answer = self._answer(raw[1], raw[2:])
        pdu = bytes((raw[1] | 0x80, answer)) if isinstance(answer, int) else bytes((raw[1],)) + answer
        return whole(bytes((raw[0],)) + pdu, server=True)

    def _answer(self, function: int, data: bytes) -> bytes | int:
        """What follows the function code, or the number of an exception."""
        if function not in (c.READ_COILS, c.READ_INPUTS, c.READ_REGISTERS, c.WRITE_COIL):
            return ILLEGAL_FUNCTION
        if len(data) != 4:
            return ILLEGAL_VALUE
        address, value = int.from_bytes(data[:2], "big"), int.from_bytes(data[2:], "big")
        if function == c.WRITE_COIL:
            return self._write(address, value) or data
        if function == c.READ_REGISTERS:
            return b"\x02" + FIRMWARE.to_bytes(2, "big") if (address, value) == (c.VERSION, 1) else ILLEGAL_ADDRESS
        if value < 1 or address + value > c.CHANNELS:
            return ILLEGAL_ADDRESS
        bits = self.relays if function == c.READ_COILS else [self._input(n) for n in range(1, c.CHANNELS + 1)]
        return bytes((1, sum(bit << n for n, bit in enumerate(bits[address : address + value]))))

    def _write(self, address: int, value: int) -> int:
        """0, or the number of an exception."""
        if c.RELAYS <= address < c.RELAYS + c.CHANNELS or address == c.ALL:
            if value not in (c.ON, c.OFF):
                return ILLEGAL_VALUE
            for n in range(c.CHANNELS) if address == c.ALL else [address - c.RELAYS]:
                self._set(n, value == c.ON)
            return 0
        if c.MOMENTARY <= address < c.MOMENTARY + c.CHANNELS:
            if not 1 <= value <= c.LONGEST_PULSE / c.STEP:
                return ILLEGAL_VALUE
            n, clock = address - c.MOMENTARY, self._world.clock
            self._set(n, True)
            self._letting_go[n] = clock.at(clock.now() + value * c.STEP, partial(self._set, n, False))
            return 0
        return ILLEGAL_ADDRESS

    def _set(self, n: int, on: bool) -> None:
        if (cancel := self._letting_go.pop(n, None)) is not None:
            cancel()
        if self.relays[n] != on:
            self.relays[n] = on
            self._world.strip.move(n + 1, on)

    def _input(self, channel: int) -> bool:
        plant = self._world.plant
        match self._options.inputs.get(channel):
            case "estop":
                opens = self._options.estop_opens
                return opens is None or self._world.clock.now() < opens
            case "ev_contactor":
                return plant.ev_contactor_closed
            case "pcs":
                return plant.pcs_closed
            case None:
                return False
            case name:
                signal = self._world.strip.signals.get(name)
                return signal is not None and signal()


def build(world: World, options: c.Options) -> EmulatedRelayD:
    """The board in a world."""
    return EmulatedRelayD(world, options)
