"""Driver of the Hioki PW8001. Role: PowerAnalyzer.

The instrument measures all its channels in step and shows a new set at the end of each data update. A question names
the items it wants, so nothing is set up for it and a recorder in the background does not meet a test in the
foreground. `read` counts two ends after the call: the first ends the update that was under way. `latest` takes what is
shown now, between two looks at the event register; an update that ends between them makes it ask again.

Every power reading brings its voltage and current along: they tell how far from power factor 1 it was, which its
uncertainty depends on. Ranges are fixed, auto range is off. Never met hardware.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import ClassVar

from instruments.beat import Beat
from instruments.hioki_pw8001.commands import (
    CURRENT_AUTO,
    CURRENT_RANGE,
    ERROR,
    EVENT,
    HEADER,
    HOLD,
    ITEMS,
    UPDATED,
    VALUES,
    VOLTAGE_AUTO,
    VOLTAGE_RANGE,
    ZERO,
    Options,
)
from instruments.readings import Make, Model, Range, Values, maker
from rig.clock import Clock
from rig.errors import InstrumentError, UseError
from rig.metrology.accuracy import read_accuracy
from rig.metrology.measurement import Measurement
from rig.plant.ports import Port
from rig.roles import Quantity, Snapshot
from rig.scpi.driver import ErrorQueue, ScpiDriver, Session

MODEL = Model(
    read_accuracy(Path(__file__).with_name("accuracy.toml")),
    VALUES.spelt() + "?",
    zero=ZERO,
    zero_source="zero suppression 0.5 %, PW8001 (M)",
    pf_influence=0.001,  # 0.1 % of S at power factor 0
    pf_source="influence of the power factor, PW8001 (M)",
)
FINEST = 0.001
"""s between two looks while an update's end is waited for, at the least (project choice)."""
LOOKS = 50
"""Looks over one update while its phase is not yet known (project choice: its end is then known to 2 % of a period)."""
PATIENCE = 3.0
"""Updates, plus a second, until an end that does not come is a fault."""
AC_ITEM = {"u": "Urms", "i": "Irms", "p": "P", "s": "S", "pf": "PF", "f": "FREQ", "thd_u": "Uthd"}
DC_ITEM = {"u": "Udc", "i": "Idc", "p": "P", "s": "S"}
NEEDS = {"u": "u", "i": "i", "p": "pui", "s": "sui", "f": "f"}
"""Which functions of the same channel a reading is made from, itself first."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One quantity, ready to be made from the values of its items."""

    quantity: Quantity
    items: tuple[int, ...]
    make: Make


@dataclass(frozen=True, slots=True)
class _Plan:
    """A set of quantities: the items asked for, and what is made of them."""

    items: tuple[str, ...]
    line: str
    wanted: tuple[_Wanted, ...]


