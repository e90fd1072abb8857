"""`python -m benchmarks.chaos`: rigs, their supervisors, or both, are killed at random moments of an energised run.

A bench of emulators is served in real time on sockets, pseudo-terminals and a CAN bus; the rig under attack is another
process, its supervisor a third (benchmarks.chaos_rig). Each kill is of a fresh run, at a moment drawn evenly between
mains on and some seconds of charge and discharge. What must come
  rig killed          the supervisor's log says CONFIRMED, the plant's own truth is without energy, and no contactor was
                      opened above 5 A; printed: the time from the signal to the read-back of the last output
  rig hangs           (SIGSTOP) the same, once the heartbeat is missed
  supervisor killed   the rig stops by itself: test INVALID, exit code 3, bench at rest
  both killed         the instruments' own watchdogs make the DC side dead; the next run finds the bench abandoned, and
                      its supervisor brings the rest down before that run may begin
"""

from __future__ import annotations

import argparse
import os
import random
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from fixtures.library import find_bench, find_profile
from instruments.registry import REGISTRY
from instruments.vehicle_interface.commands import STATE_BITS
from rig.errors import RigError
from rig.evidence.documents import SafeStateReached, TestStop
from rig.evidence.journal import Line, Reading, read_journal
from rig.evidence.safety_log import safety_logs
from rig.evidence.verify import verify_run
from rig.lines.session import open_lines
from rig.open_bench import read_bench_file
from rig.profile import read_profile
from rig.rig_file import rig_file
from rig.serve_bench import Served, serve_bench

TOP = Path(__file__).parents[1]
CHOSEN = (
    ('driver = "ea_psb_10000"', "watchdog = 3"),
    ('driver = "vehicle_interface"', "watchdog = 2.0"),
    ('driver = "evps"', "retransfer_delay = 0.5"),
)
"""Keys of the served bench that make an attempt short: watchdogs of s, and a charger that returns to the mains soon."""
SPAN = 20.0
"""s after the mains came on within which a run is attacked: 12 s of handshake, then charge and discharge."""
SAFE_WITHIN = 30.0
"""s until a bench that is not brought down counts as forgotten."""
TRIPS_WITHIN = 6.0
"""s for the watchdogs: 2 + 2.5 s of the box, 3 s of the source, and a contactor."""
LOW_DC, LOW_AC, NO_CURRENT = 60.0, 50.0, 0.5
"""V, V, A."""
LOOK = 0.01


