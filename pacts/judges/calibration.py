"""How far a jury may be believed, and when it may not move money. Pure.

A jury with sensitivity s (passes what people pass) and specificity c (fails what people fail) shows
an agent of true rate p the rate p·s + (1−p)·(1−c): its bias at p is that minus p. A clause decides
between its promise p0 and its floor p1, so the bias is looked at on both, and a jury whose bias is
beyond half their distance can turn the verdict round.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pacts.judges.votes import Said
from reputation.confidence import confidence_sequence

LEAST_LABELS = 200
MOST_ABSTAINED = 0.10
MOST_DAYS = 180


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Counts of (the jury's word, people's word) over answers that people decided."""

    pass_pass: int = 0
    pass_fail: int = 0
    fail_pass: int = 0
    fail_fail: int = 0
    abstained: int = 0

    @property
    def labels(self) -> int:
        return self.pass_pass + self.pass_fail + self.fail_pass + self.fail_fail + self.abstained


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A share with its 95 % confidence sequence; `point` is None where nothing was counted."""

    point: float | None
    low: float
    high: float
    counted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a calibration says of a jury."""

    sensitivity: Rate
    specificity: Rate
    abstained: float

    def bias(self, rate: float) -> float | None:
        """What the jury adds to a true rate; None where people passed, or failed, nothing."""
        return _bias(self.sensitivity.point, self.specificity.point, rate)

    def bias_range(self, rate: float) -> tuple[float, float]:
        """The bias at the ends of both confidence sequences."""
        lowest = _bias(self.sensitivity.low, self.specificity.high, rate)
        highest = _bias(self.sensitivity.high, self.specificity.low, rate)
        return lowest or 0.0, highest or 0.0


def figures(counts: Agreement) -> Figures:
    """Sensitivity and specificity with confidence sequences."""
    return Figures(
        sensitivity=_rate(counts.pass_pass, counts.fail_pass),
        specificity=_rate(counts.fail_fail, counts.pass_fail),
        abstained=counts.abstained / counts.labels if counts.labels else 0.0,
    )


def refusal(counts: Agreement, *, promise: float, floor: float) -> str | None:
    """Why a jury may not decide a clause between these rates, with the arithmetic; else None."""
    if counts.labels < LEAST_LABELS:
        return (
            f"the jury is calibrated on {counts.labels} labels of people, "
            f"and at least {LEAST_LABELS} are needed"
        )
    found = figures(counts)
    if found.abstained > MOST_ABSTAINED:
        return f"the jury abstained on {found.abstained:.1%} of what people decided; at most 10 %"
    if found.sensitivity.point is None or found.specificity.point is None:
        return "people must have passed some answers and failed some, or nothing can be compared"
    allowed = (promise - floor) / 2
    for name, rate in (("promise", promise), ("floor", floor)):
        bias = found.bias(rate)
        if bias is not None and abs(bias) > allowed + 1e-12:
            return _arithmetic(found, name, rate, bias, promise - floor)
    return None


def cohens_kappa(pairs: Sequence[tuple[Said, Said]]) -> float | None:
    """Agreement of two raters beyond chance (Cohen, 1960): (po − pe) / (1 − pe). None without
    pairs, and where chance alone would make them agree on everything."""
    if not pairs:
        return None
    count = len(pairs)
    observed = sum(a == b for a, b in pairs) / count
    chance = sum(
        sum(a == said for a, _ in pairs) * sum(b == said for _, b in pairs) / count**2
        for said in ("pass", "fail", "abstain")
    )
    return None if chance >= 1 else (observed - chance) / (1 - chance)


def _bias(sensitivity: float | None, specificity: float | None, rate: float) -> float | None:
    if sensitivity is None or specificity is None:
        return None
    return rate * sensitivity + (1 - rate) * (1 - specificity) - rate


def _rate(right: int, wrong: int) -> Rate:
    low, high = confidence_sequence(passes=right, failures=wrong)
    counted = right + wrong
    return Rate(point=right / counted if counted else None, low=low, high=high, counted=counted)


def _arithmetic(found: Figures, name: str, rate: float, bias: float, distance: float) -> str:
    sensitivity, specificity = found.sensitivity.point or 0.0, found.specificity.point or 0.0
    return (
        f"at the {name} of {rate:.2%} the jury shows {rate:.4f} × {sensitivity:.4f} + "
        f"{1 - rate:.4f} × {1 - specificity:.4f} = {rate + bias:.2%}, so its bias is {bias:+.2%}; "
        f"the clause allows half of promise minus floor, ±{distance / 2:.2%}"
    )
