"""Trying an agent in the browser: asked for, watched, called off, checked again, taken along."""

from typing import Any

import pytest
from django.utils.timezone import now as clock

from marketplace.pages import press
from pacts import runner
from pacts.models import Agent, Evaluation
from pacts.verification import verify
from tests import cast
from tests.marketplace.pages.browsers import browser_of
from tests.pacts.agents.a2a_server import a2a_agent
from tests.pacts.runs import RELATED, run_of, to_the_end, wrong_from

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _loopback_agents(settings: Any) -> None:
    settings.EGRESS_ALLOW_LOOPBACK = True
    runner.egress.cache_clear()


def concluded(alice: cast.Actor, bob: cast.Actor) -> Evaluation:
    with cast.agent_service(wrong_from(25)) as url:
        running = run_of(cast.agent_of(bob, url), bob, alice)
        to_the_end(running)
    return Evaluation.objects.select_related(*RELATED).get(pk=running.pk)


def test_a_run_is_asked_for_watched_and_called_off() -> None:
    bob = cast.bob()
    version = cast.agent_of(bob)
    Agent.objects.update(control_proved_at=clock())
    cast.pact_of(version, bob)
    tasks = cast.golden_set(bob, cast.doubling_tasks(5))
    browser = browser_of(bob)
    sent = {"task_set_version": tasks.id, "calls": "3", "currency": "USD"}
    answer = browser.post(f"/agents/{version.agent.slug}/trial/", sent)
    assert answer.status_code == 200, "a form without its token starts nothing"
    assert not Evaluation.objects.exists()
    page = browser.get(f"/agents/{version.agent.slug}/trial/").content.decode()
    token = page.split(f'name="{press.FIELD}" value="')[1].split('"')[0]
    started = browser.post(f"/agents/{version.agent.slug}/trial/", {**sent, press.FIELD: token})
    run = Evaluation.objects.get()
    assert started.headers["Location"] == f"/evaluations/{run.id}/"
    assert (run.max_calls, run.full_run) == (3, False)
    live = browser.get(f"/evaluations/{run.id}/live/").content.decode()
    assert "0 of at most 3" in live
    seen = live.split("seen=")[1].split('"')[0]
    assert browser.get(f"/evaluations/{run.id}/live/?seen={seen}").status_code == 204


def test_a_concluded_run_shows_how_it_failed_and_can_be_taken_along() -> None:
    alice, bob = cast.alice(), cast.bob()
    run = concluded(alice, bob)
    browser = browser_of(alice)
    page = browser.get(f"/evaluations/{run.id}/").content.decode()
    assert 'data-mode="silent"' in page
    assert "hx-trigger" not in page.split('id="live"')[1].split(">")[0]
    assert verify(browser.get(f"/evaluations/{run.id}/bundle/").content).holds
    assert browser_of(bob).get(f"/evaluations/{run.id}/").status_code == 404


def test_a_card_fills_the_form_in() -> None:
    browser = browser_of(cast.bob())
    with a2a_agent() as origin:
        page = browser.post("/builder/agents/new/", {"card": "1", "url": origin}).content.decode()
        wrong = browser.post("/builder/agents/new/", {"card": "1", "url": origin + "/x.json"})
    assert f'value="{origin}/rpc"' in page
    assert 'value="Doubler"' in page
    assert "No agent card was found" in wrong.content.decode()
