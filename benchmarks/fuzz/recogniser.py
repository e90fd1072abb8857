"""What a line must look like to put an output on, model by model: a second reading of the guides, by other means than
the rig's (rig/scpi/face.py), so that one mistake does not stand on both sides.

A program message (IEEE 488.2, 7.3; SCPI-99 volume 1, 6.2): units between ';', never within a quoted text; a header of
plain ASCII letters, then white space, then one parameter. A header without a leading ':' goes on at the node of the
unit before it. ON is the word, or a decimal number that rounds to another than 0 (SCPI-99 volume 1, 7.3).

Here every spelling there is stands in a list by itself, and a line is looked up in it.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from itertools import product


def spellings(*nodes: tuple[str, ...]) -> frozenset[str]:
    """Every way to write a header of these nodes; "" where one may be left out."""
    return frozenset(":".join(word for word in words if word) for words in product(*nodes))


OUTPUT = ("OUTP", "OUTPUT")
STATE = ("", "STAT", "STATE")
ENERGISING = {
    "ea_psb_10000": spellings(OUTPUT),
    "keysight_rp7962": spellings(OUTPUT, STATE),
    "chroma_61845": spellings(OUTPUT, STATE),
    "ametek_mx45": spellings(OUTPUT, STATE),
    "chroma_63804": spellings(("LOAD",), STATE),
    "itech_it8617": spellings(("INP", "INPUT"), STATE),
}
"""Switches of outputs and inputs. EA guide 5.4.5.3; Keysight RP7900 class; Chroma and AMETEK as in the SunSpec SVP;
Chroma 63800 and ITECH IT8615 classes (facts: instruments.md)."""
CLEARING = {"keysight_rp7962": spellings(OUTPUT, ("PROT", "PROTECTION"), ("CLE", "CLEAR"))}
"""What brings back an output that a protection had latched off ([GUIDE] p. 226 of the RP7900)."""
WHITE = "".join(map(chr, (*range(10), *range(11, 33))))
"""White space of IEEE 488.2, 7.4.1.2: every control character but LF, and the blank."""


def switches_on(model: str, line: str) -> bool:
    """Whether one of the line's units is a whole command to put this model's output on."""
    return any(
        (path in ENERGISING[model] and _is_on(data)) or (path in CLEARING.get(model, ()) and not data)
        for path, data in _units(line)
    )


def _units(line: str) -> list[tuple[str, str]]:
    """(path in capitals, parameters) of every unit."""
    found, node = list[tuple[str, str]](), ""
    for unit in _outside_quotes(line):
        text = unit.strip(WHITE)
        end = next((k for k, sign in enumerate(text) if sign in WHITE), len(text))
        header, data = text[:end], text[end:].strip(WHITE)
        if not header:
            continue
        if not header.isascii():
            break
        absolute = header[0] in ":*"
        path = (header if absolute else node + header).upper()
        if header[0] != "*":
            node = path[: path.rfind(":") + 1]
        found.append((path[1:] if path[:1] == ":" else path, data))
    return found


def _outside_quotes(line: str) -> list[str]:
    parts, quote = [""], ""
    for sign in line:
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'":
            quote = sign
        elif sign == ";":
            parts.append("")
            continue
        parts[-1] += sign
    return parts


def _is_on(data: str) -> bool:
    if data.upper() == "ON" and data.isascii():
        return True
    if not data or not set(data) <= set("0123456789+-.eE"):
        return False
    try:
        return abs(Decimal(data)) >= Decimal("0.5")
    except InvalidOperation:
        return False
