"""Who may energise a bench: one run at a time, told by files that every host of the bench can see.

Theory
  A lease folder holds, for each real resource of a bench, files KEY.1, KEY.2, ...: the highest is the lease, the others
  are of the past. A file holds who, where, for what, since when, and until when. It is only ever made (by a hard link,
  so it is whole when it appears, and on any file system and network share at most one of many succeeds) and then
  written by its maker alone. So nobody has to delete another's file, which is where lock files lose their races:

    take     the highest is over (given back, or expired): make the next number. Who loses that race is refused. Who was
             asleep so long that his number has become free again finds a higher one beside it, and is refused
    renew    write a later expiry into one's own file
    give back  write an expiry that has passed; the file stays, so numbers never fall

  Expiry is wall time, the only time two hosts share: their clocks must agree to CLOCKS_AGREE. A holder that could not
  renew counts its lease as lost that much earlier than others do, and may not energise any more. On the holder's own
  machine death shows at once: it holds its file locked, and a lock ends with its process; there, the lease of a process
  that lives does not expire either, whatever a stepped clock says. That is trusted only between processes that name the
  same boot of the same kernel, as file locks do not reach across every share.

A VISA lock would not do: it can be stolen, and several transports have none (facts: instruments.md, pyvisa-py#453).
"""

from __future__ import annotations

import fcntl
import getpass
import hashlib
import os
import re
import secrets
import socket
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import msgspec

from rig.clock import wall
from rig.errors import BenchFault, UseError
from rig.safety.resources import lasting

LASTS = 30.0
"""s from a renewal to its expiry (project choice)."""
RENEWED_EVERY = 5.0
"""s between two renewals: five may fail (project choice)."""
CLOCKS_AGREE = 5.0
"""s by which the clocks of two hosts may differ (project choice; NTP keeps 0.1 s)."""
OLD_KEPT = 16
"""Numbers of the past that stay (project choice)."""
SIZE = 2048
"""bytes of a file, padded: renewing never changes its length, so no reader sees half of it."""
PURPOSE = 200
"""characters of a purpose that are kept."""
LOCAL = Path("/tmp/v2hrig-leases")  # one place for every user and every TMPDIR of a host
BOOT = Path("/proc/sys/kernel/random/boot_id")


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """Who holds a lease. since, until: s since 1970. boot: of the kernel, empty where it does not tell. token: of this
    lease alone. unsafe: it was left without a confirmed safe state."""

    resource: str
    user: str
    host: str
    pid: int
    purpose: str
    since: float
    until: float
    boot: str = ""
    token: str = ""
    unsafe: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """Who asks, and what for."""

    user: str
    host: str
    pid: int
    purpose: str

    @classmethod
    def of_this_process(cls, purpose: str) -> Claim:
        """Ourselves."""
        try:
            user = getpass.getuser()
        except (KeyError, OSError):
            user = f"user {os.getuid()}"
        return cls(user, socket.gethostname(), os.getpid(), purpose or "not stated")


