"""Scores kept for ranking, and the points a standing went through: computed, never decided, here.

A score is `reputation.standing.combine` at an hour. New evidence refreshes it in the transaction
that counts it; `refresh_due` refreshes whatever an hour has aged. Between two turns of the hour
nothing changes: `reputation.ageing.weight` steps by the hour.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from reputation.ageing import hour_of
from reputation.envelope import moment
from reputation.fold import Move
from reputation.models import Standing, StandingPoint, StandingScore, VersionRecord
from reputation.shelves import TALLIES
from reputation.standing import DimensionStanding, combine, describe
from reputation.tallies import Key

_FLUSH = 1000
_SCORED = [
    *("agent_id", "rank", "score_bps", "bounds"),
    *("is_vouched", "status", "units", "measured_at", "scored_at"),
]


class Moves:
    """Collects what moved standings, and writes it down as points."""

    def __init__(self) -> None:
        self.versions: set[str] = set()
        self._points: list[StandingPoint] = []

    def take(self, move: Move) -> None:
        """One move; many are written at once."""
        self.versions.add(move.key.version_id)
        self._points.append(_point(move))
        if len(self._points) >= _FLUSH:
            self.flush()

    def flush(self) -> None:
        """Write what was collected."""
        StandingPoint.objects.bulk_create(self._points)
        self._points = []


def forget() -> None:
    """Throw scores and points away, before everything is folded again."""
    StandingPoint.objects.all().delete()
    StandingScore.objects.all().delete()


def refresh(versions: Iterable[str], *, now: datetime) -> int:
    """Score these versions as of `now`'s hour; how many have a standing."""
    at = hour_of(now)
    dimensions: dict[str, list[DimensionStanding]] = defaultdict(list)
    rows = Standing.objects.filter(version_id__in=list(versions))
    for key, tally in TALLIES.read(rows).items():
        dimensions[key.version_id].append(describe(key, tally, now=at))
    stale = _stale(dimensions)
    StandingScore.objects.bulk_create(
        [_score(dimensions[one], at, is_stale=one in stale) for one in sorted(dimensions)],
        update_conflicts=True,
        unique_fields=["version_id"],
        update_fields=_SCORED,
        batch_size=_FLUSH,
    )
    return len(dimensions)


def refresh_due(*, now: datetime, limit: int = 500) -> int:
    """Score up to `limit` versions again whose hour has passed; how many. The oldest come first."""
    with transaction.atomic():
        due = StandingScore.objects.filter(scored_at__lt=hour_of(now)).order_by("scored_at")
        found = due.select_for_update(skip_locked=True).values_list("pk", flat=True)[:limit]
        return refresh(list(found), now=now)


def _stale(versions: Iterable[str]) -> set[str]:
    records = VersionRecord.objects.filter(version_id__in=list(versions)).exclude(changed_at="")
    return set(records.values_list("version_id", flat=True))


def _score(dimensions: list[DimensionStanding], at: datetime, *, is_stale: bool) -> StandingScore:
    whole, one = combine(dimensions, is_stale=is_stale), dimensions[0]
    return StandingScore(
        version_id=one.version_id,
        agent_id=one.agent_id,
        rank=whole.rank,
        score_bps=whole.score_bps,
        bounds={d.dimension: d.lower_bps for d in dimensions if d.lower_bps is not None},
        is_vouched=whole.is_vouched,
        status=whole.status,
        units=whole.units,
        measured_at=max(d.last_evidence_at for d in dimensions),
        scored_at=at,
    )


def _point(move: Move) -> StandingPoint:
    at, record = moment(move.at), move.record
    dimensions = [describe(Key(*key), tally, now=at) for key, tally in move.tallies.items()]
    whole = combine(dimensions, is_stale=record.is_stale)
    newest = max((one.last_evidence_at for one in dimensions), default=None)
    return StandingPoint(
        **move.key._asdict(),
        evidence_id=move.evidence_id,
        cause_id=move.cause_id,
        kind=move.kind,
        at=at,
        permille=move.permille,
        changes={name: list(counts) for name, counts in move.changes.items()},
        score_bps=whole.score_bps,
        shown_bps=whole.shown_bps,
        confidence_bps=whole.confidence_bps,
        is_vouched=whole.is_vouched,
        status=whole.status,
        units=whole.units,
        freshness_seconds=int((at - newest).total_seconds()) if newest else None,
        claim_bps=record.claim_bps,
        met=record.met,
        breached=record.breached,
        tasks=record.tasks,
        disputes=record.disputes,
    )
