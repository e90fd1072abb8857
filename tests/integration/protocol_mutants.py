"""Which planted defect of a charger turns which case of the protocol suite red: the table, and what runs it.

    python tests/integration/protocol_mutants.py FOLDER PART PARTS [PATTERN]    prints one JSON object, case -> outcome

Each case belongs to the first row whose pattern fits it. A row is run as one session of pytest on a bench of its own;
one process runs its share of the rows one after another.
"""

from __future__ import annotations

import fnmatch
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
sys.path.insert(0, str(TOP))

from fixtures.conductor import Conductor, Order  # noqa: E402
from fixtures.library import find_bench  # noqa: E402
from rig.cli.campaign import Named  # noqa: E402

SUITE = "suites/chademo_protocol"
ARGUMENTS = (
    f"--rootdir={TOP}", "-p", "fixtures.plugin", "-p", "no:cacheprovider", "-p", "no:terminal", "-p", "no:xdist",
    "-p", "no:random_order", "-p", "no:hypothesispytest", "--override-ini=addopts=--strict-markers",
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """defects: as in a bench file. cases: patterns of "function[parameters]"; the first row that fits has the case."""

    defects: tuple[str, ...]
    cases: tuple[str, ...]


ENDING = ("stopping", "weld-check")
CAR_ITSELF = ("ignores-k", "ignores-enable", "ignores-stop-before-start", "ignores-system-fault-bit")
"""What a car shows that stops by itself."""
PATIENT = ("waits-too-long-for-permission=60 s", "waits-too-long-for-request=60 s",
           "waits-too-long-for-contactors=60 s")  # fmt: skip
DEAF = ("can-timeout-late=60 s", "ignores-k", *PATIENT)
STOP = "test_trigger_ends_the_session"
RELOCKS = ("relocks",)
"""Whatever ended it, the session is not over for good."""


def stop(trigger: str, *defects: str) -> Row:
    return Row(defects, (f"{STOP}[[]{trigger}-*]",))


ROWS: tuple[Row, ...] = (
    # While a session ends anyway a trigger cannot be missed; what can be wrong then is the ending itself.
    Row(RELOCKS, tuple(f"{STOP}[[]*-{stage}]" for stage in ENDING)),
    Row(RELOCKS, (f"{STOP}[[]d1-lost-*", f"{STOP}[[]unplugged-*")),
    stop("102.4.0-overvoltage", "ignores-overvoltage-bit"),
    stop("102.4.1-undervoltage", "ignores-undervoltage-bit"),
    stop("102.4.2-current-deviation", "ignores-current-deviation-bit"),
    stop("102.4.3-high-temperature", "ignores-temperature-bit"),
    stop("102.4.4-voltage-deviation", "ignores-voltage-deviation-bit"),
    stop("102.5.0-enable-off", "ignores-enable"),
    stop("102.5.1-not-in-park", "ignores-shift-bit"),
    stop("102.5.2-system-fault", "ignores-system-fault-bit"),
    stop("102.5.4-stop-before-start", "ignores-stop-before-start"),
    stop("target-voltage-0", "ignores-target-zero"),
    stop("k-off", "ignores-k"),
    stop("d2-lost", *CAR_ITSELF),
    stop("can-silent", *DEAF),
    stop("can-102-silent", *DEAF),
    stop("car-stops", *CAR_ITSELF),
    stop("operator-stop", "ignores-stop-button"),
    stop("emergency-stop", "ignores-emergency-stop"),
    # Blackout and sags
    Row(RELOCKS, ("test_a_sag_changes_nothing[[]stopping*", "test_a_sag_changes_nothing[[]weld*")),
    Row(("transfers-at-sags=0.2",), ("test_a_sag_changes_nothing[[]*",)),
    Row(("returns-house-late=15 s",), ("test_an_automatic_transfer*",)),
    Row(("resumes-after-a-blackout",), ("test_blackout_ends*[[]plugged*", "test_blackout_ends*[[]handshake*")),
    Row(RELOCKS, ("test_blackout_ends*",)),
    Row(RELOCKS, ("test_a_short_interruption*[[]stopping]", "test_a_short_interruption*[[]weld-check]")),
    Row(("resumes-after-a-blackout",), ("test_a_short_interruption*",)),
    # Wrong timing
    Row(("touchy=0.05 s",), ("test_what_keeps_within*[[]period-90ms-*", "test_what_keeps_within*[[]early-*")),
    Row(("touchy=0.105 s",), ("test_what_keeps_within*[[]period-110ms-*", "test_what_keeps_within*[[]jitter-*")),
    Row(("touchy=0.15 s",), ("test_what_keeps_within*[[]period-*", "test_what_keeps_within*[[]late-*")),
    Row(("touchy=0.09 s",), ("test_what_keeps_within*",)),
    Row(("takes-any-frame", *DEAF), ("test_what_is_no_frame*",)),
    Row(RELOCKS, ("test_a_start_with_a_car_out_of_pace*",)),
    Row(("misses-only-0x102", *RELOCKS), ("test_one_frame_lost*",)),
    Row(("misses-only-0x102", "discharges-anyone", *RELOCKS), ("test_a_car_that_never_sends_an_optional*",)),
    Row(RELOCKS, ("test_a_car_that_never_tells*",)),
    Row(("uneven-cycle=0.15 s",), ("test_the_charger_keeps_its_own_pace*",)),
    # Logic
    Row(("trusts-the-contactor-flag",), ("test_a_car_in_the_wrong_order*said-closed-and-asked*",)),
    Row((*PATIENT, *CAR_ITSELF), ("test_a_car_in_the_wrong_order*",)),
    Row(RELOCKS, ("test_an_odd_car*", "test_a_second_session*", "test_a_target_at*", "test_the_threshold*")),
    Row(("ignores-emergency-stop",), ("test_an_emergency_stop_stays*",)),
    Row(("stops-at-late-102.5.4",), ("test_a_stop_before_start_after*",)),
    Row(("ignores-the-target",), ("test_a_target_beyond*",)),
    Row(("ignores-overvoltage",), ("test_a_pack_above*",)),
    Row(("starts-late=1 s",), ("test_the_first_request*",)),
    Row(("starts-without-a-plug",), ("test_start_without_a_car*",)),
    Row(("starts-by-itself",), ("test_a_plug_without_start*",)),
    # Versions
    Row(("old-protocol-only=9",), ("test_every_model*", "test_protocol_numbers_of_today*", "test_a_frame_of_a_later*")),
    Row(("discharges-anyone",), ("test_a_car_of_protocol*[[]discharge]", "test_a_car_that_cannot*[[]discharge]")),
    Row(RELOCKS, ("test_a_car_of_protocol*", "test_a_car_that_cannot_discharge*")),
    Row(RELOCKS, ("test_protocol_numbers_that*",)),
    Row(("hides-its-discharge",), ("test_a_charger_that_can*",)),
    # V2H
    Row(("ignores-discharge-limit=10 A",), ("test_the_limit_moves*",)),
    Row(("trusts-the-initial-limit",), ("test_an_initial_limit*",)),
    Row(("ends-at-withdrawal",), ("test_the_minimum_level*", "test_the_maximum_level*", "test_a_withdrawn*")),
    Row(("discharges-below-minimum-voltage",), ("test_the_minimum_voltage*",)),
    Row(("overstates-its-input",), ("test_the_charger_states*",)),
    Row(RELOCKS, ("test_direction*", "test_charging_is*", "test_a_long_rest*", "test_a_request_of*")),
)  # fmt: skip


class Watcher:
    """Hears which outcome each case had. only: the cases to run, None for none (what was collected is kept)."""

    def __init__(self, only: frozenset[str] | None) -> None:
        self._only = only
        self.collected: list[str] = []
        self.outcomes: dict[str, str] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        self.collected = [item.name for item in items]
        items[:] = [item for item in items if self._only is not None and item.name in self._only]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        verdict = getattr(report, "verdict", None)
        if verdict is not None and report.when != "teardown":
            self.outcomes[report.nodeid.partition("::")[2]] = str(verdict)


def row_of(case: str) -> Row:
    return next(row for row in ROWS if any(fnmatch.fnmatchcase(case, pattern) for pattern in row.cases))


def session(watcher: Watcher, bench: str, folder: Path) -> dict[str, str]:
    conductor = Conductor(Order(bench=bench, out=folder, command="protocol mutants"))
    pytest.main([str(TOP / SUITE), *ARGUMENTS], plugins=[Named(conductor), watcher])
    return watcher.outcomes


def mutated(folder: Path, number: int, row: Row) -> str:
    text = find_bench("emulated").read_text()
    defects = ", ".join(json.dumps(one) for one in row.defects)
    text, count = re.subn(r"^\[charger\]$", f"[charger]\ndefects = [{defects}]", text, flags=re.M)
    assert count == 1
    path = folder / f"mutant-{number}.toml"
    path.write_text(text)
    return str(path)


def main(folder: Path, part: int, parts: int, only: str = "*") -> None:
    collector = Watcher(None)
    session(collector, "emulated", folder / "none")
    shares: dict[int, set[str]] = {}
    for case in fnmatch.filter(collector.collected, only):
        shares.setdefault(ROWS.index(row_of(case)), set()).add(case)
    loads = sorted(shares, key=lambda index: -len(shares[index]))
    found: dict[str, dict[str, str]] = {}
    for index in loads[part::parts]:
        watcher = Watcher(frozenset(shares[index]))
        outcomes = session(watcher, mutated(folder, index, ROWS[index]), folder / f"run-{index}")
        for case in shares[index]:
            found[case] = {"outcome": outcomes.get(case, "not run"), "defects": ", ".join(ROWS[index].defects)}
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:])
