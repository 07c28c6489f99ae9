"""From checks' answers to a clause's verdict; `pacts.conclusions` combines a pact's clauses.

A clause with the `propensity` estimand is judged by two betting e-processes
(`reputation.confidence`): the promise is breached when the evidence against "the rate is at least
the promise" reaches 1/alpha, met when the evidence against "the rate is at most the floor" reaches
1/beta. Whatever is neither is undetermined, and said so.

What closes a window: the first crossing in the order of units latches. A breach latches at once,
because the evidence stands however often one looks. A met pays only when the window is closed and
its whole counts still show it; where both lines were crossed, the clause is `marginal`.
A clause with the `realized` estimand counts a census: passes / units against the promise, exactly.

Errors and nulls are never folded into pass or fail. Above the clause's error budget, or with more
than 2 % of units null, the verdict is undetermined whatever the counts say.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from pacts.checks import CHECKS
from pacts.scales import PLAIN, Scale, interval
from pacts.terms import WHOLE, Clause
from reputation.confidence import METHOD, Evidence, ValueOutOfRange, confidence_sequence, reaches

Status = Literal["met", "breached", "undetermined"]

CENSUS = "census-1"
NULL_BUDGET_BPS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ClauseCounts:
    """What a clause saw in one window. `passes` and `failures` are sums of values over units
    (whole numbers when every value is 0 or 1); the rest count units that decided nothing."""

    passes: float = 0
    failures: float = 0
    errors: int = 0
    nulls: int = 0
    skipped: int = 0
    not_applicable: int = 0

    @property
    def units(self) -> int:
        """Units that decided something."""
        return round(self.passes + self.failures)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClauseVerdict:
    """One clause's verdict and everything needed to recompute it.

    `status` is what counts; `live` is what the counts alone say now. `first_crossing` is the
    number of units seen when either line was first crossed. `estimate`, `low` and `high` are
    rates (95 % at every look); None when nothing was decided or the method has no such figure.
    """

    key: str
    status: Status
    live: Status
    marginal: bool
    reason: str
    counts: ClauseCounts
    estimate: float | None
    low: float | None
    high: float | None
    ln_e_met: float | None
    ln_e_breach: float | None
    first_crossing: int | None
    method: str


@dataclass(slots=True)
class _Looks:
    """The evidence after every unit, and where it first crossed a line."""

    evidence: Evidence  # carried into [0, 1], promise and floor included
    met_at: int | None = None
    breached_at: int | None = None
    units: int = field(default=0)

    def add(self, value: float, clause: Clause) -> None:
        self.evidence.add(value)
        self.units += 1
        # A value above the mean a side bets against only lowers that side's wealth, so nothing can
        # be crossed then: looking at the other side alone finds the same first crossings.
        if (
            self.breached_at is None
            and value < self.evidence.promise
            and reaches(self.evidence.ln_e_breach, risk=clause.alpha)
        ):
            self.breached_at = self.units
        if (
            self.met_at is None
            and value > self.evidence.floor
            and reaches(self.evidence.ln_e_met, risk=clause.beta)
        ):
            self.met_at = self.units

    @property
    def first(self) -> int | None:
        return min((at for at in (self.met_at, self.breached_at) if at is not None), default=None)

    @property
    def breached_first(self) -> bool:
        return self.breached_at is not None and self.breached_at == self.first


class Tally:
    """One clause over one window, fed unit by unit in the order of events.

    What it holds does not grow with the number of units. Values come on the clause's own scale,
    carried into [0, 1]; what it says of them is on the scale of people.
    """

    def __init__(self, clause: Clause) -> None:
        """Raises RateOutOfRange for a propensity clause promising 0 or 100 %."""
        self.clause = clause
        self.units = self.errors = self.nulls = self.skipped = self.not_applicable = 0
        self._whole = 0
        self._parts = Fraction(0)
        self._scale = scale_of(clause)
        self._seen: Counter[float] = Counter()  # of a scale of its own: few distinct values
        self._looks = (
            _Looks(_evidence(clause, self._scale)) if clause.estimand == "propensity" else None
        )

    def add(self, value: float) -> None:
        """One deciding unit, in [0, 1]. Raises ValueOutOfRange."""
        _check_value(value)
        self.units += 1
        if value in (0, 1):
            self._whole += int(value)
        else:
            self._parts += Fraction(value)
        if self._scale != PLAIN:
            self._seen[round(value, 9)] += 1
        if self._looks is not None:
            self._looks.add(value, self.clause)

    @property
    def total(self) -> Fraction:
        """The sum of the figures as people read them; at least 0 and at most the units."""
        carried = self._whole + self._parts
        if self._scale == PLAIN:
            return carried
        low, high = Fraction(self._scale.low), Fraction(self._scale.high)
        figures = round(low * self.units + carried * (high - low), 9)  # carrying is not exact
        return min(Fraction(self.units), max(Fraction(0), figures))

    @property
    def counts(self) -> ClauseCounts:
        return ClauseCounts(
            passes=_plain(self.total),
            failures=_plain(self.units - self.total),
            errors=self.errors,
            nulls=self.nulls,
            skipped=self.skipped,
            not_applicable=self.not_applicable,
        )

    @property
    def decided(self) -> Status | None:
        """The status that more units would not be asked for: a breach that latched, or a met that
        latched and that the whole counts and the budgets still show. None while undecided, and
        always for a census, which counts every unit."""
        if self._looks is None or self._looks.first is None:
            return None
        if _over_budget(self.clause, self.counts):
            return None
        live = _live(self._looks.evidence, self.clause, breach_wins=self._looks.breached_first)
        status, _ = _decide(self.clause, self._looks, live, True)
        latched = self._looks.breached_first if status == "breached" else status == "met"
        return status if latched else None

    def verdict(self, *, closed: bool = True, most_units: int | None = None) -> ClauseVerdict:
        """What these units come to; arguments as of `judge_clause`."""
        if self._looks is None:
            return _census(self.clause, self.units, self.total, self.counts, closed, most_units)
        bounds = None if self._scale == PLAIN else interval(self._seen, self._scale)
        return _propensity(self.clause, self._looks, self.counts, closed, bounds)


def judge_clause(
    *,
    clause: Clause,
    values: Sequence[float],
    errors: int = 0,
    nulls: int = 0,
    skipped: int = 0,
    not_applicable: int = 0,
    closed: bool = True,
    most_units: int | None = None,
) -> ClauseVerdict:
    """Judge one clause over one window.

    `values` are the deciding units in the order of events, each in [0, 1]. `closed` says that no
    more will come. `most_units` caps the window of a realized clause, so that a breach can be
    certain early; a clause over N calls caps itself. Raises ValueOutOfRange for a value outside
    [0, 1] and RateOutOfRange for a propensity clause promising 0 or 100 %.
    """
    tally = Tally(clause)
    for value in values:
        tally.add(value)
    tally.errors, tally.nulls = errors, nulls
    tally.skipped, tally.not_applicable = skipped, not_applicable
    return tally.verdict(closed=closed, most_units=most_units)


def judge_counts(*, clause: Clause, counts: ClauseCounts) -> Status:
    """The live status from counts alone (two integers suffice): what the evidence says now."""
    evidence = Evidence(promise=clause.promise, floor=clause.floor)
    evidence.passes, evidence.failures = round(counts.passes), round(counts.failures)
    return _live(evidence, clause, breach_wins=True)


def _plain(total: Fraction) -> float:
    return int(total) if total.denominator == 1 else float(total)


def scale_of(clause: Clause) -> Scale:
    """The scale a clause's values live on, as its check says."""
    check = CHECKS.get(clause.check)
    return check.scale(clause.params, clause.promise) if check else PLAIN


