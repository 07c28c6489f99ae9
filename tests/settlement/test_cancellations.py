"""Ending by agreement: who may offer, who may accept, until when, and what moves."""

from datetime import timedelta

import pytest

from pacts import disputes
from pacts.models import Dispute, Engagement, Milestone
from reputation.models import Evidence
from settlement import cancellations
from settlement import escrow as escrows
from settlement.audit import audit
from settlement.cancellations import (
    OFFER_STANDS,
    accept_cancellation,
    propose_cancellation,
    withdraw_cancellation,
)
from settlement.models import Cancellation, Transfer
from settlement.refusals import CancellationClosed, CancellationRefused, NotYourSide
from tests import cast
from tests.racing import in_parallel
from tests.settlement.hires import ACCEPTANCE, CURE, START, TICK, Hire, funded, hire

pytestmark = pytest.mark.django_db
JUDGED = START + timedelta(hours=1)


def offer(
    made: Hire, *, bps: int | None = 2_500, by: str = "alice", now: object = START
) -> Cancellation:
    who = getattr(made, by)
    return propose_cancellation(
        milestone=made.milestone,
        party=who.party,
        by=who.user,
        award_bps=bps,
        note="Let us part.",
        now=now,  # type: ignore[arg-type]
    )


def accept(made: Hire, one: Cancellation, *, by: str = "bob", now: object = START) -> Cancellation:
    who = getattr(made, by)
    return accept_cancellation(cancellation=one, party=who.party, by=who.user, now=now)  # type: ignore[arg-type]


def kinds() -> list[str]:
    return [
        kind
        for kind in Evidence.objects.order_by("id").values_list("kind", flat=True)
        if kind.startswith("cancellation")
    ]


def test_accepting_an_offer_splits_the_money_at_once() -> None:
    made = funded()
    accepted = accept(made, offer(made))
    assert accepted.state == "accepted"
    assert (made.escrow.state, made.escrow.reason) == ("split", "agreed")
    assert made.escrow.agreed_share_bps == 2_500
    assert made.balances() == (7_500, 2_375, 125)
    assert kinds() == ["cancellation.proposed", "cancellation.closed"]
    assert Engagement.objects.get().state == "closed"
    assert audit(now=START) == []


@pytest.mark.parametrize(("bps", "state"), [(0, "refunded"), (10_000, "released")])
def test_all_and_nothing_can_be_agreed_too(bps: int, state: str) -> None:
    made = funded()
    accept(made, offer(made, bps=bps, by="bob"), by="alice")
    assert made.escrow.state == state


def test_the_side_that_offered_cannot_accept_and_a_stranger_can_do_nothing() -> None:
    made, mallory = funded(), cast.mallory()
    one = offer(made)
    with pytest.raises(NotYourSide):
        accept(made, one, by="alice")
    for act in (accept_cancellation, withdraw_cancellation):
        with pytest.raises(NotYourSide):
            act(cancellation=one, party=mallory.party, by=mallory.user, now=START)
    with pytest.raises(NotYourSide):
        propose_cancellation(
            milestone=made.milestone, party=mallory.party, by=mallory.user, award_bps=0, now=START
        )
    assert made.escrow.state == "held"


def test_an_offer_can_be_accepted_at_exactly_its_end_and_not_a_microsecond_later() -> None:
    made = hire(prices=[5_000, 5_000])
    end = START + OFFER_STANDS
    one = offer(made, bps=None)
    with pytest.raises(CancellationClosed, match="ran out"):
        accept(made, one, now=end + TICK)
    assert cancellations.expire_due(now=end) == 0
    assert accept(made, one, now=end).state == "accepted"


def test_an_offer_past_its_time_is_closed_by_the_sweep_and_logged() -> None:
    made = hire()
    one = offer(made, bps=None)
    assert cancellations.expire_due(now=START + OFFER_STANDS + TICK) == 1
    one.refresh_from_db()
    assert one.state == "expired"
    with pytest.raises(CancellationClosed):
        accept(made, one)


def test_a_later_offer_of_either_side_supersedes_the_open_one() -> None:
    made = funded()
    first, second = offer(made), offer(made, bps=5_000, by="bob")
    with pytest.raises(CancellationClosed, match="superseded"):
        accept(made, first)
    accept(made, second, by="alice")
    assert made.escrow.earned_share_bps == 5_000


def test_an_offer_taken_back_cannot_be_accepted() -> None:
    made = funded()
    one = offer(made)
    with pytest.raises(NotYourSide):
        withdraw_cancellation(cancellation=one, party=made.bob.party, by=made.bob.user, now=START)
    withdraw_cancellation(cancellation=one, party=made.alice.party, by=made.alice.user, now=START)
    with pytest.raises(CancellationClosed, match="withdrawn"):
        accept(made, one)


