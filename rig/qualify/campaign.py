"""The plan of a qualification: good devices, then every case gross, then less and less of it.

Theory
  good       the device as it is, over many seeds: every procedure that does not pass is an alarm
  gross      each case at its gross severity. `full`: every procedure of the depth meets it. Else those that verify a
             requirement it breaks come first, and all of them only when these caught nothing
  ladder     what was not caught climbs: those of normal depth that verify its requirements, all of quick, all of
             normal, at last what verifies its requirements at full depth, and endurance. It stops where it is caught
  threshold  for each case with a scale, bisection between harmless and gross over the procedures that caught it gross,
             a round of units at a time so that all workers are busy. It ends when what caught it lies within twice its
             own uncertainty of the limit: closer a judgement cannot be asked to be

Which procedures ran is kept for each case, so nothing that was not tried is ever called a survivor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from rig.qualify.cases import Case
from rig.qualify.pool import Pool
from rig.qualify.qualification import Alarm, Caught, Good, Threshold
from rig.qualify.search import Search
from rig.qualify.units import Depth, Found, Result, Unit

Work = Callable[[Unit], Result]
Say = Callable[[str], None]
Rung = Callable[[Case], Unit | None]
WITHIN = 2.0
"""U beyond the limit at which a threshold need not be known closer (project choice: what the decision rule can ask)."""
WITNESSES = 6
"""Procedures that look for a threshold, quickest first (project choice; those of the case's requirements all)."""
ENDURANCE = "endurance"


@dataclass
class Campaign:
    """tests: depth -> procedure -> requirements it declares. seed: of every case."""

    pool: Pool
    work: Work
    tests: Mapping[Depth, Mapping[str, tuple[str, ...]]]
    say: Say
    bench: str = "emulated"
    profile: str = ""
    seed: int = 0
    full: bool = False
    steps: int = 7
    units: int = 0
    bench_seconds: float = 0.0
    _gross: dict[str, Result] = field(default_factory=dict)
    """Case -> what caught it at gross severity."""

    # -- good devices

    def good(self, seeds: Sequence[int]) -> Good:
        """The good device over seeds."""
        judged, alarms, failures = 0, list[Alarm](), list[str]()
        units = [self._unit(seed=seed) for seed in seeds]
        for unit, result in self._run(units):
            judged += result.judged
            failures += [f"seed {unit.seed}: {result.failure}"] if result.failure else []
            for test in result.bad:
                wrong = tuple(one for one in result.found if one.test == test and one.verdict != "PASS")
                alarms.append(Alarm(unit.seed, test, result.outcomes[test], wrong))
            self.say(f"good       seed {unit.seed}: {result.judged} judged, {len(result.bad)} not passed")
        alarms.sort(key=lambda one: (one.seed, one.test))
        return Good(seeds=len(units), judged=judged, alarms=tuple(alarms), failures=tuple(sorted(failures)))

    # -- cases

    def cases(self, cases: Sequence[Case]) -> tuple[Caught, ...]:
        """Every case gross, up the ladder, then its threshold."""
        found = {case.name: _blank(case) for case in cases}
        left = list(cases)
        for rung in self._ladder():
            units = {case.name: unit for case in left if (unit := rung(case)) is not None}
            for unit, result in self._run(list(units.values())):
                found[unit.case] = _added(found[unit.case], unit, result)
                if found[unit.case].caught:
                    self._gross[unit.case] = result
                self.say(_line(found[unit.case], unit))
            left = [case for case in left if not found[case.name].caught]
        found |= self._thresholds([case for case in cases if found[case.name].caught and case.nil is not None], found)
        return tuple(found[case.name] for case in cases)

    def _ladder(self) -> tuple[Rung, ...]:
        every: Rung = lambda case: self._unit(case, case.gross)  # noqa: E731
        more: Rung = lambda case: self._unit(case, case.gross, depth="normal", first=True)  # noqa: E731
        first = (every, self._aimed_normal) if self.full else (self._aimed_quick, self._aimed_normal, every)
        return (*first, more, self._deep)

    def _aimed_quick(self, case: Case) -> Unit | None:
        """Those of quick depth that verify what it breaks."""
        names = self._verifying(case, "quick")
        return self._unit(case, case.gross, tests=names) if names else None

    def _aimed_normal(self, case: Case) -> Unit | None:
        """Those of normal depth that verify what it breaks, beside the ones that quick depth has."""
        names = [name for name in self._verifying(case, "normal") if name not in self.tests["quick"]]
        return self._unit(case, case.gross, tests=names, depth="normal") if names else None

    def _deep(self, case: Case) -> Unit | None:
        """At full depth: what verifies its requirements, and endurance."""
        names = self._verifying(case, "full") + [one for one in self.tests["full"] if f"/{ENDURANCE}/" in one]
        return self._unit(case, case.gross, tests=list(dict.fromkeys(names)), depth="full", first=True)

    def _verifying(self, case: Case, depth: Depth) -> list[str]:
        return [name for name, ids in self.tests[depth].items() if set(ids) & set(case.breaks)]

    # -- thresholds

    def _thresholds(self, cases: Sequence[Case], found: Mapping[str, Caught]) -> dict[str, Caught]:
        searches: dict[str, tuple[Case, Search, list[str]]] = {}
        witnesses: dict[str, Found | None] = {}
        for case in cases:
            assert case.nil is not None
            catching = self._witnesses(case, found[case.name])
            if catching:
                searches[case.name] = (case, Search(case.nil, case.gross, self.steps), catching)
                witnesses[case.name] = _closest(self._gross[case.name])
        while True:
            units = [
                self._unit(case, severity, tests=tests, depth=_depth(found[name]))
                for name, (case, search, tests) in searches.items()
                if (severity := search.next()) is not None
            ]
            if not units:
                break
            for unit, result in self._run(units):
                case, search, _ = searches[unit.case]
                caught = bool(result.bad if case.kind == "instrument" else result.failed)
                closest = _closest(result) if caught else None
                witnesses[unit.case] = closest or witnesses[unit.case]
                assert unit.severity is not None
                search.tell(unit.severity, caught, closest is not None and _near(closest))
            self.say(f"threshold  {len(units)} severities tried")
        return {
            name: replace(found[name], threshold=_threshold(search, witnesses[name]))
            for name, (_, search, _) in searches.items()
        }

    def _witnesses(self, case: Case, caught: Caught) -> list[str]:
        """Procedures that look for its threshold: those that caught it, of its requirements and the quickest."""
        seconds = self._gross[case.name].seconds
        names = caught.kills or caught.doubts
        ids = self.tests[_depth(caught)]
        own = [name for name in names if set(ids.get(name, ())) & set(case.breaks)]
        quick = sorted(names, key=lambda name: seconds.get(name, 0.0))
        return list(dict.fromkeys([*own, *quick]))[:WITNESSES]

    # -- units

    def _unit(
        self,
        case: Case | None = None,
        severity: float | None = None,
        tests: Sequence[str] = (),
        depth: Depth = "quick",
        first: bool = False,
        seed: int | None = None,
    ) -> Unit:
        return Unit(
            bench=self.bench,
            profile=self.profile,
            tests=tuple(tests),
            depth=depth,
            seed=self.seed if seed is None else seed,
            case="" if case is None else case.name,
            severity=severity,
            plants=() if case is None or severity is None else case.plant(severity),
            first=first,
        )

    def _run(self, units: Sequence[Unit]) -> Iterator[tuple[Unit, Result]]:
        """Run units; each with its result, as they come."""
        for unit, result in self.pool.run(self.work, units):
            self.units += 1
            self.bench_seconds += result.bench_seconds
            yield unit, result


def _blank(case: Case) -> Caught:
    return Caught(
        name=case.name,
        kind=case.kind,
        description=case.description,
        breaks=case.breaks,
        severity=case.gross,
        unit=case.unit,
        source=case.source,
        when=case.when,
        beyond=case.beyond,
    )


def _added(so_far: Caught, unit: Unit, result: Result) -> Caught:
    tried = (name for name, outcome in result.outcomes.items() if outcome != "NOT RUN")
    doubts = (name for name in result.bad if result.outcomes[name] != "FAIL")
    more = replace(
        so_far,
        kills=tuple(dict.fromkeys((*so_far.kills, *result.failed))),
        doubts=tuple(dict.fromkeys((*so_far.doubts, *doubts))),
        tried=tuple(dict.fromkeys((*so_far.tried, *tried))),
        failure=result.failure,
    )
    return replace(more, depth=unit.depth) if more.caught else more


def _closest(result: Result) -> Found | None:
    """Of what failed, the judgement that lies least beyond its limit, in its own uncertainty."""
    failed = [one for one in result.found if one.verdict == "FAIL" and one.expanded > 0.0]
    return min(failed, key=lambda one: one.beyond() / one.expanded, default=None)


def _near(witness: Found) -> bool:
    """So little beyond its limit that no judgement could be asked to see less."""
    return witness.beyond() <= WITHIN * witness.expanded


def _threshold(search: Search, witness: Found | None) -> Threshold:
    return Threshold(caught=search.caught, missed=search.missed, tried=len(search.tried), witness=witness)


def _depth(caught: Caught) -> Depth:
    return "full" if caught.depth == "full" else "normal" if caught.depth == "normal" else "quick"


def _line(caught: Caught, unit: Unit) -> str:
    if caught.failure:
        return f"{caught.name}: could not be run: {caught.failure}"
    what = f"{len(caught.kills)} of {len(caught.tried)}" if caught.caught else f"not caught by {len(caught.tried)}"
    return f"{'caught' if caught.caught else 'MISSED':<10} {caught.name} ({unit.depth}): {what}"
