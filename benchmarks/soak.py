"""`python -m benchmarks.soak --hours 72 --seed 1`: days of bench time on the emulated bench, all rules watching.

Each bench hour is one test of one run: cars of every model come, charge, discharge and go, the house draws this and
that, the mains goes and comes, all of it at random from one seed. What must come
  memory     flat: the straight line through the resident memory of the hours after WARM_UP rises by no more than RISES
             MB an hour
  energy     what the analyzer's readings in the run's captures add up to, at the connector and at each leg of the
             house, is what the circuit itself has turned over, within three standard uncertainties and what lies
             between two readings of a power that steps
  verdicts   no rule is broken; every SAME hours one procedure is done again (the mains lost at 0 degrees of a house at
             half load, XFR-002), and its verdict is that of the first time
  record     the journal is whole at the end, and its digests are
One line an hour; the exit code is 0 when all of it came.
"""

from __future__ import annotations

import argparse
import gc
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from fixtures.library import REQUIREMENTS, catalogue_revision, find_bench, find_profile, find_vehicle
from instruments.registry import REGISTRY
from rig.bench import Bench
from rig.chademo.rules import ALL
from rig.chademo.vehicle_state import VehiclePhase
from rig.clock import Stopwatch
from rig.errors import RigError
from rig.evidence.verify import verify_run
from rig.metrology.power import energy
from rig.metrology.transfer import transfer_time
from rig.open_bench import open_bench, read_bench_file
from rig.plant.plant import Plant
from rig.plant.ports import Port
from rig.profile import read_profile
from rig.requirements import read_catalogue
from rig.roles import ChargerMode
from rig.run import Run
from rig.vehicle_model import read_vehicle

HOUR = 3600.0
WARM_UP, RISES = 6, 0.5
"""Hours; MB an hour (project choice: 36 MB in three days, a tenth of what a run takes)."""
SAME = 6
"""Hours from one time of the reference procedure to the next."""
PERIOD = 0.2
"""s between two readings, the analyzer's own update."""
METERED: tuple[Port, ...] = ("dc", "house_l1", "house_l2")
VEHICLES = ("leaf-24kwh", "leaf-40kwh", "kei-16kwh", "phev-12kwh")
STAYS = (60.0, 600.0)
"""s between two things that happen."""
ENDS_WITHIN = 60.0
RATE, BEFORE, AFTER = 20e3, 0.35, 3.0
"""S/s; s of a record of a lost mains before and after (standards.md 2.3)."""


@dataclass
class Told:
    """What came of it, hour by hour."""

    memory: list[float] = field(default_factory=list)
    verdicts: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def slope(self) -> float:
        """MB an hour, of the hours after the warm-up; 0 while there are too few."""
        return slope(self.memory[WARM_UP:])

    def judge(self) -> None:
        """What only all hours together tell."""
        if self.slope > RISES:
            self.wrong.append(f"memory rises by {self.slope:.2f} MB an hour, {RISES} allowed")
        if len(set(self.verdicts)) > 1:
            self.wrong.append(f"one procedure, several verdicts: {', '.join(self.verdicts)}")


def slope(values: Sequence[float]) -> float:
    """Of the straight line of least squares through values one apart; 0 for fewer than three."""
    n = len(values)
    if n < 3:
        return 0.0
    middle, mean = (n - 1) / 2.0, sum(values) / n
    over = sum((k - middle) ** 2 for k in range(n))
    return sum((k - middle) * (value - mean) for k, value in enumerate(values)) / over


