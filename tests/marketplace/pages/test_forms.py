"""Forms: pressed twice they act once, and what cannot be done comes back with nothing lost."""

import re
from typing import Any

import pytest
from django.db.models import Count
from django.utils.timezone import now

from marketplace.models import ApiKey
from pacts.models import Agent, Dispute, Engagement, Member, PactVersion, Party, TaskSet
from settlement import ledger
from settlement.models import Deposit, Escrow, Payout
from tests import cast
from tests.marketplace.market import one_of_everything
from tests.marketplace.pages.browsers import address, browser_of, token_in
from tests.pacts import cases
from tests.settlement import hires

pytestmark = pytest.mark.django_db


def send(client: Any, path: str, **fields: Any) -> Any:
    """A form with a token of its own."""
    return client.post(path, {"idempotency_key": "token-of-this-form"} | fields)


def test_signing_twice_hires_once() -> None:
    market = one_of_everything()
    hers, path = browser_of(market.alice), "/agents/doubler/hire/"
    before = Engagement.objects.count()
    form = {
        "idempotency_key": token_in(hers.get(path)),
        "task_set_version": market.ids["task-set-version"],
    }
    first, second = hers.post(path, form), hers.post(path, form)
    assert first["Location"] == second["Location"]
    assert Engagement.objects.count() == before + 1


def test_a_hire_may_bring_its_tasks_along() -> None:
    market = one_of_everything()
    tasks = '{"input": {"number": 1}, "expected": {"answer": 2}}'
    response = send(browser_of(market.alice), "/agents/doubler/hire/", tasks=tasks)
    assert response.status_code == 302
    assert Engagement.objects.order_by("-id")[0].milestones.get().task_set_version.size == 1


def test_a_refused_hire_leaves_no_task_set_behind() -> None:
    market = one_of_everything()
    sets = TaskSet.objects.count()
    Agent.objects.update(work="another")  # changes between the page and the press
    form = {"task_set_version": market.ids["task-set-version"]}
    response = send(browser_of(market.alice), "/agents/doubler/hire/", **form)
    assert response.status_code == 200
    assert 'role="alert"' in response.content.decode()
    assert TaskSet.objects.count() == sets


@pytest.mark.django_db(transaction=True)
def test_funding_twice_deposits_what_is_missing_once_and_sets_it_aside_once() -> None:
    hire = hires.hire(money=4_000)
    Engagement.objects.update(fund_by_at="2100-01-01T00:00Z")
    hers, path = browser_of(hire.alice), f"/milestones/{hire.milestone.id}/funding/"
    page = hers.get(f"/engagements/{hire.engagement.id}/")
    assert 'name="deposit" value="6000"' in page.content.decode()
    form = {"idempotency_key": token_in(page), "deposit": "6000"}
    assert hers.post(path, form)["Location"] == hers.post(path, form)["Location"]
    assert Deposit.objects.get().amount == 6_000
    assert hire.escrow.state == Escrow.State.HELD
    assert ledger.balances_of(hire.alice.party) == {"USD": 0}


@pytest.mark.parametrize("deposit", ["-1", "1e9", "٣", "0", "6000.5"])
def test_an_amount_that_is_none_moves_nothing(deposit: str) -> None:
    hire = hires.hire(money=4_000)
    Engagement.objects.update(fund_by_at="2100-01-01T00:00Z")
    path = f"/milestones/{hire.milestone.id}/funding/"
    response = send(browser_of(hire.alice), path, deposit=deposit)
    assert response.status_code == 302
    assert not Deposit.objects.exists()
    assert not Escrow.objects.exclude(state="unfunded").exists()


@pytest.mark.django_db(transaction=True)
def test_depositing_twice_with_one_form_brings_the_money_once() -> None:
    alice = cast.alice()
    hers = browser_of(alice)
    for _ in range(2):
        send(hers, "/money/deposits/", amount="12.50", currency="EUR", rail="sandbox")
    assert Deposit.objects.get().amount == 1_250
    assert ledger.balances_of(alice.party) == {"EUR": 1_250}


@pytest.mark.parametrize(
    ("amount", "currency"),
    [("12,50", "EUR"), ("1.5", "JPY"), ("0", "EUR"), ("-3", "EUR"), ("1e3", "EUR"), ("", "EUR")],
)
def test_an_amount_that_cannot_be_read_comes_back_as_it_was_typed(
    amount: str, currency: str
) -> None:
    hers = browser_of(cast.alice())
    response = send(hers, "/money/deposits/", amount=amount, currency=currency, rail="sandbox")
    assert response.status_code == 200
    page = response.content.decode()
    assert 'id="deposit_amount_errors"' in page
    assert f'value="{amount}"' in page or not amount
    assert not Deposit.objects.exists()


def test_a_payout_beyond_the_balance_says_so() -> None:
    response = send(
        browser_of(cast.alice()), "/money/payouts/", amount="1", currency="EUR", rail="sandbox"
    )
    assert 'role="alert"' in response.content.decode()
    assert not Payout.objects.exists()


def test_a_form_without_its_token_does_nothing() -> None:
    hers = browser_of(cast.alice())
    response = hers.post("/money/deposits/", {"amount": "1", "currency": "EUR", "rail": "sandbox"})
    assert "open the page again" in response.content.decode()
    assert not Deposit.objects.exists()


