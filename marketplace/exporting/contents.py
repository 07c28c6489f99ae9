"""What is in an archive: for each file the rows of one party, as its pages and the API show them.

A column is here because it is named here. What belongs to both sides of an engagement is in the
archives of both; a golden set, its answers and a sealed offer are in those of their owner alone.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q, QuerySet

from marketplace.models import Listing, Notice, Tryout, TryoutAgent
from pacts.models import (
    Agent,
    AgentVersion,
    Call,
    ClauseVerdict,
    Dispute,
    Engagement,
    Evaluation,
    Exhibit,
    Milestone,
    Need,
    Negotiation,
    Observation,
    PactVersion,
    Party,
    Proposal,
    Ruling,
    SealedOffer,
    Signature,
    Task,
    TaskSet,
    TaskSetVersion,
    Trial,
    User,
    Verdict,
)
from settlement.models import Deposit, Escrow, Payout

CHUNK = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One file: rows and the columns that are shown of them, by the name they get."""

    name: str
    about: str
    rows: QuerySet[Any]
    columns: tuple[str, ...]
    renamed: Mapping[str, str] = field(default_factory=dict)

    def read(self) -> Iterator[dict[str, Any]]:
        """Every row, read in chunks, in a fixed order."""
        for row in self.rows.values(*self.columns).order_by("pk").iterator(chunk_size=CHUNK):
            yield {self.renamed.get(name, name): row[name] for name in self.columns}


def tables_of(*, party: Party, user: User) -> list[Table]:
    """Every table of a party's archive; notices are those of the member who asked for it."""
    groups = (_work, _talks, _building, _tasks, _trials, _verdicts, _quarrels, _offers, _money)
    return [*(table for group in groups for table in group(party)), *_rest(party, user)]


def engagements_of(party: Party) -> QuerySet[Engagement]:
    """Those it is a side of."""
    return Engagement.objects.filter(Q(buyer=party) | Q(builder=party))


def runs_of(party: Party) -> QuerySet[Evaluation]:
    """Those it asked for, and those of its engagements."""
    of_hire = Q(deliverable__milestone__engagement__in=engagements_of(party))
    return Evaluation.objects.filter(
        pk__in=Evaluation.objects.filter(Q(requested_by=party) | of_hire).values("pk")
    )


def _work(party: Party) -> list[Table]:
    engagements = engagements_of(party)
    pacts = Q(engagements__in=engagements) | Q(pact__agent__builder=party) | Q(pact__buyer=party)
    return [
        Table(
            name="engagements",
            about="Hires you are a side of: terms, clocks in seconds, state.",
            rows=engagements,
            columns=(
                *("id", "buyer_id", "builder_id", "evaluator_id", "agent_version_id"),
                *("pact_version_id", "currency", "fee_bps", "fee_bands", "work_seconds"),
                *("evaluation_seconds", "acceptance_seconds", "cure_seconds", "funding_seconds"),
                *("max_revisions", "digest", "state", "proposed_at", "signed_at", "closed_at"),
            ),
        ),
        Table(
            name="milestones",
            about="Their priced parts; amounts in minor units.",
            rows=Milestone.objects.filter(engagement__in=engagements),
            columns=(
                *("id", "engagement_id", "position", "title", "amount", "bond"),
                *("task_set_version_id", "started_at", "submit_by_at", "cancelled_at"),
            ),
        ),
        Table(
            name="signatures",
            about="What your party signed, with the key and the signature in hex.",
            rows=Signature.objects.filter(party=party),
            columns=("id", "purpose", "digest", "authority", "signed_at"),
        ),
        Table(
            name="pacts",
            about="Pact versions of your hires, of your agents and of your own, whole.",
            rows=PactVersion.objects.filter(pk__in=PactVersion.objects.filter(pacts).values("pk")),
            columns=(
                *("id", "pact_id", "pact__agent_id", "pact__buyer_id", "number", "digest"),
                *("published_at", "terms"),
            ),
            renamed={"pact__agent_id": "agent_id", "pact__buyer_id": "buyer_id"},
        ),
    ]


def _talks(party: Party) -> list[Table]:
    """Terms that were offered either way: what came of it, and what did not."""
    talks = Negotiation.objects.filter(Q(buyer=party) | Q(builder=party))
    return [
        Table(
            name="negotiations",
            about="Talks about terms that you are a side of.",
            rows=talks,
            columns=(
                *("id", "buyer_id", "builder_id", "evaluator_id", "agent_version_id"),
                *("published_id", "currency", "listed", "state", "opened_at", "closed_at"),
            ),
        ),
        Table(
            name="proposals",
            about="Each offer in them, of either side, with its terms and its note.",
            rows=Proposal.objects.filter(negotiation__in=talks),
            columns=(
                *("id", "negotiation_id", "number", "party_id", "terms", "note", "digest"),
                *("state", "proposed_at", "expires_at", "closed_at", "engagement_id"),
            ),
        ),
    ]


