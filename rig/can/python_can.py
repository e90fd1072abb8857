"""Frames as python-can has them, and a cycle kept by one of its threads."""

from __future__ import annotations

import threading
from collections.abc import Callable

import can
from can.broadcastmanager import ThreadBasedCyclicSendTask

from rig.can.frame import EXTENDED, Frame


def message_of(frame: Frame) -> can.Message:
    """As python-can has it."""
    extended = bool(frame.id & EXTENDED)
    return can.Message(arbitration_id=frame.id & ~EXTENDED, data=frame.data, is_extended_id=extended)


def data_frame(message: can.Message) -> Frame | None:
    """What a node hears of it; None for what is no data frame of a classic bus: remote, error and FD frames, and what
    an adapter hands on that no wire carries."""
    if message.is_remote_frame or message.is_error_frame or message.is_fd:
        return None
    fits = len(message.data) <= 8 and 0 <= message.arbitration_id < (0x2000_0000 if message.is_extended_id else 0x800)
    return (
        Frame(message.arbitration_id | (EXTENDED if message.is_extended_id else 0), bytes(message.data))
        if fits
        else None
    )


def thread_cycle(
    bus: can.BusABC,
    lock: threading.Lock,
    message: can.Message,
    period: float,
    failed: Callable[[Exception], bool],
    leaves: Callable[[can.Message], None],
) -> ThreadBasedCyclicSendTask:
    """A cycle kept by a thread of python-can's. leaves: told on that thread, just before a frame goes out."""
    task = ThreadBasedCyclicSendTask(
        bus, lock, message, period, autostart=False, on_error=failed, modifier_callback=leaves
    )
    task.start()
    return task
