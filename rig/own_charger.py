"""The public interface of a charger of your own: what it is given, and what the rig asks of it. Version 1.

A bench file names a class (`[charger] emulator = "module:Class"`). It is made once, with its Terminals, and lives on
the bench's clock from then on: it hears frames, watches wires, commands a power stage in the emulated circuit and says
its frames, as hardware would. The rig presses its buttons through the same driver as any charger's (instruments/evps),
so no suite can tell whose it is. Terminals reach only what a real charger's own electronics reach.

Version: `interface` of the class must be INTERFACE. A change that would break a charger written for it raises the
number; what is only added does not.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal, Protocol

from rig.can.frame import Frame
from rig.plant.ports import Operating, StageCommand, StageReading
from rig.roles import ChargerMode, ChargerState

INTERFACE: Final = 1

Listener = Callable[[float, Frame], None]
"""Called with s of bench time and the frame."""
Driven = Literal["d1", "d2", "lock"]
"""Wires and the connector lock a charger drives."""
Seen = Literal["k", "proximity"]
"""Wires it sees."""


class Terminals(Protocol):
    """A charger's own electronics. Times in s of bench time; V, A, W, Hz."""

    legs: int
    """Legs of the service: 1 or 2."""
    u_nominal: float
    """V rms of a leg."""
    f_nominal: float
    """Hz."""

    def now(self) -> float:
        """s."""
        ...

    def every(self, period: float, call: Callable[[], None]) -> None:
        """Call it every `period` s from now on. It may not sleep."""
        ...

    def after(self, seconds: float, call: Callable[[], None]) -> None:
        """Call it once, that much later."""
        ...

    def send(self, frame: Frame) -> None:
        """A frame onto the CHAdeMO bus."""
        ...

    def on_frame(self, call: Listener) -> None:
        """Be told of every frame of the others."""
        ...

    def wire(self, name: Seen) -> bool:
        """Whether the car drives it."""
        ...

    def drive(self, name: Driven, on: bool) -> None:
        """A wire of its own."""
        ...

    def stage(self) -> StageReading:
        """What its sensors tell."""
        ...

    def command(self, stage: StageCommand) -> None:
        """Power stage, DC contactor and discharge resistor."""
        ...

    def insulation(self) -> float:
        """ohm to earth that its monitor sees."""
        ...

    def mains(self) -> tuple[Operating, ...]:
        """The mains side of its PCS contact, a leg each."""
        ...

    def close_pcs(self, closed: bool) -> None:
        """The coil of the contact between mains and house."""
        ...


class OwnCharger(Protocol):
    """Buttons and display. A button that may be repeated without harm, and is ignored where it means nothing.

    Raise ValueError to refuse one: its words reach the test as the charger's own, up to 100 characters of them. A
    charger that holds more than memory may have a `close()` besides, which is called when the bench is closed.
    """

    interface: int
    """INTERFACE it was written for."""

    def start(self, mode: ChargerMode) -> None:
        """A session begins when a car is plugged in."""
        ...

    def set_mode(self, mode: ChargerMode) -> None:
        """Change direction without a new session."""
        ...

    def set_power(self, power: float) -> None:
        """W at the AC side in either direction."""
        ...

    def set_transfer(self, automatic: bool) -> None:
        """Whether it transfers the house by itself when the mains is lost."""
        ...

    def set_reserve(self, soc: float) -> None:
        """Floor for discharge, 0..1."""
        ...

    def stop(self) -> None:
        """A normal end of the session."""
        ...

    def emergency_stop(self) -> None:
        """Its emergency stop."""
        ...

    def reset(self) -> None:
        """Acknowledge a latched fault."""
        ...

    def state(self) -> ChargerState:
        """What its display shows. phase and fault: single words."""
        ...


BUTTONS: Final = (
    *("start", "set_mode", "set_power", "set_transfer", "set_reserve"),
    *("stop", "emergency_stop", "reset", "state"),
)


def load_charger(where: str) -> Callable[[Terminals], OwnCharger]:
    """The class "module:Class" names, from what is installed or the folder the command was started in. ValueError, in
    one line, for what cannot serve."""
    module, colon, name = where.partition(":")
    if not colon or not module or not name.isidentifier():
        raise ValueError(f'{where!r} names no class; write emulator = "module:Class"')
    try:
        found = getattr(_imported(module), name, None)
    except Exception as error:  # noqa: BLE001 (whatever a module of the user raises)
        raise ValueError(f"{where!r} cannot be imported ({type(error).__name__}: {error}); mend {module}") from None
    if not isinstance(found, type):
        raise ValueError(f"{where!r}: {module} has no class {name}; mend the name")
    version = getattr(found, "interface", None)
    if version != INTERFACE:
        raise ValueError(
            f"{where!r} is written for interface {version!r}, this rig has {INTERFACE}; see rig.own_charger"
        )
    missing = [button for button in BUTTONS if not callable(getattr(found, button, None))]
    if missing:
        raise ValueError(f"{where!r} has no {', '.join(missing)}; add what rig.own_charger.OwnCharger names")
    return found


def _imported(module: str) -> object:
    here = str(Path.cwd())
    added = here not in sys.path
    if added:
        sys.path.append(here)
    try:
        return importlib.import_module(module)
    finally:
        if added:
            sys.path.remove(here)
