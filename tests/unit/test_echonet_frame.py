"""ECHONET Lite frames: the specification's layout, pychonet as an outside witness, and what is no frame."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instruments.echonet_lite import commands as c
from instruments.echonet_lite.frame import (
    HEAD,
    REFUSAL,
    RESPONSE,
    Eoj,
    Esv,
    Frame,
    Prop,
    decode,
    encode,
    property_map,
    read_map,
)

NODE = Eoj(*c.CHARGER, 1)
FRAMES = st.builds(
    Frame,
    st.integers(0, 0xFFFF),
    st.builds(Eoj, *[st.integers(0, 255)] * 3),
    st.builds(Eoj, *[st.integers(0, 255)] * 3),
    st.sampled_from(Esv),
    st.lists(st.builds(Prop, st.integers(0, 255), st.binary(max_size=20)), min_size=1, max_size=8).map(tuple),
)


def test_a_frame_byte_by_byte() -> None:
    request = Frame(0x1234, c.CONTROLLER, NODE, Esv.SET_C, (Prop(0xDA, b"\x42"), Prop(0xEB, (3000).to_bytes(4, "big"))))
    raw = bytes.fromhex("1081 1234 05FF01 027E01 61 02 DA 01 42 EB 04 00000BB8")
    assert encode(request) == raw
    assert decode(raw) == request


@given(FRAMES)
def test_what_is_encoded_is_decoded(frame: Frame) -> None:
    assert decode(encode(frame)) == frame


@given(FRAMES, st.data())
def test_a_frame_cut_short_or_too_long_is_none(frame: Frame, data: st.DataObject) -> None:
    raw = encode(frame)
    with pytest.raises(ValueError, match=r"format|middle|length"):
        decode(raw[: data.draw(st.integers(0, len(raw) - 1))])
    with pytest.raises(ValueError, match="length"):
        decode(raw + b"\0")


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (HEAD.hex() + "0001 05FF01 027E01 62 00", "length"),
        (HEAD.hex() + "0001 05FF01 027E01 99 01 80 00", "service"),
        ("1082 0001 05FF01 027E01 62 01 80 00", "format 1"),
    ],
)
def test_what_is_none_is_told(raw: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        decode(bytes.fromhex(raw))


def test_services_are_numbered_as_the_specification_says() -> None:
    """A response is its request plus 0x10, a refusal minus 0x10."""
    assert all(after == before + 0x10 for before, after in RESPONSE.items())
    assert all(after == before - 0x10 for before, after in REFUSAL.items())


@given(st.frozensets(st.integers(0x80, 0xFF), max_size=128))
def test_a_property_map_holds_what_was_put_in(epcs: frozenset[int]) -> None:
    raw = property_map(sorted(epcs))
    assert read_map(raw) == epcs
    assert raw[0] == len(epcs)


def test_pychonet_reads_what_we_write_and_writes_what_we_read() -> None:
    """Somebody else's controller and its table of the class."""
    lib = pytest.importorskip("pychonet.lib.functions", reason="pychonet is not installed")
    their = pytest.importorskip("pychonet.ElectricVehicleChargerDischarger").ElectricVehicleChargerDischarger
    request = Frame(7, c.CONTROLLER, NODE, Esv.SET_C, (Prop(0xDA, b"\x43"), Prop(0xEC, b"\0\0\x17\x70")))
    ours = encode(request)
    read = lib.decodeEchonetMsg(ours)
    assert (read["TID"], read["SEOJGC"], read["DEOJCC"], read["ESV"]) == (7, 0x05, 0x7E, 0x61)
    assert [(one["EPC"], one["EDT"]) for one in read["OPC"]] == [tuple(one) for one in request.props]
    known = their.EPC_FUNCTIONS
    for row in c.TABLE.values():
        if row.epc >= 0xC0:
            assert row.epc in known, row
    words = known[0xDA][1]
    assert (words[c.CHARGING], words[c.DISCHARGING], words[c.STANDBY]) == ("Charge", "Discharge", "Standby")
    actual = known[0xE1][1]
    assert (actual[c.IDLE], actual[c.PREPARATION]) == ("Idle", "Preparation")
    assert known[0xDB][1][c.INDEPENDENT].startswith("Independent")
    assert known[0xDC][1][c.DESIGNATED_POWER].startswith("Designated electric power")
