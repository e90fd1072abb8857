"""A charger that is an FMU, on its terminals: an OwnCharger like any other.

Theory
  It is looked at every communication step of the bench's clock. At bench time t its inputs are what is so at t, the
  step brings it from one step before t to t, and its outputs act at t, as with a controller that samples. FMU time 0 is
  the moment it was made. Between two steps only frames are heard (the last of each id counts) and, every 100 ms while
  can.speaks is true, said, with the values of the last step.

  A step that fails ends it: its power stage blocks, its contactor opens, d1 and d2 fall, as at hardware without its
  controller; the lock stays as it is. The world is told first, so that nothing of that is judged; the BenchFault is
  raised once, where the bench waits, and the display and every button but a stop say it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from rig.can.frame import Frame
from rig.chademo.messages import PERIOD, SPECS
from rig.errors import BenchFault
from rig.fmu.description import Description
from rig.fmu.instance import Instance
from rig.fmu.signals import LENGTH, pack, unpack
from rig.fmu.variables import BUTTONS, MODES, NO_FAULT, SAID_ALWAYS, STAGE_MODES, frames_of
from rig.own_charger import INTERFACE, Driven, Terminals
from rig.plant.ports import StageCommand
from rig.roles import ChargerMode, ChargerState

DRIVEN: Final[tuple[Driven, ...]] = ("d1", "d2", "lock")
FURTHEST_BEHIND = 1.0
"""s an FMU may be behind a real clock before it counts as too slow (project choice)."""
_HEARD = frozenset(spec.id for spec in frames_of("vehicle"))


class FmuCharger:
    """Buttons and display of an FMU. step: s. failed: told at once why it is none any more. BenchFault when it cannot
    begin."""

    interface = INTERFACE

    def __init__(
        self, terminals: Terminals, description: Description, step: float, failed: Callable[[str], None]
    ) -> None:
        self._t, self._step, self._failed = terminals, step, failed
        self._fault = ""
        self._begun, self._steps = terminals.now(), 0
        self._pressed: set[str] = set()
        self._heard: dict[int, bytes] = {}
        self._counts = dict.fromkeys(_HEARD, 0)
        self._voice = 0  # counts up whenever it begins or ends to speak, so that only the newest round of it goes on
        self._speaks = False
        self._driven: dict[Driven, bool] = {}
        self._pcs: bool | None = None
        service: dict[str, float] = {
            "service.legs": terminals.legs,
            "service.u_nominal": terminals.u_nominal,
            "service.f_nominal": terminals.f_nominal,
        }
        self._fmu = Instance(description, service)
        self._frames = [
            spec
            for spec in frames_of("charger")
            if spec.name in SAID_ALWAYS or any(name.startswith(f"{spec.name}.") for name in description.variables)
        ]
        terminals.on_frame(self._hear)
        terminals.every(step, partial(self._guarded, self._look))

    # -- buttons

    def start(self, mode: ChargerMode) -> None:
        """Press start."""
        self.set_mode(mode)
        self._press("start")

    def set_mode(self, mode: ChargerMode) -> None:
        """Hold set.mode."""
        self._set("set.mode", MODES.index(mode))

    def set_power(self, power: float) -> None:
        """Hold set.power, W."""
        self._set("set.power", power)

    def set_transfer(self, automatic: bool) -> None:
        """Hold set.transfer."""
        self._set("set.transfer", automatic)

    def set_reserve(self, soc: float) -> None:
        """Hold set.reserve, 0..1."""
        self._set("set.reserve", soc)

    def stop(self) -> None:
        """Press stop. One that has failed is at rest already."""
        if not self._fault:
            self._press("stop")

    def emergency_stop(self) -> None:
        """Press its emergency stop. One that has failed is at rest already."""
        if not self._fault:
            self._press("emergency_stop")

    def reset(self) -> None:
        """Press reset."""
        self._press("reset")

    def state(self) -> ChargerState:
        """What its display shows after its last step."""
        self._refuse_when_ended()
        try:
            fmu = self._fmu
            fault = fmu.word("display.fault")
            return ChargerState(
                fmu.word("display.phase"),
                MODES[self._one_of("display.mode", len(MODES))],
                "" if fault in NO_FAULT else fault,
                on_backup=bool(fmu.number("display.on_backup")),
            )
        except BenchFault as error:
            raise ValueError(str(error)) from None

    def close(self) -> None:
        """The bench is closed: terminated and freed. Idempotent."""
        self._fault = self._fault or "the bench is closed"
        self._fmu.close()

    def _set(self, name: str, value: float) -> None:
        self._refuse_when_ended()
        self._fmu.put(name, value)

    def _press(self, button: str) -> None:
        self._refuse_when_ended()
        self._pressed.add(button)

    def _refuse_when_ended(self) -> None:
        if self._fault:
            raise ValueError(self._fault)

    # -- a step

    def _guarded(self, do: Callable[[], None]) -> None:
        """Do it, unless it has failed already."""
        if self._fault:
            return
        try:
            do()
        except BenchFault as error:
            self._fault = str(error)
            self._failed(self._fault)  # before anybody can take what follows for the charger's doing
            self._t.command(StageCommand())
            for wire in ("d1", "d2"):
                self._t.drive(wire, False)
            self._fmu.close()
            raise

    def _look(self) -> None:
        """Up to now: one step in virtual time, what was missed as well on a real clock that was late."""
        due = round((self._t.now() - self._begun) / self._step)
        if (due - self._steps) * self._step > FURTHEST_BEHIND:
            words = f"{due - self._steps} steps behind the clock; give it a longer step or a faster machine"
            raise BenchFault(f"FMU {self._fmu.description.path.name}: {words}")
        while self._steps < due:
            self._sense()
            self._fmu.step(self._steps * self._step, self._step)
            self._steps += 1
            self._pressed.clear()
            self._act()

    def _sense(self) -> None:
        put, t = self._fmu.put, self._t
        for button in BUTTONS:
            put(f"button.{button}", button in self._pressed)
        put("wire.k", t.wire("k"))
        put("wire.proximity", t.wire("proximity"))
        stage = t.stage()
        put("stage.u_out", stage.u_out)
        put("stage.u_node", stage.u_node)
        put("stage.i_out", stage.i_out)
        put("stage.u_house_l1", stage.u_house[0])
        put("stage.u_house_l2", stage.u_house[1])
        put("stage.p_ac", stage.p_ac)
        put("stage.alive", stage.alive)
        put("insulation", t.insulation())
        for leg, at in enumerate(t.mains(), 1):
            for name, value in zip("uipf", at, strict=True):
                put(f"mains.{name}_l{leg}", value)

    def _act(self) -> None:
        number = self._fmu.number
        for wire in DRIVEN:
            on = bool(number(f"wire.{wire}"))
            if self._driven.get(wire) != on:
                self._driven[wire] = on
                self._t.drive(wire, on)
        self._t.command(
            StageCommand(
                STAGE_MODES[self._one_of("command.mode", len(STAGE_MODES))],
                u_ref=number("command.u_ref"),
                i_ref=number("command.i_ref"),
                i_discharge_max=number("command.i_discharge_max"),
                contactor=bool(number("command.contactor")),
                bleed=bool(number("command.bleed")),
                sync=bool(number("command.sync", 1.0)),
            )
        )
        closed = bool(number("pcs.closed", 1.0))
        if closed != self._pcs:
            self._pcs = closed
            self._t.close_pcs(closed)
        speaks = bool(number("can.speaks"))
        if speaks != self._speaks:
            self._speaks = speaks
            self._voice += 1
            self._say(self._voice)

    def _one_of(self, name: str, count: int) -> int:
        value = int(self._fmu.number(name))
        if not 0 <= value < count:
            raise BenchFault(f"FMU {self._fmu.description.path.name}: {name} = {value}; give 0 to {count - 1}")
        return value

    # -- frames

    def _hear(self, at: float, frame: Frame) -> None:
        if frame.id not in _HEARD or len(frame.data) != LENGTH or self._fault:
            return
        spec = SPECS[frame.id]
        self._counts[frame.id] += 1
        self._fmu.put(f"{spec.name}.count", self._counts[frame.id])
        if self._heard.get(frame.id) != frame.data:
            self._heard[frame.id] = frame.data
            for name, value in unpack(spec, frame.data).items():
                self._fmu.put(name, value)

    def _say(self, voice: int) -> None:
        if voice != self._voice or not self._speaks:
            return
        for spec in self._frames:
            self._t.send(pack(spec, self._fmu.number))
        self._t.after(PERIOD, partial(self._guarded, partial(self._say, voice)))
