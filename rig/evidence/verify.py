"""Is the evidence what it was? The chain of the journal, the digests of the captures, and the seal over all of it.

Theory
  A journal proves of itself that no line was changed, not that none was cut off its end, nor that it was not written
  anew as a whole; a capture's digest stands in the journal; every other file (run.json, the reports) has none. The seal
  closes these gaps: it lists every file, and is signed. Its list is what must be there, no more and no less.

  So a folder with a seal and no public key at hand is looked at in full, but only proves to agree with itself: whoever
  changed a file could have written a new seal. `proven` says whether a signature stood behind what was found.

Nothing in a folder is trusted: no link is followed, no name of the seal is opened that the folder does not list.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from rig.errors import TraceError
from rig.evidence.captures import FOLDER, PART
from rig.evidence.documents import CaptureStored, RunStop
from rig.evidence.envelope import open_envelope
from rig.evidence.journal import FILE, Reading, journal_files, scan_journal, why
from rig.evidence.manifest import EMPTY, SHA256, Listing, inside, listing
from rig.evidence.safety_log import is_log, safety_logs

SEAL = "seal.dsse.json"


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found. problems: one line each, file and line first, in the order journal, captures, other files; empty
    when nothing differs. notes: what could not be checked. signer: id of the key whose signature was checked; empty for
    none."""

    folder: Path
    problems: tuple[str, ...]
    notes: tuple[str, ...]
    sealed: bool
    signer: str
    files: int
    lines: int

    @property
    def proven(self) -> bool:
        """A signature was checked, and nothing differs from what it covers."""
        return bool(self.signer) and not self.problems


class _Digest(msgspec.Struct, frozen=True):
    sha256: str


class _Subject(msgspec.Struct, frozen=True):
    name: str
    digest: _Digest


class _Journal(msgspec.Struct, frozen=True):
    head: str
    lines: int


class _Extension(msgspec.Struct, frozen=True):
    journal: _Journal


class _Predicate(msgspec.Struct, frozen=True):
    v2hrig: _Extension


class _Statement(msgspec.Struct, frozen=True):
    subject: tuple[_Subject, ...]
    predicate: _Predicate


def verify_run(folder: Path, key: Ed25519PublicKey | None = None) -> Verified:
    """Look at everything in a run's folder. key: whose seal it must bear; None: a seal is compared, its signature not
    checked. TraceError when there is no run here at all."""
    if not folder.is_dir():
        raise TraceError(f"{folder}: no such folder; name the folder of a run")
    found = listing(folder)
    if found.problems.get(FOLDER) == EMPTY:  # of a run that recorded nothing; what is gone from it, others tell
        del found.problems[FOLDER]
    if FILE not in found.files and FILE not in found.problems and SEAL not in found.files:
        raise TraceError(f"{folder / FILE}: no journal here; name the folder of a run")
    reading, problems = _journal(folder, found)
    problems += _captures(reading, found) if reading is not None else []
    problems += [log.flaw for log in safety_logs(folder) if log.flaw]
    problems += [f"{name}: {words}" for name, words in sorted(found.problems.items()) if not _of_journal(name)]
    notes, signer, sealed = list[str](), "", SEAL in found.files
    if sealed:
        try:
            statement, signer = _statement(folder / SEAL, key)
        except TraceError as error:
            problems.append(f"{SEAL}: {error}")
        else:
            problems += _against(statement, reading, found)
            if key is None:
                notes.append("the seal's signature was not checked: name its public key with --pub")
    elif key is not None:
        problems.append(f"{SEAL}: is missing; the run is not sealed, or its seal was taken away")
    else:
        notes += _unsealed(found, reading)
    lines = len(reading.lines) if reading is not None else 0
    words = tuple(dict.fromkeys(problems))
    return Verified(folder, words, tuple(notes), sealed, signer if key else "", len(found.files), lines)


def against_seal(reading: Reading) -> str:
    """For whoever reads the journal alone: what tells it from the one that the seal beside it is of. Empty where they
    are one, and without a seal. No signature is checked."""
    path = reading.folder / SEAL
    if path.is_symlink() or not path.is_file():
        return ""
    try:
        statement, _ = _statement(path, None)
    except (TraceError, OSError) as error:
        return f"{SEAL}: {error}"
    return "" if reading.flaw else _other_chain(statement, reading)


def _of_journal(name: str) -> bool:
    return name.startswith("journal") and name.endswith(".jsonl")


def _journal(folder: Path, found: Listing) -> tuple[Reading | None, list[str]]:
    """The journal as read, and what is wrong with it. None: it may not even be opened."""
    wrong = [f"{name}: {words}" for name, words in found.problems.items() if _of_journal(name)]
    if wrong or FILE not in found.files:
        return None, wrong or [f"{FILE}: is missing"]
    try:
        reading = scan_journal(folder)
    except OSError as error:
        return None, [f"{FILE}: cannot be read ({why(error)})"]
    return reading, [reading.flaw] if reading.flaw else []