class Soak:
    """One bench, hour after hour."""

    def __init__(self, bench: Bench, run: Run, rng: Random) -> None:
        assert bench.world is not None
        self._bench, self._run, self._rng = bench, run, rng
        self._plant: Plant = bench.world.plant
        self._steps = 0
        self.told = Told()

    def hour(self, number: int) -> str:
        """One bench hour; the line that tells of it."""
        run, bench = self._run, self._bench
        same = number % SAME == 0
        requirement = ("XFR-002",) if same else ()
        run.start_test(f"hour {number}", f"Hour {number} of the soak", requirement)
        bench.prepare()
        begun, sessions = bench.clock.now(), 0
        if same:
            self._reference()
        before, self._steps = self._book(), 0
        with run.record(f"hour {number}", PERIOD, [(port, "p") for port in METERED]) as record:
            while bench.clock.now() < begun + HOUR:
                sessions += self._session(begun + HOUR)
        after = self._book()
        offs = [self._energy(record[f"{port}_p"], port, after[port] - before[port], number) for port in METERED]
        rested = bench.stand_by()
        run.rested(rested)
        test = run.conclude()
        outcome = "FAIL" if test.broken else "INVALID" if test.own or test.unread else "PASS"
        run.stop_test(outcome, "\n".join(test.reasons()))
        self.told.wrong += [f"hour {number}: {one}" for one in test.reasons()]
        if not rested.confirmed:
            self.told.wrong.append(f"hour {number}: not at rest: {'; '.join(rested.readings)}")
        self.told.memory.append(resident())
        return (
            f"hour {number}: {sessions} sessions, {outcome}, memory {self.told.memory[-1]:.1f} MB, "
            f"energy off by {', '.join(offs)}"
        )

    # -- what happens

    def _session(self, until: float) -> int:
        """A car comes, does this and that, and goes. How many sessions it came to."""
        rng, bench = self._rng, self._bench
        bench.car.become(read_vehicle(find_vehicle(rng.choice(VEHICLES))))
        bench.car.plug_in(rng.uniform(0.35, 0.75))
        bench.charger.start(rng.choice(self._modes()))
        if bench.car.wait_for(VehiclePhase.RUNNING, ENDS_WITHIN) > ENDS_WITHIN:
            self.told.wrong.append(f"{bench.clock.now():.0f} s: no session: {bench.charger.state()}")
        for _ in range(rng.randint(1, 6)):
            if bench.clock.now() >= until:
                break
            self._happens()
        bench.charger.stop()
        bench.clock.wait_until(lambda: not bench.car.in_session, ENDS_WITHIN)
        bench.car.make_safe()
        bench.car.unplug()
        self._mains_back()
        return 1

    def _happens(self) -> None:
        rng, bench = self._rng, self._bench
        ratings = bench.profile.ratings
        assert bench.grid is not None
        assert bench.house is not None
        self._steps += 1
        match rng.randrange(6):
            case 0 | 1:
                bench.house.draw(rng.uniform(0.0, 0.9) * ratings.power)
            case 2:
                bench.charger.set_mode(rng.choice(self._modes()))
            case 3:
                bench.charger.set_power(rng.uniform(0.2, 1.0) * ratings.power)
            case 4:
                self._steps += 2
                bench.house.draw(rng.uniform(0.0, 0.8) * ratings.power)
                bench.grid.interrupt(rng.choice((None, rng.uniform(0.0, 359.0))))
                bench.clock.sleep(rng.uniform(5.0, 300.0))
                self._mains_back()
            case _:
                bench.car.set_discharge_limit(rng.uniform(0.0, ratings.dc_current))
        bench.clock.sleep(rng.uniform(*STAYS))

    def _mains_back(self) -> None:
        bench, ratings = self._bench, self._bench.profile.ratings
        assert bench.grid is not None
        bench.grid.supply(ratings.leg_voltage, ratings.frequency)
        delay = bench.profile.figure("retransfer_delay") or 0.0
        bench.clock.wait_until(lambda: not bench.charger.state().on_backup, 1.2 * delay + ENDS_WITHIN)

    def _modes(self) -> tuple[ChargerMode, ...]:
        return ("charge", "discharge", "standby")

    # -- what is held against what

    def _reference(self) -> None:
        """The mains lost at 0 degrees of a house at half load, timed and judged."""
        bench, ratings = self._bench, self._bench.profile.ratings
        assert bench.grid is not None
        assert bench.house is not None
        bench.house.draw(0.5 * ratings.power)
        bench.car.become(None)
        bench.car.plug_in(0.5)
        bench.charger.start("standby")
        bench.car.wait_for(VehiclePhase.RUNNING, ENDS_WITHIN)
        bench.clock.sleep(5.0)
        legs: tuple[Port, ...] = ("house_l1", "house_l2")
        with self._run.capture("mains lost", legs, BEFORE + AFTER, RATE) as capture:  # type: ignore[arg-type]
            bench.clock.sleep(BEFORE)
            bench.grid.interrupt(at_angle=0.0)
        result = transfer_time([capture[leg] for leg in legs], ratings.leg_voltage, ratings.frequency)  # type: ignore[arg-type]
        judgement = self._run.check("XFR-002", result.measurement)
        self.told.verdicts.append("none" if judgement is None else judgement.verdict.name)
        self._mains_back()
        bench.house.draw(0.0)
        bench.charger.stop()
        bench.clock.wait_until(lambda: not bench.car.in_session, ENDS_WITHIN)
        bench.car.make_safe()
        bench.car.unplug()

    def _book(self) -> dict[Port, float]:
        """J so far, by the circuit."""
        with_now = self._bench.world
        assert with_now is not None
        account = with_now.plant.energy()
        return {"dc": account.dc, "house_l1": account.house[0], "house_l2": account.house[1]}

    def _energy(self, series: object, port: Port, truth: float, number: int) -> str:
        """How far the readings are off what the circuit has turned over, in words."""
        read = energy(series, f"{port} energy")  # type: ignore[arg-type]
        between = 2.0 * PERIOD * self._bench.profile.ratings.power * (4 + 6 * self._steps)
        bound = 3.0 * read.u + between
        off = read.value - truth
        if abs(off) > bound:
            self.told.wrong.append(
                f"hour {number}: {port}: {read.value:.0f} J read, {truth:.0f} J turned over ({bound:.0f})"
            )
        return f"{port} {off / 3600.0:+.1f} of {truth / 3600.0:.0f} Wh (allowed {bound / 3600.0:.1f})"


def resident() -> float:
    """MB of this process in memory, after what is garbage has been let go."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def soak(hours: int, seed: int, folder: Path) -> Told:
    """Run and print."""
    config = read_bench_file(find_bench("emulated"), REGISTRY)
    profile = read_profile(find_profile(config.bench.profile))
    with open_bench(config, REGISTRY, profile, seed=seed) as bench:
        run = Run(bench, read_catalogue(REQUIREMENTS).for_profile(profile), folder, ALL)
        run.begin(("XFR-002",), ("soak",), catalogue_revision())
        soaking, watch = Soak(bench, run, Random(seed)), Stopwatch()
        try:
            for number in range(hours):
                print(soaking.hour(number), f"{watch.seconds():.0f} s", flush=True)
        except (RigError, KeyboardInterrupt) as error:  # what the hours before have shown is not lost with this one
            soaking.told.wrong.append(f"hour {number}: cut off by {type(error).__name__}: {error}")
        run.rested(bench.make_safe())
        run.end("completed")
    told = soaking.told
    told.judge()
    told.wrong += verify_run(folder).problems
    print(f"memory: {told.slope:+.3f} MB an hour after {WARM_UP} h; verdicts: {', '.join(told.verdicts)}")
    return told


def main() -> None:
    """Soak and say what was wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--hours", type=int, default=72)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        told = soak(chosen.hours, chosen.seed, Path(place) / "run")
    print("\n".join(told.wrong) or "nothing wrong")
    raise SystemExit(bool(told.wrong))


if __name__ == "__main__":
    main()
