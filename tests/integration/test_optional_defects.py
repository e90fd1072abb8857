"""What only some devices have, gone wrong on their own benches: each turns its requirement red (`make qualify`)."""

from __future__ import annotations

from pathlib import Path

import pytest
from rigs import certify

from fixtures.library import find_bench
from rig.qualify.bench_file import planted
from rig.qualify.units import Plant

pytestmark = pytest.mark.long

CASES = [
    ("v2g", "meter-the-wrong-way-round", "sun_and_house", "EMS-002"),
    ("v2g", "follows-power-late=60", "calls_are_answered", "EMS-003"),
    ("v2g", "supports-too-little", "high_mains", "EMS-005"),
    ("europe-230v", "derates=0.2", "a_cup", "EMS-009"),
    ("manual-transfer", "moves-by-itself", "nobody_there", "XFR-017"),
    ("power-box", "discharges-anyone", "never_offers", "BAT-011"),
]


@pytest.mark.parametrize(("bench", "defect", "keyword", "requirement"), CASES, ids=[case[1] for case in CASES])
def test_it_turns_its_requirement_red(tmp_path: Path, bench: str, defect: str, keyword: str, requirement: str) -> None:
    text = planted(find_bench(bench).read_text(), [Plant("charger", "defects", f'["{defect}"]')])
    (tmp_path / "bad.toml").write_text(text)
    some = ("--depth", "quick", "--seed", "5", "-k", keyword)
    good = certify(tmp_path / "good", "--bench", bench, *some)
    assert set(good.outcomes.values()) == {"PASS"}, good.out
    bad = certify(tmp_path / "run", "--bench", str(tmp_path / "bad.toml"), *some)
    assert bad.code == 1, bad.out
    assert "FAIL" in bad.verdicts(requirement)
