"""What a run has on record, as the page lists it: tests and their outcomes, verdicts, and what happened. From its
journal and its supervisor's log alone."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import Any

from console.tail import Tail, Written, number

KEPT = 400
"""Lines of each list that are kept for the page."""
TONE = {"PASS": "good", "FAIL": "bad", "INCONCLUSIVE": "doubt", "INVALID": "doubt", "NOT RUN": "dull", "ERROR": "bad"}


class Record:
    """Of one run. folder: its evidence. part: of a run gone on with, from 1."""

    def __init__(self, folder: Path, part: int = 1) -> None:
        end = "" if part == 1 else f"-{part}"
        self._journal, self._safety = Tail(folder / f"journal{end}.jsonl"), Tail(folder / f"safety{end}.jsonl")
        self.outcomes: dict[str, dict[str, str]] = {}
        """Test -> its outcome and why."""
        self.counts: dict[str, int] = {}
        self.verdicts: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self.events: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self.parts: list[dict[str, str]] = []
        self.kind = ""
        self.rested: list[tuple[bool, tuple[str, ...]]] = []
        """Each time the bench was brought to rest: confirmed, and what was read."""
        self.watched: list[tuple[bool, tuple[str, ...]]] = []
        """The same, as its supervisor found it."""
        self.halted_at: int | None = None
        """How many rests stood before the emergency stop was on record."""
        self.status = ""
        self._test = ""
        self._measured: dict[int, Written] = {}

    def turn(self) -> bool:
        """Read on; whether there was anything."""
        found, safety = self._journal.read(), self._safety.read()
        for one in found:
            self._take(one)
        for one in safety:
            self._take_safety(one)
        return bool(found or safety)

    @property
    def whole(self) -> bool:
        """Nothing that stands there is unread."""
        return self._journal.whole and self._safety.whole

    def _event(self, at: float, words: str, tone: str = "") -> None:
        self.events.append({"t": at, "words": words, "tone": tone})

    def _take(self, one: Written) -> None:
        doc = one.doc
        match doc.get("type"):
            case "BenchDescribed":
                self.kind = str(doc["kind"])
                self.parts = [
                    {key: str(part[key]) for key in ("name", "driver", "resource")}
                    | {"who": " ".join(filter(None, (part["identity"].get(k, "") for k in ("maker", "model"))))}
                    for part in doc["parts"]
                ]
            case "TestStart":
                self._test = str(doc["test"])
                self._event(one.t, f"begins: {doc['title']}", "test")
            case "TestStop":
                outcome = str(doc["outcome"])
                self.outcomes[str(doc["test"])] = {"outcome": outcome, "reason": str(doc.get("reason", ""))}
                self.counts[outcome] = self.counts.get(outcome, 0) + 1
                self._event(one.t, f"{outcome}: {self._test.rpartition('::')[2]}", TONE.get(outcome, ""))
            case "NotRun" if doc["subject"] == "test":
                self.outcomes[str(doc["id"])] = {"outcome": "NOT RUN", "reason": str(doc["reason"])}
                self.counts["NOT RUN"] = self.counts.get("NOT RUN", 0) + 1
            case "Measured":
                self._measured = {one.n: one}  # a verdict follows its measurement
            case "Judged":
                self._judge(one)
            case "Stimulus":
                self._event(one.t, _told(doc), "told")
            case "RuleFound" if doc["state"] == "broken":
                self._event(one.t, f"broken: {doc['title']}: {doc.get('message', '')}", "bad")
            case "Incident":
                if doc["kind"] == "emergency stop" and self.halted_at is None:
                    self.halted_at = len(self.rested)
                self._event(one.t, f"{doc['kind']}: {doc['what']}", "bad")
            case "SafeStateReached":
                self.rested.append((bool(doc["confirmed"]), tuple(map(str, doc.get("readings", ())))))
                self._event(one.t, f"safe state {_word(self.rested[-1][0])}", "good" if self.rested[-1][0] else "bad")
            case "RunStop":
                self.status = str(doc["status"])
                self._event(one.t, f"run {self.status}" + (f": {doc['reason']}" if doc.get("reason") else ""), "test")
            case _:
                pass

    def _take_safety(self, one: Written) -> None:
        match one.doc.get("type"):
            case "SafeStateReached":
                self.watched.append((bool(one.doc["confirmed"]), tuple(map(str, one.doc.get("readings", ())))))
                good = self.watched[-1][0]
                self._event(one.t, f"supervisor: safe state {_word(good)}", "good" if good else "bad")
            case "Incident":
                self._event(one.t, f"supervisor: {one.doc['what']}", "bad")
            case "Stimulus":
                self._event(one.t, str(one.doc["what"]), "told")
            case _:
                pass

    def _judge(self, one: Written) -> None:
        doc, measured = one.doc, self._measured.get(one.doc.get("measurement", -1))
        limit = doc.get("limit", {})
        self.verdicts.append(
            {
                "t": one.t,
                "test": self._test.rpartition("::")[2],
                "requirement": str(doc["requirement"]),
                "quantity": str(doc["quantity"]),
                "verdict": str(doc["verdict"]),
                "value": None if measured is None else number(measured.doc.get("value")),
                "unit": str(limit.get("unit", "")),
                "expanded": number(doc.get("expanded")),
                "min": number(limit.get("min")),
                "max": number(limit.get("max")),
                "reason": str(doc.get("reason", "")),
            }
        )


def _word(confirmed: bool) -> str:
    return "CONFIRMED" if confirmed else "UNCONFIRMED"


def _told(doc: dict[str, Any]) -> str:
    units = doc.get("units", {})
    values = [f"{name} {_short(value)} {units.get(name, '')}".strip() for name, value in doc.get("values", {}).items()]
    return ", ".join([str(doc["what"]), *values])


def _short(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
