"""The report an assessor files: one PDF/A-2a, tagged for PDF/UA-1, made from a run's folder alone by typst, offline.

The same folder and the same laboratory's file give the same bytes: fonts are those of the typst wheel, and the date in
the file is the run's end. A final report is refused while the laboratory has not stated what ISO/IEC 17025:2017 asks
for, or while the evidence does not verify; anything else is a draft and says so on every page. On a bench with a model
in it a certain word, WITHHELD, stands nowhere, whoever wrote it.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import datetime
from functools import partial
from pathlib import Path

import msgspec
import typst

from reports import plain
from reports.decided import look
from reports.gather import gather
from reports.history.rows import read_run
from reports.laboratory import joined, missing
from reports.paper.content import content
from reports.paper.sources import Issue, Section, Sources
from reports.pictures import Gallery
from reports.place import put
from reports.run import Run
from reports.sign import Signing, load_signer, sign_pdf
from rig.errors import TraceError, UseError
from rig.evidence.journal import scan_journal
from rig.evidence.run_info import UNSTATED, Laboratory, RunInfo, read_run_info

NAME = "report.pdf"
STANDARDS: list[typst.PDFStandard] = ["a-2a", "ua-1"]
_TEMPLATE = Path(__file__).parent / "templates" / "report.typ"
WITHHELD = re.compile(r"certified", re.IGNORECASE)


def write_pdf(
    folder: Path,
    out: Path | None = None,
    laboratory: Laboratory = UNSTATED,
    final: bool = False,
    amends: str = "",
    reason: str = "",
    former: Path | None = None,
    signing: Signing | None = None,
) -> Path:
    """Write the report of a run; its path, folder/report.pdf unless out is given.

    laboratory: what it states beyond run.json. amends: number of the report this one takes the place of, reason: what
    changed. former: folder of a run whose verdicts and values it is compared with. signing: with what it is signed;
    a signed report is the same in all but its signature. UseError for a final report that may not be given out and for
    a draft that would be signed, TraceError without a journal.
    """
    if signing and not final:
        raise UseError("a draft is not signed; add --final, or leave --sign-key out")
    if signing:
        load_signer(signing)  # before the work, not after it
    path = folder / NAME if out is None else out
    raw = render_pdf(folder, laboratory, final, amends, reason, former)
    if signing:
        raw = sign_pdf(raw, signing, "Authorised test report", laboratory.place)
    return put(path, raw)


def render_pdf(
    folder: Path,
    laboratory: Laboratory = UNSTATED,
    final: bool = False,
    amends: str = "",
    reason: str = "",
    former: Path | None = None,
) -> bytes:
    """The report's bytes, without a signature."""
    if bool(amends) != bool(reason):
        raise UseError("an amended report names both the report it amends and what changed: give --amends and --reason")
    run = gather(scan_journal(folder))
    try:
        info: RunInfo | str | None = read_run_info(folder)
    except TraceError as error:
        info = str(error)
    gallery = Gallery(folder, run)
    lab = joined(info.laboratory, laboratory) if isinstance(info, RunInfo) else laboratory
    if final:
        _refuse(run, lab, gallery)
    sources = Sources(folder, run, info, gallery.draw_all(run), gallery.wrong, partial(look, gallery))
    earlier = read_run(former) if former else None
    number = _number(run, info, lab, final, amends, reason, earlier.run.head if earlier else "")
    told = content(sources, Issue(number, lab, final, amends, reason, earlier))
    return _compile(_fit(told, run.kind != "hardware"), _stamp(info))


def _refuse(run: Run, lab: Laboratory, gallery: Gallery) -> None:
    if lacking := missing(lab, run.kind == "hardware"):
        words = f"--laboratory: {', '.join(lacking)} not stated"
        raise UseError(f"{words}; a final report needs them (ISO/IEC 17025:2017, 7.8.2.1), a draft does not")
    if run.reading.flaw or run.reading.torn or run.seal or gallery.wrong:
        said = (
            run.reading.flaw or run.seal or next(iter(gallery.wrong.values()), "") or "the journal ends in a torn line"
        )
        raise UseError(f"{run.reading.folder}: no final report of evidence that does not verify ({said})")


def _number(run: Run, info: object, lab: Laboratory, final: bool, *said: str) -> str:
    """Of this report: no two that differ in evidence, laboratory, standing or amendment have the same."""
    told = info if isinstance(info, RunInfo) else None
    facts = [run.reading.head, told.run if told else "", msgspec.to_builtins(lab), final, *said]
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:10].upper()
    kind = {"hardware": "TR", "emulated": "SR", "mixed": "MR"}.get(run.kind, "XR")
    return f"{kind}-{told.begun[:10].replace('-', '') if told else 'undated'}-{digest}"


def _fit(told: Section, emulated: bool) -> Section:
    """Every text as paper can carry it."""

    def said(text: str) -> str:
        return WITHHELD.sub("(word withheld)", text) if emulated else text

    def change(text: str) -> str:
        return said(text) if text.startswith("<svg") else plain.breakable(plain.visible(said(text)))

    fit: Section = plain.every(told, change)
    return fit | {"number": plain.visible(said(told["number"]))}  # short, and searched for as it is printed


def _stamp(info: object) -> int:
    """s since 1970 UTC: the end of the run, else its begin, else 0."""
    text = (info.ended or info.begun) if isinstance(info, RunInfo) else ""
    try:
        return int(datetime.fromisoformat(text).timestamp())
    except ValueError:
        return 0


def _compile(told: Section, stamp: int) -> bytes:
    """With the wheel's fonts; where they lack a letter (a Japanese name, say) with those of the system; where these
    lack it too, with the letter's number in its place."""
    try:
        return _typeset(told, stamp, system=False)
    except typst.TypstError as error:
        if "could not be displayed" not in str(error):
            raise
    try:
        return _typeset(told, stamp, system=True)
    except typst.TypstError:
        return _typeset(plain.every(told, plain.known), stamp, system=False)


def _typeset(told: Section, stamp: int, system: bool) -> bytes:
    compiler = typst.Compiler(
        _TEMPLATE.read_bytes(), ignore_system_fonts=not system, sys_inputs={"report": json.dumps(told)}
    )
    raw = compiler.compile(format="pdf", pdf_standards=STANDARDS, timestamp=stamp)
    assert isinstance(raw, bytes)
    return raw
