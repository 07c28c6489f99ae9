"""A hire told step by step: who does what, and when. Nothing here is mocked.

Times are the story's own: it starts now, and every step says how long after the start it happens.
The workers' part is called in-process; the agent behind it is a real HTTP service.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from marketplace import hiring
from marketplace.models import Listing
from pacts import disputes, registry, tasks, verdicts
from pacts.engagements import Timers
from pacts.models import (
    Agent,
    AgentVersion,
    Deliverable,
    Dispute,
    Engagement,
    Milestone,
    PactVersion,
    Ruling,
    Verdict,
)
from pacts.procedure.clocks import FULL
from pacts.runner import egress
from pacts.tasksets import TaskDraft
from reputation import queries, sequencer, standings
from reputation.clock import database_now
from reputation.models import Evidence
from reputation.queries import AgentStanding
from settlement import deposits, escrow, ledger, settlements
from settlement.models import Deposit, Escrow
from settlement.money import Money
from tests import cast
from tests.cast import Actor, Answer
from tests.pacts import cases

TICK = timedelta(microseconds=1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TIMERS = Timers(
    work_seconds=3600, evaluation_seconds=7200, acceptance_seconds=86_400, cure_seconds=43_200
)
ACCEPTANCE, CURE, EXTENSION = DAY, 12 * HOUR, 2 * HOUR
CHALLENGE = FULL.challenge  # a ruling takes effect after it
WINDOW = 3 * HOUR  # work and evaluation together
PRICE, FEE = 10_000, 500
TOKEN = "served at /.well-known/earnest-control"


@dataclass(slots=True)
class Story:
    """alice hires bob's agent. `judged_at` is when the verdict on the first delivery falls."""

    alice: Actor
    bob: Actor
    listing: Listing
    tasks: int
    start: datetime
    price: int = PRICE
    hires: list[Engagement] = field(default_factory=list)
    drafts: list[TaskDraft] = field(default_factory=list)  # instead of numbers to double

    # --- the buyer ----------------------------------------------------------------------------

    def alice_hires(self) -> Engagement:
        """She finds the listing, brings her own tasks and signs; the listing signs for bob."""
        listing = Listing.objects.get(pk=self.listing.pk)
        self.hires.append(
            hiring.hire(
                listing=listing,
                buyer=self.alice.party,
                task_set_version=cast.golden_set(
                    self.alice, self.drafts or cast.doubling_tasks(self.tasks)
                ),
                by=self.alice.user,
                authority="owner",
                now=self.start,
            )
        )
        return self.hires[-1]

    def alice_deposits(self, *, key: str = "deposit") -> Deposit:
        asked = deposits.request_deposit(
            party=self.alice.party,
            money=Money(self.price, "EUR"),
            idempotency_key=f"{key}-{len(self.hires)}",
            now=database_now(),
        )
        return deposits.process_deposit(deposit_id=asked.pk)

    def alice_funds(self, *, key: str = "fund", at: datetime | None = None) -> Escrow:
        return escrow.fund(
            milestone=self.milestone,
            by=self.alice.party,
            idempotency_key=f"{key}-{len(self.hires)}",
            now=at or self.start,
        )

    def alice_hires_and_pays(self) -> None:
        self.alice_hires()
        self.alice_deposits()
        self.alice_funds()

    def alice_accepts(self, at: datetime) -> Escrow:
        return escrow.accept(escrow=self.escrow, by=self.alice.party, now=at)

    def alice_disputes(
        self, at: datetime, ground: Dispute.Ground = Dispute.Ground.SCOPE
    ) -> Dispute:
        return escrow.dispute(
            escrow=self.escrow,
            party=self.alice.party,
            by=self.alice.user,
            ground=ground,
            statement="These are not the answers I was promised.",
            now=at,
        )

    # --- the builder --------------------------------------------------------------------------

    def bob_registers_a_new_version(self, url: str, **fields: Any) -> AgentVersion:
        return registry.add_version(
            agent=self.listing.agent,
            endpoint=url,
            protocol="earnest-json/1",
            declared={"model": "the next one"},
            max_concurrency=4,
            deadline_ms=10_000,
            now=self.start,
        )

    def bob_lists(self, version: AgentVersion) -> None:
        """The listing offers this version from now on."""
        self.listing = list_agent(self.bob, version, self.listing.pact_version, self.start)

    def bob_revises(self, at: datetime, version: AgentVersion) -> Deliverable:
        return escrow.revise(escrow=self.escrow, by=self.bob.party, agent_version=version, now=at)

    # --- the platform -------------------------------------------------------------------------

    def the_workers_work(self) -> None:
        """Every trial of the last delivery is tried, checked and recorded, shift after shift."""
        evaluation = self.delivery.evaluation
        while evaluation.trials.filter(state__in=["queued", "running"]).exists():
            tasks.run_trials(evaluation.id)

    def the_verdict_falls(self, at: datetime) -> Verdict:
        verdict = verdicts.conclude(evaluation_id=self.delivery.evaluation.id, now=at)
        assert verdict is not None
        return verdict

    def the_work_is_judged(self, at: datetime) -> Verdict:
        self.the_workers_work()
        return self.the_verdict_falls(at)

    def the_sweep_looks(self, at: datetime) -> str:
        """One sweep over all money; the escrow's state after it."""
        settlements.settle_due(now=at)
        return self.escrow.state

    def both_rest(self, case: Dispute, at: datetime) -> None:
        """The other side has answered where it had to; nobody has more to say."""
        cases.heard(case, now=at)

    def carol_rules(self, carol: Actor, case: Dispute, award_bps: int, at: datetime) -> Ruling:
        return disputes.rule(
            dispute=case,
            adjudicator=carol.user,
            award_bps=award_bps,
            clauses=["accuracy"],
            reasons="The tasks were as agreed, and a part of the answers was not.",
            now=at,
        )

    # --- what can be seen ---------------------------------------------------------------------

    @property
    def judged_at(self) -> datetime:
        return self.start + HOUR

    @property
    def milestone(self) -> Milestone:
        return self.hires[-1].milestones.get()

    @property
    def escrow(self) -> Escrow:
        return Escrow.objects.get(milestone=self.milestone)

    @property
    def delivery(self) -> Deliverable:
        return self.milestone.deliverables.order_by("-number")[0]

    def outcome(self) -> tuple[str, str]:
        """The escrow's state, and the reason it gives."""
        held = self.escrow
        return held.state, held.reason

    def purses(self) -> tuple[int, int, int]:
        """What alice, bob and the platform hold."""
        return (
            ledger.balance_of(ledger.party_account(party=self.alice.party, currency="EUR")),
            ledger.balance_of(ledger.party_account(party=self.bob.party, currency="EUR")),
            ledger.balance_of(ledger.fee_account(currency="EUR")),
        )

    def standing(self, version: AgentVersion | None = None) -> AgentStanding:
        """The agent's standing by what is in the log by now."""
        while sequencer.sequence_batch():
            pass
        while standings.update_standings():
            pass
        return queries.standing_of(
            agent_id=self.listing.agent_id,
            version_id=version.id if version else None,
            now=database_now(),
        )


