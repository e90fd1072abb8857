"""What may stand in a journal: every document, typed. Knows no file, no clock and no report.

A run is told in this order
  RunStart  BenchDescribed  Required...                                  what is asked of which item, on which bench
  TestStart  Surroundings  Stimulus... CaptureStored... Measured Judged... Picture... RuleFound... SessionsSeen
  TestStop                                                                each test
  Incident  SafeStateReached  NotRun                                      whenever they happen
  ChargerCard  RunStop                                                    absent: the run was cut off
  Resumed  TestStart...                                                   a run cut off is gone on with, in a new part
A document between a TestStart and its TestStop belongs to that test. One refers to another by its journal number
(`Judged.measurement`) and to a file by its digest (`Measured.of`, `Picture.captures`).

Times are bench seconds. No wall time, host, process or absolute path may stand here: the same seed gives the same
bytes. Those stand in run.json (rig.evidence.run_info). Values are SI as in rig.units, verdicts are words of
rig.metrology.decision, and what a report prints of a limit (its source, its claim) travels with the document, so that
a report needs nothing but the folder.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import msgspec

Word = Literal["PASS", "FAIL", "INCONCLUSIVE", "INVALID", "NOT RUN"]
"""A verdict. Only FAIL speaks of a bad device."""

Plain = bool | int | float | str

CaptureKind = Literal["waveform", "series", "can"]

PictureKind = Literal["transfer", "ramp", "session", "plot"]
"""transfer: voltages through a change of source; ramp: a current against what was asked or allowed; session: slow
quantities of a whole session; plot: anything else. All are drawn from the same marks."""


class Value(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every value below."""


