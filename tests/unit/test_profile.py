"""Device profiles: figures in SI, and every problem of a wrong file at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig.errors import BenchConfigError
from rig.profile import FIGURES, Ratings, read_profile

FOLDER = Path(__file__).parents[2] / "fixtures" / "profiles"
GOOD = (FOLDER / "leaf-to-home-6kw.toml").read_text(encoding="utf-8")


def problems(folder: Path, text: str) -> list[str]:
    path = folder / "p.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BenchConfigError) as caught:
        read_profile(path)
    assert all(str(path) in line for line in caught.value.problems)
    return caught.value.problems


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_the_profiles_of_the_house(path: Path) -> None:
    profile = read_profile(path)
    assert profile.name == path.stem
    ratings = profile.ratings
    assert ratings.line_voltage == profile.legs * ratings.leg_voltage
    assert ratings.power <= profile.legs * ratings.leg_power
    assert ratings.power == pytest.approx(ratings.line_voltage * ratings.ac_current, rel=0.01)
    assert all(value.source for value in profile.declared.values())


def test_figures_are_si() -> None:
    profile = read_profile(FOLDER / "leaf-to-home-6kw.toml")
    assert profile.figure("power") == 6000.0
    assert profile.figure("transfer_time") == 0.02
    assert profile.figure("step_deviation") == 0.05
    assert profile.figure("efficiency") is None
    assert profile.figure("source") is None
    assert profile.figure("nonsense") is None


def test_every_rating_is_a_figure() -> None:
    assert {name for name in Ratings.model_fields if name != "source"} <= FIGURES.keys()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('power = "6 kW"', 'power = "6 kV"', "ratings.power: '6 kV' is no quantity in W"),
        ('power = "6 kW"', 'power = "-6 kW"', "ratings.power"),
        ('frequency = "50 Hz"', "frequency = inf", "ratings.frequency: inf is not finite"),
        ('frequency = "50 Hz"', "", "ratings.frequency: is missing; add frequency = ..."),
        ("legs = 2", "legs = 3", "legs"),
        ("legs = 2", "leg = 2", "leg: unknown key; remove or rename it"),
        ('"reserve"', '"teleport"', "capabilities.6"),
        ("[declared.standby_power]", "[declared.standby]", "declared.standby: unknown declared value; use one of"),
        ('value = "55 W"', 'value = "55 V"', "declared.standby_power: '55 V' is no quantity in W"),
        ('value = "55 W"', "value = 0", "declared.standby_power.value"),
        ('value = "55 W"', "", "declared.standby_power: needs value and source"),
        ("[declared.standby_power]", "[declared.power]", "declared.power: unknown declared value"),
        ("[profile]", "[profil]", "name: is missing"),
        ("[profile]", "[profile", "not TOML"),
    ],
)
def test_a_wrong_key_is_told_with_its_mend(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in GOOD
    assert any(words in line for line in problems(tmp_path, GOOD.replace(old, new, 1)))


@pytest.mark.parametrize(
    ("bounds", "words"),
    [
        ("", "override.0: an override needs min or max"),
        ("min = 2.0\nmax = 1.0\n", "min is above max; swap them"),
        ("max = nan\n", "override.0.max: is not finite"),
    ],
)
def test_wrong_overrides(tmp_path: Path, bounds: str, words: str) -> None:
    text = f'{GOOD}\n[[override]]\nid = "XFR-002"\nquantity = "t_transfer"\nunit = "s"\nsource = "x"\n{bounds}'
    assert any(words in line for line in problems(tmp_path, text))


def test_a_limit_replaced_twice(tmp_path: Path) -> None:
    one = '\n[[override]]\nid = "XFR-002"\nquantity = "t_transfer"\nunit = "s"\nmax = 0.01\nsource = "x"\n'
    assert any("XFR-002 t_transfer is replaced twice" in line for line in problems(tmp_path, GOOD + one + one))


def test_all_problems_at_once(tmp_path: Path) -> None:
    text = GOOD.replace('"6 kW"', '"6 kV"', 1).replace('"55 W"', '"55 V"').replace("legs = 2", "legs = 3")
    assert len(problems(tmp_path, text)) == 3


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(BenchConfigError, match="no such profile file"):
        read_profile(tmp_path / "nowhere.toml")
    (tmp_path / "p.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(BenchConfigError, match="cannot be read"):
        read_profile(tmp_path / "p.toml")
    assert "must be a table" in problems(tmp_path, "profile = 3")[0]
    assert any("must be a table" in line for line in problems(tmp_path, "declared = 3\n" + GOOD.split("[declared")[0]))
