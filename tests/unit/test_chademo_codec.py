"""Messages as values: known payloads of the recorded session, ranges, and what is not decoded."""

import math
from pathlib import Path

import pytest

import rig.chademo
from rig.can.frame import Frame
from rig.chademo import codec
from rig.chademo.codec import (
    ChargerDischarge,
    ChargerStatus,
    VehicleDischarge,
    VehicleLimits,
    VehicleStatus,
    VehicleTimes,
    decode,
)
from rig.chademo.dbc import dbc_text
from rig.chademo.messages import DECODED_IDS, FRAMES, SIGNALS, signals_of
from rig.errors import UseError


def frame(text):
    head, *data = text.split()
    return Frame(int(head, 16), bytes.fromhex("".join(data)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("100 00 00 00 00 B3 01 F0 00", VehicleLimits(max_voltage=435, charged_rate_reference=240)),
        (
            "102 02 9A 01 00 00 C8 03 00",
            VehicleStatus(2, 410, unknown_5_6=True, discharge_compatible=True, charged_rate=3),
        ),
        ("109 02 F9 01 00 01 24 FF FF", ChargerStatus(2, 505, 0, True, locked=True, remaining_time_min=15300)),
        ("200 F0 00 00 00 FA 00 43 B2", VehicleDischarge(15, 250, 67, 178)),
        ("208 FF F4 01 F0 00 00 FA 00", ChargerDischarge(0, 500, 15, 250)),
        ("101 00 FF 3C 14 00 DE 00 00", VehicleTimes(2550, 3600, 1200, 222 * 360_000)),
    ],
)
def test_payloads_of_a_leaf_and_its_charger(text, message):
    assert decode(frame(text)) == message
    assert message.encode() == frame(text)


def test_time_stands_in_the_minutes_when_the_ten_seconds_are_full():
    assert VehicleTimes(2550, 3600).max_charge_time == 3600
    assert VehicleTimes(120, 3600).max_charge_time == 120


def test_each_fault_bit_is_a_fault():
    for bit in range(5):
        assert decode(Frame(0x102, bytes([2, 0, 0, 0, 1 << bit, 0, 0, 0]))).fault
    assert not decode(Frame(0x102, bytes([2, 0, 0, 0, 0xE0, 0xFF, 0, 0]))).fault


def test_a_repeated_payload_is_the_same_object_and_the_store_is_bounded(monkeypatch):
    monkeypatch.setattr(codec, "_KNOWN_MAX", 8)
    monkeypatch.setattr(codec, "_KNOWN", {})
    one = decode(Frame(0x100, bytes(8)))
    assert decode(Frame(0x100, bytes(8))) is one
    for n in range(100):
        decode(Frame(0x108, bytes([0, n, 0, 0, 0, 0, 0, 0])))
    assert len(codec._KNOWN) <= 8


@pytest.mark.parametrize("spec", FRAMES, ids=lambda spec: f"{spec.id:03X}")
def test_short_frames_and_raw_frames_decode_to_none(spec):
    assert decode(Frame(spec.id, b"")) is None
    assert decode(Frame(spec.id, bytes(7))) is None
    assert (decode(Frame(spec.id, bytes(8))) is not None) == (spec.id in DECODED_IDS)


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (VehicleDischarge(max_discharge_current=256), "max_discharge_current=256 cannot be sent, give 0 to 255"),
        (VehicleDischarge(max_discharge_current=-1), "max_discharge_current=-1"),
        (VehicleStatus(target_voltage=70000), "target_voltage=70000 cannot be sent, give 0 to 65535"),
        (VehicleStatus(current_request=math.nan), "current_request=nan"),
        (VehicleStatus(charged_rate=50.5), "charged_rate=50.5 cannot be sent, give 0 to 255 as a whole number"),
        (VehicleTimes(rated_capacity=math.inf), "rated_capacity=inf"),
    ],
)
def test_what_the_wire_cannot_hold_is_refused_with_field_and_range(message, words):
    with pytest.raises(UseError) as refused:
        message.encode()
    assert words in str(refused.value)


def test_values_are_rounded_to_the_nearest_count():
    assert decode(VehicleStatus(target_voltage=409.6, current_request=10.4).encode()).target_voltage == 410
    assert decode(VehicleStatus(current_request=10.4).encode()).current_request == 10


def test_signals_of_a_frame_do_not_overlap():
    for spec in FRAMES:
        taken = [bit for s in signals_of(spec.id) for bit in range(s.start, s.start + s.length)]
        assert len(taken) == len(set(taken)), spec.name
        assert all(0 <= bit < 64 for bit in taken)
    assert all(s.source for s in SIGNALS)


def test_the_dbc_file_is_the_table():
    assert (Path(rig.chademo.__file__).parent / "chademo.dbc").read_text() == dbc_text()
