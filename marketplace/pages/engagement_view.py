"""What the two sides of an engagement see: its facts, each milestone's state, what one may do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Prefetch, Q, QuerySet
from django.utils.translation import gettext_lazy as _lazy

from marketplace.awaited import REVISABLE
from marketplace.pages.live import mark_of
from marketplace.pages.rates import Rate, rate_of_clause
from pacts.canaries import Comparison, beside
from pacts.models import (
    Artifact,
    ClauseVerdict,
    Deliverable,
    Dispute,
    Engagement,
    Evaluation,
    Milestone,
    Observation,
    Party,
    Trial,
    Verdict,
)
from settlement.models import Bond, Entry, Escrow, Receipt, Transfer
from settlement.reasons import REASONS, Reason

MOST_SQUARES = 800
FINISHED = [Trial.State.DONE, Trial.State.NULL]


@dataclass(frozen=True, slots=True)
class ClauseResult:
    """One clause of a verdict with its rate as pages show it."""

    clause: ClauseVerdict
    rate: Rate


@dataclass(frozen=True, slots=True)
class Square:
    """One trial in the matrix."""

    x: int
    y: int
    tone: str  # met, breached, null, running or queued
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One delivery, how far its evaluation is, and its verdict."""

    deliverable: Deliverable
    evaluation: Evaluation
    done: int
    failing: int
    nulls: int
    squares: list[Square]
    rows: int
    verdict: Verdict | None
    clauses: list[ClauseResult]
    blind: Comparison | None

    @property
    def running(self) -> bool:
        return not self.evaluation.is_over

    @property
    def waits(self) -> bool:
        """Whether its third party has not begun it yet."""
        return self.evaluation.state == Evaluation.State.WAITING


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """One transfer with its two or more sides."""

    transfer: Transfer
    title: str
    entries: list[Entry]


@dataclass(slots=True, kw_only=True)
class Work:
    """One milestone: its money, its deliveries, its disputes, and what this side may do now."""

    milestone: Milestone
    escrow: Escrow | None
    receipt: Receipt | None
    reason: Reason | None
    deliveries: list[Delivery]
    disputes: list[Dispute]
    movements: list[Movement]
    may: frozenset[str] = field(default=frozenset())
    flow: Any = None  # its picture (`flow_view.Flow`)
    accepting: str = ""  # what accepting would move, in words

    @property
    def state(self) -> str:
        return self.escrow.state if self.escrow else "unfunded"

    @property
    def verdict(self) -> Verdict | None:
        return self.deliveries[-1].verdict if self.deliveries else None

    @property
    def is_running(self) -> bool:
        return bool(self.deliveries) and self.deliveries[-1].running

    @property
    def moves(self) -> bool:
        """Whether something may still change by itself."""
        return self.escrow is not None and not self.escrow.is_final and self.state != "unfunded"


def engagements_of(party: Party) -> QuerySet[Engagement]:
    """Engagements this party is a side of, with what a list shows."""
    return (
        Engagement.objects.filter(Q(buyer=party) | Q(builder=party))
        .select_related("buyer", "builder", "agent_version__agent", "meter")
        .prefetch_related(
            Prefetch(
                "milestones",
                Milestone.objects.select_related("escrow__verdict", "task_set_version__task_set"),
            ),
            "milestones__disputes",
        )
        .order_by("-proposed_at", "-id")
    )


