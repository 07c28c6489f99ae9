"""Standing: public evidence in, rates with their uncertainty out. Pure; method `standing-1`.

Intervals are the confidence sequences of `reputation.confidence` over counts decayed with a
half-life of 14 days; with decayed counts they hold at each fixed time ("indicative"). No rate is
given under 20 units. Rank and filter by a lower bound, never by an estimate.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from reputation.confidence import confidence_sequence
from reputation.tallies import METHOD, Fact, Key, State, Tally, fold, weight

FEWEST_UNITS = 20
CONFIDENCE = 0.95


@dataclass(frozen=True, kw_only=True)
class DimensionStanding:
    """One dimension of one agent version, to be shown. Rates are basis points.

    Under 20 units `is_new` is true and there is no rate at all. The rates rest on decayed counts:
    age widens the interval and never moves the estimate by itself. `status` compares the interval
    with the floor: `met` above it, `breached` below it, else `undetermined`.
    """

    agent_id: str
    version_id: str
    dimension: str
    units: int
    passes: int
    failures: int
    verdicts: int
    decayed_passes: float
    decayed_failures: float
    estimate_bps: int | None
    lower_bps: int | None
    upper_bps: int | None
    promise_bps: int
    floor_bps: int
    status: str
    is_new: bool
    first_evidence_at: datetime
    last_evidence_at: datetime
    age: timedelta
    method: str = METHOD


def describe(key: Key, tally: Tally, *, now: datetime) -> DimensionStanding:
    """The tally as people read it at `now`: estimate, 95 % interval, units, age, version."""
    units, scale = tally.passes + tally.failures, weight(now)
    passes, failures = tally.decayed_passes / scale, tally.decayed_failures / scale
    is_new = units < FEWEST_UNITS
    lower, upper = (None, None) if is_new else _interval(passes, failures, CONFIDENCE)
    return DimensionStanding(
        **key._asdict(),
        units=units,
        passes=tally.passes,
        failures=tally.failures,
        verdicts=tally.verdicts,
        decayed_passes=passes,
        decayed_failures=failures,
        estimate_bps=None if is_new else _share(tally.decayed_passes, tally.decayed_failures),
        lower_bps=lower,
        upper_bps=upper,
        promise_bps=tally.promise_bps,
        floor_bps=tally.floor_bps,
        status=_status(lower, upper, tally.floor_bps),
        is_new=is_new,
        first_evidence_at=tally.first_at,
        last_evidence_at=tally.last_at,
        age=now - tally.last_at,
    )


def _share(passes: int, failures: int) -> int:
    total = passes + failures
    return (2 * 10_000 * passes + total) // (2 * total)


# Counts decay by the hour, so within one the same question comes again on every page.
@lru_cache(maxsize=8192)
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

    `overall_bps` is the weighted mean of the estimates and `lower_bps` of the lower bounds, each
    bound at confidence 1 - 0.05/D so that all D hold together. `capped_by` names the breached
    dimension with the lowest estimate; neither `shown_bps` (of the overall) nor `score_bps` (of the
    lower bound: rank and filter by it) exceeds that estimate. All are None while every dimension is
    new. `status` is `breached` if any dimension is, `met` if all are, else `undetermined`.
    """

    overall_bps: int | None
    lower_bps: int | None
    shown_bps: int | None
    score_bps: int | None
    capped_by: str | None
    status: str
    units: int


def combine(
    dimensions: Iterable[DimensionStanding], *, weights: Mapping[str, int] | None = None
) -> Composite:
    """The composite of one version's dimensions. A dimension without a weight weighs 1."""
    every = sorted(dimensions, key=lambda one: one.dimension)
    proven = [(one, one.estimate_bps) for one in every if one.estimate_bps is not None]
    breached = [(bps, one.dimension) for one, bps in proven if one.status == "breached"]
    cap, capped_by = min(breached, default=(None, None))
    shares = [(weights or {}).get(one.dimension, 1) for one, _ in proven]
    overall = _mean([bps for _, bps in proven], shares)
    lower = _mean([_joint_lower(one, len(proven)) for one, _ in proven], shares)
    return Composite(
        overall_bps=overall,
        lower_bps=lower,
        shown_bps=_capped(overall, cap),
        score_bps=_capped(lower, cap),
        capped_by=capped_by,
        status=_joint_status([one.status for one in every]),
        units=sum(one.units for one in every),
    )


def _joint_lower(one: DimensionStanding, dimensions: int) -> int:
    confidence = 1 - (1 - CONFIDENCE) / dimensions
    return _interval(one.decayed_passes, one.decayed_failures, confidence)[0]


def _mean(values: list[int], weights: list[int]) -> int | None:
    total = sum(weights)
    return sum(v * w for v, w in zip(values, weights, strict=True)) // total if total else None


def _capped(value: int | None, cap: int | None) -> int | None:
    return value if value is None or cap is None else min(value, cap)


def _joint_status(statuses: list[str]) -> str:
    if "breached" in statuses:
        return "breached"
    return "met" if statuses and set(statuses) == {"met"} else "undetermined"


def standing(facts: Iterable[Fact], *, now: datetime) -> dict[str, dict[str, DimensionStanding]]:
    """Envelopes in log order → version id → dimension → standing, by this module alone."""
    found: dict[str, dict[str, DimensionStanding]] = {}
    for key, tally in fold(State(), facts).tallies.items():
        found.setdefault(key.version_id, {})[key.dimension] = describe(key, tally, now=now)
    return found
