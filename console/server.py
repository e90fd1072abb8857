"""The page over HTTP: files of this package, a stream of what there is to see, and what may be pressed. Thin.

GET  /                        the page, read-only without the token
GET  /api/state               all benches and runs, JSON
GET  /api/stream?bench=NAME   server-sent events: `state` when it has changed, `moments` of that bench's run
POST /api/token               {"token": ...}: the cookie for it
POST /api/act                 {"bench": ..., "verb": ..., ...}: see VERBS
GET  /report/NAME             the report of the run that was on a bench last
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from importlib.resources import files
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console.access import Access
from console.hub import Hub, RunOrder
from rig.errors import UseError
from rig.live.messages import Answer, Pace

PAGES = {
    "": ("index.html", "text/html; charset=utf-8"),
    "console.css": ("console.css", "text/css; charset=utf-8"),
    "console.js": ("console.js", "text/javascript; charset=utf-8"),
    "diagram.js": ("diagram.js", "text/javascript; charset=utf-8"),
    "plots.js": ("plots.js", "text/javascript; charset=utf-8"),
}
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
ALONE = "sandbox allow-scripts"
"""A report is a page of its own: what stands in it may not act here."""
LARGEST = 16_384
"""Bytes of a request's body."""
BEAT = 0.1
"""s between two looks of a stream (project choice: ten pictures a second)."""
RESTS = 2
"""Beats between two states, however much happens: a page is drawn anew for each (project choice)."""
ALIVE = 50
"""Beats after which a silent stream says that it lives."""
STREAMS = 32


class Server:
    """What is served for one hub. over: set when it is to end."""

    def __init__(self, hub: Hub, access: Access) -> None:
        self._hub, self._access = hub, access
        self._streams = 0
        self.over = asyncio.Event()
        self._inner: ASGIApp = Starlette(
            routes=[
                Route("/api/state", self._state),
                Route("/api/me", self._me),
                Route("/api/stream", self._stream),
                Route("/api/token", self._token, methods=["POST"]),
                Route("/api/act", self._act, methods=["POST"]),
                Route("/report/{bench:path}", self._report),
                Route("/{name}", self._page),
                Route("/", self._page),
            ]
        )

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Nothing at all for a name that is not ours; the same headers on whatever is sent."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                there = {name for name, _ in message["headers"]}
                extra = [(n.encode(), v.encode()) for n, v in HEADERS.items() if n.encode() not in there]
                message["headers"] = [*message["headers"], *extra]
            await send(message)

        if not self._access.known_host(Request(scope).headers):
            words = "this console is not called by that name; see v2hrig console --name\n"
            await Response(words, 421, media_type="text/plain")(scope, receive, with_headers)
            return
        await self._inner(scope, receive, with_headers)

    # -- looking

    async def _page(self, request: Request) -> Response:
        found = PAGES.get(request.path_params.get("name", ""))
        if found is None:
            return Response("no such page\n", 404, media_type="text/plain")
        name, kind = found
        return Response(files("console").joinpath("page", name).read_bytes(), headers={"content-type": kind})

    async def _state(self, request: Request) -> Response:
        return Response(self._hub.shown()[1], media_type="application/json")

    async def _me(self, request: Request) -> Response:
        return JSONResponse({"acts": self._access.knows_session(request.headers)})

    async def _report(self, request: Request) -> Response:
        page = self._hub.report(request.path_params["bench"])
        if page is None:
            return Response("no report yet: it is written when the run has ended\n", 404, media_type="text/plain")
        headers = {"content-type": "text/html; charset=utf-8", "content-security-policy": ALONE}
        return Response(page.read_bytes(), headers=headers)

    async def _stream(self, request: Request) -> Response:
        if self._streams >= STREAMS:
            return Response("too many pages are open\n", 503, media_type="text/plain")
        return StreamingResponse(self._events(request.query_params.get("bench", "")), media_type="text/event-stream")

    async def _events(self, bench: str) -> AsyncIterator[bytes]:
        self._streams += 1
        try:
            revision, seen, idle, rested = 0, 0, 0, RESTS
            while not self.over.is_set():
                rested += 1
                if rested > RESTS and self._hub.revision != revision:
                    revision, raw = self._hub.shown()
                    idle = rested = 0
                    yield _event("state", raw)
                before = seen
                seen, fresh = self._hub.moments(bench, seen)
                if fresh:
                    idle = 0
                    again = before == 0 or seen < before
                    yield _event("moments", json.dumps({"anew": again, "moments": fresh}).encode())
                idle += 1
                if idle >= ALIVE:
                    idle = 0
                    yield b": alive\n\n"
                try:
                    await asyncio.wait_for(self.over.wait(), BEAT)
                except TimeoutError:
                    continue
        finally:
            self._streams -= 1

    # -- acting

    async def _token(self, request: Request) -> Response:
        said = await _body(request)
        if isinstance(said, Response):
            return said
        if not self._access.is_token(str(said.get("token", ""))):
            return _refused(403, "that is not this console's token; open the address it printed")
        return JSONResponse({"acts": True}, headers={"set-cookie": self._access.session_cookie()})

    async def _act(self, request: Request) -> Response:
        if not self._access.may_act(request.headers):
            return _refused(403, "this page may only look; open the address with the token that the console printed")
        said = await _body(request)
        if isinstance(said, Response):
            return said
        verb, bench = str(said.get("verb", "")), str(said.get("bench", ""))
        if verb not in VERBS:
            return _refused(400, f"no such verb; there are {', '.join(VERBS)}")
        try:
            VERBS[verb](self._hub, bench, said)
        except (UseError, msgspec.ValidationError) as error:
            return _refused(409, str(error))
        return JSONResponse({"done": verb})


def _start(hub: Hub, bench: str, said: dict[str, Any]) -> None:
    hub.start(bench, msgspec.convert(said.get("order", {}), RunOrder))


def _answer(hub: Hub, bench: str, said: dict[str, Any]) -> None:
    hub.tell(bench, msgspec.convert({"type": "Answer", **_only(said, "number", "text")}, Answer))


def _pace(hub: Hub, bench: str, said: dict[str, Any]) -> None:
    hub.tell(bench, msgspec.convert({"type": "Pace", **_only(said, "factor")}, Pace))


VERBS: dict[str, Callable[[Hub, str, dict[str, Any]], None]] = {
    "emergency_stop": lambda hub, bench, _: hub.emergency_stop(bench, "at the console"),
    "start": _start,
    "pause": lambda hub, bench, _: hub.pause(bench),
    "resume": lambda hub, bench, _: hub.resume(bench),
    "stop": lambda hub, bench, _: hub.stop(bench),
    "pace": _pace,
    "answer": _answer,
}


def _only(said: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: said[name] for name in names if name in said}


async def _body(request: Request) -> dict[str, Any] | Response:
    """A JSON object, or why it is none."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return _refused(415, "send application/json")
    raw = b""
    async for piece in request.stream():
        raw += piece
        if len(raw) > LARGEST:
            return _refused(413, f"more than {LARGEST} bytes")
    try:
        said = json.loads(raw)
    except (ValueError, RecursionError):
        return _refused(400, "that is no JSON")
    return said if isinstance(said, dict) else _refused(400, "that is no JSON object")


def _event(name: str, raw: bytes) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + raw + b"\n\n"


def _refused(status: int, words: str) -> Response:
    return JSONResponse({"error": words}, status)