@dataclass
class Told:
    """What came of it. seconds: from the signal to the read-back; dead: to no energy in truth. wrong: what must not
    be."""

    kills: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, list[float]] = field(default_factory=dict)
    dead: dict[str, list[float]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def count(self, kind: str, seconds: float | None, dead: float | None) -> None:
        """One attack is over."""
        self.kills[kind] = self.kills.get(kind, 0) + 1
        for table, value in ((self.seconds, seconds), (self.dead, dead)):
            if value is not None:
                table.setdefault(kind, []).append(value)


class Victim:
    """A rig in a process of its own. Its interpreter is up before it is let at the bench."""

    def __init__(self, rig: Path, folder: Path) -> None:
        self.folder = folder
        self._words = folder.with_suffix(".err")
        with self._words.open("w") as words:
            self.process = subprocess.Popen(
                [sys.executable, "-u", "-m", "benchmarks.chaos_rig", str(rig), str(folder)],
                cwd=TOP,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=words,
                text=True,
            )
        self.origin = self.supervisor = 0

    def begin(self) -> bool:
        """Let it begin; whether it came to mains on."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("begin\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            word, *rest = line.split()
            if word == "open":
                self.origin, self.supervisor = int(rest[0]), int(rest[1])
            if word == "prepared":
                return True
        return False

    def end(self) -> int:
        """Exit code, once it has come to its end."""
        self.process.communicate(timeout=SAFE_WITHIN * 2)
        return self.process.returncode

    def last_words(self) -> str:
        """The last line it, or its supervisor, complained with."""
        return (self._words.read_text().strip().splitlines() or ["nothing"])[-1]

    def log(self) -> Reading | None:
        """Of its supervisor."""
        return next(iter(safety_logs(self.folder)), None)


class Chaos:
    """Attacks on one served bench. seed: of the moments."""

    def __init__(self, served: Served, rig: Path, folder: Path, seed: int, span: float = SPAN) -> None:
        self._served, self._rig, self._folder, self._span = served, rig, folder, span
        self._moments = random.Random(seed)
        self._number = 0
        self._next = self._victim()
        self.told = Told()

    def attack(self, kind: str, moment: float | None = None) -> None:
        """One fresh run, attacked once. What is not as it must be is told, and the next run begins all the same.
        moment: s after mains on; None: drawn."""
        victim, self._next = self._next, self._victim()
        before = len(self._served.world.plant.incidents)
        if not victim.begin():
            words = f"ended with {victim.end()} before its mains was on: {victim.last_words()}"
            self.told.wrong.append(f"{victim.folder.name}: {kind}: {words}")
            return
        moment = self._moments.uniform(0.0, self._span) if moment is None else moment
        self._served.clock.sleep(moment)
        if victim.process.poll() is not None:
            self.told.wrong.append(
                f"{victim.folder.name}: {kind}: ended by itself with {victim.end()}: {victim.last_words()}"
            )
            return
        at, supervisor = self._served.clock.now(), os.pidfd_open(victim.supervisor)
        self._strike(kind, victim)
        problems, seconds, dead = self._outcome(kind, victim, at)
        if not select.select([supervisor], [], [], SAFE_WITHIN)[0]:
            problems.append("its supervisor does not end")
        os.close(supervisor)
        with self._served.clock.lock:
            late = self._served.world.plant.incidents[before:]
        problems += [f"incident {one.name} {one.value:g}" for one in late]
        self.told.count(kind, seconds, dead)
        self.told.wrong += [f"{victim.folder.name}: {kind} {moment:.2f} s after mains on: {one}" for one in problems]

    def close(self) -> None:
        """End the victim that waits."""
        self._next.process.kill()
        self._next.process.communicate()

    def _victim(self) -> Victim:
        self._number += 1
        return Victim(self._rig, self._folder / f"run-{self._number}")

    def _strike(self, kind: str, victim: Victim) -> None:
        rig, supervisor = victim.process.pid, victim.supervisor
        blows = {
            "rig": [(rig, signal.SIGKILL)],
            "hang": [(rig, signal.SIGSTOP)],
            "supervisor": [(supervisor, signal.SIGKILL)],
            "both": [(supervisor, signal.SIGKILL), (rig, signal.SIGKILL)],
        }
        for pid, number in blows[kind]:
            os.kill(pid, number)

    def _outcome(self, kind: str, victim: Victim, at: float) -> tuple[list[str], float | None, float | None]:
        if kind == "both":
            dead = self._served.clock.wait_until(self._dc_dead, TRIPS_WITHIN)
            victim.end()
            problems = [] if dead <= TRIPS_WITHIN else [f"the DC side stayed on: {self._truth()}"]
            return problems + self._tripped(at), None, dead
        dead = self._served.clock.wait_until(self._all_dead, SAFE_WITHIN)
        if kind == "supervisor":
            return self._stopped(victim), self._served.clock.now() - at, dead
        victim.end()
        return *self._confirmed(victim, at), dead

    def _tripped(self, at: float) -> list[str]:
        """Whether the watchdogs have done their duty. They are asked once they must have: a question feeds them."""
        clock = self._served.clock
        clock.sleep(max(0.0, at + TRIPS_WITHIN - clock.now()))
        _, host, port, _ = self._served.places["battery"].replace("::", " ").split()
        with socket.create_connection((host, int(port)), 5.0) as source:
            source.sendall(b"OUTP?\n")
            output = source.makefile().readline().strip()
        box = open_lines(self._served.places["vehicle"], clock)
        try:
            bits = box.request("STATE?").split()[-1]
        finally:
            box.close()
        k, contactor, demand = (bits[STATE_BITS.index(name)] for name in ("k", "contactor", "demand"))
        problems = [] if output == "OFF" else [f"the source's output is {output}"]
        return problems + ([] if k == contactor == demand == "0" else [f"the box shows {bits}"])

    def _confirmed(self, victim: Victim, at: float) -> tuple[list[str], float | None]:
        """What the supervisor's log says, and s from the blow until then."""
        found: list[Line] = []
        struck = at - (victim.origin - self._served.clock.origin) * 1e-9

        def said() -> bool:
            log = victim.log()
            lines = log.lines if log else ()
            found[:] = [one for one in lines if isinstance(one.doc, SafeStateReached) and one.t > struck]
            return bool(found)

        self._served.clock.wait_until(said, SAFE_WITHIN)
        if not found:
            return ["the supervisor left no word"], None
        seconds, doc = found[0].t - struck, found[0].doc
        assert isinstance(doc, SafeStateReached)
        problems = [] if doc.confirmed else [f"UNCONFIRMED: {'; '.join(doc.readings)}"]
        problems += [] if self._all_dead() else [f"said CONFIRMED, and in truth {self._truth()}"]
        return problems + list(verify_run(victim.folder).problems), seconds

    def _stopped(self, victim: Victim) -> list[str]:
        """A rig without its supervisor: what it did."""
        code = victim.end()
        documents = read_journal(victim.folder).documents
        outcomes = [one.outcome for one in documents if isinstance(one, TestStop)]
        safe = [one for one in documents if isinstance(one, SafeStateReached)]
        problems = [] if code == 3 else [f"exit code {code}"]
        problems += [] if outcomes == ["INVALID"] else [f"test {outcomes}"]
        problems += [] if safe and safe[-1].confirmed else [f"safe state {safe[-1:]}"]
        return problems + ([] if self._all_dead() else [f"in truth {self._truth()}"])

    # -- the plant's own truth

    def _dc_dead(self) -> bool:
        plant = self._served.world.plant
        with self._served.clock.lock:
            dc = plant.at("dc")
            return not plant.ev_contactor_closed and abs(dc.i) < NO_CURRENT and dc.u < LOW_DC

    def _all_dead(self) -> bool:
        plant = self._served.world.plant
        with self._served.clock.lock:
            volts = max(plant.at("grid_l1").u, plant.at("grid_l2").u, plant.at("house_l1").u, plant.at("house_l2").u)
        return self._dc_dead() and volts < LOW_AC

    def _truth(self) -> str:
        plant = self._served.world.plant
        with self._served.clock.lock:
            dc, house, grid = plant.at("dc"), plant.at("house_l1"), plant.at("grid_l1")
            contact = "closed" if plant.ev_contactor_closed else "open"
        return f"dc {dc.u:.0f} V {dc.i:.1f} A, contactor {contact}, house {house.u:.0f} V, mains {grid.u:.0f} V"


@contextmanager
def served_bench(folder: Path) -> Iterator[tuple[Served, Path]]:
    """The bench of fixtures/benches/served.toml without what has no output, on a port of its own; the rig's file."""
    text = find_bench("served").read_text().partition("[analyzer]")[0]
    for line, key in CHOSEN:
        assert line in text
        text = text.replace(line, f"{line}\n{key}")
    profile = find_profile("leaf-to-home-6kw").read_text().replace('"5 s"', '"0.5 s"')
    (folder / "profile.toml").write_text(profile)
    text = text.replace('profile = "leaf-to-home-6kw"', f'profile = "{folder / "profile.toml"}"')
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    bench = folder / "served.toml"
    group = f"239.74.{port >> 8}.{port & 255}"  # its lease is its own too
    bench.write_text(text.replace('channel = "239.74.163.2"', f'channel = "{group}"\nport = {port}'))
    config = read_bench_file(bench, REGISTRY)
    with serve_bench(config, REGISTRY, read_profile(folder / "profile.toml")) as served:
        rig = folder / "rig.toml"
        rig.write_text(rig_file(config, served.places))
        yield served, rig


def main() -> None:
    """Attack and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description=__doc__)
    for kind, count in (("rig", 200), ("supervisor", 50), ("both", 20), ("hang", 10)):
        parser.add_argument(f"--{kind}", type=int, default=count, help="so many of them")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    kinds = [kind for kind in ("rig", "supervisor", "both", "hang") for _ in range(getattr(chosen, kind))]
    random.Random(chosen.seed).shuffle(kinds)
    with tempfile.TemporaryDirectory() as place, served_bench(Path(place)) as (served, rig):
        chaos = Chaos(served, rig, Path(place), chosen.seed)
        try:
            for number, kind in enumerate(kinds, 1):
                chaos.attack(kind)
                if number % 5 == 0:
                    show(chaos.told)
                    print(f"{number} of {len(kinds)}, wrong {len(chaos.told.wrong)}", flush=True)
        except (KeyboardInterrupt, RigError) as error:
            print(f"cut short: {error!r}")
        chaos.close()
    show(chaos.told)
    raise SystemExit(bool(chaos.told.wrong))


def show(told: Told) -> None:
    """One line a kind, and what was wrong."""
    for kind, kills in told.kills.items():
        wrong = sum(f": {kind} " in one for one in told.wrong)
        print(f"{kind} x {kills}: as it must be {kills - wrong}")
        for what, values in (
            ("signal to read-back", told.seconds.get(kind)),
            ("signal to no energy", told.dead.get(kind)),
        ):
            if values:
                print(f"  {what}: {quantiles(values)}")
    print("\n".join(told.wrong))


def quantiles(values: list[float]) -> str:
    """Of s, in words."""
    ordered = sorted(values)
    at = {
        name: ordered[min(len(ordered) - 1, int(share * len(ordered)))]
        for name, share in (("median", 0.5), ("90 %", 0.9), ("95 %", 0.95), ("99 %", 0.99))
    }
    return (
        f"least {ordered[0]:.3f} s, "
        + ", ".join(f"{k} {v:.3f} s" for k, v in at.items())
        + f", most {ordered[-1]:.3f} s"
    )


if __name__ == "__main__":
    main()
