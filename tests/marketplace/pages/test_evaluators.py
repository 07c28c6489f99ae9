"""A third party in the browser: offered, chosen, begun; its tasks are nobody else's to read."""

from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now as clock

from marketplace import hiring
from marketplace.notices import telling
from marketplace.pages import press
from pacts import evaluators
from pacts.engagements import Timers
from pacts.models import Agent, Engagement, Evaluation, EvaluatorOffer
from settlement import escrow
from tests import cast
from tests.marketplace.consequences.lately import told
from tests.marketplace.pages.browsers import browser_of
from tests.settlement.hires import give

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _loopback_agents(settings: Any) -> None:
    settings.EGRESS_ALLOW_LOOPBACK = True


def listed(bob: cast.Actor) -> str:
    version = cast.agent_of(bob)
    Agent.objects.update(control_proved_at=clock())
    version.agent.refresh_from_db()
    hiring.open_listing(
        agent_version=version,
        pact_version=cast.pact_of(version, bob, cast.pact_terms(independence="third_party")),
        price=10_000,
        currency="EUR",
        timers=Timers(),
        by=bob.user,
        now=clock(),
    )
    return f"/agents/{version.agent.slug}/hire/"


def pressed(browser: Client, page: str, to: str, **fields: str) -> Any:
    """Post a form of this page, as a person does."""
    shown = browser.get(page).content.decode()
    token = shown.split(f'name="{press.FIELD}" value="')[1].split('"')[0]
    return browser.post(to, {press.FIELD: token, **fields})


def test_an_offer_is_made_chosen_and_begun_by_pressing_buttons() -> None:
    alice, bob, carol = cast.alice(), cast.bob(), cast.actor("carol")
    page = listed(bob)
    buying, judging = browser_of(alice), browser_of(carol)
    assert "Nobody without an interest" in buying.get(page).content.decode()

    version = cast.golden_set(carol, cast.doubling_tasks(30))
    own = f"/task-sets/{version.task_set_id}/"
    pressed(judging, own, f"/task-sets/versions/{version.id}/offer/", about="Drawn by lot.")
    offer = EvaluatorOffer.objects.get()
    assert "You offer to judge hires" in judging.get(own).content.decode()
    assert "Drawn by lot." in Client().get("/evaluators/").content.decode()

    assert "Carol &amp; Co: 30 tasks" in buying.get(page).content.decode()
    pressed(buying, page, page, offer=offer.id)
    engagement = Engagement.objects.get()
    assert engagement.evaluator == carol.party
    give(alice, 10_000, "EUR")
    escrow.fund(
        milestone=engagement.milestones.get(), by=alice.party, idempotency_key="f", now=clock()
    )
    run = Evaluation.objects.get()
    told()
    notices = [notice.news.path for notice in telling.notices_of(carol.user)]
    assert f"/evaluations/{run.id}/" in notices
    shown = buying.get(f"/engagements/{engagement.id}/").content.decode()
    assert "It waits for Carol &amp; Co to begin it" in shown
    assert 'data-test="begin"' not in buying.get(f"/evaluations/{run.id}/").content.decode()
    assert 'data-test="begin"' in judging.get(f"/evaluations/{run.id}/").content.decode()
    begin = f"/evaluations/{run.id}/beginning/"
    assert buying.post(begin).status_code == 404
    pressed(judging, f"/evaluations/{run.id}/", begin)
    run.refresh_from_db()
    assert run.state == "running"


def test_nobody_with_an_interest_is_offered_to_the_buyer() -> None:
    alice, bob = cast.alice(), cast.bob()
    page = listed(bob)
    for own in (alice, bob):
        evaluators.offer(
            party=own.party,
            task_set_version=cast.golden_set(own, cast.doubling_tasks(20)),
            by=own.user,
            now=clock(),
        )
    assert "Nobody without an interest" in browser_of(alice).get(page).content.decode()


def test_the_buyer_reads_no_failing_case_of_somebody_elses_tasks() -> None:
    alice, bob, carol = cast.alice(), cast.bob(), cast.actor("carol")
    page = listed(bob)
    version = cast.golden_set(carol, cast.doubling_tasks(30))
    offer = evaluators.offer(
        party=carol.party, task_set_version=version, by=carol.user, now=clock()
    )
    pressed(browser_of(alice), page, page, offer=offer.id)
    milestone = Engagement.objects.get().milestones.get()
    buying = browser_of(alice)
    assert buying.get(f"/milestones/{milestone.id}/failing/").status_code == 404
    assert buying.get(f"/task-sets/{version.task_set_id}/").status_code == 404
