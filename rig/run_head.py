"""How a run begins on record: what is asked, of which item, on which bench, under which requirements.

The same bench, item, files and order give the same documents, so a run that was cut off can be told from another one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from rig.bench import Bench
from rig.bench_config import PARTS
from rig.evidence.documents import BenchDescribed, Calibration, Document, Item, Part, RunStart
from rig.evidence.translate import identity, required
from rig.requirements import Requirement


def run_head(
    bench: Bench,
    requirements: Iterable[Requirement],
    selected: Collection[str],
    suites: Sequence[str],
    catalogue: str,
    version: str = "",
    tests: Sequence[str] = (),
    depth: str = "normal",
) -> tuple[Document, ...]:
    """RunStart, BenchDescribed, and a Required for each requirement. selected: ids that selected tests verify. tests:
    ids of those tests. depth: of the matrices."""
    profile, who = bench.profile, bench.identities()
    panel = who["charger"]
    start = RunStart(
        seed=bench.seed,
        bench=bench.config.bench.name,
        profile=profile.name,
        catalogue=catalogue,
        suites=tuple(suites),
        item=Item(
            name=profile.title, maker=panel.maker, model=panel.model, serial=panel.serial, firmware=panel.firmware
        ),
        rig=version,
        tests=tuple(tests),
        depth=depth,
    )
    parts = tuple(
        Part(
            name=name,
            driver=part.driver,
            resource=part.resource,
            identity=identity(who[name]),
            emulated=part.emulated,
            met_hardware=bench.drivers[name].met_hardware,
            calibration=Calibration(
                until=part.calibrated_until.isoformat() if part.calibrated_until else "",
                certificate=part.papers.certificate,
                corrections=tuple(map(str, part.papers.corrections)),
            ),
            accuracy=bench.drivers[name].accuracy,
        )
        for name, part in bench.config.parts.items()
    )
    described = BenchDescribed(
        kind=bench.config.kind,
        clock=bench.config.bench.clock,
        parts=parts,
        absent=tuple(name for name in PARTS if name not in bench.config.parts),
        digest=bench.config.digest,
    )
    return (start, described, *(required(row, row.id in selected) for row in requirements))
