"""What a bench can do, by capability. Suites, fixtures and the car see these and nothing below.

Protocols only. The docstring of each verb states what whoever implements it must guarantee; tests/contract holds every
driver to it. Verbs change the bench, nouns read it; every verb is idempotent. Errors: InstrumentError and
LostInstrument when the instrument refuses or is gone, EnvelopeError when a set-point is refused before it is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from rig.chademo.events import ContactorMoved, Wire, WireChanged
from rig.errors import UseError
from rig.metrology.measurement import Measurement
from rig.plant.ports import Port, WavePort, wave_unit

Function = Literal["u", "i", "p", "s", "pf", "f", "thd_u"]
"""u V rms (DC: mean), i A, p W, s VA, pf 1, f Hz, thd_u 1 (fraction of the fundamental)."""

Quantity = tuple[Port, Function]


@dataclass(frozen=True, slots=True)
class Rating:
    """What one output can do. Positive numbers: V, A, W."""

    voltage: float
    current: float
    power: float


@dataclass(frozen=True, slots=True)
class SafeState:
    """The outcome of make_safe: confirmed only by read-back. readings: what was read, one line each."""

    confirmed: bool
    readings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Identity:
    """*IDN? or its like."""

    maker: str
    model: str
    serial: str
    firmware: str


class Instrument(Protocol):
    """Everything with a session."""

    resource: str

    def identity(self) -> Identity:
        """Who answers."""
        ...

    def close(self) -> None:
        """End the session. Idempotent; does not change outputs."""
        ...


class Energised(Protocol):
    """Whatever can put energy into the bench, or take it out."""

    def make_safe(self) -> SafeState:
        """Bring outputs to no energy. Idempotent, callable from any state and after any error; bounded in time.
        CONFIRMED only by read-back; raises UnsafeState when the instrument does not answer at all."""
        ...


class ElectronicLoad(Instrument, Energised, Protocol):
    """One leg of the house."""

    rating: Rating

    def draw(self, power: float) -> None:
        """Draw constant power. power: W, 0 or more (0 opens the input)."""
        ...

    def power(self) -> Measurement:
        """W really drawn: asked and read are different things."""
        ...

    def voltage(self) -> Measurement:
        """V rms at the load."""
        ...


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One coherent update of a power analyzer. at: s, the moment the update interval ended."""

    at: float
    values: Mapping[Quantity, Measurement]


class PowerAnalyzer(Instrument, Protocol):
    """Reads all its elements at once."""

    ports: Sequence[Port]
    update_period: float
    """s between two updates."""

    def read(self, *quantities: Quantity) -> Snapshot:
        """The next update that began after this call, every quantity of the same update. Blocks until it is there.
        A value over range or undefined raises InstrumentError: it is no measurement."""
        ...

    def latest(self, *quantities: Quantity) -> Snapshot:
        """The last update that has ended, at once and without waiting: for a series taken in the background."""
        ...


@dataclass(frozen=True, slots=True)
class DcReading:
    """at: s. voltage V; current A, positive into the instrument (the battery charges).

    voltage_u, current_u: standard uncertainties, V and A; 0 where the instrument's are not known. voltage_limits_u,
    current_limits_u: what of them is the maker's limits of error. update: s between two updates of its meter, so that a
    reading is at most this old. corrected: by which certificate, in words; empty for none.
    """

    at: float
    voltage: float
    current: float
    voltage_u: float = 0.0
    current_u: float = 0.0
    update: float = 0.0
    voltage_limits_u: float = 0.0
    current_limits_u: float = 0.0
    corrected: str = ""


class DcSource(Instrument, Energised, Protocol):
    """A bi-directional DC source in the battery's place."""

    rating: Rating

    def imitate(self, voltage: float, resistance: float, i_source_max: float, i_sink_max: float) -> None:
        """Hold voltage (V at no current) behind resistance (ohm), within the current limits (A, positive). Output on.
        Protections are set before the output goes on; a repeated call only sends what changed."""
        ...

    def reading(self) -> DcReading:
        """What is at its terminals."""
        ...


class GridSimulator(Instrument, Energised, Protocol):
    """The mains side, two legs of a three-wire service (or one leg; the other then stays dead)."""

    rating: Rating

    def supply(self, voltage: float, frequency: float) -> None:
        """Mains on: voltage V rms leg to neutral on each leg, frequency Hz. Also steps a mains that is on."""
        ...

    def ramp(self, voltage: float, frequency: float, seconds: float) -> None:
        """Let voltage (V rms leg to neutral) and frequency (Hz) run straight from where they are to these within
        seconds, and stay there. Comes back at once; the mains must be on (EnvelopeError)."""
        ...

    def interrupt(self, at_angle: float | None = None) -> None:
        """Open the mains. at_angle: degrees of leg L1's voltage at which it opens, None for at once."""
        ...

    def dip(self, voltage: float, seconds: float, at_angle: float = 0.0) -> None:
        """Let every leg fall to voltage (V rms leg to neutral) for seconds, from an angle (degrees of leg L1's
        voltage) on, then return to what was. Comes back at once; the mains must be on (EnvelopeError)."""
        ...


