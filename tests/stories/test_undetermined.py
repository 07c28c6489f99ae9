"""Too few tasks to tell: what the money does then is what the pact says, and nothing else."""

from datetime import timedelta

import pytest

from pacts.models import Dispute
from pacts.procedure.clocks import FULL
from tests import cast
from tests.cast import clause
from tests.stories.story import ACCEPTANCE, CHALLENGE, CURE, EXTENSION, PRICE, TICK, Story, story_of


def too_few_to_tell(rule: str) -> Story:
    """Five right answers of five: promising, and no proof."""
    with story_of(cast.echo, tasks=5, clauses=[clause(on_undetermined=rule)]) as story:
        story.alice_hires_and_pays()
        verdict = story.the_work_is_judged(at=story.judged_at)
    assert (verdict.outcome, verdict.undetermined_rule) == ("undetermined", rule)
    story.the_sweep_looks(at=story.judged_at)
    return story


@pytest.mark.parametrize(
    ("rule", "state", "wait", "outcome"),
    [
        ("release", "held", ACCEPTANCE, ("released", "undetermined_released")),
        ("prorate", "held", ACCEPTANCE, ("split", "undetermined_prorated")),
        ("withhold", "withheld", CURE, ("refunded", "still_not_proved")),
        ("extend", "held", EXTENSION, ("refunded", "still_not_proved")),
        ("human_review", "frozen", FULL.backstop, ("refunded", "dispute_unruled")),
    ],
)
def test_undetermined_follows_the_pacts_own_rule(
    rule: str, state: str, wait: timedelta, outcome: tuple[str, str]
) -> None:
    story = too_few_to_tell(rule)
    assert story.escrow.state == state
    assert story.the_sweep_looks(at=story.judged_at + wait) == state
    story.the_sweep_looks(at=story.judged_at + wait + TICK)
    earned = PRICE * (story.escrow.earned_share_bps or 0) // 10_000
    assert story.outcome()[1] == outcome[1]
    assert story.purses()[0] == PRICE - earned
    assert sum(story.purses()) == PRICE


@pytest.mark.parametrize("rule", ["release", "prorate", "withhold", "extend"])
def test_the_buyer_may_be_content_with_what_there_is(rule: str) -> None:
    story = too_few_to_tell(rule)
    story.alice_accepts(at=story.judged_at)
    assert story.escrow.is_final
    assert sum(story.purses()) == PRICE


def test_a_person_reviews_what_no_number_could_decide() -> None:
    story = too_few_to_tell("human_review")
    case = Dispute.objects.get()
    assert (case.ground, case.opened_by) == ("human_review", None)
    story.both_rest(case, at=story.judged_at)
    story.carol_rules(cast.carol(), case, award_bps=4_000, at=story.judged_at)
    assert story.the_sweep_looks(at=story.judged_at + CHALLENGE) == "frozen"
    assert story.the_sweep_looks(at=story.judged_at + CHALLENGE + TICK) == "split"
    assert story.purses() == (6_000, 3_800, 200)
