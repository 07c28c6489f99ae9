"""Metered hires as people see them: an offer, its budget, its windows, a person's decision."""

from typing import Any

import pytest
from django.test import Client

from marketplace import hiring
from pacts.models import Agent
from reputation.clock import database_now
from settlement.models import Meter
from tests import cast
from tests.marketplace.pages.browsers import TOKEN, browser_of
from tests.settlement.hires import give
from tests.settlement.metered import TIMERS, WINDOW, Metered, clause, running

pytestmark = pytest.mark.django_db


def listed(*clauses: dict[str, Any]) -> tuple[cast.Actor, cast.Actor, str]:
    """alice, bob, and the address of bob's listed agent."""
    alice, bob = cast.alice(), cast.bob()
    version = cast.agent_of(bob)
    Agent.objects.update(control_proved_at=database_now())
    version.agent.refresh_from_db()
    hiring.open_listing(
        agent_version=version,
        pact_version=cast.pact_of(version, bob, cast.pact_terms(*clauses)),
        price=10_000,
        currency="EUR",
        timers=TIMERS,
        by=bob.user,
        now=database_now(),
    )
    return alice, bob, f"/agents/{version.agent.slug}/meter/"


def send(visitor: Client, page: str, to: str = "", **fields: Any) -> Any:
    """Press a form of a page, and look where it leads."""
    found = TOKEN.search(visitor.get(page).content.decode())
    assert found, page
    return visitor.post(to or page, fields | {"idempotency_key": found[1]}, follow=True)


OFFER: dict[str, Any] = {
    "budget": "100.00",
    "price": "0.50",
    "basis": "call",
    "per": "1",
    "holdback": "10",
    "cooling": "3",
    "runs": "30",
    "counts": "buyer",
    "pausers": ["buyer", "builder"],
}


def test_alice_offers_bob_signs_she_funds_adds_pauses_goes_on_and_ends() -> None:
    alice, bob, offer = listed(clause())
    give(alice, 20_000, "EUR")
    buyer, builder = browser_of(alice), browser_of(bob)
    assert send(buyer, offer, **OFFER).status_code == 200
    meter = Meter.objects.get()
    page, engagement = f"/meters/{meter.pk}/", f"/engagements/{meter.engagement_id}/"
    assert "Both sides sign first" in buyer.get(page).content.decode()
    send(builder, engagement, f"{engagement}signature/")
    assert 'data-state="running"' in send(buyer, page, f"{page}funding/").content.decode()
    send(buyer, page, f"{page}top-up/", amount="12.34")
    meter.refresh_from_db()
    assert (meter.funded, meter.state) == (11_234, "running")
    assert 'data-state="paused"' in send(builder, page, f"{page}pause/").content.decode()
    assert 'data-test="resume"' not in buyer.get(page).content.decode()
    assert 'data-state="running"' in send(builder, page, f"{page}resumption/").content.decode()
    assert 'data-state="ended"' in send(buyer, page, f"{page}end/").content.decode()
    meter.refresh_from_db()
    assert (meter.returned, meter.paid) == (11_234, 0)


def test_an_offer_that_cannot_be_says_what_to_change() -> None:
    alice, _, offer = listed(clause())
    answer = send(browser_of(alice), offer, **OFFER | {"budget": "0.10"}).content.decode()
    assert "A price is above zero and within the budget." in answer
    assert Meter.objects.count() == 0


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"window": {"kind": "milestone"}}, "judged once per milestone"),
        ({"risk_over": "window"}, "takes its whole risk anew in each window"),
        ({"unit": "task"}, "nothing of single calls"),
    ],
)
def test_a_pact_that_cannot_be_metered_is_told_before_anything_is_typed(
    changes: dict[str, Any], says: str
) -> None:
    alice, _, offer = listed(clause(**changes))
    page = browser_of(alice).get(offer).content.decode()
    assert says in page
    assert "<form" not in page.split('data-test="refused"')[1].split("</main>")[0]


def judged(**changes: Any) -> Metered:
    """One met window, and one that waits for a person."""
    made = running(clause(on_undetermined="human_review"), start=database_now(), **changes)
    made.report(good=WINDOW + 20, bad=10)
    made.report(good=WINDOW)
    made.look()
    assert made.window(2).state == "withheld"
    return made


def test_the_page_of_a_window_tells_its_arithmetic_and_gives_the_signed_text() -> None:
    made = judged()
    address = f"/meter-windows/{made.window().pk}/"
    visitor = browser_of(made.alice)
    page = visitor.get(address).content.decode()
    assert "40 verified calls" in page
    assert "yes, checked as this page was drawn" in page
    assert visitor.get(f"{address}statement.json").json() is not None
    assert visitor.get(f"{address}statement.pdf").content.startswith(b"%PDF")
    assert browser_of(cast.mallory()).get(address).status_code == 404


def test_a_person_without_interest_decides_a_window_the_pact_asks_about() -> None:
    made = judged()
    address = f"/meter-windows/{made.window(2).pk}/"
    carol = browser_of(cast.carol())
    assert browser_of(made.bob).get(address).content.decode().count("ruling-form") == 0
    reasons = "Half of the labels can be used by anybody who reads them."
    answer = send(carol, address, f"{address}ruling/", share="50", reasons=reasons)
    assert "An adjudicator ruled." in answer.content.decode()
    window = made.window(2)
    assert (window.award_bps, window.earned) == (5_000, window.covered // 2)
    assert reasons in browser_of(made.alice).get(address).content.decode()


def test_the_buyer_may_pay_a_window_that_waits_and_the_builder_sees_what_it_earned() -> None:
    made = judged()
    address = f"/meter-windows/{made.window(2).pk}/"
    send(browser_of(made.alice), address, f"{address}acceptance/")
    assert made.window(2).reason == "window_accepted"
    page = browser_of(made.bob).get("/meters/").content.decode()
    assert 'data-test="earnings"' in page
