"""Lines to every emulated instrument, and replies to every codec and driver.

Lines go in as bytes, the way they come from a socket: cut at LF (rig/visa/servers.py), then to the instrument's face.
Each model lives in a world of its own; between lines its time goes by. Whether it is on is read from the circuit.
"""

from __future__ import annotations

import importlib
import math
import threading
from collections.abc import Callable, Hashable, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from random import Random
from typing import Any

from benchmarks.fuzz import wellformed
from benchmarks.fuzz.engine import Wrong, place
from benchmarks.fuzz.mutate import LONGEST, NUMBERS, below, bytes_of, pick
from benchmarks.fuzz.recogniser import ENERGISING, switches_on
from instruments.registry import REGISTRY
from rig.clock import VirtualClock
from rig.errors import InstrumentError, RigError
from rig.metrology.measurement import Measurement
from rig.plant.plant import Plant
from rig.plant.world import World
from rig.scpi import codec, face
from rig.scpi.command import Command
from rig.scpi.face import ScpiFace
from rig.visa.servers import Lines

MODELS = sorted(name for name, driver in REGISTRY.items() if driver.transport == "visa")
DIGITIZERS = frozenset(name for name in MODELS if REGISTRY[name].role == "digitizer")
PREPARED: dict[str, tuple[str, ...]] = {
    "ea_psb_10000": ("SYST:LOCK ON", "VOLT 350", "CURR 20", "SINK:CURR 20"),
    "keysight_rp7962": ("VOLT 350", "CURR:LIM 20", "CURR:LIM:NEG -20"),
    "chroma_61845": ("INST:PHAS THREE", "PHAS:P12 180", "VOLT:LEV:IMM:AMPL:AC 100", "OUTP:REL ON"),
    "ametek_mx45": ("INST:NSEL 2", "PHAS 180", "INST:COUP ALL", "VOLT 100"),
    "chroma_63804": (":LOAD:MODE POW", ":LOAD:POW 1000"),
    "itech_it8617": ("SYST:REM", "FUNC POW", "POW 1000"),
}
"""What brings a model to where one line puts it on."""
ASKED = {
    "ea_psb_10000": "OUTP?",
    "keysight_rp7962": "OUTP?",
    "chroma_61845": "OUTP?",
    "ametek_mx45": "OUTP?",
    "chroma_63804": ":LOAD?",
    "itech_it8617": "INP?",
}
ON = (b"ON\n", b"1\n")
ENDS_AFTER = {"chroma_61845": 1.001 / 30.0}
"""s after which an output that is off has no voltage: it may wait for an angle, one cycle of its slowest wave."""
PAUSES = (0.0, 0.0, 0.0, 1e-4, 0.003, 0.02, 0.11)
"""s that go by after a line."""


def commands(model: str) -> list[Command[Any]]:
    """A model's table, and what every instrument has."""
    tables = (importlib.import_module(f"instruments.{model}.commands"), face)
    return [value for table in tables for value in vars(table).values() if isinstance(value, Command)]


def options(model: str) -> Any:
    """As in a bench file with nothing but what must be there."""
    return REGISTRY[model].options.model_validate({"leg": 0} if REGISTRY[model].role == "load" else {})


