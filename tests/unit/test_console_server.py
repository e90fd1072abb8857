"""The console over HTTP: everybody may look, who has the token may act, and nobody else can make a page do it."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from console_run import ConsoleRun

from console.access import Access
from console.bench import BenchFacts
from console.hub import Hub
from console.serve import listen, serve, turning
from console.server import LARGEST, PAGES, VERBS
from rig.cli.console import called_by, loopback
from rig.clock import Stopwatch
from rig.errors import UseError
from rig.live.messages import EmergencyStop, Moment, Stop

LIMIT = 60.0


@dataclass
class Served:
    port: int
    access: Access
    run: ConsoleRun
    hub: Hub

    def ask(
        self, method: str, path: str, body: object = None, **headers: str
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """headers: underscores for dashes; host and origin are those of the page unless given, "" for none."""
        own = {"host": f"127.0.0.1:{self.port}", "origin": f"http://127.0.0.1:{self.port}"}
        own |= {"content-type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT)
        try:
            connection.putrequest(method, path, skip_host=True)
            raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
            for name, value in own.items():
                if value:
                    connection.putheader(name, value)
            connection.putheader("content-length", str(len(raw)))
            connection.endheaders(raw)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def cookie(self) -> str:
        status, headers, _ = self.ask("POST", "/api/token", {"token": self.access.token})
        assert status == 200
        cookie = headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert self.access.token not in cookie
        return cookie.partition(";")[0]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("console")
    facts = BenchFacts("desk", Path("/no/bench.toml"), "leaf", "LEAF", "emulated", "virtual", ())
    hub = Hub([facts], ["transfer_timing"], ["normal"], folder / "live", folder / "evidence")
    run = ConsoleRun(folder / "live", folder / "run")
    at = listen(0)
    port = at.getsockname()[1]
    access, ready, ends = Access(port, ["bench.lab"]), threading.Event(), list[Callable[[], None]]()

    def is_ready(end: Callable[[], None]) -> None:
        ends.append(end)
        ready.set()

    with turning(hub):
        thread = threading.Thread(target=serve, args=(hub, access, at, is_ready))
        thread.start()
        assert ready.wait(LIMIT)
        yield Served(port, access, run, hub)
        ends[0]()
        thread.join(LIMIT)
        assert not thread.is_alive()
    run.close()


def until(true: Callable[[], object]) -> None:
    watch = Stopwatch()
    while not true():
        assert watch.seconds() < LIMIT


def test_everybody_may_look_and_every_answer_has_its_policy(served: Served) -> None:
    for path in (*(f"/{name}" for name in PAGES), "/api/state", "/api/me", "/nowhere"):
        status, headers, raw = served.ask("GET", path, origin="")
        assert status == (404 if path == "/nowhere" else 200), path
        assert raw
        assert "script-src 'self'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
    assert json.loads(served.ask("GET", "/api/me")[2]) == {"acts": False}


def test_a_page_brings_nothing_from_elsewhere_and_sets_text_as_text(served: Served) -> None:
    for name in PAGES:
        text = served.ask("GET", f"/{name}")[2].decode()
        assert "http" not in text.replace("http://www.w3.org/2000/svg", ""), name
        assert not any(word in text for word in ("innerHTML", "insertAdjacentHTML", "document.write", "eval(")), name
        assert " style=" not in text, name


@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", ""])
def test_a_name_that_was_made_to_point_here_is_shown_nothing(served: Served, host: str) -> None:
    status, _, raw = served.ask("GET", "/api/state", host=host.format(port=served.port))
    assert status in (400, 421)
    assert b"desk" not in raw


@pytest.mark.parametrize("host", ["localhost:{port}", "[::1]:{port}", "BENCH.lab:{port}"])
def test_its_own_names_are_known(served: Served, host: str) -> None:
    assert served.ask("GET", "/api/state", host=host.format(port=served.port))[0] == 200


@pytest.mark.parametrize("verb", VERBS)
def test_without_the_token_nothing_acts(served: Served, verb: str) -> None:
    for headers in (
        {},
        {"cookie": f"{served.access.cookie}=guess"},
        {"authorization": "Bearer guess"},
        {"cookie": "\x01;="},
    ):
        status, _, raw = served.ask("POST", "/api/act", {"verb": verb, "bench": "desk"}, **headers)
        assert status == 403
        assert b"may only look" in raw
    assert served.ask("GET", "/api/act")[0] == 405


def test_a_wrong_token_gets_no_cookie(served: Served) -> None:
    for wrong in ("", "guess", served.access.token[:-1], served.access.token + "x", "\u00e9"):
        status, headers, _ = served.ask("POST", "/api/token", {"token": wrong})
        assert status == 403
        assert "set-cookie" not in headers


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "", "http://127.0.0.1:1", "https://127.0.0.1:{port}"]
)
def test_another_page_cannot_act_with_the_cookie(served: Served, origin: str) -> None:
    said = {"verb": "stop", "bench": "desk"}
    status, _, _ = served.ask("POST", "/api/act", said, cookie=served.cookie(), origin=origin.format(port=served.port))
    assert status == 403


def test_with_cookie_or_token_it_acts(served: Served) -> None:
    until(lambda: b'"run":{' in served.ask("GET", "/api/state")[2])
    assert json.loads(served.ask("GET", "/api/me", cookie=served.cookie())[2]) == {"acts": True}
    for headers in ({"cookie": served.cookie()}, {"authorization": f"Bearer {served.access.token}", "origin": ""}):
        assert served.ask("POST", "/api/act", {"verb": "stop", "bench": "desk"}, **headers)[0] == 200
    until(lambda: len(served.run.orders) == 2)
    assert served.ask("POST", "/api/act", {"verb": "emergency_stop", "bench": "desk"}, cookie=served.cookie())[0] == 200
    until(lambda: len(served.run.orders) == 3)
    assert served.run.orders == [Stop(), Stop(), EmergencyStop("at the console")]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400), (b"[]", 400), (b"[" * 9000, 400), (b"x" * (LARGEST + 1), 413), ({"verb": "melt"}, 400),
        ({"verb": "stop", "bench": "else"}, 409), ({"verb": "pace", "bench": "desk", "factor": "quick"}, 409),
        ({"verb": "start", "bench": "desk", "order": {"seed": "x"}}, 409), ({"verb": "start", "order": []}, 409),
        ({"verb": "answer", "bench": "desk", "number": 1, "text": " "}, 409),
    ],
)  # fmt: skip
def test_what_is_malformed_is_refused_in_words(served: Served, body: object, status: int) -> None:
    found, _, raw = served.ask("POST", "/api/act", body, cookie=served.cookie())
    assert found == status, raw
    assert json.loads(raw)["error"]


def test_a_form_of_another_page_is_no_json(served: Served) -> None:
    said = json.dumps({"verb": "stop", "bench": "desk"}).encode()
    assert served.ask("POST", "/api/act", said, cookie=served.cookie(), content_type="text/plain")[0] == 415


def test_a_stream_brings_the_state_and_what_is_new(served: Served) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=LIMIT)
    connection.request("GET", "/api/stream?bench=desk")
    answer = connection.getresponse()
    assert answer.headers["content-type"].startswith("text/event-stream")
    event, data = answer.readline(), answer.readline()
    assert event == b"event: state\n"
    assert json.loads(data.removeprefix(b"data: "))["benches"][0]["name"] == "desk"
    until(served.run.post.wanted.is_set)
    served.run.post.tell(Moment(t=4.5, values={"dc_u": 380.0}))
    found: dict[str, Any] = {}
    while "moments" not in found:
        text = answer.readline()
        found = json.loads(text.removeprefix(b"data: ")) if text.startswith(b"data: ") else {}
    assert found["moments"] == [{"type": "Moment", "t": 4.5, "values": {"dc_u": 380.0}}]
    answer.close()
    connection.close()


def test_the_report_of_a_run_is_served_where_it_cannot_act(served: Served) -> None:
    page = served.run.journal.folder / "report.html"
    assert served.ask("GET", "/report/desk")[0] == 404
    page.write_text("<p>verdicts</p>")
    until(lambda: served.ask("GET", "/report/desk")[0] == 200)  # the hub looks for runs on a thread of its own
    status, headers, raw = served.ask("GET", "/report/desk")
    assert (status, raw) == (200, b"<p>verdicts</p>")
    assert headers["content-security-policy"] == "sandbox allow-scripts"
    page.unlink()
    page.symlink_to("/etc/hostname")
    assert served.ask("GET", "/report/desk")[0] == 404
    page.unlink()


def test_names_and_addresses_of_the_command() -> None:
    assert loopback("127.0.0.1")
    assert loopback("::1")
    assert not loopback("192.0.2.7")
    assert called_by("127.0.0.1", []) == ["127.0.0.1"]
    assert {"192.0.2.7", "bench.lab"} <= set(called_by("192.0.2.7", ["bench.lab"]))
    with pytest.raises(UseError, match="--name"):
        called_by("127.0.0.1", ["http://bench.lab"])
    with listen(0) as taken, pytest.raises(UseError, match="choose another --port"):
        listen(taken.getsockname()[1])
