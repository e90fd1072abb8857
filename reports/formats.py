"""Every form a report can take, by name, and how one is written. Knows the writers and no command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reports.allure import write_allure
from reports.html import write_html
from reports.junit import write_junit
from reports.pdf import write_pdf
from reports.place import refuse_link, told
from reports.sign import Signing
from rig.errors import UseError
from rig.evidence.run_info import UNSTATED, Laboratory
from rig.evidence.verify import SEAL

FORMATS = {"html": "report.html", "pdf": "report.pdf", "junit": "junit.xml", "allure": "allure-results"}
"""Name -> file, or folder, it is written to."""


@dataclass(frozen=True, slots=True)
class Given:
    """What the one who gives the report out says. former: folder of a run this one is compared with, in HTML and PDF;
    all else is of the PDF alone. signing: with what a final report is signed."""

    laboratory: Laboratory = UNSTATED
    final: bool = False
    amends: str = ""
    reason: str = ""
    former: Path | None = None
    signing: Signing | None = None


def formats(text: str) -> tuple[str, ...]:
    """The names of a list with commas, each once. UseError for one that is none."""
    names = tuple(dict.fromkeys(one.strip() for one in text.split(",") if one.strip()))
    for name in names:
        if name not in FORMATS:
            raise UseError(f"--to {name}: no such report; there are {', '.join(FORMATS)}")
    if not names:
        raise UseError(f"--to: names no report; there are {', '.join(FORMATS)}")
    return names


def write_reports(
    folder: Path, names: Sequence[str], out: Path | None = None, given: Given | None = None
) -> list[Path]:
    """Write the reports of a run; their paths. out: the file of a single report, or the folder of several; None for the
    run's own folder, which must not be sealed yet: a seal covers every file there is.

    UseError for a sealed folder, for a final report that may not be given out and for a place that cannot be written,
    TraceError without a journal.
    """
    if out is None and (folder / SEAL).exists():
        raise UseError(
            f"{folder}: is sealed, and a report written into it would break the seal; name a place with --out"
        )
    given = given or Given()
    paths = list[Path]()
    for name in names:
        path = out if out is None or len(names) == 1 else out / FORMATS[name]
        match name:
            case "html":
                paths.append(write_html(folder, path, given.former))
            case "pdf":
                said = (given.laboratory, given.final, given.amends, given.reason, given.former, given.signing)
                paths.append(write_pdf(folder, path, *said))
            case "junit":
                paths.append(write_junit(folder, path))
            case _:
                with told(path or folder / FORMATS[name]):
                    paths.append(write_allure(folder, path or refuse_link(folder / FORMATS[name])))
    return paths