def whole_engagements_of(party: Party) -> QuerySet[Engagement]:
    """The same with all that one engagement's page shows."""
    sides = Prefetch("entries", Entry.objects.select_related("account__owner").order_by("amount"))
    transfers = Transfer.objects.prefetch_related(sides)
    milestones = Milestone.objects.select_related(
        "task_set_version__task_set", "escrow__receipt", "escrow__verdict", "escrow__bond"
    ).prefetch_related(
        *(Prefetch(f"escrow__{one}", transfers) for one in ("hold", "resolution")),
        *(Prefetch(f"escrow__bond__{one}", transfers) for one in ("hold", "resolution")),
        Prefetch(
            "deliverables",
            Deliverable.objects.select_related(
                "evaluation__verdict", "agent_version__agent"
            ).prefetch_related("evaluation__verdict__clauses"),
        ),
        Prefetch("disputes", Dispute.objects.select_related("ruling__adjudicator", "opened_by")),
    )
    return (
        Engagement.objects.filter(Q(buyer=party) | Q(builder=party))
        .select_related(
            "buyer",
            "builder",
            "evaluator",
            "agent_version__agent",
            "pact_version__pact",
            "meter",
            "buyer_signature",
            "builder_signature",
        )
        .prefetch_related(Prefetch("milestones", milestones))
    )


def works_of(engagement: Engagement, *, party: Party, now: datetime) -> list[Work]:
    """Every milestone of an engagement read by `whole_engagements_of`."""
    return [
        work_of(milestone, engagement=engagement, party=party, now=now)
        for milestone in engagement.milestones.all()
    ]


def work_of(milestone: Milestone, *, engagement: Engagement, party: Party, now: datetime) -> Work:
    """One milestone, as `party` sees it."""
    escrow: Escrow | None = getattr(milestone, "escrow", None)
    work = Work(
        milestone=milestone,
        escrow=escrow,
        receipt=getattr(escrow, "receipt", None),
        reason=REASONS.get(escrow.reason) if escrow else None,
        deliveries=[_delivery(row, now) for row in milestone.deliverables.all()],
        disputes=list(milestone.disputes.all()),
        movements=_movements(escrow),
    )
    work.may = _may(work, engagement, party)
    return work


def _may(work: Work, engagement: Engagement, party: Party) -> frozenset[str]:
    """What the state allows this side; whether the visitor's role does is asked separately."""
    is_buyer = party.id == engagement.buyer_id
    escrow = work.escrow
    if engagement.state == Engagement.State.ACTIVE and work.state == Escrow.State.UNFUNDED:
        ended = work.milestone.cancelled_at is not None
        return frozenset({"fund"} if is_buyer and not ended else ())
    if escrow is None or work.state not in (Escrow.State.HELD, Escrow.State.WITHHELD):
        return frozenset()
    may = set()
    if work.verdict and not work.is_running:
        may |= {"dispute"} | ({"accept"} if is_buyer else set())
    if not is_buyer:
        may.add("give_back")
        if escrow.reason in REVISABLE and len(work.deliveries) <= engagement.max_revisions:
            may.add("revise")
    return frozenset(may)