def test_before_funding_the_engagement_ends_without_money() -> None:
    made = hire()
    with pytest.raises(CancellationRefused, match="no money"):
        offer(made, bps=5_000)
    accept(made, offer(made, bps=None))
    engagement = Engagement.objects.get()
    assert engagement.state == "cancelled"
    assert engagement.closed_at == START
    with pytest.raises(escrows.EngagementNotInForce):
        made.fund()
    assert not Transfer.objects.filter(kind="hold").exists()


def test_an_offer_made_before_funding_shares_no_money_afterwards() -> None:
    made = hire()
    one = offer(made, bps=None)
    made.fund()
    with pytest.raises(CancellationRefused, match="offer how it is shared"):
        accept(made, one)
    assert made.escrow.state == "held"


def test_with_one_milestone_at_work_only_the_unfunded_end() -> None:
    made = hire(prices=[5_000, 5_000])
    first, second = made.engagement.milestones.all()
    made.fund()
    made.milestone = second
    accept(made, offer(made, bps=None))
    assert Milestone.objects.get(pk=second.pk).cancelled_at == START
    assert Engagement.objects.get().state == "active"
    made.milestone = first
    escrows.give_back(escrow=made.escrow, by=made.bob.party, now=START)
    assert Engagement.objects.get().state == "closed"


def test_agreeing_in_a_dispute_settles_it_and_the_verdict_does_not_count() -> None:
    made = funded()
    made.judge("breached")
    case = escrows.dispute(
        escrow=made.escrow,
        party=made.bob.party,
        by=made.bob.user,
        ground=Dispute.Ground.PERFORMANCE,
        statement="It was right.",
        now=JUDGED,
    )
    accept(made, offer(made, bps=5_000, now=JUDGED), now=JUDGED)
    case.refresh_from_db()
    assert (case.state, case.outcome, made.escrow.state) == ("closed", "settled", "split")
    settled = Evidence.objects.get(kind="escrow.settled").read()["facts"]
    assert "verdict_evidence" not in settled
    with pytest.raises(disputes.DisputeClosed):
        disputes.withdraw(dispute=case, party=made.bob.party, now=JUDGED)


def test_agreeing_after_a_breach_leaves_the_measured_breach_on_record() -> None:
    made = funded()
    verdict = made.judge("breached")
    accept(made, offer(made, bps=5_000, now=JUDGED), now=JUDGED)
    settled = Evidence.objects.get(kind="escrow.settled").read()["facts"]
    assert settled["verdict_evidence"] == verdict.evidence_id


def test_once_time_has_decided_nothing_can_be_agreed_any_more() -> None:
    made = funded()
    made.judge("met", at=JUDGED)
    one = offer(made, now=JUDGED)
    with pytest.raises(escrows.DeadlinePassed):
        accept(made, one, now=JUDGED + ACCEPTANCE + TICK)
    escrows.accept(escrow=made.escrow, by=made.alice.party, now=JUDGED + CURE)
    with pytest.raises(escrows.EscrowAlreadySettled):
        offer(made)
    with pytest.raises(escrows.EscrowAlreadySettled):
        accept(made, one)
    cancellations.expire_due(now=JUDGED + OFFER_STANDS + TICK)
    one.refresh_from_db()
    assert one.state == "overtaken"


@pytest.mark.parametrize("bps", [-1, 10_001, None])
def test_a_share_out_of_range_is_refused(bps: int | None) -> None:
    with pytest.raises(CancellationRefused):
        offer(funded(), bps=bps)


@pytest.mark.django_db(transaction=True)
def test_accepting_racing_with_withdrawing_accepting_the_work_and_giving_back_pays_once() -> None:
    made = funded()
    made.judge("met")
    one = offer(made, now=JUDGED)
    turns = iter(range(8))

    def act() -> str:
        turn = next(turns) % 4
        if turn == 0:
            accept(made, one, now=JUDGED)
        elif turn == 1:
            withdraw_cancellation(
                cancellation=one, party=made.alice.party, by=made.alice.user, now=JUDGED
            )
        elif turn == 2:
            escrows.accept(escrow=made.escrow, by=made.alice.party, now=JUDGED)
        else:
            escrows.give_back(escrow=made.escrow, by=made.bob.party, now=JUDGED)
        return "done"

    results = in_parallel(8, act)
    assert not [one for one in results if not isinstance(one, str | escrows.EscrowRefused)]
    assert Transfer.objects.filter(resolves=made.escrow.hold_id).count() == 1
    assert sum(made.balances()) == 10_000


@pytest.mark.django_db(transaction=True)
def test_funding_racing_with_an_agreed_end_does_one_of_the_two() -> None:
    made = hire()
    one = offer(made, bps=None)
    turns = iter(range(4))

    def act() -> str:
        if next(turns) % 2:
            accept(made, one)
        else:
            made.fund()
        return "done"

    results = in_parallel(4, act)
    assert not [one for one in results if not isinstance(one, str | escrows.EscrowRefused)]
    milestone = Milestone.objects.get()
    funded_it = made.escrow.state == "held"
    assert funded_it == (milestone.started_at is not None)
    assert funded_it != (milestone.cancelled_at is not None)
    assert made.balances()[0] == (0 if funded_it else 10_000)
