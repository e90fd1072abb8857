"""A suite does not know how the charger is commanded: the same procedures, the same verdicts, whatever presses it."""

from __future__ import annotations

from pathlib import Path

import pytest
from rigs import Ran, certify

from rig.evidence.documents import Judged

SOME = ("--seed", "1", "--suite", "transfer_timing", "-k", "test_charging_turns_into_discharging or nominal-half-turn")


def verdicts(ran: Ran) -> list[tuple[str, str, str]]:
    """Of every requirement in its order."""
    return [(d.requirement, d.quantity, d.verdict) for d in ran.documents if isinstance(d, Judged)]


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    return certify(tmp_path_factory.mktemp("usual") / "run", *SOME)


@pytest.mark.parametrize("bench", ["echonet", "relay-contacts"])
def test_the_verdicts_are_those_of_the_emulated_panel(usual: Ran, bench: str, tmp_path: Path) -> None:
    ran = certify(tmp_path / "run", "--bench", bench, "--record", str(tmp_path / "record"), *SOME)
    assert ran.outcomes == usual.outcomes
    assert set(ran.outcomes.values()) == {"PASS"}
    assert verdicts(ran) == verdicts(usual)
    assert verdicts(ran)
    again = certify(tmp_path / "again", "--bench", str(tmp_path / "record" / "bench.toml"), *SOME)
    assert verdicts(again) == verdicts(ran), again.err
