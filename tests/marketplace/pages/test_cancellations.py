"""The block on an engagement's page that ends it by agreement."""

import re

import pytest
from django.urls import reverse

from settlement.models import Cancellation, Escrow
from tests.marketplace.market import Market, one_of_everything
from tests.marketplace.pages.browsers import browser_of, token_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def market() -> Market:
    return one_of_everything()


def page_of(market: Market, actor: object) -> str:
    there = reverse("engagement", args=[market.ids["engagement"]])
    return browser_of(actor).get(there).content.decode()  # type: ignore[arg-type]


def test_the_other_side_sees_the_offer_with_its_arithmetic_and_accepts_it(market: Market) -> None:
    page = page_of(market, market.alice)
    assert re.search(r"the builder gets 50(\.0+)?\s?%", page)
    assert 'data-test="accept-offer"' in page
    assert 'data-test="withdraw-offer"' in page_of(market, market.bob)

    her = browser_of(market.alice)
    shown = her.get(reverse("engagement", args=[market.ids["engagement"]]))
    there = reverse("cancellation_acceptance", args=[market.ids["cancellation"]])
    her.post(there, {"idempotency_key": token_in(shown)})
    assert Escrow.objects.get(milestone=market.ids["milestone"]).state == "split"
    assert 'data-test="parting"' not in page_of(market, market.alice)


@pytest.mark.parametrize(("award", "bps"), [("12.5", 1_250), ("0", 0), ("100", 10_000)])
def test_an_offer_is_made_in_percent(market: Market, award: str, bps: int) -> None:
    _offer(market, award)
    assert Cancellation.objects.get(state="open").award_bps == bps


@pytest.mark.parametrize("award", ["100.01", "-1", "1e1", "٣", "", "1.234"])
def test_what_is_no_share_changes_nothing(market: Market, award: str) -> None:
    _offer(market, award)
    assert Cancellation.objects.get().pk == market.ids["cancellation"]


def _offer(market: Market, award: str) -> None:
    her = browser_of(market.alice)
    shown = her.get(reverse("engagement", args=[market.ids["engagement"]]))
    her.post(
        reverse("cancellation", args=[market.ids["milestone"]]),
        {"idempotency_key": token_in(shown), "award": award},
    )
