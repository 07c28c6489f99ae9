"""Up to four agents side by side: what benchmarks claim, what the log says; never one number."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _

from marketplace import policy
from marketplace.models import Listing
from marketplace.pages import agent_view, market_view
from marketplace.pages.compare_clauses import differing, price_notes
from marketplace.pages.market_view import Card
from marketplace.pages.promises import Offer, clause_texts
from marketplace.pages.rates import Rate
from marketplace.pages.visitors import now_of
from marketplace.pages.wording import percent, span
from pacts import terms
from pacts.terms import Clause, PactTerms

MOST = 4
LOOKED_AT = 20  # slugs in an address


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Those chosen for a comparison, carried by the address: names by slug, at most `MOST`.

    `dropped` counts those beyond.
    """

    names: Mapping[str, str]
    dropped: int = 0

    def added_to(self, query: str) -> str:
        """An address's query with the choice."""
        chosen = urlencode([("agent", slug) for slug in self.names])
        return "&".join(part for part in (query, chosen) if part)

    @property
    def removals(self) -> list[tuple[str, str, str]]:
        """Slug, name, and the choice without it as a query."""
        return [
            (slug, name, urlencode([("agent", other) for other in self.names if other != slug]))
            for slug, name in self.names.items()
        ]


def choice_in(asked: QueryDict) -> Choice:
    """Those that an address names and that are on offer, in its order."""
    slugs = list(dict.fromkeys(asked.getlist("agent")))[:LOOKED_AT]
    if not slugs:
        return Choice(names={})
    rows = Listing.objects.filter(agent__slug__in=slugs)
    names = dict(rows.values_list("agent__slug", "agent__name"))
    known = [slug for slug in slugs if slug in names]
    return Choice(
        names={slug: names[slug] for slug in known[:MOST]}, dropped=max(0, len(known) - MOST)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One agent: its card, its offer, and its promises."""

    card: Card
    offer: Offer
    terms: PactTerms
    without: str  # the address's query without this agent

    @property
    def clauses(self) -> Sequence[Clause]:
        """What its pact promises."""
        return self.terms.clauses

    @property
    def hands_over(self) -> str:
        """How long the work may take, in words."""
        return span(self.offer.work_seconds)

    def rate(self, dimension: str) -> Rate | None:
        """What the log says of one dimension; None if it says nothing."""
        return next((rate for rate in self.card.rates if rate.name == dimension), None)

    def promises(self, dimension: str) -> list[Clause]:
        """What its pact promises of one dimension."""
        return [clause for clause in self.clauses if clause.dimension == dimension]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One agent under one dimension."""

    rate: Rate | None
    promises: list[Clause]
    leads: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One dimension over all agents."""

    dimension: str
    cells: list[Cell]


def compare(request: HttpRequest) -> HttpResponse:
    """Those whose slugs the address names, in its order; fewer than two are asked for again."""
    slugs = list(dict.fromkeys(request.GET.getlist("agent")))
    columns = columns_of(slugs[:MOST], request)
    context = {
        "columns": columns,
        "rows": rows_of(columns),
        "sentences": disagreements(columns),
        "dropped": len(slugs) - min(len(slugs), MOST),
        "missing": min(len(slugs), MOST) - len(columns),
        "most": MOST,
        "prices": list(zip(columns, price_notes([one.offer for one in columns]), strict=True)),
        "pacts": differing([clause_texts(one.terms) for one in columns]),
        "query": request.GET.urlencode(),
    }
    return render(request, "market/compare.html", context)


def columns_of(slugs: Sequence[str], request: HttpRequest) -> list[Column]:
    """The agents on offer among these."""
    ids = dict(Listing.objects.filter(agent__slug__in=slugs).values_list("agent__slug", "pk"))
    listings = market_view.listings_in([ids[slug] for slug in slugs if slug in ids])
    now = now_of(request)
    cards, held = market_view.cards_of(listings, now=now), policy.at(now)
    return [
        Column(
            card=card,
            offer=agent_view.offer_of(card.listing, held=held),
            terms=terms.parse(card.listing.pact_version.terms),
            without=_without(request.GET, card.listing.agent.slug),
        )
        for card in cards
    ]


def _without(asked: QueryDict, slug: str) -> str:
    """The query of an address without one of the agents it names."""
    kept = asked.copy()
    kept.setlist("agent", [one for one in asked.getlist("agent") if one != slug])
    return kept.urlencode()


def rows_of(columns: Sequence[Column]) -> list[Row]:
    """Every dimension that somebody promises or was measured in; the leader by lower bound."""
    named = {clause.dimension for one in columns for clause in one.clauses}
    named |= {rate.name for one in columns for rate in one.card.rates}
    return [_row(dimension, columns) for dimension in sorted(named)]


def _row(dimension: str, columns: Sequence[Column]) -> Row:
    rates = [one.rate(dimension) for one in columns]
    lows = [rate.low for rate in rates if rate and rate.low is not None]
    best = max(lows) if len(lows) > 1 and lows.count(max(lows)) == 1 else None
    return Row(
        dimension=dimension,
        cells=[
            Cell(
                rate=rate,
                promises=one.promises(dimension),
                leads=best is not None and rate is not None and rate.low == best,
            )
            for one, rate in zip(columns, rates, strict=True)
        ],
    )


def disagreements(columns: Sequence[Column]) -> list[str]:
    """Where the claims and the log name different leaders, or cannot be held against each other."""
    claimed = [one for one in columns if one.card.claim]
    measured = [one for one in columns if one.card.lower is not None]
    said = []
    names = {one.card.claim.benchmark for one in claimed if one.card.claim}
    if len(names) > 1:
        said.append(
            _(
                "The claims are of different benchmarks, so their scores are not comparable "
                "with each other."
            )
        )
    if len(claimed) > 1 and len(measured) > 1 and len(names) == 1:
        said += _leaders(claimed, measured)
    said += [_below(one) for one in measured if _falls_short(one)]
    return said


def _leaders(claimed: Sequence[Column], measured: Sequence[Column]) -> list[str]:
    top = max(claimed, key=_claim)
    best = max(measured, key=lambda one: one.card.lower or 0)
    if top is best:
        return []
    return [
        _(
            "%(card)s leads on the benchmark. By what was measured on buyers’ own tasks, "
            "%(card2)s does."
        )
        % {"card": top.card.name, "card2": best.card.name}
    ]


def _claim(one: Column) -> int:
    return one.card.claim.score_bps if one.card.claim else 0


def _falls_short(one: Column) -> bool:
    """Whether the claim lies above everything that the measured rate could be."""
    highs = [rate.high for rate in one.card.rates if rate.high is not None]
    return bool(one.card.claim and highs and _claim(one) > max(highs))


def _below(one: Column) -> str:
    return _(
        "%(card)s claims %(claim)s; on settled work no dimension reaches that, "
        "whatever chance may have done."
    ) % {"card": one.card.name, "claim": percent(_claim(one), digits=1)}