class HiokiPw8001(ScpiDriver):
    """Eight channels read at once."""

    met_hardware: ClassVar[bool] = False

    def __init__(self, session: Session, options: Options, clock: Clock) -> None:
        super().__init__(session, clock, ErrorQueue(ERROR))
        self._options = options
        self._channel: dict[Port, int] = {channel.port: n for n, channel in sorted(options.channels.items())}
        self.ports: Sequence[Port] = tuple(self._channel)
        self.update_period: float = options.update
        self._plans: dict[tuple[Quantity, ...], _Plan] = {}
        self._forget()

    def read(self, *quantities: Quantity) -> Snapshot:
        """The next update that began after this call. Blocks up to two updates."""
        self._clock.sleep(0.0)  # an event cannot wait: refused here, in the clock's words
        plan = self._ready(quantities)
        self._look()  # what has ended before the call is forgotten
        self._await(self._ends + 2)
        return self._made(plan)

    def latest(self, *quantities: Quantity) -> Snapshot:
        """The last update that has ended, at once."""
        fresh = not self._prepared
        plan = self._ready(quantities)
        if fresh:
            self._settle()
        return self._made(plan)

    # -- set-up

    def _forget(self) -> None:
        """Nothing is known of the instrument any more: the next reading sets everything up anew."""
        self._prepared = False
        self._beat = Beat(self.update_period)
        self._looked = self._first = -math.inf
        self._ends = 0

    def _ready(self, quantities: tuple[Quantity, ...]) -> _Plan:
        plan = self._plans.get(quantities)
        if plan is None:
            plan = self._plans[quantities] = self._plan(quantities)
        if not self._prepared:
            with self._session.lock:
                try:
                    self._prepare()
                except InstrumentError:
                    self._forget()
                    raise
        return plan

    def _prepare(self) -> None:
        """Replies without headers first, then nothing held and the ranges, all read back."""
        self._set(HEADER, False)
        self._set(HOLD, False, check=True)
        for number, channel in sorted(self._options.channels.items()):
            self._set(VOLTAGE_AUTO, False, number, check=True)
            self._set(VOLTAGE_RANGE, channel.voltage_range, number, check=True)
            self._set(CURRENT_AUTO, False, number, check=True)
            self._set(CURRENT_RANGE, channel.current, number, check=True)
        self._get(EVENT)  # what ended before is of another beat
        self._looked = self._clock.now()
        self._prepared = True

    def _settle(self) -> None:
        """Wait for the first update that is wholly in the new ranges. In an event nobody waits: what is shown then is
        judged as it stands."""
        self._look()  # an update that ended before is no end to wait for
        try:
            self._await(self._ends + 2)
        except UseError:
            return

    def _plan(self, quantities: tuple[Quantity, ...]) -> _Plan:
        if not quantities:
            raise UseError(f"{self.resource}: nothing to read; name quantities, e.g. ('dc', 'u')")
        items: dict[str, int] = {}
        wanted = []
        for quantity in quantities:
            names = self._names(*quantity)
            numbers = tuple(items.setdefault(name, len(items)) for name in names)
            wanted.append(_Wanted(quantity, numbers, self._maker(quantity)))
        if len(items) > ITEMS:
            raise UseError(f"{self.resource}: more than {ITEMS} items asked for; ask for fewer quantities")
        event, values = f"{EVENT.spelt()}?", self._question(VALUES, (), tuple(items))
        return _Plan(tuple(items), f"{event};{values};{event}", tuple(wanted))

    def _names(self, port: Port, function: str) -> list[str]:
        """The items a quantity is made from. UseError for what is not wired or has no meaning there."""
        number = self._channel.get(port)
        if number is None:
            raise UseError(
                f"{self.resource}: no channel is wired to {port}; wired are {', '.join(self.ports)} "
                f"(channels in the bench file)"
            )
        table = DC_ITEM if port == "dc" else AC_ITEM
        if function not in table:
            raise UseError(f"{self.resource}: {port} has no {function!r}; it has {', '.join(table)}")
        needs = {"pf": ("pf", "p", "u", "i"), "thd_u": ("thd_u",)}.get(function) or tuple(NEEDS[function])
        return [f"{table[need]}{number}" for need in needs]

    # -- reading

    def _made(self, plan: _Plan) -> Snapshot:
        try:
            values = self._fetch(plan)
        except InstrumentError:
            self._forget()
            raise
        at = self._beat.last(self._clock.now())
        found: dict[Quantity, Measurement] = {}
        for wanted in plan.wanted:
            mine = [values[item] for item in wanted.items]
            if not isfinite(sum(mine)):
                self._refuse(wanted, mine)
            found[wanted.quantity] = wanted.make(mine, at)
        return Snapshot(at, found)

    def _refuse(self, wanted: _Wanted, values: Values) -> None:
        port, function = wanted.quantity
        if any(math.isinf(value) for value in values):
            words = "is over range or undefined (999.99E+9); choose a larger range, or see whether it is live"
        else:
            self._forget()  # it may have been reset
            words = "is not there (777.77E+9): no update has ended since it was set up"
        raise InstrumentError(self.resource, VALUES.spelt() + "?", f"{port} {function} {words}")

    def _fetch(self, plan: _Plan) -> Values:
        """Every item of one update, and two looks at the event register in the same breath."""
        with self._session.lock:
            for _ in range(3):
                reply = self._ask(plan.line)
                first, _, rest = reply.partition(";")
                middle, _, last = rest.rpartition(";")
                self._saw(self._understood(EVENT, plan.line, first))
                values: Values = self._understood(VALUES, plan.line, middle)
                slipped = self._saw(self._understood(EVENT, plan.line, last))
                if len(values) != len(plan.items):
                    words = f"sends {len(values)} values where {len(plan.items)} were asked for"
                    raise InstrumentError(self.resource, VALUES.spelt() + "?", words)
                if not slipped:
                    return values
        raise InstrumentError(self.resource, plan.line, "an update ended in each of three exchanges; slow it down")

    def _look(self) -> bool:
        """Whether an update has ended since the last look."""
        with self._session.lock:
            return self._saw(self._get(EVENT))

    def _saw(self, event: int) -> bool:
        now, ended = self._clock.now(), bool(event & UPDATED)
        self._beat.looked(self._looked, now, ended)
        self._looked = now
        self._ends += ended
        return ended

    def _await(self, ends: int) -> None:
        """Look until so many ends have been seen, by whoever looked. Its rates lie a factor of 4 and more apart, so two
        ends that lie further apart than a look can be late are those of a slower rate than the bench file says."""
        late = self._clock.now() + PATIENCE * self.update_period + 1.0
        step = max(self.update_period / LOOKS, FINEST)
        seen, last = self._ends, math.nan
        while self._ends < ends:
            now = self._clock.now()
            if now > late:
                words = f"no update has ended for {PATIENCE * self.update_period + 1.0:.1f} s; look at its panel"
                raise InstrumentError(self.resource, EVENT.spelt() + "?", words)
            self._clock.sleep(min(max(self._beat.next_by(now) - now, step), 0.9 * self.update_period))
            self._look()
            if self._ends > seen:
                at = self._clock.now()
                if at - last > 2.5 * self.update_period:
                    self._wrong_rate(at - last)
                seen, last = self._ends, at

    def _wrong_rate(self, apart: float) -> None:
        self._forget()
        words = (
            f"updates end {apart:.3g} s apart, the bench file says {self.update_period:g} s; set its panel or mend it"
        )
        raise InstrumentError(self.resource, EVENT.spelt() + "?", words)

    def _maker(self, quantity: Quantity) -> Make:
        port, function = quantity
        number = self._channel[port]
        source = f"{self.resource} channel {number} {port} {function}"
        channel = self._options.channels[number]
        wired = Range(channel.voltage_range, channel.current, port == "dc")
        return maker(MODEL, function, f"{port} {function}", source, wired)


def open_driver(session: Session, options: Options, clock: Clock) -> HiokiPw8001:
    """A driver on an open session."""
    return HiokiPw8001(session, options, clock)