class LineFuzz:
    """Lines to instruments. An input: (model, bytes)."""

    name = "scpi lines"
    episode = 200
    garbage = "energised by garbage"

    def __init__(self, models: Sequence[str] = MODELS, emulate: Callable[[str, World], ScpiFace] | None = None) -> None:
        self._models = models
        self._emulate = emulate or (lambda model, world: REGISTRY[model].emulate(world, options(model)))  # type: ignore[misc]
        self._tables = {model: commands(model) for model in models}
        self._model, self._lines = models[0], Lines()

    def seeds(self) -> list[bytes]:
        rng = Random(0)
        return [_line(rng, command, valid=True) for model in self._models for command in self._tables[model]]

    def begin(self, rng: Random) -> None:
        digits = [model for model in self._models if model in DIGITIZERS]
        plain = [model for model in self._models if model not in DIGITIZERS] or digits
        some = digits if digits and rng.random() < 0.05 else plain  # what draws a record takes its time
        self._model = model = some[below(rng, len(some))]
        self._rng = rng
        self._clock = VirtualClock()
        self._world = World(self._clock, Plant(), below(rng, 1000), None)
        self._face = self._emulate(model, self._world)
        self._lines, self._was_on, self._off_at = Lines(), False, -math.inf
        for line in PREPARED.get(model, ()):
            self._face.process(line)

    def make(self, rng: Random) -> bytes:
        table = self._tables[self._model]
        if rng.random() < 0.1:
            return rng.randbytes(below(rng, 60)) + b"\n"
        return _line(rng, table[below(rng, len(table))], valid=rng.random() < 0.7)

    def change(self, rng: Random, one: bytes, other: bytes) -> bytes:
        if rng.random() < 0.2:
            return (one.rstrip(b"\n") + b";" + other)[-LONGEST:]
        changed = bytes_of(rng, one, other)
        return changed if changed.endswith(b"\n") or rng.random() < 0.1 else changed + b"\n"

    def take(self, one: bytes) -> Hashable:
        sights = [self._line(line) for line in self._feed(one)]
        self._clock.sleep(PAUSES[below(self._rng, len(PAUSES))])
        self._look("", "by itself")
        return self._model, sights[-1] if sights else ()

    def end(self) -> None:
        """What waits in its queue is a queue."""
        for _ in range(70):
            reply = self._face.process("SYST:ERR?")
            if reply is None or reply.startswith((b"0", b"+0")):
                return

    def _feed(self, data: bytes) -> list[str]:
        try:
            return self._lines.feed(data)
        except ValueError:  # too long without an end: the server hangs up
            self._lines = Lines()
            return []

    def _line(self, line: str) -> Hashable:
        latency = self._face.latency(line)
        if not 0.0 <= latency < 3600.0:
            raise Wrong(f"{self._model}: {line!r} would take {latency} s", "crash")
        self._clock.spend(latency)
        reply = self._face.process(line)
        if reply is not None and not reply.endswith(b"\n"):
            raise Wrong(f"{self._model}: {line!r} is answered with {reply!r:.80}", "crash")
        self._look(line, f"by {line!r}")
        kind = "" if reply is None else f"{reply[:1]!r}{len(reply).bit_length()}"
        return kind, self._face.status_byte(), self._was_on

    def _look(self, line: str, how: str) -> None:
        if self._model not in ENERGISING:
            return
        is_on = self._says_on()
        if is_on and not self._was_on and not switches_on(self._model, line):
            raise Wrong(f"{self._model} was put on {how}")
        if self._was_on and not is_on:
            self._off_at = self._clock.now()
        if self._energised() and not is_on and self._clock.now() - self._off_at > ENDS_AFTER.get(self._model, 0.0):
            raise Wrong(f"{self._model} has energy on its terminals though it says it is off, {how}")
        self._was_on = is_on

    def _says_on(self) -> bool:
        return self._face.process(ASKED[self._model]) in ON

    def _energised(self) -> bool:
        """The circuit's own word."""
        plant = self._world.plant
        match REGISTRY[self._model].role:
            case "dc_source":
                return plant._supply.on
            case "grid":
                return plant._mains.now.on and self._clock.now() > 0.0
            case _:
                return max(plant._demand) > 0.0


def _line(rng: Random, command: Command[Any], valid: bool) -> bytes:
    """A line of the table, spelt one of the ways the guide allows."""
    header = _spelt(rng, command.header, command.suffix if valid else range(-1, 70))
    asks = command.access == "query" or (command.access == "both" and rng.random() < 0.3)
    what = command.argument if asks else command.value
    data = b"" if what is None else (_value(rng, what) if valid else pick(rng, NUMBERS))
    return header.encode("latin-1") + b"?" * asks + (b" " if data else b"") + data + b"\n"


def _spelt(rng: Random, header: str, suffixes: range) -> str:
    out = []
    optional = 0
    for part in header.replace("[", "\0[").replace("]", "]\0").split("\0"):
        if part.startswith("[") and rng.random() < 0.5:
            optional += 1
            continue
        out.append(part.strip("[]"))
    words = []
    for word in "".join(out).split(":"):
        plain = word.replace("<n>", str(suffixes[below(rng, len(suffixes))]) if rng.random() < 0.9 else "")
        short = "".join(sign for sign in plain if not sign.islower()) if rng.random() < 0.6 else plain
        words.append(short.lower() if rng.random() < 0.2 else short.upper())
    text = ":".join(words)
    return text if rng.random() < 0.9 else ":" + text.lstrip(":")


def _value(rng: Random, of: Any) -> bytes:
    match of:
        case codec.Real():
            low, high = max(of.low, -1e3), min(of.high, 1e3)
            return f"{low + rng.random() * (high - low):.4g}".encode()
        case codec.Integer():
            return str(max(of.low, min(of.high, below(rng, 300)))).encode()
        case codec.Switch():
            return pick(rng, (b"ON", b"OFF", b"1", b"0", b"on", b"2"))
        case codec.Choice():
            members: list[Enum] = list(of.of)
            word = str(members[below(rng, len(members))].value)
            return (word.upper() if rng.random() < 0.5 else codec.short(word)).encode()
        case codec.Reals():
            return b",".join(_value(rng, of.each) for _ in range(of.count or 1 + below(rng, 5)))
        case codec.Words():
            return b",".join(pick(rng, (b"URMS", b"1", b"P", b"A", b"FRTD", b"85", b"(@101)", b"P1W2")) for _ in "abc")
        case codec.Nothing():
            return b""
        case _:
            return pick(rng, NUMBERS)


