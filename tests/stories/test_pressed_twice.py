"""Every button pressed again, by a shaking hand or by twenty of them: one effect."""

from datetime import timedelta

import pytest

from pacts import engagements, verdicts
from pacts.models import Deliverable, Dispute, Engagement, Verdict
from reputation.clock import database_now
from settlement import payouts, settlements
from settlement.escrow import EscrowAlreadyFunded, RevisionNotDue
from settlement.models import Deposit, Escrow, Payout, Receipt, Transfer
from settlement.money import Money
from tests import cast
from tests.racing import in_parallel
from tests.stories.story import CURE, TICK, Story, story_of, told, wrong

HANDS = 8

pytestmark = pytest.mark.django_db(transaction=True)


def judged(answer: cast.Answer = cast.echo) -> Story:
    with story_of(answer) as story:
        story.alice_hires_and_pays()
        story.the_work_is_judged(at=story.judged_at)
    return story


def test_each_step_done_twice_is_done_once() -> None:
    with story_of(cast.echo) as story:
        engagement = story.alice_hires()
        for side in (story.alice, story.bob):
            engagements.sign_engagement(
                engagement=engagement,
                party=side.party,
                by=side.user,
                authority="owner",
                now=story.start,
            )
        assert story.alice_deposits() == story.alice_deposits()
        assert story.alice_funds() == story.alice_funds()
        with pytest.raises(EscrowAlreadyFunded):
            story.alice_funds(key="another")
        story.the_work_is_judged(at=story.judged_at)
        story.the_workers_work()
        again = verdicts.conclude(evaluation_id=story.delivery.evaluation.id, now=story.judged_at)
        assert again is None
    for _ in range(2):
        story.alice_accepts(at=story.judged_at)
        story.the_sweep_looks(at=story.judged_at + CURE)
    for _ in range(2):
        asked = payouts.request_payout(
            party=story.bob.party,
            money=Money(9_500, "EUR"),
            idempotency_key="p",
            now=story.start,
            cooldown=timedelta(0),
        )
        payouts.process_payout(payout_id=asked.pk)
    assert story.purses() == (0, 0, 500)
    assert [told().count(kind) for kind in ONCE] == [1] * len(ONCE)
    assert told().count("engagement.signed") == 2
    assert counted() == {"deposits": 1, "verdicts": 1, "receipts": 1, "payouts": 1}


ONCE = [
    "deposit.received",
    "escrow.funded",
    "evaluation.started",
    "evaluation.concluded",
    "delivery.accepted",
    "escrow.settled",
    "payout.requested",
    "payout.paid",
]


def counted() -> dict[str, int]:
    return {
        "deposits": Deposit.objects.count(),
        "verdicts": Verdict.objects.count(),
        "receipts": Receipt.objects.count(),
        "payouts": Payout.objects.count(),
    }


def test_many_hands_fund_one_escrow_once() -> None:
    with story_of(cast.echo) as story:
        story.alice_hires()
        for number in range(3):  # money enough to be taken three times
            story.alice_deposits(key=f"d{number}")
        found = in_parallel(HANDS, lambda: story.alice_funds())
    assert all(isinstance(one, Escrow) for one in found), found
    assert Transfer.objects.filter(kind="hold").count() == 1
    assert Deliverable.objects.count() == 1
    assert story.purses() == (20_000, 0, 0)


def test_many_hands_accept_once_while_the_sweep_is_at_it() -> None:
    story = judged()
    found = in_parallel(HANDS, lambda: story.alice_accepts(at=story.judged_at))
    assert {one.state for one in found} == {"released"}
    assert story.purses() == (0, 9_500, 500)


def test_many_sweeps_refund_once() -> None:
    story = judged(wrong)
    late = story.judged_at + CURE + TICK
    in_parallel(HANDS, lambda: settlements.settle_due(now=late))
    story.the_sweep_looks(at=late)
    assert story.purses() == (10_000, 0, 0)
    assert Receipt.objects.count() == 1


def test_many_hands_open_one_dispute() -> None:
    story = judged()
    found = in_parallel(HANDS, lambda: story.alice_disputes(at=story.judged_at))
    assert sum(isinstance(one, Dispute) for one in found) == 1
    assert all(isinstance(one, Dispute | Exception) for one in found)
    assert Dispute.objects.count() == 1
    assert story.escrow.state == "frozen"


def test_a_revision_is_delivered_once() -> None:
    story = judged(wrong)
    version = story.listing.agent_version
    story.bob_revises(at=story.judged_at, version=version)
    with pytest.raises(RevisionNotDue):
        story.bob_revises(at=story.judged_at, version=version)
    assert Deliverable.objects.count() == 2


def test_an_acceptance_and_the_end_of_the_window_at_the_same_moment_pay_once() -> None:
    story = judged()
    late = story.judged_at + 2 * CURE + TICK
    acts = iter([story.alice_accepts, story.the_sweep_looks] * (HANDS // 2))
    in_parallel(HANDS, lambda: next(acts)(late))
    assert story.escrow.state == "released"
    assert story.purses() == (0, 9_500, 500)
    assert Engagement.objects.get().state == "closed"
    assert story.start <= database_now()
