"""A hire up to where a settlement test begins: signed, funded, judged. Real rows throughout."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pacts import engagements
from pacts.engagements import MilestoneDraft, Timers
from pacts.models import Deliverable, Engagement, Evaluation, Milestone, Verdict
from settlement import escrow as escrows
from settlement import ledger
from settlement.ledger import Posting
from settlement.models import Escrow, Transfer
from tests import cast

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TICK = timedelta(microseconds=1)
TIMERS = Timers(
    work_seconds=3600, evaluation_seconds=7200, acceptance_seconds=86_400, cure_seconds=43_200
)
EVALUATED_BY = START + timedelta(hours=3)
ACCEPTANCE = timedelta(days=1)
CURE = timedelta(hours=12)
EXTENSION = timedelta(hours=2)


@dataclass(slots=True)
class Hire:
    """One engagement of one milestone between alice and bob."""

    alice: cast.Actor
    bob: cast.Actor
    engagement: Engagement
    milestone: Milestone

    @property
    def escrow(self) -> Escrow:
        return Escrow.objects.get(milestone=self.milestone)

    def fund(self, *, now: datetime = START, key: str = "first") -> Escrow:
        return escrows.fund(
            milestone=self.milestone, by=self.alice.party, idempotency_key=key, now=now
        )

    def judge(
        self,
        outcome: str,
        *,
        share: int = 10_000,
        rule: str = "",
        at: datetime = START + timedelta(hours=1),
        proof: str = "evd_0190f3c2a1b27c3d8e4f5a6b7c8d9e0f",
    ) -> Verdict:
        """The verdict on the last delivery, as `pacts.verdicts` records it."""
        evaluation = self.delivery.evaluation
        evaluation.trials.filter(state="queued").update(state="done", finished_at=at)
        Evaluation.objects.filter(pk=evaluation.pk).update(state="concluded", concluded_at=at)
        return Verdict.objects.create(
            evaluation=evaluation,
            outcome=outcome,
            earned_share_bps=share,
            undetermined_rule=rule,
            method="exact",
            concluded_at=at,
            evidence_id=proof,
        )

    @property
    def delivery(self) -> Deliverable:
        return self.milestone.deliverables.order_by("-number")[0]

    def balances(self) -> tuple[int, int, int]:
        """What alice, bob and the platform hold, in minor units."""
        code = self.engagement.currency
        return (
            ledger.balance_of(ledger.party_account(party=self.alice.party, currency=code)),
            ledger.balance_of(ledger.party_account(party=self.bob.party, currency=code)),
            ledger.balance_of(ledger.fee_account(currency=code)),
        )


def hire(
    *,
    price: int = 10_000,
    currency: str = "USD",
    fee_bps: int = 500,
    money: int | None = None,
    max_revisions: int = 1,
    prices: Iterable[int] = (),
    bond: int = 0,
    stake: int | None = None,
    fee_bands: Sequence[tuple[int, int]] = (),
    clauses: Iterable[dict[str, Any]] = (),
    signed: bool = True,
    **terms: Any,
) -> Hire:
    """Signed by both sides, alice holding exactly the price (or `money`), nothing funded.

    bob holds exactly the bond, or `stake`.
    """
    alice, bob = cast.alice(), cast.bob()
    version = cast.agent_of(bob, "http://127.0.0.1:9999/run")
    pact = cast.pact_of(version, bob, cast.pact_terms(*clauses, **terms))
    tasks = cast.golden_set(alice, cast.doubling_tasks(3))
    engagement = engagements.propose(
        buyer=alice.party,
        agent_version=version,
        pact_version=pact,
        currency=currency,
        fee_bps=fee_bps,
        milestones=[
            MilestoneDraft("All of it", amount, tasks, bond=bond) for amount in prices or [price]
        ],
        fee_bands=fee_bands,
        by=alice.user,
        timers=TIMERS,
        max_revisions=max_revisions,
        now=START,
    )
    for side in (alice, bob) if signed else ():
        engagement = engagements.sign_engagement(
            engagement=engagement, party=side.party, by=side.user, authority="owner", now=START
        )
    give(alice, price if money is None else money, currency)
    give(bob, bond if stake is None else stake, currency)
    return Hire(alice, bob, engagement, engagement.milestones.order_by("position")[0])


def funded(**changes: Any) -> Hire:
    """A hire whose escrow is funded at START."""
    made = hire(**changes)
    made.fund()
    return made


def give(actor: cast.Actor, amount: int, currency: str = "USD", *, key: str = "") -> None:
    """Money from the world outside."""
    if amount:
        world = ledger.rail_account(rail="sandbox", currency=currency)
        account = ledger.party_account(party=actor.party, currency=currency)
        sides = ledger.move(source=world, target=account, amount=amount)
        key = key or f"gift:{actor.party.pk}:{currency}"
        ledger.post(Posting(kind=Transfer.Kind.DEPOSIT, key=key, sides=sides))
