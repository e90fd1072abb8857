"""The catalogue: whole, as collected, scaled by profile, and never claiming more than its sources allow."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from rig.errors import BenchConfigError, UseError
from rig.metrology.decision import UNITS, Verdict
from rig.metrology.measurement import Component, Measurement
from rig.profile import Profile, read_profile
from rig.requirements import Catalogue, Requirement, parse_confidence, read_catalogue

TOP = Path(__file__).parents[2]
SEED = TOP.parent / "shared" / "facts" / "requirements_seed.json"
PROFILES = sorted((TOP / "fixtures" / "profiles").glob("*.toml"))


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return read_catalogue(TOP / "fixtures" / "requirements")


def profile(name: str) -> Profile:
    return read_profile(TOP / "fixtures" / "profiles" / f"{name}.toml")


@pytest.fixture(scope="module")
def leaf(catalogue: Catalogue) -> Mapping[str, Requirement]:
    return catalogue.for_profile(profile("leaf-to-home-6kw"))


@pytest.fixture(scope="module")
def europe(catalogue: Catalogue) -> Mapping[str, Requirement]:
    return catalogue.for_profile(profile("europe-6kw-230v"))


def reading(name: str, value: float, unit: str, u: float = 0.0) -> Measurement:
    return Measurement(name, value, unit, (Component("all", u, "normal", "test"),))


# --- the whole of it ---------------------------------------------------------------------------------------------


def test_every_collected_requirement_stands_as_it_was_collected(catalogue: Catalogue) -> None:
    if not SEED.exists():
        pytest.skip("the collected requirements are not beside this checkout")
    seeds = json.loads(SEED.read_text(encoding="utf-8"))
    assert len(seeds) == 118
    assert [seed["id"] for seed in seeds if seed["id"] not in catalogue.requirements] == []
    for seed in seeds:
        row = catalogue[seed["id"]]
        found = (row.title, row.stated, row.stated_unit, row.method, row.conditions, row.source, row.confidence.raw)
        keys = ("title", "limit", "unit", "method", "conditions", "source", "confidence")
        assert found == tuple(seed[key] for key in keys), row.id


def test_each_is_judged_or_says_why_not(catalogue: Catalogue) -> None:
    assert len(catalogue.requirements) >= 118
    for row in catalogue.requirements.values():
        assert bool(row.limits) != bool(row.not_run), row.id
        assert all(limit.unit in UNITS for limit in row.limits), row.id


def test_bounds_are_of_the_numbers_stated(catalogue: Catalogue) -> None:
    """Each bound, or its thousandth or hundred times, is a number of the row's own words, or the limit has a source of
    its own, or it is a multiple of a figure of the profile, or it is that of an event that may not happen."""
    for row in catalogue.requirements.values():
        said = {float(n) for n in re.findall(r"\d+(?:\.\d+)?", f"{row.stated} {row.method}")}
        for limit in row.limits:
            for bound in (limit.min, limit.max):
                near = any(abs(abs(bound or 0.0) * scale - n) < 1e-9 for scale in (1, 1e3, 1e2) for n in said)
                assert not bound or near or limit.source or limit.of, (
                    f"{row.id} {limit.quantity}: {bound} comes from nowhere"
                )


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.stem)
def test_every_profile_of_the_house_takes_the_catalogue(catalogue: Catalogue, path: Path) -> None:
    rows = catalogue.for_profile(read_profile(path))
    assert list(rows) == list(catalogue.requirements)
    for row in rows.values():
        assert bool(row.limits) != bool(row.not_run), row.id
        for limit in row.limits:
            assert limit.limit.unit == limit.unit  # no figure is left to be put in


# --- by profile --------------------------------------------------------------------------------------------------


def test_limits_scale_with_the_plate(leaf: Mapping[str, Requirement], europe: Mapping[str, Requirement]) -> None:
    assert leaf["PWR-001"].row("power").limit.min == 6000.0
    assert leaf["PWR-002"].row("leg_power").limit.min == 3000.0
    for rows, volts in ((leaf, 100.0), (europe, 230.0)):
        band = rows["PQ-001"].row("leg_voltage").limit
        assert (band.min, band.max) == (pytest.approx(0.94 * volts), pytest.approx(1.06 * volts))
    assert leaf["PQ-001"].row("line_voltage").limit.max == pytest.approx(212.0)
    assert leaf["PQ-002"].row("frequency").limit.min == pytest.approx(49.0)
    assert leaf["XFR-007"].row("t_transfer").limit.max == pytest.approx(0.02)
    assert europe["XFR-007"].row("t_transfer").limit.max == pytest.approx(10.0)


def test_a_scaled_limit_says_whose_figure_it_is(leaf: Mapping[str, Requirement]) -> None:
    assert "power = 6000 W of the profile" in leaf["PWR-001"].row("power").source


def test_before_a_profile_a_multiple_is_no_limit(catalogue: Catalogue) -> None:
    with pytest.raises(UseError, match="for_profile"):
        _ = catalogue["PWR-001"].row("power").limit


def test_what_a_profile_does_not_have_is_not_run_with_its_reason(
    catalogue: Catalogue, leaf: Mapping[str, Requirement]
) -> None:
    assert leaf["XFR-003"].not_run == "not claimed: UPS-grade transfer is an optional class; the ITE class is declared"
    relay = catalogue["XFR-002"].model_copy(update={"grid_codes": ("jeac-9701", "g99")})
    other = Catalogue({**catalogue.requirements, "XFR-002": relay}).for_profile(
        profile("europe-6kw-230v").model_copy(update={"not_claimed": {}})
    )
    assert other["XFR-002"].not_run == "belongs to grid code jeac-9701 or g99; the profile's is vde-ar-n-4105-2018"
    portable = profile("leaf-to-home-6kw").model_copy(update={"capabilities": ("chademo", "discharge", "island")})
    rows = catalogue.for_profile(portable)
    assert rows["XFR-001"].not_run == "the device has no transfer"
    with pytest.raises(UseError, match="XFR-001 cannot be judged: the device has no transfer"):
        rows["XFR-001"].judge(reading("t_transfer", 1.0, "s"))
    silent = profile("leaf-to-home-6kw").model_copy(update={"declared": {}})
    assert catalogue.for_profile(silent)["XFR-007"].not_run == "the profile declares no transfer_time"


def test_overrides_replace_a_limit_and_its_claim(catalogue: Catalogue, tmp_path: Path) -> None:
    text = (TOP / "fixtures" / "profiles" / "leaf-to-home-6kw.toml").read_text(encoding="utf-8")
    changed = tmp_path / "changed.toml"
    changed.write_text(
        text
        + '\n[[override]]\nid = "XFR-002"\nquantity = "t_transfer"\nunit = "s"\nmax = 0.015\nsource = "contract"\n',
        encoding="utf-8",
    )
    row = catalogue.for_profile(read_profile(changed))["XFR-002"]
    assert row.row("t_transfer").limit.max == 0.015
    assert row.row("t_transfer").source == "contract"
    assert row.claim == "meets project limit"


@pytest.mark.parametrize(
    ("tail", "words"),
    [
        ('"XFR-999" = "no reason"', "not_claimed.XFR-999: no such requirement"),
        (
            '[[override]]\nid = "XFR-999"\nquantity = "t"\nunit = "s"\nmax = 1.0\nsource = "x"',
            "override of XFR-999 t: no such requirement",
        ),
        (
            '[[override]]\nid = "XFR-002"\nquantity = "t"\nunit = "s"\nmax = 1.0\nsource = "x"',
            "no such quantity; use one of t_transfer",
        ),
        (
            '[[override]]\nid = "XFR-002"\nquantity = "t_transfer"\nunit = "V"\nmax = 1.0\nsource = "x"',
            "unit 'V' is not the catalogue's 's'",
        ),
    ],
)
def test_a_profile_that_speaks_of_what_is_not_there(
    catalogue: Catalogue, tmp_path: Path, tail: str, words: str
) -> None:
    path = tmp_path / "p.toml"
    text = (TOP / "fixtures" / "profiles" / "leaf-to-home-6kw.toml").read_text(encoding="utf-8")
    path.write_text(f"{text}\n{tail}\n", encoding="utf-8")
    with pytest.raises(BenchConfigError, match=re.escape(words)):
        catalogue.for_profile(read_profile(path))


def test_a_misspelt_grid_code_does_not_skip_a_family_in_silence(catalogue: Catalogue) -> None:
    wrong = profile("leaf-to-home-6kw").model_copy(update={"grid_code": "jeac-9107"})
    with pytest.raises(BenchConfigError, match=r"no requirement belongs to 'jeac-9107'; use one of .*jeac-9701"):
        catalogue.for_profile(wrong)
    none = profile("leaf-to-home-6kw").model_copy(update={"grid_code": "none"})
    assert catalogue.for_profile(none)["GRD-019"].not_run


# --- claims ------------------------------------------------------------------------------------------------------


def test_what_was_not_seen_is_never_called_conformity(catalogue: Catalogue) -> None:
    for path in PROFILES:
        for row in catalogue.for_profile(read_profile(path)).values():
            grades = re.findall(r"\b(S2|S|M|P|derived)\b", re.sub(r"\([^)]*\)", "", row.confidence.raw))
            assert grades, row.id
            if {"M", "P", "derived"} & set(grades):
                assert "conform" not in row.claim.lower(), row.id
            elif row.reports_only:
                assert row.claim == "reported, no limit"
            elif row.normative:
                assert re.search(r"IEEE 1547|1547\.1|IEC 6|EN 50160|UL 1741|UN R100|NFPA 110|ITIC", row.source), row.id
                assert row.claim == f"conforms to {row.source}"
            else:
                assert row.claim == f"keeps the limit from {row.source}"


def test_software_and_sheets_are_no_standards(leaf: Mapping[str, Requirement]) -> None:
    assert leaf["CHA-016"].claim == "keeps the limit from Comment in [C3C] chademoCharger.h"
    assert leaf["PWR-002"].claim.startswith("keeps the limit from [NICH]")
    assert leaf["PQ-004"].claim == "conforms to EN 50160 Table in [RA], [AMP]"


def test_every_key_of_a_source_is_explained(catalogue: Catalogue) -> None:
    named = {key for row in catalogue.requirements.values() for key in row.sources}
    assert len(named) > 40
    for row in catalogue.requirements.values():
        assert set(row.references) == set(row.sources)
        assert all(row.references.values()), row.id


@pytest.mark.parametrize(
    ("raw", "may_claim", "parts"),
    [
        ("S", True, (("seen", ""),)),
        ("S2", True, (("second-hand", ""),)),
        ("S (6 kW) / P (duration)", False, (("seen", "6 kW"), ("project", "duration"))),
        ("M (high)", False, (("memory", "high"),)),
        ("M / S2", False, (("memory", ""), ("second-hand", ""))),
        ("S2 / derived", False, (("second-hand", ""), ("project", ""))),
    ],
)
def test_confidence(raw: str, may_claim: bool, parts: tuple[tuple[str, str], ...]) -> None:
    read = parse_confidence(raw)
    assert (read.may_claim, read.parts, read.raw) == (may_claim, parts, raw)


@pytest.mark.parametrize("raw", ["", "X", "S, P", "S /", "seen"])
def test_confidence_that_is_none(raw: str) -> None:
    with pytest.raises(ValueError, match="is no confidence"):
        parse_confidence(raw)


# --- judging -----------------------------------------------------------------------------------------------------


def test_judging_by_quantity(leaf: Mapping[str, Requirement]) -> None:
    row = leaf["XFR-002"]
    assert row.judge(reading("t_transfer", 0.0190, "s", 0.0002)).verdict is Verdict.PASS
    assert row.judge(reading("t_transfer", 0.0199, "s", 0.0002)).verdict is Verdict.INCONCLUSIVE
    assert row.judge(reading("gap", 0.0300, "s", 0.0002), "t_transfer").verdict is Verdict.FAIL
    with pytest.raises(UseError, match="XFR-002 has no quantity 'gap'; name the measurement t_transfer"):
        row.judge(reading("gap", 0.0300, "s"))
    assert row.family == "XFR"
    assert row.quantities == ("t_transfer",)


def test_the_worst_of_runs(leaf: Mapping[str, Requirement]) -> None:
    row = leaf["XFR-002"]
    near, vague = reading("t_transfer", 0.0195, "s", 1e-5), reading("t_transfer", 0.0180, "s", 5e-3)
    assert row.worst([reading("t_transfer", 0.012, "s"), near]) is near
    assert row.worst([vague, near]) is vague
    with pytest.raises(UseError, match="no measurement to take the worst of"):
        row.worst([])


def test_an_unknown_id(catalogue: Catalogue) -> None:
    with pytest.raises(UseError, match="no requirement 'XFR-999' in the catalogue"):
        catalogue["XFR-999"]


# --- bad files ---------------------------------------------------------------------------------------------------

ROW = """
[[requirement]]
id = "{id}"
title = "t"
stated = "<= 1"
stated_unit = "s"
method = "m"
conditions = "c"
source = "[X]"
confidence = "{confidence}"
{rest}
"""
LIMIT = '[[requirement.limit]]\nquantity = "t_x"\nunit = "s"\nmax = 1.0\n'


def row(id: str = "TST-001", confidence: str = "S", rest: str = LIMIT) -> str:
    return ROW.format(id=id, confidence=confidence, rest=rest)


def problems(folder: Path, **files: str) -> list[str]:
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    with pytest.raises(BenchConfigError) as caught:
        read_catalogue(folder)
    return caught.value.problems


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (row(confidence="Z"), "TST-001: confidence: 'Z': 'Z' is no confidence"),
        (row(rest=""), "TST-001: table: neither a limit nor a reason"),
        (row(rest=f'not_run = "why"\n{LIMIT}'), "has limits and not_run"),
        (row(rest=LIMIT + LIMIT), "a quantity stands twice"),
        (row(rest=LIMIT.replace('"s"', '"ms"')), "limit.0.unit: unknown unit 'ms'; use one of"),
        (row(rest=LIMIT.replace("1.0", "nan")), "limit.0.max: is not finite"),
        (row(rest=LIMIT + "min = 2.0\n"), "min 2 is above max 1; swap them"),
        (row(rest=LIMIT + 'of = "power"\n'), "of = 'power' is no figure in s; use transfer_time"),
        (row(rest=LIMIT.replace("t_x", "T x")), "limit.0.quantity"),
        (row(rest=LIMIT + "nonsense = 1\n"), "limit.0.nonsense: unknown key; remove or rename it"),
        (row(id="TST1"), "TST1: id:"),
        (row(id="ABC-001"), "is not of family TST; move it"),
        (row() + row(), "TST-001: stands already in one.toml"),
        (row(rest='needs = ["teleport"]\n' + LIMIT), "needs.0"),
        (row(rest='rule = { kind = "guard_band", r = -1.0 }\n' + LIMIT), "rule.r"),
        ("[oops]\n" + row(), "oops: unknown key"),
        ("requirement = [1]\n", "requirement 1"),
        ("", "holds no requirement"),
    ],
)
def test_a_wrong_file_is_told_by_file_row_and_key(tmp_path: Path, text: str, words: str) -> None:
    assert any(words in line and "one.toml" in line for line in problems(tmp_path, one=f'family = "TST"\n{text}'))


def test_all_problems_of_all_files_at_once(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        one='family = "TST"\n' + row(confidence="Z") + row(id="TST-002", rest=""),
        three="family = [",
        two=row(id="TST-003", rest=LIMIT.replace('"s"', '"ms"')),
    )
    text = "\n".join(found)
    assert len(found) >= 5
    for words in ("TST-001", "TST-002", "TST-003", "three.toml: not TOML", "two.toml: family: is missing"):
        assert words in text


def test_a_key_that_stands_for_nothing(tmp_path: Path) -> None:
    found = problems(tmp_path, one=f'family = "TST"\n{row()}', references='[reference]\nY = "a sheet"\nz = "no key"\n')
    assert any("references.toml: z: no key" in line for line in found)
    (tmp_path / "references.toml").write_text('[reference]\nY = "a sheet"\n', encoding="utf-8")
    assert any(
        "one.toml: TST-001: source [X] stands for nothing; add X to references.toml" in x for x in problems(tmp_path)
    )
    (tmp_path / "references.toml").write_text('[reference]\nX = "a sheet"\n', encoding="utf-8")
    assert read_catalogue(tmp_path)["TST-001"].references == {"X": "a sheet"}


def test_an_empty_folder(tmp_path: Path) -> None:
    assert "no requirement file" in problems(tmp_path)[0]
