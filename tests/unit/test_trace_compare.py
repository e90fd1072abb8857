"""Two sessions side by side, the identity card, and the commands that print them."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from scripted_session import STOP, Story, charge_only, good, greeting
from typer.testing import CliRunner, Result

from rig.can.frame import Frame
from rig.chademo.codec import ChargerCapability, ChargerStatus, VehicleStatus
from rig.chademo.rules import ALL
from rig.cli.trace import app
from rig.errors import TraceError, UseError
from rig.trace.card import LIMITS, Card, Deviations, cards
from rig.trace.compare import Comparison, compare
from rig.trace.judge import SessionReport, judge_trace
from rig.trace.writer import write_trace


def frames(story: Story) -> list[tuple[float, Frame]]:
    heard = [(at, event) for at, event in story.stream() if isinstance(event, Frame)]
    return [(at - heard[0][0], frame) for at, frame in heard]


def session(story: Story) -> SessionReport:
    return judge_trace(frames(story)).sessions[0]


def compared(story: Story) -> Comparison:
    return compare(session(good()), session(story))


def card(story: Story) -> Card:
    deviations = Deviations()
    return cards(judge_trace(frames(story), watch=deviations.see), deviations)[0]


# -- comparing


def test_a_session_is_like_itself() -> None:
    found = compared(good())
    assert found.same_course
    assert not any(pair.differs for pair in found.phases)
    assert not any(pair.differs for pair in found.facts)
    assert [pair.name for pair in found.phases][:2] == ["handshake", "vehicle enabled"]


def test_a_phase_that_lasts_longer_is_told_with_its_sign() -> None:
    late = compared(good().hold(ChargerStatus, 3.0, 3.3, locked=False))
    by_name = {pair.name: pair for pair in late.phases}
    assert by_name["vehicle enabled"].difference == pytest.approx(0.3)
    assert by_name["connector locked"].difference == pytest.approx(-0.3)
    assert [pair.fact.key for pair in late.facts if pair.differs] == ["lock_time", "insulation_time"]


def test_a_limit_and_a_peak_that_differ() -> None:
    found = compared(good().hold(ChargerCapability, 0.0, 7.0, available_current=12))
    handshake = found.phases[0]
    assert handshake.peaks == {"available": (15, 12)}
    offered = next(pair for pair in found.facts if pair.fact.key == "offered_current")
    assert (offered.differs, offered.difference) == (True, -3)


def test_phases_of_one_session_alone_stand_in_their_place() -> None:
    found = compare(session(good()), session(charge_only()))
    assert not found.same_course
    alone = [pair.name for pair in found.phases if pair.b is None]
    assert "discharging" in alone
    names = [pair.name for pair in found.phases]
    assert names.index("discharging") < names.index("stopping")
    assert any(pair.b is None and pair.fact.key == "min_discharge_level" for pair in found.facts)


def test_a_flag_that_differs() -> None:
    found = compared(good().hold(ChargerStatus, 0.0, discharge_compatible=False))
    flag = next(pair for pair in found.facts if pair.fact.key == "charger_v2h")
    assert flag.differs
    assert flag.difference is None


# -- the card


def test_every_limit_names_a_rule_there_is() -> None:
    assert set(LIMITS.values()) <= {rule.id for rule in ALL}


def test_the_card_says_who_and_how_each_step_stands_to_its_rule() -> None:
    found = card(good())
    assert found.versions == {"charger": "1.0 to 1.2", "vehicle": "1.0 to 1.2"}
    course = {row.fact.key: row for row in found.course}
    closing = course["close_time"].verdict
    assert closing is not None
    assert (closing.rule.id, closing.state.value) == ("R-CLOSED-TIME", "kept")
    assert course["unlock_time"].verdict is None
    assert found.broken == {"charger": (), "vehicle": ()}


def test_the_card_names_what_each_side_broke() -> None:
    found = card(good().hold(VehicleStatus, 9.0, 9.1, charged_rate=101))
    assert found.broken == {"charger": (), "vehicle": ("R-CHARGED-RATE",)}


def test_the_deviation_of_the_output_is_weighed_by_its_time() -> None:
    long = charge_only()
    exact = card(long).deviation
    assert exact is not None
    assert (exact.mean, exact.worst) == (0, 0)
    above = card(long.hold(ChargerStatus, STOP - 1.0, STOP - 0.5, output_current=15)).deviation
    assert above is not None
    assert above.worst == pytest.approx(1.0)
    assert above.mean == pytest.approx(0.5 / above.seconds, rel=0.05)
    assert above.seconds == pytest.approx(exact.seconds, abs=0.11)


def test_there_is_no_deviation_where_the_output_never_settled() -> None:
    assert card(greeting(5.0)).deviation is None


# -- the commands


def command(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def two(tmp_path: Path) -> tuple[str, str]:
    a, b = tmp_path / "a.csv", tmp_path / "b.log"
    write_trace(a, frames(good()))
    write_trace(b, frames(good().hold(ChargerStatus, 3.0, 3.3, locked=False)))
    return str(a), str(b)


def test_diff(two: tuple[str, str]) -> None:
    done = command("diff", *two)
    assert done.exit_code == 0, done.output
    row = next(line.split() for line in done.output.splitlines() if line.strip().startswith("connector locked"))
    assert row[-1] == "-0.30"
    assert "enabled to locked" in done.output
    assert "more facts are the same in both" in done.output
    assert "offered current" not in done.output
    assert "offered current" in command("diff", "--all", *two).output


def test_diff_for_machines(two: tuple[str, str]) -> None:
    data = json.loads(command("diff", "--json", *two).output)
    assert data["same_course"] is True
    assert data["facts"]["lock_time"]["differs"] is True
    assert data["facts"]["offered_current"] == {"side": "charger", "unit": "A", "a": 15, "b": 15, "differs": False}


def test_diff_of_a_session_that_is_not_there(two: tuple[str, str]) -> None:
    done = command("diff", "--session-b", "2", *two)
    assert isinstance(done.exception, TraceError)
    assert "has 1 sessions and no number 2" in str(done.exception)


def test_card_command(two: tuple[str, str]) -> None:
    done = command("card", two[0])
    assert done.exit_code == 0, done.output
    assert "Charger: CHAdeMO 1.0 to 1.2" in done.output
    assert "R-CLOSED-TIME" in done.output
    data = json.loads(command("card", "--json", two[0]).output)
    assert data["sessions"][0]["course"]["close_time"]["rule"] == "R-CLOSED-TIME"
    assert data["sessions"][0]["sides"]["charger"]["facts"]["offered_current"]["value"] == 15


def test_card_of_a_trace_without_a_session(tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    write_trace(path, [(0.0, Frame(0x1DB, bytes(8))), (0.1, Frame(0x1DB, bytes(8)))])
    done = command("card", str(path))
    assert isinstance(done.exception, TraceError)
    assert "shows no CHAdeMO session" in str(done.exception)


# -- the page


def test_the_page_draws_values_phases_and_bits(two: tuple[str, str], tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    done = command("show", two[0], "--out", str(out))
    assert done.exit_code == 0, done.output
    page = out.read_text()
    for words in ("output 109.1-2", "limit 200.0", "State of charge", "102.5.0 enabled: ", "Vehicle&#39;s status bits"):
        assert words in page, words
    assert "no violation in 1320 frames" in page
    assert "11. discharging: " in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "script-src 'sha256-" in page


def test_a_name_in_a_file_cannot_act(tmp_path: Path) -> None:
    path, out = tmp_path / "<script>alert(1)<script>.csv", tmp_path / "page.html"
    write_trace(path, frames(good()))
    assert command("show", str(path), "--out", str(out)).exit_code == 0
    assert "<script>alert" not in out.read_text()


def test_a_broken_rule_stands_on_the_page(tmp_path: Path) -> None:
    path, out = tmp_path / "bad.csv", tmp_path / "page.html"
    write_trace(path, frames(good().hold(ChargerStatus, 9.0, 9.9, output_current=30)))
    assert command("show", str(path), "--out", str(out)).exit_code == 0
    assert "R-CHARGE-LIMIT" in out.read_text()
    assert "broken in this recording: R-CHARGE-LIMIT" in out.read_text()


def test_another_suffix_is_refused_before_the_trace_is_read(tmp_path: Path) -> None:
    done = command("show", str(tmp_path / "none.csv"), "--to", str(tmp_path / "page.gif"))
    assert isinstance(done.exception, UseError)
    assert "page.gif" in str(done.exception)
    assert "ends in .html or .png" in str(done.exception)


# -- the picture


def size(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    return struct.unpack(">II", png[16:24])


def test_the_picture_is_the_same_each_time(two: tuple[str, str], tmp_path: Path) -> None:
    first, again, other = (tmp_path / name for name in ("first.png", "again.png", "other.png"))
    for file, out in ((two[0], first), (two[0], again), (two[1], other)):
        done = command("show", file, "--to", str(out))
        assert done.exit_code == 0, done.output
    assert size(first.read_bytes())[0] == 2016
    assert first.read_bytes() == again.read_bytes()
    assert first.read_bytes() != other.read_bytes()


def test_each_session_of_a_trace_is_in_the_picture(two: tuple[str, str], tmp_path: Path) -> None:
    path, one, both = tmp_path / "both.csv", tmp_path / "one.png", tmp_path / "both.png"
    heard = frames(good())
    write_trace(path, [*heard, *((at + heard[-1][0] + 30.0, frame) for at, frame in heard)])
    assert command("show", two[0], "--to", str(one)).exit_code == 0
    assert command("show", str(path), "--to", str(both)).exit_code == 0
    assert size(both.read_bytes())[1] > 1.8 * size(one.read_bytes())[1]
