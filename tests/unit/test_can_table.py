"""[can] of a bench file: each interface has its own keys, checked with one line a problem."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig.bench_config import BenchConfig, read_bench
from rig.can.interfaces import Keys
from rig.errors import BenchConfigError

REST = """
[bench]
name = "desk"
profile = "leaf-to-home-6kw"
clock = "real"

[charger]
driver = "panel"
resource = "a"

[vehicle]
driver = "box"
resource = "b"

[battery]
driver = "psu"
resource = "c"
"""
ROLES = {"panel": "charger", "box": "vehicle", "psu": "dc_source"}


def read(folder: Path, can: str) -> BenchConfig:
    path = folder / "bench.toml"
    path.write_text(f"[can]\n{can}\n{REST}")
    return read_bench(path, dict.fromkeys(ROLES, Keys), ROLES)


def test_keys_of_an_interface_get_their_defaults(tmp_path: Path) -> None:
    can = read(tmp_path, 'interface = "slcan"\nchannel = "/dev/ttyACM0"\nsleep_after_open = "500 ms"').can
    assert can.options == {"tty_baudrate": 115_200, "rtscts": False, "sleep_after_open": 0.5}
    can = read(tmp_path, 'interface = "udp_multicast"').can
    assert can.options == {"port": 43_113, "hop_limit": 0}  # frames stay on this machine


def test_keys_of_a_vendor_adapter_are_handed_on_as_they_stand(tmp_path: Path) -> None:
    can = read(tmp_path, 'interface = "pcan"\nchannel = "PCAN_USBBUS1"\nauto_reset = true').can
    assert (can.interface, can.channel, can.options) == ("pcan", "PCAN_USBBUS1", {"auto_reset": True})


@pytest.mark.parametrize(
    ("can", "words"),
    [
        ('interface = "slcan"', r"\[can\]: key 'channel' is missing; slcan needs a serial port"),
        ('interface = "socketcan"', r"\[can\]: key 'channel' is missing; socketcan needs a network interface"),
        (
            'interface = "socketcam"\nchannel = "can0"',
            r":2: \[can\] interface: unknown interface 'socketcam' \(did you",
        ),
        (
            'interface = "slcan"\nchannel = "x"\nty_baudrate = 1000000',
            r":4: \[can\] ty_baudrate: unknown key \(did you mean 'tty_baudrate'\?\)",
        ),
        ('interface = "slcan"\nchannel = "x"\ntty_baudrate = "fast"', r":4: \[can\] tty_baudrate: .*valid integer"),
        (
            'interface = "slcan"\nchannel = "x"\nsleep_after_open = "2 V"',
            r":4: \[can\] sleep_after_open: .*quantity in s",
        ),
        ('interface = "udp_multicast"\nport = 70000', r":3: \[can\] port: .*65535"),
        ('interface = "udp_multicast"\ntty_baudrate = 115200', r":3: \[can\] tty_baudrate: unknown key"),
        ('interface = "socketcan"\nchannel = "can0"\nbitrate = 0', r":4: \[can\] bitrate: .*greater than 0"),
    ],
)
def test_a_wrong_table_is_told_in_one_line(tmp_path: Path, can: str, words: str) -> None:
    with pytest.raises(BenchConfigError, match=words) as caught:
        read(tmp_path, can)
    assert len(caught.value.problems) == 1
