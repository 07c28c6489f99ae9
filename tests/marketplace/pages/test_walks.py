"""Two journeys on pages alone, with a real agent: a buyer to a receipt, a builder to the market."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now as clock

from marketplace.models import Listing
from pacts import runner, verdicts
from pacts.models import Agent, Dispute, Engagement, Evaluation, PactVersion
from pacts.procedure.clocks import SMALL
from settlement import settlements
from settlement.models import Escrow, Receipt
from tests import cast
from tests.marketplace.pages.browsers import browser, browser_of, token_in
from tests.pacts.cases import checked_again

pytestmark = pytest.mark.django_db(transaction=True)

TOKEN = "token-that-bob-serves"


@pytest.fixture(autouse=True)
def _loopback_agents(settings: Any) -> Any:
    settings.EGRESS_ALLOW_LOOPBACK = True
    runner.egress.cache_clear()
    yield
    runner.egress.cache_clear()


def press(client: Any, page: str, path: str, **fields: Any) -> Any:
    """Send a form of a page, with the page's own token; it has to be taken."""
    answer = client.post(path, {"idempotency_key": token_in(client.get(page))} | fields)
    assert answer.status_code == 302, answer.content.decode()
    return answer["Location"]


def listed_by(bob: cast.Actor, url: str) -> str:
    """Bob registers, proves, publishes and lists, on pages alone. The agent's slug."""
    his = browser_of(bob)
    home = press(
        his,
        "/builder/agents/new/",
        "/builder/agents/new/",
        name="Doubler",
        work="arithmetic",
        summary="Doubles numbers.",
        endpoint=url,
        protocol="earnest-json/1",
        max_concurrency=4,
        deadline_ms=1000,
    )
    Agent.objects.update(control_token=TOKEN)
    press(his, home, f"{home}control/")
    draft = press(his, f"{home}pacts/new/", f"{home}pacts/new/", text=json.dumps(cast.pact_terms()))
    assert 'data-test="lint-green"' in his.get(draft).content.decode()
    press(his, draft, f"{draft}publication/")
    press(
        his,
        f"{home}listing/",
        f"{home}listing/",
        agent_version=Agent.objects.get().versions.get().id,
        pact_version=PactVersion.objects.get().id,
        amount="12.50",
        currency="EUR",
        work_hours=1,
        evaluation_hours=1,
        acceptance_hours=1,
        cure_hours=1,
        max_revisions=1,
        signs_at_once="on",
    )
    assert Listing.objects.get().price == 1_250
    return Agent.objects.get().slug


def work(agent_answers: str) -> None:
    """What the workers do: every trial, the verdict, and a look at the money."""
    running = Evaluation.objects.get(state="running")
    runner.Runner(running, runner.egress()).run()
    verdict = verdicts.conclude(evaluation_id=running.id, now=clock())
    assert verdict is not None
    assert verdict.outcome == agent_answers
    settlements.settle_due(now=clock())


def hired_and_funded(alice: cast.Actor, slug: str) -> str:
    """Alice hires with pasted tasks and funds with one press. The engagement's address."""
    hers = browser_of(alice)
    lines = [
        json.dumps({"input": task.input, "expected": task.expected})
        for task in cast.doubling_tasks(30)
    ]
    page = press(hers, f"/agents/{slug}/hire/", f"/agents/{slug}/hire/", tasks="\n".join(lines))
    milestone = Engagement.objects.get().milestones.get()
    press(hers, page, f"/milestones/{milestone.id}/funding/", deposit="1250")
    return str(page)


def test_a_buyer_gets_from_the_market_to_the_receipt() -> None:
    alice, bob = cast.alice(), cast.bob()
    with cast.agent_service(cast.echo, control_token=TOKEN) as url:
        slug = listed_by(bob, url)
        assert f'data-agent="{slug}"' in browser().get("/").content.decode()
        page = hired_and_funded(alice, slug)
        work("met")
    hers = browser_of(alice)
    shown = hers.get(page).content.decode()
    assert "30 of 30" in shown
    assert "Accept and pay now" in shown
    press(hers, page, f"/milestones/{Engagement.objects.get().milestones.get().id}/acceptance/")
    receipt = Receipt.objects.get()
    settled = hers.get(page).content.decode()
    assert f"/receipts/{receipt.id}/" in settled
    assert settled.count('data-test="movement"') == 2
    paper = hers.get(f"/receipts/{receipt.id}/").content.decode()
    assert "yes, checked as this page was drawn" in paper
    assert "11.87" in paper or "11.88" in paper


def test_a_breach_is_revised_disputed_and_ruled_on_pages_alone() -> None:
    alice, bob, carol = cast.alice(), cast.bob(), cast.carol()
    wrong = cast.agent_service(lambda given: {"answer": -1}, control_token=TOKEN)
    with wrong as url:
        page = hired_and_funded(alice, listed_by(bob, url))
        work("breached")
        milestone = Engagement.objects.get().milestones.get()
        his, revision = browser_of(bob), f"/milestones/{milestone.id}/revision/"
        assert 'data-test="revise"' in his.get(page).content.decode()
        press(his, revision, revision, agent_version=Agent.objects.get().versions.get().id)
        work("breached")
    hers = browser_of(alice)
    assert "Revision 1" in hers.get(page).content.decode()
    cases = hers.get(f"/milestones/{milestone.id}/failing/").content.decode()
    assert "60 trials with a failed check" in cases
    dispute = f"/milestones/{milestone.id}/dispute/"
    case = press(hers, dispute, dispute, ground="scope", statement="Nothing was right.")
    assert Escrow.objects.get().state == "frozen"
    press(his, case, f"{case}answer/", answer="It was close.")
    for side in (his, hers):
        press(side, case, f"{case}rest/")
    checked_again(Dispute.objects.get(), now=clock())
    ruling = {"share": "20", "clauses": ["accuracy"], "reasons": "Some of it was of use to her."}
    press(browser_of(carol), case, f"{case}ruling/", **ruling)
    assert 'data-test="appeal-form"' in hers.get(case).content.decode()
    settlements.settle_due(now=clock() + SMALL.challenge + timedelta(seconds=5))
    assert Dispute.objects.get().outcome == "ruled"
    assert Escrow.objects.get().refunded == 1_000
    assert 'data-test="settled"' in hers.get(page).content.decode()
