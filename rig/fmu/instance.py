"""The native code of an FMU: unpacked into a folder of its own, loaded, stepped, ended and freed. FMI 2.0, section 4.

It runs in this process. What it answers is checked, and a status above warning ends it for good (BenchFault: the
emulator failed, never the device). What it does to this process's memory, nobody can check.
"""

from __future__ import annotations

import contextlib
import ctypes
import math
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rig.errors import BenchFault
from rig.fmu import archive
from rig.fmu.description import Description, fmpy_module
from rig.fmu.variables import VARIABLES

_C_TYPES: dict[str, Any] = {"Real": ctypes.c_double, "Integer": ctypes.c_int, "Boolean": ctypes.c_int}
_WARNING, _FATAL = 1, 4
"""fmi2Status."""
_SAID = 160
"""Characters kept of what an FMU says of its error."""


class _Block:
    """All variables of one type and direction, kept as the arrays that FMI wants."""

    def __init__(self, kind: str, names: list[str], numbers: list[int]) -> None:
        self.kind, self.names = kind, names
        self.numbers = (ctypes.c_uint * len(numbers))(*numbers)
        self.values = (_C_TYPES.get(kind, ctypes.c_char_p) * len(numbers))()


class Instance:
    """One FMU, running. Inputs are put, a step is done, outputs are got. BenchFault for all that goes wrong."""

    def __init__(self, description: Description, parameters: dict[str, float]) -> None:
        self.description = description
        self._slave: Any = None
        self._alive, self._fatal = False, False
        self._said = ""
        self._folder = TemporaryDirectory(prefix="v2hrig-fmu-")
        self._inputs, self._parameters = self._blocks("input"), self._blocks("parameter")
        self._outputs = self._blocks("output")
        self._in_at = _places(self._inputs + self._parameters)
        self._out_at = _places(self._outputs)
        self._words = {name: one.items for name, one in description.variables.items() if one.items}
        try:
            self._unpack()
            self._begin(parameters)
        except BaseException:
            self.close()
            raise

    def has(self, name: str) -> bool:
        """Whether the FMU has this variable of the interface."""
        return name in self.description.variables

    def put(self, name: str, value: float) -> None:
        """An input, for the next step; nothing where the FMU has no such input."""
        at = self._in_at.get(name)
        if at is not None:
            values, index, exact = at
            values[index] = exact(value)

    def number(self, name: str, default: float = 0.0) -> float:
        """A Real, Integer or Boolean output after the last step; the default where the FMU has none."""
        at = self._out_at.get(name)
        return default if at is None else float(at[0][at[1]])

    def word(self, name: str) -> str:
        """A word output, as a text or as an item of its enumeration."""
        values, index, _ = self._out_at[name]
        raw = values[index]
        if name in self._words:
            if raw not in self._words[name]:
                raise self._fault(f"{name} = {raw}, which its enumeration does not have")
            return self._words[name][raw]
        return "" if raw is None else str(bytes(raw).decode("utf-8", "replace"))

    def step(self, at: float, seconds: float) -> None:
        """From `at` (s since it began) on by seconds."""
        self._transfer("Set", self._inputs)
        self._do("fmi2DoStep", at, seconds, 1)
        self._read()

    def close(self) -> None:
        """End it, free it, and remove what was unpacked. Idempotent; never raises for what the FMU answers."""
        slave, self._slave = self._slave, None
        if slave is not None and slave.component is not None and not self._fatal:
            # After fmi2Fatal no function may be called any more, so its library stays loaded.
            if self._alive:
                with contextlib.suppress(Exception):
                    slave.terminate()
            with contextlib.suppress(Exception):
                slave.freeInstance()
        self._alive = False
        self._folder.cleanup()

    def _blocks(self, causality: str) -> list[_Block]:
        by_kind: dict[str, list[tuple[str, int]]] = {}
        for name, one in self.description.variables.items():
            if VARIABLES[name].causality == causality:
                kind = "Integer" if one.kind == "Enumeration" else str(one.kind)
                by_kind.setdefault(kind, []).append((name, one.number))
        return [_Block(kind, [n for n, _ in them], [v for _, v in them]) for kind, them in sorted(by_kind.items())]

    def _unpack(self) -> None:
        path = self.description.path
        try:
            with archive.opened(path) as zipped:
                zipped.extractall(self._folder.name)
            changed = archive.digest(path) != self.description.digest
        except (ValueError, OSError) as error:
            raise self._fault(str(error)) from None
        if changed:
            raise self._fault("has changed since the bench file was read; start anew")

    def _begin(self, parameters: dict[str, float]) -> None:
        fmi2 = fmpy_module("fmpy.fmi2")
        about = self.description
        try:
            with contextlib.chdir(Path.cwd()):  # fmpy does not come back from the library's folder when it fails
                self._slave = fmi2.FMU2Slave(
                    guid=about.guid,
                    modelIdentifier=about.identifier,
                    unzipDirectory=self._folder.name,
                    instanceName="charger",
                )
            self._slave.instantiate(callbacks=self._callbacks(fmi2), loggingOn=True)
            self._slave.setupExperiment(startTime=0.0)
        except Exception as error:  # noqa: BLE001 (fmpy raises plain Exceptions)
            raise self._failed(error) from None
        for name, value in parameters.items():
            self.put(name, value)
        self._transfer("Set", self._parameters)
        self._do("fmi2EnterInitializationMode")
        self._transfer("Set", self._inputs)
        self._do("fmi2ExitInitializationMode")
        self._alive = True
        self._read()

    def _callbacks(self, fmi2: Any) -> Any:
        """fmpy's own, but for the logger: the proxy that fills a message's figures in is one for the whole process."""
        made = fmi2.fmi2CallbackFunctions()
        made.logger = fmi2.fmi2CallbackLoggerTYPE(self._hear())
        made.allocateMemory = fmi2.defaultCallbacks.allocateMemory
        made.freeMemory = fmi2.defaultCallbacks.freeMemory
        return made

    def _hear(self) -> Callable[..., None]:
        def log(_: Any, _name: bytes, status: int, _category: bytes, message: bytes | None) -> None:
            if status > _WARNING and message:
                self._said = " ".join(message.decode("utf-8", "replace").split())[:_SAID]

        return log

    def _read(self) -> None:
        self._transfer("Get", self._outputs)
        for block in self._outputs:
            if block.kind == "Real":
                for name, value in zip(block.names, block.values, strict=True):
                    if not math.isfinite(value):
                        raise self._fault(f"{name} = {value}; an output must be finite")

    def _transfer(self, way: str, blocks: list[_Block]) -> None:
        for block in blocks:
            self._do(f"fmi2{way}{block.kind}", block.numbers, len(block.numbers), block.values)

    def _do(self, function: str, *arguments: Any) -> None:
        if self._slave is None:
            raise self._fault("has ended; open the bench again")
        try:
            getattr(self._slave, function)(self._slave.component, *arguments)
        except Exception as error:  # noqa: BLE001 (fmpy's FMICallException is a plain Exception)
            raise self._failed(error) from None

    def _failed(self, error: Exception) -> BenchFault:
        """An FMU that has failed takes no further step, and is not asked to terminate."""
        self._alive = False
        self._fatal = self._fatal or getattr(error, "status", None) == _FATAL
        said = f" It says: {self._said}" if self._said else ""
        return self._fault(f"{' '.join(str(error).split())[:_SAID]}{said}")

    def _fault(self, words: str) -> BenchFault:
        return BenchFault(f"FMU {self.description.path.name}: {words}")


def _places(blocks: list[_Block]) -> dict[str, tuple[Any, int, type]]:
    """Array and index of each variable, and what its array takes."""
    return {
        name: (block.values, index, float if block.kind == "Real" else int)
        for block in blocks
        for index, name in enumerate(block.names)
    }
