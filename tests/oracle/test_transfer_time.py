"""Transfer time against voltages whose true interruption is written down (benchmarks/coverage/interruption.py).

The reading and its expanded uncertainty (k = 2) must cover the truth; a stated bound on that uncertainty keeps the
cover honest: who knows nothing covers everything.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from benchmarks.coverage.interruption import Scene
from rig.errors import BenchFault, UseError
from rig.metrology.decision import Limit, Verdict, judge
from rig.metrology.measurement import Measurement
from rig.metrology.transfer import TransferResult, transfer_time
from rig.metrology.wave import Wave

ANGLES = (0, 3, 15, 45, 75, 90, 135, 165, 180, 200, 270, 345)
GAPS = (4e-3, 10e-3, 20e-3, 100e-3)


def measured(scene: Scene) -> TransferResult:
    return transfer_time([scene.wave()], scene.voltage, scene.frequency)


def cover(scenes: Iterable[Scene], bound: float) -> None:
    """Each reading covers its truth with an expanded uncertainty of no more than `bound` s."""
    missed, widest = [], 0.0
    for scene in scenes:
        m = measured(scene).measurement
        widest = max(widest, m.expanded())
        if not abs(m.value - scene.duration) <= m.expanded():
            missed.append(
                f"{scene}: read {m.value * 1e3:.3f} of {scene.duration * 1e3:.3f}, U {m.expanded() * 1e3:.3f}"
            )
    assert not missed, "\n".join(missed)
    assert widest <= bound


def scenes(**fixed: object) -> list[Scene]:
    return [
        Scene(gap=gap, angle=angle, seed=i, **fixed)  # type: ignore[arg-type]
        for i, (gap, angle) in enumerate(product(GAPS, ANGLES))
    ]


@pytest.mark.parametrize("rate", [20e3, 50e3, 100e3])
@pytest.mark.parametrize("frequency", [50.0, 60.0])
def test_every_point_on_wave_at_every_rate(frequency: float, rate: float) -> None:
    gaps = (4e-3, 7e-3, 20e-3, 500e-3)
    cover(
        (
            Scene(gap=gap, angle=angle, frequency=frequency, rate=rate, seed=i)
            for i, (gap, angle) in enumerate(product(gaps, ANGLES))
        ),
        bound=0.1e-3,
    )


def budget_of(m: Measurement) -> dict[str, float]:
    return {c.name: c.contribution for c in m.budget}


@pytest.mark.parametrize("angle", [60, 90, 120])
def test_a_step_away_from_a_zero_crossing_is_known_to_its_samples(angle: float) -> None:
    """Whatever the threshold is, it passes it at once: two samples of 20 us are all there is."""
    scene = Scene(gap=20e-3, angle=angle, rate=50e3, noise=0.005, seed=angle)
    m = transfer_time([replace(scene.wave(), gain_u=0.02)], scene.voltage, scene.frequency).measurement
    assert abs(m.value - scene.duration) <= m.expanded() <= 25e-6


def test_a_slow_change_asks_how_high_the_threshold_is() -> None:
    for soft in (0.0, 50e-3):
        scene = Scene(gap=20e-3, angle=40.0, soft=soft)
        loose = transfer_time([replace(scene.wave(), gain_u=0.02)], scene.voltage, scene.frequency).measurement
        assert budget_of(loose)["threshold"] == pytest.approx(0.02 * 0.1 * soft, rel=0.3)


def test_the_time_base_counts_for_as_long_as_the_interruption_is() -> None:
    scene = Scene(gap=100e-3, tail=1.65)
    m = transfer_time([replace(scene.wave(), time_u=20e-6)], scene.voltage, scene.frequency).measurement
    assert budget_of(m)["time base"] == pytest.approx(math.sqrt(2) * 20e-6 * 0.1 / 2.0, rel=1e-2)


def test_a_fast_record_is_thinned_to_the_same_answer() -> None:
    cover((Scene(gap=7e-3, angle=a, rate=1e6, tail=0.2, noise=0.005, seed=a) for a in (0, 50, 110, 175)), bound=0.2e-3)


@pytest.mark.parametrize(("noise", "bound"), [(0.005, 0.25e-3), (0.01, 0.35e-3), (0.02, 0.7e-3)])
def test_noise_widens_what_is_hidden(noise: float, bound: float) -> None:
    cover(scenes(noise=noise), bound)


@pytest.mark.parametrize("jump", [10.0, 60.0, -120.0, 180.0])
def test_a_phase_jump_is_no_interruption_of_its_own(jump: float) -> None:
    cover(scenes(jump=jump, noise=0.005), bound=0.25e-3)
    scene = Scene(gap=20e-3, angle=30.0, jump=jump)
    (leg,) = measured(scene).legs
    assert math.cos(math.radians(leg.phase_jump - jump)) == pytest.approx(1.0, abs=1e-4)


def test_the_phase_jump_and_its_uncertainty() -> None:
    read = [
        measured(Scene(gap=20e-3, angle=7.0 * i, jump=75.0, noise=0.01, harmonics={3: 0.03}, seed=i)).phase_jump
        for i in range(40)
    ]
    assert np.mean([abs(m.value - 75.0) <= m.expanded() for m in read]) >= 0.9
    assert max(m.expanded() for m in read) < 0.6
    assert read[0].unit == "deg"
    assert math.isnan(measured(Scene(gap=math.inf)).phase_jump.value)
    assert measured(Scene(gap=0.0)).phase_jump.value == 0.0


@pytest.mark.parametrize("after", [49.0, 49.8, 50.5, 51.0])
def test_the_house_may_come_back_at_another_frequency(after: float) -> None:
    cover(scenes(after_frequency=after, noise=0.005), bound=0.2e-3)


@pytest.mark.parametrize("offset", [0.01, 0.03, -0.05])
def test_the_digitizers_zero_does_not_move_an_edge(offset: float) -> None:
    cover(scenes(offset=offset, noise=0.005), bound=0.2e-3)


@pytest.mark.parametrize("harmonics", [{3: 0.03, 5: 0.03, 7: 0.02}, {3: 0.05, 5: 0.06, 7: 0.05}])
def test_a_distorted_mains_is_a_clean_one(harmonics: dict[int, float]) -> None:
    cover(scenes(harmonics=harmonics, noise=0.005), bound=0.2e-3)


@pytest.mark.parametrize(("left", "bound"), [(0.3, 0.3e-3), (0.7, 0.5e-3), (0.8, 1e-3)])
def test_sags(left: float, bound: float) -> None:
    cover(scenes(left=left, noise=0.005), bound)


@pytest.mark.parametrize("soft", [10e-3, 50e-3])
def test_a_soft_start_is_known_to_a_part_of_a_half_cycle(soft: float) -> None:
    """The envelope reaches 90 % between two peaks of the wave: no method sees more."""
    cover(scenes(soft=soft), bound=5e-3)


def test_contact_bounce_is_part_of_the_interruption() -> None:
    cover(scenes(bounce=((0.5e-3, 1e-3), (1.5e-3, 1.8e-3)), noise=0.005), bound=0.5e-3)


def test_the_contact_that_bounces_when_it_closes_ends_with_its_last_bounce() -> None:
    cover(scenes(end_bounce=((0.5e-3, 1.2e-3), (1.8e-3, 2.6e-3)), noise=0.005), bound=1.5e-3)


@pytest.mark.parametrize("decay", [20e-3, 50e-3, 200e-3])
def test_the_residual_voltage_of_motors_on_the_dead_bus(decay: float) -> None:
    """It turns and decays. Where it happens to look like the live voltage nobody can tell, and either truth will do."""
    for scene in scenes(left=0.7, decay=decay, slip=0.97, noise=0.005):
        m = measured(scene).measurement
        assert scene.out_of_tolerance - m.expanded() <= m.value <= scene.duration + m.expanded(), scene
        assert m.expanded() <= 3e-3


def test_a_residual_voltage_that_leaves_the_new_sine_only_at_its_end_is_in_the_uncertainty() -> None:
    """In step with the voltage that comes until 0.2 ms before it does: too short to persist, and yet the end."""
    for angle in (305.857541347539, 125.857541347539):
        scene = Scene(
            gap=1.082e-3, angle=angle, frequency=60.0, jump=19.4, left=0.7, decay=0.16, slip=0.98, noise=0.005
        )
        m = measured(scene).measurement
        assert scene.out_of_tolerance - m.expanded() <= m.value <= scene.duration + m.expanded()


def test_a_short_return_does_not_end_it() -> None:
    """Half a cycle of good voltage after 20 ms, then 60 ms of nothing: one interruption of 90 ms."""
    scene = Scene(gap=20e-3, angle=40.0, end_bounce=((10e-3, 70e-3),), noise=0.005)
    m = measured(scene).measurement
    assert abs(m.value - 0.090) <= m.expanded()


def test_a_gap_below_the_persistence_is_covered_though_not_seen() -> None:
    for i, gap in enumerate((0.2e-3, 0.4e-3), 1):
        m = measured(Scene(gap=gap, angle=90.0, seed=i, noise=0.005)).measurement
        assert abs(m.value - gap) <= m.expanded() <= 2e-3


def test_mains_that_is_never_restored() -> None:
    result = measured(Scene(gap=math.inf, noise=0.005))
    assert result.measurement.value == math.inf
    assert result.settle.value == math.inf
    assert "was not back" in result.reason
    assert math.isfinite(result.measurement.u)


def test_a_voltage_that_comes_back_too_low_is_not_back() -> None:
    assert measured(Scene(gap=20e-3, after=0.85)).measurement.value == math.inf


@pytest.mark.parametrize(("after", "value"), [(0.87, math.inf), (0.93, 20e-3)])
def test_whether_it_is_back_is_told_where_the_gain_lets_it(after: float, value: float) -> None:
    w = replace(Scene(gap=20e-3, after=after).wave(), gain_u=0.01)
    assert transfer_time([w], 100.0, 50.0).measurement.value == pytest.approx(value, abs=0.2e-3)


@pytest.mark.parametrize("after", [0.89, 0.91])
def test_a_voltage_that_comes_back_to_about_ninety_per_cent_is_not_judged(after: float) -> None:
    """Back in time or never back: a gain that is known to 2 % cannot say which."""
    w = replace(Scene(gap=20e-3, after=after).wave(), gain_u=0.01)
    with pytest.raises(BenchFault, match="too near 90%"):
        transfer_time([w], 100.0, 50.0)


@pytest.mark.parametrize(("deep", "gain_u"), [(0.905, 0.01), (0.87, 0.01), (0.905, 0.0)])
def test_a_later_stretch_that_may_be_too_low_is_in_the_uncertainty(deep: float, gain_u: float) -> None:
    scene = Scene(gap=20e-3, angle=90.0, tail=0.6)
    w = scene.wave()
    low = slice(round((scene.end + 0.1) * w.rate), round((scene.end + 0.2) * w.rate))
    w.samples[low] *= deep
    m = transfer_time([replace(w, gain_u=gain_u)], 100.0, 50.0).measurement
    surely, perhaps = deep < 0.9 * (1 - 2 * gain_u), deep < 0.9 * (1 + 2 * gain_u)
    assert (m.value - m.expanded() <= 20e-3) == (not surely)
    assert (m.value + m.expanded() >= 220e-3) == perhaps


def test_what_comes_back_as_the_record_ends_was_away_till_then_and_perhaps_longer() -> None:
    """Too late for a limit of 0.2 s, whatever comes; within one of 0.35 s for nobody to say, and not settled either."""
    result = transfer_time([Scene(gap=0.3, tail=0.06).wave()], 100.0, 50.0)
    m = result.measurement
    assert m.value - m.expanded() <= 0.3 <= m.value
    assert m.value + m.expanded() >= 0.36
    for limit, verdict in ((0.2, Verdict.FAIL), (0.35, Verdict.INCONCLUSIVE)):
        assert judge(m, Limit(max=limit, unit="s")).verdict is verdict
    assert judge(result.settle, Limit(max=0.1, unit="s")).verdict is Verdict.INVALID


def test_no_interruption() -> None:
    result = measured(Scene(gap=0.0, noise=0.01, harmonics={5: 0.04}))
    assert result.measurement.value == 0.0
    assert "no interruption" in result.reason
    assert math.isnan(result.start)


def test_a_slow_drift_inside_the_band_is_no_interruption() -> None:
    t = np.arange(100_000) / 50e3
    v = 141.42 * (1 - 0.06 * t / 2) * np.sin(2 * math.pi * 50.1 * t)
    assert transfer_time([Wave(v.astype(np.float32), 50e3)], 100.0, 50.0).measurement.value == 0.0


def test_the_worst_leg_counts() -> None:
    one, other = Scene(gap=8e-3, angle=30.0), Scene(gap=12e-3, angle=210.0, seed=3)
    result = transfer_time([one.wave("leg 1"), other.wave("leg 2")], 100.0, 50.0)
    assert result.measurement.value == pytest.approx(12e-3, abs=result.measurement.expanded())
    assert [leg.name for leg in result.legs] == ["leg 1", "leg 2"]
    assert result.legs[0].duration == pytest.approx(8e-3, abs=0.1e-3)


def test_the_leg_that_may_have_been_away_longest_counts() -> None:
    """18.3 ms known to 2.2 ms may be more than 19 ms known to 0.1 ms, where 20 ms are allowed."""
    sharp, soft = Scene(gap=19e-3, angle=90.0), Scene(gap=3e-3, angle=40.0, soft=18e-3, seed=3)
    result = transfer_time([sharp.wave("sharp"), soft.wave("soft")], 100.0, 50.0)
    one, other = result.legs
    assert one.duration > other.duration
    assert result.measurement.value == other.duration
    assert result.measurement.value + result.measurement.expanded() > 20e-3


def test_edges_are_bench_times() -> None:
    scene = Scene(gap=20e-3, angle=90.0)
    result = measured(scene)
    assert result.start == pytest.approx(100.0 + scene.start, abs=0.05e-3)
    assert result.end == pytest.approx(100.0 + scene.end, abs=0.05e-3)
    assert result.measurement.at == result.end


def test_raw_converter_words_and_floats_read_the_same() -> None:
    """int16 samples must not overflow where squares are summed."""
    scene = Scene(gap=20e-3, angle=70.0)
    w = scene.wave()
    words = Wave(np.round(w.samples * 100).astype(np.int16), w.rate, w.start)
    m = transfer_time([words], 100 * scene.voltage, 50.0).measurement
    assert m.value == pytest.approx(scene.duration, abs=0.1e-3)


def test_records_that_cannot_be_judged() -> None:
    scene = Scene(gap=20e-3)
    w = scene.wave()
    with pytest.raises(BenchFault, match="clipped"):
        transfer_time([replace(w, clipped=True)], 100.0, 50.0)
    holed = w.samples.copy()
    holed[6_000:6_050] = np.nan
    with pytest.raises(BenchFault, match="no number"):
        transfer_time([replace(w, samples=holed)], 100.0, 50.0)
    fast = Scene(gap=20e-3, rate=200e3).wave()
    fast.samples[40_001] = np.inf  # beside the samples that are looked at
    with pytest.raises(BenchFault, match="no number"):
        transfer_time([fast], 100.0, 50.0)
    with pytest.raises(BenchFault, match="too short"):
        transfer_time([replace(w, samples=w.samples[:4_000])], 100.0, 50.0)
    with pytest.raises(BenchFault, match="too coarse"):
        transfer_time([replace(w, samples=w.samples[::2], rate=10e3)], 100.0, 50.0)
    with pytest.raises(BenchFault, match="not supplied"):
        transfer_time([w], 230.0, 50.0)
    with pytest.raises(UseError, match="no leg"):
        transfer_time([], 100.0, 50.0)
    with pytest.raises(BenchFault, match="clean cycles"):
        transfer_time([Scene(gap=20e-3, noise=0.08).wave()], 100.0, 50.0)
