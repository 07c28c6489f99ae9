"""The forecast of a pact on its page and through the API: the same figures."""

from typing import Any

import pytest

from marketplace.call_costs import cost_of
from pacts import publishing
from pacts.models import PactVersion
from tests import cast
from tests.marketplace.api.programs import program_of
from tests.marketplace.pages.browsers import browser_of

pytestmark = pytest.mark.django_db


def draft(bob: cast.Actor, **changes: Any) -> PactVersion:
    version = cast.agent_of(bob)
    return publishing.draft_pact(agent=version.agent, data=cast.pact_terms(**changes))


def test_a_builder_reads_what_a_draft_takes_in_calls_and_in_money() -> None:
    bob = cast.bob()
    version = draft(bob)
    there = f"/builder/pacts/{version.id}/forecast/"
    page = browser_of(bob).get(f"{there}?tasks=50&call_cost=0.005&currency=EUR").content.decode()
    assert 'data-test="total"' in page
    assert "EUR\u00a00.11" in page  # 22 clean calls at half a cent
    assert "EUR\u00a00.25" in page  # 50 tasks
    assert there in browser_of(bob).get(f"/builder/pacts/{version.id}/").content.decode()


def test_the_forecast_of_a_foreign_draft_is_no_page() -> None:
    version = draft(cast.bob())
    there = f"/builder/pacts/{version.id}/forecast/"
    assert browser_of(cast.mallory()).get(there).status_code == 404


def test_what_is_typed_wrong_is_named_and_the_rest_still_forecast() -> None:
    bob = cast.bob()
    there = f"/builder/pacts/{draft(bob).id}/forecast/?tasks=0"
    page = browser_of(bob).get(there).content.decode()
    assert 'class="errors"' in page
    assert 'data-test="total"' in page


def test_the_api_forecasts_a_text_that_is_not_kept() -> None:
    asked = {"terms": cast.pact_terms(), "tasks": 50, "call_cost_micros": 5_000}
    answer = program_of(cast.bob()).ask("POST", "/api/v1/pact-forecasts", asked)
    assert answer.status_code == 201
    body = answer.json()
    assert body["calls"] == 50
    assert body["cost"] == "25"
    assert body["totals"][0]["expected_calls"] == 22
    assert body["totals"][0]["expected_cost"] == "11"
    assert PactVersion.objects.count() == 0


@pytest.mark.parametrize(
    ("calls", "micros", "currency", "minor"),
    [
        (22, 5_000, "EUR", 11),
        (1, 1, "EUR", 1),  # a part of a cent is a cent
        (3, 333_333, "JPY", 1),
        (1000, 0, "USD", 0),
    ],
)
def test_calls_are_priced_in_whole_minor_units_rounded_up(
    calls: int, micros: int, currency: str, minor: int
) -> None:
    assert cost_of(calls=calls, call_micros=micros, currency=currency) == minor
    assert cost_of(calls=None, call_micros=micros, currency=currency) is None
