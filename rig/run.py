"""A run: one bench, one journal, test after test. What is measured is judged here, and on the disk before it is shown.

Knows no pytest: whoever drives a run (the pytest plugin, a farm, a person in a shell) calls
  begin   start_test ... check, record, capture, picture ... stop_test   not_run ...   end
and gets the verdicts back. Limits come from the catalogue as it applies to the device's profile, never from a test.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from rig.bench import Bench
from rig.chademo.rules.rule import Finding, Rule, RuleState, RuleVerdict
from rig.charger_card import CardMaker
from rig.conditions import Asked, narrowest, stood
from rig.errors import BenchFault, OutsideConditions, UseError
from rig.evidence.captures import CanLog, Captures
from rig.evidence.documents import (
    BenchDescribed,
    CaptureStored,
    Incident,
    Judged,
    NotRun,
    Picture,
    RuleFound,
    RunStop,
    SafeStateReached,
    SessionsSeen,
    Stimulus,
    TestStart,
    TestStop,
    Word,
)
from rig.evidence.journal import Journal
from rig.evidence.reopen import CutOff
from rig.evidence.safety_log import last_word
from rig.evidence.translate import WORD, judged, measured, rule_found, store_waveforms, surroundings
from rig.identify import mistaken, refuse_mistaken
from rig.keeping import Keeping
from rig.metrology.decision import Judgement, Verdict, worst_of
from rig.metrology.measurement import Measurement
from rig.metrology.series import Series
from rig.metrology.wave import Wave, wave
from rig.plant.ports import WavePort
from rig.recorder import Record, Recorder
from rig.requirements import Requirement
from rig.roles import Quantity, Waveforms
from rig.run_head import run_head
from rig.safety.safe_state import SafeOutcome
from rig.surroundings import survey
from rig.told import Value
from rig.watch import Watch

Outcome = Word | Literal["ERROR"]


@dataclass
class Test:
    """What a running test has gathered. verdicts: in order; broken: charger's duties that were broken."""

    __test__ = False  # for pytest, which collects Test*

    id: str
    requirements: tuple[str, ...]
    began: float
    verdicts: list[Judgement] = field(default_factory=list)
    judged: set[tuple[str, str]] = field(default_factory=set)
    """(requirement, quantity) of every verdict."""
    passed_over: dict[str, str] = field(default_factory=dict)
    """Requirements a check was offered for that do not apply, and why."""
    broken: list[Finding] = field(default_factory=list)
    own: list[Finding] = field(default_factory=list)
    """Duties of the rig's own car that were broken though nobody told it to."""
    unread: str = ""
    """Why the rules had no readings for a part of the test."""
    kept: tuple[str, ...] = ()
    """Ids of the rules whose occasion came and that nothing broke."""

    @property
    def verdict(self) -> Verdict:
        """The worst of all, broken rules included. NOT RUN while nothing was judged."""
        found = [j.verdict for j in self.verdicts]
        found += [Verdict.FAIL] if self.broken else []
        found += [Verdict.INVALID] if self.own or self.unread else []
        return worst_of(found)

    def reasons(self) -> list[str]:
        """Why it is not PASS, one line each."""
        lines = [f"{j.verdict}: {j.reason}" for j in self.verdicts if j.verdict is not Verdict.PASS]
        lines += [f"FAIL: {finding}" for finding in self.broken]
        lines += [f"INVALID: the rig's own car is at fault: {finding}" for finding in self.own]
        return lines + ([f"INVALID: {self.unread}"] if self.unread else [])


