"""A small charger of one's own for the rig: charges and discharges beside the mains, and nothing else.

It shows the whole of the interface (rig/own_charger.py) in one state machine that is looked at every 10 ms: a session
from the pressed button to the unlocked connector, current along a ramp, and the ways a car ends it. It has no PCS to
speak of: it never feeds a house whose mains is gone, and says so by ending the session.

    [charger]
    driver = "evps"
    resource = "emulated"
    emulator = "small_charger:SmallCharger"
"""

from __future__ import annotations

from rig.can.frame import Frame
from rig.chademo.codec import (
    ChargerCapability,
    ChargerDischarge,
    ChargerDischargeTime,
    ChargerStatus,
    VehicleDischarge,
    VehicleLimits,
    VehicleStatus,
    VehicleTimes,
    decode,
)
from rig.own_charger import Terminals
from rig.plant.ports import StageCommand, StageMode
from rig.roles import ChargerMode, ChargerState

TICK, CYCLE = 0.010, 0.100
"""s between two looks; s between two sets of frames."""
MOST_VOLTS, MOST_AMPERES, MOST_WATTS = 450.0, 15.0, 3000.0
LEAST_VOLTS = 200.0
"""V below which it does not discharge."""
EFFICIENCY = 0.93
LONGEST = 255 * 60.0
"""s the remaining time can say."""
RAMP_UP, RAMP_DOWN = 40.0, 150.0
"""A/s."""
LAG = 0.100
"""s of its power stage: a ramp is led by it."""
MARGIN = 0.6
"""A kept below the car's discharge limit."""
NEAR = 4.0
"""V above the lower of both floors at which it takes no more."""
TEST_VOLTS = 500.0
LEAST_INSULATION = 100.0 * MOST_VOLTS
"""ohm."""
D1_AFTER_D2 = 0.6
"""s."""
BLED = 10.0
"""V the output is discharged to before a contactor or the lock moves."""


