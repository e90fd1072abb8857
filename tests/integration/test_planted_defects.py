"""A bad charger turns the right test red, and a good one does not. Limits come from the catalogue, not from here."""

from __future__ import annotations

from pathlib import Path

import pytest
from rigs import bench_with, certify

CASES = [
    pytest.param(
        "returns-house-late=900 ms",
        ("transfer_timing", "test_backup_supplies and 315deg and standby"),
        "XFR-002",
        id="returns the house in 900 ms",
    ),
    pytest.param(
        "opens-contactors-at=12",
        ("battery_protection", "charge-stop-button"),
        "CHA-026",
        id="opens contactors at 12 A",
    ),
    pytest.param(
        "deaf-to-discharge-limit",
        ("discharge_limits", "test_discharge_stays_below_the_limit and 10A"),
        "CHA-016",
        id="ignores 0x200 byte 0",
    ),
    pytest.param(
        "trusts-the-contactor-flag",
        ("chademo_protocol", "charge and said-closed-and-asked"),
        "CHA-009",
        id="believes 102.5.3",
    ),
]


@pytest.mark.parametrize(("defect", "selection", "requirement"), CASES)
def test_a_planted_defect_is_caught_by_the_right_test(
    tmp_path: Path, defect: str, selection: tuple[str, str], requirement: str
) -> None:
    suite, keyword = selection
    good = certify(tmp_path / "good", "--suite", suite, "-k", keyword, "--seed", "3")
    assert set(good.outcomes.values()) == {"PASS"}, good.out
    bench = bench_with(tmp_path, "charger", f'defects = ["{defect}"]')
    bad = certify(tmp_path / "bad", "--bench", str(bench), "--suite", suite, "-k", keyword, "--seed", "3")
    assert bad.code == 1, bad.out
    assert "FAIL" in bad.outcomes.values()
    assert "FAIL" in bad.verdicts(requirement)
    assert "FAIL" not in good.verdicts(requirement)
