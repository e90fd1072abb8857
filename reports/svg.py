"""Elements of SVG as text that is already escaped. Knows shapes, no document."""

from __future__ import annotations

from functools import cache

from markupsafe import Markup, escape


def number(value: float) -> str:
    """A coordinate with a hundredth of a unit."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def tag(name: str, *content: object, **attributes: object) -> Markup:
    """An element. class_ gives class, text_anchor text-anchor; None leaves an attribute out. Text is escaped."""
    words = [name]
    for key, value in attributes.items():
        if value is None:
            continue
        plain = isinstance(value, int | float) and not isinstance(value, bool)
        words.append(f'{_name(key)}="{number(value) if plain else escape(str(value))}"')  # type: ignore[arg-type]
    head = " ".join(words)
    if not content:
        return Markup(f"<{head}/>")
    inner = "".join(str(escape(one)) for one in content)
    return Markup(f"<{head}>{inner}</{name}>")


@cache
def _name(key: str) -> str:
    return key.rstrip("_").replace("_", "-")


def joined(parts: list[Markup]) -> Markup:
    """Elements one after the other."""
    return Markup("").join(parts)


def title(text: str) -> Markup:
    """What a pointer held still over the parent shows, and a screen reader says."""
    return tag("title", text)
