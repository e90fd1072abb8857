"""A recorded vehicle played to the charger of a bench: frames on its bus, wires and contactors by its vehicle
interface, the battery by its DC source, the operator's presses by its panel. In virtual time on an emulated bench.

Theory
  The bench's own car leaves the bus; the recording takes its place. Frames, k and the closing of the contactors come
  from the script. Contactors are never opened by it: 102.5.3 = 1 comes only behind the welding check. They open as a
  car's do, once the recorded vehicle has stopped, 109.5.0 is 0 and the source reads 5 A or less. However a replay ends,
  the charger is told to stop, and the contactors wait for that current; leaving the bench does the rest.

  The battery is the bench car's pack, pulled to the voltage of the recording.
"""

from __future__ import annotations

from collections.abc import Callable

from rig.bench import Bench
from rig.can.frame import Frame
from rig.car_pack import HOLD_RATE, ImitatedPack
from rig.chademo.events import ContactorMoved, WireChanged
from rig.chademo.rules import ALL
from rig.chademo.rules.common import SAFE_CURRENT
from rig.chademo.rules.rule import Finding
from rig.clock import Cancel
from rig.errors import UseError
from rig.roles import DcReading
from rig.trace.playback import PATIENCE, Playback
from rig.trace.replay import AFTERWARDS, LONGEST, TEMPERATURE, USUAL_SOC, Replayed, deaf, outcome
from rig.trace.script import Event, Press, Script
from rig.watch import Watch

UPDATE = 0.1
"""s between two updates of the pack: one cycle (chademo.md 0)."""
NEAR = 2.0
"""V the pack may be from the recorded voltage (project choice: two counts of 109.1-2)."""
PULLED_WITHIN = 30.0
"""s for the pack to be pulled to the recorded voltage (project choice: 600 V at HOLD_RATE)."""
STOPS_WITHIN = 5.0
"""s for a charger to bring its current down when told to stop (project choice: ten times the 0.5 s of chademo.md 2)."""


def replay_vehicle(script: Script, bench: Bench) -> Replayed:
    """Play a recorded vehicle to the charger of an opened bench. UseError: the charger does not begin a session."""
    playing = _Playing(script, bench)
    try:
        playing.run()
        verdicts = playing.watch.verdicts()
        state = bench.charger.state()
    finally:
        playing.end()
    return outcome(script, playing.playback, playing.frames, verdicts, f"{state.phase} {state.fault}".strip())


def _found(finding: Finding) -> None:
    """Told at the end, with the verdicts."""


class _Playing:
    """One replay on one bench."""

    def __init__(self, script: Script, bench: Bench) -> None:
        self._script, self._bench, self._clock = script, bench, bench.clock
        bench.prepare()
        bench.car.close()
        self.frames: list[tuple[float, Frame]] = []
        self._pack = ImitatedPack(bench.clock, bench.battery, bench.car.model.pack)
        self._reading: DcReading | None = None
        self._closed = self._opened = False
        self.watch = Watch(bench, ALL, _found)
        self._port = bench.bus.attach("recorded vehicle", deaf)
        self.playback = Playback(bench.clock, script, self._do, lambda: self.watch.session)
        self._unwatch = bench.bus.watch(self._heard)
        self._task: Cancel | None = None

    def run(self) -> None:
        """Rest the pack, plug in, press start, and play once the charger has closed d1."""
        bench, clock = self._bench, self._clock
        soc = USUAL_SOC if self._script.soc is None else self._script.soc
        self._pack.rest(soc, TEMPERATURE)
        self._reading = self._pack.reading
        self._task = clock.every(UPDATE, self._tick)  # not before: the pack is one hand's at a time
        volts = self._script.voltage
        if volts is not None:
            self._pack.hold(volts, HOLD_RATE)
            clock.wait_until(lambda: self._near(volts), PULLED_WITHIN)
        self.watch.renew()
        bench.vehicle.set_wire("proximity", True)
        bench.charger.start("standby")
        clock.wait_until(lambda: self.watch.session.wires.get("d1") is True, PATIENCE)
        if self.watch.session.wires.get("d1") is not True:
            state = bench.charger.state()
            raise UseError(
                f"replay: the charger did not close d1 within {PATIENCE:g} s (it is {state.phase} {state.fault}); "
                "look at it, then play again"
            )
        clock.sleep(bench.car.model.profile.wake.value)
        clock.at(clock.now(), self.playback.begin)
        clock.wait_until(lambda: self.playback.done, LONGEST)
        clock.sleep(AFTERWARDS)

    def end(self) -> None:
        """Stop, and open the contactors when no current flows any more."""
        bench, clock = self._bench, self._clock
        self.playback.stop()
        if self._closed and not self._opened:
            bench.charger.stop()
            clock.wait_until(lambda: self._calm and not self.watch.session.running, STOPS_WITHIN)
        if self._task is not None:
            self._task()
        self._unwatch()
        self.watch.close()
        self._port.close()

    @property
    def _calm(self) -> bool:
        return self._reading is not None and abs(self._reading.current) <= SAFE_CURRENT

    def _near(self, volts: float) -> bool:
        return self._reading is not None and abs(self._reading.voltage - volts) <= NEAR

    def _heard(self, at: float, sender: str, frame: Frame) -> None:
        self.frames.append((at, frame))
        self.playback.look()

    def _tick(self) -> None:
        """The pack follows, and the contactors open when they may."""
        self._clock.aside("replayed pack", self._pack.update, self._felt)

    def _felt(self, reading: DcReading) -> None:
        self._reading = reading
        session = self.watch.session
        over = session.ran and not session.running and not session.enabled
        if self._closed and not self._opened and over and self._calm:
            self._opened = True
            self._interface(lambda: self._bench.vehicle.move_contactor(False))

    def _do(self, event: Event) -> None:
        bench = self._bench
        if isinstance(event, Frame):
            self._port.send(event)
        elif isinstance(event, ContactorMoved):
            self._closed = True
            self._interface(lambda: bench.vehicle.move_contactor(True))
        elif isinstance(event, WireChanged):
            on = event.on
            self._interface(lambda: bench.vehicle.set_wire("k", on))
        else:
            self._press(event)

    def _press(self, press: Press) -> None:
        charger, what, rated = self._bench.charger, press.what, self._bench.profile.ratings.power
        power = rated if press.power is None else min(press.power, rated)

        def press_it() -> None:
            if what == "stop":
                charger.stop()
                return
            charger.set_power(power)
            charger.set_mode(what)

        self._clock.aside("panel", press_it, lambda _: None)

    def _interface(self, work: Callable[[], None]) -> None:
        self._clock.aside("vehicle interface", work, lambda _: None)
