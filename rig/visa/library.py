"""A VISA library whose instruments live in this process: drivers cannot tell them from real ones.

    manager = pyvisa.ResourceManager(EmulatedVisaLibrary({"EMU::grid::INSTR": face}, clock))
    manager.open_resource("EMU::grid::INSTR").query("*IDN?")

Time: what an exchange costs is spent on the bench's clock before the instrument acts; a read that finds nothing spends
the session's time-out and fails with VI_ERROR_TMO. Message rules of IEEE 488.2 chapter 6 hold for INSTR resources (a
new message discards an unread reply, -410; a read without a question is -420); a serial line or a socket is a plain
stream of bytes that knows neither.

A name that is no VISA resource name is an alias of a VXI-11 instrument, so a driver gets a TCPIPInstrument.
On a real clock the emulated world is moved by the clock's thread: every exchange then holds the clock's lock.
"""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, cast

from pyvisa import constants, rname
from pyvisa.constants import InterfaceType, ResourceAttribute, StatusCode
from pyvisa.highlevel import ResourceInfo, VisaLibraryBase
from pyvisa.typing import VISAEventContext, VISARMSession, VISASession
from pyvisa.util import LibraryPath

from rig.clock import Clock, RealClock
from rig.visa.device import Device, Disconnected, Dropped

_LIBRARIES = itertools.count(1)
_MANAGER = VISARMSession(1)
_DEFAULTS: dict[int, Any] = {
    ResourceAttribute.timeout_value: 2000,
    ResourceAttribute.termchar: 10,
    ResourceAttribute.termchar_enabled: constants.VI_FALSE,
    ResourceAttribute.send_end_enabled: constants.VI_TRUE,
    ResourceAttribute.suppress_end_enabled: constants.VI_FALSE,
    ResourceAttribute.resource_manufacturer_name: "v2hrig",
    ResourceAttribute.resource_lock_state: constants.AccessModes.no_lock,
    ResourceAttribute.resource_spec_version: 0x00700200,
    ResourceAttribute.resource_impl_version: 0x00010000,
    ResourceAttribute.io_prot: constants.IOProtocol.normal,
}
_SERIAL_DEFAULTS: dict[int, Any] = {
    ResourceAttribute.asrl_baud_rate: 9600,
    ResourceAttribute.asrl_data_bits: 8,
    ResourceAttribute.asrl_parity: constants.Parity.none,
    ResourceAttribute.asrl_stop_bits: constants.StopBits.one,
    ResourceAttribute.asrl_flow_control: constants.ControlFlow.none,
    ResourceAttribute.asrl_end_in: constants.SerialTermination.termination_char,
    ResourceAttribute.asrl_end_out: constants.SerialTermination.none,
}
_READ_ONLY = {
    ResourceAttribute.interface_type,
    ResourceAttribute.interface_number,
    ResourceAttribute.resource_name,
    ResourceAttribute.resource_class,
    ResourceAttribute.resource_manufacturer_name,
}


class _Link:
    """One open session: the bytes on their way in both directions, and the attributes."""

    __slots__ = ("attributes", "device", "gone", "messages", "out", "partial")

    def __init__(self, device: Device, info: ResourceInfo) -> None:
        self.device = device
        self.gone = False
        self.partial = b""
        self.out: deque[bytes] = deque()
        stream = info.interface_type == InterfaceType.asrl or info.resource_class == "SOCKET"
        self.messages = not stream
        self.attributes: dict[int, Any] = {
            **_DEFAULTS,
            **(_SERIAL_DEFAULTS if info.interface_type == InterfaceType.asrl else {}),
            ResourceAttribute.interface_type: info.interface_type,
            ResourceAttribute.interface_number: info.interface_board_number or 0,
            ResourceAttribute.resource_class: info.resource_class,
            ResourceAttribute.resource_name: info.resource_name,
        }