def _building(party: Party) -> list[Table]:
    return [
        Table(
            name="agents",
            about="Your agents.",
            rows=Agent.objects.filter(builder=party),
            columns=("id", "slug", "name", "work", "summary", "control_proved_at", "created_at"),
        ),
        Table(
            name="agent_versions",
            about="Their versions.",
            rows=AgentVersion.objects.filter(agent__builder=party),
            columns=(
                *("id", "agent_id", "number", "protocol", "endpoint", "declared", "fingerprint"),
                *("deadline_ms", "max_concurrency", "max_per_minute", "created_at"),
            ),
        ),
        Table(
            name="listings",
            about="Your offers; prices in minor units.",
            rows=Listing.objects.filter(agent__builder=party),
            columns=(
                *("id", "agent_id", "agent_version_id", "pact_version_id", "price", "currency"),
                *("bond", "state", "opened_at"),
            ),
        ),
    ]


def _tasks(party: Party) -> list[Table]:
    return [
        Table(
            name="task_sets",
            about="Your task sets.",
            rows=TaskSet.objects.filter(owner=party),
            columns=("id", "name", "work", "note", "canaries", "created_at"),
        ),
        Table(
            name="task_set_versions",
            about="Their frozen versions; `digest` is over the tasks.",
            rows=TaskSetVersion.objects.filter(task_set__owner=party),
            columns=("id", "task_set_id", "number", "size", "digest", "created_at"),
        ),
        Table(
            name="tasks",
            about="Every task of your sets with the answer you expect.",
            rows=Task.objects.filter(version__task_set__owner=party),
            columns=(
                *("version_id", "position", "input", "expected", "in_scope", "stratum"),
                *("session", "paraphrases"),
            ),
        ),
    ]


def _trials(party: Party) -> list[Table]:
    runs = runs_of(party)
    return [
        Table(
            name="evaluations",
            about="Runs you asked for and runs of your hires.",
            rows=runs,
            columns=(
                *("id", "purpose", "independence", "requested_by_id", "agent_version_id"),
                *("pact_version_id", "task_set_version_id", "deliverable_id", "trials_total"),
                *("calls_made", "state", "stopped_by", "started_at", "concluded_at"),
            ),
        ),
        Table(
            name="trials",
            about="Their trials. Tasks and answers of runs you asked for are in evaluations/.",
            rows=Trial.objects.filter(evaluation__in=runs),
            columns=(
                *("evaluation_id", "position", "repeat", "state", "fault", "error_code"),
                *("latency_us", "cost_micros", "input_digest", "output_digest", "finished_at"),
            ),
        ),
        Table(
            name="observations",
            about="What each check said of each trial; the reasons are in evaluations/",
            rows=Observation.objects.filter(trial__evaluation__in=runs),
            columns=(
                *("trial__evaluation_id", "trial__position", "clause", "check_kind"),
                *("check_version", "outcome", "value"),
            ),
            renamed={"trial__evaluation_id": "evaluation_id", "trial__position": "position"},
        ),
    ]


def _verdicts(party: Party) -> list[Table]:
    runs = runs_of(party)
    return [
        Table(
            name="verdicts",
            about="Their verdicts.",
            rows=Verdict.objects.filter(evaluation__in=runs),
            columns=(
                *("id", "evaluation_id", "outcome", "earned_share_bps", "undetermined_rule"),
                *("method", "concluded_at", "evidence_id"),
            ),
        ),
        Table(
            name="clause_verdicts",
            about="The verdicts clause by clause.",
            rows=ClauseVerdict.objects.filter(verdict__evaluation__in=runs),
            columns=(
                *("verdict_id", "key", "title", "dimension", "outcome", "critical", "weight_bps"),
                *("promise_bps", "floor_bps", "passes", "failures", "errors", "nulls"),
                *("estimate", "low", "high", "reason"),
            ),
        ),
        Table(
            name="tryouts",
            about="Agents you tried side by side.",
            rows=Tryout.objects.filter(party=party),
            columns=("id", "task_set_version_id", "pact_version_id", "paid", "started_at"),
        ),
        Table(
            name="tryout_agents",
            about="Each of them with its run or its hire.",
            rows=TryoutAgent.objects.filter(tryout__party=party),
            columns=("tryout_id", "position", "listing_id", "evaluation_id", "engagement_id"),
        ),
    ]


