"""Is it the instrument the bench file means? Its model must be one of the driver's, its serial number and firmware
those which the file names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Protocol

from rig.bench_config import BenchConfig, PartName
from rig.drivers import Driver
from rig.errors import BenchFault


class Answer(Protocol):
    """Who answered."""

    @property
    def maker(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def serial(self) -> str: ...
    @property
    def firmware(self) -> str: ...


def mistaken(config: BenchConfig, drivers: Mapping[PartName, Driver], who: Mapping[Any, Answer]) -> Mapping[str, str]:
    """What is wrong with who answers, by part; empty when nothing is."""
    found: dict[str, str] = {}
    for name, part in config.parts.items():
        identity, model = who[name], drivers[name].model
        wrong = []
        if model and not re.fullmatch(model, identity.model.strip(), re.IGNORECASE):
            wrong.append(f"model {identity.model!r} is none that driver {part.driver!r} is for")
        if part.papers.serial and identity.serial != part.papers.serial:
            wrong.append(f"serial number {identity.serial!r}, and the file says {part.papers.serial!r}")
        if part.papers.firmware and identity.firmware != part.papers.firmware:
            wrong.append(f"firmware {identity.firmware!r}, and the file says {part.papers.firmware!r}")
        if wrong:
            found[name] = f"{part.resource}: {identity.maker} answers: {'; '.join(wrong)}"
    return found


def refuse_mistaken(wrong: Mapping[str, str], file: str) -> None:
    """BenchFault for a bench on which somebody else answers."""
    if wrong:
        named = ", ".join(f"[{name}] {words}" for name, words in wrong.items())
        raise BenchFault(f"{file}: {named}; connect the instrument the file means, or mend the file")
