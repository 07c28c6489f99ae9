"""What goes wrong is drawn in the site's own design, and says what to do."""

from typing import Any

import pytest
from django.core.cache import cache
from django.db import OperationalError
from django.test import Client, RequestFactory

from marketplace import errors
from marketplace.pages import market_view
from tests import cast
from tests.marketplace.pages.browsers import browser, browser_of

pytestmark = pytest.mark.django_db


def drawn(response: Any, status: int) -> str:
    """The page of a refusal."""
    page = str(response.content.decode())
    assert response.status_code == status, page
    assert f'data-test="refusal" data-status="{status}"' in page
    assert page.count("<h1") == 1
    return page


def test_a_forms_address_opened_as_a_page_says_that_it_shows_nothing() -> None:
    response = browser_of(cast.alice()).get("/money/deposits/")
    assert "takes what a form sends" in drawn(response, 405)
    assert response["Allow"] == "HEAD, POST"


def test_a_form_of_an_earlier_session_is_refused_with_what_to_do() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.alice().user)
    page = drawn(client.post("/money/deposits/", {"amount": "1"}), 403)
    assert "nothing was done" in page
    assert "load the page again" in page


def test_whoever_tries_too_often_is_asked_to_wait() -> None:
    cast.alice()
    cache.clear()
    client = browser()
    wrong = {"login": "alice@example.org", "password": "wrong"}
    answers = [client.post("/accounts/login/", wrong) for _ in range(40)]
    late = next(answer for answer in answers if answer.status_code == 429)
    assert "Wait a minute" in drawn(late, 429)
    assert late["Retry-After"] == "60"
    cache.clear()


@pytest.mark.parametrize(
    ("fault", "status", "words"),
    [
        (RuntimeError("the secret"), 500, "did not happen"),
        (OperationalError("the secret"), 503, "out of reach"),
    ],
)
def test_a_fault_is_drawn_without_its_cause(
    fault: Exception, status: int, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise fault

    monkeypatch.setattr(market_view, "leaders", fail)
    page = drawn(browser().get("/?from=mail"), status)
    assert words in page
    assert "secret" not in page
    assert '<a class="btn btn-main" href="/?from=mail">Try again</a>' in page


@pytest.mark.parametrize(("method", "offered"), [("get", True), ("post", False)])
def test_only_what_can_be_looked_at_again_is_offered_again(method: str, offered: bool) -> None:
    request = getattr(RequestFactory(), method)("/", PATH_INFO="//mallory.example/agents/")
    page = drawn(errors.too_many(request), 429)
    assert ('href="/%2Fmallory.example/agents/"' in page) == offered
    assert ("Try again" in page) == offered


@pytest.mark.parametrize(
    ("came_from", "leads"),
    [
        ("http://testserver/agents/doubler/", "/agents/doubler/"),
        ("http://mallory.example/agents/doubler/", "/"),
        ("", "/"),
    ],
)
def test_signing_in_after_a_form_leads_back_to_the_page_of_the_form(
    came_from: str, leads: str
) -> None:
    response = browser().post("/money/deposits/", {"amount": "1"}, headers={"Referer": came_from})
    assert response["Location"] == f"/accounts/login/?next={leads}"