def _quarrels(party: Party) -> list[Table]:
    disputes = Dispute.objects.filter(milestone__engagement__in=engagements_of(party))
    return [
        Table(
            name="disputes",
            about="Disputes about your hires, with what both sides stated.",
            rows=disputes,
            columns=(
                *("id", "milestone_id", "opened_by_id", "ground", "clauses", "track", "statement"),
                *("answer", "answered_at", "opened_at", "closed_at", "outcome", "share_bps"),
            ),
        ),
        Table(
            name="rulings",
            about="Rulings on them, with their reasons; level 2 is on appeal. One that a second "
            "person declined is void.",
            rows=Ruling.objects.filter(dispute__in=disputes, dispute__closed_at__isnull=False),
            columns=(
                *("id", "dispute_id", "level", "award_bps", "reasons", "ruled_at"),
                "confirmation__confirmed",
            ),
            renamed={"confirmation__confirmed": "confirmed"},
        ),
        Table(
            name="exhibits",
            about="What your party brought as evidence: titles and digests.",
            rows=Exhibit.objects.filter(dispute__in=disputes, party=party),
            columns=("id", "dispute_id", "title", "kind", "size", "added_at"),
        ),
    ]


def _offers(party: Party) -> list[Table]:
    # As on its page: an offer is its builder's until all are opened, then also the buyer's.
    offers = Q(builder=party) | Q(need__buyer=party, state=SealedOffer.State.REVEALED)
    return [
        Table(
            name="needs",
            about="Needs you posted; amounts in minor units.",
            rows=Need.objects.filter(buyer=party),
            columns=(
                *("id", "title", "about", "work", "pact_version_id", "samples", "ceiling"),
                *("currency", "offers_until", "choose_until", "state", "ended_as"),
                *("engagement_id", "posted_at", "revealed_at", "closed_at"),
            ),
        ),
        Table(
            name="offers",
            about="Your sealed offers, and those on your needs that were opened.",
            rows=SealedOffer.objects.filter(offers),
            columns=(
                *("id", "need_id", "builder_id", "state", "commitment", "agent_version_id"),
                *("price", "work_seconds", "note", "outcome", "placed_at"),
            ),
        ),
    ]


def _money(party: Party) -> list[Table]:
    return [
        Table(
            name="escrows",
            about="Money set aside for your hires; minor units.",
            rows=Escrow.objects.filter(milestone__engagement__in=engagements_of(party)),
            columns=(
                *("id", "milestone_id", "currency", "amount", "state", "funded_at", "settled_at"),
            ),
        ),
        Table(
            name="deposits",
            about="Money that came in.",
            rows=Deposit.objects.filter(party=party),
            columns=("id", "amount", "currency", "rail", "state", "requested_at"),
        ),
        Table(
            name="payouts",
            about="Money that went out.",
            rows=Payout.objects.filter(party=party),
            columns=("id", "amount", "currency", "rail", "state", "requested_at"),
        ),
    ]


def _rest(party: Party, user: User) -> list[Table]:
    return [
        Table(
            name="calls",
            about="Production calls of your hires; contents of those your party reported, "
            "while they are kept, are in call_contents.",
            rows=Call.objects.filter(stream__engagement__in=engagements_of(party)),
            columns=(
                *("call_id", "stream__engagement_id", "reporter_id", "started_at", "received_at"),
                *("latency_us", "fault", "error", "model", "input_tokens", "output_tokens"),
                *("cost_micros", "cost_currency", "input_digest", "output_digest"),
            ),
            renamed={"stream__engagement_id": "engagement_id"},
        ),
        Table(
            name="notices",
            about="What you were told for this party; `who` and `search` as they are named now.",
            rows=_told(party, user),
            columns=(
                *("id", "news__kind", "news__title", "news__who__name", "news__search__name"),
                *("news__path", "news__told_at", "read_at"),
            ),
            renamed={
                **{f"news__{name}": name for name in ("kind", "title", "path", "told_at")},
                **{f"news__{name}__name": name for name in ("who", "search")},
            },
        ),
    ]


def _told(party: Party, user: User) -> QuerySet[Notice]:
    """What is for the person alone is in the archive of a party that has nobody else."""
    told = Q(news__party=party)
    if not party.members.exclude(user=user).exists():
        told |= Q(news__party=None, news__evidence=None)
    return Notice.objects.filter(told, user=user)
