"""The charger's identity card as lines and tables of text, for the reports. Knows no format."""

from __future__ import annotations

from dataclasses import dataclass

from rig.evidence.documents import CardRow, ChargerCard


@dataclass(frozen=True, slots=True)
class Shown:
    """head: one line. says: what, value, from. course: what, least, median, most, sessions, rule, its title, state.
    lines: what stands below."""

    head: str
    says: tuple[tuple[str, str, str], ...]
    course: tuple[tuple[str, ...], ...]
    lines: tuple[str, ...]


def shown(card: ChargerCard) -> Shown:
    """A card in words."""
    versions = ", ".join(card.versions)
    left_out = (
        f"; {card.spoiled} more, in which the rig's car was told to misbehave, are left out" if card.spoiled else ""
    )
    return Shown(
        head=f"CHAdeMO {versions or 'version not seen'}, from {_many(card.sessions, 'session')} of this run{left_out}.",
        says=tuple((row.name, _range(row), row.where) for row in card.says),
        course=tuple(_course(row) for row in card.course),
        lines=(_deviation(card), f"Rules of the charger broken: {', '.join(card.broken) or 'none'}."),
    )


def _many(count: int, what: str) -> str:
    return f"{count} {what}" + ("" if count == 1 else "s")


def _course(row: CardRow) -> tuple[str, ...]:
    figures = (f"{_figure(row, one)} {row.unit}".strip() for one in (row.least, row.median, row.most))
    return (row.name, *figures, str(row.count), row.rule, row.says, row.state)


def _range(row: CardRow) -> str:
    """The value; where sessions differ, from the least to the most."""
    if row.least == row.most:
        return f"{_figure(row, row.least)} {row.unit}".strip()
    return f"{_figure(row, row.least)} to {_figure(row, row.most)} {row.unit}".strip()


def _figure(row: CardRow, value: float) -> str:
    if row.flag:
        return "yes" if value else "no"
    return f"{value:.2f}" if row.unit == "s" else f"{value:.1f}".removesuffix(".0")


def _deviation(card: ChargerCard) -> str:
    found = card.deviation
    if found is None:
        return "Output against request: it never settled while charging, or nothing was charged."
    return (
        f"Output against request while charging and settled: mean {found.mean:+.2f} A, at most {found.worst:+.1f} A, "
        f"over {found.seconds:.1f} s."
    )
