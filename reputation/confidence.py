"""Evidence that is valid at every look: method `gm-dyadic-1`.

Dyadic grid-mixture betting: each component is the likelihood ratio of one fixed alternative
against the hypothesis, so every mixture is a non-negative supermartingale that starts at 1, and
Ville's inequality gives P(ever ≥ 1/a) ≤ a. No fixed sample size, independence or identical
distribution is needed (Waudby-Smith and Ramdas, "Estimating means of bounded random variables
by betting", 2024).

Rates are floats strictly between 0 and 1. `passes` and `failures` may be real-valued where counts
are decayed by age. All results are natural logarithms unless said otherwise.
"""

import math
from collections.abc import Callable, Iterable, Sequence

METHOD = "gm-dyadic-1"
SLACK = 1e-12

Grid = tuple[tuple[float, float], ...]  # (fraction bet, weight); the weights sum to 1

MET_FRACTIONS = (1.0, 0.75, 0.5, 0.25, 0.125, 0.0625)
WIDE_FRACTIONS = tuple(2.0**-j for j in range(1, 14))


class RateOutOfRange(ValueError):
    """A rate that is not strictly between 0 and 1, or a floor above its promise."""


class ValueOutOfRange(ValueError):
    """An observed value outside [0, 1]."""


def met_grid(*, promise: float, floor: float) -> Grid:
    """The bets against "the mean is at most the floor"."""
    _check_rates(promise, floor)
    design = (promise - floor) / (1 - floor) if floor < promise else None
    return _mixture(MET_FRACTIONS, design)


def breach_grid(*, promise: float, floor: float) -> Grid:
    """The bets against "the mean is at least the promise"."""
    _check_rates(promise, floor)
    # The published vectors round a promise of exactly 0.8 (log2 = 5) up to six bets; the slack
    # makes that so on every machine instead of leaving it to the last bit of a division.
    size = max(4, math.ceil(math.log2(8 * promise / (1 - promise)) + SLACK))
    design = (promise - floor) / promise if floor < promise else None
    return _mixture(tuple(2.0**-j for j in range(1, size + 1)), design)


def ln_e_met(*, passes: float, failures: float, promise: float, floor: float) -> float:
    """Log evidence from counts that the rate is above the floor."""
    grid = met_grid(promise=promise, floor=floor)
    return _met_bets(floor, grid).ln_mean(passes, failures)


def ln_e_breach(*, passes: float, failures: float, promise: float, floor: float) -> float:
    """Log evidence from counts that the rate is below the promise."""
    grid = breach_grid(promise=promise, floor=floor)
    return _breach_bets(promise, grid).ln_mean(passes, failures)


def bounded_ln_e_met(values: Iterable[float], *, promise: float, floor: float) -> float:
    """The same for values in [0, 1]; equals `ln_e_met` when every value is 0 or 1."""
    stream = Evidence(promise=promise, floor=floor)
    for value in values:
        stream.add(value)
    return stream.ln_e_met


def bounded_ln_e_breach(values: Iterable[float], *, promise: float, floor: float) -> float:
    """The same for values in [0, 1]; equals `ln_e_breach` when every value is 0 or 1."""
    stream = Evidence(promise=promise, floor=floor)
    for value in values:
        stream.add(value)
    return stream.ln_e_breach


class Evidence:
    """Both e-processes fed one value in [0, 1] at a time.

    Zeros and ones are only counted, so a stream of them gives bit for bit what its counts give.
    """

    def __init__(self, *, promise: float, floor: float) -> None:
        self.promise = promise
        self.floor = floor
        self.passes = 0
        self.failures = 0
        self._met = _met_bets(floor, met_grid(promise=promise, floor=floor))
        self._breach = _breach_bets(promise, breach_grid(promise=promise, floor=floor))

    def add(self, value: float) -> None:
        """Raises ValueOutOfRange for anything outside [0, 1], NaN included."""
        if not 0 <= value <= 1:
            raise ValueOutOfRange(f"{value!r} is not within [0, 1]")
        if value == 1:
            self.passes += 1
        elif value == 0:
            self.failures += 1
        else:
            self._met.add((value - self.floor) / self.floor)
            self._breach.add((self.promise - value) / (1 - self.promise))

    @property
    def ln_e_met(self) -> float:
        return self._met.ln_mean(self.passes, self.failures)

    @property
    def ln_e_breach(self) -> float:
        return self._breach.ln_mean(self.passes, self.failures)


