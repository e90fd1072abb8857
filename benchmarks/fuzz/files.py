"""Files that people, other tools and other machines hand to the rig: TOML of every kind, traces, journals and what
stands beside them. Whatever is in them, the answer is the error of that kind of file, in words that print.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from random import Random

import can

from benchmarks.fuzz.engine import Wrong, place
from benchmarks.fuzz.frames import ChargerFuzz, VehicleFuzz
from benchmarks.fuzz.mutate import below, bytes_of_file, lines_of
from fixtures.library import REQUIREMENTS
from instruments.registry import REGISTRY
from reports.laboratory import read_laboratory
from rig.can.bus import VirtualBus
from rig.can.frame import Frame
from rig.cli.trace_compare import read_cards
from rig.clock import VirtualClock
from rig.errors import RigError
from rig.evidence.documents import CaptureStored, Incident, Item, RunStart, RunStop, TestStart, TestStop
from rig.evidence.envelope import open_envelope
from rig.evidence.journal import Journal, scan_journal
from rig.evidence.reopen import reopen
from rig.evidence.run_info import read_run_info
from rig.evidence.verify import verify_run
from rig.open_bench import read_bench_file
from rig.profile import read_profile
from rig.qualify.qualification import read_qualification
from rig.replay.replayed import Replay
from rig.requirements import read_catalogue, read_conditions
from rig.trace.judge import judge_trace
from rig.trace.reader import open_trace
from rig.trace.script import read_script
from rig.trace.writer import write_candump, write_gvret
from rig.vehicle_model import read_vehicle

LONGEST = 60_000
TOP = Path(__file__).parents[2]
VALUES = (
    *(b"true", b'""', b"-1", b"1e400", b"nan", b"inf", b"[]", b"{}", b'"5 V"', b'"1_0 W"', b"0x10", b"1979-05-27"),
    *(b'"../../../etc/passwd"', b'"\\u202e"', b'"\\u0000"', b'"' + b"9" * 400 + b'"', b"[[[[[[[[[[]]]]]]]]]]"),
)
Read = Callable[[Path], object]


def _printable(error: Exception) -> None:
    """An error's words go to terminals and pages: no control character but the end of a line may be in them."""
    if bad := [sign for sign in str(error) if not sign.isprintable() and sign != "\n"]:
        raise Wrong(f"the error holds {bad[0]!r}: {str(error)!r:.200}")


