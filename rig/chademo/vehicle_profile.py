"""What kind of car it is: every figure of the vehicle machine, with its source. Data only; a new car is a new value.

Sources are sections and keys of the CHAdeMO facts (docs/facts/chademo.md): "log A" is the recorded LEAF session
`nissan-leaf-chademo-start-stop.csv`, names in brackets are the public projects listed in the head of the facts.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its unit and where it comes from."""

    value: float
    unit: str
    source: str


@dataclass(frozen=True, slots=True)
class FixedFrame:
    """A frame of the car's whose bytes never change. lead: cycles it is sent for before the others begin."""

    id: int
    data: bytes
    source: str
    lead: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleProfile:
    """One model of car. Replace single figures with dataclasses.replace. Defaults hold for every car seen so far."""

    name: str

    # What it says of itself
    protocol_number: Figure
    target_voltage: Figure
    max_battery_voltage: Figure
    min_battery_voltage: Figure
    min_discharge_voltage: Figure
    min_charge_current: Figure
    capacity: Figure
    max_charging_time: Figure
    status_bit_5_6: Figure
    level_in_energy: Figure
    """1: bytes 200.6/7 are 0.1 kWh (cars without frame 0x201); 0: they are % of the capacity."""
    charge_current: Figure
    """Request the car rises to when the charger offers more."""
    discharge_limit: Figure
    """Limit 200.0 the car rises to."""
    min_discharge_level: Figure
    max_charge_level: Figure

    # Its own protection
    overvoltage: Figure
    undervoltage: Figure
    high_temperature: Figure
    charge_end_voltage: Figure
    v2h: Figure = Figure(
        1.0, "1", "chademo.md 1, 102.5.7: 1, it can be discharged; 0: 102.5.7 is 0 and there is no 0x200"
    )
    taper: Figure = Figure(4.0, "A/V", "project choice: request per V left to the end voltage; stable up to 0.2 ohm")
    full_current: Figure = Figure(2.0, "A", "project choice: full when no more than this may be asked for")
    full_reset: Figure = Figure(6.0, "V", "project choice: asks again this far below the end voltage")

    # Placeholders after waking, counted from the first frame
    levels_known: Figure = Figure(0.7, "s", "chademo.md 5 log A: 200.6/7 valid at 0.731 s")
    battery_known: Figure = Figure(2.1, "s", "chademo.md 5 log A: 101.5-6 and 102.6 valid from the cycle at 2.11 s")
    time_known: Figure = Figure(2.9, "s", "log A: 101.1-2 become FF 3C at 2.913 s")
    placeholder_capacity: Figure = Figure(24.0, "kWh", "log A: 101.5-6 = F0 00 from the second cycle to 2.1 s")

    frames: tuple[FixedFrame, ...] = ()
    """What it sends after 0x200 in each cycle, in this order (chademo.md 0: 110, 201, 700, 202)."""

    # Its own pace
    wake: Figure = Figure(0.5, "s", "project choice: d1 to first frame; the recordings do not show d1")
    permission: Figure = Figure(3.9, "s", "chademo.md 2 step 3: log A, first frame to enable 3.9 s")
    closing: Figure = Figure(1.0, "s", "chademo.md 2 step 7 [CLARA]: typically 1-2 s after d2")
    request: Figure = Figure(1.7, "s", "chademo.md 2 step 8: logs A and B, contactors to first request 1.70 s")
    limit_after_request: Figure = Figure(0.41, "s", "log A: first request 19.040 s, 200.0 leaves 0 A at 19.450 s")
    charger_stop_reaction: Figure = Figure(0.15, "s", "log A: no answer 0.105 s after 109.5.5=1, k off by 0.205 s")
    opening: Figure = Figure(1.9, "s", "log A: inlet voltage falls 1.9-2.0 s after 109.5.0=0")
    weld_confirm: Figure = Figure(0.3, "s", "log A: inlet at 8 V at 49.566 s, 102.5.3=1 at 49.870 s")
    ramp: Figure = Figure(20.0, "A/s", "chademo.md 2 step 10: 2 A per 100 ms, logs A and B exactly")

    # Its patience
    greeting_limit: Figure = Figure(8.0, "s", "chademo.md 2 step 3 [CLARA]: T-time to k and enable 8 s")
    d2_limit: Figure = Figure(20.0, "s", "chademo.md 2 step 6 [CLARA]: C-time enable and k to d2 20 s")
    closing_limit: Figure = Figure(4.0, "s", "chademo.md 2 step 7 [CLARA]: d2 to contactors closed 4 s")
    running_limit: Figure = Figure(
        4.0, "s", "chademo.md 2 step 9 [CLARA readme]: no current in about 4 s, the car faults"
    )
    silence_limit: Figure = Figure(1.0, "s", "chademo.md 2 [JLD][CLARA]: 1 s, ten frames")
    stop_limit: Figure = Figure(2.5, "s", "chademo.md 2 stop: EV waits up to 2.5 s for 5 A or less and 109.5.0=0")
    forced_opening: Figure = Figure(4.0, "s", "project choice: bound after which the contactors open even under load")
    contactor_limit: Figure = Figure(1.0, "s", "project choice: auxiliary contact must follow the command")
    weld_limit: Figure = Figure(10.0, "s", "chademo.md 2 weld check [CLARA]: T-time 109.5.0=0 to 102.5.3=1 10 s")

    # Thresholds
    safe_current: Figure = Figure(5.0, "A", "chademo.md 2 stop, 3 [BE][RS]: contactors only at 5 A or less")
    inlet_dead: Figure = Figure(20.0, "V", "chademo.md 2 step 5 [BE]: below 20 V before the contactors close")
    weld_free: Figure = Figure(10.0, "V", "chademo.md 2 weld check [BE]: 10 V or less")
    deviation_current: Figure = Figure(10.0, "A", "chademo.md 3: 102.4.2, 10 A or more beyond request or limit")
    deviation_time: Figure = Figure(5.0, "s", "chademo.md 3: 102.4.2, for 5 s or more")
    deviation_voltage: Figure = Figure(0.125, "1", "chademo.md 3 [JLD]: 1/8 of the own voltage")
    deviation_count: Figure = Figure(5.0, "1", "chademo.md 3 [JLD]: 5 consecutive")
    deviation_mask: Figure = Figure(10.0, "s", "chademo.md 3 [JLD]: masked for the first 10 s")
    disobeyed_current: Figure = Figure(
        2.0, "A", "project choice: flow above this counts as going on where it is inhibited"
    )
    disobeyed_time: Figure = Figure(
        5.0, "s", "project choice: the charger's own inhibit gets this long before the car stops"
    )


