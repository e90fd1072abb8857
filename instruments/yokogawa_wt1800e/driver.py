"""Driver of the Yokogawa WT1800E. Role: PowerAnalyzer.

The instrument measures all its elements in step and shows a new set at the end of each update. `read` counts two ends
after the call: the first ends the update that was under way, so the next one began after the call. `latest` takes what
is shown now, in one exchange: event register, values, event register again; an update that ends between the two makes
it ask again, so the moment and the values belong together. The moment an update ended is not told by the instrument;
it is learnt from the looks at its event register (beat.py).

What is asked for becomes a numeric item and stays one, so a recorder in the background and a test in the foreground
share one list. Every power reading brings its voltage and current along: they tell how far from power factor 1 it was,
which its uncertainty depends on. Ranges are fixed, auto range is off. Never met hardware.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import ClassVar

from instruments.beat import Beat
from instruments.readings import Make, Model, Range, Values, maker
from instruments.yokogawa_wt1800e.commands import (
    CURRENT_AUTO,
    CURRENT_RANGE,
    ELEMENTS,
    ERROR,
    EVENT,
    FILTER,
    FORMAT,
    HEADER,
    HOLD,
    ITEM,
    ITEMS,
    NUMBER,
    RATE,
    REMOTE,
    UPDATED,
    VALUES,
    VOLTAGE_AUTO,
    VOLTAGE_RANGE,
    WIRING,
    ZERO,
    Edge,
    Format,
    Options,
    Readings,
)
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
    zero_source="WT1800 (M)",
    pf_influence=0.001,  # 0.1 % of S at power factor 0
    pf_source="influence of the power factor, WT1800 (M)",
)
FINEST = 0.001
"""s between two looks while an update's end is waited for, at the least (project choice)."""
LOOKS = 50
"""Looks over one update while its phase is not yet known (project choice: its end is then known to 2 % of a period)."""
PATIENCE = 3.0
"""Updates, plus a second, until an end that does not come is a fault."""
AC_FUNCTION = {"u": "URMS", "i": "IRMS", "p": "P", "s": "S", "pf": "LAMBDA", "f": "FU", "thd_u": "UTHD"}
DC_FUNCTION = {"u": "UDC", "i": "IDC", "p": "P", "s": "S"}
NEEDS = {"u": "u", "i": "i", "p": "pui", "s": "sui", "f": "f"}
"""Which functions of the same element a reading is made from, itself first."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One quantity, ready to be made from the values of its items."""

    quantity: Quantity
    items: tuple[int, ...]
    make: Make


