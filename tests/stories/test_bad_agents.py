"""Agents as bad as strangers are: the trial is charged to them, the money comes back."""

import pytest

from pacts.models import Artifact, Trial
from tests import cast
from tests.pacts import strangers
from tests.pacts.strangers import Script, drips, hangs, http, says
from tests.stories.story import CURE, PRICE, TICK, WINDOW, Story, offered, story_of

RIGHT = b'{"output": {"answer": 0}}'
HEADERS = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 4000\r\n\r\n"

BEHAVIOURS: dict[str, tuple[Script, str]] = {
    "hangs": (hangs, "timeout"),
    "drips its body": (drips(HEADERS, b" "), "timeout"),
    "redirects": (says(http(b"", status="302 Found", headers="Location: /\r\n")), "redirect"),
    "answers malformed JSON": (says(http(b'{"output": {"answer": NaN}}')), ""),
    "answers the same name twice": (says(http(b'{"output": {}, "output": {}}')), ""),
    "answers without an output": (says(http(b"[]")), "no_output"),
    "answers two megabytes": (says(http(b" " * 2_000_000 + RIGHT)), ""),
    "answers an error": (says(http(RIGHT, status="500 Internal Server Error")), "http_500"),
    "hangs up": (says(b""), ""),
}


def the_money_goes_back(story: Story) -> None:
    story.the_sweep_looks(at=story.judged_at)
    assert story.outcome() == ("withheld", "curing")
    story.the_sweep_looks(at=story.judged_at + CURE + TICK)
    assert story.outcome() == ("refunded", "breach_not_cured")
    assert story.purses() == (PRICE, 0, 0)


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_an_agent_that_misbehaves_is_charged_with_it_and_not_paid(behaviour: str) -> None:
    script, code = BEHAVIOURS[behaviour]
    with strangers.stranger(script) as stranger:
        story = offered(stranger.url, tasks=12, proves_control=False, deadline_ms=200)
        story.alice_hires_and_pays()
        verdict = story.the_work_is_judged(at=story.judged_at)
    assert (verdict.outcome, verdict.earned_share_bps) == ("breached", 0)
    assert set(Trial.objects.values_list("state", "fault")) == {("done", "agent")}
    assert code in Trial.objects.values_list("error_code", flat=True)[0]
    assert all(kept.size <= 1_000_000 for kept in Artifact.objects.all())
    the_money_goes_back(story)


def test_a_builder_who_is_gone_costs_the_buyer_nothing_but_time() -> None:
    story = offered(cast.DEAD_END, tasks=12, proves_control=False)
    story.alice_hires_and_pays()
    assert story.the_work_is_judged(at=story.judged_at).outcome == "breached"
    the_money_goes_back(story)


def test_workers_that_never_came_are_nobodys_breach_and_a_person_looks() -> None:
    with story_of(cast.echo) as story:
        story.alice_hires_and_pays()
    story.the_sweep_looks(at=story.start + WINDOW)
    assert story.outcome()[0] == "held"
    story.the_sweep_looks(at=story.start + WINDOW + TICK)
    assert story.outcome() == ("frozen", "human_review")
    assert set(Trial.objects.values_list("state", "fault")) == {("null", "platform")}
    assert story.standing().dimensions == {}
