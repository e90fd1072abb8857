"""Header grammar: every legal spelling of a printed header is accepted, everything near it is not."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from rig.scpi.codec import Nothing, Real
from rig.scpi.command import Command
from rig.scpi.face import SYSTEM_ERROR, ScpiFace

CAPITALS = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=2, max_size=4)
TAIL = st.text("abcdefghijklmnopqrstuvwxyz", max_size=5)


@st.composite
def nodes(draw: st.DrawFn) -> list[tuple[str, str, bool, bool]]:
    """(short, rest, optional, numbered) of each node; at least one is not optional."""
    out = []
    for i in range(draw(st.integers(1, 4))):
        optional = i > 0 and draw(st.booleans())
        out.append((draw(CAPITALS), draw(TAIL), optional, not optional and draw(st.booleans())))
    return out


def printed(parts: list[tuple[str, str, bool, bool]]) -> str:
    text = ""
    for i, (short, rest, optional, numbered) in enumerate(parts):
        node = (":" if i else "") + short + rest + ("<n>" if numbered else "")
        text += f"[{node}]" if optional else node
    return text


@st.composite
def spelling(draw: st.DrawFn, parts: list[tuple[str, str, bool, bool]]) -> tuple[str, list[int]]:
    """One legal way to write it, and the numeric suffixes it carries."""
    words, numbers = [], []
    for short, rest, optional, numbered in parts:
        if optional and draw(st.booleans()):
            continue
        word = short + (rest if draw(st.booleans()) else "")
        word = "".join(c.upper() if draw(st.booleans()) else c.lower() for c in word)
        if numbered:
            number = draw(st.integers(1, 12) | st.none())
            numbers.append(1 if number is None else number)
            word += "" if number is None else str(number)
        words.append(word)
    return (":" if draw(st.booleans()) else "") + ":".join(words), numbers


@given(st.data())
def test_every_legal_spelling_is_understood(data: st.DataObject) -> None:
    parts = data.draw(nodes())
    command = Command[None](printed(parts), Nothing(), "test", "S", suffix=range(1, 13))
    text, numbers = data.draw(spelling(parts))
    match = command.pattern.match(text.upper())
    assert match is not None
    assert [int(g or 1) for g in match.groups()] == numbers


@given(st.data())
def test_the_driver_s_spelling_is_one_the_face_accepts(data: st.DataObject) -> None:
    parts = data.draw(nodes())
    command = Command[None](printed(parts), Nothing(), "test", "S", suffix=range(1, 13))
    numbers = [data.draw(st.integers(1, 12)) for _ in range(command.numbers)]
    sent = command.spelt(*numbers)
    assert not any(c.islower() for c in sent)
    match = command.pattern.match(sent)
    assert match is not None
    assert [int(g) for g in match.groups()] == numbers


@given(st.data())
def test_a_word_that_is_neither_long_nor_short_is_refused(data: st.DataObject) -> None:
    parts = data.draw(nodes())
    at = data.draw(st.integers(0, len(parts) - 1))
    short, rest, optional, _ = parts[at]
    assume(len(rest) > 1 and not optional)
    wrong = short + rest[: data.draw(st.integers(1, len(rest) - 1))]
    text = ":".join(wrong if i == at else s + r for i, (s, r, _, _) in enumerate(parts))
    assume(wrong.upper() not in (short, (short + rest).upper()))
    command = Command[None](printed(parts), Nothing(), "test", "S", suffix=range(1, 13))
    assert command.pattern.match(text.upper()) is None


@given(st.floats(-1e6, 1e6))
def test_a_number_survives_both_sides(value: float) -> None:
    """What the driver encodes the instrument decodes to nine digits; what it prints the driver parses."""
    real = Real("V", -1e6, 1e6, form=".9G", says_unit=True)
    decoded = real.decode((real.encode(value),))
    assert abs(decoded - value) <= 1e-8 * abs(value)
    assert real.parse(real.reply(decoded)) == decoded


@given(st.text(max_size=40))
def test_the_face_never_fails_on_any_text(line: str) -> None:
    """Whatever arrives, the face lives on and its queue still answers."""
    face = ScpiFace(
        "A,B,C,D", {Command[float]("VOLTage", Real("V", 0, 10), "test", "S"): (lambda v: None, lambda: 1.0)}
    )
    face.process(line.replace("\n", " "))
    reply = face.process(SYSTEM_ERROR.spelt() + "?")
    assert reply is not None
    assert reply.endswith(b'"\n')
