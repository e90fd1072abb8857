"""What a qualification found: of each case what caught it and from which severity on, of each test what it caught, and
how often a good device was blamed. Written as one JSON file; the page and every sum are made from it.

What "caught" means
  device, pair   at least one procedure says FAIL
  instrument     at least one procedure does not say PASS. When one says FAIL the good device was blamed for the
                 instrument: `blamed`, which is worse than INVALID or INCONCLUSIVE and better than nothing
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from rig.errors import UseError
from rig.qualify.rates import upper_bound
from rig.qualify.units import Found

FILE = "qualification.json"
CONFIDENCE = 0.95


class Threshold(msgspec.Struct, frozen=True, kw_only=True):
    """The slightest severity that was caught, and the grossest that was not (the harmless one when all were).

    witness: the judgement that caught the slightest, of several the one that lies least beyond its limit; its `beyond`
    over its U says how far past the limit the device had to go."""

    caught: float
    missed: float
    tried: int
    witness: Found | None = None


class Caught(msgspec.Struct, frozen=True, kw_only=True):
    """One case. kills: procedures that said FAIL at gross severity; doubts: that were neither PASS nor FAIL. tried: how
    many procedures ran. depth: at which it was caught, "" when it was not. threshold: None where there is none."""

    name: str
    kind: str
    description: str
    breaks: tuple[str, ...]
    severity: float
    unit: str
    source: str = ""
    when: str = ""
    beyond: str = ""
    kills: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    tried: tuple[str, ...] = ()
    depth: str = ""
    failure: str = ""
    threshold: Threshold | None = None

    @property
    def caught(self) -> bool:
        """Whether it was."""
        return bool(self.kills) or (self.kind == "instrument" and bool(self.doubts))

    @property
    def blamed(self) -> bool:
        """An instrument's error was put down to the device."""
        return self.kind == "instrument" and bool(self.kills)


class Alarm(msgspec.Struct, frozen=True):
    """A good device that did not pass. reasons: what was judged so."""

    seed: int
    test: str
    outcome: str
    found: tuple[Found, ...] = ()


class Good(msgspec.Struct, frozen=True, kw_only=True):
    """The good device over many seeds. judged: procedures with an outcome of their own, sessions all of them."""

    seeds: int
    judged: int
    alarms: tuple[Alarm, ...] = ()
    failures: tuple[str, ...] = ()

    @property
    def false_alarms(self) -> int:
        """FAIL for a good device."""
        return sum(alarm.outcome == "FAIL" for alarm in self.alarms)

    @property
    def rate_bound(self) -> float:
        """Upper bound of the rate of false alarms, one-sided, 95 % (Clopper-Pearson)."""
        return upper_bound(self.false_alarms, self.judged, CONFIDENCE)


class Qualification(msgspec.Struct, frozen=True, kw_only=True):
    """All of it. tests: procedures of the depth the matrix was run at. full: every one of them met every case."""

    bench: str
    profile: str
    depth: str
    full: bool
    version: str
    catalogue: str
    workers: str
    tests: tuple[str, ...]
    cases: tuple[Caught, ...]
    good: Good
    units: int
    bench_seconds: float
    wall_seconds: float
    lost_workers: int = 0

    @property
    def expected(self) -> tuple[Caught, ...]:
        """Cases that must be caught: those no stated gap excuses."""
        return tuple(case for case in self.cases if not case.beyond)

    @property
    def missed(self) -> tuple[Caught, ...]:
        """Of them, those that were not."""
        return tuple(case for case in self.expected if not case.caught)

    @property
    def singles(self) -> dict[str, str]:
        """Case -> the one procedure that caught it, where only one did."""
        return {case.name: case.kills[0] for case in self.cases if len(case.kills) == 1}

    def catches(self) -> dict[str, list[str]]:
        """Procedure -> cases it caught, of all procedures that met one, in their order."""
        met: dict[str, list[str]] = {test: [] for test in self.tests}
        for case in self.cases:
            for test in case.tried:
                met.setdefault(test, [])
            for test in case.kills:
                met[test].append(case.name)
        return met

    def idle(self) -> list[str]:
        """Procedures that met every case and caught none. Empty unless `full`."""
        tried = [set(case.tried) for case in self.cases if not case.failure]
        return [
            test for test, names in self.catches().items() if not names and tried and all(test in met for met in tried)
        ]

    def write(self, folder: Path) -> Path:
        """Write qualification.json; its path."""
        path = folder / FILE
        folder.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{FILE}.part")
        part.write_bytes(msgspec.json.format(msgspec.json.encode(self), indent=1) + b"\n")
        part.rename(path)
        return path


def read_qualification(path: Path) -> Qualification:
    """Read it again, from the file or its folder. UseError when it is none."""
    file = path / FILE if path.is_dir() else path
    try:
        return msgspec.json.decode(file.read_bytes(), type=Qualification)
    except (OSError, msgspec.MsgspecError) as error:
        raise UseError(f"{file}: is no qualification ({error}); make one with v2hrig qualify") from None
