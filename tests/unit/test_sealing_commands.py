"""`v2hrig key`, `seal`, `verify` as a user runs them: what is printed, and the exit codes."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_run import END, FINISHED, HEAD, write
from typer.testing import CliRunner, Result

from rig.cli.main import app
from rig.errors import UseError
from rig.evidence.journal import FILE
from rig.evidence.verify import SEAL


def v2hrig(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return write(tmp_path / "run", (*FINISHED, END))


@pytest.fixture
def key(tmp_path: Path) -> Path:
    made = v2hrig("key", "new", "--out", tmp_path / "key")
    assert made.exit_code == 0
    assert str(tmp_path / "key.pub") in made.output
    return tmp_path / "key"


def test_sealed_verified_spoiled(run: Path, key: Path) -> None:
    assert v2hrig("seal", run, "--key", key).exit_code == 0
    good = v2hrig("verify", run, "--pub", f"{key}.pub")
    assert (good.exit_code, good.output.splitlines()[-1][:9]) == (0, "VERIFIED:")
    refused = v2hrig("report", run)
    assert "would break the seal" in str(refused.exception)
    without = v2hrig("verify", run)
    assert without.exit_code == 3
    assert "NOT PROVEN" in without.output
    raw = (run / FILE).read_bytes()
    (run / FILE).write_bytes(raw.replace(b'"value":0.5', b'"value":0.4'))
    spoiled = v2hrig("verify", run, "--pub", f"{key}.pub")
    assert spoiled.exit_code == 1
    assert "NOT VERIFIED: first of what differs: line 7 of journal.jsonl: " in spoiled.output


def test_an_unsealed_run_is_checked_and_said_to_be_unsealed(run: Path, key: Path) -> None:
    found = v2hrig("verify", run)
    assert found.exit_code == 3
    assert "the run is not sealed" in found.output
    expected = v2hrig("verify", run, "--pub", f"{key}.pub")
    assert expected.exit_code == 1
    assert f"{SEAL}: is missing" in expected.output


def test_what_cannot_be_done_is_refused(run: Path, key: Path, tmp_path: Path) -> None:
    inside = run / "key"
    inside.write_bytes(key.read_bytes())
    inside.chmod(0o600)
    assert isinstance(v2hrig("seal", run, "--key", inside).exception, UseError)
    cut = write(tmp_path / "cut", HEAD)
    assert "has not ended" in str(v2hrig("seal", cut, "--key", key).exception)
    assert not (cut / SEAL).exists()
    assert "is there already" in str(v2hrig("key", "new", "--out", key).exception)
