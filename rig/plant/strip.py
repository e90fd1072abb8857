"""A terminal strip: low-voltage wires between an emulated board's relays and inputs and what else is wired to them."""

from __future__ import annotations

from collections.abc import Callable

Moved = Callable[[int, bool], None]


class Strip:
    """Relay contacts by number, and signals by name. signals: what a named wire shows now."""

    def __init__(self) -> None:
        self.signals: dict[str, Callable[[], bool]] = {}
        self._watching: list[Moved] = []

    def watch(self, call: Moved) -> None:
        """Be told when a relay contact moves: call(output, closed)."""
        self._watching.append(call)

    def move(self, output: int, closed: bool) -> None:
        """A relay contact has moved."""
        for call in tuple(self._watching):
            call(output, closed)
