"""The promise is kept: the builder is paid, at once or by silence."""

from datetime import timedelta

import pytest

from settlement import payouts
from settlement.money import Money
from tests import cast
from tests.stories.story import ACCEPTANCE, PRICE, TICK, story_of, told


def test_a_kept_promise_that_is_accepted_is_paid_at_once() -> None:
    with story_of(cast.echo) as story:
        story.alice_hires()
        story.alice_deposits()
        assert story.purses() == (PRICE, 0, 0)
        story.alice_funds()
        assert story.purses() == (0, 0, 0)
        verdict = story.the_work_is_judged(at=story.judged_at)
    assert (verdict.outcome, verdict.earned_share_bps) == ("met", 10_000)
    story.alice_accepts(at=story.judged_at)
    assert story.outcome() == ("released", "accepted")
    assert story.purses() == (0, 9_500, 500)
    assert story.hires[0].milestones.get().escrow.receipt.body
    accuracy = story.standing().dimensions["accuracy"]
    assert (accuracy.units, accuracy.verdicts) == (30, 1)
    assert told() == [
        "agent.registered",
        "agent.control_proved",
        "pact.published",
        "listing.opened",
        "taskset.committed",
        "engagement.proposed",
        "engagement.signed",
        "engagement.signed",
        "deposit.received",
        "escrow.funded",
        "delivery.requested",
        "evaluation.started",
        "evaluation.concluded",
        "delivery.accepted",
        "escrow.settled",
    ]


@pytest.mark.parametrize(
    ("after", "outcome"),
    [
        (ACCEPTANCE - TICK, ("held", "awaiting_acceptance")),
        (ACCEPTANCE, ("held", "awaiting_acceptance")),
        (ACCEPTANCE + TICK, ("released", "silence")),
    ],
)
def test_silence_pays_strictly_after_the_window(after: timedelta, outcome: tuple[str, str]) -> None:
    with story_of(cast.echo) as story:
        story.alice_hires_and_pays()
        story.the_work_is_judged(at=story.judged_at)
    story.the_sweep_looks(at=story.judged_at)
    story.the_sweep_looks(at=story.judged_at + after)
    assert story.outcome() == outcome
    assert story.purses() == ((0, 9_500, 500) if outcome[0] == "released" else (0, 0, 0))


@pytest.mark.parametrize(
    ("after", "reason"), [(ACCEPTANCE, "accepted"), (ACCEPTANCE + TICK, "silence")]
)
def test_accepting_is_allowed_until_the_very_end_of_the_window(
    after: timedelta, reason: str
) -> None:
    with story_of(cast.echo) as story:
        story.alice_hires_and_pays()
        story.the_work_is_judged(at=story.judged_at)
    story.alice_accepts(at=story.judged_at + after)
    assert story.outcome() == ("released", reason)


def test_a_builder_takes_home_what_it_earned() -> None:
    with story_of(cast.echo) as story:
        story.alice_hires_and_pays()
        story.the_work_is_judged(at=story.judged_at)
    story.alice_accepts(at=story.judged_at)
    asked = payouts.request_payout(
        party=story.bob.party,
        money=Money(9_500, "EUR"),
        idempotency_key="home",
        now=story.start,
        cooldown=timedelta(0),
    )
    paid = payouts.process_payout(payout_id=asked.pk)
    assert paid.state == "paid"
    assert story.purses() == (0, 0, 500)
    assert told()[-2:] == ["payout.requested", "payout.paid"]
