"""Indicators of battery wear of a session, as measurements that are reported (EMS-008)."""

import math

import numpy as np

from rig.metrology.measurement import Component, Measurement
from rig.metrology.wear import wear

APART = 1e-3
"""s between the last reading of one part of a record and the first of the next, at the least."""


def tell_wear(check, first, second, soc, capacity):
    """Of two parts of a session's DC current, one after the other. soc: 0..1 when the first begins. capacity: C."""
    t = np.concatenate((first.t, np.maximum(second.t, first.t[-1] + APART)))
    current = np.concatenate((first.y, second.y))
    found = wear(t, current, soc, capacity)
    # The meter's error is the same all along: it scales throughput and rates, and moves a level by its charge.
    mean = found.throughput / found.seconds
    relative = first.u / mean if mean > 0.0 else math.inf
    shift = first.u * found.seconds / capacity
    for name, value, u in (
        ("equivalent_full_cycles", found.full_cycles, found.full_cycles * relative),
        ("cycles_a_year", found.a_year, found.a_year * relative),
        ("deepest_swing", found.deepest, shift),
        ("time_at_high_soc", found.high, min(1.0, shift)),
        ("time_at_low_soc", found.low, min(1.0, shift)),
        ("c_rate_highest", found.c_highest, first.u * 3600.0 / capacity),
        ("c_rate_mean", found.c_mean, first.u * 3600.0 / capacity),
    ):
        budget = (Component("DC current", u, "normal", first.source),)
        check("EMS-008", Measurement(name, value, "1", budget, first.source, float(t[-1]), (*first.of, *second.of)))