@dataclass(frozen=True, slots=True)
class Waveforms:
    """A digitizer record. samples: what is at the tip of the probe, shape (channels, n), C-order float32, in V, of a
    channel with a current probe in A (`units`).

    start: s, bench time of the first sample. rate: S/s. channels: the names asked for, in order.
    resolution: unit of one converter step per channel. gain_u: standard uncertainty of the gain, 1 (fraction), of the
    worst channel, its probe included. offset_u: standard uncertainty of the zero per channel, in its unit.
    time_u: s, standard uncertainty of an instant against the other channels. start_u: s, of `start` against bench time.
    noise: standard deviation of what the digitizer adds to a sample, per channel, in its unit; empty for unknown.
    clipped: per channel, whether any sample stood at the converter's rail.
    """

    channels: tuple[WavePort, ...]
    samples: npt.NDArray[np.float32]
    start: float
    rate: float
    resolution: tuple[float, ...]
    gain_u: float
    time_u: float
    clipped: tuple[bool, ...]
    source: str
    offset_u: tuple[float, ...]
    start_u: float
    noise: tuple[float, ...] = ()

    @property
    def units(self) -> tuple[Literal["V", "A"], ...]:
        """Unit of each channel."""
        return tuple(wave_unit(channel) for channel in self.channels)

    def __getitem__(self, channel: WavePort) -> npt.NDArray[np.float32]:
        row: npt.NDArray[np.float32] = self.samples[self.channels.index(channel)]
        return row


class Digitizer(Instrument, Protocol):
    """Records voltages, and currents through a probe, on one time base."""

    ports: Sequence[WavePort]

    def start(self, channels: Sequence[WavePort], seconds: float, rate: float) -> None:
        """Record from now on. rate: S/s asked for; the record may be denser, never thinner (InstrumentError)."""
        ...

    def fetch(self) -> Waveforms:
        """Wait for the record to end and bring it home."""
        ...


class VehicleInterface(Instrument, Energised, Protocol):
    """The box in the car's place: drives k and proximity and the EV contactors, reads d1, d2, lock."""

    def set_wire(self, wire: Literal["k", "proximity"], on: bool) -> None:
        """Drive a wire of the car's side."""
        ...

    def move_contactor(self, closed: bool) -> None:
        """Ask the EV contactor pair to move. It closes only while d1 and d2 feed its coil."""
        ...

    def wires(self) -> Mapping[Wire, bool]:
        """All wires as they are now."""
        ...

    def contactor_closed(self) -> bool:
        """The auxiliary contact."""
        ...

    def inlet_voltage(self) -> float:
        """V at the connector side of the EV contactor."""
        ...

    def inlet(self) -> Measurement:
        """The same, V, with its uncertainty."""
        ...

    @property
    def stamp_u(self) -> float:
        """s, how far the stamp of a change may be off now, either way."""
        ...

    def subscribe(self, call: Callable[[float, WireChanged | ContactorMoved], None]) -> None:
        """Be told of every change: call(at, change), at in bench s as stamped by the box, from the clock's event."""
        ...


class Thermometer(Instrument, Protocol):
    """Stands in the room, away from what is warm."""

    def ambient(self) -> Measurement:
        """degC of the room, as "ambient"."""
        ...


class DigitalIo(Instrument, Energised, Protocol):
    """Relay contacts and opto-isolated inputs. Outputs are numbered from 1; make_safe opens them all."""

    channels: int
    """Outputs there are."""

    def switch(self, output: int, on: bool) -> None:
        """Hold an output. UseError for one that is not there."""
        ...

    def pulse(self, output: int, seconds: float) -> None:
        """Close an output for seconds. It opens by itself, though the rig died meanwhile. Comes back at once."""
        ...

    def outputs(self) -> Sequence[bool]:
        """Every output as the box says, from output 1 on."""
        ...

    def inputs(self) -> Mapping[str, bool]:
        """What is wired, by its name: "estop" (the emergency stop's chain, on while closed), "ev_contactor", "pcs"
        (their auxiliary contacts, on while closed)."""
        ...


ChargerMode = Literal["charge", "discharge", "standby"]


@dataclass(frozen=True, slots=True)
class ChargerState:
    """What the charger's own panel shows. phase: its words. fault: "" when there is none. on_backup: the house is fed
    from the vehicle with the mains cut off."""

    phase: str
    mode: ChargerMode
    fault: str
    on_backup: bool


class Charger(Instrument, Protocol):
    """The DUT's own buttons and modes."""

    def start(self, mode: ChargerMode) -> None:
        """Press start: a session begins when a car is plugged in."""
        ...

    def set_mode(self, mode: ChargerMode) -> None:
        """Change direction without a new session."""
        ...

    def set_power(self, power: float) -> None:
        """AC power asked of the charger in either direction. power: W, 0 or more."""
        ...

    def set_transfer(self, automatic: bool) -> None:
        """Whether the PCS transfers the house by itself when the mains is lost."""
        ...

    def move_house(self, backup: bool) -> None:
        """Move the house by hand: to the car (backup) or back to the mains. Comes back when it is told, not done."""
        ...

    def keep_meter(self, least: float | None, most: float | None) -> None:
        """Keep the power taken from the mains, by the charger's own meter there, between least and most (W, negative
        for feeding it), whatever mode and power are set; None: no bound on that side, none at all: as set. UseError
        when least is above most."""
        ...

    def set_reserve(self, soc: float) -> None:
        """The user's floor for discharge. soc: 0..1."""
        ...

    def stop(self) -> None:
        """Press stop: a normal end of the session."""
        ...

    def emergency_stop(self) -> None:
        """Press the DUT's emergency stop."""
        ...

    def reset(self) -> None:
        """Acknowledge a latched fault (power cycle)."""
        ...

    def state(self) -> ChargerState:
        """What its panel shows."""
        ...


def refuse_crossed(resource: str, least: float | None, most: float | None) -> None:
    """UseError for bounds of the meter that no power lies between."""
    if least is not None and most is not None and least > most:
        raise UseError(f"{resource}: keep_meter({least:g}, {most:g}): least is above most; swap them")
