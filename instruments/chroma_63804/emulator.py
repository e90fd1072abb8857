"""Emulated Chroma 63804: what the box does on its leg of the house.

It draws what it was set to, off by its own setting error; its meter reads the leg through its own errors. Below 50 V
it draws nothing (the series starts at 50 V rms); the plant's own constant-power limit holds between there and half
voltage. Times: RS-232 at 57600 baud is 0.2 ms a character; a reading takes one measuring interval (project choice,
0.2 s, in accuracy.toml).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from instruments.chroma_63804.commands import (
    LOAD,
    MEASURED_APPARENT,
    MEASURED_CURRENT,
    MEASURED_FREQUENCY,
    MEASURED_POWER,
    MEASURED_POWER_FACTOR,
    MEASURED_VOLTAGE,
    MODE,
    PEAK_CURRENT,
    POWER,
    POWER_FACTOR,
    SHAPE,
    Mode,
    Options,
    Shape,
)
from rig.metrology.accuracy import Specimen, read_accuracy
from rig.plant.ports import Operating, Port
from rig.plant.world import World
from rig.scpi.errors import ScpiError
from rig.scpi.face import ScpiFace

ACCURACY = read_accuracy(Path(__file__).with_name("accuracy.toml"))
CHARACTER = 10 / 57600
"""s a character takes on the serial line, 8-N-1."""
PROCESSING = 0.010
"""s the instrument thinks about a command (project choice)."""


class EmulatedChroma63804:
    """State and physics. Knows its leg, its own errors; knows no text."""

    def __init__(self, world: World, leg: int, boxes: int = 1, misreads: Mapping[str, float] | None = None) -> None:
        self._world, self._leg, self._boxes = world, leg, boxes
        self._port: Port = "house_l1" if leg == 0 else "house_l2"
        self._specimen = Specimen(ACCURACY, world.rng(f"chroma_63804 leg {leg}"), misreads)
        self.reset()

    def reset(self) -> None:
        """*RST: input open, constant current mode, nothing set."""
        self.mode, self.shape, self.setpoint, self.power_factor, self.peak = Mode.CURRENT, Shape.BOTH, 0.0, 1.0, 10.0
        self.closed = False
        self._apply()

    def set_mode(self, mode: Mode) -> None:
        if self.closed:
            raise ScpiError(-221)
        self.mode = mode

    def set_shape(self, shape: Shape) -> None:
        if self.closed:
            raise ScpiError(-221)
        self.shape = shape

    def set_power(self, power: float) -> None:
        self.setpoint = power
        self._apply()

    def set_power_factor(self, factor: float) -> None:
        if self.shape is Shape.CREST:
            raise ScpiError(-221)
        self.power_factor = factor

    def set_peak(self, current: float) -> None:
        self.peak = current

    def set_closed(self, closed: bool) -> None:
        if closed and self.mode is not Mode.POWER:
            raise ScpiError(-221, "Settings conflict; only constant power mode is emulated")
        self.closed = closed
        self._apply()

    def voltage(self) -> float:
        return self._specimen.read("voltage", self._true.u)

    def current(self) -> float:
        return self._specimen.read("current", self._true.i)

    def power(self) -> float:
        return self._specimen.read("power", self._true.p)

    def apparent(self) -> float:
        return self.voltage() * self.current()

    def measured_power_factor(self) -> float:
        apparent = self.apparent()
        return self.power() / apparent if apparent > 1.0 else 0.0

    def frequency(self) -> float:
        return self._specimen.read("frequency", self._true.f)

    @property
    def _true(self) -> Operating:
        """What one box has of its leg."""
        leg = self._world.plant.at(self._port)
        return leg._replace(i=leg.i / self._boxes, p=leg.p / self._boxes)

    def _apply(self) -> None:
        power = self._specimen.read("power_set", self.setpoint) if self.closed and self.setpoint > 0.0 else 0.0
        self._world.plant.set_house_load(self._leg, self._boxes * max(power, 0.0))


def latency(line: str) -> float:
    """s: the characters out and about ten back, the thinking, and the measuring interval where it measures."""
    asks = "?" in line
    measuring = ACCURACY["power"].update if asks and "MEAS" in line.upper() else 0.0
    return (len(line) + (10 if asks else 0)) * CHARACTER + PROCESSING + measuring


def build(world: World, options: Options) -> ScpiFace:
    """The instrument on a leg of a world."""
    load = EmulatedChroma63804(world, options.leg, options.boxes, options.misreads)
    return ScpiFace(
        f"Chroma,63804,EMULATED{options.leg + 1},1.00",
        {
            MODE: (load.set_mode, lambda: load.mode),
            SHAPE: (load.set_shape, lambda: load.shape),
            POWER: (load.set_power, lambda: load.setpoint),
            POWER_FACTOR: (load.set_power_factor, lambda: load.power_factor),
            PEAK_CURRENT: (load.set_peak, lambda: load.peak),
            LOAD: (load.set_closed, lambda: load.closed),
            MEASURED_VOLTAGE: (None, load.voltage),
            MEASURED_CURRENT: (None, load.current),
            MEASURED_POWER: (None, load.power),
            MEASURED_APPARENT: (None, load.apparent),
            MEASURED_POWER_FACTOR: (None, load.measured_power_factor),
            MEASURED_FREQUENCY: (None, load.frequency),
        },
        reset=load.reset,
        latency=latency,
    )
