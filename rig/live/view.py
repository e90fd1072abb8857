"""What there is to see of a bench at a moment: gathered from what passes by, and from readings of its own.

What passes by costs nothing: what the rig's own car knows, what both sides' frames said, wires and contacts as they
were told, what the bench was told to do. The AC side is read once every LOOK of bench time, as the power analyzer shows
it, and only while a run is watched: such a reading never waits, and on an emulated bench it draws noise of its own, so
a watched run and an unwatched one of the same seed differ in the noise of their readings. On a bench that writes a
record or answers from one nothing is read beside the procedures: the record is of them.

values   dc_u, dc_i, dc_p, soc (the imitated pack, as read at the source), said_i (the charger's frames), asked_i and
         limit_i (the car's), grid_u, house_l1_u, house_l2_u, grid_p, house_p, evps_p. Where not every leg of the mains
         is wired to the analyzer, grid_p is what the other two leave.
words    phase (of the session), car, mode and panel (as the charger last showed), fault
on       contactor (the EV pair, by its auxiliary contact), plug, d1, d2, k, lock ..., mains, transfer (the mains
         contact: closed while the house hangs on the mains)
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from rig.bench import Bench
from rig.clock import Cancel, Phase
from rig.errors import RigError
from rig.live.messages import Moment
from rig.metrology.measurement import Measurement
from rig.plant.ports import Port
from rig.roles import Quantity
from rig.told import Value
from rig.watch import Watch

LOOK = 0.5
"""s between two readings of the AC side (project choice: two updates of a usual analyzer)."""
DEAD, LIVE = 0.2, 0.6
"""Fractions of nominal below and above which a leg counts as dead and as live (project choice, for the drawing)."""
AC: tuple[Port, ...] = ("grid_l1", "grid_l2", "house_l1", "house_l2", "evps_l1", "evps_l2")


class View:
    """Of one run's bench. Begins to read when it is made, until closed."""

    def __init__(self, bench: Bench, watch: Watch) -> None:
        self._bench, self._watch = bench, watch
        self._mains: bool | None = None
        self._over = False
        self._read: Mapping[Quantity, Measurement] = {}
        self._quantities = _wanted(bench)
        self._cancel: Cancel = lambda: None
        bench.told.beside = self._heard
        if self._quantities and bench.recorder is None and bench.replay is None:
            self._cancel = bench.clock.every(LOOK, self._look, Phase.OBSERVE)

    def close(self) -> None:
        """Nothing is read any more, so no value is known from now on. Idempotent."""
        self._cancel()
        self._read, self._mains, self._over = {}, None, True
        self._bench.told.beside = None

    def moment(self) -> Moment:
        """What is known now. From an event or between two, never waits."""
        values, on = {} if self._over else self._dc() | self._ac(), self._contacts()
        return Moment(
            t=self._bench.clock.now(),
            values={name: round(value, 4) for name, value in values.items() if math.isfinite(value)},
            words=self._words(),
            on=on,
        )

    # -- the pieces

    def _dc(self) -> dict[str, float]:
        bench, session = self._bench, self._watch.session
        found = {"soc": bench.car.soc} if bench.car.plugged_in else {}
        closed = self._contactor()
        if (read := bench.car.reading) is not None:
            current = read.current if closed is not False else 0.0
            found |= {"dc_u": read.voltage, "dc_i": current, "dc_p": read.voltage * current}
        if session.charger is not None:
            taken = 0.0 if session.charger_discharge is None else session.charger_discharge.discharge_current
            found["said_i"] = session.charger.output_current - taken
        if session.status is not None:
            found["asked_i"] = session.status.current_request
        if session.discharge is not None:
            found["limit_i"] = session.discharge.max_discharge_current
        return found

    def _ac(self) -> dict[str, float]:
        now = {f"{port}_{function}": m.value for (port, function), m in self._read.items()}
        found: dict[str, float] = {key: now[key] for key in ("house_l1_u", "house_l2_u") if key in now}
        if "grid_l1_u" in now:
            found["grid_u"] = now["grid_l1_u"]
        for side in ("grid", "house", "evps"):
            legs = [now[key] for leg in range(1, self._bench.profile.legs + 1) if (key := f"{side}_l{leg}_p") in now]
            if len(legs) == self._bench.profile.legs:
                found[f"{side}_p"] = sum(legs)
        if "grid_p" not in found and {"house_p", "evps_p"} <= found.keys() and self._bench.profile.wired:
            found["grid_p"] = 0.0 if self._transfer() is False else found["house_p"] - found["evps_p"]
        return found

    def _words(self) -> dict[str, str]:
        bench, panel = self._bench, self._bench.told.panel
        found = {"phase": self._watch.session.phase.value, "car": bench.car.phase.value}
        if panel is not None:
            found |= {"panel": panel.phase, "mode": panel.mode, "fault": panel.fault}
        return found

    def _contacts(self) -> dict[str, bool]:
        found: dict[str, bool] = {str(wire): on for wire, on in self._watch.session.wires.items()}
        found["plug"] = self._bench.car.plugged_in
        if (closed := self._contactor()) is not None:
            found["contactor"] = closed
        if (live := self._live("grid_l1")) is not None:
            self._mains = live
        if self._mains is not None:
            found["mains"] = self._mains
        if (closed := self._transfer()) is not None:
            found["transfer"] = closed
        return found

    def _contactor(self) -> bool | None:
        return self._watch.session.aux

    def _transfer(self) -> bool | None:
        """By what is measured on its two sides; where that does not tell, as the panel last showed."""
        if not self._bench.profile.wired:
            return None
        grid, house = self._live("grid_l1"), self._live("house_l1")
        if grid is not None and house is not None and grid is not house:
            return False
        panel = self._bench.told.panel
        return None if panel is None else not panel.on_backup

    def _live(self, port: Port) -> bool | None:
        """Whether a leg was live when it was last read; None where that cannot be said."""
        read = self._read.get((port, "u"))
        part = math.nan if read is None else read.value / self._bench.profile.ratings.leg_voltage
        return True if part > LIVE else False if part < DEAD else None

    # -- what comes in

    def _heard(self, what: str, values: Mapping[str, Value]) -> None:
        if what.startswith("mains: interrupt"):
            self._mains = False
        elif what.startswith(("mains: supply", "mains: ramp")):
            self._mains = True

    def _look(self) -> None:
        self._bench.clock.aside("live", self._try_to_read, self._keep)

    def _try_to_read(self) -> Mapping[Quantity, Measurement]:
        assert self._bench.analyzer is not None
        try:
            return self._bench.analyzer.latest(*self._quantities).values
        except RigError:
            return {}  # whoever needs the instrument hears of it there; here it only shows as no reading

    def _keep(self, values: Mapping[Quantity, Measurement]) -> None:
        self._read = values


def _wanted(bench: Bench) -> tuple[Quantity, ...]:
    """Voltage of the first mains leg and of the house's, power of all, as far as the analyzer is wired to them."""
    ports = () if bench.analyzer is None else bench.analyzer.ports
    volts: tuple[Quantity, ...] = (("grid_l1", "u"), ("house_l1", "u"), ("house_l2", "u"))
    return tuple(q for q in (*volts, *((port, "p") for port in AC)) if q[0] in ports)
