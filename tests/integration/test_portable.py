"""A device without a mains side: the same procedures serve it, what needs a mains is not run, a bad one is caught."""

from __future__ import annotations

import re
from pathlib import Path

from rigs import certify

from fixtures.library import find_bench

SOME = ("--seed", "1", "-k", "test_load_step or enable-off-discharging or enable-off-charging or enable-off-locked")


def test_a_portable_station_is_served_without_a_grid_simulator(tmp_path: Path) -> None:
    ran = certify(tmp_path / "run", "--bench", "power-box", *SOME)
    outcomes = ran.outcomes
    assert outcomes.pop("test_trigger_ends_the_session[102.5.0-enable-off-charging]") == "NOT RUN"
    assert set(outcomes.values()) == {"PASS"}, ran.out
    assert len(outcomes) == 3
    assert "the device power-box-1500w has no charge" in (tmp_path / "run" / "journal.jsonl").read_text()


def test_a_portable_station_that_goes_on_discharging_is_caught(tmp_path: Path) -> None:
    text, count = re.subn(
        r"^mains = false$",
        'mains = false\ndefects = ["ignores-enable"]',
        find_bench("power-box").read_text(),
        flags=re.M,
    )
    assert count == 1
    (tmp_path / "bad.toml").write_text(text)
    ran = certify(
        tmp_path / "run", "--bench", str(tmp_path / "bad.toml"), "--seed", "1", "-k", "enable-off-discharging"
    )
    assert ran.code == 1, ran.out
    assert ran.outcomes == {"test_trigger_ends_the_session[102.5.0-enable-off-discharging]": "FAIL"}
