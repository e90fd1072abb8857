"""`make metrology`: how often the stated uncertainty covers the truth, of each subject, over random cases.

Waves written down as formulas go through the errors that a digitizer's accuracy file allows, into the metrology, and
its value and U (k = 2) are held against the formula. Covered must be 94 % at least, no case may be off by more than
3 U. Budgets of limits (gain, zero) cover more than 95 %: their error cannot be larger than sqrt(3) u.
"""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from benchmarks.coverage.power import power_of_meter, power_of_waves
from benchmarks.coverage.ripple import ripple_current
from benchmarks.coverage.steady import distortion, frequency_of, rms_voltage
from benchmarks.coverage.tally import FARTHEST, LEAST_COVERED, Case, Subject, Tally, tally
from benchmarks.coverage.transfer import phase_jump, transfer

SUBJECTS: dict[str, tuple[Subject, float, str]] = {
    "transfer": (transfer, 1e3, "ms"),
    "phase-jump": (phase_jump, 1.0, "deg"),
    "rms": (rms_voltage, 1.0, "V"),
    "power": (power_of_waves, 1.0, "W"),
    "reading": (power_of_meter, 1.0, "W"),
    "thd": (distortion, 100.0, "%"),
    "frequency": (frequency_of, 1e3, "mHz"),
    "ripple": (ripple_current, 1e3, "mA"),
}
"""name -> (a case of it, print scale, print unit)."""
PIECE = 100
"""Cases a process takes at a time."""


def _piece(name: str, seed: int, count: int, begin: int) -> list[Case]:
    cases: list[Case] = []
    subject = SUBJECTS[name][0]

    def kept(*of: object) -> Case:
        cases.append(subject(*of))  # type: ignore[arg-type]
        return cases[-1]

    tally(kept, range(begin, min(begin + PIECE, count)), seed)
    return cases


def measured(name: str, count: int, seed: int, processes: int) -> Tally:
    """So many cases of a subject."""
    counted = Tally(*SUBJECTS[name][1:])
    with ProcessPoolExecutor(processes) as pool:
        for cases in pool.map(partial(_piece, name, seed, count), range(0, count, PIECE)):
            for case in cases:
                counted.add(case)
    return counted


def main() -> None:
    """Print each subject's tally; exit 1 when one does not cover."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.coverage", description=__doc__)
    parser.add_argument("subjects", nargs="*", help=f"of {', '.join(SUBJECTS)}; none: all")
    parser.add_argument("-n", type=int, default=10_000, help="cases of each")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args()
    if unknown := [name for name in chosen.subjects if name not in SUBJECTS]:
        parser.error(f"no subject {', '.join(unknown)}; there are {', '.join(SUBJECTS)}")
    bad = []
    for name in chosen.subjects or SUBJECTS:
        counted = measured(name, chosen.n, chosen.seed, chosen.processes)
        print(f"{name:<11}{counted}", flush=True)
        if not counted.good:
            bad.append(name)
            print(f"  does not cover; worst: {counted.worst_case}")
    print(f"asked for: {LEAST_COVERED:.0%} inside U, none beyond {FARTHEST:g} U")
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