class YokogawaWt1800e(ScpiDriver):
    """Six elements read at once."""

    met_hardware: ClassVar[bool] = False

    def __init__(self, session: Session, options: Options, clock: Clock) -> None:
        super().__init__(session, clock, ErrorQueue(ERROR))
        self._options = options
        self._element: dict[Port, int] = {element.port: n for n, element in sorted(options.elements.items())}
        self.ports: Sequence[Port] = tuple(self._element)
        self.update_period: float = options.update
        event, values = f"{EVENT.spelt()}?", f"{VALUES.spelt()}?"
        self._line = f"{event};{values};{event}"
        self._forget()

    def read(self, *quantities: Quantity) -> Snapshot:
        """The next update that began after this call. Blocks up to two updates."""
        self._clock.sleep(0.0)  # an event cannot wait: refused here, in the clock's words
        plan = self._plan(quantities)
        self._look()  # what has ended before the call is forgotten
        self._await(self._ends + 2)
        return self._made(plan)

    def latest(self, *quantities: Quantity) -> Snapshot:
        """The last update that has ended, at once."""
        fresh = not self._prepared
        plan = self._plan(quantities)
        if fresh:
            self._settle()
        return self._made(plan)

    def close(self) -> None:
        """End the session; the panel is given back."""
        try:
            if self._prepared:
                self._set(REMOTE, False)
        except InstrumentError:
            pass  # a closing line is no place to complain
        super().close()

    # -- set-up

    def _forget(self) -> None:
        """Nothing is known of the instrument any more: the next reading sets everything up anew."""
        self._prepared = False
        self._items: dict[tuple[str, int], int] = {}
        self._plans: dict[tuple[Quantity, ...], tuple[_Wanted, ...]] = {}
        self._beat = Beat(self.update_period)
        self._looked = -math.inf
        self._ends = 0

    def _prepare(self) -> None:
        """Replies without headers first, then nothing held, the update, wiring and ranges, all read back."""
        options = self._options
        self._set(HEADER, False)
        self._set(REMOTE, True)
        self._set(HOLD, False, check=True)
        self._set(FILTER, Edge.FALL, 1, check=True)
        self._set(RATE, options.update, check=True)
        self._set(WIRING, ("P1W2",) * ELEMENTS, check=True)
        for number, element in sorted(options.elements.items()):
            self._set(VOLTAGE_AUTO, False, number, check=True)
            self._set(VOLTAGE_RANGE, element.voltage_range, number, check=True)
            self._set(CURRENT_AUTO, False, number, check=True)
            self._set(CURRENT_RANGE, element.current, number, check=True)
        self._set(FORMAT, Format.ASCII if options.transfer == "ascii" else Format.FLOAT, check=True)
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

    def _plan(self, quantities: tuple[Quantity, ...]) -> tuple[_Wanted, ...]:
        plan = self._plans.get(quantities)
        if plan is not None:
            return plan
        if not quantities:
            raise UseError(f"{self.resource}: nothing to read; name quantities, e.g. ('dc', 'u')")
        names = [self._names(port, function) for port, function in quantities]
        with self._session.lock:
            try:
                if not self._prepared:
                    self._prepare()
                self._add(item for group in names for item in group)
            except InstrumentError:
                self._forget()
                raise
        plan = tuple(
            _Wanted(quantity, tuple(self._items[item] for item in group), self._maker(quantity))
            for quantity, group in zip(quantities, names, strict=True)
        )
        self._plans[quantities] = plan
        return plan

    def _names(self, port: Port, function: str) -> list[tuple[str, int]]:
        """The items a quantity is made from. UseError for what is not wired or has no meaning there."""
        number = self._element.get(port)
        if number is None:
            raise UseError(
                f"{self.resource}: no element is wired to {port}; wired are {', '.join(self.ports)} "
                f"(elements in the bench file)"
            )
        table = DC_FUNCTION if port == "dc" else AC_FUNCTION
        if function not in table:
            raise UseError(f"{self.resource}: {port} has no {function!r}; it has {', '.join(table)}")
        needs = {"pf": ("pf", "p", "u", "i"), "thd_u": ("thd_u",)}.get(function) or tuple(NEEDS[function])
        return [(table[need], number) for need in needs]

    def _add(self, names: Iterable[tuple[str, int]]) -> None:
        """Make items of what is not one yet."""
        count = len(self._items)
        for name in names:
            if name in self._items:
                continue
            if len(self._items) == ITEMS:
                raise UseError(f"{self.resource}: more than {ITEMS} items asked for; ask for fewer quantities")
            number, words = len(self._items) + 1, (name[0], str(name[1]))
            self._set(ITEM, words, number)
            read = self._get(ITEM, number)
            if tuple(read[:2]) != words:  # an order may follow
                raise InstrumentError(self.resource, ITEM.spelt(number), f"asked for {words}, reads back {read}")
            self._items[name] = number - 1
        if len(self._items) > count:
            self._set(NUMBER, len(self._items), check=True)

    # -- reading

    def _made(self, plan: tuple[_Wanted, ...]) -> Snapshot:
        try:
            values = self._fetch()
        except InstrumentError:
            self._forget()
            raise
        at = self._beat.last(self._clock.now())
        found: dict[Quantity, Measurement] = {}
        for wanted in plan:
            mine = [values[item] for item in wanted.items]
            if not isfinite(sum(mine)):
                self._refuse(wanted, mine)
            found[wanted.quantity] = wanted.make(mine, at)
        return Snapshot(at, found)

    def _refuse(self, wanted: _Wanted, values: Values) -> None:
        port, function = wanted.quantity
        if any(math.isinf(value) for value in values):
            words = "is over range or undefined (INF); choose a larger range, or see whether it is live"
        else:
            self._forget()  # it may have been reset
            words = "is not there (NAN): no update has ended since it was set up"
        raise InstrumentError(self.resource, VALUES.spelt() + "?", f"{port} {function} {words}")

    def _fetch(self) -> Values:
        """Every item of one update, and a look at the event register in the same breath."""
        with self._session.lock:
            for _ in range(3):
                values, slipped = self._texts() if self._options.transfer == "ascii" else self._blocks()
                if len(values) != len(self._items):
                    words = f"sends {len(values)} values where {len(self._items)} are set up; was it reset?"
                    raise InstrumentError(self.resource, VALUES.spelt() + "?", words)
                if not slipped:
                    return values
        raise InstrumentError(self.resource, self._line, "an update ended in each of three exchanges; slow it down")

    def _texts(self) -> tuple[Values, bool]:
        reply = self._ask(self._line)
        parts = reply.split(";")
        if len(parts) != 3:
            raise InstrumentError(self.resource, self._line, f"its reply {reply[:80]!r} answers no three questions")
        self._saw(self._understood(EVENT, self._line, parts[0]))
        values: Values = self._understood(VALUES, self._line, parts[1])
        return values, self._saw(self._understood(EVENT, self._line, parts[2]))

    def _blocks(self) -> tuple[Values, bool]:
        self._look()
        codec = VALUES.value
        assert isinstance(codec, Readings)
        block = self._get_block(VALUES)
        try:
            values = codec.unpack(block)
        except ValueError as error:
            raise InstrumentError(self.resource, VALUES.spelt() + "?", f"its reply {error}") from None
        return values, self._look()

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
        """Look until so many ends have been seen, by whoever looked."""
        late = self._clock.now() + PATIENCE * self.update_period + 1.0
        step = max(self.update_period / LOOKS, FINEST)
        while self._ends < ends:
            now = self._clock.now()
            if now > late:
                words = f"no update has ended for {PATIENCE * self.update_period + 1.0:.1f} s; look at its panel"
                raise InstrumentError(self.resource, EVENT.spelt() + "?", words)
            self._clock.sleep(min(max(self._beat.next_by(now) - now, step), 0.9 * self.update_period))
            self._look()

    def _maker(self, quantity: Quantity) -> Make:
        port, function = quantity
        number = self._element[port]
        source = f"{self.resource} element {number} {port} {function}"
        element = self._options.elements[number]
        wired = Range(element.voltage_range, element.current, port == "dc")
        return maker(MODEL, function, f"{port} {function}", source, wired)


def open_driver(session: Session, options: Options, clock: Clock) -> YokogawaWt1800e:
    """A driver on an open session."""
    return YokogawaWt1800e(session, options, clock)
