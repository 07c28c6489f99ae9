"""Standing: public evidence in, rates with their uncertainty out. Pure; method `standing-2`.

Intervals are the confidence sequences of `reputation.confidence` over counts decayed with a
half-life of 14 days; with decayed counts they hold at each fixed time ("indicative"). No rate is
given under 20 units. Rank and filter by a lower bound, never by an estimate.

A rate rests on what credible buyers vouch for (`reputation.credibility`) as soon as that is 20
units; until then on everything measured, and then the standing is provisional and ranks below every
vouched one. Hidden tasks of the platform's own (canaries) cap both: what buyers' tasks say beyond
the upper bound of what the hidden ones say does not count, whoever the buyers are.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from reputation.ageing import weight
from reputation.confidence import confidence_sequence
from reputation.fold import State, fold
from reputation.tallies import METHOD, Fact, Key, Tally

FEWEST_UNITS = 20
CONFIDENCE = 0.95
VOUCHED = 10_001  # what a vouched standing ranks above every provisional one


@dataclass(frozen=True, kw_only=True)
class DimensionStanding:
    """One dimension of one agent version, to be shown. Rates are basis points.

    Under 20 units `is_new` is true and there is no rate at all. The rates rest on decayed counts
    (`counted_*`): those that buyers vouch for when `is_vouched`, else everything measured. Age
    widens the interval and never moves the estimate by itself. `status` compares the interval with
    the floor: `met` above it, `breached` below it, else `undetermined`. `trend_bps` is how far the
    recent rate (half-life 14 days) lies above the rate of all time.
    """

    agent_id: str
    version_id: str
    dimension: str
    units: int
    passes: int
    failures: int
    verdicts: int
    buyers: int
    decayed_passes: float
    decayed_failures: float
    counted_passes: float
    counted_failures: float
    credited_units: float
    canary_units: float
    estimate_bps: int | None
    lower_bps: int | None
    upper_bps: int | None
    trend_bps: int | None
    promise_bps: int
    floor_bps: int
    status: str
    is_new: bool
    is_vouched: bool
    capped_by_canaries: bool
    canary_upper_bps: int
    first_evidence_at: datetime
    last_evidence_at: datetime
    age: timedelta
    method: str = METHOD


def describe(key: Key, tally: Tally, *, now: datetime) -> DimensionStanding:
    """The tally as people read it at `now`: estimate, 95 % interval, units, age, version."""
    units, scale = tally.passes + tally.failures, weight(max(now, tally.last_at))
    credited = tally.credited_passes + tally.credited_failures
    vouched = credited >= FEWEST_UNITS * scale * 1000
    counts = (tally.decayed_passes, tally.decayed_failures, scale)
    if vouched:
        counts = (tally.credited_passes, tally.credited_failures, scale * 1000)
    passes, failures = counts[0] / counts[2], counts[1] / counts[2]
    is_new, most = units < FEWEST_UNITS, _canary_upper(tally, scale)
    low, high = (None, None) if is_new else _interval(passes, failures, CONFIDENCE)
    estimate = None if is_new else _share(counts[0], counts[1])
    return DimensionStanding(
        **key._asdict(),
        units=units,
        passes=tally.passes,
        failures=tally.failures,
        verdicts=tally.verdicts,
        buyers=tally.buyers,
        decayed_passes=tally.decayed_passes / scale,
        decayed_failures=tally.decayed_failures / scale,
        counted_passes=passes,
        counted_failures=failures,
        credited_units=credited / scale / 1000,
        canary_units=(tally.canary_passes + tally.canary_failures) / scale,
        estimate_bps=_capped(estimate, most),
        lower_bps=_capped(low, most),
        upper_bps=_capped(high, most),
        trend_bps=None if is_new else _trend(tally),
        promise_bps=tally.promise_bps,
        floor_bps=tally.floor_bps,
        status=_status(_capped(low, most), _capped(high, most), tally.floor_bps),
        is_new=is_new,
        is_vouched=vouched and not is_new,
        capped_by_canaries=high is not None and most < high,
        canary_upper_bps=most,
        first_evidence_at=tally.first_at,
        last_evidence_at=tally.last_at,
        age=now - tally.last_at,
    )


def _canary_upper(tally: Tally, scale: int) -> int:
    """Wilson's upper bound (1927) at one standard error, basis points; 10,000 without canaries.

    Narrow on purpose: it only ever lowers, and it must bite after a few hires, not after hundreds.
    """
    n = (tally.canary_passes + tally.canary_failures) / scale
    if not n:
        return 10_000
    share = tally.canary_passes / scale / n
    spread = math.sqrt(share * (1 - share) / n + 1 / (4 * n * n))
    return math.ceil(10_000 * min(1.0, (share + 1 / (2 * n) + spread) / (1 + 1 / n)))


def _trend(tally: Tally) -> int:
    recent = _share(tally.decayed_passes, tally.decayed_failures)
    return recent - _share(tally.passes, tally.failures)


def _share(passes: int, failures: int) -> int:
    total = passes + failures
    return (2 * 10_000 * passes + total) // (2 * total)


# Counts decay by the hour, so within one the same question comes again on every page.
@lru_cache(maxsize=32768)
def _interval(passes: float, failures: float, confidence: float) -> tuple[int, int]:
    low, high = confidence_sequence(passes=passes, failures=failures, confidence=confidence)
    return int(low * 10_000), -int(-high * 10_000 // 1)


def _status(lower: int | None, upper: int | None, floor: int) -> str:
    if lower is not None and lower >= floor:
        return "met"
    return "breached" if upper is not None and upper < floor else "undetermined"


@dataclass(frozen=True, kw_only=True)
class Composite:
    """All dimensions of one agent version in one number. Rates are basis points.

    `overall_bps` is the weighted mean of the estimates of proven dimensions, and `lower_bps` of the
    lower bounds of all of them (an unproven one has a low bound, never none), each at confidence
    1 - 0.05/D so that all D hold together; `upper_bps` likewise, of their upper bounds. `capped_by`
    names the breached dimension with the lowest estimate; `shown_bps` does not exceed it, nor does
    `upper_bps` its upper bound. `score_bps` exceeds the estimate of no dimension
    that is not met: a weakness need not be proven to rank by, else a fresh name would hide it until
    it is. All are None while every dimension is new. Rank by `rank`: vouched ones first, each by
    its `score_bps`. `status` is `breached` if any dimension is, `met` if all are, else
    `undetermined`. `confidence_bps` is 10,000 less the width of the widest interval.
    """

    overall_bps: int | None
    lower_bps: int | None
    upper_bps: int | None
    shown_bps: int | None
    score_bps: int | None
    capped_by: str | None
    status: str
    units: int
    is_vouched: bool
    vouched_units: int
    confidence_bps: int | None

    @property
    def rank(self) -> int | None:
        """What to order by, highest first; None orders last."""
        return None if self.score_bps is None else self.score_bps + VOUCHED * self.is_vouched


def combine(
    dimensions: Iterable[DimensionStanding],
    *,
    weights: Mapping[str, int] | None = None,
    is_stale: bool = False,
) -> Composite:
    """The composite of one version's dimensions. A dimension without a weight weighs 1. A stale
    one is met no more; its numbers stay, because whoever reports a change must not move ranks."""
    every = sorted(dimensions, key=lambda one: one.dimension)
    proven = [(one, one.estimate_bps) for one in every if one.estimate_bps is not None]
    breached = [(bps, one.dimension) for one, bps in proven if one.status == "breached"]
    cap, capped_by = min(breached, default=(None, None))
    doubt = min((_rate(one) for one in every if one.status != "met"), default=None)
    shares = {one.dimension: (weights or {}).get(one.dimension, 1) for one in every}
    overall = _mean([(bps, shares[one.dimension]) for one, bps in proven])
    bounds = {one.dimension: _joint_bounds(one, len(every)) for one in every}
    lower, upper = (
        _mean([(bounds[name][side], shares[name]) for name in bounds]) if proven else None
        for side in (0, 1)
    )
    status = _joint_status([one.status for one in every])
    return Composite(
        overall_bps=overall,
        lower_bps=lower,
        upper_bps=_capped(upper, bounds[capped_by][1] if capped_by else None),
        shown_bps=_capped(overall, cap),
        score_bps=_capped(lower, doubt),
        capped_by=capped_by,
        status="undetermined" if is_stale and status == "met" else status,
        units=sum(one.units for one in every),
        is_vouched=bool(every) and all(one.is_vouched for one in every),
        vouched_units=int(sum(one.credited_units for one in every if one.is_vouched)),
        confidence_bps=_confidence([one for one, _ in proven]),
    )


def _rate(one: DimensionStanding) -> int:
    """The estimate, also where it is too early to show one."""
    total = one.counted_passes + one.counted_failures
    return min(one.canary_upper_bps, int(10_000 * one.counted_passes / total) if total else 0)


def _joint_bounds(one: DimensionStanding, dimensions: int) -> tuple[int, int]:
    confidence = 1 - (1 - CONFIDENCE) / dimensions
    low, high = _interval(one.counted_passes, one.counted_failures, confidence)
    return min(low, one.canary_upper_bps), min(high, one.canary_upper_bps)


def _confidence(proven: list[DimensionStanding]) -> int | None:
    widths = [(one.upper_bps or 0) - (one.lower_bps or 0) for one in proven]
    return 10_000 - max(widths) if widths else None


def _mean(values: list[tuple[int, int]]) -> int | None:
    total = sum(weight for _, weight in values)
    return sum(value * weight for value, weight in values) // total if total else None


def _capped(value: int | None, cap: int | None) -> int | None:
    return value if value is None or cap is None else min(value, cap)


def _joint_status(statuses: list[str]) -> str:
    if "breached" in statuses:
        return "breached"
    return "met" if statuses and set(statuses) == {"met"} else "undetermined"


def standing(facts: Iterable[Fact], *, now: datetime) -> dict[str, dict[str, DimensionStanding]]:
    """Envelopes in log order → version id → dimension → standing, by this module alone."""
    return described(fold(State(), facts).tallies, now=now)


def described(
    tallies: Mapping[Key, Tally], *, now: datetime
) -> dict[str, dict[str, DimensionStanding]]:
    """Tallies → version id → dimension → standing."""
    found: dict[str, dict[str, DimensionStanding]] = {}
    for key, tally in tallies.items():
        found.setdefault(key.version_id, {})[key.dimension] = describe(key, tally, now=now)
    return found
