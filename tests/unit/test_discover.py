"""Looking around: what is found is named as a bench file needs it, what could not be looked for is said."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from rig import discover
from rig.cli.main import app


class Port:
    device, description = "/dev/ttyUSB7", "USB Serial"


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discover.list_ports, "comports", lambda: [Port()])
    monkeypatch.setattr(
        discover.can, "detect_available_configs", lambda: [{"interface": "socketcan", "channel": "can0"}]
    )


def test_ports_and_interfaces_are_found_and_the_network_is_left_in_peace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discover, "_visa_resources", lambda: pytest.fail("the network was asked"))
    found = discover.discover()
    assert found.serial == {"/dev/ttyUSB7": "USB Serial"}
    assert found.can == [("socketcan", "can0")]
    assert found.visa == []
    assert "--network" in found.notes[0]


def test_what_one_way_of_looking_runs_into_hides_nothing_of_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> list[str]:
        raise OSError("no route")

    monkeypatch.setattr(discover, "_visa_resources", broken)
    found = discover.discover(network=True)
    assert found.can == [("socketcan", "can0")]
    assert found.notes == ["VISA resources: could not be looked for (no route)"]


def test_the_command_prints_what_to_write(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discover, "_visa_resources", lambda: ["TCPIP::10.0.0.7::INSTR"])
    done = CliRunner(env={"COLUMNS": "160"}).invoke(app, ["bench", "discover", "--network"])
    assert done.exit_code == 0
    for words in ('"ASRL/dev/ttyUSB7::INSTR"', 'interface = "socketcan", channel = "can0"', '"TCPIP::10.0.0.7::INSTR"'):
        assert words in done.output
