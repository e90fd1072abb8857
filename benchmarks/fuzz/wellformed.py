"""What a reply must look like to be a value: response data of IEEE 488.2 chapter 8, read a second time and by other
means than the rig's codecs. None: it is no value, and whoever makes one of it is wrong.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

MISSING = Decimal("9.9e37")
"""From here on a number is a mark for a value over range or missing (SCPI-99 volume 1, 7.2.1.4)."""
PREFIX = {"": 0, "G": 9, "MA": 6, "K": 3, "M": -3, "U": -6, "N": -9}
DIGITS = frozenset("0123456789")
BLANKS = " \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f\x85\xa0"


def number(text: str, unit: str = "") -> float | None:
    """A decimal number, NR1 NR2 or NR3, with or without its unit."""
    text = text.strip(BLANKS)
    end = len(text)
    while end and (text[end - 1].isalpha() or text[end - 1] in "/%"):
        end -= 1
    digits, suffix = text[:end].rstrip(BLANKS), text[end:].upper()
    if not digits or not set(digits) <= DIGITS | set("+-.eE") or not DIGITS & set(digits):
        return None
    scale = _scale(suffix, unit.upper())
    if scale is None:
        return None
    try:
        value = Decimal(digits)
    except InvalidOperation:
        return None
    scaled = value.scaleb(scale)
    return float(scaled) if abs(scaled) < MISSING else None


def _scale(suffix: str, unit: str) -> int | None:
    """The power of ten a suffix stands for."""
    if not suffix:
        return 0
    if unit in ("", "1") or not suffix.isascii():
        return None
    if "/" in unit or unit in ("DEG", "%"):
        return 0 if suffix == unit else None
    if not suffix.endswith(unit):
        return None
    if unit in ("HZ", "OHM") and suffix == "M" + unit:
        return 6
    return PREFIX.get(suffix[: len(suffix) - len(unit)])


def whole(text: str) -> int | None:
    """A whole number, NR1; 20 digits hold the largest register there is, 64 bits."""
    text = text.strip(BLANKS)
    digits = text[1:] if text[:1] in ("+", "-") else text
    if not digits or not set(digits) <= DIGITS or len(digits) > 20:
        return None
    return int(text)


def block(raw: bytes) -> bytes | None:
    """A definite length block, whole; what stands behind it does not belong to it."""
    if raw[:1] != b"#" or raw[1:2] not in {b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"8", b"9"}:
        return None
    start = 2 + int(raw[1:2])
    count = raw[2:start]
    if len(count) != start - 2 or not set(count) <= set(b"0123456789"):
        return None
    end = start + int(count)
    return raw[start:end] if len(raw) >= end else None


def entry(text: str) -> int | None:
    """The number of a line of an error queue, `-113,"Undefined header"`; 0 may stand alone."""
    code, comma, _ = text.strip(BLANKS).partition(",")
    found = whole(code)
    return found if comma or found == 0 else None
