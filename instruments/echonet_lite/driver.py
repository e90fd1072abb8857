"""Driver of a charger on an ECHONET Lite network. Role: Charger. Never met hardware.

Theory
  Every verb is one SetC of class 0x027E (commands.py) and is done when the node says so with the same TID; the state is
  one Get. Requests are repeated with a new TID, so a late answer is never taken for another one's; all of them can be
  repeated without harm. A refusal (..._SNA) is told with the property the node would not take.

  The class has no start button: a mode is set, and a session begins when there is none. What it has no property for at
  all is done by a property of the maker's own where the bench file names one. Where it names none, what is asked for by
  default (automatic transfer, no reserve) is taken for how the charger was delivered; anything else is an error of the
  bench, never of the device.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from instruments.echonet_lite import commands as c
from instruments.echonet_lite.frame import REFUSAL, RESPONSE, Eoj, Esv, Frame, Prop, decode, encode
from rig.clock import Clock
from rig.datagrams.session import DatagramSession
from rig.errors import InstrumentError, LostInstrument, UseError
from rig.roles import ChargerMode, ChargerState, Identity

TIDS = 0x10000


class EchonetCharger:
    """A charger as a node's object."""

    met_hardware: ClassVar[bool] = False

    def __init__(self, session: DatagramSession, options: c.Options) -> None:
        self.resource = session.resource
        self._session, self._options = session, options
        self._object = Eoj(*c.CHARGER, options.instance)
        self._tid = 0

    def identity(self) -> Identity:
        """Manufacturer code, product code and number as the node gives them, and the release of the standard."""
        maker, standard, product, serial = self._get((c.MAKER, c.STANDARD), (c.PRODUCT, c.SERIAL))
        release = standard[2:3].decode("ascii", "replace").strip("\0 ")
        model, number = (_text(one) or "not stated" for one in (product, serial))
        return Identity(f"ECHONET 0x{maker.hex().upper()}", model, number, f"release {release}")

    def close(self) -> None:
        """End the session. The charger goes on by itself."""
        self._session.close()

    def start(self, mode: ChargerMode) -> None:
        """Set the mode: a session begins when a car is plugged in."""
        self._set("start", (c.MODE, c.MODES[mode]))

    def set_mode(self, mode: ChargerMode) -> None:
        """Change direction without a new session."""
        self._set("set_mode", (c.MODE, c.MODES[mode]))

    def set_power(self, power: float) -> None:
        """AC power in either direction. power: W, 0 or more; the class has whole ones."""
        if not 0.0 <= power <= self._options.power:
            raise UseError(f"{self.resource}: set_power({power}) must lie in 0..{self._options.power:g} W, its rating")
        self._set(
            "set_power",
            (c.CHARGING_METHOD, c.DESIGNATED_POWER),
            (c.DISCHARGING_METHOD, c.DESIGNATED_POWER),
            (c.CHARGE_POWER, round(power)),
            (c.DISCHARGE_POWER, round(power)),
        )

    def set_transfer(self, automatic: bool) -> None:
        """Whether the PCS transfers by itself."""
        self._own("transfer", c.AUTOMATIC if automatic else c.MANUAL, usual=automatic)

    def move_house(self, backup: bool) -> None:
        """The class has no such property. backup: to the car."""
        raise self._without(f"house to {'backup' if backup else 'mains'}")

    def keep_meter(self, least: float | None, most: float | None) -> None:
        """Nothing for no bounds; the class has no property for others. least, most: W."""
        if least is not None or most is not None:
            raise self._without("bounds at the meter")

    def set_reserve(self, soc: float) -> None:
        """The user's floor for discharge. soc: 0..1; in whole per cent."""
        if not 0.0 <= soc <= 1.0:
            raise UseError(f"{self.resource}: set_reserve({soc}) must be a fraction 0..1")
        self._own("reserve", round(100.0 * soc), usual=soc == 0.0)

    def stop(self) -> None:
        """Set the mode idle: a normal end."""
        self._set("stop", (c.MODE, c.IDLE))

    def emergency_stop(self) -> None:
        """By the maker's own property."""
        self._own("emergency_stop", c.DO)

    def reset(self) -> None:
        """By the maker's own property."""
        self._own("reset", c.DO)

    def state(self) -> ChargerState:
        """What the node says of itself. A fault is named by its code."""
        mode, fault, feeds, code, actual = self._get((c.MODE, c.FAULT, c.INTERCONNECTED), (c.FAULT_CODE, c.ACTUAL))
        asked, health = self._value(c.MODE, mode), self._value(c.FAULT, fault)
        if health not in (c.FAULTY, c.SOUND):
            raise self._nonsense(c.FAULT, health)
        words = c.ACTUAL_WORDS.get(self._value(c.ACTUAL, actual) if actual else asked)
        if words is None:
            raise self._nonsense(c.ACTUAL if actual else c.MODE, actual[0] if actual else asked)
        shown = f"code_{code.hex().upper() or 'unknown'}" if health == c.FAULTY else ""
        known: list[ChargerMode] = [name for name, value in c.MODES.items() if value == asked]
        backup = self._value(c.INTERCONNECTED, feeds) == c.INDEPENDENT
        return ChargerState("fault" if shown else words, known[0] if known else "standby", shown, backup)

    def power(self) -> float:
        """W the charger says it moves now, positive while charging. Its own word, no measurement; not part of the
        role."""
        return float(self._value(c.POWER_NOW, self._get((c.POWER_NOW,))[0]))

    def remaining(self) -> float:
        """State of charge, 0..1, as the charger says. Not part of the role."""
        return self._value(c.REMAINING, self._get((c.REMAINING,))[0]) / 100.0

    # -- exchanges

    def _own(self, what: str, value: int, usual: bool = False) -> None:
        epc = {
            "reserve": self._options.own.reserve,
            "transfer": self._options.own.transfer,
            "emergency_stop": self._options.own.emergency_stop,
            "reset": self._options.own.reset,
        }[what]
        if epc:
            self._set(what, (c.Property(epc, f"the maker's own {what}", 1, "", "gs", "the bench file"), value))
        elif not usual:
            words = (
                f"class 0x027E has no such property; name the maker's own in the bench file: own = {{ {what} = 0xF0 }}"
            )
            raise InstrumentError(self.resource, what, words)

    def _without(self, what: str) -> InstrumentError:
        words = "class 0x027E has no such property; use another driver of the charger (operator: by hand)"
        return InstrumentError(self.resource, what, words)

    def _set(self, verb: str, *wanted: tuple[c.Property, int]) -> None:
        answer = self._ask(verb, Esv.SET_C, [Prop(row.epc, row.pack(value)) for row, value in wanted])
        names = {row.epc: f"{row.name} (0x{row.epc:02X}) = {value}" for row, value in wanted}
        refused = [names[one.epc] for one in answer.props if one.data]
        if answer.service is not Esv.SET_RES or refused:
            words = f"the node refuses {', '.join(refused) or 'it'}; see its fault status and its set property map"
            raise InstrumentError(self.resource, verb, words)

    def _get(self, needed: Sequence[c.Property], wished: Sequence[c.Property] = ()) -> list[bytes]:
        """The bytes of each; empty where a wished one is not there."""
        rows = (*needed, *wished)
        answer = self._ask("get", Esv.GET, [Prop(row.epc) for row in rows])
        lacking = [row for row, one in zip(rows, answer.props, strict=True) if row in needed and not one.data]
        if lacking:
            words = ", ".join(f"{row.name} (0x{row.epc:02X})" for row in lacking)
            raise InstrumentError(self.resource, "get", f"the node does not give {words}; is it a charger/discharger?")
        return [one.data for one in answer.props]

    def _ask(self, verb: str, service: Esv, props: list[Prop]) -> Frame:
        """The answer to a request, which has its properties in the same order."""
        with self._session.lock:
            for _ in range(self._options.attempts):
                self._tid = (self._tid + 1) % TIDS
                request = Frame(self._tid, c.CONTROLLER, self._object, service, tuple(props))
                reply = self._session.exchange(encode(request), partial(_answers, request), self._options.within)
                if reply is not None:
                    return decode(reply)
        words = f"no answer to {self._options.attempts} requests; check that the node is on, and its address"
        raise LostInstrument(self.resource, verb, words)

    def _value(self, row: c.Property, data: bytes) -> int:
        try:
            return row.unpack(data)
        except ValueError as error:
            raise InstrumentError(self.resource, "get", f"{error}; is it a charger/discharger?") from None

    def _nonsense(self, row: c.Property, value: int) -> InstrumentError:
        return InstrumentError(self.resource, "get", f"{row.name} (0x{row.epc:02X}) = 0x{value:02X}, which is none")


def _answers(request: Frame, data: bytes) -> bool:
    """Whether a datagram is the answer to this request: TID, objects, service, and the properties asked for."""
    try:
        frame = decode(data)
    except ValueError:
        return False
    return (
        frame.tid == request.tid
        and frame.source == request.target
        and frame.target == request.source
        and frame.service in (RESPONSE[request.service], REFUSAL[request.service])
        and [one.epc for one in frame.props] == [one.epc for one in request.props]
    )


def _text(data: bytes) -> str:
    return "".join(char for char in data.decode("ascii", "replace").strip("\0 ") if char.isprintable())


def open_driver(session: DatagramSession, options: c.Options, clock: Clock) -> EchonetCharger:  # noqa: ARG001
    """A charger on the network. (Every driver is opened alike; its session keeps the time.)"""
    return EchonetCharger(session, options)