@dataclass(slots=True)
class Lease:
    """Leases of all real resources of a bench, held. now: wall time, s since 1970. drill: take it although it was left
    unsafe. abandoned: whoever had one of them before did not give it back, or left it unsafe: nobody knows what is on.
    """

    folder: Path
    claim: Claim
    now: Callable[[], float] = wall
    drill: bool = False
    abandoned: bool = False
    _held: list[tuple[int, Path, Holder]] = field(default_factory=list)
    """Open file, its path, what stands in it."""
    _until: float = 0.0
    _lost: str = ""
    _unsafe: bool = False

    @classmethod
    def adopt(cls, folder: Path, held: Iterable[tuple[int, str]]) -> Lease:
        """Those of another process, whose open files (descriptor, path) came with its death or before. A file's lock
        is of the open file, so it ends with the last of both."""
        lease = cls(folder, Claim.of_this_process("to bring it to its safe state"))
        for file, path in held:
            if (holder := read_holder(Path(path))) is not None:
                lease._held.append((file, Path(path), holder))
        lease._until = min((holder.until for _, _, holder in lease._held), default=0.0)
        return lease

    @property
    def handles(self) -> tuple[tuple[int, str], ...]:
        """Open files and their paths, for `adopt` in another process."""
        return tuple((file, str(path)) for file, path, _ in self._held)

    def take_over(self, purpose: str) -> None:
        """Hold it as this process, for this."""
        self._held = [
            (file, path, msgspec.structs.replace(holder, pid=self.claim.pid, purpose=purpose[:PURPOSE]))
            for file, path, holder in self._held
        ]
        with suppress(BenchFault):
            self.renew()

    def mark_unsafe(self) -> None:
        """From now on, and after it is given back, it says that the bench was left without a confirmed safe state.
        Resources that end with a process (rig.safety.resources.lasting) are not marked."""
        self._unsafe = True
        self._held = [
            (file, path, msgspec.structs.replace(holder, unsafe=lasting(holder.resource)))
            for file, path, holder in self._held
        ]
        with suppress(OSError):
            for file, _, holder in self._held:
                _write(file, holder)

    def take(self, resources: Iterable[str]) -> Lease:
        """Take all of them, or none. BenchFault names who holds one, since when and until when; UseError when the
        folder cannot be used."""
        _usable(self.folder)
        try:
            for resource in sorted(set(resources)):
                self._held.append(self._take_one(resource))
        except BaseException:
            self.give_back()
            raise
        self._until = min((holder.until for _, _, holder in self._held), default=0.0)
        return self

    def renew(self) -> None:
        """Go on holding. BenchFault at the moment the lease is lost; after that nothing, see check()."""
        if self._lost or not self._held:
            return
        now = self.now()
        if now > self._until - CLOCKS_AGREE and not self._locked_here():
            self._lose(f"it was not renewed before {clock_face(self._until)}")
        until = now + LASTS
        try:
            self._refuse_if_followed()
            for file, _, holder in self._held:
                _write(file, msgspec.structs.replace(holder, until=until))
            self._refuse_if_followed()
        except OSError as error:
            if self.now() > self._until - CLOCKS_AGREE:
                self._lose(f"it cannot be renewed ({error.strerror or error})")
            return  # it may come right by itself until then
        self._until = until

    def check(self) -> None:
        """BenchFault when the lease is lost: nothing may be energised any more."""
        if self._lost:
            raise BenchFault(f"{self._lost}; another run may have the bench: look who, then begin anew")

    def give_back(self) -> None:
        """Let others take it at once. Idempotent."""
        held, self._held = self._held, []
        for file, path, holder in reversed(held):
            with suppress(OSError):
                if not self._lost:
                    _write(file, msgspec.structs.replace(holder, until=0.0))
                    _forget_old(self.folder, _stem(path), _number(path))
            os.close(file)

    def _lose(self, how: str) -> NoReturn:
        self._lost = f"the lease of {self._held[0][2].resource} is lost: {how}"
        self.check()
        raise AssertionError("unreachable")

    def _refuse_if_followed(self) -> None:
        for _, path, _ in self._held:
            if _highest(self.folder, _stem(path)) != _number(path):
                self._lose(f"another run has followed in {self.folder}")

    def _locked_here(self) -> bool:
        """Whether nobody could follow even after the expiry: none but this machine sees the folder, and our lock keeps
        those of this machine away."""
        return self.folder == LOCAL and all(holder.boot for _, _, holder in self._held)

    def _take_one(self, resource: str) -> tuple[int, Path, Holder]:
        stem = key(resource)
        highest = _highest(self.folder, stem)
        if highest:
            self._refuse_if_held(self.folder / f"{stem}.{highest}", resource)
        now = self.now()
        holder = Holder(
            resource=resource,
            user=self.claim.user,
            host=self.claim.host,
            pid=self.claim.pid,
            purpose=self.claim.purpose[:PURPOSE],
            since=now,
            until=now + LASTS,
            boot=_boot(),
            token=secrets.token_hex(16),
        )
        path = self.folder / f"{stem}.{highest + 1}"
        made = _make(path, holder)
        if made is None or _highest(self.folder, stem) != highest + 1:
            if made is not None:
                with suppress(OSError):
                    _write(made, msgspec.structs.replace(holder, until=0.0))
                os.close(made)
            self._refuse_if_held(self.folder / f"{stem}.{_highest(self.folder, stem)}", resource)
            raise BenchFault(f"{resource}: another run was quicker to take it, and has ended; try again")
        return made, path, holder

    def _refuse_if_held(self, path: Path, resource: str) -> None:
        """BenchFault when the lease in this file is held, or was left unsafe. Notes one that was not given back."""
        found = read_holder(path)
        if found is None:
            raise BenchFault(f"{path}: says nothing of who holds {resource}; remove it if no run is using the bench")
        alive = _alive(path, found)
        if alive is False or (alive is None and self.now() >= found.until):
            if found.unsafe and not self.drill:
                raise BenchFault(
                    f"{resource}: left without a confirmed safe state by {found.user} on {found.host}, "
                    f"{found.purpose}; look at the bench, then v2hrig bench check brings it down and frees it"
                )
            self.abandoned = self.abandoned or found.until > 0.0 or found.unsafe
            return
        if alive and self.now() >= found.until > 0.0:
            words = f"until its process ends (its lease was to be renewed by {clock_face(found.until)})"
        else:
            words = f"until {clock_face(found.until)} unless renewed"
        raise BenchFault(
            f"{resource}: held by {found.user} on {found.host}, process {found.pid}, since {clock_face(found.since)}, "
            f"{words}, for: {found.purpose}; wait, or end that run"
        )