def told() -> list[str]:
    """The kinds of everything in the log, in the order it was recorded."""
    return list(Evidence.objects.order_by("id").values_list("kind", flat=True))


def list_agent(bob: Actor, version: AgentVersion, pact: PactVersion, now: datetime) -> Listing:
    return hiring.open_listing(
        agent_version=version,
        pact_version=pact,
        price=PRICE,
        currency="EUR",
        timers=TIMERS,
        by=bob.user,
        now=now,
    )


def offered(
    url: str,
    *,
    tasks: int = 30,
    proves_control: bool = True,
    deadline_ms: int = 10_000,
    **terms: Any,
) -> Story:
    """bob's agent at this address is registered, under a pact, and on the market."""
    alice, bob = cast.alice(), cast.bob()
    start = database_now()
    version = cast.agent_of(bob, url, deadline_ms=deadline_ms)
    if proves_control:
        Agent.objects.filter(pk=version.agent_id).update(control_token=TOKEN)
        version.agent.refresh_from_db()
        registry.prove_control(version=version, egress=egress(), now=start)
    else:  # it did once, before it went bad
        Agent.objects.filter(pk=version.agent_id).update(control_proved_at=start)
        version.agent.refresh_from_db()
    pact = cast.pact_of(version, bob, cast.pact_terms(**terms) if terms else None)
    return Story(alice, bob, list_agent(bob, version, pact, start), tasks, start)


@contextmanager
def story_of(answer: Answer, **changes: Any) -> Iterator[Story]:
    """The story of an agent that answers so; its service runs for the length of the block."""
    with cast.agent_service(answer, control_token=TOKEN) as url:
        yield offered(url, **changes)


def wrong(given: dict[str, Any]) -> dict[str, Any]:
    """The answer of an agent that does not know how to double."""
    return {"answer": given["number"] * 2 + 1}


def half_wrong(given: dict[str, Any]) -> dict[str, Any]:
    """Right for even numbers alone."""
    return {"answer": given["number"] * 2 + given["number"] % 2}