class EmulatedVisaLibrary(VisaLibraryBase):
    """Instruments by resource name. world_lock: what a session holds over exchanges that belong together."""

    def __new__(cls, devices: Mapping[str, Device], clock: Clock) -> EmulatedVisaLibrary:  # noqa: ARG004
        # pyvisa keeps one library for each path, so each of ours has a path of its own
        return cast(
            EmulatedVisaLibrary, super().__new__(cls, LibraryPath(f"emulated {next(_LIBRARIES)}", "in process"))
        )

    def __init__(self, devices: Mapping[str, Device], clock: Clock) -> None:
        self._devices, self._clock = {_normal(name): device for name, device in devices.items()}, clock
        self._links: dict[int, _Link] = {}
        self._sessions = itertools.count(2)
        self.world_lock: AbstractContextManager[Any] = clock.lock if isinstance(clock, RealClock) else threading.RLock()

    def open_default_resource_manager(self) -> tuple[VISARMSession, StatusCode]:
        return _MANAGER, self.handle_return_value(_MANAGER, StatusCode.success)

    def list_resources(self, session: VISARMSession, query: str = "?*::INSTR") -> tuple[str, ...]:
        return tuple(rname.filter(self._devices, query))

    def parse_resource(self, session: VISARMSession, resource_name: str) -> tuple[ResourceInfo, StatusCode]:
        return self.parse_resource_extended(session, resource_name)

    def parse_resource_extended(self, session: VISARMSession, resource_name: str) -> tuple[ResourceInfo, StatusCode]:
        try:
            parsed = rname.parse_resource_name(resource_name)
        except rname.InvalidResourceName:
            info = ResourceInfo(InterfaceType.tcpip, 0, "INSTR", resource_name, resource_name)
        else:
            info = ResourceInfo(parsed.interface_type_const, 0, parsed.resource_class, str(parsed), None)
        return info, StatusCode.success

    def open(
        self,
        session: VISARMSession,
        resource_name: str,
        access_mode: constants.AccessModes = constants.AccessModes.no_lock,
        open_timeout: int = constants.VI_TMO_IMMEDIATE,
    ) -> tuple[VISASession, StatusCode]:
        device = self._devices.get(_normal(resource_name))
        if device is None:
            return VISASession(0), self.handle_return_value(None, StatusCode.error_resource_not_found)
        number = VISASession(next(self._sessions))
        self._links[number] = _Link(device, self.parse_resource_extended(session, resource_name)[0])
        return number, self.handle_return_value(number, StatusCode.success)

    def close(self, session: VISASession | VISAEventContext | VISARMSession) -> StatusCode:
        self._links.pop(session, None)
        self._last_status_in_session.pop(session, None)
        return StatusCode.success

    def write(self, session: VISASession, data: bytes) -> tuple[int, StatusCode]:
        link = self._link(session)
        with self.world_lock:
            lines = (link.partial + data).split(b"\n")
            link.partial = lines.pop()
            if link.partial and link.messages and link.attributes[ResourceAttribute.send_end_enabled]:
                lines.append(link.partial)  # END closes a message without a newline
                link.partial = b""
            for line in lines:
                self._exchange(session, link, line.rstrip(b"\r").decode("latin-1"))
        return len(data), StatusCode.success

    def read(self, session: VISASession, count: int) -> tuple[bytes, StatusCode]:
        link = self._link(session)
        if not link.out:
            self._clock.spend(link.attributes[ResourceAttribute.timeout_value] / 1000.0)
            if link.gone:
                self.handle_return_value(session, StatusCode.error_connection_lost)
            if link.messages:
                link.device.query_error(-420)
            self.handle_return_value(session, StatusCode.error_timeout)
        data = link.out.popleft()
        status = StatusCode.success
        if link.attributes[ResourceAttribute.termchar_enabled]:
            end = data.find(link.attributes[ResourceAttribute.termchar]) + 1
            if 0 < end <= count:
                if end < len(data):
                    link.out.appendleft(data[end:])
                return data[:end], self.handle_return_value(session, StatusCode.success_termination_character_read)
        if len(data) > count:
            link.out.appendleft(data[count:])
            data, status = data[:count], StatusCode.success_max_count_read
        return data, self.handle_return_value(session, status)

    def read_stb(self, session: VISASession) -> tuple[int, StatusCode]:
        link = self._link(session)
        with self.world_lock:
            return link.device.status_byte(bool(link.out)), self.handle_return_value(session, StatusCode.success)

    def clear(self, session: VISASession) -> StatusCode:
        link = self._link(session)
        with self.world_lock:
            link.partial = b""
            link.out.clear()
            link.device.clear()
        return self.handle_return_value(session, StatusCode.success)

    def flush(self, session: VISASession, mask: constants.BufferOperation) -> StatusCode:
        self._link(session).out.clear()
        return self.handle_return_value(session, StatusCode.success)

    def assert_trigger(self, session: VISASession, protocol: constants.TriggerProtocol) -> StatusCode:
        """A bus trigger means what *TRG means (IEEE 488.2, 10.37)."""
        link = self._link(session)
        with self.world_lock:
            self._exchange(session, link, "*TRG")
        return self.handle_return_value(session, StatusCode.success)

    def get_attribute(
        self,
        session: VISASession | VISAEventContext | VISARMSession,
        attribute: constants.ResourceAttribute | constants.EventAttribute,
    ) -> tuple[Any, StatusCode]:
        link = self._link(cast(VISASession, session))
        if attribute == ResourceAttribute.asrl_avalaible_number:
            return sum(map(len, link.out)), StatusCode.success
        if attribute not in link.attributes:
            self.handle_return_value(cast(VISASession, session), StatusCode.error_nonsupported_attribute)
        return link.attributes[attribute], StatusCode.success

    def set_attribute(self, session: VISASession, attribute: ResourceAttribute, attribute_state: Any) -> StatusCode:
        link = self._link(session)
        if attribute in _READ_ONLY:
            return self.handle_return_value(session, StatusCode.error_attribute_read_only)
        if attribute not in link.attributes:
            return self.handle_return_value(session, StatusCode.error_nonsupported_attribute)
        link.attributes[attribute] = attribute_state
        return self.handle_return_value(session, StatusCode.success)

    def disable_event(
        self, session: VISASession, event_type: constants.EventType, mechanism: constants.EventMechanism
    ) -> StatusCode:
        return StatusCode.success  # there are none: a status change is polled

    def discard_events(
        self, session: VISASession, event_type: constants.EventType, mechanism: constants.EventMechanism
    ) -> StatusCode:
        return StatusCode.success

    def _exchange(self, session: VISASession, link: _Link, line: str) -> None:
        if not line:
            return
        if link.gone:
            self.handle_return_value(session, StatusCode.error_connection_lost)
        latency = link.device.latency(line)
        if latency > 0.0:
            self._clock.spend(latency)
        if link.out and link.messages:
            link.out.clear()
            link.device.query_error(-410)
        try:
            reply = link.device.process(line)
        except (Disconnected, Dropped):
            link.gone = True
            link.out.clear()
            self.handle_return_value(session, StatusCode.error_connection_lost)
            return
        if reply:
            link.out.append(reply)

    def _link(self, session: VISASession) -> _Link:
        link = self._links.get(session)
        if link is None:
            self.handle_return_value(None, StatusCode.error_invalid_object)
            raise AssertionError("handle_return_value raises on an error status")
        return link


def _normal(name: str) -> str:
    """A resource name as pyvisa writes it (board numbers filled in); an alias as it stands."""
    try:
        return str(rname.ResourceName.from_string(name))
    except rname.InvalidResourceName:
        return name
