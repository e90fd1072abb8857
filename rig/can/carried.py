"""A python-can bus in a process of its own (rig/can/carrier.py), with the face of one that is here.

It is to rig.can.hardware what a SocketCAN bus is: cyclic frames are kept elsewhere, and come back as frames of this
machine, stamped. What goes wrong there is told here, on the thread that receives.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping

import can
from can.broadcastmanager import ModifiableCyclicTaskABC

from rig.can.carrier import (
    BEAT,
    BEGIN,
    BUFFER,
    END,
    ENDED,
    FAILED,
    HEARD,
    LEFT,
    OPENED,
    POLL,
    RECORD,
    REFUSED,
    SAY,
    SEND,
    record,
)
from rig.can.frame import Frame
from rig.can.python_can import data_frame, message_of
from rig.clock import Stopwatch

PROGRAM = ("-m", "rig.can.carrier")
OPENS = 60.0
"""s an adapter may take to be opened (project choice: a slcan adapter restarts, and may be told to wait 30 s)."""
ENDS = 5.0
"""s the process has to end (project choice)."""
GONE = "the process that keeps the bus in time has ended; open the bench again"


class CarriedBus:
    """One bus. refused: told that a frame could not be sent; ended: the id of a cycle that was ended there, since
    nothing was heard from here. can.CanError or OSError when it cannot be opened."""

    def __init__(
        self,
        arguments: Mapping[str, object],
        echoes: bool,
        stamps: bool,
        refused: Callable[[str], None],
        ended: Callable[[int], None],
    ) -> None:
        self._refused, self._ended = refused, ended
        self._telling = threading.Lock()
        self._watch, self._beat = Stopwatch(), 0.0
        self._rest = b""
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, *PROGRAM, str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C in the terminal is for the rig
                cwd="/",
                env={**os.environ, "PYTHONPATH": os.pathsep.join(one for one in sys.path if one)},
            )
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
        try:
            self._socket.sendall(
                json.dumps({"arguments": arguments, "echoes": echoes, "stamps": stamps}).encode() + b"\n"
            )
            self._socket.settimeout(OPENS)
            kind, _, number = self._record()
            if kind != OPENED:
                raise can.CanInitializationError(self._text(number))
        except BaseException:
            self.shutdown()
            raise

    def send(self, message: can.Message) -> None:
        """Once, now. What cannot be sent is told to `refused`."""
        self._tell(record(SEND, _frame(message)))

    def send_periodic(self, message: can.Message, period: float) -> CarriedCycle:
        """Every period, s, from now on."""
        self._tell(record(BEGIN, _frame(message), period))
        return CarriedCycle(message, period, self._tell)

    def recv(self, timeout: float) -> can.Message | None:
        """The next frame, from the wire or (is_rx False) one of a cycle that left. None after timeout, s."""
        now = self._watch.seconds()
        if now - self._beat > POLL:
            self._beat = now
            self._tell(record(BEAT))
        self._socket.settimeout(timeout)
        try:
            kind, frame, number = self._record()
        except TimeoutError:
            return None
        if kind == REFUSED:
            self._refused(self._text(number))
        elif kind == FAILED:
            raise can.CanOperationError(self._text(number))
        elif kind == ENDED:
            self._ended(frame.id)
        elif kind in (HEARD, LEFT):
            message = message_of(frame)
            message.timestamp, message.is_rx = number, kind == HEARD
            return message
        return None

    def shutdown(self) -> None:
        """End the process. Idempotent."""
        self._socket.close()
        try:
            self._process.wait(ENDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _tell(self, data: bytes) -> None:
        with self._telling:
            try:
                self._socket.sendall(data)
            except OSError as error:
                raise can.CanOperationError(GONE) from error

    def _record(self) -> tuple[int, Frame, float]:
        kind, length, number, body, value = RECORD.unpack(self._bytes(RECORD.size))
        return kind, Frame(number, body[:length]), value

    def _text(self, length: float) -> str:
        self._socket.settimeout(ENDS)
        return self._bytes(int(length)).decode("utf-8", "replace")

    def _bytes(self, count: int) -> bytes:
        """So many. What has come of them stays when the time is over."""
        while len(self._rest) < count:
            try:
                came = self._socket.recv(65536)
            except TimeoutError:
                raise
            except OSError as error:
                raise can.CanOperationError(GONE) from error
            if not came:
                raise can.CanOperationError(GONE)
            self._rest += came
        taken, self._rest = self._rest[:count], self._rest[count:]
        return taken


class CarriedCycle(ModifiableCyclicTaskABC):
    """A cycle that is kept there."""

    def __init__(self, message: can.Message, period: float, tell: Callable[[bytes], None]) -> None:
        super().__init__(message, period)
        self._tell, self._frame = tell, _frame(message)

    def modify_data(self, messages: can.Message) -> None:  # type: ignore[override]
        """Other bytes from its next sending on."""
        self._frame = _frame(messages)
        self._tell(record(SAY, self._frame))

    def stop(self) -> None:
        """No more of it. A process that is gone keeps none."""
        with contextlib.suppress(can.CanError):
            self._tell(record(END, self._frame))


def _frame(message: can.Message) -> Frame:
    frame = data_frame(message)
    assert frame is not None  # made from one
    return frame
