"""Planted defects of what only some devices have: a meter, support of the mains, a transfer by hand. Data only."""

from __future__ import annotations

import math
from dataclasses import replace

from instruments.evps.defect import Defect

METERED = "needs a device with a meter of its own: caught with --bench v2g"

ALL = (
    Defect(
        "meter-reads-low",
        "its meter shows only so much of the power from the mains",
        ("EMS-001",),
        0.8,
        "1",
        lambda b, share: replace(b, meter_gain=share),
        least=0.01,
        most=1.0,
        nil=1.0,
        beyond=METERED,
    ),
    Defect(
        "meter-looks-rarely",
        "looks at its meter every so many s, and has no reverse-power relay",
        ("PWR-015", "EMS-001"),
        15.0,
        "s",
        lambda b, s: replace(b, meter_period=s, reverse_trip=math.inf),
        least=0.05,
        most=600.0,
        nil=0.05,
        beyond=METERED,
    ),
    Defect(
        "meter-the-wrong-way-round",
        "its current transformer is clamped the wrong way round: import reads as export",
        ("EMS-001", "EMS-002"),
        1.0,
        "1",
        lambda b, gain: replace(b, meter_gain=-gain, reverse_trip=math.inf),
        most=1.0,
        beyond=METERED,
    ),
    Defect(
        "supports-too-little",
        "takes back only so much of what a mains too fast or too high asks for",
        ("EMS-004", "EMS-005"),
        0.3,
        "1",
        lambda b, share: replace(b, support_gain=share),
        most=1.0,
        nil=1.0,
        beyond="needs a device that supports the mains: caught with --bench v2g",
    ),
    Defect(
        "moves-by-itself",
        "moves the house when the mains goes or comes although nobody has asked",
        ("XFR-017",),
        1.0,
        "1",
        lambda b, _: replace(b, moves_by_itself=True),
        beyond="needs a device whose transfer is by hand: caught with --bench manual-transfer",
    ),
)
