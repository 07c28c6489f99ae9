"""What the market shows: offers with their evidence, and per kind of work the two orders."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Prefetch
from django.utils.translation import gettext as _

from marketplace import finding
from marketplace.models import BenchmarkClaim, Listing
from marketplace.pages.charts import Slope, slopes
from marketplace.pages.rates import Rate, rate_of_standing
from marketplace.weakening import stricter_among
from pacts.models import ClauseVerdict, PactVersion
from reputation import queries
from reputation.queries import AgentStanding
from settlement.models import FINAL, Escrow
from settlement.reasons import REASONS

MOST_STORIES = 6
MOST_IN_STORY = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One offer: its benchmark claim and its standing, side by side and never blended."""

    listing: Listing
    claim: BenchmarkClaim | None
    standing: AgentStanding
    rates: list[Rate]
    stricter: PactVersion | None = None  # the earlier pact that promised more, if one did

    @property
    def name(self) -> str:
        return self.listing.agent.name

    @property
    def lower(self) -> int | None:
        """What to rank by: the lower bound of everything promised, in basis points."""
        return self.standing.composite.score_bps

    @property
    def units(self) -> int:
        """How much was measured, over every dimension."""
        return self.standing.composite.units

    @property
    def newest(self) -> datetime | None:
        """When something was last measured."""
        return max((rate.measured_at for rate in self.rates if rate.measured_at), default=None)

    @property
    def is_new(self) -> bool:
        """Under 20 units in every dimension."""
        return self.lower is None

    @property
    def is_provisional(self) -> bool:
        """Measured, but by buyers whose weight is not earned yet: ranks below every vouched one."""
        return not self.is_new and not self.standing.composite.is_vouched


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What happened to the money of an agent's last settled hire, and why."""

    card: Card
    escrow: Escrow
    sentence: str
    verdict: str
    because: list[ClauseVerdict]


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One kind of work: who leads on benchmarks, who on the pact, and who got paid."""

    work: str
    by_benchmark: list[Card]
    by_pact: list[Card]
    slopes: list[Slope]
    rows: int
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def disagrees(self) -> bool:
        """Whether the two orders name different leaders."""
        return bool(self.by_pact) and self.by_benchmark[0].name != self.by_pact[0].name


def listings_in(ids: Sequence[str]) -> list[Listing]:
    """These listings, in this order, with all that a card needs except the standing."""
    claims = BenchmarkClaim.objects.order_by("-measured_on", "-recorded_at")
    rows = (
        Listing.objects.filter(pk__in=ids)
        .select_related("agent__builder", "agent_version", "pact_version")
        .prefetch_related(Prefetch("agent_version__benchmark_claims", queryset=claims))
        .in_bulk()
    )
    return [rows[key] for key in ids if key in rows]


def cards_of(listings: Iterable[Listing], *, now: datetime) -> list[Card]:
    """Cards with their standings, which are read in one query."""
    rows = list(listings)
    found = queries.standings_of(
        versions={row.agent_version_id: row.agent_id for row in rows}, now=now
    )
    stricter = stricter_among(row.pact_version for row in rows)
    return [
        _card(row, found[row.agent_version_id], stricter.get(row.pact_version_id)) for row in rows
    ]


def _card(listing: Listing, standing: AgentStanding, stricter: PactVersion | None) -> Card:
    number = listing.agent_version.number
    rates = [rate_of_standing(one, version=number) for one in standing.dimensions.values()]
    return Card(
        listing=listing,
        claim=next(iter(listing.agent_version.benchmark_claims.all()), None),
        standing=standing,
        rates=sorted(rates, key=lambda rate: rate.name),
        stricter=stricter,
    )


def by_pact(cards: Iterable[Card]) -> list[Card]:
    """Vouched ones first, each by its lower bound; offers without a number last."""
    return sorted(
        cards,
        key=lambda card: (
            card.is_new,
            -(card.standing.composite.rank or 0),
            card.name,
        ),
    )


def leaders() -> dict[str, list[str]]:
    """Listings by kind of work, for kinds with two benchmark claims or more: the highest first."""
    kinds = finding.best_claimed(MOST_IN_STORY).items()
    return dict([(work, best) for work, best in kinds if len(best) > 1][:MOST_STORIES])


def stories(leading: Mapping[str, Sequence[str]], cards: Mapping[str, Card]) -> list[Story]:
    """Per kind of work the two orders and the money; `cards` by listing."""
    found = {key for keys in leading.values() for key in keys}
    outcomes = _outcomes([cards[key] for key in sorted(found & set(cards))]) if found else {}
    return [
        _story(work, [cards[key] for key in keys if key in cards], outcomes)
        for work, keys in leading.items()
    ]


def _story(work: str, ranked: list[Card], outcomes: dict[str, Outcome]) -> Story:
    proven = by_pact([card for card in ranked if not card.is_new])
    order = [*proven, *[card for card in ranked if card.is_new]]
    found = [outcomes[c.listing.agent_id] for c in order if c.listing.agent_id in outcomes]
    return Story(
        work=work,
        by_benchmark=ranked,
        by_pact=order,
        slopes=slopes([c.name for c in ranked], [c.name for c in proven]),
        rows=len(ranked),
        outcomes=found,
    )


def _outcomes(cards: Sequence[Card]) -> dict[str, Outcome]:
    """Agent id → its last settled hire, in three queries whatever the number of agents."""
    agent = "milestone__engagement__agent_version__agent_id"
    rows = (
        Escrow.objects.filter(
            state__in=FINAL, **{f"{agent}__in": [c.listing.agent_id for c in cards]}
        )
        .select_related("verdict", "milestone__engagement__agent_version")
        .prefetch_related("verdict__clauses")
        .order_by(agent, "-settled_at", "-id")
        .distinct(agent)
    )
    escrows = {row.milestone.engagement.agent_version.agent_id: row for row in rows}
    return {
        card.listing.agent_id: _outcome(card, escrows[card.listing.agent_id])
        for card in cards
        if card.listing.agent_id in escrows
    }


def why_of(escrow: Escrow) -> str:
    """Why the money went where it went; a measured share of nothing is said plainly."""
    if escrow.reason == "breach_prorated" and not escrow.earned_share_bps:
        return _("The breach was not cured, and with a critical promise broken nothing was earned.")
    reason = REASONS.get(escrow.reason)
    return reason.sentence if reason else ""


def _outcome(card: Card, escrow: Escrow) -> Outcome:
    verdict = escrow.verdict
    clauses = list(verdict.clauses.all()) if verdict else []
    deciding = verdict.outcome if verdict else ""
    return Outcome(
        card=card,
        escrow=escrow,
        sentence=why_of(escrow),
        verdict=deciding,
        because=[clause for clause in clauses if clause.outcome == deciding != "met"],
    )