class SmallCharger:
    """Buttons, display and state machine."""

    interface = 1

    def __init__(self, terminals: Terminals) -> None:
        self._t = terminals
        self._phase, self._since, self._fault = "idle", 0.0, ""
        self._mode: ChargerMode = "standby"
        self._power, self._wanted, self._ending = MOST_WATTS, False, False
        self._flowing = self._locked = self._stopping = False
        self._spoken = -1.0
        """s at which the car was heard first in this session; below 0: not yet."""
        self._forget()
        self._phases = {
            "idle": self._idle,
            "calling": self._calling,
            "locking": self._locking,
            "testing": self._testing,
            "bleeding": self._bleeding,
            "coupling": self._coupling,
            "matching": self._matching,
            "ready": self._ready,
            "running": self._running,
            "stopping": self._stop,
            "opening": self._opening,
            "releasing": self._releasing,
        }
        terminals.on_frame(self._hear)
        terminals.every(TICK, self._look)

    # -- buttons

    def start(self, mode: ChargerMode) -> None:
        if self._fault:
            raise ValueError(f"fault {self._fault} is latched; reset it first")
        self._mode, self._wanted = mode, True

    def set_mode(self, mode: ChargerMode) -> None:
        self._mode = mode

    def set_power(self, power: float) -> None:
        self._power = min(power, MOST_WATTS)

    def set_transfer(self, automatic: bool) -> None:
        pass  # it has nothing to transfer with

    def set_reserve(self, soc: float) -> None:
        pass  # the car's own floor is the only one it keeps

    def stop(self) -> None:
        self._wanted = False
        self._ending = self._phase != "idle"

    def emergency_stop(self) -> None:
        self._fault = self._fault or "emergency_stop"

    def reset(self) -> None:
        if self._phase != "idle":
            raise ValueError(f"{self._phase}: a session is under way; stop it first")
        self._fault = ""

    def state(self) -> ChargerState:
        phase = "fault" if self._phase == "idle" and self._fault else self._phase
        return ChargerState(phase, self._mode, self._fault, on_backup=False)

    # -- what it hears and says

    def _forget(self) -> None:
        self._limits: VehicleLimits | None = None
        self._status: VehicleStatus | None = None
        self._granted: VehicleDischarge | None = None
        self._times = VehicleTimes()
        self._charged = 0.0

    def _hear(self, at: float, frame: Frame) -> None:
        if self._phase == "idle":
            return
        message = decode(frame)
        match message:
            case VehicleLimits():
                self._limits = message
            case VehicleStatus():
                self._status = message
            case VehicleDischarge():
                self._granted = message
            case VehicleTimes():
                self._times = message
            case _:
                return
        if self._spoken < 0.0:
            self._spoken = at
            self._t.after(0.06, self._speak)

    def _speak(self) -> None:
        if self._spoken < 0.0:
            return
        i, u = self._t.stage().i_out, self._t.stage().u_out
        left = min(max(self._times.max_charge_time - self._charged, 0.0), LONGEST) if self._flowing else 0.0
        ceiling = self._limits.max_voltage if self._limits else 0.0
        offer = min(MOST_AMPERES, self._power * EFFICIENCY / max(u, LEAST_VOLTS)) if self._mode == "charge" else 0.0
        offer = MOST_AMPERES if not self._flowing else float(int(offer) + 1 if offer else 0)
        for message in (
            ChargerCapability(True, MOST_VOLTS, min(offer, MOST_AMPERES), min(MOST_VOLTS, ceiling)),
            ChargerStatus(
                output_voltage=max(round(u), 0),
                output_current=max(round(i), 0),
                discharge_compatible=True,
                running=self._flowing,
                malfunction=bool(self._fault),
                locked=self._locked,
                stopping=self._stopping or not self._flowing,
                remaining_time_min=left,
            ),
            ChargerDischarge(max(round(-i), 0), MOST_VOLTS, MOST_AMPERES, LEAST_VOLTS),
            ChargerDischargeTime(2, 0.0),
        ):
            self._t.send(message.encode())
        self._t.after(CYCLE, self._speak)

    # -- the session

    def _look(self) -> None:
        self._phases[self._phase](self._t.now() - self._since)

    def _go(self, phase: str) -> None:
        self._phase, self._since = phase, self._t.now()

    def _idle(self, _: float) -> None:
        if self._wanted and not self._fault and self._t.wire("proximity") and self._t.stage().alive:
            self._wanted = self._ending = self._stopping = False
            self._forget()
            self._t.drive("d1", True)
            self._go("calling")

    def _calling(self, since: float) -> None:
        if self._over(since, 8.0):
            self._go("releasing")
        elif self._permitted() and self._limits is not None:
            self._t.drive("lock", True)
            self._go("locking")

    def _locking(self, since: float) -> None:
        self._t.command(StageCommand(bleed=True))
        self._locked = since >= 0.5
        if self._over(since, 6.0):
            self._go("releasing")
        elif since >= 0.7 and self._t.stage().u_out < BLED:
            self._go("testing")

    def _testing(self, since: float) -> None:
        """Its own insulation test, before the car is on the cable."""
        self._t.command(StageCommand(StageMode.VOLTAGE, u_ref=TEST_VOLTS, contactor=True))
        if self._over(since, 6.0):
            self._go("releasing")
        elif since > 2.0 and self._t.stage().u_out > 0.98 * TEST_VOLTS:
            if self._t.insulation() < LEAST_INSULATION:
                self._fault = "insulation"
            self._go("bleeding")

    def _bleeding(self, since: float) -> None:
        self._t.command(StageCommand(contactor=self._t.stage().u_out > BLED, bleed=True))
        if self._t.stage().u_out > BLED:
            self._since = self._t.now()
        elif self._over(since, 6.0):
            self._go("releasing")
        elif since > 0.2:  # its own contactor has opened
            self._t.drive("d2", True)
            self._go("coupling")

    def _coupling(self, since: float) -> None:
        self._t.command(StageCommand())
        if self._over(since, 4.0):
            self._go("releasing")
        elif self._status is not None and not self._status.contactor_open and self._t.stage().u_out > LEAST_VOLTS:
            self._go("matching")

    def _matching(self, since: float) -> None:
        """Bring its own side to the battery's voltage, close onto it, then let the car ask."""
        stage = self._t.stage()
        near = abs(stage.u_node - stage.u_out) < 5.0
        if self._over(since, 4.0):
            self._go("stopping")
        elif near and since > 0.1:
            self._t.command(StageCommand(StageMode.CURRENT, contactor=True))
            self._go("ready")
        else:
            self._t.command(StageCommand(StageMode.VOLTAGE, u_ref=stage.u_out))

    def _ready(self, since: float) -> None:
        """Power flows only after the car has asked for it, or granted it."""
        asked = self._status is not None and self._status.current_request > 0.0
        if self._over(since, 4.0):
            self._go("stopping")
        elif asked or (self._granted is not None and self._granted.max_discharge_current > 0.0):
            self._flowing = True
            self._go("running")

    def _running(self, _: float) -> None:
        status = self._status
        mains = min(leg.u for leg in self._t.mains()) > 0.8 * self._t.u_nominal
        unwell = status is None or status.fault or status.system_fault or status.not_in_park
        if self._ending or self._fault or unwell or not (self._permitted() and mains):
            self._go("stopping")
        else:
            self._charged += TICK if self._t.stage().i_out > 0.5 else 0.0
            self._steer(self._goal())

    def _goal(self) -> float:
        """A, positive charging."""
        u, status, granted = self._t.stage().u_out, self._status, self._granted
        if status is None or u < LEAST_VOLTS:
            return 0.0
        if self._mode == "charge" and self._charged < self._times.max_charge_time:
            return min(status.current_request, MOST_AMPERES, self._power * EFFICIENCY / u)
        if self._mode == "discharge" and status.discharge_compatible and granted is not None:
            if u < max(LEAST_VOLTS, granted.min_discharge_voltage) + NEAR:
                return 0.0
            most = max(granted.max_discharge_current - MARGIN, 0.0)
            return -min(most, MOST_AMPERES, self._power / (EFFICIENCY * u))
        return 0.0

    def _steer(self, goal: float) -> None:
        """One step of a ramp, led by the stage's lag."""
        i = self._t.stage().i_out
        towards = 0.0 if goal * i < 0.0 else goal
        rate = RAMP_DOWN if abs(towards) < abs(i) else RAMP_UP
        step = max(-rate * TICK, min(rate * TICK, towards - i))
        led = towards if abs(towards - i) < 0.1 else i + step * (1.0 + LAG / TICK)
        self._t.command(StageCommand(StageMode.CURRENT, i_ref=led, contactor=True))

    def _stop(self, since: float) -> None:
        self._stopping = True
        if self._fault or since > 1.5 or not self._t.stage().alive:
            self._t.command(StageCommand(StageMode.OFF, contactor=True))
        else:
            self._steer(0.0)
        if abs(self._t.stage().i_out) < 0.5 and since > 0.2:
            self._flowing = False
            self._go("opening")

    def _opening(self, since: float) -> None:
        """Its own contactor, then the car's, which tests for welding in between."""
        self._t.command(StageCommand(bleed=since > 0.1))
        gone = self._status is None or self._status.contactor_open or not self._t.wire("proximity")
        if since > 0.2 and (gone or since > 8.0):
            self._go("releasing")

    def _releasing(self, since: float) -> None:
        self._stopping, self._flowing = True, False
        self._t.command(StageCommand(bleed=True))
        self._t.drive("d2", False)
        if since > D1_AFTER_D2:
            self._t.drive("d1", False)
        if since > 1.2 and self._t.stage().u_out < BLED:
            self._locked = False
            self._t.drive("lock", False)
        if since > 1.5 and not self._locked:
            self._spoken = -1.0
            self._t.command(StageCommand())
            self._go("idle")

    # -- causes

    def _permitted(self) -> bool:
        return self._t.wire("k") and self._status is not None and self._status.enabled

    def _over(self, since: float, most: float) -> bool:
        """Whether a phase before power flows has to end."""
        return self._ending or bool(self._fault) or since > most or not self._t.stage().alive
