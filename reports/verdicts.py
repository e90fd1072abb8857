"""What counts as what in a run whose documents are in their places:

requirement   worst of its judgements; also NOT RUN for a selected quantity nobody measured, INVALID for a test that
              was to judge it and could not, FAIL for a protection rule of it that the charger broke
rule          broken by the charger: FAIL. Broken by the rig's own car: INVALID, the bench was not fit
run           worst of its selected requirements, its tests and its rules; at best NOT RUN when it did not end in
              order; at best INVALID when the bench was left unsafe, the journal does not verify or is not
              the one that was sealed
"""

from __future__ import annotations

import msgspec

from reports.run import SEVERITY, Asked, Outcome, Run, Test, Watched, worst
from rig.evidence.documents import RuleFound, TestStart

_RANK = {"broken": 0, "kept": 2, "unknown": 3}
"""What is said of a rule that came out differently in two places: the first of these."""


def settle(run: Run) -> None:
    """Say of every test, rule and requirement how it came out, and of the run."""
    _settle_tests(run)
    for watched in _rules(run):
        run.rules[watched.doc.rule] = watched
    for asked in run.requirements.values():
        _settle_requirement(run, asked)
    run.verdict = _overall(run)


def rule_verdict(watched: Watched) -> Outcome:
    """What a rule says of the item: a broken duty of the charger fails it, one of the rig's car says nothing of it."""
    if watched.state == "broken" and not watched.doc.provoked:
        return "FAIL" if watched.doc.duty == "charger" else "INVALID"
    return "PASS" if watched.state == "kept" else "NOT RUN"


def _settle_tests(run: Run) -> None:
    """Tests that never began stand among the others; requirements know their tests; rules told twice count once."""
    begun = {test.start.test for test in run.tests}
    for told in run.not_run:
        if told.subject == "test" and told.id not in begun:
            path = told.id.partition("::")[0].replace("\\", "/").split("/")
            start = TestStart(test=told.id, title=told.id.rpartition("::")[2], suite=path[-2] if len(path) > 1 else "")
            run.tests.append(Test(len(run.tests), start, run.seconds, "NOT RUN", told.reason, ended=True))
    for test in run.everything:
        for id in test.start.requirements:
            if id in run.requirements:
                run.requirements[id].tests.append(test.index)
        test.rules = _once(test.rules)
        for value in test.values:
            if value.judged:
                kin = [one for one in test.values if one.doc.name == value.doc.name and one.doc.unit == value.doc.unit]
                value.fellows = tuple(one.doc.value for one in kin if not one.judged)


def _rank(doc: RuleFound) -> int:
    """As _RANK; what was broken on purpose comes after what was not."""
    return _RANK[doc.state] + (1 if doc.state == "broken" and doc.provoked else 0)


def _once(told: list[RuleFound]) -> list[RuleFound]:
    """One document a rule. A breach may be told when it happens and once more in a sum; neither is counted twice."""
    found: dict[str, list[RuleFound]] = {}
    for doc in told:
        found.setdefault(doc.rule, []).append(doc)
    single = list[RuleFound]()
    for rule in sorted(found):
        doc = min(found[rule], key=_rank)
        breaches = [one for one in found[rule] if one.state == "broken"]
        count = max(len({(one.at, one.frame) for one in breaches}), *(one.count for one in found[rule]))
        single.append(msgspec.structs.replace(doc, count=count))
    return single


def _rules(run: Run) -> list[Watched]:
    """Each rule over the run: what tests tell of it, and the sum outside them, whichever counts more breaches."""
    found: dict[str, Watched] = {}
    for test in run.everything:
        for doc in test.rules:
            one = found.setdefault(doc.rule, Watched(doc, doc.state))
            if _rank(doc) < _rank(one.doc):
                one.doc, one.state = doc, doc.state
            one.count = max(one.count, doc.count) if test is run.outside else one.count + doc.count
            if doc.state == "broken" and (test is not run.outside or not one.where):
                one.where.append(test.index)
    return sorted(found.values(), key=lambda one: (_rank(one.doc), one.doc.rule))


def _settle_requirement(run: Run, asked: Asked) -> None:
    doc = asked.doc
    words: list[Outcome] = [judged.verdict for _, judged in asked.judged]
    seen = {judged.quantity for _, judged in asked.judged}
    if asked.in_scope:
        asked.open = [row.quantity for row in doc.rows if row.quantity not in seen]
    tests_judging = {value.test for value, _ in asked.judged}
    for index in asked.tests:
        test = run.tests[index]
        if index not in tests_judging and test.outcome in ("INVALID", "ERROR"):
            words.append("INVALID")
            asked.reasons.append(f"{test.name}: {test.outcome}, {test.reason or 'no reason given'}")
        elif index not in tests_judging and test.outcome == "NOT RUN" and not asked.judged:
            asked.reasons.append(f"{test.name}: {test.reason or 'not run'}")
    for watched in run.rules.values():
        if watched.state == "broken" and watched.doc.duty == "charger" and doc.id in watched.doc.requirements:
            words.append("FAIL")
            asked.reasons.append(f"rule {watched.doc.rule} broken: {watched.doc.message}")
    asked.reasons += [one.reason for one in run.not_run if one.subject == "requirement" and one.id == doc.id]
    if doc.not_run:
        asked.reasons.append(doc.not_run)
    elif not asked.judged and not asked.reasons:
        asked.reasons.append(_silence(run, asked))
    if asked.judged and asked.open:
        words.append("NOT RUN")
        asked.reasons.append(f"no verdict on {', '.join(asked.open)}")
    asked.reasons = list(dict.fromkeys(asked.reasons))
    asked.judged.sort(key=lambda pair: (-SEVERITY.index(pair[1].verdict), pair[0].n))
    asked.verdict = worst(words)


def _silence(run: Run, asked: Asked) -> str:
    """Why nobody judged it, where nobody said so."""
    if asked.tests:
        return "no verdict came from its tests"
    if not asked.doc.selected:
        return "no selected test verifies it"
    ended = run.stop is not None and run.stop.status == "completed"
    return "no test of this run verified it" if ended else "the run ended before a test of it began"


def _overall(run: Run) -> Outcome:
    # A test that was not run leaves its mark on the requirements it was to judge, where they are in scope at all.
    words: list[Outcome] = [one.verdict for one in run.in_scope]
    words += [test.outcome for test in run.tests if test.outcome != "NOT RUN"]
    # A duty of the rig's own car may be broken on purpose; where it was not, its test says INVALID.
    words += [word for one in run.rules.values() if (word := rule_verdict(one)) == "FAIL"]
    if run.reading.flaw or run.seal or run.unsafe:
        words.append("INVALID")
    if run.stop is None or run.stop.status != "completed":
        words.append("NOT RUN")
    found = worst(words)
    return "INVALID" if found == "ERROR" else found
