"""A measured number as pages show it: never without its interval, units, age and version."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from pacts.models import ClauseVerdict
from reputation.standing import FEWEST_UNITS, DimensionStanding


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Rates in basis points. `estimate` is None while there are too few units to say."""

    name: str
    estimate: int | None
    low: int | None
    high: int | None
    units: int
    failures: int
    status: str
    promise: int | None = None
    floor: int | None = None
    measured_at: datetime | None = None
    age: timedelta | None = None
    version: int | None = None

    @property
    def is_new(self) -> bool:
        """Too few units for a number."""
        return self.estimate is None

    @property
    def needed(self) -> int:
        """Units it takes before there is a number."""
        return FEWEST_UNITS


def rate_of_standing(found: DimensionStanding, *, version: int | None = None) -> Rate:
    """One dimension of a standing; `version` is the agent version's number."""
    return Rate(
        name=found.dimension,
        estimate=found.estimate_bps,
        low=found.lower_bps,
        high=found.upper_bps,
        units=found.units,
        failures=found.failures,
        status=found.status,
        promise=found.promise_bps,
        floor=found.floor_bps,
        measured_at=found.last_evidence_at,
        age=found.age,
        version=version,
    )


def rate_of_clause(found: ClauseVerdict, *, now: datetime, version: int | None = None) -> Rate:
    """One clause of a verdict, as measured in that one evaluation."""
    at = found.verdict.concluded_at
    return Rate(
        name=found.title,
        estimate=_bps(found.estimate),
        low=_bps(found.low),
        high=_bps(found.high),
        units=round(found.passes + found.failures),
        failures=round(found.failures),
        status=found.outcome,
        promise=found.promise_bps,
        floor=found.floor_bps,
        measured_at=at,
        age=now - at,
        version=version,
    )


def _bps(share: float | None) -> int | None:
    return None if share is None else round(share * 10_000)
