"""Emulated Keysight 34970A with one platinum resistor in the emulated room.

It reads the world's temperature through its own errors. A reading takes about a mains cycle a wire pair and the relay
(accuracy.toml, update). Without a scan list there is nothing to read.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from instruments.keysight_34970a.commands import CONFIGURE, PROBE, READ, Options
from rig.metrology.accuracy import Specimen, read_accuracy
from rig.plant.world import World
from rig.scpi.errors import ScpiError
from rig.scpi.face import ScpiFace

ACCURACY = read_accuracy(Path(__file__).with_name("accuracy.toml"))
PROCESSING = 0.005
"""s the instrument thinks about a command (project choice)."""


class EmulatedKeysight34970a:
    """State and physics."""

    def __init__(self, world: World, options: Options) -> None:
        self._world, self._channel = world, options.channel
        world.ambient = options.room
        self._specimen = Specimen(ACCURACY, world.rng("keysight_34970a"))
        self.reset()

    def reset(self) -> None:
        """*RST: no scan list."""
        self.scan: tuple[str, ...] = ()

    def configure(self, words: Sequence[str]) -> None:
        """Probe, type and channels of the scan."""
        if tuple(words[:2]) != PROBE:
            raise ScpiError(-224)
        self.scan = tuple(words)

    def read(self) -> float:
        """Scan. A channel without a sensor is open: over range."""
        if not self.scan:
            raise ScpiError(-221)
        wired = self.scan[-1] == f"(@{self._channel})"
        return self._specimen.read("temperature", self._world.ambient) if wired else 9.9e37


def latency(line: str) -> float:
    """s: the thinking, and a reading where one is asked for."""
    return PROCESSING + (ACCURACY["temperature"].update if "READ" in line.upper() else 0.0)


def build(world: World, options: Options) -> ScpiFace:
    """The instrument in the room of a world."""
    box = EmulatedKeysight34970a(world, options)
    return ScpiFace(
        "HEWLETT-PACKARD,34970A,0,13-2-2",
        {CONFIGURE: (box.configure, None), READ: (None, box.read)},
        reset=box.reset,
        latency=latency,
    )
