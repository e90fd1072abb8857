"""Markdown of a reference page. Text of the code is shown as text: nothing in it may turn into markup."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Sequence

_MARKUP = re.compile(r"([\\*_<>\[\]|$#{}])")
_CODE = re.compile(r"(`[^`\n]+`)")


def text(words: str) -> str:
    """Words with every sign of Markdown made harmless; what stands between `backticks` stays code."""
    return "".join(
        piece if piece.startswith("`") and len(piece) > 2 else _MARKUP.sub(r"\\\1", piece).replace("`", "\\`")
        for piece in _CODE.split(words)
    )


def code(words: str) -> str:
    """Code in a line, also within a table."""
    quoted = f"`` {words} ``" if "`" in words else f"`{words}`"
    return quoted.replace("|", "\\|")


def prose(docstring: str | None) -> str:
    """A docstring: paragraphs as text, what is indented as it stands."""
    blocks: list[str] = []
    for block in re.split(r"\n[ \t]*\n", inspect.cleandoc(docstring or "")):
        lines = block.split("\n")
        columns = [n for n, line in enumerate(lines) if line.startswith("  ") or re.search(r"\S {2,}\S", line)]
        drawn = columns[0] if columns else len(lines)
        if said := " ".join(lines[:drawn]).strip():
            blocks.append(text(said))
        if drawn < len(lines):
            blocks.append("```text\n" + inspect.cleandoc("\n".join(["", *lines[drawn:]])) + "\n```")
    return "\n\n".join(blocks)


_CLAUSE = re.compile(r"(?:(?<=[.;:,] )|^)((?:\w+(?: \([^()]*\))?, )*\w+(?: \([^()]*\))?)(?: and [^:.]{0,60})?: ")


def keys_told(docstring: str | None, names: Iterable[str]) -> tuple[str, dict[str, str]]:
    """A docstring that tells its keys as "power: W. low, high: bounds of it": what is said besides, and of each key."""
    known, words = set(names), " ".join((docstring or "").split())
    words = re.sub(r"^\[+\w+\]+(\.$|\.? (?=[A-Z]|\w+: ))", "", words)
    found = []
    for match in _CLAUSE.finditer(words):
        keys = [re.sub(r" \(.*\)", "", key) for key in re.split(r", (?![^(]*\))", match[1])]
        if set(keys) <= known:
            found.append((match, keys))
    told: dict[str, str] = {}
    for n, (match, keys) in enumerate(found):
        end = found[n + 1][0].start() if n + 1 < len(found) else len(words)
        said = words[match.end() : end].strip().rstrip(".;,")
        aside = ""
        for key in reversed(keys):  # "soc_min, soc_max (0..1)": said of both
            own = re.search(rf"\b{key} \(([^()]*)\)", match[1])
            aside = f" ({own[1]})" if own else aside
            told[key] = said + aside
    return (words[: found[0][0].start()] if found else words).strip(), told


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; cells are Markdown already. Empty where there is no row."""
    lines = ["| " + " | ".join(cell.replace("\n", " ") for cell in row) + " |" for row in rows]
    if not lines:
        return ""
    return "\n".join(["| " + " | ".join(head) + " |", "|" + "---|" * len(head), *lines])


def page(title: str, *blocks: str) -> str:
    """A whole page."""
    return "\n\n".join([f"# {title}", *(block for block in blocks if block)]) + "\n"
