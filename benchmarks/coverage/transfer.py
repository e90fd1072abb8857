"""Random interruptions of a house voltage, timed, and the phase jump across them."""

from __future__ import annotations

import math

from benchmarks.coverage.digitizer import channel, time_base
from benchmarks.coverage.interruption import Scene
from benchmarks.coverage.tally import Case, Random
from rig.metrology.transfer import TransferResult, transfer_time


def random_scene(rng: Random, seed: int, shortest: float = 0.2e-3, longest: float = 10.0) -> Scene:
    """Gap 0.2 ms to 10 s, any angle, 50/60 Hz, noise to 2 %, harmonics, a phase jump, and in a quarter of the cases a
    soft start or a residual voltage."""
    kind = rng.choice(["plain", "soft", "residual"], p=[0.75, 0.125, 0.125])
    gap = float(10 ** rng.uniform(math.log10(shortest), math.log10(longest)))
    return Scene(
        gap=gap,
        angle=float(rng.uniform(0, 360)),
        frequency=float(rng.choice([50.0, 60.0])),
        jump=float(rng.choice([0.0, rng.uniform(-180, 180)])),
        noise=float(rng.uniform(0, 0.02)),
        harmonics={3: float(rng.uniform(0, 0.04)), 5: float(rng.uniform(0, 0.04)), 7: float(rng.uniform(0, 0.03))},
        soft=float(rng.uniform(5e-3, 50e-3)) if kind == "soft" else 0.0,
        left=0.7 if kind == "residual" else 0.0,
        decay=float(rng.uniform(20e-3, 200e-3)) if kind == "residual" else math.inf,
        slip=0.98 if kind == "residual" else 1.0,
        seed=seed,
    )


def _measured(scene: Scene, rng: Random) -> TransferResult:
    peak = math.sqrt(2.0) * scene.voltage
    probe = channel(rng, peak, scene.noise * peak)
    w = probe.wave(scene.volts, scene.seconds, time_base(rng, (20e3, 50e3)))
    return transfer_time([w], scene.voltage, scene.frequency)


def transfer(rng: Random, number: int) -> Case:
    """The transfer time. A residual voltage that looks like the live one leaves two truths, and all between them."""
    scene = random_scene(rng, number)
    low = scene.out_of_tolerance if scene.left else scene.duration
    return Case(_measured(scene, rng).measurement, low, scene.duration, scene)


def phase_jump(rng: Random, number: int) -> Case:
    """The phase jump of an interruption that is seen, of up to a second. Its truth goes round at 180 degrees."""
    scene = random_scene(rng, number, 5e-3, 1.0)
    m = _measured(scene, rng).phase_jump
    truth = m.value + (scene.jump - m.value + 180.0) % 360.0 - 180.0
    return Case(m, truth, truth, scene)
