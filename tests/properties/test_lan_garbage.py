"""Whatever bytes come on a served transport: the server never falls, and how they are cut changes nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.clock import RealClock
from rig.visa import hislip as h
from rig.visa import portmap, rpc, vxi11
from rig.visa.hislip_server import HislipServer
from rig.visa.servers import _Raw
from rig.visa.vxi11 import Vxi11Server

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from lan_bench import Far, instrument

CLOCK = RealClock()
MESSAGES = st.builds(
    h.Message,
    kind=st.integers(0, 255),
    control=st.integers(0, 255),
    parameter=st.one_of(st.integers(0, 3), st.integers(0, 2**32 - 1)),
    payload=st.binary(max_size=40),
)
CALLS = st.builds(
    lambda program, version, procedure, body: rpc.marked(
        rpc.words(1, rpc.CALL, 2, program, version, procedure, 0, 0, 0, 0) + body
    ),
    st.sampled_from((vxi11.CORE, vxi11.ASYNC, portmap.PROGRAM, 5)),
    st.integers(1, 2),
    st.integers(0, 30),
    st.one_of(
        st.binary(max_size=60),
        st.lists(st.integers(0, 300), max_size=9).map(lambda numbers: rpc.words(*numbers)),
        st.just(rpc.words(1, 0, 0) + rpc.opaque(b"inst0")),
    ),
)
STREAM = st.lists(st.one_of(MESSAGES.map(h.encode), CALLS, st.binary(max_size=60)), max_size=12).map(b"".join)


def raw(far: Far) -> Any:
    return _Raw(instrument(CLOCK)[0], False, far)


def hislip(far: Far) -> Any:
    return HislipServer({"hislip0": instrument(CLOCK)[0]}).connect(far)


def opened_hislip(far: Far) -> Any:
    server = HislipServer({"hislip0": instrument(CLOCK)[0]})
    first, second = server.connect(far), server.connect(Far())
    first.feed(h.encode(h.Message(h.Kind.INITIALIZE, 0, 0x0100_0000)))
    second.feed(h.encode(h.Message(h.Kind.ASYNC_INITIALIZE, 0, 1)))
    return first


def core(far: Far) -> Any:
    service = Vxi11Server({"inst0": instrument(CLOCK)[0]}).connect(far)
    service.feed(
        rpc.marked(rpc.words(1, 0, 2, vxi11.CORE, 1, vxi11.CREATE_LINK, 0, 0, 0, 0, 1, 0, 0) + rpc.opaque(b"inst0"))
    )
    return service


@pytest.mark.parametrize("connect", [raw, hislip, opened_hislip, core])
@settings(deadline=None, max_examples=60)
@given(data=STREAM, cuts=st.lists(st.integers(1, 50), max_size=20))
def test_garbage_is_refused_or_survived(connect: Callable[[Far], Any], data: bytes, cuts: list[int]) -> None:
    far = Far()
    service = connect(far)
    at = 0
    with suppress(ValueError):  # the streams hang up on whoever sends that
        for cut in [*cuts, len(data)]:
            service.feed(data[at : at + cut])
            at += cut
    service.lost()
    service = connect(far := Far())
    assert far.open  # the next client finds everything in order


@given(messages=st.lists(MESSAGES, max_size=6), cuts=st.lists(st.integers(1, 40), max_size=20))
def test_hislip_messages_survive_any_cutting(messages: list[h.Message], cuts: list[int]) -> None:
    data, decoder, found = b"".join(map(h.encode, messages)), h.Decoder(), []
    at = 0
    for cut in [*cuts, len(data) + 1]:
        found += decoder.feed(data[at : at + cut])
        at += cut
    assert found == messages


@given(records=st.lists(st.binary(max_size=50), max_size=6), cuts=st.lists(st.integers(1, 40), max_size=20))
def test_rpc_records_survive_any_cutting(records: list[bytes], cuts: list[int]) -> None:
    data, decoder, found = b"".join(map(rpc.marked, records)), rpc.Records(), []
    at = 0
    for cut in [*cuts, len(data) + 1]:
        found += decoder.feed(data[at : at + cut])
        at += cut
    assert found == records


@given(data=st.binary(max_size=100))
def test_a_datagram_of_garbage_has_no_answer_or_one(data: bytes) -> None:
    answer = portmap.datagram(portmap.port_mapper({(vxi11.CORE, 1): 1}))(data)
    assert answer is None or len(answer) >= 12