def key(resource: str) -> str:
    """Stem of a lease's files: readable, and its own for each resource."""
    readable = re.sub(r"[^A-Za-z0-9]+", "-", resource).strip("-")[:60]
    return f"{readable}-{hashlib.sha256(resource.encode()).hexdigest()[:12]}"


def clock_face(at: float) -> str:
    """s since 1970 -> 2026-11-25 09:30:00 UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def read_holder(path: Path) -> Holder | None:
    """Who holds, or held, this lease; None when the file does not tell."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Holder)
    except (OSError, msgspec.MsgspecError):
        return None


def holder_of(folder: Path, resource: str, now: Callable[[], float] = wall) -> Holder | None:
    """Who holds a resource now; None for nobody, and where that cannot be read. now: wall time, s since 1970."""
    stem = key(resource)
    try:
        highest = _highest(folder, stem)
    except OSError:
        return None
    path = folder / f"{stem}.{highest}"
    found = read_holder(path) if highest else None
    if found is None:
        return None
    alive = _alive(path, found)
    return None if alive is False or (alive is None and now() >= found.until) else found


def _usable(folder: Path) -> None:
    """Make the folder. UseError when it is none, or cannot be written."""
    try:
        if not folder.exists():
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o777)  # whatever the umask: every user of the bench must be able to take it
    except OSError as error:
        raise UseError(f"{folder}: no folder for leases ({error.strerror}); mend [bench] lease") from None
    if folder.is_symlink() or not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise UseError(f"{folder}: leases cannot be written there; mend its rights, or [bench] lease")


def _make(path: Path, holder: Holder) -> int | None:
    """Make a lease's file in one step, locked; open for writing. None when it is there already."""
    part = path.with_name(f".{path.name}.{holder.token}")
    file = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
    try:
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _write(file, holder)
        os.link(part, path)
    except OSError as error:
        if os.fstat(file).st_nlink == 2:
            return file  # a network share lost its first answer: the link is there (open(2), on O_EXCL and NFS)
        os.close(file)
        if isinstance(error, FileExistsError):
            return None
        raise BenchFault(f"{path}: the lease cannot be made ({error.strerror}); look at [bench] lease") from None
    finally:
        part.unlink(missing_ok=True)
    return file


def _write(file: int, holder: Holder) -> None:
    """Over what stands in the file, in one piece, and on the disk."""
    raw = msgspec.json.encode(holder).ljust(SIZE)
    os.pwrite(file, raw, 0)
    os.fsync(file)


def _alive(path: Path, holder: Holder) -> bool | None:
    """Whether the holder's process lives; None where that cannot be known from here."""
    if not holder.boot or holder.boot != _boot():
        return None
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return holder.until > 0.0  # given back, and about to close it
    except OSError:
        return None
    else:
        return False
    finally:
        os.close(file)


def _boot() -> str:
    try:
        return BOOT.read_text().strip()
    except OSError:
        return ""


def _highest(folder: Path, stem: str) -> int:
    """Number of the lease that counts, 0 for none yet."""
    return max((_number(one) for one in folder.iterdir() if _stem(one) == stem), default=0)


def _forget_old(folder: Path, stem: str, number: int) -> None:
    for one in folder.iterdir():
        if _stem(one) == stem and 0 < _number(one) <= number - OLD_KEPT:
            one.unlink(missing_ok=True)


def _stem(path: Path) -> str:
    return path.name.rpartition(".")[0]


def _number(path: Path) -> int:
    tail = path.name.rpartition(".")[2]
    return int(tail) if tail.isascii() and tail.isdigit() else 0
