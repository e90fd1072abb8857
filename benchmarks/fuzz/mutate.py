"""How inputs are changed: small damage as wires and people do it, and parts of one input in another."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

NUMBERS = (
    *(b"0", b"1", b"-1", b"00", b"1e999", b"-1E999", b"1e-999", b"NAN", b"INF", b"-INF", b"9.91E37", b"9.9E37", b"+"),
    *(b".", b"1.", b".5", b"1e", b"0x10", b"#H1F", b"1_0", b"\xb2", b"9" * 40, b"1" * 400, b"1e308", b"4.9e-324"),
    *(b"65536", b"2147483648", b"-2147483649", b"MIN", b"MAX", b"DEF", b"ON", b"OFF", b"1 V", b"1kV", b"1 mV"),
)
SIGNS = b"\x00\x01\x08\t\n\r\x1b !\"#$%'()*+,-./0123456789:;<=>?@AZ[\\]^_`az{|}~\x7f\x80\xa0\xb5\xdf\xfe\xff"
LONGEST = 300
"""Bytes to which an input may grow."""


def below(rng: Random, count: int) -> int:
    """0 .. count - 1; cheaper than randrange."""
    return int(rng.random() * count)


def bytes_of(rng: Random, one: bytes, other: bytes) -> bytes:
    """One to four changes of bytes."""
    for _ in range(1 + below(rng, 2) + 2 * (rng.random() < 0.1)):
        one = _change(rng, one, other)
    return one[:LONGEST]


def _change(rng: Random, one: bytes, other: bytes) -> bytes:
    size = len(one)
    at = below(rng, size + 1)
    match below(rng, 10):
        case 0:  # a bit turns
            if not size:
                return one
            at %= size
            return one[:at] + bytes((one[at] ^ 1 << below(rng, 8),)) + one[at + 1 :]
        case 1:  # another sign in its place
            return one[:at] + SIGNS[(k := below(rng, len(SIGNS))) : k + 1] + one[at + 1 :]
        case 2:  # one too many
            return one[:at] + SIGNS[(k := below(rng, len(SIGNS))) : k + 1] + one[at:]
        case 3:  # some are lost
            return one[:at] + one[at + 1 + below(rng, 6) :]
        case 4:  # some come twice
            return one[:at] + one[max(0, at - 1 - below(rng, 12)) :]
        case 5:  # it is cut off
            return one[:at]
        case 6:  # another one begins in the middle
            return one[:at] + other[below(rng, len(other) + 1) :]
        case 7:  # a number in the place of a word
            left, right = _word(one, at)
            return one[:left] + NUMBERS[below(rng, len(NUMBERS))] + one[right:]
        case 8:  # a word of another in the place of a word
            left, right = _word(one, at)
            start, end = _word(other, below(rng, len(other) + 1))
            return one[:left] + other[start:end] + one[right:]
        case _:  # letters change their case
            left, right = _word(one, at)
            return one[:left] + one[left:right].swapcase() + one[right:]


_EDGES = frozenset(b" ,;:*?\"'=\n\r\t#[](){}")


def _word(text: bytes, at: int) -> tuple[int, int]:
    """From where to where the word around a place reaches."""
    left = right = min(at, len(text))
    while left > 0 and text[left - 1] not in _EDGES:
        left -= 1
    while right < len(text) and text[right] not in _EDGES:
        right += 1
    return left, right


def lines_of(rng: Random, one: bytes, other: bytes) -> bytes:
    """Changes of whole lines: lost, twice, exchanged, taken from another; or of bytes."""
    if rng.random() < 0.5:
        return bytes_of_file(rng, one, other)
    mine, theirs = one.split(b"\n"), other.split(b"\n")
    at, there = below(rng, len(mine)), below(rng, len(theirs))
    match below(rng, 5):
        case 0:
            del mine[at]
        case 1:
            mine.insert(below(rng, len(mine) + 1), mine[at])
        case 2:
            k = below(rng, len(mine))
            mine[at], mine[k] = mine[k], mine[at]
        case 3:
            mine[at:at] = theirs[there : there + 1 + below(rng, 4)]
        case _:
            mine[at] = bytes_of(rng, mine[at], theirs[there])
    return b"\n".join(mine)


def bytes_of_file(rng: Random, one: bytes, other: bytes) -> bytes:
    """Changes of bytes in something long: near one place, so that the rest stays whole."""
    at = below(rng, len(one) + 1)
    start, end = max(0, at - 40), at + 40
    return one[:start] + bytes_of(rng, one[start:end], other[: 200 + at][-200:]) + one[end:]


def pick(rng: Random, of: Sequence[bytes]) -> bytes:
    """One of them."""
    return of[below(rng, len(of))]