def test_accepting_is_for_the_buyer_even_if_the_builder_presses() -> None:
    hire = hires.funded()
    hire.judge("met")
    path = f"/milestones/{hire.milestone.id}/acceptance/"
    page = browser_of(hire.bob)
    assert send(page, path).status_code == 302
    assert hire.escrow.accepted_at is None


def test_a_task_set_with_a_bad_line_comes_back_with_the_line_named() -> None:
    hers = browser_of(cast.alice())
    tasks = '{"input": {"n": 1}}\n{"input": 2}'
    fields = {"name": "Mine", "work": "sums", "tasks": tasks}
    page = send(hers, "/task-sets/new/", **fields).content.decode()
    assert "Line 2" in page
    assert "{&quot;input&quot;: 2}" in page
    assert 'value="Mine"' in page
    assert not TaskSet.objects.exists()


def test_a_pact_that_cannot_be_read_stays_in_the_editor() -> None:
    market = one_of_everything()
    path = "/builder/agents/doubler/pacts/new/"
    drafts = PactVersion.objects.count()
    for text in ("{not json", '{"version": "earnest-pact/9"}', "[]"):
        page = send(browser_of(market.bob), path, text=text).content.decode()
        assert text.replace('"', "&quot;") in page
        assert 'role="alert"' in page
    assert PactVersion.objects.count() == drafts


def test_the_review_says_what_keeps_a_pact_from_being_published() -> None:
    market = one_of_everything()
    hers = browser_of(market.bob)
    response = hers.post("/builder/pacts/review/", {"text": "{}"})
    assert "cannot be read yet" in response.content.decode()


def test_an_agent_at_an_address_nobody_may_call_is_refused_with_everything_kept() -> None:
    bob = cast.bob()
    fields = {
        "name": "Inward",
        "work": "sums",
        "summary": "Looks inward.",
        "endpoint": "http://user@169.254.169.254/",
        "protocol": "earnest-json/1",
        "max_concurrency": "4",
        "deadline_ms": "1000",
    }
    page = send(browser_of(bob), "/builder/agents/new/", **fields).content.decode()
    assert 'role="alert"' in page
    assert 'value="Inward"' in page
    assert not Agent.objects.exists()


def test_a_ruling_needs_reasons_clauses_and_an_adjudicator_without_interest() -> None:
    market = one_of_everything()
    carol = cast.carol()
    path = address("ruling", market)
    Dispute.objects.update(ground="scope", recheck=None)  # what a rule does not decide
    cases.heard(Dispute.objects.get(), now=now())
    hers = browser_of(carol)
    page = send(hers, path, share="50", clauses=["accuracy"], reasons="Short.")
    assert "Give reasons" in page.content.decode()
    assert "Short." in page.content.decode()
    assert send(hers, path, share="much", clauses=["?"]).status_code == 200
    assert Dispute.objects.get().state == "under_review"
    Member.objects.create(party=market.alice.party, user=carol.user, role="viewer")
    shown = hers.get(address("case", market)).content.decode()
    assert 'data-test="conflict"' in shown
    assert 'data-test="ruling-form"' not in shown
    reasons = "A reason that both sides can follow."
    send(hers, path, share="50", clauses=["accuracy"], reasons=reasons)
    assert Dispute.objects.get().state == "under_review"


def test_a_secret_is_shown_once() -> None:
    hers = browser_of(cast.alice())
    fields = {"name": "ci", "scopes": ["read"]}
    first, again = send(hers, "/keys/", **fields), send(hers, "/keys/", **fields)
    assert 'data-test="secret"' in first.content.decode()
    assert again.status_code == 302
    assert 'data-test="secret"' not in hers.get("/keys/").content.decode()
    assert ApiKey.objects.count() == 1


def test_a_new_party_is_acted_for_at_once() -> None:
    alice = cast.alice()
    hers = browser_of(alice)
    send(hers, "/parties/new/", name="Second Street", kind="organisation", about="")
    assert "Second Street" in hers.get("/money/").content.decode()
    assert Party.objects.annotate(n=Count("members")).get(name="Second Street").n == 1


def test_the_last_owner_stays() -> None:
    alice = cast.alice()
    member = Member.objects.get(party=alice.party)
    send(browser_of(alice), f"/parties/members/{member.pk}/removal/")
    assert Member.objects.filter(pk=member.pk).exists()


def test_buttons_of_a_page_that_answered_a_press_work() -> None:
    hers = browser_of(cast.alice())
    sent = {"name": "pipeline", "scopes": ["read"], "idempotency_key": token_in(hers.get("/keys/"))}
    shown = hers.post("/keys/", sent)
    assert 'data-test="secret"' in shown.content.decode()
    key = ApiKey.objects.get()
    for there in (f"/keys/{key.id}/rotation/", f"/keys/{key.id}/end/"):
        action = shown.content.decode().split(f'action="{there}"')[1]
        token = re.findall(r'name="idempotency_key" value="([^"]+)"', action)[0]
        hers.post(there, {"idempotency_key": token})
    assert ApiKey.objects.count() == 2
    assert ApiKey.objects.filter(revoked_at=None).count() == 1
