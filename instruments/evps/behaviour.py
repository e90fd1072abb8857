"""How the charger behaves: every number of its controller and PCS, with its source. Data only.

A good charger is `Behaviour()` with the ratings of its options; a defective one is the same with a few of these figures
moved (defects.py). No code asks whether a defect is planted. SI units; currents and limits are positive numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from instruments.evps.grid_codes import CODES, GridCode


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """Figures of one charger."""

    # -- ratings (options of the bench part)
    dc_current: float = 30.0
    """A either way (chademo.md 4 [NICH])."""
    dc_voltage: float = 450.0
    """V offered in 108.1-2 (chademo.md 4 [NICH])."""
    dc_voltage_min: float = 170.0
    """V of 208.6-7, below which it does not discharge (chademo.md 1 0x208: seen 170 and 250)."""
    power: float = 6000.0
    """W at the AC side, either way (chademo.md 4 [NICH])."""
    u_nominal: float = 100.0
    """V rms of a leg (chademo.md 4 [NICH])."""
    f_nominal: float = 50.0
    """Hz (chademo.md 4 [NICH])."""
    legs: int = 2
    """Legs of the service (chademo.md 4 [NICH])."""

    # -- handshake
    protocol: int = 2
    """109.0 (chademo.md 5 log A)."""
    sequence: int = 2
    """209.0 (chademo.md 5 log A)."""
    first_frame: float = 0.06
    """s from the first frame of the car to our first (chademo.md 0: A 65 ms)."""
    cycle: float = 0.100
    """s (chademo.md 0)."""
    permission_limit: float = 8.0
    """s from d1 to k and 102.5.0 (chademo.md 2 step 3 [CLARA])."""
    inconsistent_limit: float = 0.5
    """s 102.5.0 may be 1 while k is off (chademo.md 2 step 3 [BE]; the time is a project choice)."""
    lock_delay: float = 0.5
    """s the lock's motor runs (project choice)."""
    dead_before: float = 20.0
    """V the output must be below before the test (chademo.md 2 step 5 [BE])."""
    insulation_test: bool = True
    """It tests the insulation before each session (chademo.md 2 step 5)."""
    test_voltage: float = 500.0
    """V (chademo.md 2 step 5: about 500 V)."""
    test_hold: float = 1.0
    """s at the test voltage before it is judged (chademo.md 2 step 5: 1 to 4 s in all)."""
    test_limit: float = 6.0
    """s for the test (project choice)."""
    insulation_per_volt: float = 100.0
    """ohm/V of dc_voltage that must at least be there (standards.md CHA-020)."""
    insulation_period: float = 2.0
    """s between two looks of the monitor while power flows (project choice; standards.md BAT-008 wants 10 s)."""
    bled: float = 10.0
    """V down to which the output is discharged (chademo.md 2 step 5 and weld check)."""
    contactor_limit: float = 4.0
    """s from d2 to the closed contactors of the car (chademo.md 2 step 7 [CLARA])."""
    match: float = 8.0
    """V the own contactor may close onto (chademo.md 2 step 8; project choice below the 20 V of [BE])."""
    contactor_move: float = 0.05
    """s after which the own contactor has moved for certain (project choice: twice its operating time)."""
    request_limit: float = 4.0
    """s from closed contactors to the first request (chademo.md 2 step 8)."""

    needs_plug: bool = True
    """It calls no car before a plug is in (chademo.md 2 step 1)."""
    needs_start: bool = True
    """It calls no car before start is pressed (chademo.md 2 step 1)."""
    checks_v2h: bool = True
    """It looks at 102.5.7 before it takes a car for one that can be discharged (chademo.md 2 step 2)."""
    discharge_frames: bool = True
    """It sends 208 and 209 (chademo.md 1 0x109: it must, since it sets 109.4.0)."""
    start_late: float = 0.0
    """s from the first request until it shows 109.5.0 = 1."""
    resumes: bool = False
    """After a blackout it begins a session anew by itself."""
    discharge_overstated: float = 0.0
    """A more than it can take, said in 208.3."""
    checks_target: bool = True
    """It compares 102.1-2 with 108.1-2 (chademo.md 2 step 2)."""
    trusts_flag: bool = False
    """It takes 102.5.3 = 0 for closed contactors, whatever the voltage at the connector."""
    serves: int | None = None
    """The one protocol number it serves; None: every one."""
    awaits_request: bool = True
    """Power waits for the car's first wish (chademo.md 2 step 9)."""
    swaps_level_unit: bool = False
    """It takes the levels of 0x200 in the other of their two units."""
    any_frame: bool = False
    """It takes frames that are too short, or have 29-bit identifiers, for the car's."""

    # -- power
    ramp_up: float = 40.0
    """A/s (chademo.md 2 step 10 [CLARA]; the car's own 20 A/s is what is followed)."""
    ramp_down: float = 150.0
    """A/s of every reduction (standards.md CHA-004: 100 A/s or more)."""
    current_lag: float = 0.100
    """s of the power stage, which the controller makes up for (chademo.md 2 step 10: about 100 ms)."""
    look: float = 0.010
    """s between two steps of a ramp (project choice)."""
    near: float = 0.05
    """A within which a current has arrived (project choice)."""
    limit_margin: float = 0.6
    """A kept below the car's discharge limit (project choice: 2 % of 30 A, a usual sensor over temperature)."""
    limit_over: float = 0.0
    """A it discharges above the car's limit."""
    limit_ignored: bool = False
    """It does not look at the car's discharge limit at all."""
    limit_late: float = 0.0
    """s after which a lowered limit of the car takes effect."""
    limit_masked: bool = True
    """A limit 200.0 that does not start at 0 A counts as 0 until the car changes it (chademo.md 1 0x200)."""
    limit_raw: bool = False
    """It reads 200.0 without 255 minus."""
    current_over: float = 0.0
    """A it charges above the car's request."""
    efficiency: float = 0.92
    """First guess, corrected by what it measures (project choice)."""
    efficiency_weight: float = 0.3
    """Weight of a new measurement of it (project choice)."""
    power_band: float = 0.03
    """A a set-point must move before the stage is told (project choice)."""
    derating: float = 1.0
    """Fraction of its power it can really give."""
    overloads: tuple[tuple[float, float], ...] = ((1.05, 31.0), (1.25, 0.2))
    """(fraction of rated power, s) it carries when forming (standards.md PWR-008, PWR-009 [HUA-H]: 30 s and 0.2 s; the
    longer with a second to spare, so that it is never less)."""
    starved: float = 0.85
    """Fraction of nominal below which a formed bus counts as overloaded, too (project choice)."""

    power_late: float = 0.0
    """s after which a new power set-point takes effect."""
    power_sense: float = 1.0
    """Factor on the AC power it measures."""
    meter_period: float = 0.05
    """s between two looks at its meter at the mains connection, and at what the mains wants of it (project choice)."""
    meter_gain: float = 1.0
    """Factor on the power its meter shows."""
    meter_margin: float = 0.01
    """Of rated power, kept inside the bounds it is to keep at the meter (project choice: a usual meter of class 1)."""
    reverse_share: float = 0.05
    """Of rated power fed into the mains that counts as reverse (standards.md PWR-015)."""
    reverse_trip: float = 0.3
    """s of it after which the gates are blocked (standards.md PWR-015: 0.5 s, less what blocking takes)."""
    reverse_hold: float = 10.0
    """s it then stays so (project choice)."""
    supports: bool = False
    """It gives less power to a mains that is too fast or too high (grid_codes.py)."""
    support_gain: float = 1.0
    """Factor on what it takes back for such a mains."""
    rest_limit: float = math.inf
    """s without current after which it ends the session."""

    # -- power stage (what differs from the circuit's usual one)
    droop: float | None = None
    """Fraction of voltage lost at rated leg power when forming; None: as the stage's."""
    weak_leg: float = 0.0
    """Fraction of its voltage that leg L2 loses at rated power beside that."""
    form_level: float = 1.0
    """Fraction of nominal voltage it forms."""
    form_df: float = 0.0
    """Hz it forms beside nominal."""
    soft_start: float | None = None
    """s of voltage ramp when forming begins; None: as the stage's."""
    extra_loss: float = 0.0
    """W lost beside the usual."""
    part_loss: float = 0.0
    """W lost at no load that fade to nothing at rated power."""

    # -- reports
    echoes_target: bool = False
    """It shows 102.1-2 in 109.1-2."""
    voltage_report_offset: float = 0.0
    """V added to 109.1-2."""
    current_report_gain: float = 1.0
    """Factor on 109.3 and 208.0."""

    # -- inhibits
    level_hysteresis: float = 0.02
    """Fraction of charge before an inhibited direction is allowed again (standards.md BAT-004: no oscillation)."""
    level_below: float = 0.0
    """Fraction of charge it goes on discharging below the car's minimum."""
    voltage_margin: float = 5.0
    """V above the lowest discharge voltage at which it stops (standards.md CHA-017: before V < V_min)."""
    voltage_hysteresis: float = 15.0
    """V (project choice: above what 30 A make over a pack's resistance)."""
    voltage_near: float = 15.0
    """V above a voltage limit within which it looks every `look` (project choice)."""
    target_margin: float = 2.0
    """V below the target voltage at which it stops charging (project choice: error of its own voltage sensor, 0.5 % of
    400 V, so that the target is never passed; standards.md BAT-005)."""
    target_hysteresis: float = 5.0
    """V below the target voltage before it charges again (project choice)."""

    inhibit_ends: bool = False
    """It ends the session where it should inhibit one direction."""

    # -- stop
    stop_before_always: bool = False
    """It takes 102.5.4 for a stop after the first request as well."""
    ignored: frozenset[str] = frozenset()
    """Names of stop causes and inhibits it does not look at (stops.py, inhibits.py)."""
    late: tuple[tuple[str, float], ...] = ()
    """(name of a stop cause, s it must hold before it counts)."""
    silence: float = 1.0
    """s without a frame the car has sent before (chademo.md 2 [JLD][CLARA])."""
    watched: frozenset[int] = frozenset({0x100, 0x101, 0x102, 0x200, 0x201})
    """Frames whose loss counts (chademo.md 2, safety times: stop on loss of CAN; all are cyclic, section 0)."""
    release_current: float = 0.0
    """A to which a stop must have come for d2 to go already; 0: d2 goes when the session is over."""
    open_current: float = 1.0
    """A at and below which 109.5.0 goes to 0 and contactors open (project choice well below the 5 A of chademo.md 3
    [BE][RS] and 1 0x109)."""
    still: float = 0.1
    """s the current must have been so low (project choice: one cycle, so that the car has heard of it)."""
    stop_limit: float = 1.0
    """s for the current to fall before the gates are blocked (chademo.md 2 stop: 0.5 s for 5 A)."""
    weld_limit: float = 10.0
    """s from 109.5.0=0 to 102.5.3=1 (chademo.md 2 weld check: T-time)."""
    weld_wait_old: float = 4.0
    """s d1 and d2 stay for a car of protocol 0.9 (chademo.md 2 weld check)."""
    d1_after_d2: float = 0.6
    """s (chademo.md 2: 0.5 s later; a little more, so that it is never less)."""
    unlock_delay: float = 0.12
    """s from 109.5.2 = 0 to the open lock: one cycle, so that it never says locked when it is not."""
    release_limit: float = 10.0
    """s for the output to be dead before it counts as welded (project choice)."""
    relocks: float = 0.0
    """s after a session's end at which it locks the plug once more; 0: never."""
    last_frames: float = 0.4
    """s it goes on sending after the unlock (chademo.md 5: log A still sends 109.5 = 20)."""
    locks: bool = True
    """It locks the plug before anything is put on the output (chademo.md 2 step 4)."""
    unlocks_live: bool = False
    """It unlocks whatever the voltage of the output."""
    bleeds: bool = True
    """It discharges its output when the session is over (chademo.md 2 weld check)."""
    shows_stop: bool = True
    """It sets 109.5.5 when it stops (chademo.md 2 stop)."""
    awaits_weld_check: bool = True
    """It leaves d2 until the car has tested its contactors (chademo.md 2 weld check)."""
    fault_fades: float = math.inf
    """s after which a latched fault is forgotten by itself."""
    d2_at_once: bool = False
    """At a blackout it cuts d2 before the current is 0."""

    # -- PCS
    mains: bool = True
    """It is wired to a mains; otherwise a portable station with outlets of its own."""
    transfers: bool = True
    """It has a PCS that can transfer."""
    moves_by_itself: bool = False
    """It moves the house when the mains goes or comes although its transfer is set to be by hand."""
    loss_deviation: float = 0.5
    """Fraction of the peak the wave must be off for the fast detection (a sag to 0.5 and above is ridden through:
    standards.md XFR-014)."""
    loss_confirm: float = 0.001
    """s it must be so (project choice)."""
    dead_time: float = 0.003
    """s from the auxiliary contact's first sign that the contact is open to the command to form: its bounce is over,
    and so is the arc (project choice; standards.md XFR-010 wants no overlap)."""
    transfer_late: float = 0.0
    """s more than that."""
    coil_late: float = 0.0
    """s for which it forms before it tells the contact to open."""
    form_before_open: bool = False
    """It forms without waiting for the contact to open."""
    grid_code: GridCode = CODES["jeac-9701"]
    """When it leaves the mains it feeds, and how it comes back (grid_codes.py)."""
    good_voltage: tuple[float, float] = (0.917, 1.05)
    """Fractions of nominal the mains must be within to come back (standards.md GRD-010)."""
    good_frequency: tuple[float, float] = (-0.3, 0.1)
    """Hz off nominal it must be within (standards.md GRD-010 and XFR-008, the tighter of both)."""
    retransfer_delay: float = 5.0
    """s the mains must have been good (profile, declared; standards.md XFR-006)."""
    delay_restarts: bool = True
    """A dip within the delay starts it anew (standards.md XFR-006)."""
    sync_df: float = 0.3
    """Hz (standards.md XFR-008)."""
    sync_dv: float = 0.08
    """Fraction of nominal (standards.md XFR-008: 0.10, less the error of its sensors)."""
    sync_dphi: float = 3.0
    """degrees (standards.md XFR-008: 20; the stage drifts into step, so there is no need to take more)."""
    synchronises: bool = True
    """The stage drifts into step with a mains that is back."""
    sync_look: float = 0.02
    """s between two comparisons of the waves (project choice: one cycle)."""
    break_before_make: float = 0.001
    """s the stage stops forming before the contact touches (project choice)."""
    contact_operate: float = 0.008
    """s from coil to contact of the PCS main contact, as measured by its maker."""
