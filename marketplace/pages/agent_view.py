"""What an agent's page shows to everybody: promise, standing, claims, and how its hires went."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Prefetch, QuerySet

from marketplace.hiring import timers_of
from marketplace.models import BenchmarkClaim, FindingReply, Listing
from marketplace.pages.market_view import why_of
from marketplace.pages.promises import ClauseText, Offer, clause_texts
from marketplace.pages.rates import Rate, rate_of_standing
from marketplace.policy import Policy
from marketplace.replies import newest_of
from pacts import terms
from pacts.models import (
    Agent,
    AgentVersion,
    ClauseVerdict,
    Evaluation,
    ImportedRun,
    PactVersion,
    Verdict,
)
from pacts.procedure import limits
from pacts.signatures import holds
from reputation import queries
from reputation.queries import AgentStanding
from settlement.models import FINAL, Escrow

MOST_HIRES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class PactText:
    """A published pact as a page shows it."""

    version: PactVersion
    terms: terms.PactTerms
    clauses: list[ClauseText]
    signature_holds: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Hire:
    """One settled hire, without anything that belongs to its buyer."""

    escrow: Escrow
    verdict: Verdict | None
    clauses: list[ClauseVerdict]
    sentence: str
    reply: FindingReply | None = None  # the builder's own words on it

    @property
    def failing(self) -> list[ClauseVerdict]:
        """Clauses with units that failed, worst first."""
        return sorted((c for c in self.clauses if c.failures), key=lambda c: -c.failures)


def agents() -> QuerySet[Agent]:
    """Agents with what their page needs of the builder and the offer."""
    return Agent.objects.select_related("builder").prefetch_related(
        Prefetch("listing", Listing.objects.select_related("agent_version", "pact_version")),
        Prefetch("versions", AgentVersion.objects.order_by("-number")),
    )


def listing_of(agent: Agent) -> Listing | None:
    """The agent's offer, if there is one."""
    found: Listing | None = getattr(agent, "listing", None)
    return found


def pact_of(agent: Agent) -> PactText | None:
    """The pact on offer, else the newest published one."""
    listing = listing_of(agent)
    rows = PactVersion.objects.select_related("pact", "signature__key")
    found = (
        rows.get(pk=listing.pact_version_id)
        if listing
        else rows.filter(pact__agent=agent, published_at__isnull=False).order_by("-number").first()
    )
    return pact_text(found) if found else None


def pact_text(version: PactVersion) -> PactText:
    """A pact version, parsed and put into sentences."""
    parsed = terms.parse(version.terms)
    return PactText(
        version=version,
        terms=parsed,
        clauses=clause_texts(parsed),
        signature_holds=bool(version.signature and holds(version.signature)),
    )


def offer_of(listing: Listing, *, held: Policy) -> Offer:
    """A listing's price and clocks, under the policy that a hire would be held to."""
    timers = timers_of(listing)
    small = limits.track(amount=listing.price, currency=listing.currency, rules=held.rules)
    return Offer(
        price=listing.price,
        currency=listing.currency,
        fee_bps=held.fee_bps,
        work_seconds=timers.work_seconds,
        evaluation_seconds=timers.evaluation_seconds,
        acceptance_seconds=timers.acceptance_seconds,
        cure_seconds=timers.cure_seconds,
        max_revisions=listing.max_revisions,
        funding_seconds=held.funding_seconds,
        fee_bands=tuple(held.fee_bands_in(listing.currency)),
        bond=listing.bond,
        answering=held.rules.small if small == "small" else held.rules.full,
    )


def standing_of(agent: Agent, *, now: datetime) -> tuple[AgentStanding, list[Rate]]:
    """The standing of the version on offer, else of the one with the newest evidence."""
    listing = listing_of(agent)
    found = queries.standing_of(
        agent_id=agent.id, version_id=listing.agent_version_id if listing else None, now=now
    )
    numbers = {version.id: version.number for version in agent.versions.all()}
    rates = [
        rate_of_standing(one, version=numbers.get(one.version_id))
        for one in found.dimensions.values()
    ]
    return found, sorted(rates, key=lambda rate: rate.name)


def claims_of(agent: Agent) -> QuerySet[BenchmarkClaim]:
    """Every benchmark claim of the agent, newest first, with the version it was made for."""
    rows = BenchmarkClaim.objects.filter(agent_version__agent=agent)
    return rows.select_related("agent_version").order_by("-measured_on", "-recorded_at")


def imported_runs_of(agent: Agent) -> QuerySet[ImportedRun]:
    """The newest runs brought from elsewhere."""
    rows = ImportedRun.objects.filter(agent_version__agent=agent)
    return rows.select_related("agent_version")[:MOST_HIRES]


def hires_of(agent: Agent) -> list[Hire]:
    """The newest settled hires with their verdicts."""
    rows = (
        Escrow.objects.filter(state__in=FINAL, milestone__engagement__agent_version__agent=agent)
        .select_related("verdict__evaluation__agent_version", "milestone__task_set_version")
        .prefetch_related("verdict__clauses")
        .order_by("-settled_at", "-id")[:MOST_HIRES]
    )
    judged = list(rows)
    said = newest_of(row.verdict.evaluation_id for row in judged if row.verdict)
    return [_hire(row, said) for row in judged]


def _hire(escrow: Escrow, said: Mapping[str, FindingReply]) -> Hire:
    return Hire(
        escrow=escrow,
        verdict=escrow.verdict,
        clauses=list(escrow.verdict.clauses.all()) if escrow.verdict else [],
        sentence=why_of(escrow),
        reply=said.get(escrow.verdict.evaluation_id) if escrow.verdict else None,
    )


def running_of(agent: Agent) -> int:
    """How many evaluations for money are under way."""
    return Evaluation.objects.filter(
        agent_version__agent=agent,
        purpose=Evaluation.Purpose.MILESTONE,
        state=Evaluation.State.RUNNING,
    ).count()
