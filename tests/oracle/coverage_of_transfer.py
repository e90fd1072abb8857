"""How often the transfer time's uncertainty covers the truth, over random interruptions.

    python tests/oracle/coverage_of_transfer.py 10000 [seed]

prints the share covered by U (k = 2), the worst error in U, and how U spreads.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, field

import numpy as np
from closed_form import Scene

from rig.metrology.transfer import transfer_time


def random_scene(rng: np.random.Generator, seed: int) -> Scene:
    """Gap 0.2 ms to 10 s, any angle, 50/60 Hz, noise to 2 %, harmonics, a phase jump, and in a quarter of the cases a
    soft start or a residual voltage."""
    kind = rng.choice(["plain", "soft", "residual"], p=[0.75, 0.125, 0.125])
    gap = float(10 ** rng.uniform(math.log10(0.2e-3), 1.0))
    return Scene(
        gap=gap,
        angle=float(rng.uniform(0, 360)),
        frequency=float(rng.choice([50.0, 60.0])),
        rate=float(rng.choice([20e3, 50e3])),
        jump=float(rng.choice([0.0, rng.uniform(-180, 180)])),
        noise=float(rng.uniform(0, 0.02)),
        harmonics={3: float(rng.uniform(0, 0.04)), 5: float(rng.uniform(0, 0.04)), 7: float(rng.uniform(0, 0.03))},
        soft=float(rng.uniform(5e-3, 50e-3)) if kind == "soft" else 0.0,
        left=0.7 if kind == "residual" else 0.0,
        decay=float(rng.uniform(20e-3, 200e-3)) if kind == "residual" else math.inf,
        slip=0.98 if kind == "residual" else 1.0,
        seed=seed,
    )


@dataclass
class Tally:
    """Errors in units of U, and the Us."""

    errors: list[float] = field(default_factory=list)
    expanded: list[float] = field(default_factory=list)
    worst_scene: Scene | None = None

    def add(self, scene: Scene) -> None:
        """Measure one."""
        m = transfer_time([scene.wave()], scene.voltage, scene.frequency).measurement
        # A residual voltage that looks like the live one leaves two truths.
        low = scene.out_of_tolerance if scene.left else scene.duration
        error = max(low - m.value, m.value - scene.duration, 0.0) / m.expanded()
        if error > self.worst:
            self.worst_scene = scene
        self.errors.append(error)
        self.expanded.append(m.expanded())

    @property
    def covered(self) -> float:
        """Share of the cases inside U."""
        return float(np.mean(np.array(self.errors) <= 1.0))

    @property
    def worst(self) -> float:
        """Largest error, in U."""
        return max(self.errors, default=0.0)

    def __str__(self) -> str:
        us = np.percentile(np.array(self.expanded) * 1e3, [50, 95, 100])
        return (
            f"{len(self.errors)} cases: {self.covered:.2%} inside U (k = 2), worst error {self.worst:.2f} U; "
            f"U median {us[0]:.3f} ms, 95 % {us[1]:.3f} ms, largest {us[2]:.3f} ms\nworst: {self.worst_scene}"
        )


if __name__ == "__main__":
    rng = np.random.default_rng(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    tally = Tally()
    for case in range(int(sys.argv[1])):
        tally.add(random_scene(rng, case))
    sys.stdout.write(f"{tally}\n")
