"""`python -m benchmarks.week`: a week of a house with outages: energies, wear, and how the account closes."""

from __future__ import annotations

import argparse

from benchmarks.week.house import DAY, HOUR, Account, House, Outcome
from fixtures.library import find_load
from rig.clock import Stopwatch
from rig.load_profile import read_load_profile
from rig.metrology.wear import BINS

KWH = 3.6e6
BOUND = 1e-6
"""Of the turnover: what may be unaccounted for."""
OUTAGES = (
    (0 * DAY + 19.0 * HOUR, 0 * DAY + 20.5 * HOUR),
    (2 * DAY + 10.0 * HOUR, 2 * DAY + 10.5 * HOUR),
    (3 * DAY + 22.0 * HOUR, 4 * DAY + 6.0 * HOUR),
    (6 * DAY + 12.25 * HOUR, 6 * DAY + 12.5 * HOUR),
)
"""Monday evening, Wednesday morning (the car is away), Thursday night, Sunday noon."""
ROWS = (
    ("house", "house"), ("dark", "dark"), ("sun", "sun"), ("imported", "from mains"), ("exported", "to mains"),
    ("driven", "driven"), ("charger_heat", "charger"),
)  # fmt: skip


def line(name: str, book: Account) -> str:
    """One row of the table, kWh."""
    return f"{name:<10}" + "".join(f"{getattr(book, key) / KWH:>12.3f}" for key, _ in ROWS)


def told(found: Outcome) -> list[str]:
    """What is printed of a run."""
    names = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    book, worn = found.account, found.wear
    lines = [f"{'kWh':<10}" + "".join(f"{title:>12}" for _, title in ROWS)]
    lines += [line(name, day) for name, day in zip(names, found.days, strict=False)]
    lines.append(line("all", book))
    lines.append(f"outages    {found.bridged / HOUR:.2f} h on the car, {found.lost / HOUR:.2f} h dark")
    lines.append(f"mains      highest mean of 5 min {found.peak / 1e3:.2f} kW")
    lines.append(f"pack       {found.lowest:.0%} to {found.highest:.0%}, heat {book.pack_heat / KWH:.3f} kWh")
    lines.append(
        f"wear       {worn.full_cycles:.2f} full cycles, {worn.a_year:.0f} a year; deepest swing {worn.deepest:.0%}; "
        f"{worn.high:.0%} of the time above 80 %, {worn.low:.0%} below 20 %; C-rate {worn.c_highest:.2f} at the most, "
        f"{worn.c_mean:.2f} in the mean"
    )
    depths = (
        f"{low:.0%}-{high:.0%}: {n:g}" for low, high, n in zip(BINS, BINS[1:], worn.histogram(), strict=False) if n
    )
    lines.append(f"           swings by depth  {', '.join(depths)}")
    lines.append("           indicators to compare ways of use by; no warranty follows from them")
    lines += [f"INCIDENT   {one}" for one in found.incidents]
    lines.append(f"account    {book.residual:.3g} J of {book.turnover / KWH:.1f} kWh unaccounted for: {book.error:.2g}")
    return lines


def main() -> int:
    """Run and print. Exit code 1 when the account does not close, or the circuit had an incident."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.week", description=__doc__)
    parser.add_argument("--load", default="house-week", help="load profile with columns house and sun")
    parser.add_argument("--days", type=float, default=7.0)
    chosen = parser.parse_args()
    watch = Stopwatch()
    found = House(read_load_profile(find_load(chosen.load)), OUTAGES, days=chosen.days).run()
    took = watch.seconds()
    print("\n".join(told(found)))
    print(f"time       {found.steps} steps in {took:.2f} s")
    return 0 if found.account.error <= BOUND and not found.incidents else 1


if __name__ == "__main__":
    raise SystemExit(main())
