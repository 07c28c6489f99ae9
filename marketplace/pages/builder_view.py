"""What the builder's desk shows, and the text a new pact starts from."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Prefetch, Q, QuerySet, Sum
from django.utils.translation import gettext as _

from marketplace.models import Listing
from pacts import terms
from pacts.models import Agent, AgentVersion, Evaluation, PactVersion, Party
from reputation import queries
from reputation.queries import AgentStanding
from settlement.models import FINAL, Escrow

MOST_RUNS = 20
STARTER: dict[str, Any] = {
    "version": terms.VERSION,
    "title": "What this agent promises",
    "summary": "Say in a sentence or two what the agent does and for whom.",
    "scope": {
        "in": ["Name the tasks it takes on"],
        "out": ["Name the tasks it declines"],
    },
    "clauses": [
        {
            "key": "accuracy",
            "title": "The answer is right",
            "dimension": "accuracy",
            "check": "equality",
            "params": {"field": "answer", "expected_field": "answer"},
            "promise_bps": 9000,
            "floor_bps": 8000,
            "window": {"kind": "milestone"},
            "weight_bps": 7000,
            "severity": "critical",
            "on_undetermined": "human_review",
            "consequence": "withhold",
            "owner": "builder",
            "review_cadence_days": 30,
        },
        {
            "key": "answer-time",
            "title": "95 of 100 answers arrive within a second",
            "dimension": "speed",
            "check": "latency",
            "params": {"limit_ms": 1000},
            "promise_bps": 9500,
            "floor_bps": 9000,
            "window": {"kind": "milestone"},
            "weight_bps": 3000,
            "on_undetermined": "prorate",
            "consequence": "reduce",
            "owner": "builder",
            "review_cadence_days": 30,
        },
    ],
    "on_breach": "refund",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentRow:
    """One agent on the desk: how far it is, and what its builder should do next."""

    agent: Agent
    listing: Listing | None
    standing: AgentStanding | None
    has_pact: bool

    @property
    def version(self) -> int:
        """The number of the version whose standing it is: the newest."""
        return self.agent.versions.all()[0].number

    @property
    def measured_at(self) -> datetime | None:
        """When something was last measured."""
        found = self.standing.dimensions.values() if self.standing else []
        return max((one.last_evidence_at for one in found), default=None)

    @property
    def next_step(self) -> str:
        if self.agent.control_proved_at is None:
            return _("Prove that you control its endpoint")
        if not self.has_pact:
            return _("Publish a pact")
        return "" if self.listing else _("List it")


def agents_of(party: Party) -> QuerySet[Agent]:
    """The party's agents with their versions, pacts and offers."""
    pacts = PactVersion.objects.filter(agreed_at=None).select_related("pact").order_by("-number")
    return (
        Agent.objects.filter(builder=party)
        .select_related("builder")
        .prefetch_related(
            Prefetch("versions", AgentVersion.objects.order_by("-number")),
            Prefetch("pacts__versions", pacts),
            Prefetch("listing", Listing.objects.select_related("agent_version", "pact_version")),
        )
        .order_by("name")
    )


def rows_of(party: Party, *, now: datetime) -> list[AgentRow]:
    """Every agent of the party with its standing."""
    agents = list(agents_of(party))
    newest = {a.versions.all()[0].id: a.id for a in agents if a.versions.all()}
    standings = {
        one.agent_id: one for one in queries.standings_of(versions=newest, now=now).values()
    }
    return [
        AgentRow(
            agent=agent,
            listing=getattr(agent, "listing", None),
            standing=standings.get(agent.id),
            has_pact=any(v.published_at for v in pact_versions_of(agent)),
        )
        for agent in agents
    ]


def runs_of(agent: Agent) -> QuerySet[Evaluation]:
    """The newest concluded runs its builder may look into: its own, and those of hires."""
    hired = Q(deliverable__milestone__engagement__builder=agent.builder)
    rows = Evaluation.objects.filter(agent_version__agent=agent, verdict__isnull=False)
    rows = rows.filter(Q(requested_by=agent.builder) | hired)
    return rows.select_related("agent_version", "verdict").order_by("-concluded_at")[:MOST_RUNS]


def pact_versions_of(agent: Agent) -> list[PactVersion]:
    """Drafts and published versions, newest first."""
    return [version for pact in agent.pacts.all() for version in pact.versions.all()]


def earnings_of(party: Party) -> list[Mapping[str, Any]]:
    """Per currency: what was released to the builder, net of fees, and how many hires paid."""
    rows = Escrow.objects.filter(milestone__engagement__builder=party, state__in=FINAL)
    sums = {name: Sum(name) for name in ("released", "fee", "refunded")}
    return [*rows.order_by("currency").values("currency").annotate(**sums)]


def templates_for(agent: Agent) -> QuerySet[PactVersion]:
    """Published pacts of the same kind of work, to start from."""
    return (
        PactVersion.objects.filter(pact__agent__work=agent.work, published_at__isnull=False)
        .select_related("pact__agent")
        .order_by("-published_at")[:20]
    )
