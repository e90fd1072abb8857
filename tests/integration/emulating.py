"""`v2hrig emulate` in a process of its own, for the tests beside this file."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

from fixtures.library import find_bench

ENDS_BY_ITSELF = 150
"""s after which an emulator nobody ended is gone."""


class Emulator:
    """`v2hrig emulate` in a process of its own. said: what it printed. mapper: it tries for port 111, which only one
    can have."""

    def __init__(self, *arguments: str, mapper: bool = False) -> None:
        command = [sys.executable, "-m", "rig.cli", "emulate", "--port", "0", "--seconds", str(ENDS_BY_ITSELF)]
        command += [] if mapper else ["--no-port-mapper"]
        self.process = subprocess.Popen(
            [*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.said: list[str] = []

    def ready(self) -> None:
        """It serves. Ends at the latest when the process does."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line)
            if "serving in real time" in line:
                return
        raise AssertionError("".join(self.said))

    def interrupt(self, with_signal: signal.Signals = signal.SIGINT) -> int:
        """Ctrl-C, and its exit code."""
        self.process.send_signal(with_signal)
        rest, _ = self.process.communicate(timeout=60)
        self.said.append(rest)
        return self.process.returncode

    def end(self) -> None:
        """Away with it, whatever it does."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
        if self.process.stdout is not None:
            self.process.stdout.close()


def bench_on(folder: Path, can: str) -> Path:
    """The served bench with another [can] table."""
    head, _, rest = find_bench("served").read_text().partition("[can]")
    bench = folder / "bench.toml"
    bench.write_text(f"{head}[can]\n{can}\n\n[car]{rest.partition('[car]')[2]}")
    return bench


def free_port() -> int:
    """A UDP port nobody has."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("", 0))
        return int(one.getsockname()[1])


def multicast() -> str:
    """Why frames cannot be sent by multicast here; empty when they can."""
    group = "239.74.163.2"
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            one.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 0)
            one.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(group) + bytes(4))
            one.sendto(b"", (group, free_port()))
    except OSError as error:
        return f"no multicast on this machine: {error}"
    return ""
