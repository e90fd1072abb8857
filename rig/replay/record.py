"""The record of a bench: a folder of text lines, one an exchange, in the order in which each part was spoken to.

  record.json            what was recorded: bench, profile, seed, command (Head)
  bench.toml             a bench file on which the record answers (rig/replay/bench_file.py)
  <part>.jsonl           every exchange of a part (Exchange)
  <part>.events.jsonl    what a box on a serial line told by itself (Event)
  can.jsonl              frames of everybody but the rig's own car (Said)

Each line is on its way to the disk before the exchange's caller has its reply, so a run that is killed leaves all that
was said. Nothing is kept in memory. A disk that is full ends the record and not the run: `problem` says so.
Format: docs/record-and-replay.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Literal, TypeVar

import msgspec

from rig.can.frame import Frame, refuse_bad_frame
from rig.errors import UseError

FORMAT = 1
HEAD, CAN = "record.json", "can"
Kind = Literal["write", "query", "block", "request", "ask", "datagram", "modbus"]
"""write, query, block: of a VISA resource. request: of a serial box. ask: of a person.
datagram: of a node on UDP, modbus: of a board, both ways in hex."""
LineT = TypeVar("LineT", bound=msgspec.Struct)


class Exchange(msgspec.Struct, frozen=True, omit_defaults=True):
    """began, ended: s of bench time. said: what was sent, without its terminator. reply: text without its terminator,
    block: the bytes of a block, whole (base64 in the file). error: the type of a fault, with the instrument's words and
    the command it was told of."""

    began: float
    ended: float
    do: Kind
    said: str
    reply: str | None = None
    block: bytes | None = None
    error: str = ""
    words: str = ""
    command: str = ""


class Event(msgspec.Struct, frozen=True):
    """at: s. tag, body: as rig.lines.frame has them."""

    at: float
    tag: int
    body: str


class Said(msgspec.Struct, frozen=True):
    """at: s; when it was given to the bus (how "sent") or had arrived ("heard"). data: hex."""

    at: float
    how: Literal["sent", "heard"]
    sender: str
    id: int
    data: str

    def __post_init__(self) -> None:
        refuse_bad_frame(Frame(self.id, bytes.fromhex(self.data)))


class PartHead(msgspec.Struct, frozen=True):
    """driver, resource: as the bench file had them. transport: as rig.drivers has it."""

    driver: str
    resource: str
    transport: str


class Head(msgspec.Struct, frozen=True):
    """bench: its name. command: what was run."""

    format: int
    bench: str
    profile: str
    seed: int
    command: str
    parts: dict[str, PartHead]


class Log:
    """One file of lines, flushed line by line. `problem`: why it ended before its time; empty while it is whole."""

    def __init__(self, path: Path) -> None:
        self.path, self.problem = path, ""
        self._file: IO[bytes] | None = path.open("wb")

    def add(self, line: msgspec.Struct) -> None:
        """Write a line. Never raises: a record that fails may not keep a bench from its safe state."""
        if self._file is None:
            return
        try:
            self._file.write(msgspec.json.encode(line) + b"\n")
            self._file.flush()
        except OSError as error:
            self.problem = f"{self.path}: the record ends here ({error.strerror}); it cannot be replayed beyond"
            self.close()

    def close(self) -> None:
        """No more lines. Idempotent."""
        file, self._file = self._file, None
        try:
            if file is not None:
                file.close()
        except OSError as error:
            self.problem = self.problem or f"{self.path}: not whole ({error.strerror})"


def new_record(folder: Path, head: Head) -> None:
    """Begin a record. UseError for a folder that holds something already."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UseError(f"--record {folder}: is there already and not empty; name a new folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / HEAD).write_bytes(msgspec.json.format(msgspec.json.encode(head), indent=1) + b"\n")
    except OSError as error:
        raise UseError(f"--record {folder}: cannot be written ({error.strerror}); name another folder") from None


def read_head(folder: Path) -> Head:
    """What was recorded. UseError where that is no record, or one of another format."""
    path = folder / HEAD
    try:
        head = msgspec.json.decode(path.read_bytes(), type=Head)
    except OSError as error:
        raise UseError(f"{path}: cannot be read ({error.strerror}); name the folder of a record") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UseError(f"{path}: is no head of a record ({error}); restore it") from None
    if head.format != FORMAT:
        raise UseError(f"{path}: format {head.format}, and this rig reads {FORMAT}; use the rig that recorded it")
    return head


def lines(path: Path, kind: type[LineT]) -> Iterator[LineT]:
    """The lines of one file, one at a time; none where it is not there. A last line that was cut off is no line.
    UseError for one in the middle that cannot be read."""
    if not path.is_file():
        return
    decoder = msgspec.json.Decoder(kind)
    with path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            try:
                yield decoder.decode(raw)
            except (msgspec.DecodeError, UnicodeDecodeError, UseError) as error:
                if not raw.endswith(b"\n"):
                    return
                raise UseError(f"{path}:{number}: is no line of a record ({error}); restore the file") from None
