"""The codec against cantools reading our DBC file: two readings of the same bytes, in both directions."""

from dataclasses import asdict
from pathlib import Path

import cantools
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rig.chademo
from rig.can.frame import Frame
from rig.chademo.codec import decode
from rig.chademo.messages import FRAMES, signals_of

DBC = cantools.database.load_file(Path(rig.chademo.__file__).parent / "chademo.dbc")
DECODED = [spec for spec in FRAMES if spec.decoded]
by_frame = pytest.mark.parametrize("spec", DECODED, ids=lambda spec: f"{spec.id:03X}")


@by_frame
@given(data=st.binary(min_size=8, max_size=8))
def test_decode_reads_what_cantools_reads(spec, data):
    ours = asdict(decode(Frame(spec.id, data)))
    theirs = DBC.decode_message(spec.id, data)
    assert len(ours) == len(theirs) == len(signals_of(spec.id))
    for signal in signals_of(spec.id):
        assert ours[signal.field] == pytest.approx(float(theirs[signal.name]) * signal.si, rel=1e-12), signal.name


@by_frame
@given(data=st.binary(min_size=8, max_size=8))
def test_encode_writes_what_cantools_writes(spec, data):
    message = decode(Frame(spec.id, data))
    values = asdict(message)
    theirs = DBC.encode_message(
        spec.id, {signal.name: round(values[signal.field] / signal.si, 6) for signal in signals_of(spec.id)}
    )
    assert message.encode() == Frame(spec.id, theirs)
    assert decode(message.encode()) == message
