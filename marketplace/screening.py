"""Benchmarks held against pacts: do claims foretell who keeps promises, and whom do buyers follow?

Two numbers side by side, never one: a benchmark's claim and what settled work showed.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from marketplace.models import BenchmarkClaim, HireChoice, Listing
from marketplace.ranks import Agreement, agreement
from pacts.models import Engagement
from reputation.models import StandingScore, VersionRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Screened:
    """One agent version with both numbers: its newest claim, and how often its pact was kept."""

    listing: Listing
    claim: BenchmarkClaim
    met: int
    breached: int

    @property
    def claim_bps(self) -> int:
        return self.claim.score_bps

    @property
    def compliance_bps(self) -> int:
        """Verdicts that were met, of those that were met or breached."""
        return 10_000 * self.met // (self.met + self.breached)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """How hires stood to the two orders, of those where the orders named different leaders.

    `benchmark`: a better-proven agent was passed over for a higher claim. `pact`: the reverse.
    """

    hires: int
    comparable: int
    disagreed: int
    benchmark: int
    pact: int

    @property
    def benchmark_share(self) -> float | None:
        """The share of hires that followed the benchmark against the pact."""
        return self.benchmark / self.disagreed if self.disagreed else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Screening:
    """One kind of work."""

    work: str
    agents: list[Screened]
    agreement: Agreement
    choices: Choices


def screenings() -> list[Screening]:
    """Every kind of work in which somebody has both numbers or was hired, by name."""
    agents: dict[str, list[Screened]] = defaultdict(list)
    for one in _screened():
        agents[one.listing.agent.work].append(one)
    choices = _choices()
    return [
        Screening(
            work=work,
            agents=sorted(agents[work], key=lambda one: -one.claim_bps),
            agreement=agreement(
                [one.claim_bps for one in agents[work]],
                [one.compliance_bps for one in agents[work]],
            ),
            choices=choices.get(
                work, Choices(hires=0, comparable=0, disagreed=0, benchmark=0, pact=0)
            ),
        )
        for work in sorted({*agents, *choices})
    ]


def note_choice(*, engagement: Engagement, listing: Listing, now: datetime) -> HireChoice:
    """Record where a listing stood in both orders at the moment it was hired."""
    rated = _rated(listing.agent.work)
    own = rated.filter(pk=listing.pk).values_list("claim_bps", "rank").first()
    places: tuple[int | None, int | None] = (None, None)
    if own:
        places = (
            1 + rated.filter(claim_bps__gt=own[0]).count(),
            1 + rated.filter(rank__gt=own[1]).count(),
        )
    return HireChoice.objects.create(
        engagement=engagement,
        listing=listing,
        work=listing.agent.work,
        rated=rated.count(),
        by_benchmark=places[0],
        by_pact=places[1],
        chosen_at=now,
    )


def _rated(work: str) -> "QuerySet[Any]":  # with columns that no model has
    """Open listings of a kind of work that have a claim and a rank, with both as columns."""
    ranks = StandingScore.objects.filter(version_id=OuterRef("agent_version_id"))
    return (
        Listing.objects.filter(agent__work=work, state=Listing.State.OPEN)
        .annotate(claim_bps=_newest_claim(), rank=Subquery(ranks.values("rank")[:1]))
        .filter(claim_bps__isnull=False, rank__isnull=False)
    )


def _newest_claim() -> Subquery:
    claims = BenchmarkClaim.objects.filter(agent_version_id=OuterRef("agent_version_id"))
    return Subquery(claims.order_by("-measured_on", "-recorded_at").values("score_bps")[:1])


def _screened() -> list[Screened]:
    listings = Listing.objects.select_related("agent").filter(
        Exists(BenchmarkClaim.objects.filter(agent_version_id=OuterRef("agent_version_id")))
    )
    rows = {listing.agent_version_id: listing for listing in listings}
    claims = BenchmarkClaim.objects.filter(agent_version_id__in=rows)
    newest = {c.agent_version_id: c for c in claims.order_by("measured_on", "recorded_at")}
    records = VersionRecord.objects.filter(version_id__in=rows).filter(
        Q(met__gt=0) | Q(breached__gt=0)
    )
    return [
        Screened(
            listing=rows[record.version_id],
            claim=newest[record.version_id],
            met=record.met,
            breached=record.breached,
        )
        for record in records
    ]


def _choices() -> dict[str, Choices]:
    """By kind of work. A hire is comparable where two listings or more had both numbers."""
    found: dict[str, list[HireChoice]] = defaultdict(list)
    for row in HireChoice.objects.all().iterator():
        found[row.work].append(row)
    return {work: _count(rows) for work, rows in found.items()}


def _count(rows: list[HireChoice]) -> Choices:
    comparable = [row for row in rows if row.rated > 1 and row.by_pact and row.by_benchmark]
    apart = [row for row in comparable if row.by_pact != row.by_benchmark]
    return Choices(
        hires=len(rows),
        comparable=len(comparable),
        disagreed=len(apart),
        benchmark=sum((row.by_benchmark or 0) < (row.by_pact or 0) for row in apart),
        pact=sum((row.by_pact or 0) < (row.by_benchmark or 0) for row in apart),
    )
