"""How fixtures/loads/house-week.csv was made: `python -m benchmarks.week.shape > fixtures/loads/house-week.csv`.

The shape of a household of four: a base with a refrigerator, a morning and an evening, cooking, a washing machine, a
weekend at home; and 4 kW on the roof under five kinds of sky. Figures are project choices of a usual size: some 15 kWh
a day of load and 4 to 30 kWh of sun. Short peaks are drawn at random from a fixed seed.
"""

from __future__ import annotations

import math

import numpy as np

STEP, DAYS = 300, 7
SEED = 20
ROOF = 4000.0
"""W at noon under a clear sky."""
SKY = (1.0, 0.9, 0.35, 0.6, 0.15, 1.0, 0.8)
"""Share of a clear day's sun, Monday to Sunday."""
HUMPS = ((7.0, 1.0, 900.0), (12.5, 1.2, 300.0), (19.5, 2.0, 1100.0), (22.0, 1.0, 400.0))
"""(hour, width in h, W)."""
PEAKS = ((7.2, 1800.0, 10), (12.4, 1500.0, 15), (18.8, 2200.0, 25), (19.4, 1600.0, 20), (21.0, 1200.0, 15))
"""(hour, W, min): kettle, stove, oven, iron, hair dryer."""


def main() -> None:
    """Print the file."""
    random = np.random.default_rng(SEED)
    seconds = np.arange(0, DAYS * 86400 + 1, STEP)
    house, sun = np.zeros(len(seconds)), np.zeros(len(seconds))
    for n, t in enumerate(seconds):
        day, hour = min(int(t // 86400), DAYS - 1), t % 86400 / 3600.0
        home = 1.25 if day >= 5 else 1.0
        house[n] = 180.0 + 90.0 * (t % 2700 < 1200)  # standby, and the refrigerator
        house[n] += home * sum(w * math.exp(-(((hour - at) / width) ** 2)) for at, width, w in HUMPS)
        clear = max(0.0, math.sin(math.pi * (hour - 6.0) / 12.0)) if 6.0 < hour < 18.0 else 0.0
        cloud = 1.0 if SKY[day] == 1.0 else random.uniform(0.6, 1.0)
        sun[n] = ROOF * SKY[day] * cloud * clear
    for day in range(DAYS):
        for at, watts, minutes in PEAKS:
            begin = day * 86400 + (at + random.normal(0.0, 0.3)) * 3600.0
            house[(seconds >= begin) & (seconds < begin + 60.0 * minutes)] += watts * random.uniform(0.8, 1.1)
        if day in (1, 5):
            wash = (seconds >= day * 86400 + 9 * 3600) & (seconds < day * 86400 + 10.5 * 3600)
            house[wash] += np.where(seconds[wash] % 1800 < 600, 1900.0, 300.0)
    print("# A week of a household of four and 4 kW on its roof, in steps of 5 min, Monday 0:00 to Sunday 24:00.")
    print("# Made by benchmarks/week/shape.py: the shape is a household's, the figures are project choices.")
    print("seconds,house,sun")
    for t, p, s in zip(seconds, house, sun, strict=True):
        print(f"{t},{p:.0f},{s:.0f}")


if __name__ == "__main__":
    main()
