"""Text of a journal made fit for a format that is less patient than HTML. Knows no document and no format.

What cannot be seen, or turns what stands beside it around, is written out as [U+202E]: a reader must see what is there.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

_LONG = re.compile(r"\S{14,}")
_BREAK = re.compile(r"(?<=[/_:.,\]&;)-])(?=[^\s/:])|(?<=[a-z0-9])(?=\[)")
ZERO_WIDTH = "​"
SEEN = ((0x20, 0x7E), (0xA1, 0x17F), (0x391, 0x3C9), (0x410, 0x44F))
"""Latin, Greek and Cyrillic letters: what any text font has."""
SIGNS = "–—‘’“”•…→≤≥≈≠−±×·°µΩ√∞"
"""Signs the reports themselves use; the fonts of the typst wheel have them."""


def visible(text: str) -> str:
    """The text with its new lines; every other control, format, private or unassigned character written out."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(one if one == "\n" or _seen(one) else named(one) for one in text)


def named(one: str) -> str:
    """How a character is written out."""
    return f"[U+{ord(one):04X}]"


def known(text: str) -> str:
    """The text with every character that a text font may lack written out."""
    kept = (ZERO_WIDTH, "\n", " ")
    return "".join(
        one if one in kept or one in SIGNS or any(low <= ord(one) <= high for low, high in SEEN) else named(one)
        for one in text
    )


def breakable(text: str) -> str:
    """The text with places where a long word may be broken: after its signs, and in digests every eight letters."""
    return _LONG.sub(lambda word: _broken(word[0]), text)


def every(text: object, change: Callable[[str], str]) -> object:
    """Lists and dicts of text, nested, with each text changed; keys stay."""
    if isinstance(text, str):
        return change(text)
    if isinstance(text, dict):
        return {key: every(one, change) for key, one in text.items()}
    return [every(one, change) for one in text] if isinstance(text, list | tuple) else text


def _broken(word: str) -> str:
    pieces = list[str]()
    for piece in _BREAK.split(word):
        pieces += [piece[k : k + 8] for k in range(0, len(piece), 8)] if len(piece) > 28 else [piece]
    return ZERO_WIDTH.join(pieces)


def _seen(one: str) -> bool:
    return unicodedata.category(one) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
