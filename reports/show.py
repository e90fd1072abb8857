"""`pytest ... --show`: the pictures of each procedure when it is over, in the desktop's browser, or drawn on the
terminal where there is no desktop (SSH). A pytest plugin; a picture that cannot be drawn costs no verdict.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

import pytest

from rig.errors import RigError


def pytest_addoption(parser: pytest.Parser) -> None:
    """--show, and how."""
    words = "show each procedure's pictures when it is over: in the browser, on the terminal, or what there is (auto)"
    ways = ("auto", "browser", "terminal")
    parser.getgroup("v2hrig").addoption("--show", nargs="?", const="auto", default="", choices=ways, help=words)


def pytest_configure(config: pytest.Config) -> None:
    """Only where it was asked for."""
    if way := config.getoption("--show"):
        config.pluginmanager.register(Shown(config, way_for(way, os.environ)), "v2hrig-show")


def way_for(way: str, environment: Mapping[str, str]) -> str:
    """How to show: a browser where there is a desktop that is not at the far end of SSH."""
    if way != "auto":
        return way
    desktop = sys.platform == "darwin" or any(environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    return "browser" if desktop and not environment.get("SSH_CONNECTION") else "terminal"


class Shown:
    """Shows."""

    def __init__(self, config: pytest.Config, way: str) -> None:
        self._config, self._way, self._seen = config, way, 0

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logfinish(self) -> None:
        """A test is over, and what it has to show is on the disk."""
        from reports.showing import show_from  # what draws takes its time to import

        folder = getattr(self._config.pluginmanager.get_plugin("conductor"), "folder", None)
        capture = self._config.pluginmanager.get_plugin("capturemanager")
        if folder is None or capture is None:
            return
        with capture.global_and_fixture_disabled():
            try:
                self._seen = show_from(folder, self._seen, self._way)
            except (RigError, OSError) as error:
                print(f"v2hrig: nothing is shown: {error}", file=sys.stderr)
