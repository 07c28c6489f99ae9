"""Several agents on the same tasks in one press: tried for nothing, or hired at their prices.

It begins for all of them or for none: whatever one of them refuses is said with its name.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from marketplace import hiring, trying
from marketplace.models import Listing, Tryout, TryoutAgent
from pacts import evaluation
from pacts.budgets import NO_LIMIT, Budget, BudgetRefused
from pacts.evaluation import EvaluationRefused
from pacts.models import Engagement, Evaluation, PactVersion, Party, TaskSetVersion, User
from settlement import escrow

MOST = 4


class TryoutRefused(ValueError):
    """These agents cannot be tried together; the message names the one and says what to do."""


class TryoutOver(ValueError):
    """There is nothing left to call off."""


def start(
    *,
    party: Party,
    listings: Sequence[Listing],
    task_set_version: TaskSetVersion,
    by: User,
    now: datetime,
    pact_version: PactVersion | None = None,
    budget: Budget = NO_LIMIT,
    full_run: bool = False,
) -> Tryout:
    """Try each over the same tasks; no money moves. `budget` is what each may use for itself.

    `pact_version` is a pact of the party's own that all are held against; None is each agent's own.
    Raises `TryoutRefused`.
    """
    refuse_unfit(listings, task_set_version, pact_version, party)
    with transaction.atomic():
        made = Tryout.objects.create(
            party=party,
            task_set_version=task_set_version,
            pact_version=pact_version,
            started_by=by,
            started_at=now,
        )
        for position, listing in enumerate(listings):
            with _named(listing):
                run = trying.try_agent(
                    agent_version=listing.agent_version,
                    pact_version=pact_version or listing.pact_version,
                    task_set_version=task_set_version,
                    party=party,
                    budget=budget,
                    full_run=full_run,
                    now=now,
                )
            TryoutAgent.objects.create(
                tryout=made, position=position, listing=listing, evaluation=run
            )
    return made


def hire_all(
    *,
    party: Party,
    listings: Sequence[Listing],
    task_set_version: TaskSetVersion,
    by: User,
    authority: str,
    idempotency_key: str,
    now: datetime,
) -> Tryout:
    """Hire each at its listed price with these tasks as the one milestone, and fund it at once.

    An agent whose builder signs by hand waits for that; its milestone is then funded from its own
    page. Raises `TryoutRefused`, `settlement.ledger.InsufficientFunds` and what a hire raises.
    """
    refuse_unfit(listings, task_set_version, None, party)
    with transaction.atomic():
        made = Tryout.objects.create(
            party=party,
            task_set_version=task_set_version,
            paid=True,
            started_by=by,
            started_at=now,
        )
        # In one order for everybody: funding locks the agents of each builder until the end.
        for position, listing in sorted(enumerate(listings), key=lambda one: one[1].pk):
            with _named(listing):
                hired = hiring.hire(
                    listing=listing,
                    buyer=party,
                    task_set_version=task_set_version,
                    by=by,
                    authority=authority,
                    now=now,
                )
                _fund(hired, party, f"{idempotency_key}:{position}", now)
            TryoutAgent.objects.create(
                tryout=made, position=position, listing=listing, engagement=hired
            )
    return made


def _fund(hired: Engagement, party: Party, key: str, now: datetime) -> None:
    if hired.state == Engagement.State.ACTIVE:
        escrow.fund(milestone=hired.milestones.get(), by=party, idempotency_key=key, now=now)


class _named:  # noqa: N801 - a context manager reads as a word
    """Says of a refusal which agent it is about."""

    def __init__(self, listing: Listing) -> None:
        self.name = listing.agent.name

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, EvaluationRefused | BudgetRefused | hiring.ListingClosed):
            raise TryoutRefused(f"{self.name}: {error}") from error


def refuse_unfit(
    listings: Sequence[Listing],
    task_set_version: TaskSetVersion,
    pact_version: PactVersion | None,
    party: Party,
) -> None:
    """Raises `TryoutRefused` for agents, tasks or a pact that do not go together."""
    if not 1 <= len(listings) <= MOST:
        raise TryoutRefused(f"choose one to {MOST} agents; there are {len(listings)}")
    if len({one.pk for one in listings}) != len(listings):
        raise TryoutRefused("an agent is chosen twice; choose each once")
    work = task_set_version.task_set.work
    for listing in listings:
        if listing.agent.work != work:
            raise TryoutRefused(
                f"{listing.agent.name} does “{listing.agent.work}”, these tasks are for “{work}”; "
                "choose a matching set, or leave the agent out"
            )
    if pact_version and pact_version.pact.buyer_id != party.id:
        raise TryoutRefused("hold them all against a pact of your own, or each against its own")


def runs_of(made: Tryout) -> dict[int, Evaluation]:
    """The run of each agent by its position; none yet for a hire that is not funded."""
    found: dict[int, Evaluation] = {}
    related = ("agent_version__agent", "pact_version__pact", "task_set_version__task_set")
    runs = Evaluation.objects.select_related(*related)
    for one in made.agents.all():
        if one.evaluation_id:
            found[one.position] = runs.get(pk=one.evaluation_id)
            continue
        hired = runs.filter(deliverable__milestone__engagement_id=one.engagement_id)
        latest = hired.order_by("-deliverable__number").first()
        if latest:
            found[one.position] = latest
    return found


def call_off(*, made: Tryout, party: Party, now: datetime, position: int | None = None) -> int:
    """End the runs that are not over: of one agent, or of all; returns how many.

    What was hired is ended on its own page: money waits for it. Raises `TryoutOver`.
    """
    ended = 0
    for place, run in runs_of(made).items():
        if position not in (None, place) or run.is_over:
            continue
        if run.purpose == Evaluation.Purpose.MILESTONE:
            continue
        try:
            evaluation.cancel_evaluation(evaluation=run, by=party, now=now)
        except EvaluationRefused:  # it ended between the look and the lock
            continue
        ended += 1
    if not ended:
        raise TryoutOver("there is no run left that could be called off here")
    return ended