class _Bets:
    """One grid's log wealths: what a pass adds, what a failure adds, and what scores added."""

    def __init__(self, grid: Grid, *, up: float, down: float) -> None:
        self._fractions = [fraction for fraction, _ in grid]
        self._ln_weights = [math.log(weight) for _, weight in grid]
        self._per_pass = [_ln(1 + fraction * up) for fraction in self._fractions]
        self._per_failure = [_ln(1 + fraction * down) for fraction in self._fractions]
        self._scored = [0.0] * len(grid)

    def add(self, payoff: float) -> None:
        for j, fraction in enumerate(self._fractions):
            self._scored[j] += _ln(1 + fraction * payoff)

    def ln_mean(self, passes: float, failures: float) -> float:
        terms = [ln_w + won for ln_w, won in zip(self._ln_weights, self._scored, strict=True)]
        if passes:
            terms = [term + passes * each for term, each in zip(terms, self._per_pass, strict=True)]
        if failures:
            each_failure = zip(terms, self._per_failure, strict=True)
            terms = [term + failures * each for term, each in each_failure]
        top = max(terms)
        if math.isinf(top):
            return top
        return top + math.log(math.fsum(math.exp(term - top) for term in terms))


def reaches(ln_e: float, *, risk: float) -> bool:
    """Whether evidence is at least 1/risk, compared in logs with a slack of 1e-12."""
    return ln_e >= -math.log(risk) - SLACK


def confidence_sequence(
    *, passes: float, failures: float, confidence: float = 0.95
) -> tuple[float, float]:
    """The interval (low, high) that holds the rate at every look with the given confidence.

    Real-valued counts are allowed (decayed evidence); then it holds at each fixed time only.
    No evidence gives (0, 1). Raises ValueOutOfRange for negative counts.
    """
    if not (passes >= 0 and failures >= 0) or math.isinf(passes + failures):
        raise ValueOutOfRange("counts are finite and not negative")
    risk = (1 - confidence) / 2
    met, breach = _mixture(MET_FRACTIONS, None), _mixture(WIDE_FRACTIONS, None)
    low = _last_true(lambda m: reaches(_met_bets(m, met).ln_mean(passes, failures), risk=risk))
    high = 1 - _last_true(
        lambda q: reaches(_breach_bets(1 - q, breach).ln_mean(passes, failures), risk=risk)
    )
    return low, high


def pass_hat_k(*, trials: int, passes: int, k: int) -> float | None:
    """pass^k of one task: C(c, k) / C(n, k), unbiased for (task pass rate)^k; None when n < k."""
    _check_repeats(trials, passes, k)
    return None if trials < k else math.comb(passes, k) / math.comb(trials, k)


def pass_at_k(*, trials: int, passes: int, k: int) -> float | None:
    """pass@k of one task: 1 − C(n − c, k) / C(n, k); None when n < k."""
    _check_repeats(trials, passes, k)
    return None if trials < k else 1 - math.comb(trials - passes, k) / math.comb(trials, k)


def _check_rates(promise: float, floor: float) -> None:
    if not 0 < floor <= promise < 1:
        raise RateOutOfRange(f"need 0 < floor <= promise < 1, not {floor!r} and {promise!r}")


def _check_repeats(trials: int, passes: int, k: int) -> None:
    if k < 1 or not 0 <= passes <= trials:
        raise ValueOutOfRange(f"need k >= 1 and 0 <= passes <= trials, not {k}, {passes}, {trials}")


def _mixture(fractions: Sequence[float], design: float | None) -> Grid:
    share = 1 if design is None else 0.5
    grid = tuple((fraction, share / len(fractions)) for fraction in fractions)
    return grid if design is None else (*grid, (design, 0.5))


def _ln(x: float) -> float:
    return math.log(x) if x > 0 else -math.inf


def _met_bets(mean: float, grid: Grid) -> _Bets:
    return _Bets(grid, up=(1 - mean) / mean, down=-1)


def _breach_bets(mean: float, grid: Grid) -> _Bets:
    return _Bets(grid, up=-1, down=mean / (1 - mean))


def _last_true(holds: Callable[[float], bool]) -> float:
    """The largest m in [0, 1) where a decreasing predicate holds, by bisection; 0 if nowhere."""
    low, high = 0.0, 1.0
    for _ in range(48):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
