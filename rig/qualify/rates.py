"""How sure a count of rare events is: the exact bound of a binomial rate."""

from __future__ import annotations

from scipy.special import betaincinv

from rig.errors import UseError


def upper_bound(events: int, trials: int, confidence: float = 0.95) -> float:
    """One-sided upper bound of the rate behind `events` in `trials` independent trials (Clopper and Pearson 1934). 1
    without a trial. With no event in n trials it is close to 3/n at 95 %."""
    if not 0 <= events <= trials or not 0.0 < confidence < 1.0:
        raise UseError(f"upper_bound({events}, {trials}, {confidence}): 0 <= events <= trials, 0 < confidence < 1")
    return 1.0 if events == trials else float(betaincinv(events + 1, trials - events, confidence))