def _captures(reading: Reading, found: Listing) -> list[str]:
    """Captures against the journal that tells of them."""
    told = {doc.file: doc.sha256 for doc in reading.documents if isinstance(doc, CaptureStored)}
    there = {
        name: sha for name, sha in found.files.items() if name.startswith(f"{FOLDER}/") and not name.endswith(PART)
    }
    if reading.flaw:  # what follows the flaw may tell of the others
        there = {name: sha for name, sha in there.items() if name in told}
    there.pop(untold(reading, there), None)
    return _compare(told, there, found, "the journal")


def untold(reading: Reading, names: Iterable[str]) -> str:
    """The capture a run was about to tell its journal of when it was cut off: its file has its name, and no line yet.
    names: of the captures that are there. Empty where there is none; of a run that has ended, none is."""
    if reading.documents and isinstance(reading.documents[-1], RunStop):
        return ""
    told = {doc.file for doc in reading.documents if isinstance(doc, CaptureStored)}
    strange = [name for name in names if name not in told]
    return strange[0] if len(strange) == 1 else ""


def _compare(told: Mapping[str, str], there: Mapping[str, str], found: Listing, by: str) -> list[str]:
    """What differs between the digests that are told and those of the files that are there."""
    extra = {name: sha for name, sha in there.items() if name not in told}
    problems = list[str]()
    for name, sha in sorted(told.items()):
        if not inside(name):
            problems.append(f"{name!r}: named by {by}, leads out of the folder")
        elif name not in there and name not in found.problems:
            now = next((one for one, digest in extra.items() if digest == sha), "")
            extra.pop(now, None)
            problems.append(f"{name}: is missing" + (f"; {now} has its bytes: it was renamed" if now else ""))
        elif name in there and there[name] != sha:
            problems.append(f"{name}: its SHA-256 is {there[name][:12]}, {by} says {sha[:12]}")
    return problems + [f"{name}: is not in {by}" for name in sorted(extra)]


def _statement(path: Path, key: Ed25519PublicKey | None) -> tuple[_Statement, str]:
    """What the seal says, and whose it is. TraceError with what is wrong."""
    body, signer = open_envelope(path.read_bytes(), key)
    try:
        statement = msgspec.json.decode(body, type=_Statement)
    except msgspec.MsgspecError as error:
        raise TraceError(f"is no statement of a run ({error})") from None
    names = [one.name for one in statement.subject]
    if len(set(names)) < len(names) or not all(SHA256.fullmatch(one.digest.sha256) for one in statement.subject):
        raise TraceError("lists a file twice, or one without its digest")
    return statement, signer


def _against(statement: _Statement, reading: Reading | None, found: Listing) -> list[str]:
    """The folder against its seal."""
    told = {one.name: one.digest.sha256 for one in statement.subject}
    there = {name: sha for name, sha in found.files.items() if name != SEAL}
    problems = list[str]()
    if reading is not None and not reading.flaw and (other := _other_chain(statement, reading)):
        problems.append(other)
    return problems + _compare(told, there, found, "the seal")


def _other_chain(statement: _Statement, reading: Reading) -> str:
    """What tells a whole chain from the sealed one; empty where they are one."""
    sealed = statement.predicate.v2hrig.journal
    if (reading.head, len(reading.lines)) == (sealed.head, sealed.lines):
        return ""
    last = journal_files(reading.folder)[-1].name
    return (
        f"line {len(reading.lines)} of {last}: is the last of a chain that is whole but not the sealed one: "
        f"{len(reading.lines)} lines to {reading.head[:12]}, sealed were {sealed.lines} to {sealed.head[:12]}"
    )


def _unsealed(found: Listing, reading: Reading | None) -> list[str]:
    """What nobody vouches for in a folder without a seal."""
    notes = ["the run is not sealed: the chain of its journal and the digests of its captures were checked, no more"]
    if reading is not None and reading.torn:
        notes.append(f"the journal ends in an unfinished line of {len(reading.torn)} characters")
    captures = [name for name in found.files if name.startswith(f"{FOLDER}/")]
    parts = [name for name in captures if name.endswith(PART)]
    if reading is not None and not reading.flaw:
        whole = [name for name in captures if not name.endswith(PART)]
        parts += [name for name in (untold(reading, whole),) if name]
    others = [name for name in found.files if not (_of_journal(name) or is_log(name) or name.startswith(f"{FOLDER}/"))]
    if parts:
        notes.append(f"still being written when the run was cut off: {', '.join(sorted(parts))}")
    if others:
        notes.append(f"nothing to check these against: {', '.join(sorted(others))}")
    return notes
