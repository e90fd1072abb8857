"""An emergency stop at the console of a supervised bench: over real sockets and in real time, pressed in mid discharge.
The supervisor is told first, and its last look is what the page believes."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.chaos import served_bench
from console.bench import BenchFacts
from console.hub import Hub, RunOrder
from rig.clock import Stopwatch
from rig.evidence.documents import Incident, SafeStateReached, TestStop
from rig.evidence.journal import read_journal
from rig.evidence.safety_log import last_word, safety_logs

pytestmark = [pytest.mark.realtime, pytest.mark.long]
LIMIT = 180.0


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            one.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton("239.74.163.2") + bytes(4))
    except OSError as error:
        pytest.skip(f"no multicast on this machine: {error}")
    with served_bench(tmp_path_factory.mktemp("served")) as opened:
        yield opened[1]


def test_the_supervisor_ends_the_discharge_and_confirms_it(bench: Path, tmp_path: Path) -> None:
    facts = BenchFacts("rig", bench.resolve(), "p", "t", "mixed", "real", ())
    hub = Hub([facts], ["discharge_limits"], ["normal"], tmp_path / "live", tmp_path / "evidence")

    def until(what: str, *keys: str) -> dict[str, Any]:
        watch = Stopwatch()
        while True:
            hub.turn()
            run: dict[str, Any] = json.loads(hub.shown()[1])["benches"][0]["run"]
            moments = hub.moments("rig", 0)[1]
            said = {"phase": moments[-1].get("words", {}).get("phase") if moments else "", "state": run["state"]}
            said["emergency"] = (run["emergency"] or {}).get("state", "")
            if said[what] in keys:
                return run
            assert run["state"] != "ended", run
            assert watch.seconds() < LIMIT, run

    try:
        hub.start("rig", RunOrder(suites=("discharge_limits",), keyword="discharge_ends_at_the_floor"))
        assert until("phase", "discharging")["supervised"]
        hub.emergency_stop("rig", "a person")
        until("emergency", "coming to rest", "CONFIRMED")
        watch = Stopwatch()
        while (run := json.loads(hub.shown()[1])["benches"][0]["run"])["state"] != "ended":
            hub.turn()
            assert watch.seconds() < LIMIT, run
        assert run["emergency"]["state"] == "CONFIRMED", run["emergency"]
        assert "the supervisor told" in run["emergency"]["steps"][0]
        folder = Path(run["folder"])
        documents = read_journal(folder).documents
        assert any(isinstance(one, Incident) and "emergency stop pressed: a person" in one.what for one in documents)
        (stop,) = [one for one in documents if isinstance(one, TestStop)]
        reasons = stop.reason.splitlines()
        assert "INVALID: emergency stop pressed: a person" in reasons
        # what a rule says of the pace of frames is said of the machine this runs on, too
        assert not [one for one in reasons if one.startswith("FAIL") and "R-PERIOD-" not in one]
        assert all(one.confirmed for one in documents if isinstance(one, SafeStateReached))
        said = last_word(safety_logs(folder)[0])
        assert said is not None
        assert said.confirmed
    finally:
        hub.close()
