"""The tree of errors. Whose fault it is can be read from the type.

UseError      your code or file            -> exit 2, a pytest error
BenchFault    the bench was not fit        -> verdict INVALID, safe state, the run goes on
DutViolation  the device under test        -> verdict FAIL; raised by rules and monitors only, never by a driver
"""

from __future__ import annotations


def shown(words: str) -> str:
    """Words that may hold anything, fit for a terminal: what does not print, but the end of a line, as its escape."""
    if words.isprintable():
        return words
    return "".join(one if one.isprintable() or one == "\n" else one.encode("unicode_escape").decode() for one in words)


class RigError(Exception):
    """Root of all errors this rig raises on purpose. The message is one line: what, where, and how to mend it.

    It may quote a file or an instrument, and is printed on terminals and pages: what does not print is shown as its
    escape, so that nothing quoted can move a cursor or turn a line round.
    """

    def __str__(self) -> str:
        return shown(super().__str__())


class UseError(RigError):
    """Your code or your file asked for something that cannot be."""


class BenchConfigError(UseError):
    """A bench, profile or requirement file is wrong. Holds every problem found, one line each."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


class EnvelopeError(UseError):
    """A set-point outside the envelope: refused before it was sent."""


class TraceError(UseError):
    """A recorded trace cannot be read at all."""


class BenchFault(RigError):
    """The bench, not the device, is at fault."""


class InstrumentError(BenchFault):
    """An instrument refused a command or answered nonsense.

    resource: where it is. command: what was sent. words: what it answered, in its own words.
    """

    def __init__(self, resource: str, command: str, words: str) -> None:
        self.resource, self.command, self.words = resource, command, words
        super().__init__(f"{resource}: {command!r}: {words}")


class LostInstrument(InstrumentError):
    """An instrument does not answer any more."""


class Diverged(LostInstrument):
    """A replayed bench is asked something else than was recorded. For who asks, its instruments are gone."""


class OutOfCalibration(BenchFault):
    """An instrument is past its calibration date."""


class OutsideConditions(BenchFault):
    """A test was to begin outside the conditions it asks for."""


class UnsafeState(BenchFault):
    """The bench could not be brought to a confirmed safe state."""


class DutViolation(RigError):
    """The device under test broke a rule."""
