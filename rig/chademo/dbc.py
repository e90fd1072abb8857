"""The message table as a DBC file, for CAN tools. `chademo.dbc` beside this file is what `dbc_text()` gives; a test
compares them, and another holds the codec against the file as cantools reads it.
"""

from __future__ import annotations

from rig.chademo.messages import FRAMES, SIGNALS, FrameSpec, Signal

_NODES = {"vehicle": "EV", "charger": "EVSE"}


def dbc_text() -> str:
    """The whole file. Units are those of the table (V, A, s, min, kWh, %)."""
    blocks = ['VERSION ""', "NS_ :", "BS_:", "BU_: EV EVSE", *(_message(spec) for spec in FRAMES)]
    comments = [*(_comment(signal) for signal in SIGNALS), *(_cycle(spec) for spec in FRAMES)]
    attribute = ['BA_DEF_ BO_ "GenMsgCycleTime" INT 0 65535;', 'BA_DEF_DEF_ "GenMsgCycleTime" 0;']
    return (
        "\n\n".join(blocks) + "\n\n" + "\n".join(comments[: len(SIGNALS)] + attribute + comments[len(SIGNALS) :]) + "\n"
    )


def _message(spec: FrameSpec) -> str:
    signals = [_signal(signal, spec) for signal in SIGNALS if signal.frame == spec.id]
    return "\n".join([f"BO_ {spec.id} {spec.name}: 8 {_NODES[spec.sender]}", *signals])


def _signal(signal: Signal, spec: FrameSpec) -> str:
    ends = sorted(raw * signal.scale + signal.offset for raw in (0, (1 << signal.length) - 1))
    peer = _NODES["charger" if spec.sender == "vehicle" else "vehicle"]
    return (
        f" SG_ {signal.name} : {signal.start}|{signal.length}@1+ ({signal.scale:g},{signal.offset:g}) "
        f'[{ends[0]:.10g}|{ends[1]:.10g}] "{signal.unit}" {peer}'
    )


def _comment(signal: Signal) -> str:
    words = f"since {signal.since}; {signal.confidence}; {signal.source}"
    return f'CM_ SG_ {signal.frame} {signal.name} "{words}";'


def _cycle(spec: FrameSpec) -> str:
    return f'BA_ "GenMsgCycleTime" BO_ {spec.id} 100;'
