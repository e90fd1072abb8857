"""The chain under random damage: a changed byte is found, and located at its line."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from rig.evidence.documents import Document, Incident, Measured, RunStop, Stimulus
from rig.evidence.journal import FILE, Journal, scan_journal

PLAIN = st.one_of(st.booleans(), st.integers(), st.floats(allow_nan=False), st.text())
STIMULI = st.builds(Stimulus, what=st.text(), values=st.dictionaries(st.text(), PLAIN), units=st.just({}))
DOCUMENTS: st.SearchStrategy[list[Document]] = st.lists(STIMULI, max_size=6)


def shown(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


@cache
def example() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(Path(folder) / "run", lambda: 12.5)
        journal.append(Stimulus(what="raise the load", values={"power": 1500.0, "leg": 1, "on": True}))
        journal.append(Measured(name="t_transfer", value=0.0123, unit="s", u=1e-4))
        journal.append(Incident(kind="trip", what="Überstrom", fault="bench"))
        journal.append(RunStop(status="completed"))
        journal.close()
        return (journal.folder / FILE).read_bytes()


def written(raw: bytes) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / FILE).write_bytes(raw)
        yield Path(folder)


@given(st.data())
@settings(deadline=None, max_examples=400)
def test_any_changed_byte_is_found_and_located(data: st.DataObject) -> None:
    raw = bytearray(example())
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] ^= data.draw(st.integers(1, 255))
    line = example()[:place].count(b"\n") + 1
    for folder in written(bytes(raw)):
        reading = scan_journal(folder)
        assert reading.flaw.startswith(f"line {line} of journal.jsonl: ")
        assert len(reading.lines) == line - 1
        assert reading.torn == ""


def test_every_bit_of_every_line_end_counts() -> None:
    """The bytes a digest does not cover."""
    raw = example()
    for place in (place for place, byte in enumerate(raw) if byte == 10):
        for bit in range(8):
            changed = bytearray(raw)
            changed[place] ^= 1 << bit
            for folder in written(bytes(changed)):
                line = raw[:place].count(b"\n") + 1
                assert scan_journal(folder).flaw.startswith(f"line {line} of journal.jsonl: ")


@given(st.integers(0, len(example())))
@settings(deadline=None)
def test_a_journal_cut_anywhere_is_read_up_to_there(length: int) -> None:
    for folder in written(example()[:length]):
        reading = scan_journal(folder)
        assert reading.flaw == ""
        assert len(reading.lines) == example()[:length].count(b"\n")
        assert len(reading.torn.encode()) >= len(example()[:length].rpartition(b"\n")[2]) - 3  # half a character


@given(st.data())
@settings(deadline=None)
def test_any_dropped_or_doubled_stretch_inside_is_found(data: st.DataObject) -> None:
    raw = example()
    start = data.draw(st.integers(0, len(raw) - 2))
    end = data.draw(st.integers(start + 1, len(raw) - 1))
    for changed in (raw[:start] + raw[end:], raw[:end] + raw[start:]):
        for folder in written(changed):
            reading = scan_journal(folder)
            line = raw[:start].count(b"\n") + 1
            assert reading.flaw or len(reading.lines) < 4 or changed == raw
            assert len(reading.lines) >= line - 1


@given(DOCUMENTS)
@settings(deadline=None)
def test_any_document_comes_back(documents: list[Document]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(Path(folder) / "run", lambda: 0.0)
        for doc in documents:
            journal.append(doc)
        journal.close()
        reading = scan_journal(journal.folder)
        assert (reading.flaw, reading.torn) == ("", "")
        for back, doc in zip(reading.documents, documents, strict=True):
            assert isinstance(back, Stimulus)
            assert isinstance(doc, Stimulus)
            assert back.what == shown(doc.what)
            assert back.values == {
                shown(key): shown(one) if isinstance(one, str) else one for key, one in doc.values.items()
            }
            assert [type(one) for one in back.values.values()] == [type(one) for one in doc.values.values()]
