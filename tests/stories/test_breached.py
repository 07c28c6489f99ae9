"""The promise is broken: cured by a better version, or the money goes back."""

from datetime import timedelta

import pytest

from settlement.escrow import DeadlinePassed
from tests import cast
from tests.stories.story import CURE, HOUR, PRICE, TICK, half_wrong, story_of, told, wrong


def test_a_breach_is_cured_by_a_better_version() -> None:
    with story_of(wrong) as story, cast.agent_service(cast.echo) as better_url:
        worse = story.listing.agent_version
        story.alice_hires_and_pays()
        assert story.the_work_is_judged(at=story.judged_at).outcome == "breached"
        assert story.the_sweep_looks(at=story.judged_at) == "withheld"
        better = story.bob_registers_a_new_version(better_url)
        story.bob_revises(at=story.judged_at + HOUR, version=better)
        assert story.outcome() == ("withheld", "revision_under_evaluation")
        cured_at = story.judged_at + 2 * HOUR
        assert story.the_work_is_judged(at=cured_at).outcome == "met"
    assert story.the_sweep_looks(at=cured_at) == "held"
    story.alice_accepts(at=cured_at)
    assert story.outcome() == ("released", "accepted")
    assert story.purses() == (0, 9_500, 500)
    assert story.standing(better).dimensions["accuracy"].passes == 30
    cured = story.standing(worse).dimensions["accuracy"]
    assert (cured.passes, cured.failures) == (0, 30)
    assert told().count("evaluation.concluded") == 2
    assert told().count("escrow.settled") == 1


@pytest.mark.parametrize(
    ("after", "outcome"),
    [
        (CURE - TICK, ("withheld", "curing")),
        (CURE, ("withheld", "curing")),
        (CURE + TICK, ("refunded", "breach_not_cured")),
    ],
)
def test_a_breach_that_is_not_cured_is_refunded_strictly_after_the_cure_period(
    after: timedelta, outcome: tuple[str, str]
) -> None:
    with story_of(wrong) as story:
        story.alice_hires_and_pays()
        story.the_work_is_judged(at=story.judged_at)
    story.the_sweep_looks(at=story.judged_at)
    story.the_sweep_looks(at=story.judged_at + after)
    assert story.outcome() == outcome
    assert story.purses() == ((PRICE, 0, 0) if outcome[0] == "refunded" else (0, 0, 0))


def test_a_revision_at_the_last_moment_of_the_cure_period_is_in_time_and_later_is_not() -> None:
    with story_of(wrong) as story:
        story.alice_hires_and_pays()
        story.the_work_is_judged(at=story.judged_at)
    version = story.listing.agent_version
    with pytest.raises(DeadlinePassed):
        story.bob_revises(at=story.judged_at + CURE + TICK, version=version)
    story.bob_revises(at=story.judged_at + CURE, version=version)
    assert story.outcome() == ("withheld", "revision_under_evaluation")


def test_a_breach_counts_against_the_agent_once_the_money_has_gone_back() -> None:
    with story_of(half_wrong) as story:
        story.alice_hires_and_pays()
        story.the_work_is_judged(at=story.judged_at)
        assert story.standing().dimensions == {}
        story.the_sweep_looks(at=story.judged_at + CURE + TICK)
    accuracy = story.standing().dimensions["accuracy"]
    assert (accuracy.passes, accuracy.units) == (15, 30)


def test_a_pact_that_prorates_pays_nothing_for_what_is_under_the_floor() -> None:
    with story_of(half_wrong, on_breach="prorate") as story:
        story.alice_hires_and_pays()
        verdict = story.the_work_is_judged(at=story.judged_at)
        story.the_sweep_looks(at=story.judged_at + CURE + TICK)
    earned = PRICE * verdict.earned_share_bps // 10_000
    assert verdict.outcome == "breached"
    assert story.purses()[0] == PRICE - earned
