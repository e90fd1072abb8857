"""One bench served, each instrument reached by a transport of its own: what `--via` says, the rig's file names."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fixtures.library import find_bench, find_profile
from instruments.registry import REGISTRY
from rig.cli.emulate import read_via
from rig.errors import UseError
from rig.open_bench import read_bench_file
from rig.profile import read_profile
from rig.serve_bench import serve_bench
from rig.visa.backend import real_manager
from rig.visa.places import Transport
from rig.visa.session import open_session

CONFIG = read_bench_file(find_bench("served"), REGISTRY)
QUIET = replace(CONFIG, can=CONFIG.can.model_copy(update={"interface": "virtual", "channel": "via", "options": {}}))
"""On a bus within this process."""
PROFILE = read_profile(find_profile(CONFIG.bench.profile))


def test_each_part_is_named_by_its_own_transport_and_answers_there() -> None:
    others: dict[str, Transport] = {"house_l1": "serial", "grid": "hislip"}
    with serve_bench(QUIET, REGISTRY, PROFILE, others=others) as served:
        places = served.places
        assert places["house_l1"].startswith("ASRL/dev/")
        assert "::hislip" in places["grid"]
        assert all(places[name].endswith("::SOCKET") for name in ("house_l2", "battery", "analyzer"))
        manager = real_manager()
        for name in ("house_l1", "grid", "house_l2"):
            driver = REGISTRY[CONFIG.parts[name].driver]  # type: ignore[index]
            options = driver.options.model_validate(CONFIG.parts[name].options)  # type: ignore[index]
            session = open_session(places[name], manager, driver.serial, 10.0)  # type: ignore[index]
            instrument = driver.open(session, options, served.clock)
            assert instrument.identity().model
            instrument.close()
        manager.close()


def test_a_part_that_is_no_message_instrument_is_told() -> None:
    words = r"--via vehicle: no message instrument is served under this name; name one of .*house_l1"
    with (
        pytest.raises(UseError, match=words),
        serve_bench(QUIET, REGISTRY, PROFILE, others={"vehicle": "serial"}),
    ):
        pass


def test_wishes_are_read_and_wrong_ones_told() -> None:
    assert read_via([]) == ("socket", {})
    assert read_via(["grid=hislip", "vxi11", "battery=serial"]) == ("vxi11", {"grid": "hislip", "battery": "serial"})
    for wishes, words in (
        (["smoke"], "'smoke' is no transport; write one of socket, hislip, vxi11, serial, or PART=one of them"),
        (["grid="], "'' is no transport"),
        (["=serial"], "'serial' is no transport"),
        (["grid=hislip", "grid=serial"], "grid is named twice"),
        (["hislip", "serial"], "the transport of all is named twice"),
    ):
        with pytest.raises(UseError) as told:
            read_via(wishes)
        assert words in str(told.value)
