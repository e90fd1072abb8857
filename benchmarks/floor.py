"""The floor of an emulated hour: the frames of a V2H session handed between two bare nodes and nothing else.

Same clock, same bus, same eight frames every 100 ms (facts: chademo.md section 0), constant payloads, no machine, no
plant, no monitor, no record. Whatever the rig adds shows as the ratio to this.
"""

from __future__ import annotations

from rig.can.bus import BusPort, VirtualBus
from rig.can.frame import Frame
from rig.clock import Stopwatch, VirtualClock

EV = (0x100, 0x101, 0x102, 0x200)
EVSE = (0x108, 0x109, 0x208, 0x209)


def bare_exchange(bench_seconds: float) -> tuple[float, int]:
    """Wall seconds and frames delivered for so much bench time."""
    clock = VirtualClock()
    bus = VirtualBus(clock)
    count = 0

    def hear(_at: float, _frame: Frame) -> None:
        nonlocal count
        count += 1

    def cycle(port: BusPort, frame: Frame, start: float) -> None:
        clock.at(start, lambda: clock.every(0.1, lambda: port.send(frame)))

    ev, evse = bus.attach("ev", hear), bus.attach("evse", hear)
    for place, number in enumerate(EV):
        cycle(ev, Frame(number, bytes(8)), 0.010 * place)
    for number in EVSE:
        cycle(evse, Frame(number, bytes(8)), 0.065)
    watch = Stopwatch()
    clock.sleep(bench_seconds)
    return watch.seconds(), count
