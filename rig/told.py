"""What a bench was told to do, said once for whoever keeps a record: the same roles, each verb announced.

Knows no journal. A verb is announced before it is carried out, so a refused one is on record too; a stop after it.
"""

from __future__ import annotations

from collections.abc import Callable

from rig.metrology.measurement import Measurement
from rig.roles import Charger, ChargerMode, ChargerState, ElectronicLoad, GridSimulator, Identity, Rating, SafeState

Value = bool | int | float | str
Hear = Callable[[str, dict[str, Value], dict[str, str]], None]
"""Called with what was told, its values, and the units of those that have one."""


class Told:
    """Announces stimuli to one listener at a time; without one they pass unheard."""

    def __init__(self) -> None:
        self.listener: Hear | None = None
        self.beside: Callable[[str, dict[str, Value]], None] | None = None
        """One that only looks on, beside the listener."""
        self.panel: ChargerState | None = None
        """What the charger's panel showed when it was last looked at."""
        self.mains_moved = False
        """The mains was changed since whoever looked put this back."""

    def say(self, what: str, units: dict[str, str] | None = None, **values: Value) -> None:
        """Announce. units: of the values that have one."""
        if self.listener is not None:
            self.listener(what, values, units or {})
        if self.beside is not None:
            self.beside(what, values)


class ToldLoad:
    """An electronic load whose verbs are announced."""

    def __init__(self, load: ElectronicLoad, place: str, told: Told) -> None:
        self._load, self._place, self._told = load, place, told
        self.resource, self.rating = load.resource, load.rating

    def draw(self, power: float) -> None:
        """As the role."""
        self._told.say(f"{self._place}: draw", {"power": "W"}, power=power)
        self._load.draw(power)

    def power(self) -> Measurement:
        """As the role."""
        return self._load.power()

    def voltage(self) -> Measurement:
        """As the role."""
        return self._load.voltage()

    def make_safe(self) -> SafeState:
        """As the role."""
        return self._load.make_safe()

    def identity(self) -> Identity:
        """As the role."""
        return self._load.identity()

    def close(self) -> None:
        """As the role."""
        self._load.close()


class ToldGrid:
    """A grid simulator whose verbs are announced."""

    def __init__(self, grid: GridSimulator, told: Told) -> None:
        self._grid, self._told = grid, told
        self.resource = grid.resource
        self.rating: Rating = grid.rating
        self._stands: tuple[float, float] | None = None

    def supply(self, voltage: float, frequency: float) -> None:
        """As the role."""
        self._told.say("mains: supply", {"voltage": "V", "frequency": "Hz"}, voltage=voltage, frequency=frequency)
        self._moves((voltage, frequency))
        self._grid.supply(voltage, frequency)

    def ramp(self, voltage: float, frequency: float, seconds: float) -> None:
        """As the role."""
        units = {"voltage": "V", "frequency": "Hz", "seconds": "s"}
        self._told.say("mains: ramp", units, voltage=voltage, frequency=frequency, seconds=seconds)
        self._moves((voltage, frequency))
        self._grid.ramp(voltage, frequency, seconds)

    def _moves(self, to: tuple[float, float] | None) -> None:
        """The mains goes to V and Hz; None: it goes, or goes and comes."""
        self._told.mains_moved |= to is None or to != self._stands
        self._stands = to

    def interrupt(self, at_angle: float | None = None) -> None:
        """As the role."""
        self._moves(None)
        if at_angle is None:
            self._told.say("mains: interrupt at once")
        else:
            self._told.say("mains: interrupt", {"at_angle": "deg"}, at_angle=at_angle)
        self._grid.interrupt(at_angle)

    def dip(self, voltage: float, seconds: float, at_angle: float = 0.0) -> None:
        """As the role."""
        units = {"voltage": "V", "seconds": "s", "at_angle": "deg"}
        self._told.say("mains: dip", units, voltage=voltage, seconds=seconds, at_angle=at_angle)
        self._told.mains_moved = True
        self._grid.dip(voltage, seconds, at_angle)

    def make_safe(self) -> SafeState:
        """As the role."""
        self._moves(None)
        return self._grid.make_safe()

    def identity(self) -> Identity:
        """As the role."""
        return self._grid.identity()

    def close(self) -> None:
        """As the role."""
        self._grid.close()


class ToldCharger:
    """A charger's panel whose presses are announced."""

    def __init__(self, charger: Charger, told: Told) -> None:
        self._charger, self._told = charger, told
        self.resource = charger.resource

    def start(self, mode: ChargerMode) -> None:
        """As the role."""
        self._told.say("charger: start", mode=mode)
        self._charger.start(mode)

    def set_mode(self, mode: ChargerMode) -> None:
        """As the role."""
        self._told.say("charger: set mode", mode=mode)
        self._charger.set_mode(mode)

    def set_power(self, power: float) -> None:
        """As the role."""
        self._told.say("charger: set power", {"power": "W"}, power=power)
        self._charger.set_power(power)

    def set_transfer(self, automatic: bool) -> None:
        """As the role."""
        self._told.say("charger: set transfer", automatic=automatic)
        self._charger.set_transfer(automatic)

    def move_house(self, backup: bool) -> None:
        """As the role."""
        self._told.say("charger: move house", backup=backup)
        self._charger.move_house(backup)

    def keep_meter(self, least: float | None, most: float | None) -> None:
        """As the role."""
        bounds = {name: bound for name, bound in (("least", least), ("most", most)) if bound is not None}
        self._told.say("charger: keep meter", dict.fromkeys(bounds, "W"), **bounds)
        self._charger.keep_meter(least, most)

    def set_reserve(self, soc: float) -> None:
        """As the role."""
        self._told.say("charger: set reserve", {"soc": "1"}, soc=soc)
        self._charger.set_reserve(soc)

    def stop(self) -> None:
        """As the role."""
        try:
            self._charger.stop()
        finally:  # a way down: said after it was done, so that nothing said can keep it from being done
            self._told.say("charger: stop")

    def emergency_stop(self) -> None:
        """As the role."""
        try:
            self._charger.emergency_stop()
        finally:
            self._told.say("charger: emergency stop")

    def reset(self) -> None:
        """As the role."""
        self._told.say("charger: reset")
        self._charger.reset()

    def state(self) -> ChargerState:
        """As the role."""
        state = self._told.panel = self._charger.state()
        return state

    def identity(self) -> Identity:
        """As the role."""
        return self._charger.identity()

    def close(self) -> None:
        """As the role."""
        self._charger.close()
