"""One side challenges the verdict: the money freezes, and a person without interest rules."""

import pytest

from pacts import disputes
from pacts.disputes import ConflictOfInterest, DisputeClosed, DisputeRefused, NotAnAdjudicator
from pacts.models import Dispute, Member
from settlement.escrow import DeadlinePassed, EscrowFrozen
from tests import cast
from tests.stories.story import ACCEPTANCE, CHALLENGE, DAY, HOUR, PRICE, TICK, Story, story_of, told


def disputed() -> Story:
    with story_of(cast.echo) as story:
        story.alice_hires_and_pays()
        story.the_work_is_judged(at=story.judged_at)
    story.the_sweep_looks(at=story.judged_at)
    return story


def bob_answers(story: Story, case: Dispute) -> None:
    disputes.answer_dispute(
        dispute=case, party=story.bob.party, answer="They are.", now=case.answer_by_at
    )


def test_a_dispute_is_answered_ruled_and_paid_as_awarded() -> None:
    story = disputed()
    case = story.alice_disputes(at=story.judged_at + HOUR)
    assert story.escrow.state == "frozen"
    disputes.answer_dispute(
        dispute=case, party=story.bob.party, answer="They are.", now=story.judged_at + 2 * HOUR
    )
    story.both_rest(case, at=story.judged_at + DAY)
    story.carol_rules(cast.carol(), case, award_bps=2_500, at=story.judged_at + DAY)
    stands_at = story.judged_at + DAY + CHALLENGE
    assert story.the_sweep_looks(at=stands_at) == "frozen"
    assert story.the_sweep_looks(at=stands_at + TICK) == "split"
    assert story.purses() == (7_500, 2_375, 125)
    assert story.standing().dimensions == {}  # the verdict did not stand, so it counts for nobody
    assert told()[-4:] == [
        *("dispute.advanced", "dispute.closed", "escrow.settled", "precedent.published"),
    ]


def test_who_acts_for_a_party_cannot_rule_and_neither_can_anybody_else_but_an_adjudicator() -> None:
    story = disputed()
    case = story.alice_disputes(at=story.judged_at)
    colleague, mallory = cast.actor("dave", is_adjudicator=True), cast.mallory()
    Member.objects.create(party=story.bob.party, user=colleague.user, role=Member.Role.VIEWER)
    with pytest.raises(ConflictOfInterest):
        story.carol_rules(colleague, case, award_bps=10_000, at=story.judged_at)
    for who in (mallory, story.alice, story.bob):
        with pytest.raises(NotAnAdjudicator):
            story.carol_rules(who, case, award_bps=10_000, at=story.judged_at)
    bob_answers(story, case)
    assert story.the_sweep_looks(at=story.judged_at + 29 * DAY) == "frozen"
    story.carol_rules(cast.carol(), case, award_bps=10_000, at=story.judged_at + 29 * DAY)
    assert story.the_sweep_looks(at=story.judged_at + 31 * DAY + TICK) == "released"
    assert story.standing().dimensions["accuracy"].passes == 30  # the verdict stood


def test_a_strangers_dispute_is_refused_and_changes_nothing() -> None:
    story = disputed()
    story.alice, alice = cast.mallory(), story.alice
    with pytest.raises(DisputeRefused):
        story.alice_disputes(at=story.judged_at)
    story.alice = alice
    assert story.escrow.state == "held"


def test_a_dispute_can_be_opened_until_the_very_end_of_the_window() -> None:
    story = disputed()
    with pytest.raises(DeadlinePassed):
        story.alice_disputes(at=story.judged_at + ACCEPTANCE + TICK)
    story.alice_disputes(at=story.judged_at + ACCEPTANCE)
    assert story.the_sweep_looks(at=story.judged_at + ACCEPTANCE + TICK) == "frozen"
    with pytest.raises(EscrowFrozen):
        story.alice_accepts(at=story.judged_at + ACCEPTANCE + TICK)


def test_a_dispute_the_builder_leaves_unanswered_is_lost_without_anybody_ruling() -> None:
    story = disputed()
    case = story.alice_disputes(at=story.judged_at)
    assert story.the_sweep_looks(at=case.answer_by_at) == "frozen"
    assert story.the_sweep_looks(at=case.answer_by_at + TICK) == "refunded"
    assert story.purses() == (PRICE, 0, 0)
    assert story.standing().dimensions == {}
    assert told()[-3:] == ["dispute.defaulted", "dispute.closed", "escrow.settled"]


def test_a_case_nobody_rules_on_returns_the_money_and_takes_no_ruling_any_more() -> None:
    story = disputed()
    case = story.alice_disputes(at=story.judged_at)
    bob_answers(story, case)
    late = case.backstop_at + TICK
    with pytest.raises(DisputeClosed):
        story.carol_rules(cast.carol(), case, award_bps=10_000, at=late)
    assert story.the_sweep_looks(at=late) == "refunded"
    assert story.purses() == (PRICE, 0, 0)
