"""The rules beside a live bench: every frame, wire, contact and reading goes past them, whatever a test is doing.

Theory
  The rule set is a machine (rig.chademo.rules.ruleset); this file only brings it what happens. Frames come from the
  bus, wires and the auxiliary contact from the vehicle interface, the voltage at the connector from there too, and the
  DC current from the battery source. Readings are taken every FAST while something moves and every SLOW otherwise:
  between them the rules see what the frames report.

  A new rule set begins with each test (`renew`), so a verdict is of that test alone. A broken rule is told at once.
  Where the emulator in the device's place fails, the rules end at that moment: what follows is not the device's doing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from rig.bench import Bench
from rig.can.frame import Frame
from rig.chademo.events import ContactorMoved, Observation, Sample, WireChanged
from rig.chademo.rules.rule import Finding, Rule, RuleVerdict
from rig.chademo.rules.ruleset import RuleSet
from rig.chademo.session import Phase as SessionPhase
from rig.chademo.session import Session
from rig.charger_card import Observed
from rig.clock import Phase
from rig.errors import BenchFault
from rig.evidence.documents import SessionsSeen
from rig.machine import Runner, run_on

FAST, SLOW = 0.1, 1.0
"""s between readings (project choice: one cycle of the bus, and the pack's own pace)."""
EVERY = round(SLOW / FAST)
MOVED = 2.0
"""s a change of phase counts as moving (project choice: longer than a ramp to 30 A at 20 A/s)."""
QUIET = frozenset({SessionPhase.WAITING, SessionPhase.HANDSHAKE, SessionPhase.UNLOCKED, SessionPhase.ENDED})
"""Phases without a closed contactor: nothing to read."""


class Reading(NamedTuple):
    """V at the connector and A of the battery. u_since, i_since: s of the bench, from when on each is a reading."""

    u: float
    u_since: float
    i: float
    i_since: float


class Watch:
    """Rules over one bench. found: called with each finding as it is made, from a clock event."""

    def __init__(self, bench: Bench, rules: Sequence[Rule], found: Callable[[Finding], None]) -> None:
        self._bench, self._rules, self._found = bench, tuple(rules), found
        self.by_id = {rule.id: rule for rule in self._rules}
        self.fault: BenchFault | None = None
        """Why readings are no longer taken, if so."""
        self._ended: float | None = None
        self._ticks, self._phase, self._phase_at = 0, SessionPhase.WAITING, 0.0
        self._runner = self._begin()
        self._unwatch = bench.bus.watch(self._heard)
        bench.vehicle.subscribe(self._felt)
        self._cancel = bench.clock.every(FAST, self._tick, Phase.OBSERVE)
        if bench.world is not None:
            bench.world.on_device_fault(self._end)

    @property
    def session(self) -> Session:
        """What both sides have shown last. Only to be read."""
        return self._set.session

    def renew(self) -> None:
        """Forget everything: a new test begins."""
        self._runner.stop()
        self.fault = None
        self._runner = runner = self._begin()
        if self._bench.device_fault:
            self._end()
            return
        # The auxiliary contact tells of changes only: until the first, 102.5.3 would be believed, whatever it says.
        contact = ContactorMoved(self._bench.vehicle.contactor_closed())
        self._bench.clock.at(self._bench.clock.now(), lambda: runner.tell(contact), Phase.OBSERVE)

    def verdicts(self) -> tuple[RuleVerdict, ...]:
        """How each rule stands in this test, deadlines up to now included."""
        now = self._bench.clock.now() if self._ended is None else self._ended
        for finding in self._set.close(now).out:
            self._found(finding)
        return self._set.verdicts()

    def sessions(self) -> SessionsSeen | None:
        """What the charger showed in the sessions of this test; None where there was none, or it failed in them."""
        if self._ended is not None:
            return None
        return self._observed.seen(self._bench.clock.now())

    def close(self) -> None:
        """Watch no more."""
        self._cancel()
        self._unwatch()
        self._runner.stop()

    def _end(self) -> None:
        self._runner.stop()
        self._ended = self._bench.clock.now()

    def _begin(self) -> Runner[Observation, Finding]:
        self._set = RuleSet(self._rules)
        self._observed = Observed(self._set, lambda: self._bench.car.disturbed)
        return run_on(self._bench.clock, self._observed, self._found, Phase.OBSERVE)

    def _heard(self, at: float, sender: str, frame: Frame) -> None:
        if not self._set.repeats(at, frame):
            self._runner.tell(frame, at)

    def _felt(self, at: float, change: WireChanged | ContactorMoved) -> None:
        self._runner.tell(change, at)

    def _tick(self) -> None:
        self._ticks += 1
        session = self.session
        if session.phase in QUIET or self.fault is not None or self._ended is not None:
            return
        now = self._bench.clock.now()
        if session.phase is not self._phase:
            self._phase, self._phase_at = session.phase, now
        moving = now - self._phase_at < MOVED or session.phase is SessionPhase.STOPPING
        if moving or self._ticks % EVERY == 0:
            self._bench.clock.aside("watch", self._try_to_read, self._sampled)

    def _sampled(self, read: Reading | BenchFault) -> None:
        if isinstance(read, BenchFault):
            # The rules go on with what the frames report; whoever needs the instrument hears of it there.
            self.fault = read
            return
        now = self._bench.clock.now()
        self._runner.tell(Sample("dc_voltage", read.u, now - read.u_since))
        self._runner.tell(Sample("dc_current", read.i, now - read.i_since))

    def _try_to_read(self) -> Reading | BenchFault:
        try:
            return self._read()
        except BenchFault as fault:
            return fault

    def _read(self) -> Reading:
        """What stands there now, and since when it may have stood so: a source's meter shows the update that ended
        last. A power analyzer's mean would show a current that has fallen for a fraction of a second more."""
        clock = self._bench.clock
        asked = clock.now()
        volts = self._bench.vehicle.inlet_voltage()
        then = clock.now()
        read = self._bench.battery.reading()
        return Reading(volts, asked, read.current, then - read.update)
