"""What a run and its watchers tell each other, as JSON lines on a Unix socket. Values are SI, times bench seconds.

A watcher that connects is told `Hello` and what stands: `Standing`, open `Asked`. Then comes what happens.
"""

from __future__ import annotations

import msgspec

LONGEST = 65_536
"""Bytes of a line; more is no line of ours."""


class Hello(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Which run this is. pid, supervisor: processes (supervisor 0: none). folder: of the evidence, whole path. file: of
    the bench. tests: ids in order. legs, power, voltage: of the device's plate (V a leg, W). wired: it has a mains
    side. paced: how fast it goes may be changed (virtual time)."""

    pid: int
    bench: str
    file: str
    profile: str
    folder: str
    clock: str
    tests: tuple[str, ...]
    legs: int
    power: float
    voltage: float
    wired: bool
    supervisor: int = 0
    paced: bool = False


class Moment(msgspec.Struct, frozen=True, kw_only=True, tag=True, omit_defaults=True):
    """What is known at t. values: V, A, W, fractions by name (rig.live.view). words: states by name. on: contacts and
    lines that are known, by name."""

    t: float
    values: dict[str, float] = {}
    words: dict[str, str] = {}
    on: dict[str, bool] = {}


class Standing(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Where the run stands. state: opening, running, pausing (after this test), paused, stopping, ended. test: its id,
    empty between two. halted: why everything is to come to no energy; empty while nobody has asked for that. pace:
    bench s a wall s, 0 for as fast as it goes."""

    state: str
    test: str = ""
    halted: str = ""
    pace: float = 0.0


class Asked(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A person is asked. number: to be named in the answer. within: s."""

    number: int
    words: str
    verb: str
    value: str
    within: float


class Settled(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A question is open no longer: answered, or its time is over."""

    number: int


class Pause(msgspec.Struct, frozen=True, tag=True):
    """Stand still before the next test begins."""


class Resume(msgspec.Struct, frozen=True, tag=True):
    """Go on."""


class Stop(msgspec.Struct, frozen=True, tag=True):
    """End the run as Ctrl-C does."""


class EmergencyStop(msgspec.Struct, frozen=True, tag=True):
    """Everything to no energy now. by: who says so, in words."""

    by: str


class Pace(msgspec.Struct, frozen=True, tag=True):
    """Bench s a wall s; 0: as fast as it goes."""

    factor: float


class Answer(msgspec.Struct, frozen=True, tag=True):
    """What a person says to the question of this number."""

    number: int
    text: str


Word = Hello | Moment | Standing | Asked | Settled
"""Of the run."""
Order = Pause | Resume | Stop | EmergencyStop | Pace | Answer
"""Of a watcher."""


def line(message: Word | Order) -> bytes:
    """As it goes over the socket."""
    return msgspec.json.encode(message) + b"\n"


class Lines:
    """Whole lines out of what comes in pieces."""

    def __init__(self) -> None:
        self._rest = b""

    def take(self, data: bytes) -> list[bytes]:
        """The lines that are whole now. ValueError for one that is too long to be ours."""
        *whole, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LONGEST:
            raise ValueError(f"a line of more than {LONGEST} bytes")
        return whole
