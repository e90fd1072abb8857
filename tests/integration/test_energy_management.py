"""Procedures at the meter: a good charger keeps its bounds, a bad meter breaks the right requirement."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from rigs import certify

from fixtures.library import find_bench

SOME = ("--suite", "energy_management", "--depth", "quick", "--seed", "5", "-k", "schedule or flows_back or fast_mains")
DEFECTS = 'defects = ["meter-reads-low", "meter-looks-rarely", "supports-too-little"]'
BROKEN = ("EMS-001", "PWR-015", "EMS-004")


@pytest.mark.long
def test_a_charger_keeps_its_bounds_at_the_meter(tmp_path: Path) -> None:
    ran = certify(tmp_path / "run", "--bench", "v2g", *SOME)
    assert len(ran.outcomes) == 3
    assert set(ran.outcomes.values()) == {"PASS"}, ran.out


def test_a_bad_meter_is_caught(tmp_path: Path) -> None:
    text, count = re.subn(
        r"^supports = true$", f"supports = true\n{DEFECTS}", find_bench("v2g").read_text(), flags=re.M
    )
    assert count == 1
    (tmp_path / "bad.toml").write_text(text)
    ran = certify(tmp_path / "run", "--bench", str(tmp_path / "bad.toml"), *SOME)
    assert ran.code == 1, ran.out
    assert {one: "FAIL" in ran.verdicts(one) for one in BROKEN} == dict.fromkeys(BROKEN, True)
