"""A limit in words, as a report prints it."""

from __future__ import annotations

import pytest

from rig.evidence.translate import in_words


@pytest.mark.parametrize(
    ("stated", "unit", "printed"),
    [
        ("<= 20", "ms", "<= 20 ms"),
        ("0.5 / 2.0 / 3.0", "Hz/s", "0.5 / 2.0 / 3.0 Hz/s"),
        ("about 10 % SOC; never below the vehicle value", "% SOC", "about 10 % SOC; never below the vehicle value"),
        ("<= 410 V for LEAF target", "V", "<= 410 V for LEAF target"),
        ("300 (5/150/200/300/manual)", "s", "300 (5/150/200/300/manual) s"),
        ("certificate present", "-", "certificate present"),
        ("no oscillation", "% SOC", "no oscillation"),
        ("typ 6-8, worst 10", "ms", "typ 6-8, worst 10 ms"),
        ("same limit as XFR-001", "s", "same limit as XFR-001"),
        ("1.20 pu, 0.16 s (fixed)", "pu, s", "1.20 pu, 0.16 s (fixed)"),
    ],
)
def test_the_unit_is_said_once(stated: str, unit: str, printed: str) -> None:
    assert in_words(stated, unit) == printed
