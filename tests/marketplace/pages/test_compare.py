"""Agents side by side: what is claimed, what was measured, and where they disagree."""

import pytest

from marketplace.models import Listing
from pacts.models import Agent
from tests import cast
from tests.marketplace.pages.browsers import browser
from tests.marketplace.pages.test_showing import HOSTILE, offer, text_of

pytestmark = pytest.mark.django_db


def shown(*slugs: str) -> str:
    answer = browser().get("/compare/", {"agent": list(slugs)})
    assert answer.status_code == 200
    return answer.content.decode()


def words(*slugs: str) -> str:
    return text_of(shown(*slugs)).replace("\u00a0", " ").replace("\u202f", " ")


def test_claims_and_what_was_measured_stand_apart_with_age_and_version() -> None:
    bob = cast.bob()
    offer(bob, "One", units=200)
    offer(bob, "Two", units=0)
    page = words("one", "two")
    assert page.index("Benchmarks, for screening") < page.index("Kept under the pact")
    assert "for v1, measured" in page
    assert "no number under 20 units" in page
    assert "not measured" in page


def test_a_benchmark_that_names_another_leader_than_the_log_is_pointed_out() -> None:
    bob = cast.bob()
    offer(bob, "Boaster", units=40, claim_bps=8_900)
    offer(bob, "Worker", units=3_000, claim_bps=8_000)
    page = words("boaster", "worker")
    assert "Boaster leads on the benchmark" in page
    assert "Worker does" in page
    assert page.count("highest lower bound") == 1


def test_a_claim_above_all_that_was_measured_is_pointed_out() -> None:
    bob = cast.bob()
    offer(bob, "Boaster", units=3_000, claim_bps=9_990)
    offer(bob, "Modest", units=3_000, claim_bps=9_000)
    page = words("boaster", "modest")
    assert "Boaster claims 99.9 %; on settled work no dimension reaches that" in page
    assert "Modest claims" not in page


def test_agents_that_agree_are_not_said_to_disagree() -> None:
    bob = cast.bob()
    offer(bob, "Best", units=3_000, claim_bps=9_000)
    offer(bob, "Rest", units=40, claim_bps=8_000)
    assert 'data-test="disagreement"' not in shown("best", "rest")


def test_the_columns_come_in_the_order_asked_for_and_once_each() -> None:
    bob = cast.bob()
    for name in ("Aa", "Bb"):
        offer(bob, name)
    page = shown("bb", "aa", "bb")
    assert page.index("/agents/bb/") < page.index("/agents/aa/")
    assert page.count('scope="col"') == 2


def test_more_than_four_and_unknown_ones_are_left_out_and_it_is_said() -> None:
    bob = cast.bob()
    for number in range(5):
        offer(bob, f"Agent {number}")
    page = shown(*(f"agent-{number}" for number in range(5)))
    assert page.count('scope="col"') == 4
    assert "At most 4 agents fit" in page
    assert "not on offer any more" in shown("agent-0", "nobody")
    assert "Nobody to compare yet" in shown()


def test_clauses_that_differ_stand_side_by_side_and_the_same_ones_are_named_once() -> None:
    bob = cast.bob()
    offer(bob, "One")
    other = offer(bob, "Two")
    stricter = cast.clause("accuracy", promise_bps=9_500, critical=True, weight_bps=5_000)
    extra = cast.clause("form", title="Answers are numbers", weight_bps=5_000)
    version = other.listing.agent_version
    changed = cast.pact_of(version, bob, cast.pact_terms(stricter, extra))
    Listing.objects.filter(pk=other.listing.pk).update(pact_version=changed, price=1_500)
    page = words("one", "two").split("Where the pacts differ")[1]
    assert "At least 95 % of calls pass." in page
    assert "At least 90 % of calls pass." in page
    assert "Critical: broken, it vetoes the release." in page
    assert "Answers are numbers Its pact has no such clause." in page
    assert "The lowest price for the same work." in page
    assert "50 % more than the lowest." in page
    third = offer(bob, "Three")
    assert "The same in every pact Answers are right" in words("one", third.slug)


def test_prices_in_two_currencies_are_not_held_against_each_other() -> None:
    bob = cast.bob()
    offer(bob, "One")
    offer(bob, "Two")
    Listing.objects.filter(agent__name="Two").update(currency="USD")
    assert "not comparable as it stands" in words("one", "two")
    assert "lowest price" not in words("one", "two")


def test_one_of_them_is_left_out_by_a_link_and_the_search_goes_along() -> None:
    bob = cast.bob()
    offer(bob, "One")
    offer(bob, "Two")
    page = browser().get("/compare/?q=sums&agent=one&agent=two").content.decode()
    assert 'href="?q=sums&amp;agent=two" aria-label="Leave out One"' in page
    assert 'href="/?q=sums&amp;agent=one&amp;agent=two#offers"' in page


def test_a_name_is_text_and_never_markup() -> None:
    bob = cast.bob()
    offer(bob, "Plain")
    Agent.objects.update(name=HOSTILE[:80])
    assert "<script>alert" not in shown("plain")