def _delivery(deliverable: Deliverable, now: datetime) -> Delivery:
    evaluation = deliverable.evaluation
    trials = _trials(evaluation) if evaluation.trials_total <= MOST_SQUARES else []
    done, failing, nulls = _counts(evaluation, trials)
    verdict: Verdict | None = getattr(evaluation, "verdict", None)
    number = deliverable.agent_version.number
    columns = 40
    squares = [
        Square(place % columns, place // columns, _tone(trial), trial["position"])
        for place, trial in enumerate(trials)
    ]
    return Delivery(
        deliverable=deliverable,
        evaluation=evaluation,
        done=done,
        failing=failing,
        nulls=nulls,
        squares=squares,
        rows=-(-len(squares) // columns),
        verdict=verdict,
        clauses=[
            ClauseResult(clause, rate_of_clause(clause, now=now, version=number))
            for clause in (verdict.clauses.all() if verdict else [])
        ],
        blind=beside(verdict),
    )


def _trials(evaluation: Evaluation) -> list[Mapping[str, Any]]:
    failed = Observation.objects.filter(trial=OuterRef("pk"), outcome="fail")
    rows = Trial.objects.filter(evaluation=evaluation).annotate(failed=Exists(failed))
    return [*rows.order_by("position").values("position", "state", "failed")]


def _counts(evaluation: Evaluation, trials: list[Mapping[str, Any]]) -> tuple[int, int, int]:
    """Finished, failing and null trials; counted by the database where there are too many."""
    if trials:
        tones = [_tone(trial) for trial in trials]
        done = sum(trial["state"] in FINISHED for trial in trials)
        return done, tones.count("breached"), tones.count("null")
    rows = Trial.objects.filter(evaluation=evaluation)
    failed = Observation.objects.filter(trial=OuterRef("pk"), outcome="fail")
    found = rows.aggregate(
        done=Count("id", filter=Q(state__in=FINISHED)),
        failing=Count("id", filter=Q(Exists(failed), state=Trial.State.DONE)),
        nulls=Count("id", filter=Q(state=Trial.State.NULL)),
    )
    return found["done"], found["failing"], found["nulls"]


def _tone(trial: Mapping[str, Any]) -> str:
    if trial["state"] == Trial.State.DONE:
        return "breached" if trial["failed"] else "met"
    return {Trial.State.NULL: "null", Trial.State.RUNNING: "running"}.get(trial["state"], "queued")


_TITLES = {
    "hold": _lazy("Set aside for this work"),
    "release": _lazy("Released to the builder"),
    "refund": _lazy("Returned to the buyer"),
    "split": _lazy("Divided between both sides"),
    "bond_hold": _lazy("The builder’s bond, set aside with it"),
    "bond_returned": _lazy("The bond returned to the builder"),
    "bond_slashed": _lazy("The bond went to the buyer"),
}


def _movements(escrow: Escrow | None) -> list[Movement]:
    bond: Bond | None = getattr(escrow, "bond", None)
    transfers = [one.hold for one in (escrow, bond) if one]
    transfers += [one.resolution for one in (escrow, bond) if one and one.resolution]
    return [
        Movement(
            transfer=one,
            title=str(_TITLES.get(one.kind, one.kind)),
            entries=list(one.entries.all()),
        )
        for one in transfers
        if one
    ]


def mark(engagement: Engagement, works: list[Work]) -> str:
    """Changes when the page would: a poll that knows it gets no answer."""
    seen = [engagement.state, engagement.buyer_signature_id, engagement.builder_signature_id] + [
        (
            work.escrow.version if work.escrow else -1,
            [(d.evaluation.state, d.done) for d in work.deliveries],
            [(d.state, bool(d.answered_at)) for d in work.disputes],
        )
        for work in works
    ]
    return mark_of(seen)


@dataclass(frozen=True, slots=True)
class Failure:
    """One trial that failed: what was asked, expected and answered, and what each check said."""

    trial: Trial
    output: str | None
    reasons: list[Observation]


def failing_trials(milestone: Milestone) -> QuerySet[Trial]:
    """Trials of the milestone's evaluations where a check failed or the agent was at fault."""
    failed = Observation.objects.filter(trial=OuterRef("pk"), outcome="fail")
    return (
        Trial.objects.filter(evaluation__deliverable__milestone=milestone)
        .filter(Exists(failed), task__version=F("evaluation__task_set_version"))  # no canaries
        .select_related("task", "evaluation__deliverable")
        .prefetch_related(
            Prefetch("observations", Observation.objects.filter(outcome="fail").order_by("id"))
        )
        .order_by("-evaluation__deliverable__number", "position")
    )


def failures(trials: list[Trial]) -> list[Failure]:
    """Trials with their raw answers, which are read in one query."""
    bodies = Artifact.objects.in_bulk([t.output_digest for t in trials if t.output_digest])
    return [
        Failure(t, _text(bodies.get(t.output_digest)), list(t.observations.all())) for t in trials
    ]


def _text(artifact: Artifact | None) -> str | None:
    if artifact is None or artifact.body is None:
        return None
    return bytes(artifact.body).decode("utf-8", errors="replace")
