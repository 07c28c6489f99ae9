"""Benchmarks held against pacts: do claims foretell who keeps promises, and whom do buyers follow?

Two numbers side by side, never one: a benchmark's claim and what settled work showed. A sweep
counts them (`count_again`) and what it counted is read often; a kind of work in which nothing
changed is not counted again.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, F, Q

from marketplace.models import HireChoice, Listing, SearchEntry
from marketplace.models import Screening as Row
from marketplace.ranks import Agreement, agreement
from pacts.models import Engagement

MOST_AGENTS = 50  # of one kind, on its page


@dataclass(frozen=True, slots=True, kw_only=True)
class Screened:
    """One agent version with both numbers: its newest claim, and how often its pact was kept."""

    agent: str
    agent_version: str
    slug: str
    name: str
    claim_bps: int
    benchmark: str
    measured_on: date
    contamination: str
    met: int
    breached: int

    @property
    def compliance_bps(self) -> int:
        """Verdicts that were met, of those that were met or breached."""
        return 10_000 * self.met // (self.met + self.breached)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """How hires stood to the two orders, of those where the orders named different leaders.

    `benchmark`: a better-proven agent was passed over for a higher claim. `pact`: the reverse.
    """

    hires: int = 0
    comparable: int = 0
    disagreed: int = 0
    benchmark: int = 0
    pact: int = 0

    @property
    def benchmark_share(self) -> float | None:
        """The share of hires that followed the benchmark against the pact."""
        return self.benchmark / self.disagreed if self.disagreed else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Screening:
    """One kind of work as of `counted_at`; `agents` are the first `MOST_AGENTS` by claim."""

    work: str
    agents: list[Screened]
    agreement: Agreement
    choices: Choices
    counted_at: datetime

    @property
    def more(self) -> int:
        """How many agents are counted beside those of `agents`."""
        return self.agreement.n - len(self.agents)


def screenings(*, works: Iterable[str] | None = None) -> list[Screening]:
    """Kinds of work in which somebody has both numbers or was hired, by name: all, or these."""
    rows = Row.objects.all()
    if works is not None:
        rows = rows.filter(work__in=list(works))
    return [_read(row) for row in rows]


def kinds() -> list[str]:
    """The kinds of work there is a screening of, by name."""
    return list(Row.objects.values_list("work", flat=True))


def note_choice(*, engagement: Engagement, listing: Listing, now: datetime) -> HireChoice:
    """Record where a listing stood in both orders of the market at the moment it was hired."""
    work = listing.agent.work
    rated = SearchEntry.objects.filter(work=work, claim_bps__isnull=False, rank__isnull=False)
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
        work=work,
        rated=rated.count(),
        by_benchmark=places[0],
        by_pact=places[1],
        chosen_at=now,
    )


def count_again(*, now: datetime) -> int:
    """Count every kind of work in which something changed; how many there were."""
    with transaction.atomic():
        kept = {row.work: row for row in Row.objects.select_for_update().order_by("work")}
        pairs, choices = _digests(), _choices()
        new = [work for work, digest in pairs.items() if _is_new(kept, work, digest)]
        screened = _screened(new)
        found = [
            _counted(work, pairs.get(work, ""), screened, choices.get(work, Choices()), kept, now)
            for work in sorted({*pairs, *choices})
        ]
        changed = [row for row in found if not _is_same(kept.get(row.work), row)]
        fields = [field.name for field in Row._meta.fields if not field.primary_key]
        Row.objects.bulk_create(
            changed, update_conflicts=True, unique_fields=["work"], update_fields=fields
        )
        Row.objects.exclude(work__in=[row.work for row in found]).delete()
    return len(changed)


def _read(row: Row) -> Screening:
    return Screening(
        work=row.work,
        agents=[
            Screened(**{**one, "measured_on": date.fromisoformat(one["measured_on"])})
            for one in row.agents
        ],
        agreement=Agreement(row.n, row.rho, row.p_value),
        choices=Choices(**{name: getattr(row, name) for name in Choices.__slots__}),
        counted_at=row.counted_at,
    )


def _is_new(kept: Mapping[str, Row], work: str, digest: str) -> bool:
    return work not in kept or kept[work].pairs != digest


def _is_same(before: Row | None, row: Row) -> bool:
    names = ("pairs", *Choices.__slots__)
    return before is not None and all(getattr(before, one) == getattr(row, one) for one in names)


def _counted(
    work: str,
    digest: str,
    screened: Mapping[str, list[Screened]],
    choices: Choices,
    kept: Mapping[str, Row],
    now: datetime,
) -> Row:
    row = Row(work=work, pairs=digest, n=0, counted_at=now, **asdict(choices))
    if work not in screened:
        before = kept.get(work)
        if before is not None and digest:
            row.agents, row.n = before.agents, before.n
            row.rho, row.p_value = before.rho, before.p_value
        return row
    agents = sorted(screened[work], key=lambda one: (-one.claim_bps, one.name, one.agent))
    found = agreement([one.claim_bps for one in agents], [one.compliance_bps for one in agents])
    row.n, row.rho, row.p_value = found.n, found.rho, found.p_value
    row.agents = [_written(one) for one in agents[:MOST_AGENTS]]
    return row


def _written(one: Screened) -> dict[str, Any]:
    return {**asdict(one), "measured_on": one.measured_on.isoformat()}


_PAIRS = """
  FROM reputation_versionrecord AS record
  JOIN marketplace_listing AS listing ON listing.agent_version_id = record.version_id
  JOIN pacts_agent AS agent ON agent.id = listing.agent_id
 CROSS JOIN LATERAL (
   SELECT id, score_bps, benchmark, measured_on, contamination
     FROM marketplace_benchmarkclaim AS claim
    WHERE claim.agent_version_id = listing.agent_version_id
    ORDER BY claim.measured_on DESC, claim.recorded_at DESC LIMIT 1) AS claim
 WHERE record.met + record.breached > 0"""


def _digests() -> dict[str, str]:
    """Kind of work → a digest of all its pairs."""
    one = "concat_ws(' ', listing.id, agent.name, claim.id, record.met, record.breached)"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT agent.work, md5(string_agg({one}, ' ' ORDER BY listing.id)) {_PAIRS} "
            "GROUP BY agent.work"
        )
        return dict(cursor.fetchall())


def _screened(works: list[str]) -> dict[str, list[Screened]]:
    """Kind of work → its agents with both numbers."""
    found: dict[str, list[Screened]] = defaultdict(list)
    names = list(Screened.__slots__)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT agent.work, agent.id, listing.agent_version_id, agent.slug, agent.name, "
            "claim.score_bps, claim.benchmark, claim.measured_on, claim.contamination, "
            f"record.met, record.breached {_PAIRS} AND agent.work = ANY(%s)",
            [works],
        )
        for work, *values in cursor:
            found[work].append(Screened(**dict(zip(names, values, strict=True))))
    return found


def _choices() -> dict[str, Choices]:
    """By kind of work. A hire is comparable where two listings or more had both numbers."""
    comparable = Q(rated__gt=1, by_pact__isnull=False, by_benchmark__isnull=False)
    counted = HireChoice.objects.values("work").annotate(
        hires=Count("pk"),
        comparable=Count("pk", filter=comparable),
        disagreed=Count("pk", filter=comparable & ~Q(by_pact=F("by_benchmark"))),
        benchmark=Count("pk", filter=comparable & Q(by_benchmark__lt=F("by_pact"))),
        pact=Count("pk", filter=comparable & Q(by_pact__lt=F("by_benchmark"))),
    )
    rows = counted.order_by("work").values_list("work", *Choices.__slots__)
    return {
        work: Choices(**dict(zip(Choices.__slots__, numbers, strict=True)))
        for work, *numbers in rows
    }
