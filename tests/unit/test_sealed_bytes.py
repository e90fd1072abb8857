"""A sealed folder under random damage: one changed byte anywhere, the seal itself included, is found in its file."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_run import END, FINISHED, write

from rig.evidence.journal import FILE
from rig.evidence.seal import seal_run
from rig.evidence.verify import SEAL, verify_run

KEY = Ed25519PrivateKey.generate()


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = write(tmp_path_factory.mktemp("sealed") / "run", (*FINISHED, END))
    seal_run(folder, KEY, "FAIL")
    yield folder
    shutil.rmtree(folder)


@given(st.data())
@settings(deadline=None, max_examples=250, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_changed_byte_of_a_sealed_folder_is_found_in_its_file(sealed: Path, data: st.DataObject) -> None:
    files = sorted(path for path in sealed.rglob("*") if path.is_file())
    path = data.draw(st.sampled_from(files))
    whole = path.read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    spoiled = bytearray(whole)
    spoiled[place] ^= data.draw(st.integers(1, 255))
    try:
        path.write_bytes(spoiled)
        found = verify_run(sealed, KEY.public_key())
    finally:
        path.write_bytes(whole)
    assert not found.proven
    name = path.relative_to(sealed).as_posix()
    where = f"line {whole[:place].count(10) + 1} of {FILE}: " if name == FILE else f"{name}: "
    assert found.problems[0].startswith(where)


def test_every_bit_of_the_seal_counts(sealed: Path) -> None:
    """No byte of it may be spelt otherwise, in the signature and in what no signature covers."""
    path = sealed / SEAL
    whole = path.read_bytes()
    tail = range(whole.rindex(b'"signatures"'), len(whole))
    missed = list[int]()
    try:
        for place in (*range(40), *tail):
            spoiled = bytearray(whole)
            spoiled[place] ^= 1
            path.write_bytes(spoiled)
            if verify_run(sealed, KEY.public_key()).proven:
                missed.append(place)
    finally:
        path.write_bytes(whole)
    assert missed == []
    assert verify_run(sealed, KEY.public_key()).proven
