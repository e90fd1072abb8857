"""Driver of a charger whose buttons are bridged by relay contacts. Role: Charger. Never met hardware.

A press is a pulse, timed by the board, so the button is let go though the rig died. It has ended, and that is read
back, before a verb returns. What has no button is taken for how the charger stands when it is what is asked for by
default (rated power, automatic transfer, no reserve); anything else is an error of the bench, never of the device. What
its display shows comes from its signal contacts; its phase is theirs: running or idle.
"""

from __future__ import annotations

from typing import ClassVar

from instruments.relay_contacts.commands import BACKUP, FAULT, RUNNING, Button, Options
from rig.clock import Clock
from rig.errors import InstrumentError, UseError
from rig.roles import ChargerMode, ChargerState, DigitalIo, Identity


class ContactedCharger:
    """A charger behind relay contacts."""

    met_hardware: ClassVar[bool] = False

    def __init__(self, session: DigitalIo, options: Options, clock: Clock) -> None:
        self.resource = f"{session.resource} contacts"
        self._board, self._options, self._clock = session, options, clock
        self._mode: ChargerMode = "standby"

    def identity(self) -> Identity:
        """As the bench file says: contacts cannot."""
        options = self._options
        return Identity(options.maker, options.model, options.serial, "")

    def close(self) -> None:
        """Nothing of its own is open; the board is the bench's."""

    def start(self, mode: ChargerMode) -> None:
        """Press the mode's button: a session begins when a car is plugged in."""
        self._press(mode)
        self._mode = mode

    def set_mode(self, mode: ChargerMode) -> None:
        """Press the mode's button."""
        self._press(mode)
        self._mode = mode

    def set_power(self, power: float) -> None:
        """Nothing at rated power; there is no button for another. power: W."""
        if not 0.0 <= power <= self._options.power:
            raise UseError(f"{self.resource}: set_power({power}) must lie in 0..{self._options.power:g} W, its rating")
        if power != self._options.power:
            raise self._lacking(f"power of {power:g} W")

    def set_transfer(self, automatic: bool) -> None:
        """Nothing for automatic; there is no button for manual."""
        if not automatic:
            raise self._lacking("manual transfer")

    def move_house(self, backup: bool) -> None:
        """There is no button for it. backup: to the car."""
        raise self._lacking(f"house to {'backup' if backup else 'mains'}")

    def keep_meter(self, least: float | None, most: float | None) -> None:
        """Nothing for no bounds; there is no button for others. least, most: W."""
        if least is not None or most is not None:
            raise self._lacking("bounds at the meter")

    def set_reserve(self, soc: float) -> None:
        """Nothing for no reserve; there is no button for another. soc: 0..1."""
        if not 0.0 <= soc <= 1.0:
            raise UseError(f"{self.resource}: set_reserve({soc}) must be a fraction 0..1")
        if soc != 0.0:
            raise self._lacking("reserve")

    def stop(self) -> None:
        """Press stop."""
        self._press("stop")

    def emergency_stop(self) -> None:
        """Press its emergency stop."""
        self._press("emergency_stop")

    def reset(self) -> None:
        """Press reset."""
        self._press("reset")

    def state(self) -> ChargerState:
        """What its signal contacts show."""
        inputs = self._board.inputs()
        lacking = [name for name in (RUNNING, FAULT, BACKUP) if name not in inputs]
        if lacking:
            words = f"no input follows {', '.join(lacking)}; wire it and name it in [digital_io] inputs"
            raise InstrumentError(self.resource, "state", words)
        fault = "signalled" if inputs[FAULT] else ""
        phase = "fault" if fault else "running" if inputs[RUNNING] else "idle"
        return ChargerState(phase, self._mode, fault, inputs[BACKUP])

    def _press(self, button: Button) -> None:
        output = self._options.outputs[button]
        if not output:
            raise self._lacking(f"{button.replace('_', ' ')} button")
        self._board.pulse(output, self._options.pulse)
        self._clock.sleep(self._options.pulse + self._options.gap)
        if self._board.outputs()[output - 1]:
            words = f"the contact of output {output} is still closed; look at the board"
            raise InstrumentError(self.resource, button, words)

    def _lacking(self, what: str) -> InstrumentError:
        words = "no contact is across one; wire it, or press it by hand (driver operator)"
        return InstrumentError(self.resource, what, words)


def open_driver(session: DigitalIo, options: Options, clock: Clock) -> ContactedCharger:
    """A charger behind the bench's board."""
    return ContactedCharger(session, options, clock)