class _Files:
    """Bytes of one kind of file to whoever reads it."""

    episode = 50
    garbage = "taken for good or told unprintably"

    def __init__(self) -> None:
        self._folder = Path()

    def make(self, rng: Random) -> tuple[str, bytes]:
        kind, data = self._seeds()[below(rng, len(self._seeds()))]
        return (kind, rng.randbytes(below(rng, 200))) if rng.random() < 0.1 else (kind, data)

    def seeds(self) -> list[tuple[str, bytes]]:
        return list(self._seeds())

    def change(self, rng: Random, one: tuple[str, bytes], other: tuple[str, bytes]) -> tuple[str, bytes]:
        data = lines_of(rng, one[1], other[1])
        return one[0], data[:LONGEST]

    def end(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def begin(self, rng: Random) -> None:
        self._rng, self._folder = rng, Path(tempfile.mkdtemp(prefix="fuzz"))

    def _seeds(self) -> Sequence[tuple[str, bytes]]:
        raise NotImplementedError

    def _read(self, kind: str, read: Read, path: Path) -> Hashable:
        try:
            found = read(path)
        except RigError as error:
            _printable(error)
            return kind, type(error).__name__, place(error), re.sub(r"[\d'\"].*", "", str(error)[len(str(path)) :])[:40]
        return kind, type(found).__name__


class TomlFuzz(_Files):
    """Bench, profile, vehicle, requirement, condition and laboratory files."""

    name = "toml files"

    def _seeds(self) -> Sequence[tuple[str, bytes]]:
        return _TOML

    def change(self, rng: Random, one: tuple[str, bytes], other: tuple[str, bytes]) -> tuple[str, bytes]:
        if rng.random() < 0.6:  # another value behind a key
            lines = one[1].split(b"\n")
            at = below(rng, len(lines))
            key, equals, _ = lines[at].partition(b"=")
            if equals:
                lines[at] = key + b"= " + VALUES[below(rng, len(VALUES))]
            elif rng.random() < 0.3:
                lines[at] = (b"[" + key.strip(b"[] ") + b"]") * 1
            return one[0], b"\n".join(lines)[:LONGEST]
        return super().change(rng, one, other)

    def take(self, one: tuple[str, bytes]) -> Hashable:
        kind, data = one
        path = self._folder / ("requirements/one.toml" if kind == "requirements" else "one.toml")
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        return self._read(kind, READERS[kind], path)


READERS: dict[str, Read] = {
    "bench": lambda path: read_bench_file(path, REGISTRY),
    "profile": read_profile,
    "vehicle": read_vehicle,
    "requirements": lambda path: read_catalogue(path.parent),
    "conditions": read_conditions,
    "laboratory": read_laboratory,
}


def _toml() -> list[tuple[str, bytes]]:
    kinds = {"benches": "bench", "profiles": "profile", "vehicles": "vehicle"}
    found = [
        (kind, path.read_bytes()) for room, kind in kinds.items() for path in (TOP / "fixtures" / room).glob("*.toml")
    ]
    found += [("requirements", path.read_bytes()) for path in REQUIREMENTS.glob("*.toml")]
    found.append(("conditions", (TOP / "fixtures/conditions.toml").read_bytes()))
    found.append(("laboratory", b'name = "Laboratory"\naddress = ["Street 1", "City"]\nlogo = "logo.svg"\n'))
    return sorted(found)


class TraceFuzz(_Files):
    """Recorded traces of every format, judged, and read as what a replay plays; and cards of chargers to compare."""

    name = "trace files"

    def _seeds(self) -> Sequence[tuple[str, bytes]]:
        return _TRACES

    def change(self, rng: Random, one: tuple[str, bytes], other: tuple[str, bytes]) -> tuple[str, bytes]:
        binary = one[0] in (".blf",)
        return one[0], (bytes_of_file if binary else lines_of)(rng, one[1], other[1])[:LONGEST]

    def take(self, one: tuple[str, bytes]) -> Hashable:
        suffix, data = one
        path = self._folder / f"one{suffix}"
        path.write_bytes(data)
        if self._rng.random() < 0.1:
            self._read(suffix, read_cards, path)
        return self._read(suffix, self._judged, path)

    def _judged(self, path: Path) -> object:
        trace = open_trace(path)
        report = judge_trace(trace.frames())
        if report.frames != trace.frames_read:
            raise Wrong(f"{trace.frames_read} frames were read, {report.frames} judged")
        for note in trace.notes:
            if not str(note).isprintable():
                raise Wrong(f"a note is {str(note)!r}")
        side = ("vehicle", "charger")[below(self._rng, 2)]
        return read_script(open_trace(path).frames(), side)  # type: ignore[arg-type]


def _traces() -> list[tuple[str, bytes]]:
    frames = [*VehicleFuzz.good, *ChargerFuzz.good]
    timed = [(k * 0.02, frames[k % len(frames)]) for k in range(60)]
    found: list[tuple[str, bytes]] = []
    with tempfile.TemporaryDirectory() as place:
        for name, write in (("a.csv", write_gvret), ("a.log", write_candump)):
            path = Path(place) / name
            with path.open("w") as file:
                write(file, timed)
            found.append((path.suffix, path.read_bytes()))
        for suffix in (".asc", ".blf", ".trc"):
            path = Path(place) / f"a{suffix}"
            with can.Logger(path) as log:
                for at, frame in timed:
                    log(_message(at, frame))
            found.append((suffix, path.read_bytes()))
    return found


def _message(at: float, frame: Frame) -> can.Message:
    return can.Message(timestamp=at, arbitration_id=frame.id, data=frame.data, is_extended_id=False, channel=0)


class JournalFuzz(_Files):
    """A run's folder: its journal, a supervisor's log, run.json, a seal. Documents are also changed within a chain that
    is made whole again."""

    name = "journals"
    episode = 25

    def _seeds(self) -> Sequence[tuple[str, bytes]]:
        return _RUN

    def change(self, rng: Random, one: tuple[str, bytes], other: tuple[str, bytes]) -> tuple[str, bytes]:
        kind, data = one
        changed = lines_of(rng, data, other[1])
        return kind, resealed(changed) if kind.endswith(".jsonl") and rng.random() < 0.6 else changed

    def take(self, one: tuple[str, bytes]) -> Hashable:
        kind, data = one
        for name, whole in _RUN:
            if name != QUALIFICATION:
                (self._folder / name).write_bytes(whole)
        for stale in self._folder.glob("*.torn"):
            stale.unlink()
        (self._folder / kind).write_bytes(data)
        if kind == QUALIFICATION:
            found = self._read(kind, read_qualification, self._folder / kind)
            (self._folder / kind).unlink()
            return found
        if kind == SEAL:
            return self._read(kind, lambda path: open_envelope(path.read_bytes(), None), self._folder / kind)
        (self._folder / SEAL).unlink()
        reads = (scan_journal, verify_run, read_run_info, reopen)
        return tuple(self._read(kind, read, self._folder) for read in reads)


TESTS = ("s/a.py::one",)


class RecordFuzz(_Files):
    """A record of a bench that is to answer again: its head, exchanges, events and frames."""

    name = "records"

    def _seeds(self) -> Sequence[tuple[str, bytes]]:
        return _RECORD

    def take(self, one: tuple[str, bytes]) -> Hashable:
        kind, data = one
        for name, whole in _RECORD:
            (self._folder / name).write_bytes(whole)
        (self._folder / kind).write_bytes(data)
        return self._read(kind, self._replayed, self._folder)

    def _replayed(self, folder: Path) -> object:
        """Ask for everything that the whole record holds, in its order, while its events and frames come."""
        clock = VirtualClock()
        replay = Replay(folder, clock)
        bus = VirtualBus(clock)
        replay.speak(bus, 500_000)
        battery, vehicle = replay.session("battery", "visa"), replay.session("vehicle", "lines")
        vehicle.subscribe(lambda *_: None)
        for line in (b"OUTP?", b"MEAS:ARR?", b"OUTP ON"):
            said = line.decode()
            (battery.query if said.endswith("?") else battery.write)(said)
        vehicle.request("STATE?")
        clock.sleep(2.0)
        return replay.diverged


SEAL, QUALIFICATION = "seal.dsse.json", "qualification.json"


def resealed(data: bytes) -> bytes:
    """Lines of JSON with numbers and digests that fit: the chain is whole, whatever the documents are."""
    out, head = list[bytes](), "0" * 64
    for number, raw in enumerate(data.split(b"\n")):
        try:
            line = json.loads(raw)
            body = json.dumps({"n": number, "t": line["t"], "prev": head, "doc": line["doc"]}, separators=(",", ":"))
        except (ValueError, KeyError, TypeError, RecursionError):
            out.append(raw)
            continue
        head = hashlib.sha256(body[:-1].encode()).hexdigest()
        out.append(f'{body[:-1]},"sha":"{head}"}}'.encode())
    return b"\n".join(out)


def _run() -> list[tuple[str, bytes]]:
    start = RunStart(seed=1, bench="b", profile="p", catalogue="c", suites=("s",), tests=TESTS, item=Item(name="x"))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        journal = Journal(folder, lambda: 1.0)
        for doc in (
            start,
            TestStart(test="s/a.py::one", title="one", requirements=("A-1",)),
            CaptureStored(
                name="w", file="captures/none.arrow", sha256="0" * 64, kind="series", channels=(), start=0.0, rate=0.0,
                rows=0, note="",
            ),
            TestStop(test="s/a.py::one", outcome="PASS", counts={"PASS": 1}, seconds=1.0),
            RunStop(status="interrupted"),
        ):  # fmt: skip
            journal.append(doc)
        journal.close()
        log = Journal(folder, lambda: 1.0, file="safety.jsonl")
        log.append(Incident(kind="supervisor", what="x", fault="bench"))
        log.close()
        names = ("journal.jsonl", "safety.jsonl")
        found = [(name, (folder / name).read_bytes()) for name in names]
    found.append(("run.json", b'{"run": "r", "begun": "2026-11-25T09:00:00+00:00", "bench": "b", "packages": {}}'))
    found.append(
        (SEAL, b'{"payloadType":"application/vnd.in-toto+json","payload":"e30=","signatures":[{"keyid":"k","sig":""}]}')
    )
    found.append((QUALIFICATION, b'{"version": 1, "units": [], "defects": []}'))
    return found


def _record() -> list[tuple[str, bytes]]:
    parts = {
        "battery": {"driver": "ea_psb_10000", "resource": "R1", "transport": "visa"},
        "vehicle": {"driver": "vehicle_interface", "resource": "R2", "transport": "lines"},
    }
    head = {"format": 1, "bench": "b", "profile": "p", "seed": 1, "command": "c", "parts": parts}

    def rows(*of: dict[str, object]) -> bytes:
        return b"".join(json.dumps(one).encode() + b"\n" for one in of)

    said = [("query", "OUTP?", "OFF"), ("query", "MEAS:ARR?", "1.00 V, 0.00 A, 0 W"), ("write", "OUTP ON", None)]
    frames = [*VehicleFuzz.good[:4]]
    return [
        ("record.json", json.dumps(head).encode()),
        (
            "battery.jsonl",
            rows(*({"began": 0.1, "ended": 0.1, "do": do, "said": line, "reply": back} for do, line, back in said)),
        ),
        (
            "vehicle.jsonl",
            rows({"began": 0.2, "ended": 0.2, "do": "request", "said": "STATE?", "reply": "1 0 00000000"}),
        ),
        ("vehicle.events.jsonl", rows({"at": 0.3, "tag": 1, "body": "12345 contactor 1"})),
        (
            "can.jsonl",
            rows(
                *(
                    {"at": 0.4 + k / 10, "how": "sent", "sender": "evps", "id": one.id, "data": one.data.hex()}
                    for k, one in enumerate(frames)
                )
            ),
        ),
    ]


_TOML, _TRACES, _RUN, _RECORD = _toml(), _traces(), _run(), _record()
