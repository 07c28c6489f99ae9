"""The five signals of one agent version, and what moved them: each a number with its evidence.

Benchmark fit is a claim and stays apart; the other four follow from settled work alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from reputation.models import BuyerStanding, StandingPoint, VersionRecord
from reputation.queries import AgentStanding, standing_of

PER_HUNDRED = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """One version's signals at one moment; what is not known yet is None.

    `benchmark_fit_bps`: how near the latest benchmark claim is to what was measured, 10,000 less
    the distance. `compliance_bps`: met among the counted verdicts that were met or breached.
    `confidence_bps`: 10,000 less the width of the widest interval. `freshness`: the age of the
    newest counted evidence. `disputes_per_100`: disputes lost per 100 counted tasks.
    """

    agent_id: str
    version_id: str | None
    benchmark_fit_bps: int | None
    claim_bps: int | None
    compliance_bps: int | None
    confidence_bps: int | None
    freshness: timedelta | None
    disputes_per_100: float | None
    verdicts: int
    tasks: int
    rulings: int
    disputes: int
    evaluations_started: int
    evaluations_concluded: int
    own_evaluations: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BuyerRecord:
    """What the log says of a buyer, to be read before work for it is accepted. Rates in bps.

    `dispute_bps`: disputes per settled hire; `overturn_bps`: rulings that moved money its way among
    those on its disputes; `silence_bps`: settled hires it left to be accepted by the clock.
    """

    buyer_id: str
    hires: int
    disputes: int
    rulings: int
    upheld: int
    silences: int
    builders: int
    dispute_bps: int | None
    overturn_bps: int | None
    silence_bps: int | None


def signals_of(*, agent_id: str, version_id: str | None = None, now: datetime) -> Signals:
    """The signals of a version at `now`; without one, of the version with the newest evidence."""
    return signals_for(standing_of(agent_id=agent_id, version_id=version_id, now=now))


def signals_for(standing: AgentStanding) -> Signals:
    """The signals that belong to a standing already read."""
    rows = VersionRecord.objects.filter(
        agent_id=standing.agent_id, version_id=standing.version_id or ""
    )
    record = rows.first() or VersionRecord()
    ages = [one.age for one in standing.dimensions.values()]
    return Signals(
        agent_id=standing.agent_id,
        version_id=standing.version_id,
        benchmark_fit_bps=fit(record.claim_bps, standing.composite.shown_bps),
        claim_bps=record.claim_bps,
        compliance_bps=_share(record.met, record.met + record.breached),
        confidence_bps=standing.composite.confidence_bps,
        freshness=min(ages, default=None),
        disputes_per_100=per_hundred(record.disputes, record.tasks),
        verdicts=record.verdicts,
        tasks=record.tasks,
        rulings=record.rulings,
        disputes=record.disputes,
        evaluations_started=record.started,
        evaluations_concluded=record.concluded,
        own_evaluations=record.own_started,
    )


def fit(claim_bps: int | None, shown_bps: int | None) -> int | None:
    """How near a benchmark's claim is to what was measured, in basis points."""
    if claim_bps is None or shown_bps is None:
        return None
    return 10_000 - abs(claim_bps - shown_bps)


def per_hundred(disputes: int, tasks: int) -> float | None:
    """Disputes per 100 tasks."""
    return PER_HUNDRED * disputes / tasks if tasks else None


def points_of(
    *, agent_id: str, version_id: str | None = None, limit: int = 50, before: int | None = None
) -> Sequence[StandingPoint]:
    """What moved the agent's standings, newest first; every point names its evidence."""
    rows = StandingPoint.objects.filter(agent_id=agent_id)
    rows = rows.filter(version_id=version_id) if version_id else rows
    rows = rows.filter(pk__lt=before) if before else rows
    return list(rows.order_by("-id")[:limit])


def buyer_of(*, buyer_id: str) -> BuyerRecord:
    """What the log says of a buyer; zeros for one it does not know."""
    row = BuyerStanding.objects.filter(pk=buyer_id).first() or BuyerStanding(buyer_id=buyer_id)
    return BuyerRecord(
        buyer_id=buyer_id,
        hires=row.hires,
        disputes=row.disputes,
        rulings=row.rulings,
        upheld=row.upheld,
        silences=row.silences,
        builders=row.ties,
        dispute_bps=_share(row.disputes, row.hires),
        overturn_bps=_share(row.upheld, row.rulings),
        silence_bps=_share(row.silences, row.hires),
    )


def _share(part: int, whole: int) -> int | None:
    return 10_000 * part // whole if whole else None
