"""An emulated node on a UDP port: other programs speak to it as to one on the network."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from rig.clock import Clock, RealClock
from rig.datagrams.session import LONGEST, DatagramDevice
from rig.errors import UseError

POLL = 0.1
"""s after which the thread looks whether it shall end."""


def serve(device: DatagramDevice, clock: Clock, host: str) -> tuple[str, Callable[[], None]]:
    """Put a node on a port of its own, answering to wherever a request came from: its resource, and the call that ends
    it. UseError when it cannot listen there."""
    world: AbstractContextManager[Any] = clock.lock if isinstance(clock, RealClock) else nullcontext()
    end = threading.Event()
    ours = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        ours.bind((host, 0))
    except OSError as error:
        ours.close()
        raise UseError(
            f"--host {host}: no UDP port can be had there ({error}); name an address of this machine"
        ) from None

    def run() -> None:
        while not end.is_set():
            try:
                if not select.select([ours], [], [], POLL)[0]:
                    continue
                data, sender = ours.recvfrom(LONGEST)
                with world:
                    reply = device.process(data)
                if reply is not None:
                    ours.sendto(reply, sender)
            except OSError:
                continue  # a client that is gone is none of the node's business

    thread = threading.Thread(target=run, name=f"node on UDP {host}", daemon=True)
    thread.start()

    def close() -> None:
        end.set()
        thread.join(timeout=5.0)
        ours.close()

    return f"udp://{host}:{ours.getsockname()[1]}", close
