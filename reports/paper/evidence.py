"""Annexes C and D: the evidence by its digests, and where each item of ISO/IEC 17025:2017, 7.8.2.1 is."""

from __future__ import annotations

from reports.paper.sources import Issue, Section, Sources
from rig.evidence.captures import FOLDER
from rig.evidence.verify import SEAL


def evidence(sources: Sources) -> Section:
    run = sources.run
    sealed = (sources.folder / SEAL).is_file()
    good = "ends in a torn line" if run.reading.torn else "the chain of digests verifies"
    files = [one for test in run.everything for one in test.captures]
    return {
        "facts": [
            ["Run", sources.told.run if sources.told else sources.folder.name],
            ["Journal", f"{len(run.reading.lines)} lines; {run.reading.flaw or run.seal or good}"],
            ["Digest of its last line", run.reading.head],
            ["Seal", f"{SEAL} stands beside it; check it with v2hrig verify and the laboratory's public key" if sealed
             else "none when this report was made"],
        ],
        "files": [
            {"file": one.file.removeprefix(f"{FOLDER}/"), "kind": one.kind, "rows": str(one.rows), "sha": one.sha256,
             "wrong": sources.wrong.get(one.file, "")}
            for one in files
        ],
    }  # fmt: skip


def clauses(issue: Issue) -> Section:
    """7.8.2.1 a to p and its companions: where in this paper."""
    sampling = "Section 2: no sampling"
    return [
        ["a", "Title", "Page 1"],
        ["b", "Name and address of the laboratory", "Page 1"],
        ["c", "Place where the activities were carried out", "Page 1"],
        [
            "d",
            "Unique identification on every page, page x of y, clear end",
            "Header and footer; end mark on the last page",
        ],
        ["e", "Name and contact of the customer", "Page 1"],
        ["f", "Identification of the method", "Section 5"],
        ["g", "Description, identification and condition of the item", "Section 2"],
        ["h", "Date of receipt; date of sampling", f"Page 1; {sampling.lower()}"],
        ["i", "Dates of the tests", "Page 1"],
        ["j", "Date of issue", "Page 1"],
        ["k", "Sampling plan and method", sampling],
        ["l", "Statement that the results relate only to the items tested", "Page 1"],
        ["m", "Results with units", "Section 6 and annex A"],
        ["n", "Additions, deviations and exclusions", "Sections 8 and 9"],
        ["o", "Person authorising the report", "Page 1 and signature block"],
        ["p", "Results from external providers", "None: every value was measured on the bench of section 3"],
        ["7.8.2.2", "What the customer supplied, marked as such", "Page 1"],
        ["7.8.3", "Conditions, measurement uncertainty", "Section 4; section 6; annex B"],
        ["7.8.6", "Statements of conformity and decision rule", "Section 4 and section 6"],
        ["7.8.7", "Opinions and interpretations", "None are given"],
        [
            "7.8.8",
            "Amendments",
            f"Page 1: amends {issue.amends}; section 9" if issue.amends else "This is no amended report",
        ],
    ]
