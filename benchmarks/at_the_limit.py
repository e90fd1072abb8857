"""`python -m benchmarks.at_the_limit`: verdicts on a device that stands exactly on a limit, and a little to both sides.

Each seed is another specimen of the instrument, with gain, zero, time base and noise of its own drawn from its accuracy
file. It measures a true value that lies at the limit, or parts of U inside (+) or outside (-) of it, through the
emulated instrument, its driver and the metrology, and the requirement of the catalogue judges.

What should come of it is told by each measurement's own budget: errors are drawn from its components, by their stated
distributions (JCGM 101), and judged by the same rule. That is "stated" below; "normal" is the same with a normal error
of the same u. Seen must not part from stated to the bad side: more PASS of a value on the limit or outside it, or more
FAIL of one on it or inside, than luck explains (4 standard deviations). It may stay below: a budget that holds a limit
where the specimen has less. Type B errors are the specimen's for life; the rates are those over many specimens.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pyvisa

from fixtures.library import REQUIREMENTS, find_profile
from instruments.keysight_dsox import commands as scope_commands
from instruments.keysight_dsox import driver as scope_driver
from instruments.keysight_dsox import emulator as scope_emulator
from instruments.yokogawa_wt1800e import commands as meter_commands
from instruments.yokogawa_wt1800e import driver as meter_driver
from instruments.yokogawa_wt1800e import emulator as meter_emulator
from rig.clock import VirtualClock
from rig.metrology.decision import Verdict
from rig.metrology.measurement import Component, Measurement
from rig.metrology.transfer import transfer_time
from rig.metrology.wave import wave
from rig.plant.params import PlantParams
from rig.plant.plant import Plant
from rig.plant.ports import Mains
from rig.plant.world import World
from rig.profile import read_profile
from rig.requirements import Requirement, read_catalogue
from rig.visa.library import EmulatedVisaLibrary
from rig.visa.session import open_session

PROFILE = "leaf-to-home-6kw"
PLACES = (-1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5)
"""Where the true value lies, in U from the limit; + is the good side."""
DRAWS = 100
"""Of the budget of each specimen."""
LUCK = 4.0
VOLTS, HERTZ, RATE = 100.0, 50.0, 50e3
LEAD, TAIL = 0.3, 0.4
"""s of a record before and after the interruption."""
COLLAPSE = 1e-6
"""s, time constant of a dead bus: an interruption then begins when the mains opens, and its length is no question."""
NAME = "EMU::limit::INSTR"
VERDICTS = (Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.FAIL)

Measure = Callable[[int, float], Measurement]
"""Seed and true value to what is measured."""


@contextmanager
def _desk(model: tuple[Any, Any, Any], seed: int) -> Iterator[tuple[World, VirtualClock, Any]]:
    """A new specimen of an instrument on a house on the mains, and its driver."""
    commands, driver, emulator = model
    clock = VirtualClock()
    world = World(clock, Plant(PlantParams(residual_tau=COLLAPSE)), seed, None)
    world.plant.set_mains(Mains(True, (VOLTS, VOLTS), HERTZ))
    world.plant.command_pcs(True)
    manager = pyvisa.ResourceManager(EmulatedVisaLibrary({NAME: emulator.build(world, commands.Options())}, clock))
    try:
        yield world, clock, driver.open_driver(open_session(NAME, manager), commands.Options(), clock)
    finally:
        manager.close()


def leg_power(seed: int, watts: float) -> Measurement:
    """W of leg 1, by the power analyzer."""
    with _desk((meter_commands, meter_driver, meter_emulator), seed) as (world, clock, analyzer):
        world.plant.set_house_load(0, watts)
        clock.sleep(2.0)
        # The load takes its power at its own terminals: what is there after the drop of the line.
        world.plant.set_house_load(0, watts * watts / world.plant.at("house_l1").p)
        clock.sleep(2.0)
        m = analyzer.read(("house_l1", "p")).values["house_l1", "p"]
        m = replace(m, value=m.value + watts - world.plant.at("house_l1").p)  # what is left of that, some mW
    return replace(m, name="leg_power")


def transfer(seed: int, gap: float) -> Measurement:
    """s, by the digitizer: the mains is gone for so long at any angle, and the house with it. Both edges lie
    anywhere between two samples: how often a gap of just so many samples reads as one more is no matter of chance."""
    lead, beside = (float(x) / RATE for x in np.random.default_rng([seed, 3]).uniform(-0.5, 0.5, 2))
    gap += beside
    with _desk((scope_commands, scope_driver, scope_emulator), seed) as (world, clock, digitizer):
        clock.sleep(2.0 + float(np.random.default_rng(seed).uniform(0.0, 1.0 / HERTZ)))
        digitizer.start(("house_l1",), LEAD + gap + TAIL, RATE)
        clock.sleep(LEAD + lead)
        world.plant.set_mains(Mains(False, (VOLTS, VOLTS), HERTZ))
        clock.sleep(gap)
        world.plant.set_mains(Mains(True, (VOLTS, VOLTS), HERTZ))
        record = digitizer.fetch()
        return transfer_time([wave(record, "house_l1")], VOLTS, HERTZ).measurement.less(beside)


SUBJECTS: tuple[tuple[str, str, Measure], ...] = (
    ("PWR-002", "leg_power", leg_power),
    ("XFR-002", "t_transfer", transfer),
)
"""Requirement, its quantity, how it is measured."""


def drawn(budget: tuple[Component, ...], rng: np.random.Generator, count: int = DRAWS) -> np.ndarray:
    """Errors that a budget allows, by the distributions it states; what lies to one side only is centred."""
    total = np.zeros(count)
    for c in budget:
        if c.distribution in ("rectangular", "one-sided"):
            total += rng.uniform(-1.0, 1.0, count) * math.sqrt(3.0) * c.contribution
        elif c.distribution == "triangular":
            total += rng.triangular(-1.0, 0.0, 1.0, count) * math.sqrt(6.0) * c.contribution
        elif c.distribution == "u-shaped":
            total += np.sin(rng.uniform(-math.pi, math.pi, count)) * math.sqrt(2.0) * c.contribution
        elif math.isinf(c.dof):
            total += rng.normal(0.0, 1.0, count) * c.contribution
        else:
            total += rng.standard_t(max(c.dof, 1.0), count) * c.contribution
    return total


def rates(r: Requirement, quantity: str, m: Measurement, true: float, errors: np.ndarray) -> np.ndarray:
    """Share of PASS, INCONCLUSIVE and FAIL of a measurement with such errors."""
    counted = Counter(r.judge(replace(m, value=true + float(e)), quantity).verdict for e in errors)
    return np.array([counted[v] / len(errors) for v in VERDICTS])


def survey(r: Requirement, quantity: str, measure: Measure, place: float, seeds: int) -> tuple[np.ndarray, ...]:
    """Rates seen, stated and normal, of so many specimens at a place (U from the limit)."""
    limit = r.row(quantity).limit
    bound, side = (limit.max, -1.0) if limit.max is not None else (limit.min, 1.0)
    assert bound is not None
    usual = measure(0, bound).expanded()
    true = bound + side * place * usual
    seen, stated, normal = (np.zeros(len(VERDICTS)) for _ in range(3))
    for seed in range(1, seeds + 1):
        m = measure(seed, true)
        rng = np.random.default_rng([seed, 7])
        seen[VERDICTS.index(r.judge(m, quantity).verdict)] += 1.0
        stated += rates(r, quantity, m, true, drawn(m.budget, rng))
        normal += rates(r, quantity, m, true, rng.normal(0.0, m.u, DRAWS))
    return seen / seeds, stated / seeds, normal / seeds


def bad(place: float, seen: np.ndarray, stated: np.ndarray, seeds: int) -> list[str]:
    """Wrong verdicts that are seen more often than luck explains."""
    wrong = [(0, "PASS")] * (place <= 0) + [(2, "FAIL")] * (place >= 0)
    words = []
    for index, name in wrong:
        luck = LUCK * math.sqrt(max(stated[index] * (1.0 - stated[index]), 1.0 / seeds) / seeds)
        if seen[index] > stated[index] + luck:
            words.append(f"{name} {seen[index]:.1%}, {stated[index]:.1%} stated, {luck:.1%} luck")
    return words


def main() -> None:
    """Print the rates at each place; exit 1 when a wrong verdict is seen too often."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.at_the_limit", description=__doc__)
    parser.add_argument("requirements", nargs="*", help=f"of {', '.join(id_ for id_, *_ in SUBJECTS)}; none: all")
    parser.add_argument("-n", type=int, default=1000, help="specimens at each place")
    parser.add_argument("--places", type=float, nargs="*", default=PLACES, help="U from the limit, + inside")
    chosen = parser.parse_args()
    catalogue = read_catalogue(REQUIREMENTS).for_profile(read_profile(find_profile(PROFILE)))
    wrong = 0
    if unknown := set(chosen.requirements) - {id_ for id_, *_ in SUBJECTS}:
        parser.error(f"no requirement {', '.join(sorted(unknown))} here")
    for id_, quantity, measure in SUBJECTS:
        if chosen.requirements and id_ not in chosen.requirements:
            continue
        r = catalogue[id_]
        print(f"{id_} {quantity} {r.row(quantity).limit}, {chosen.n} specimens: PASS / INCONCLUSIVE / FAIL, %")
        print(f"{'U from it':>9}  {'seen':^22}{'stated budget':^22}{'normal':^22}")
        for place in chosen.places:
            found = survey(r, quantity, measure, place, chosen.n)
            cells = "".join(" / ".join(f"{100 * x:5.1f}" for x in rate).center(22) for rate in found)
            print(f"{place:>+9.2f}  {cells}", flush=True)
            for words in bad(place, found[0], found[1], chosen.n):
                wrong += 1
                print(f"{'':9}  too often: {words}")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
