"""pyvisa-py, through which real message instruments are reached: opened, and held to the rig's promises.

It raises whatever its protocols run into where a far end hangs up or talks nonsense; FAILURES names it all, so that a
session can say which instrument is lost. One of its loops has no end: bytes of a HiSLIP message that are to be thrown
away are waited for even when the far end has hung up (pyvisa-py 0.8.1). That loop is replaced here.
"""

from __future__ import annotations

import socket
import struct
from contextlib import suppress
from typing import Any, cast

import pyvisa
from pyvisa.resources import MessageBasedResource
from pyvisa_py.protocols import hislip, rpc, vxi11

FAILURES: tuple[type[Exception], ...] = (
    pyvisa.errors.Error,
    OSError,
    RuntimeError,
    AssertionError,
    EOFError,
    LookupError,
    MemoryError,
    OverflowError,
    struct.error,
    rpc.RPCError,
    vxi11.Vxi11Error,
)
CHUNK = 1 << 16


def real_manager() -> pyvisa.ResourceManager:
    """A resource manager for what is really there."""
    hislip.receive_flush = _throw_away
    return pyvisa.ResourceManager("@py")


def hang_up(resource: MessageBasedResource) -> None:
    """End a VXI-11 connection that is no good any more; else its closing would wait 5 s for an answer on it."""
    with suppress(*FAILURES):
        session = cast(Any, resource.visalib).sessions[resource.session]
        if isinstance(session.interface, vxi11.CoreClient):
            session.interface.sock.shutdown(socket.SHUT_RDWR)


def _throw_away(far: socket.socket, size: int) -> None:
    """So many bytes, as long as they come."""
    while size > 0:
        got = len(far.recv(min(CHUNK, size)))
        if not got:
            raise ConnectionError("hung up in the middle of a message")
        size -= got
