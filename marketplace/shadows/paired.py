"""A candidate against what is hired, call by call: better, worse or undetermined. Pure.

STATISTICS section 5, "regression vs previous version": a pair gives d = (x_new − x_old + 1) / 2 in
[0, 1]. Worse: the breach side of `gm-dyadic-1` against "the mean of d is at least ½·(1 − δ)", δ
the drop that would not matter. Better: the met side against "the mean of d is at most ½". Both
are e-processes, so the verdict holds however often one looks; the first line crossed decides.

Each line of a comparison takes its part of the risk: half goes to the whole (the weighted mean of
a call's clauses), the other half in equal parts to the clauses. The candidate is worse where the
whole is, or any critical clause; better where the whole is and no clause is worse.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from reputation.confidence import MET_FRACTIONS, METHOD, WIDE_FRACTIONS, Evidence, reaches

Outcome = Literal["better", "worse", "undetermined"]
Pair = Mapping[str, tuple[float, float]]  # clause → (hired, candidate)

WHOLE = ""
METHOD_ID = f"paired-{METHOD}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One clause's weight in the whole, and whether it is critical."""

    clause: str
    weight_bps: int
    critical: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line: the mean difference (candidate − hired, in [−1, 1]) with the interval it lies in
    at every look, and the verdict. `decided_at` is the pair that crossed a line first."""

    clause: str
    pairs: int
    hired: float
    candidate: float
    difference: float
    low: float
    high: float
    outcome: Outcome
    decided_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What all pairs say. `findings` begin with the whole."""

    outcome: Outcome
    findings: tuple[Finding, ...]


class _Line:
    """One comparison fed pair by pair."""

    def __init__(self, clause: str, *, tolerance: float, risk: float) -> None:
        self.clause, self.risk = clause, risk
        no_worse = 0.5 * (1 - tolerance)
        self._worse = Evidence(promise=no_worse, floor=no_worse)
        self._better = Evidence(promise=0.5, floor=0.5)
        self.pairs, self.hired, self.candidate = 0, 0.0, 0.0
        self._seen: Counter[float] = Counter()
        self.outcome: Outcome = "undetermined"
        self.decided_at: int | None = None

    def add(self, hired: float, candidate: float) -> None:
        difference = (candidate - hired + 1) / 2
        self._worse.add(difference)
        self._better.add(difference)
        self._seen[difference] += 1
        self.pairs += 1
        self.hired += hired
        self.candidate += candidate
        if self.decided_at is None:
            self._look()

    def _look(self) -> None:
        worse = reaches(self._worse.ln_e_breach, risk=self.risk)
        if worse or reaches(self._better.ln_e_met, risk=self.risk):
            self.outcome = "worse" if worse else "better"
            self.decided_at = self.pairs

    def finding(self) -> Finding:
        n = self.pairs
        low, high = interval(self._seen)
        return Finding(
            clause=self.clause,
            pairs=n,
            hired=self.hired / n if n else 0.0,
            candidate=self.candidate / n if n else 0.0,
            difference=(self.candidate - self.hired) / n if n else 0.0,
            low=2 * low - 1,
            high=2 * high - 1,
            outcome=self.outcome,
            decided_at=self.decided_at,
        )


def interval(seen: Mapping[float, int], *, confidence: float = 0.95) -> tuple[float, float]:
    """The mean of values in [0, 1], each seen so often, at every look: STATISTICS section 2, the
    confidence sequence of bounded values. Their order plays no part. (0, 1) without any."""
    risk = (1 - confidence) / 2

    def is_above(mean: float) -> bool:
        return reaches(_ln_mean(seen, MET_FRACTIONS, lambda x: (x - mean) / mean), risk=risk)

    def is_below(rest: float) -> bool:
        mean = 1 - rest
        return reaches(_ln_mean(seen, WIDE_FRACTIONS, lambda x: (mean - x) / rest), risk=risk)

    return _last(is_above), 1 - _last(is_below)


def _ln_mean(
    seen: Mapping[float, int], fractions: Sequence[float], payoff: Callable[[float], float]
) -> float:
    """Log of the mean wealth of these bets on all values."""
    wealths = [
        sum(count * _ln(1 + fraction * payoff(value)) for value, count in seen.items() if count)
        for fraction in fractions
    ]
    top = max(wealths)
    if math.isinf(top):
        return top
    return top + math.log(math.fsum(math.exp(one - top) for one in wealths) / len(wealths))


def _ln(x: float) -> float:
    return math.log(x) if x > 1e-300 else -math.inf


def _last(holds: Callable[[float], bool]) -> float:
    """The largest m in (0, 1) where a decreasing predicate holds, by bisection; 0 if nowhere."""
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


def compare(
    pairs: Sequence[Pair], clauses: Sequence[Compared], *, tolerance: float, alpha: float
) -> Comparison:
    """What the pairs say, in their order. A pair counts for the clauses both sides decided.

    `tolerance` is δ in [0, 1), `alpha` the risk of a wrong "worse", and of a wrong "better".
    """
    whole = _Line(WHOLE, tolerance=tolerance, risk=alpha / 2)
    each = {
        one.clause: _Line(one.clause, tolerance=tolerance, risk=alpha / 2 / len(clauses))
        for one in clauses
    }
    weights = {one.clause: one.weight_bps or 1 for one in clauses}
    for pair in pairs:
        decided = {clause: both for clause, both in pair.items() if clause in each}
        if not decided:
            continue
        share = sum(weights[clause] for clause in decided)
        sides = [
            sum(weights[clause] * both[side] for clause, both in decided.items()) / share
            for side in (0, 1)
        ]
        whole.add(*(min(1.0, max(0.0, value)) for value in sides))
        for clause, both in decided.items():
            each[clause].add(*both)
    lines = [whole, *each.values()]
    critical = {one.clause for one in clauses if one.critical}
    return Comparison(
        outcome=_together(whole, each, critical), findings=tuple(one.finding() for one in lines)
    )


def _together(whole: _Line, each: Mapping[str, _Line], critical: set[str]) -> Outcome:
    if whole.outcome == "worse" or any(each[key].outcome == "worse" for key in critical):
        return "worse"
    nowhere_worse = all(line.outcome != "worse" for line in each.values())
    return "better" if whole.outcome == "better" and nowhere_worse else "undetermined"