LEAF_ZE0_24KWH = VehicleProfile(
    name="Nissan LEAF 24 kWh (ZE0/AZE0)",
    protocol_number=Figure(2.0, "1", "chademo.md 1 0x102, 5 log A: 102.0 = 02"),
    target_voltage=Figure(410.0, "V", "chademo.md 1 0x102, 4: 410 V; log A 102.1-2 = 9A 01"),
    max_battery_voltage=Figure(435.0, "V", "chademo.md 1 0x100, 4: 435 V; log A 100.4-5 = B3 01"),
    min_battery_voltage=Figure(0.0, "V", "chademo.md 1 0x100: the LEAF sends 0"),
    min_discharge_voltage=Figure(250.0, "V", "chademo.md 1 0x200, 4: 250 V; log A 200.4-5 = FA 00"),
    min_charge_current=Figure(0.0, "A", "chademo.md 1 0x100: LEAF ZE0 = 0"),
    capacity=Figure(22.2, "kWh", "chademo.md 1 0x101: log A 101.5-6 = DE"),
    max_charging_time=Figure(60.0, "min", "log A: 101.1 = FF, 101.2 = 3C"),
    status_bit_5_6=Figure(1.0, "1", "chademo.md 1 0x102 (5.6): set by LEAF ZE0, meaning unknown"),
    level_in_energy=Figure(1.0, "1", "chademo.md 1 0x200 unit rule: a car without 0x201 sends 0.1 kWh"),
    charge_current=Figure(120.0, "A", "project choice after chademo.md 3 [CLARA] issue 33: a ZE0 asked for 124 A"),
    discharge_limit=Figure(30.0, "A", "project choice: the cable limit of the charger, chademo.md 4 (DC in 0-30 A)"),
    min_discharge_level=Figure(0.30, "1", "chademo.md 1 0x200: log A 200.6 = 43, 6.7 of 22.2 kWh = 30 %"),
    max_charge_level=Figure(0.80, "1", "chademo.md 1 0x200: log A 200.7 = B2, 17.8 of 22.2 kWh = 80 %"),
    overvoltage=Figure(405.5, "V", "chademo.md 4 [BE] NISSAN-LEAF pack limits 405.5/240 V"),
    undervoltage=Figure(240.0, "V", "chademo.md 4 [BE] NISSAN-LEAF pack limits 405.5/240 V"),
    high_temperature=Figure(60.0, "degC", "chademo.md 4: charging pauses at 60 C or more (2011 service manual)"),
    charge_end_voltage=Figure(396.0, "V", "chademo.md 4: AZE0 stops at 396 V"),
)
"""The car of log A."""
