"""Load profiles: what is wrong with a file is told with its line; what is right can be walked and added up."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.library import HERE
from rig.errors import BenchConfigError
from rig.load_profile import read_load_profile

GOOD = "# of a test\nseconds,kettle,house\n0,0,100\n20,2000,100\n80,0,100\n"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "load.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_profile_is_walked_and_added_up(tmp_path: Path) -> None:
    profile = read_load_profile(written(tmp_path, GOOD))
    assert (profile.name, profile.comment, profile.length) == ("load", "of a test", 80.0)
    assert [profile.at("kettle", t) for t in (-1.0, 0.0, 19.9, 20.0, 79.9, 90.0)] == [0, 0, 0, 2000, 2000, 0]
    assert profile.energy("kettle") == 120e3
    assert [(begin, end) for begin, end, _ in profile.steps()] == [(0.0, 20.0), (20.0, 80.0)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("seconds\n0\n1\n", "needs a head"),
        ("t,house\n0,1\n1,1\n", "needs a head"),
        ("seconds,house\n0,1\n", "needs a head"),
        ("seconds,a,a\n0,1,1\n1,1,1\n", "name of its own"),
        ("seconds,house\n0,1\n1,much\n", ":3: holds what is no number"),
        ("seconds,house\n0,1\n1,-5\n", ":3: needs 2 finite numbers"),
        ("seconds,house\n0,1\n1,inf\n", ":3: needs 2 finite numbers"),
        ("seconds,house\n0,1\n1,1,1\n", ":3: needs 2 finite numbers"),
        ("seconds,house\n5,1\n6,1\n", ":2: seconds must begin at 0"),
        ("seconds,house\n0,1\n9,1\n9,1\n", ":4: seconds must begin at 0 and rise"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(BenchConfigError, match=words):
        read_load_profile(written(tmp_path, text))


def test_the_profiles_of_the_house_can_be_read() -> None:
    files = sorted((HERE / "loads").glob("*.csv"))
    assert len(files) >= 3
    assert all(read_load_profile(path).energy("house") > 0.0 for path in files)


def test_a_missing_one_is_told(tmp_path: Path) -> None:
    with pytest.raises(BenchConfigError, match="no such load profile"):
        read_load_profile(tmp_path / "none.csv")
