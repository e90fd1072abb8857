"""The requirement files: the keys of a row, and every row as it stands in fixtures/requirements."""

from __future__ import annotations

from docs.generate.models import fields, inner
from docs.generate.words import code, page, prose, table, text
from fixtures.library import REQUIREMENTS
from rig import requirements
from rig.requirements import LimitRow, Requirement, read_catalogue


def requirement_file() -> str:
    """The page of the keys."""
    blocks = [
        'One file a family, `fixtures/requirements/*.toml`: `family = "PWR"`, then `[[requirement]]` rows with '
        "`[[requirement.limit]]` and `[[requirement.condition]]` below them. "
        "[Add a requirement](../howto/add-a-requirement.md) does it step by step.",
        prose(requirements.__doc__),
        "## \\[\\[requirement\\]\\]",
        fields(Requirement, leave_out=("overridden", "applies")),
    ]
    for one in inner(Requirement):
        blocks += [f"## {one.__name__}", fields(one)]
    return page("Requirement file", *blocks)


def catalogue() -> str:
    """The page of the rows: what is asked of a device, before a profile has its say."""
    rows = read_catalogue(REQUIREMENTS).requirements
    families: dict[str, list[Requirement]] = {}
    for row in rows.values():
        families.setdefault(row.family, []).append(row)
    blocks = [
        f"{len(rows)} rows. A profile puts its figures in, takes rows away with a reason, and may replace a limit; "
        "`v2hrig requirements list --profile NAME` prints them so, with the procedures that judge each. "
        "Confidence: S seen in its source, S2 second-hand, M remembered, P our own choice. What is not S or S2 is "
        "never called conformity.",
    ]
    for family, found in families.items():
        blocks += [
            f"## {family}",
            table(
                ("id", "title", "limits", "source", "confidence"),
                [
                    (code(row.id), text(row.title), _limits(row), text(row.source), text(row.confidence.raw))
                    for row in found
                ],
            ),
        ]
    return page("Requirement catalogue", *blocks)


def _limits(row: Requirement) -> str:
    if row.not_run is not None:
        return f"not run: {text(row.not_run)}"
    return "<br>".join(_limit(one) for one in row.limits)


def _limit(one: LimitRow) -> str:
    unit = one.unit if one.of is None else f"x {one.of}"
    bound = " .. ".join("" if bound is None else f"{bound:g}" for bound in (one.min, one.max)).strip()
    if one.min is None and one.max is None:
        bound, unit = "reported", ""
    codes = f" ({', '.join(one.grid_codes)})" if one.grid_codes else ""
    return text(f"{one.quantity} {bound} {unit}".strip() + codes)