class Run:
    """One run on one bench, written to one folder. requirements: the catalogue as it applies to the profile. earlier:
    the run in that folder that was cut off and is gone on with. conditions: what every test asks
    of its surroundings."""

    def __init__(
        self,
        bench: Bench,
        requirements: Mapping[str, Requirement],
        folder: Path,
        rules: Sequence[Rule],
        earlier: CutOff | None = None,
        conditions: Sequence[Asked] = (),
    ) -> None:
        self.conditions = conditions
        self.bench, self.requirements, self.folder = bench, requirements, folder
        self._earlier = earlier
        self._mistaken: Mapping[str, str] = {}
        self.journal = Journal(folder, bench.clock.now, after=earlier.reading if earlier else None)
        self.keeping = Keeping(self.journal)
        self.captures = Captures(self.journal)
        self.test: Test | None = None
        self.outcomes: Counter[Outcome] = Counter()
        self.verdicts: dict[tuple[str, str], list[Verdict]] = {}
        """(requirement, quantity) -> every verdict it got."""
        self.selected: frozenset[str] = frozenset()
        self.unsafe = False
        """The bench could not be brought to a confirmed safe state at least once."""
        self.halted = ""
        """Why everything is to come to no energy at once; empty while nobody has asked for that."""
        self._totals: dict[str, RuleVerdict] = {}
        self._broken_once, self._provoked = set[str](), set[str]()  # rules broken; those only on purpose
        self._card = CardMaker()
        self._can: CanLog | None = None
        self.watch = Watch(bench, rules, self._found)
        bench.told.listener = self.stimulus
        if bench.guard is not None:
            bench.guard.keep_log(folder, self.journal.part)

    # -- the run

    def begin(
        self,
        selected: Collection[str],
        suites: Sequence[str],
        catalogue: str,
        version: str = "",
        tests: Sequence[str] = (),
        depth: str = "normal",
    ) -> None:
        """Say what is asked, of which item, on which bench. selected: requirements that selected tests verify. tests:
        ids of those tests. depth: of the matrices. UseError when a run that was cut off was another one than this."""
        self.selected = frozenset(selected)
        head = run_head(self.bench, self.requirements.values(), self.selected, suites, catalogue, version, tests, depth)
        described = [doc for doc in head if isinstance(doc, BenchDescribed)]
        who = {part.name: part.identity for doc in described for part in doc.parts}
        self._mistaken = mistaken(self.bench.config, self.bench.drivers, who)
        if self._earlier is not None:
            head = (self._earlier.resumed(), *self._earlier.still_to_say(head))
            self._take_up(self._earlier)
        for doc in head:
            self.keeping.keep(doc)
        self._can = self.captures.can_log()
        self.bench.bus.watch(self.keeping.hearing(self._can.hear))

    def check_bench(self) -> None:
        """BenchFault when the bench is not fit to judge by: out of calibration, or another instrument in a place."""
        self.bench.check_calibration()
        refuse_mistaken(self._mistaken, self.bench.config.file)

    def end(self, status: Literal["completed", "interrupted", "aborted"], reason: str = "") -> None:
        """Close everything. Requirements that were selected and never judged are said to be not run."""
        with self.keeping.at_rest():
            self._end(status, reason)

    def _end(self, status: Literal["completed", "interrupted", "aborted"], reason: str) -> None:
        self.bench.told.listener = None
        self.watch.close()
        for verdict in self._totals.values():
            self.keeping.keep(rule_found(verdict, verdict.rule.id in self._provoked))
        for id, open_ones in self.open_work().items():
            why = self.requirements[id].not_run
            self.not_run("requirement", id, why or f"no selected test came to judge {', '.join(open_ones)}")
        if self._can is not None:
            with self.keeping.tried():
                self._can.close()
        if (card := self._card.card(self._totals)) is not None:
            self.keeping.keep(card)
        self.keeping.keep(RunStop(status=status, reason=reason))
        with self.keeping.tried():
            self.journal.close()

    def exit_code(self) -> int:
        """0 all required verdicts PASS, 1 a FAIL, 3 INCONCLUSIVE, INVALID, ERROR, required work NOT RUN, or something
        lost of the record; 4 unsafe."""
        if self.unsafe:
            return 4
        if self.outcomes["FAIL"]:
            return 1
        open_work = [id for id in self.open_work() if self.requirements[id].not_run is None]
        if self.keeping.lost or open_work or any(self.outcomes[one] for one in ("INCONCLUSIVE", "INVALID", "ERROR")):
            return 3
        return 0 if self.outcomes["PASS"] else 3

    def _take_up(self, earlier: CutOff) -> None:
        """Count what stands of a run that was cut off as if it had just been found."""
        words = {word: verdict for verdict, word in WORD.items()}
        self.unsafe = any(isinstance(doc, SafeStateReached) and not doc.confirmed for doc in earlier.reading.documents)
        self.unsafe |= any((word := last_word(one)) is not None and not word.confirmed for one in earlier.watched)
        for doc in earlier.standing():
            match doc:
                case Judged():
                    self.verdicts.setdefault((doc.requirement, doc.quantity), []).append(words[doc.verdict])
                case RuleFound(state="broken") if doc.rule in self.watch.by_id:
                    rule = self.watch.by_id[doc.rule]
                    first = Finding(
                        doc.rule, RuleState.BROKEN, doc.at, doc.frame, doc.value, doc.limit, doc.unit, doc.message
                    )
                    self._add_up([RuleVerdict(rule, RuleState.BROKEN, first, doc.count)])
                case SessionsSeen():
                    self._card.take(doc)
                case TestStop():
                    self.outcomes[doc.outcome] += 1
                    known = [self.watch.by_id[id] for id in doc.kept if id in self.watch.by_id]
                    self._add_up(RuleVerdict(rule, RuleState.KEPT) for rule in known)
                case NotRun():
                    self.outcomes["NOT RUN"] += 1
                case _:
                    pass

    def open_work(self) -> dict[str, list[str]]:
        """Selected requirements that still lack a verdict, with the quantities that do."""
        found: dict[str, list[str]] = {}
        for id in sorted(self.selected):
            row = self.requirements[id]
            missing = [quantity for quantity in row.quantities if (id, quantity) not in self.verdicts]
            if missing or row.not_run is not None:
                found[id] = missing
        return found

    # -- a test

    def start_test(
        self, id: str, title: str, requirements: Sequence[str] = (), procedure: str = "", suite: str = ""
    ) -> Test:
        """A test begins. UseError for a requirement that is not in the catalogue."""
        for one in requirements:
            if one not in self.requirements:
                raise UseError(f"{id}: verifies {one!r}, which is not in the catalogue; mend the id")
        self.keeping.keep(
            TestStart(test=id, title=title, requirements=tuple(requirements), procedure=procedure, suite=suite)
        )
        self.test = Test(id, tuple(requirements), self.bench.clock.now())
        self.watch.renew()
        return self.test

    def look_around(self) -> None:
        """Read what surrounds the test that is to begin, once, and put it on record. OutsideConditions where it may not
        begin."""
        rows = [self.requirements[id] for id in self._running().requirements]
        own = [Asked(one, row.id, strict=True) for row in rows if row.not_run is None for one in row.begins]
        asked = narrowest([*self.conditions, *own])
        if not asked:
            return
        found = survey(self.bench)
        stands = [stood(one, found[one.quantity]) for one in asked]
        self.keeping.keep(surroundings(stands))
        if wrong := [one.reason for one in stands if not one.fit]:
            raise OutsideConditions(f"begun outside its conditions: {'; '.join(wrong)}")

    def conclude(self) -> Test:
        """The test's body is over: judge what the rules still wait for."""
        verdicts = self.watch.verdicts()
        self._running().kept = tuple(one.rule.id for one in verdicts if one.state is RuleState.KEPT)
        self._add_up(verdicts)
        if (seen := self.watch.sessions()) is not None:
            self.keeping.keep(seen)
            self._card.take(seen)
        if self.watch.fault is not None:
            self._running().unread = f"the rules went on without readings of the DC side: {self.watch.fault}"
            self.incident(type(self.watch.fault).__name__, self._running().unread, "bench")
        if self.keeping.lost:
            self._running().unread = self.keeping.lost
        if self.bench.device_fault:
            self._running().unread = f"the emulator in the device's place failed: {self.bench.device_fault}"
        if self.stopped:
            self._running().unread = self.stopped
        if self.stopped and not self.halted:
            self.incident("supervisor" if self.bench.replay is None else "replay", self.stopped, "bench")
        return self._running()

    @property
    def stopped(self) -> str:
        """Why an emergency stop, the bench's supervisor, or its death, or a record that has diverged ends this run;
        empty while all is well."""
        if self.halted:
            return self.halted
        if self.bench.replay is not None:
            return self.bench.replay.diverged
        return "" if self.bench.guard is None else self.bench.guard.reason

    def stop_test(self, outcome: Outcome, reason: str = "") -> None:
        """The test ends with an outcome."""
        test = self._running()
        counts = Counter(WORD[j.verdict] for j in test.verdicts)
        seconds = self.bench.clock.now() - test.began
        self.keeping.keep(
            TestStop(
                test=test.id,
                outcome=outcome,
                counts=dict(sorted(counts.items())),
                seconds=seconds,
                reason=reason,
                kept=test.kept,
            )
        )
        self.outcomes[outcome] += 1
        self.test = None
        if self._can is not None:
            with self.keeping.tried():
                self._can.flush()

    def _running(self) -> Test:
        if self.test is None:
            raise UseError("run: no test is under way; start_test() first")
        return self.test

    # -- within a test

    def check(self, requirement: str, m: Measurement, quantity: str | None = None) -> Judgement | None:
        """Judge a measurement under a requirement the test declared; on the disk before this returns. None where the
        requirement does not apply to this device."""
        test = self._running()
        if requirement not in test.requirements:
            declared = ", ".join(test.requirements) or "none"
            raise UseError(f"{test.id}: checks {requirement}, but its mark verifies {declared}; add it to the mark")
        row, name = self.requirements[requirement], quantity or m.name
        number = self.keeping.keep(measured(m.named(name), requirement))
        if row.not_run is not None:
            test.passed_over[requirement] = row.not_run
            return None
        judgement = row.judge(m.named(name), name)
        self.keeping.keep(judged(judgement, row, name, number))
        if self.keeping.lost:  # nobody is shown a verdict that is not on the disk
            raise BenchFault(self.keeping.lost)
        test.verdicts.append(judgement)
        test.judged.add((requirement, name))
        self.verdicts.setdefault((requirement, name), []).append(judgement.verdict)
        return judgement

    def worst(self, requirement: str, ms: Iterable[Measurement], quantity: str | None = None) -> Judgement | None:
        """Judge the worst of several runs; the others are on record too."""
        runs = list(ms)
        row = self.requirements[requirement]
        if row.not_run is not None:
            return self.check(requirement, runs[0], quantity)
        worst = row.worst(runs, quantity)
        for m in runs:
            if m is not worst:
                self.note(m if quantity is None else m.named(quantity))
        return self.check(requirement, worst, quantity)

    def note(self, m: Measurement) -> None:
        """Put a measurement on record that nobody judges."""
        self.keeping.keep(measured(m))

    def stimulus(self, what: str, values: dict[str, Value], units: dict[str, str]) -> None:
        """The bench was told something."""
        self.keeping.keep(Stimulus(what=what, values=dict(values), units=units))

    def step(self, what: str) -> None:
        """A step of the procedure, in words."""
        self.keeping.keep(Stimulus(what=what))

    @contextmanager
    def record(
        self, name: str, period: float = 0.1, quantities: Sequence[Quantity] | None = None, fast: bool = False
    ) -> Iterator[Recording]:
        """Record over time for as long as the block runs: `with record("ramp") as r: ...`, then r["dc_i"]. fast: also
        what updates faster than the analyzer, r["source_i"], r["source_u"], r["inlet_u"]."""
        recording = Recording()
        recorder = Recorder(self.bench, period, quantities, fast)
        try:
            yield recording
        except BaseException:
            recorder.abandon(self.captures, name)
            raise
        recording.result = recorder.stop(self.captures, name)

    @contextmanager
    def capture(self, name: str, channels: Sequence[WavePort], seconds: float, rate: float = 50e3) -> Iterator[Capture]:
        """Record waves from the block's begin: leaving it waits for the record and stores it. Of two digitizers the
        first that is wired to all channels; UseError when none is."""
        digitizer = self.bench.records(*channels)
        if digitizer is None:
            raise UseError(f"capture {name!r}: {self._not_wired(channels)}")
        capture = Capture()
        digitizer.start(channels, seconds, rate)
        yield capture
        capture.waves = digitizer.fetch()
        capture.stored = store_waveforms(self.captures, name, capture.waves)

    def _not_wired(self, channels: Sequence[WavePort]) -> str:
        """Which of the channels no single digitizer has, and how to mend it."""
        mark = f'mark the test needs("digitizer:{",".join(channels)}")'
        wired = {name: one.ports for name, one in self.bench.digitizers.items()}
        if not wired:
            return f"this bench has no digitizer; {mark}"
        nowhere = [port for port in channels if not any(port in ports for ports in wired.values())]
        known = "; ".join(f"[{name}] {', '.join(ports)}" for name, ports in wired.items())
        if nowhere:
            return f"no digitizer is wired to {', '.join(nowhere)} (wired: {known}); wire it, or {mark}"
        return f"no single digitizer has {', '.join(channels)} (wired: {known}); capture them apart, or {mark}"

    def picture(self, picture: Picture) -> None:
        """What a report shall draw."""
        self.keeping.keep(picture)

    # -- what happens

    def not_run(self, subject: Literal["requirement", "test"], id: str, reason: str) -> None:
        """Something got no verdict."""
        self.keeping.keep(NotRun(subject=subject, id=id, reason=reason))
        if subject == "test":
            self.outcomes["NOT RUN"] += 1

    def incident(self, kind: str, what: str, fault: Literal["bench", "use"]) -> None:
        """Something that should not happen has."""
        self.keeping.keep(Incident(kind=kind, what=what, fault=fault))

    def emergency_stop(self, why: str) -> None:
        """Put on record that somebody wants no energy on this bench, at once and whatever a test is doing. From any
        thread. Whoever drives the run must then bring it to its safe state and end it; the test is INVALID."""
        if not self.halted:
            self.halted = why
            self.incident("emergency stop", why, "bench")

    def rested(self, outcome: SafeOutcome) -> None:
        """The bench was brought to rest."""
        self.unsafe = self.unsafe or not outcome.confirmed
        self.keeping.keep(SafeStateReached(confirmed=outcome.confirmed, readings=outcome.readings))

    def _found(self, finding: Finding) -> None:
        if self.bench.replay is not None and self.bench.replay.diverged:
            return  # what the recorded charger does now answers to another car
        rule = self.watch.by_id[finding.rule]
        provoked = rule.duty == "vehicle" and self.bench.car.disturbed
        if not provoked:
            self._provoked.discard(rule.id)
        elif rule.id not in self._broken_once:
            self._provoked.add(rule.id)
        self._broken_once.add(rule.id)
        self.keeping.keep(rule_found(RuleVerdict(rule, RuleState.BROKEN, finding, 1), provoked))
        if self.test is None:
            return
        if rule.duty == "charger":
            self.test.broken.append(finding)
        elif not provoked:
            self.test.own.append(finding)

    def _add_up(self, verdicts: Iterable[RuleVerdict]) -> None:
        """How each rule stands over all tests so far."""
        order = (RuleState.UNKNOWN, RuleState.KEPT, RuleState.BROKEN)
        for new in verdicts:
            old = self._totals.get(new.rule.id, new)
            state = max(old.state, new.state, key=order.index)
            count = new.count + (old.count if old is not new else 0)
            self._totals[new.rule.id] = RuleVerdict(new.rule, state, old.first or new.first, count)


class Recording:
    """A record under way; its columns are there once its block is left."""

    def __init__(self) -> None:
        self.result: Record | None = None

    @property
    def done(self) -> Record:
        """The record. UseError inside the block."""
        if self.result is None:
            raise UseError("record: read its columns after its block has ended")
        return self.result

    def __getitem__(self, column: str) -> Series:
        """A column: of the analyzer ("dc_i") or of the frames ("discharge_limit"); see rig.recorder."""
        return self.done[column]


class Capture:
    """A digitizer record under way; its waves are there once its block is left."""

    def __init__(self) -> None:
        self.waves: Waveforms | None = None
        self.stored: CaptureStored | None = None

    @property
    def of(self) -> tuple[str, ...]:
        """Digest of the stored capture. UseError inside the block."""
        if self.stored is None:
            raise UseError("capture: read its waves after its block has ended")
        return (self.stored.sha256,)

    def __getitem__(self, channel: WavePort) -> Wave:
        """One channel, ready for rig.metrology."""
        if self.waves is None:
            raise UseError("capture: read its waves after its block has ended")
        return wave(self.waves, channel, self.of)
