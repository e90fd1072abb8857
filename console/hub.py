"""All benches of a console: finds runs that can be watched, follows them, starts and stops. Knows nothing of a page.

One thread turns it (`turn`, a few times a second); whoever acts or looks takes its lock for as long as that takes,
which is never the length of a wait. What is shown bears a number that rises with every change.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from console.bench import BenchFacts, BenchRun
from console.processes import Started
from rig.clock import Stopwatch
from rig.errors import UseError
from rig.live.link import Link
from rig.live.messages import Answer, Hello, Order, Pace, Pause, Resume
from rig.live.places import own_folder, sockets
from rig.safety.lease import holder_of

LEASES_EVERY = 10
"""Turns between two looks at who has a bench."""
LONGEST = 200
"""Characters of what a person may write into a field."""


@dataclass(frozen=True)
class RunOrder:
    """What a person wants run. suites: none for all. pace: bench s a wall s, 0 for as fast as it goes."""

    suites: tuple[str, ...] = ()
    keyword: str = ""
    seed: int = 0
    depth: str = "normal"
    pace: float = 1.0


class Hub:
    """benches: in the order of the page. suites: what may be asked for. folder: of the sockets. evidence: folder for
    the runs that are begun here."""

    def __init__(
        self, benches: Sequence[BenchFacts], suites: Sequence[str], depths: Sequence[str], folder: Path, evidence: Path
    ) -> None:
        self.suites, self.depths = tuple(suites), tuple(depths)
        self._folder, self._evidence = own_folder(folder), evidence
        self._facts = {facts.name: facts for facts in benches}
        self._runs: dict[str, BenchRun] = {}
        self._links: dict[Path, Link] = {}
        self._holders: dict[str, list[dict[str, str]]] = {}
        self._lock = threading.RLock()
        self._turns = 0
        self.changed = threading.Condition(self._lock)
        self.revision = 1
        self._shown, self._shown_revision = b"", 0

    # -- looking

    def shown(self) -> tuple[int, bytes]:
        """All but the moments, as JSON, and its number."""
        with self._lock:
            if self._shown_revision != self.revision:
                benches = [self._bench(name) for name in self._facts]
                self._shown = json.dumps(
                    {"benches": benches, "suites": self.suites, "depths": self.depths},
                    separators=(",", ":"),
                    allow_nan=False,
                ).encode()
                self._shown_revision = self.revision
            return self.revision, self._shown

    def moments(self, bench: str, after: int) -> tuple[int, list[Any]]:
        """Moments of the run on a bench from number `after` on, and the number that comes next."""
        with self._lock:
            run = self._runs.get(bench)
            if run is None:
                return 0, []
            after = after if after <= run.seen else 0
            count = min(run.seen - after, len(run.moments))
            fresh = list(run.moments)[len(run.moments) - count :]
            return run.seen, [msgspec.to_builtins(one) for one in fresh]

    def report(self, bench: str) -> Path | None:
        """The page of the run that was on a bench last; None while there is none."""
        with self._lock:
            run = self._runs.get(bench)
            if run is None or run.hello is None:
                return None
            page = Path(run.hello.folder) / "report.html"
            return page if page.is_file() and not page.is_symlink() else None

    def _bench(self, name: str) -> dict[str, Any]:
        facts, run = self._facts[name], self._runs.get(name)
        return {
            "name": name,
            "file": str(facts.file),
            "profile": facts.profile,
            "title": facts.title,
            "kind": facts.kind,
            "clock": facts.clock,
            "parts": [{"name": n, "driver": d, "resource": r} for n, d, r in facts.parts],
            "leased": bool(facts.resources),
            "holders": self._holders.get(name, []),
            "run": None if run is None else run.shown(),
        }

    # -- turning

    def turn(self) -> None:
        """Find, follow, tidy up."""
        with self._lock:
            changed = self._find()
            for run in self._runs.values():
                changed |= run.turn()
            if self._turns % LEASES_EVERY == 0:
                changed |= self._look_at_leases()
            self._turns += 1
            if changed:
                self._touch()

    def ends(self) -> list[Any]:
        """What becomes readable when a run says something."""
        with self._lock:
            links = [*self._links.values(), *(run.link for run in self._runs.values() if run.link is not None)]
            return [one.end for one in links if not one.over]

    def close(self) -> None:
        """Let go of every run; they go on."""
        with self._lock:
            for run in self._runs.values():
                run.close()
            for link in self._links.values():
                link.close()

    def _touch(self) -> None:
        self.revision += 1
        self.changed.notify_all()

    def _find(self) -> bool:
        known = {run.link.path: run for run in self._runs.values() if run.link is not None and not run.link.over}
        there = set(sockets(self._folder))
        for path in there - known.keys() - self._links.keys():
            try:
                self._links[path] = Link(path)
            except ConnectionRefusedError:
                with suppress(OSError):
                    path.unlink()  # its process is gone
            except OSError:
                continue
        changed = False
        for path, link in list(self._links.items()):
            words = link.words()
            hello = next((one for one in words if isinstance(one, Hello)), None)
            if hello is not None and not link.over:
                del self._links[path]
                self._adopt(link, hello)
                run = self._runs[self._name_of(hello)]
                for word in words:
                    run.take(word)
                changed = True
            elif link.over:
                link.close()
                del self._links[path]
        return changed

    def _adopt(self, link: Link, hello: Hello) -> None:
        """A run that can be watched belongs to the bench of its file; one that is not on the page is put there."""
        name = self._name_of(hello)
        if name not in self._facts:
            facts = BenchFacts(name, Path(hello.file), hello.profile, hello.profile, "", hello.clock, ())
            self._facts[name] = facts
        run = self._runs.get(name)
        if run is None or run.ended or run.started is None or run.started.pid != hello.pid:
            if run is not None:
                run.close()
            run = self._runs[name] = BenchRun()
        run.attach(link, hello)

    def _name_of(self, hello: Hello) -> str:
        for facts in self._facts.values():
            if facts.file == Path(hello.file):
                return facts.name
        return hello.bench if hello.bench not in self._facts else f"{hello.bench} ({hello.file})"

    def _look_at_leases(self) -> bool:
        found: dict[str, list[dict[str, str]]] = {}
        for name, facts in self._facts.items():
            if facts.lease is None:
                continue
            holders = [holder_of(facts.lease, resource) for resource in facts.resources]
            seen = {(one.user, one.host, one.pid, one.purpose) for one in holders if one is not None}
            found[name] = [{"who": f"{u} on {h}, process {p}", "purpose": w} for u, h, p, w in sorted(seen)]
        changed, self._holders = found != self._holders, found
        return changed

    # -- acting

    def start(self, bench: str, order: RunOrder) -> None:
        """Begin a run. UseError when it cannot be."""
        with self._lock:
            facts = self._named(bench)
            run = self._runs.get(bench)
            if run is not None and not run.ended:
                raise UseError(f"{bench}: a run is on it; stop that one first")
            self._refuse_odd(order)
            folder = self._new_folder(facts.name)
            arguments = [f"--bench={facts.file}", f"--out={folder}", f"--live-in={self._folder}"]
            arguments += [f"--seed={order.seed}", f"--depth={order.depth}"]
            arguments += [f"--suite={one}" for one in order.suites]
            arguments += ["-k", order.keyword] if order.keyword else []
            arguments += [f"--pace={order.pace:g}"] if facts.clock == "virtual" else []
            try:
                started = Started(arguments, folder.with_name(f"{folder.name}.log"), self._evidence)
            except OSError as error:
                raise UseError(f"{bench}: a run cannot be begun ({error.strerror})") from None
            if run is not None:
                run.close()
            self._runs[bench] = BenchRun(started)
            self._touch()

    def tell(self, bench: str, order: Order) -> None:
        """Hand an order on. UseError when there is no run to hear it."""
        with self._lock:
            if isinstance(order, Pace) and not (order.factor == 0.0 or 0.05 <= order.factor <= 1e6):
                raise UseError(f"pace {order.factor:g}: 0 for as fast as it goes, or 0.05 and more")
            if isinstance(order, Answer) and not order.text.strip():
                raise UseError("an answer must say something")
            if not self._running(bench).order(order):
                raise UseError(f"{bench}: its run does not listen (yet)")
            self._touch()

    def pause(self, bench: str) -> None:
        """Before the next test."""
        self.tell(bench, Pause())

    def resume(self, bench: str) -> None:
        """Go on."""
        self.tell(bench, Resume())

    def stop(self, bench: str) -> None:
        """End the run in order. UseError when there is none."""
        with self._lock:
            if not self._running(bench).stop():
                raise UseError(f"{bench}: its run is gone")
            self._touch()

    def emergency_stop(self, bench: str, by: str) -> None:
        """Everything on that bench to no energy now. UseError when no run is on it: then nothing here can act."""
        with self._lock:
            self._running(bench).press(by)
            self._touch()

    def _named(self, bench: str) -> BenchFacts:
        if bench not in self._facts:
            raise UseError(f"{bench[:LONGEST]}: no such bench here; there are {', '.join(self._facts)}")
        return self._facts[bench]

    def _running(self, bench: str) -> BenchRun:
        self._named(bench)
        run = self._runs.get(bench)
        if run is None or run.ended:
            raise UseError(f"{bench}: no run is on it")
        return run

    def _refuse_odd(self, order: RunOrder) -> None:
        if unknown := [one for one in order.suites if one not in self.suites]:
            raise UseError(f"{unknown[0][:LONGEST]}: no such suite")
        if order.depth not in self.depths:
            raise UseError(f"{order.depth[:LONGEST]}: no such depth; there are {', '.join(self.depths)}")
        if len(order.keyword) > LONGEST or not order.keyword.isprintable():
            raise UseError(f"keyword: at most {LONGEST} characters that print")
        if not 0 <= order.seed < 2**63:
            raise UseError("seed: a whole number, 0 or more")
        if not (order.pace == 0.0 or 0.05 <= order.pace <= 1e6):
            raise UseError(f"pace {order.pace:g}: 0 for as fast as it goes, or 0.05 and more")

    def _new_folder(self, bench: str) -> Path:
        stem = f"{Stopwatch().begun.strftime('%Y%m%d-%H%M%S')}-{''.join(c if c.isalnum() else '-' for c in bench)}"
        with suppress(FileExistsError):
            self._evidence.mkdir(parents=True, exist_ok=True)
        for number in range(1, 1000):
            folder = self._evidence / (stem if number == 1 else f"{stem}-{number}")
            if not folder.exists() and not folder.with_name(f"{folder.name}.log").exists():
                return folder
        raise UseError(f"{self._evidence / stem}: a thousand runs of one second")
