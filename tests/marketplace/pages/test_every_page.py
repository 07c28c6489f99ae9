"""Every page by every role; what holds on all of them."""

import re
from collections.abc import Iterator

import pytest
from django.test import Client

from pacts.models import Member
from tests import cast
from tests.marketplace.market import Market, one_of_everything
from tests.marketplace.pages.browsers import (
    ROUTES,
    address,
    browser,
    browser_of,
    member_of,
    methods,
    side_of,
    visitor_of,
)

pytestmark = pytest.mark.django_db

SHOWN = [route for route in ROUTES if "GET" in methods(route)]
SENT = [route for route in ROUTES if "POST" in methods(route)]


def pages(market: Market) -> Iterator[tuple[str, str]]:
    """Every page that somebody may look at, drawn for the one whom it is for."""
    carol, erin = cast.carol(), cast.actor("erin", is_staff=True)
    for route in SHOWN:
        who = visitor_of(route, market, carol, erin)
        response = browser_of(who).get(address(route, market))
        if response.status_code == 200 and "html" in response["Content-Type"]:
            yield route, response.content.decode()


def test_every_page_opens_for_the_owner_of_what_it_shows() -> None:
    market, carol = one_of_everything(), cast.carol()
    erin = cast.actor("erin", is_staff=True)
    for route in SHOWN:
        who = visitor_of(route, market, carol, erin)
        response = browser_of(who).get(address(route, market))
        # A published pact has no editor: its draft address leads to the agent.
        # A notice leads to what it is about.
        leads = route in ("pact_draft", "notice")
        assert response.status_code == (302 if leads else 200), route


def test_a_visitor_sees_public_pages_and_is_asked_to_sign_in_on_all_others() -> None:
    market, visitor = one_of_everything(), browser()
    for route in SHOWN:
        response = visitor.get(address(route, market))
        if methods(route)["GET"].public:
            assert response.status_code == 200, route
        else:
            assert response.status_code == 302, route
            assert response["Location"].startswith("/accounts/login/?next="), route


@pytest.mark.parametrize("role", ["viewer", "editor", "finance", "owner"])
def test_a_role_may_send_exactly_the_forms_the_table_gives_it(role: str) -> None:
    market = one_of_everything()
    member = {actor.party.id: member_of(actor, role) for actor in (market.alice, market.bob)}
    for route in SENT:
        rule = methods(route)["POST"]
        client = member[side_of(route, market).party.id]
        status = client.post(address(route, market)).status_code
        may = rule.users or rule.public or role in rule.roles
        assert (status != 403) == may, (route, role, status)


def test_a_form_sent_from_elsewhere_is_refused() -> None:
    market = one_of_everything()
    client = Client(enforce_csrf_checks=True)
    client.force_login(market.alice.user)
    assert client.post("/money/deposits/", {"amount": "1", "currency": "EUR"}).status_code == 403


def test_what_belongs_to_others_answers_as_if_it_did_not_exist() -> None:
    market, mallory = one_of_everything(), cast.mallory()
    hers = browser_of(mallory)
    absent = Market(
        market.alice,
        market.bob,
        {name: f"{id_[:-12]}{'0' * 12}" for name, id_ in market.ids.items()},
    )
    public = {
        *("agent", "buyer", "check", "evidence_entry", "imported_run", "jury"),
        *("pact_changes", "pact_template", "notice_off", "precedent"),
    }
    own = set(ROUTES) - public - {"hire", "member_removal"}
    for route in sorted(own):
        there, nowhere = address(route, market), address(route, absent)
        if there == nowhere:
            continue
        for method in methods(route):
            seen = getattr(hers, method.lower())(there)
            missing = getattr(hers, method.lower())(nowhere)
            assert seen.status_code == missing.status_code, (route, method)
            assert seen.content == missing.content, (route, method)
            assert seen.status_code in (403, 404), (route, method)


def test_a_builder_does_not_see_the_buyers_failing_cases() -> None:
    market = one_of_everything()
    there = address("failing", market)
    assert browser_of(market.alice).get(there).status_code == 200
    assert browser_of(market.bob).get(there).status_code == 404


def test_no_page_has_an_inline_script_or_style() -> None:
    market = one_of_everything()
    for route, page in pages(market):
        assert not re.search(r"<style|\sstyle\s*=|\son[a-z]+\s*=\s*[\"']|javascript:", page), route
        assert not re.search(r"<script(?![^>]*\bsrc=)", page), route


def test_every_form_that_acts_carries_a_token_of_its_own() -> None:
    market = one_of_everything()
    for route, page in pages(market):
        tokens = re.findall(r'name="idempotency_key" value="([^"]+)"', page)
        # Choosing the language twice is choosing it once: that form of the foot needs none.
        forms = page.count('method="post"') - page.count('data-test="languages"')
        assert len(tokens) == len(set(tokens)) == forms, route


def test_every_control_has_a_label_and_every_page_one_heading() -> None:
    market = one_of_everything()
    for route, page in pages(market):
        ids = re.findall(
            r'<(?:input|select|textarea)(?![^>]*type="hidden")[^>]*\bid="([^"]+)"', page
        )
        for one in ids:
            assert f'for="{one}"' in page, (route, one)
        if "<main" in page:
            assert page.count("<h1") == 1, route


def test_pages_say_what_they_may_load() -> None:
    policy = browser().get("/")["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe-inline" not in policy


def test_nothing_here_yet_is_drawn_on_every_list() -> None:
    alice, carol = cast.alice(), cast.carol()
    hers = browser_of(alice)
    for path in ("/", "/engagements/", "/task-sets/", "/money/", "/builder/", "/keys/"):
        response = hers.get(path)
        assert response.status_code == 200, path
        assert 'data-test="empty"' in response.content.decode(), path
    assert 'data-test="empty"' in browser_of(carol).get("/desk/").content.decode()
    assert browser().get("/evidence/").status_code == 200


def test_a_user_without_a_party_is_told_to_found_one() -> None:
    alice = cast.alice()
    Member.objects.all().delete()
    page = browser(alice.user).get("/parties/").content.decode()
    assert "Create a party" in page
    assert browser(alice.user).get("/money/").status_code == 403


def test_an_unknown_address_is_answered_in_the_same_design() -> None:
    response = browser().get("/there-is-no-such-page/")
    assert response.status_code == 404
    assert 'data-test="refusal"' in response.content.decode()


@pytest.mark.parametrize(
    "path", ["/accounts/login/", "/accounts/signup/", "/accounts/password/reset/"]
)
def test_accounts_look_like_the_rest(path: str) -> None:
    page = browser().get(path).content.decode()
    assert "site.css" in page
    assert "Payment" not in page
    assert 'class="btn btn-main"' in page
    assert not re.search(r"<style|\sstyle\s*=|<script(?![^>]*\bsrc=)", page)