class ReplyFuzz:
    """Replies to codecs. An input: the text of a reply; it is read by every codec of one model."""

    name = "scpi replies"
    episode = 500
    garbage = "numbers made of garbage"

    def __init__(self, models: Sequence[str] = MODELS) -> None:
        self._codecs = [
            (model, command.header, command.value)
            for model in models
            for command in commands(model)
            if command.access != "set"
        ]
        self._kinds = _by_kind(self._codecs)
        self._seeds = _replies(models)

    def seeds(self) -> list[bytes]:
        return self._seeds

    def begin(self, rng: Random) -> None:
        self._rng = rng

    def make(self, rng: Random) -> bytes:
        return pick(rng, NUMBERS) if rng.random() < 0.5 else rng.randbytes(below(rng, 40))

    def change(self, rng: Random, one: bytes, other: bytes) -> bytes:
        return bytes_of(rng, one, other)

    def take(self, one: bytes) -> Hashable:
        text = bytes(byte & 0x7F for byte in one).decode()  # another reply is refused before (rig/visa/session.py)
        kinds = self._kinds[below(self._rng, len(self._kinds))]
        model, header, reader = kinds[below(self._rng, len(kinds))]
        try:
            value = reader.parse(text)
        except ValueError as error:
            return type(reader).__name__, "refused", str(error)[:12]
        self._judge(f"{model} {header}: {text!r} was read as {value!r:.60}", reader, text, value)
        return type(reader).__name__, type(value).__name__, len(text) // 8

    def end(self) -> None:
        return

    def _judge(self, words: str, reader: Any, text: str, value: Any) -> None:
        match reader:
            case codec.Real():
                right = _same(value, wellformed.number(text, reader.unit))
            case codec.Reals():
                parts = [wellformed.number(part, reader.each.unit) for part in text.split(",")]
                right = len(parts) == len(value) and all(map(_same, value, parts))
            case codec.Integer():
                right = value == wellformed.whole(text)
            case codec.Switch():
                known = {"1", "ON", reader.on.upper()} if value else {"0", "OFF", reader.off.upper()}
                right = text.isascii() and text.strip().upper() in known
            case codec.Choice():
                word = str(value.value)
                right = text.isascii() and text.strip().upper() in (word.upper(), codec.short(word).upper())
            case codec.Block():
                right = value == wellformed.block(text.encode("latin-1"))
            case codec.ErrorEntry():
                right = value.code == wellformed.entry(text)
            case _:
                right = all(_is_number_text(text) or not math.isfinite(one) for one in _floats(value))
        if not right:
            raise Wrong(words)


class DriverFuzz:
    """Replies to drivers: each verb of each role, on an emulated instrument whose replies are changed on their way. An
    input: how the replies of one verb are changed."""

    name = "scpi drivers"
    episode = 40
    garbage = "numbers made of garbage"

    def __init__(self, models: Sequence[str] = MODELS) -> None:
        self._models = models

    def seeds(self) -> list[bytes]:
        return [bytes((k,)) * 3 for k in range(8)]

    def begin(self, rng: Random) -> None:
        self._rng = rng
        plain = [one for one in self._models if one not in DIGITIZERS]
        self._model = model = plain[below(rng, len(plain))]
        self._clock = VirtualClock()
        world = World(self._clock, Plant(), 1, None)
        emulate = REGISTRY[model].emulate
        assert emulate is not None
        self._session = Garbling(emulate(world, options(model)), self._clock)
        self._driver = REGISTRY[model].open(self._session, options(model), self._clock)

    def make(self, rng: Random) -> bytes:
        return rng.randbytes(1 + below(rng, 6))

    def change(self, rng: Random, one: bytes, other: bytes) -> bytes:
        return bytes_of(rng, one, other)[:64] or b"\0"

    def take(self, one: bytes) -> Hashable:
        self._session.order(Random(one), one)
        verb, act = self._verbs()[below(self._rng, len(self._verbs()))]
        try:
            value = act()
        except RigError as error:
            return self._model, verb, type(error).__name__, place(error)
        finally:
            hopeless, said, changed = self._session.hopeless, self._session.said, self._session.changed
            self._session.order(None, b"")
            self._clock.sleep(0.3)
        wrong = [one for one in _floats(value) if not math.isfinite(one)]
        if wrong:
            raise Wrong(f"{self._model}.{verb} says {value!r:.200}")
        if hopeless and _floats(value):
            raise Wrong(f"{self._model}.{verb} says {value!r:.200} though a reply held no digit: {said!r}")
        return self._model, verb, changed

    def end(self) -> None:
        return

    def _verbs(self) -> list[tuple[str, Callable[[], Any]]]:
        d: Any = self._driver
        every: list[tuple[str, Callable[[], Any]]] = [("identity", d.identity)]
        match REGISTRY[self._model].role:
            case "load":
                return [*every, ("power", d.power), ("voltage", d.voltage), ("draw", lambda: d.draw(500.0))]
            case "dc_source":
                return [
                    *every,
                    ("reading", d.reading),
                    ("imitate", lambda: d.imitate(360.0, 0.1, 20.0, 20.0)),
                    ("make_safe", d.make_safe),
                ]
            case "grid":
                return [*every, ("supply", lambda: d.supply(100.0, 50.0)), ("make_safe", d.make_safe)]
            case "analyzer":
                quantity = (d.ports[0], "u")
                return [*every, ("read", lambda: d.read(quantity)), ("latest", lambda: d.latest(quantity))]
            case _:
                return [*every, ("ambient", d.ambient)]