class Fact(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", forbid_unknown_fields=True):
    """Base of every document: written with its name as `type`."""


class Item(Value, frozen=True):
    """The thing tested, as its plate and its panel say. Empty: not stated."""

    name: str
    maker: str = ""
    model: str = ""
    serial: str = ""
    firmware: str = ""


class RunStart(Fact, frozen=True):
    """A run begins. catalogue: revision (digest) of the requirement files. suites: subjects selected."""

    seed: int
    bench: str
    profile: str
    catalogue: str
    suites: tuple[str, ...]
    item: Item
    title: str = "Vehicle-to-home charger, hardware-in-the-loop test"
    rig: str = ""
    """Version of the rig."""
    tests: tuple[str, ...] = ()
    """Ids of the tests that were asked for, in order: what is left to do when the run is cut off."""
    depth: str = "normal"
    """How much of the matrices was asked for; procedures repeat by it."""


class PartIdentity(Value, frozen=True):
    """Who answered."""

    maker: str = ""
    model: str = ""
    serial: str = ""
    firmware: str = ""


class Calibration(Value, frozen=True):
    """until: ISO date; certificate: its number. Empty: none stated. corrections: rows of it that readings are corrected
    by, one line each."""

    until: str = ""
    certificate: str = ""
    corrections: tuple[str, ...] = ()


class Part(Value, frozen=True):
    """One instrument, or the device under test, of the bench.

    name: its place on the bench. resource: address, or "emulated". met_hardware: this driver has been run against the
    real instrument. accuracy: where its uncertainty figures come from.
    """

    name: str
    driver: str
    resource: str
    identity: PartIdentity
    emulated: bool
    met_hardware: bool
    calibration: Calibration = Calibration()
    accuracy: str = ""
    note: str = ""


class BenchDescribed(Fact, frozen=True):
    """What the bench is made of. kind: from its parts, all real, all emulated, or mixed. absent: places left empty.
    digest: SHA-256 of the bench file, hex."""

    kind: Literal["hardware", "emulated", "mixed"]
    clock: Literal["virtual", "real"]
    parts: tuple[Part, ...]
    absent: tuple[str, ...] = ()
    digest: str = ""


class Bounds(Value, frozen=True):
    """A limit in an SI unit; None: no bound on that side."""

    min: float | None = None
    max: float | None = None
    unit: str = "1"


class Row(Value, frozen=True):
    """One quantity of a requirement. source: of these very bounds, empty when the requirement's own says it all."""

    quantity: str
    limit: Bounds
    source: str = ""


class Required(Fact, frozen=True):
    """One requirement of the catalogue as it applies to this profile; one of these for each row of the catalogue.

    selected: a selected test verifies it, so that a missing verdict is missing work. not_run: why it cannot be judged
    at all for this item or on this rig. applies: the item has a part in it at all. confidence: as the catalogue writes
    it. claim: the most a PASS may say. references: what the keys in brackets of its sources stand for.
    """

    id: str
    title: str
    stated: str
    source: str
    confidence: str
    claim: str
    references: dict[str, str] = {}
    rows: tuple[Row, ...] = ()
    rule: str = ""
    method: str = ""
    conditions: str = ""
    selected: bool = False
    not_run: str = ""
    applies: bool = True


class TestStart(Fact, frozen=True):
    """A test begins. test: its id (path::name[parameters]). procedure: its docstring."""

    __test__: ClassVar[bool] = False  # for pytest, which collects Test*

    test: str
    title: str
    requirements: tuple[str, ...] = ()
    procedure: str = ""
    suite: str = ""


class Condition(Value, frozen=True):
    """One condition and how it stood when the test began. value, u: None where it is not known; source: of the value.
    asked: who set the bounds, and from where."""

    quantity: str
    state: Literal["met", "outside", "not known"]
    limit: Bounds
    asked: str
    value: float | None = None
    u: float | None = None
    source: str = ""
    reason: str = ""


class Surroundings(Fact, frozen=True):
    """What surrounds a test, read before it begins. fit: it may begin; else it is INVALID."""

    conditions: tuple[Condition, ...]
    fit: bool


class Stimulus(Fact, frozen=True):
    """The bench was told to do something. units: of those values that have one."""

    what: str
    values: dict[str, Plain] = {}
    units: dict[str, str] = {}


class Channel(Value, frozen=True):
    """One column of a capture."""

    name: str
    unit: str = ""


class CaptureStored(Fact, frozen=True):
    """A capture file is on disk. file: relative to the run's folder, with forward slashes. start: s. rate: S/s, 0 when
    the rows have times of their own. rows: samples, or frames."""

    name: str
    file: str
    sha256: str
    kind: CaptureKind
    channels: tuple[Channel, ...]
    start: float
    rate: float
    rows: int
    note: str = ""


class BudgetLine(Value, frozen=True):
    """One line of an uncertainty budget, as rig.metrology.Component."""

    name: str
    u: float
    distribution: str
    source: str
    sensitivity: float = 1.0

    @property
    def contribution(self) -> float:
        """Standard uncertainty in the measurand's unit."""
        return abs(self.sensitivity) * self.u


class Measured(Fact, frozen=True):
    """A value. requirement: whose quantity it is; empty for one nobody judges. u: standard uncertainty. at: s, of the
    sample or the event's end. of: digests of the captures it was computed from."""

    name: str
    value: float
    unit: str
    u: float
    requirement: str = ""
    budget: tuple[BudgetLine, ...] = ()
    source: str = ""
    at: float = 0.0
    of: tuple[str, ...] = ()


class Judged(Fact, frozen=True):
    """A verdict and all it rests on. measurement: journal number of its Measured. expanded: U = k*u. acceptance: the
    limit moved by the decision rule. margin: room to the limit, negative outside. probability: of conformance."""

    requirement: str
    quantity: str
    verdict: Word
    measurement: int
    limit: Bounds
    acceptance: Bounds
    expanded: float
    k: float
    rule: str
    claim: str
    margin: float
    probability: float
    reason: str


class RuleFound(Fact, frozen=True):
    """How a protection or timing rule came out of what was watched, or the moment it was broken.

    duty: whose. at: s, of the first breach (0 when there is none). frame: what showed it, id and bytes in hex. value,
    limit: found against allowed, in unit. count: breaches. provoked: a duty of the rig's own car that it was told to
    break, which speaks of nobody.
    """

    rule: str
    title: str
    state: Literal["kept", "broken", "unknown"]
    duty: Literal["charger", "vehicle"]
    source: str
    confidence: str
    requirements: tuple[str, ...] = ()
    at: float = 0.0
    frame: str = ""
    value: float = 0.0
    limit: float = 0.0
    unit: str = ""
    message: str = ""
    count: int = 0
    provoked: bool = False


class OutputDeviation(Value, frozen=True):
    """Output against request min(102.3, 108.3) while charging and settled. mean, worst: A, output above positive.
    seconds: how long that could be told."""

    mean: float
    worst: float
    seconds: float


class SessionsSeen(Fact, frozen=True):
    """What the charger showed in the sessions of a test. values: by the key of rig.trace.facts, an entry for each
    session that showed it. sessions: how many these are of; spoiled: those left out, since the rig's own car was told
    to misbehave in them."""

    sessions: int
    spoiled: int = 0
    values: dict[str, tuple[float, ...]] = {}
    deviation: OutputDeviation | None = None


class CardRow(Value, frozen=True):
    """One thing a charger showed. where: the bytes, or how it was found. least, median, most: over `count` sessions.
    flag: 1 is yes, 0 is no. rule: the one that limits it, says: its title, state: how it came out in this run."""

    key: str
    name: str
    unit: str
    where: str
    least: float
    median: float
    most: float
    count: int
    flag: bool = False
    rule: str = ""
    says: str = ""
    state: Literal["", "kept", "broken", "unknown"] = ""


class ChargerCard(Fact, frozen=True):
    """Who the charger is, by all it showed on CHAdeMO in a run. sessions, spoiled: as in SessionsSeen, of the run.
    versions: CHAdeMO versions it spoke. says: of itself. course: times, ramps and peaks of its own. broken: ids of the
    charger's rules that were broken."""

    sessions: int
    spoiled: int
    versions: tuple[str, ...]
    says: tuple[CardRow, ...]
    course: tuple[CardRow, ...]
    deviation: OutputDeviation | None = None
    broken: tuple[str, ...] = ()


class Trace(Value, frozen=True):
    """A line of a picture. channel: column of one of its captures. role: how it is drawn: what was measured, what was
    asked, what was allowed, or a line beside. step: it holds its value until the next row."""

    channel: str
    label: str = ""
    role: Literal["measured", "asked", "limit", "other"] = "measured"
    step: bool = False


class Level(Value, frozen=True):
    """A horizontal line. kind: limit of a verdict, or a nominal."""

    value: float
    label: str = ""
    kind: Literal["limit", "nominal"] = "limit"


class Band(Value, frozen=True):
    """A horizontal band that a trace should stay in."""

    low: float
    high: float
    label: str = ""


class Panel(Value, frozen=True):
    """One of the stacked plots of a picture; all share the time axis. scale: what the values are multiplied by before
    they are shown in `unit` (100 and "%" for a fraction). low, high: of the value axis where it must not be the
    data's."""

    title: str
    unit: str
    traces: tuple[Trace, ...]
    levels: tuple[Level, ...] = ()
    bands: tuple[Band, ...] = ()
    scale: float = 1.0
    low: float | None = None
    high: float | None = None


class Span(Value, frozen=True):
    """A shaded stretch of time over all panels (or over one, by its title). tone: what it means; back: power flows out
    of the battery."""

    start: float
    end: float
    label: str = ""
    tone: Literal["plain", "event", "good", "bad", "back"] = "plain"
    panel: str = ""


class Edge(Value, frozen=True):
    """A found instant: a vertical line over all panels, or over one, by its title."""

    at: float
    label: str
    panel: str = ""


class Picture(Fact, frozen=True):
    """What a report draws from captures alone. start, end: s, the window shown (both 0: all of it). origin: s, what
    the time axis counts from. captures: digests."""

    name: str
    title: str
    kind: PictureKind
    captures: tuple[str, ...]
    panels: tuple[Panel, ...]
    spans: tuple[Span, ...] = ()
    edges: tuple[Edge, ...] = ()
    start: float = 0.0
    end: float = 0.0
    origin: float = 0.0
    caption: str = ""
    requirements: tuple[str, ...] = ()


class Incident(Fact, frozen=True):
    """Something that should not happen on a bench: a lost instrument, a trip, a refused set-point. fault: whose."""

    kind: str
    what: str
    fault: Literal["bench", "use"]


class SafeStateReached(Fact, frozen=True):
    """The bench was brought to no energy. confirmed: by read-back. readings: what was read."""

    confirmed: bool
    readings: tuple[str, ...] = ()


class TestStop(Fact, frozen=True):
    """A test ends. outcome: worst of its verdicts, or ERROR when it could not be carried out as written. counts:
    verdicts by word. seconds: of the bench. kept: ids of the rules whose occasion came and that nothing broke."""

    __test__: ClassVar[bool] = False  # for pytest, which collects Test*

    test: str
    outcome: Word | Literal["ERROR"]
    counts: dict[str, int] = {}
    seconds: float = 0.0
    reason: str = ""
    kept: tuple[str, ...] = ()


class NotRun(Fact, frozen=True):
    """A requirement or a test that got no verdict, and why."""

    subject: Literal["requirement", "test"]
    id: str
    reason: str


class RunStop(Fact, frozen=True):
    """The run ends in order. reason: empty when completed."""

    status: Literal["completed", "interrupted", "aborted"]
    reason: str = ""


class Resumed(Fact, frozen=True):
    """A run that was cut off is gone on with on the same bench, in a new part of its journal; bench time begins again.

    part: number of the journal's part this begins, from 2. head, lines: digest of the last line before it, and how many
    there are. kept: ids of the tests whose outcome stands; any other that had begun is begun anew. torn: bytes of an
    unfinished last line that were set aside, into the file `aside`.
    """

    part: int
    head: str
    lines: int
    kept: tuple[str, ...]
    torn: int = 0
    aside: str = ""


Document = (
    RunStart
    | BenchDescribed
    | Required
    | TestStart
    | Surroundings
    | Stimulus
    | CaptureStored
    | Measured
    | Judged
    | RuleFound
    | SessionsSeen
    | ChargerCard
    | Picture
    | Incident
    | SafeStateReached
    | TestStop
    | NotRun
    | RunStop
    | Resumed
)

COMMITTED = (RunStart, BenchDescribed, Judged, Incident, SafeStateReached, TestStop, RunStop, Resumed)
"""Documents that are on the disk, not only in the operating system, before their append returns."""
