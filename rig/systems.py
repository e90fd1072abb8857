"""Systems and what is expected of each: a TOML file, and a run's journal held against it.

An expectation is kept when what must pass has passed, what must fail has failed, and nothing else came out bad. An
expected FAIL that does not come is as wrong as one nobody expected.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import ValidationError

from rig.errors import BenchConfigError
from rig.evidence.documents import Document, Judged, RuleFound, RunStop, TestStop
from rig.profile import Table, explain, read_toml

NEVER = ("INCONCLUSIVE", "INVALID", "ERROR")
"""Outcomes of a test that are expected of no system."""


class System(Table):
    """One system. bench: name of its file. says: for people. passes: requirement ids; fails, breaks: id -> why."""

    name: str
    bench: str
    says: str
    passes: tuple[str, ...]
    fails: Mapping[str, str] = {}
    breaks: Mapping[str, str] = {}

    @property
    def bad(self) -> bool:
        """Whether the rig is expected to find it bad."""
        return bool(self.fails or self.breaks)

    def differs(self, documents: Iterable[Document]) -> tuple[str, ...]:
        """How a run of it came out otherwise than expected, one sentence each; empty for as expected."""
        verdicts: dict[str, set[str]] = {}
        broken, outcomes, ended = set[str](), dict[str, str](), False
        for one in documents:
            if isinstance(one, Judged):
                verdicts.setdefault(one.requirement, set()).add(one.verdict)
            elif isinstance(one, RuleFound) and one.state == "broken" and one.duty == "charger":
                broken.add(one.rule)
            elif isinstance(one, TestStop):
                outcomes[one.test] = one.outcome
            elif isinstance(one, RunStop):
                ended = one.status == "completed"
        said = [] if ended else ["the run did not come to its end"]
        said += [
            f"{id}: PASS expected, {_words(verdicts.get(id))}" for id in self.passes if verdicts.get(id) != {"PASS"}
        ]
        said += [
            f"{id}: FAIL expected, {_words(verdicts.get(id))}"
            for id in self.fails
            if "FAIL" not in verdicts.get(id, ())
        ]
        said += [f"{rule}: should be broken and is not" for rule in self.breaks if rule not in broken]
        said += [
            f"{id}: {_words(found)} and nobody expected it"
            for id, found in verdicts.items()
            if id not in (*self.fails, *self.passes) and found != {"PASS"}
        ]
        said += [f"{rule}: broken and nobody expected it" for rule in sorted(broken - self.breaks.keys())]
        wrong = NEVER if self.bad else (*NEVER, "FAIL")
        said += [f"{test}: {outcome}" for test, outcome in outcomes.items() if outcome in wrong]
        return tuple(said)


def _words(found: set[str] | None) -> str:
    return " and ".join(sorted(found)) + " found" if found else "no verdict found"


def read_systems(path: Path) -> tuple[System, ...]:
    """Read and check the file. BenchConfigError names every problem."""
    raw = read_toml(path, "systems").get("system")
    if not isinstance(raw, list) or not raw:
        raise BenchConfigError([f"{path}: holds no system; add [[system]]"])
    systems, problems = list[System](), list[str]()
    for number, table in enumerate(raw, 1):
        name = table.get("name", f"system {number}") if isinstance(table, dict) else f"system {number}"
        try:
            systems.append(System.model_validate(table))
        except ValidationError as error:
            problems += [f"{path}: {name}: {line}" for line in explain(error)]
            continue
        if both := set(systems[-1].passes) & set(systems[-1].fails):
            problems.append(f"{path}: {name}: {', '.join(sorted(both))} must pass and must fail; keep one")
    names = [one.name for one in systems]
    problems += [f"{path}: {name}: stands twice; keep one" for name in sorted({n for n in names if names.count(n) > 1})]
    if problems:
        raise BenchConfigError(problems)
    return tuple(systems)