class Garbling:
    """A session to an emulated instrument, whose replies are changed as ordered."""

    def __init__(self, device: ScpiFace, clock: VirtualClock) -> None:
        self.resource, self.lock = "FUZZ", threading.RLock()
        self._device, self._clock = device, clock
        self.order(None, b"")

    def order(self, rng: Random | None, one: bytes) -> None:
        """From now on: changes drawn from this; None for none."""
        self._rng, self._one = rng, one
        self.changed, self.hopeless, self.said = 0, False, b""

    def write(self, line: str) -> None:
        """A line that asks for nothing."""
        self._clock.spend(self._device.latency(line))
        self._device.process(line)

    def query(self, line: str) -> str:
        """Its reply, as the session hands it on: whole lines of ASCII (rig/visa/session.py sees to that)."""
        reply = self._reply(line)
        if not reply.isascii():
            raise InstrumentError(self.resource, line, "is no text")
        return reply.decode("ascii").rstrip("\r\n")

    def query_block(self, line: str) -> bytes:
        """The block of a reply."""
        found = wellformed.block(self._reply(line))
        if found is None:
            raise InstrumentError(self.resource, line, "its reply is no data block")
        return found

    def close(self) -> None:
        """Nothing."""

    def _reply(self, line: str) -> bytes:
        self._clock.spend(self._device.latency(line))
        reply = (self._device.process(line) or b"").rstrip(b"\n")
        if self._rng is None or self._rng.random() < 0.5:
            return reply
        self.changed += 1
        kind = self._rng.random()
        if kind < 0.3:
            changed = pick(self._rng, NUMBERS)
        elif kind < 0.5:
            changed = bytes(97 + below(self._rng, 26) for _ in range(below(self._rng, 12)))
        else:
            changed = bytes_of(self._rng, reply, self._one)
        asks_value = "MEAS" in line or "FETC" in line or "READ" in line or "VAL" in line
        if asks_value and not any(48 <= byte <= 57 for byte in changed):
            self.hopeless, self.said = True, changed
        return changed


def _by_kind(codecs: Sequence[tuple[str, str, Any]]) -> list[list[tuple[str, str, Any]]]:
    kinds: dict[str, list[tuple[str, str, Any]]] = {}
    for one in codecs:
        kinds.setdefault(type(one[2]).__name__, []).append(one)
    return list(kinds.values())


def _replies(models: Sequence[str]) -> list[bytes]:
    """What the emulated instruments answer when asked everything they know."""
    found = dict.fromkeys(
        (b"", b"+3.45678E+02 V", b"#18abcdefgh", b'-113,"Undefined header"', b"399.98 V, 0.00 A, 0 W")
    )
    for model in models:
        emulate = REGISTRY[model].emulate
        assert emulate is not None
        device = emulate(World(VirtualClock(), Plant(), 1, None), options(model))
        for command in commands(model):
            if command.access != "set" and (model not in DIGITIZERS or "DATA" not in command.header.upper()):
                suffixes = (command.suffix[0],) * command.numbers
                reply = device.process(command.spelt(*suffixes) + "?")
                found.setdefault((reply or b"")[:200].rstrip(b"\n"))
    return list(found)


def _same(value: float, expected: float | None) -> bool:
    return expected is not None and (value == expected or abs(value - expected) <= 1e-12 * abs(expected) + 5e-324)


def _is_number_text(text: str) -> bool:
    return any(sign in "0123456789" for sign in text)


def _floats(value: Any) -> list[float]:
    """Every number in a value, however deep."""
    if isinstance(value, bool | str | bytes) or value is None:
        return []
    if isinstance(value, float):
        return [value]
    if isinstance(value, dict):
        return [x for one in value.values() for x in _floats(one)]
    if isinstance(value, list | tuple):
        return [x for one in value for x in _floats(one)]
    if isinstance(value, Measurement):
        return [value.value, value.u]
    if is_dataclass(value):
        return [x for one in fields(value) for x in _floats(getattr(value, one.name))]
    return []
