"""A console from its start to its end: the hub's thread, and the server on its port."""

from __future__ import annotations

import asyncio
import select
import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import uvicorn

from console.access import LOOPBACK, Access
from console.hub import Hub
from console.server import Server
from rig.errors import UseError

TURN = 0.1
"""s between two turns of the hub at the most."""
ENDS_WITHIN = 2
"""s for pages that are open to be told that it ends."""


def listen(port: int, host: str = LOOPBACK) -> socket.socket:
    """A listening socket. UseError when the address is taken or is none of ours. port: 0 for any that is free."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    server = socket.socket(family, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        server.bind((host, port))
        server.listen(64)
    except OSError as error:
        server.close()
        words = f"cannot be served there ({error.strerror or error}); choose another --port"
        raise UseError(f"{host} port {port}: {words}") from None
    return server


@contextmanager
def turning(hub: Hub) -> Iterator[None]:
    """The hub followed by a thread of its own for as long as the block runs."""
    over = threading.Event()

    def follow() -> None:
        while not over.is_set():
            try:
                select.select(hub.ends(), [], [], TURN)
                hub.turn()
            except Exception:  # noqa: BLE001  (whatever it was, the page must not stand still on an old picture)
                traceback.print_exc()
            over.wait(TURN / 4)  # a run that says much does not keep it from anything else

    thread = threading.Thread(target=follow, name="console hub", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(5.0)
        hub.close()


def serve(hub: Hub, access: Access, at: socket.socket, ready: Callable[[Callable[[], None]], None]) -> None:
    """Serve until it is told to end. ready: called with what ends it, from any thread, once it is served."""
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(hub, access, at, ready))


async def _serve(hub: Hub, access: Access, at: socket.socket, ready: Callable[[Callable[[], None]], None]) -> None:
    server = Server(hub, access)
    config = uvicorn.Config(
        server.app,
        interface="asgi3",
        lifespan="off",
        ws="none",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=ENDS_WITHIN,
        h11_max_incomplete_event_size=32_768,
    )
    http = uvicorn.Server(config)
    loop = asyncio.get_running_loop()

    def end() -> None:
        loop.call_soon_threadsafe(server.over.set)
        http.should_exit = True

    async def follow_exit() -> None:
        while not http.should_exit:
            try:
                await asyncio.wait_for(server.over.wait(), TURN)
            except TimeoutError:
                continue
            break
        server.over.set()

    ready(end)
    follower = asyncio.create_task(follow_exit())
    await http.serve(sockets=[at])
    server.over.set()
    await follower