def _evidence(clause: Clause, scale: Scale) -> Evidence:
    return Evidence(promise=scale.inward(clause.promise), floor=scale.inward(clause.floor))


def _propensity(
    clause: Clause,
    looks: _Looks,
    counts: ClauseCounts,
    closed: bool,
    bounds: tuple[float, float] | None = None,
) -> ClauseVerdict:
    live = _live(looks.evidence, clause, breach_wins=looks.breached_first)
    status, why = _over_budget(clause, counts) or _decide(clause, looks, live, closed)
    low, high = bounds or confidence_sequence(passes=counts.passes, failures=counts.failures)
    return ClauseVerdict(
        key=clause.key,
        status=status,
        live=live,
        marginal=looks.met_at is not None and looks.breached_at is not None,
        reason=_reason(clause, counts, why, (low, high)),
        counts=counts,
        estimate=_estimate(counts),
        low=low if looks.units else None,
        high=high if looks.units else None,
        ln_e_met=looks.evidence.ln_e_met,
        ln_e_breach=looks.evidence.ln_e_breach,
        first_crossing=looks.first,
        method=METHOD,
    )


def _decide(clause: Clause, looks: _Looks, live: Status, closed: bool) -> tuple[Status, str]:
    """The latch, and the rule that a met pays only on the whole closed window."""
    if looks.breached_first:
        return "breached", f"the promise was shown broken at unit {looks.breached_at}"
    if live == "breached":
        return "breached", "the whole window shows the promise broken"
    if live == "undetermined":
        return "undetermined", "the evidence shows neither that it was kept nor that it was broken"
    if not closed:
        return "undetermined", "kept so far; the window is still open"
    if looks.units < clause.min_count:
        return "undetermined", f"kept so far, but fewer than the {clause.min_count} units agreed"
    return "met", "the rate is shown to be above the floor"


