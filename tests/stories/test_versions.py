"""An agent comes back with another version: what the old one earned is not the new one's."""

from tests import cast
from tests.stories.story import CURE, TICK, half_wrong, story_of


def test_a_worse_version_starts_anew_and_leaves_the_better_ones_standing_alone() -> None:
    with story_of(cast.echo) as story, cast.agent_service(half_wrong) as worse_url:
        good = story.listing.agent_version
        story.alice_hires_and_pays()
        story.the_work_is_judged(at=story.judged_at)
        story.alice_accepts(at=story.judged_at)
        assert story.standing(good).dimensions["accuracy"].passes == 30

        worse = story.bob_registers_a_new_version(worse_url)
        assert story.standing(worse).dimensions == {}
        story.bob_lists(worse)
        assert story.standing(worse).dimensions == {}

        story.alice_hires_and_pays()
        assert story.the_work_is_judged(at=story.judged_at).outcome == "breached"
        story.the_sweep_looks(at=story.judged_at + CURE + TICK)
    before, after = story.standing(good), story.standing(worse)
    assert (before.dimensions["accuracy"].passes, before.dimensions["accuracy"].units) == (30, 30)
    assert (after.dimensions["accuracy"].passes, after.dimensions["accuracy"].units) == (15, 30)
    assert story.standing().version_id == worse.id
    assert story.purses() == (10_000, 9_500, 500)
