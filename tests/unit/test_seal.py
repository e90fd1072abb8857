"""Keys, envelope, seal, verification: what is sealed is found whole, what differs is named, nothing is trusted."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from small_run import END, FINISHED, HEAD, TESTS, write

from rig.errors import TraceError, UseError
from rig.evidence.envelope import close_envelope, encoding, open_envelope
from rig.evidence.journal import FILE, read_journal
from rig.evidence.keys import key_id, new_keys, read_private, read_public
from rig.evidence.seal import seal_run
from rig.evidence.verify import SEAL, Verified, verify_run

KEY = Ed25519PrivateKey.generate()
PUBLIC = KEY.public_key()


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return write(tmp_path / "run", (*FINISHED, END))


@pytest.fixture
def sealed(run: Path) -> Path:
    seal_run(run, KEY, "FAIL")
    return run


# -- keys


def test_a_private_key_is_its_owners_only_and_never_written_over(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        private, public = new_keys(tmp_path / "key")
    finally:
        os.umask(old)
    assert private.stat().st_mode & 0o777 == 0o600
    assert public == tmp_path / "key.pub"
    assert key_id(read_private(private).public_key()) == key_id(read_public(public))
    before = private.read_bytes(), public.read_bytes()
    with pytest.raises(UseError, match="is there already"):
        new_keys(private)
    public.rename(tmp_path / "key2.pub")
    with pytest.raises(UseError, match="is there already"):
        new_keys(tmp_path / "key2")
    assert not (tmp_path / "key2").exists()
    (tmp_path / "key2.pub").rename(public)
    with pytest.raises(UseError, match="is there already"):
        new_keys(private)
    assert (private.read_bytes(), public.read_bytes()) == before


def test_a_private_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    private, public = new_keys(tmp_path / "key")
    private.chmod(0o640)
    with pytest.raises(UseError, match="chmod 600"):
        read_private(private)
    with pytest.raises(UseError, match="no public key"):
        read_public(private)
    public.chmod(0o600)
    with pytest.raises(UseError, match="no private key"):
        read_private(public)


# -- envelope


def test_the_encoding_is_the_protocols_own_example() -> None:
    assert encoding("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_the_signature_is_good_to_an_outside_witness(sealed: Path, tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not here to be the witness")
    envelope = json.loads((sealed / SEAL).read_text())
    body = base64.b64decode(envelope["payload"])
    kind = envelope["payloadType"].encode()
    (tmp_path / "said").write_bytes(b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(body), body))
    (tmp_path / "sig").write_bytes(base64.b64decode(envelope["signatures"][0]["sig"]))
    from rig.evidence.keys import public_pem

    (tmp_path / "pub").write_bytes(public_pem(PUBLIC))
    words = ["openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", "pub", "-sigfile", "sig", "-in", "said"]
    assert subprocess.run(words, cwd=tmp_path, capture_output=True, check=False, timeout=60).returncode == 0
    (tmp_path / "said").write_bytes((tmp_path / "said").read_bytes()[:-1] + b" ")
    assert subprocess.run(words, cwd=tmp_path, capture_output=True, check=False, timeout=60).returncode != 0


@pytest.mark.parametrize(
    "spell",
    [
        lambda raw: raw + b" ",
        lambda raw: raw.replace(b'"keyid": "', b'"keyid": "0'),
        lambda raw: raw.replace(b'"sig"', b'"more": 1, "sig"'),
        lambda raw: json.dumps(json.loads(raw)).encode(),
        lambda raw: raw.replace(b"+json", b"+JSON"),
        lambda raw: b"[]",
        lambda raw: b"",
    ],
)
def test_another_spelling_of_an_envelope_is_refused(spell: Callable[[bytes], bytes]) -> None:
    raw = close_envelope(b'{"a":1}', KEY)
    assert open_envelope(raw, PUBLIC)[0] == b'{"a":1}'
    with pytest.raises(TraceError):
        open_envelope(spell(raw), PUBLIC)


# -- what is sealed


def test_the_statement_says_what_was_found_on_what(sealed: Path) -> None:
    statement = json.loads(base64.b64decode(json.loads((sealed / SEAL).read_text())["payload"]))
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "https://in-toto.io/attestation/test-result/v0.1"
    names = {one["name"] for one in statement["subject"]}
    assert names == {FILE, "run.json", "report.html", "captures/0001-slow.arrow"}
    said = statement["predicate"]
    assert said["result"] == "FAILED"
    assert said["failedTests"] == [TESTS[1]]
    assert said["passedTests"] == [TESTS[0], TESTS[3]]
    assert {"name": "bench", "digest": {"sha256": "b" * 64}} in said["configuration"]
    own = said["v2hrig"]
    reading = read_journal(sealed)
    assert own["journal"] == {"head": reading.head, "lines": len(reading.lines)}
    assert own["catalogue"] == "c" * 64
    assert own["instruments"][0]["identity"]["serial"] == "77"
    assert own["instruments"][0]["calibration"] == {"until": "2027-01-31", "certificate": "C-9", "corrections": []}
    assert own["software"]["packages"] == {"numpy": "2"}


@pytest.mark.parametrize(
    ("verdict", "result"),
    [("PASS", "PASSED"), ("INCONCLUSIVE", "WARNED"), ("INVALID", "FAILED"), ("NOT RUN", "FAILED"), ("FAIL", "FAILED")],
)
def test_only_a_pass_is_passed(run: Path, verdict: str, result: str) -> None:
    seal_run(run, KEY, verdict)
    statement = json.loads(base64.b64decode(json.loads((run / SEAL).read_text())["payload"]))
    assert (statement["predicate"]["result"], statement["predicate"]["v2hrig"]["verdict"]) == (result, verdict)


def test_a_sealed_run_verifies_with_its_public_key_and_with_no_other(sealed: Path) -> None:
    found = verify_run(sealed, PUBLIC)
    assert found.proven
    assert (found.problems, found.notes, found.signer) == ((), (), key_id(PUBLIC))
    other = verify_run(sealed, Ed25519PrivateKey.generate().public_key())
    assert not other.proven
    assert other.problems[0].startswith(f"{SEAL}: its signature is not of the key")
    without = verify_run(sealed)
    assert not without.problems
    assert not without.proven
    assert "signature was not checked" in without.notes[0]


def test_what_is_not_finished_or_not_whole_is_not_sealed(tmp_path: Path) -> None:
    with pytest.raises(UseError, match="has not ended"):
        seal_run(write(tmp_path / "cut", HEAD), KEY, "PASS")
    spoiled = write(tmp_path / "spoiled", (*FINISHED, END))
    next((spoiled / "captures").iterdir()).write_bytes(b"other")
    with pytest.raises(TraceError, match=r"cannot be sealed: captures/0001-slow\.arrow: its SHA-256"):
        seal_run(spoiled, KEY, "PASS")
    assert not (spoiled / SEAL).exists()


def test_a_run_is_sealed_once(sealed: Path) -> None:
    before = (sealed / SEAL).read_bytes()
    with pytest.raises(UseError, match="is sealed"):
        seal_run(sealed, KEY, "PASS")
    assert (sealed / SEAL).read_bytes() == before


# -- what differs


def first(folder: Path) -> str:
    found: Verified = verify_run(folder, PUBLIC)
    assert not found.proven
    return found.problems[0]


def test_a_changed_line_is_named(sealed: Path) -> None:
    raw = (sealed / FILE).read_bytes()
    lines = raw.split(b"\n")
    assert b'"value":0.5' in lines[6]
    lines[6] = lines[6].replace(b"0.5", b"0.4")
    (sealed / FILE).write_bytes(b"\n".join(lines))
    assert first(sealed).startswith("line 7 of journal.jsonl: ")


def test_a_journal_cut_short_or_written_anew_is_told_from_the_sealed_one(sealed: Path, tmp_path: Path) -> None:
    whole = (sealed / FILE).read_bytes()
    (sealed / FILE).write_bytes(whole[: whole.rindex(b"\n", 0, -1) + 1])
    assert "sealed were 19 to" in first(sealed)
    anew = write(tmp_path / "anew", (*FINISHED[:-4], END))
    shutil.copy(anew / FILE, sealed / FILE)
    assert "a chain that is whole but not the sealed one" in first(sealed)


def spoil_extra(folder: Path) -> str:
    (folder / "captures" / "0009-more.arrow").write_bytes(b"x")
    return "captures/0009-more.arrow: is not in"


def spoil_extra_elsewhere(folder: Path) -> str:
    (folder / "notes.txt").write_text("x")
    return "notes.txt: is not in the seal"


def spoil_missing(folder: Path) -> str:
    (folder / "run.json").unlink()
    return "run.json: is missing"


def spoil_renamed(folder: Path) -> str:
    (folder / "report.html").rename(folder / "report2.html")
    return "report.html: is missing; report2.html has its bytes: it was renamed"


def spoil_capture(folder: Path) -> str:
    path = folder / "captures" / "0001-slow.arrow"
    path.rename(folder / "captures" / "0002-slow.arrow")
    return "captures/0001-slow.arrow: is missing; captures/0002-slow.arrow has its bytes"


def spoil_link(folder: Path) -> str:
    path = folder / "report.html"
    path.rename(folder.parent / "elsewhere.html")
    path.symlink_to(folder.parent / "elsewhere.html")
    return "report.html: is a symbolic link"


def spoil_journal_link(folder: Path) -> str:
    path = folder / FILE
    path.rename(folder.parent / "elsewhere.jsonl")
    path.symlink_to(folder.parent / "elsewhere.jsonl")
    return "journal.jsonl: is a symbolic link"


def spoil_folder_link(folder: Path) -> str:
    (folder / "captures").rename(folder.parent / "elsewhere")
    (folder / "captures").symlink_to(folder.parent / "elsewhere")
    return "captures"


def spoil_empty_folder(folder: Path) -> str:
    (folder / "empty").mkdir()
    return "empty: is an empty folder"


def spoil_pipe(folder: Path) -> str:
    os.mkfifo(folder / "pipe")
    return "pipe: is no regular file"


def spoil_part(folder: Path) -> str:
    (folder / "journal-2.jsonl").write_bytes(b"")
    return "journal-2.jsonl: is not in the seal"


def spoil_gap(folder: Path) -> str:
    (folder / "journal-3.jsonl").write_bytes(b"")
    return "line 1 of journal-2.jsonl: the file is missing"


def spoil_seal(folder: Path) -> str:
    (folder / SEAL).unlink()
    return f"{SEAL}: is missing"


SPOILS = [value for name, value in sorted(globals().items()) if name.startswith("spoil_")]


@pytest.mark.parametrize("spoil", SPOILS, ids=lambda spoil: spoil.__name__)
def test_whatever_is_done_to_a_sealed_folder_is_named(sealed: Path, spoil: Callable[[Path], str]) -> None:
    words = spoil(sealed)
    assert any(words in one for one in verify_run(sealed, PUBLIC).problems), verify_run(sealed, PUBLIC).problems
    assert not verify_run(sealed, PUBLIC).proven


@pytest.mark.parametrize("name", ["../secret", "/etc/hostname", "captures/../../secret", "a//b", "a\\..\\b", "."])
def test_a_seal_that_leads_out_of_the_folder_is_refused_unopened(sealed: Path, name: str) -> None:
    """Signed by the right key: even then no file outside is looked at."""
    (sealed.parent / "secret").write_bytes(b"secret")
    statement = json.loads(base64.b64decode(json.loads((sealed / SEAL).read_text())["payload"]))
    statement["subject"].append({"name": name, "digest": {"sha256": "0" * 64}})
    (sealed / SEAL).write_bytes(close_envelope(json.dumps(statement).encode(), KEY))
    assert f"{name!r}: named by the seal, leads out of the folder" in verify_run(sealed, PUBLIC).problems


def test_an_unsealed_run_is_checked_as_far_as_it_goes_and_says_so(run: Path) -> None:
    found = verify_run(run)
    assert (found.problems, found.sealed, found.proven) == ((), False, False)
    assert "is not sealed" in found.notes[0]
    assert "nothing to check these against: report.html, run.json" in found.notes
    capture = next((run / "captures").iterdir())
    capture.write_bytes(capture.read_bytes() + b"x")
    assert verify_run(run).problems[0].startswith("captures/0001-slow.arrow: its SHA-256")
    raw = (run / FILE).read_bytes()
    (run / FILE).write_bytes(raw.replace(b"EVPS", b"EVPZ"))
    assert verify_run(run).problems[0].startswith("line 1 of journal.jsonl: ")


def test_no_run_at_all_is_a_use_error(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="no journal here"):
        verify_run(tmp_path)
    with pytest.raises(TraceError, match="no such folder"):
        verify_run(tmp_path / "nowhere")