def _live(evidence: Evidence, clause: Clause, *, breach_wins: bool) -> Status:
    met = reaches(evidence.ln_e_met, risk=clause.beta)
    breached = reaches(evidence.ln_e_breach, risk=clause.alpha)
    if met and breached:
        return "breached" if breach_wins else "met"
    if breached:
        return "breached"
    return "met" if met else "undetermined"


def _census(
    clause: Clause,
    units: int,
    total: Fraction,
    counts: ClauseCounts,
    closed: bool,
    most_units: int | None,
) -> ClauseVerdict:
    live, why = _census_status(clause, units, total, closed, most_units)
    status, why = _over_budget(clause, counts) or (live, why)
    estimate = _estimate(counts)
    return ClauseVerdict(
        key=clause.key,
        status=status,
        live=live,
        marginal=False,
        reason=_reason(clause, counts, why, None),
        counts=counts,
        estimate=estimate,
        low=estimate,
        high=estimate,
        ln_e_met=None,
        ln_e_breach=None,
        first_crossing=None,
        method=CENSUS,
    )


def _census_status(
    clause: Clause, units: int, total: Fraction, closed: bool, most_units: int | None
) -> tuple[Status, str]:
    cap = most_units
    if cap is None and clause.window and clause.window.kind == "calls":
        cap = clause.window.size
    allowed = Fraction(WHOLE - clause.promise_bps, WHOLE)
    if cap is not None and units - total > allowed * cap:
        return "breached", f"too many failures for any {cap} units"
    if not closed:
        return "undetermined", "the window is still open"
    if units < max(clause.min_count, 1):
        return "undetermined", f"fewer than the {max(clause.min_count, 1)} units agreed"
    if units - total > allowed * units:
        return "breached", "every unit was counted, and too many failed"
    return "met", "every unit was counted, and enough passed"


def _check_value(value: float) -> None:
    if not 0 <= value <= 1:
        raise ValueOutOfRange(f"{value!r} is not within [0, 1]")


def _over_budget(clause: Clause, counts: ClauseCounts) -> tuple[Status, str] | None:
    tried = counts.units + counts.errors
    if counts.errors * WHOLE > clause.error_budget_bps * tried:
        return "undetermined", f"{counts.errors} of {tried} checks ended in an error"
    tried = counts.units + counts.nulls
    if counts.nulls * WHOLE > NULL_BUDGET_BPS * tried:
        return "undetermined", f"{counts.nulls} of {tried} units came to nothing"
    return None


def _estimate(counts: ClauseCounts) -> float | None:
    return counts.passes / counts.units if counts.units else None


def _reason(
    clause: Clause, counts: ClauseCounts, why: str, interval: tuple[float, float] | None
) -> str:
    units = f"{clause.unit}s" if counts.units != 1 else clause.unit
    if not counts.units:
        return f"No {clause.unit} decided anything: {why}."
    seen = f"{counts.passes:g} of {counts.units} {units} ({_estimate(counts) or 0:.1%})"
    if interval is None:
        return f"{seen} against a promise of {clause.promise:.2%}: {why}."
    low, high = interval
    return (
        f"{seen}, somewhere from {low:.1%} to {high:.1%}, against a promise of "
        f"{clause.promise:.2%} and a floor of {clause.floor:.2%}: {why}."
    )
