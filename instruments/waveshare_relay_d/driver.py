"""Driver of the Waveshare Modbus RTU Relay (D). Role: DigitalIo. Never met hardware.

Every write is read back. The board has no watchdog: a held output is for what may stay as it is when the rig dies; what
must end by itself is a pulse, which the board times.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from instruments.waveshare_relay_d import commands as c
from rig.clock import Clock
from rig.errors import InstrumentError, LostInstrument, UnsafeState, UseError
from rig.modbus.session import ModbusSession
from rig.roles import Identity, SafeState


class WaveshareRelayD:
    """Eight relays, eight inputs."""

    met_hardware: ClassVar[bool] = False
    channels: ClassVar[int] = c.CHANNELS

    def __init__(self, session: ModbusSession, options: c.Options) -> None:
        self.resource = session.resource
        self._session, self._options = session, options

    def identity(self) -> Identity:
        """The board tells its firmware only; its number is its address on the line."""
        data = self._ask("version", c.READ_REGISTERS, c.VERSION, 1)
        if len(data) != 3 or data[0] != 2:
            raise self._nonsense("version", data)
        version = int.from_bytes(data[1:], "big") / 100.0
        return Identity("Waveshare", "Modbus RTU Relay (D)", f"unit {self._options.unit}", f"{version:.2f}")

    def close(self) -> None:
        """End the session. Relays stay as they are."""
        self._session.close()

    def switch(self, output: int, on: bool) -> None:
        """Hold a relay on or off. output: 1..channels."""
        self._check(output)
        with self._session.lock:
            self._write(f"relay {output} {'on' if on else 'off'}", c.RELAYS + output - 1, c.ON if on else c.OFF)
            if self.outputs()[output - 1] is not on:
                words = f"the relay is still {'off' if on else 'on'}; look at the board"
                raise InstrumentError(self.resource, f"relay {output}", words)

    def pulse(self, output: int, seconds: float) -> None:
        """Close a relay for seconds, timed by the board."""
        self._check(output)
        if not c.STEP <= seconds <= c.LONGEST_PULSE:
            raise UseError(f"{self.resource}: pulse({seconds}) must lie in {c.STEP:g}..{c.LONGEST_PULSE:g} s")
        steps = round(seconds / c.STEP)
        self._write(f"relay {output} for {steps * c.STEP:g} s", c.MOMENTARY + output - 1, steps)

    def outputs(self) -> tuple[bool, ...]:
        """Every relay as the board says."""
        return self._bits("relays", c.READ_COILS, c.RELAYS)

    def inputs(self) -> Mapping[str, bool]:
        """What is wired, by its name."""
        bits = self._bits("inputs", c.READ_INPUTS, c.INPUTS)
        return {name: bits[channel - 1] for channel, name in self._options.inputs.items()}

    def make_safe(self) -> SafeState:
        """Every relay open, read back."""
        try:
            with self._session.lock:
                self._write("all relays off", c.ALL, c.OFF)
                closed = [str(n) for n, on in enumerate(self.outputs(), 1) if on]
        except LostInstrument as error:
            raise UnsafeState(f"{error}; relays unknown: switch the board's supply off") from error
        except InstrumentError as error:
            return SafeState(False, (str(error),))
        return SafeState(not closed, (f"relays {', '.join(closed)} CLOSED" if closed else "relays open",))

    def _check(self, output: int) -> None:
        if not 1 <= output <= c.CHANNELS:
            raise UseError(f"{self.resource}: output {output} is none of 1..{c.CHANNELS}")

    def _write(self, what: str, address: int, value: int) -> None:
        answer = self._ask(what, c.WRITE_COIL, address, value)
        if answer != address.to_bytes(2, "big") + value.to_bytes(2, "big"):
            raise self._nonsense(what, answer)

    def _bits(self, what: str, function: int, address: int) -> tuple[bool, ...]:
        data = self._ask(what, function, address, c.CHANNELS)
        if len(data) != 2 or data[0] != 1:
            raise self._nonsense(what, data)
        return tuple(bool(data[1] >> n & 1) for n in range(c.CHANNELS))

    def _ask(self, what: str, function: int, address: int, value: int) -> bytes:
        """What follows the function code in the answer."""
        pdu = bytes((function,)) + address.to_bytes(2, "big") + value.to_bytes(2, "big")
        answer = self._session.request(bytes((self._options.unit,)) + pdu)
        if len(answer) == 2 and answer[0] == function | 0x80:
            words = c.EXCEPTIONS.get(answer[1], "not in the standard")
            raise InstrumentError(self.resource, what, f"exception {answer[1]}: {words}; is it this board?")
        if answer[0] != function:
            raise self._nonsense(what, answer)
        return answer[1:]

    def _nonsense(self, what: str, answer: bytes) -> InstrumentError:
        return InstrumentError(self.resource, what, f"answers {answer.hex(' ')}, which is none; is it this board?")


def open_driver(session: ModbusSession, options: c.Options, clock: Clock) -> WaveshareRelayD:  # noqa: ARG001
    """The board on a line. (Every driver is opened alike; its session keeps the time.)"""
    return WaveshareRelayD(session, options)
