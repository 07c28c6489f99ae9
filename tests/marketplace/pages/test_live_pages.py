"""The bell, metered hires, incidents and routes: live while they can change, and light to ask."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from marketplace.incidents import handling
from marketplace.models import Incident, Route, RoutedCall
from marketplace.notices import telling
from marketplace.routing import keeping
from marketplace.routing.keeping import Listed, RouteTerms
from reputation.clock import database_now
from settlement import meters
from tests import cast
from tests.marketplace.consequences.lately import breach, broken_hire, critical
from tests.marketplace.consequences.test_incidents import acting
from tests.marketplace.pages.browsers import browser_of
from tests.pacts.live.hired import hire
from tests.settlement.metered import Metered, clause, running

pytestmark = pytest.mark.django_db

MARK = re.compile(r"""hx-headers='{"Live-Seen": "([0-9a-f]{16})"}'""")
MOST = 10  # queries of an unchanged answer, those that say who asks among them


def live(page: str) -> str:
    """The tag of the part that asks again."""
    return page.split('id="live"')[1].split(">")[0]


def asked(visitor: Client, path: str, mark: str) -> Any:
    return visitor.get(path, headers={"HX-Request": "true", "Live-Seen": mark})


def changes(visitor: Client, path: str, change: Callable[[], object]) -> str:
    """A page that was seen is answered with nothing, lightly, until `change`; then with the page.

    A mark holds for a minute: one that ends between two requests is looked at once more.
    """
    for _try in range(3):
        page = visitor.get(path).content.decode()
        found = MARK.search(live(page))
        assert found, f"{path} does not ask again"
        mark = found[1]
        with CaptureQueriesContext(connection) as captured:
            nothing = asked(visitor, path, mark)
        if nothing.status_code == 204:
            break
    assert (nothing.status_code, nothing.content) == (204, b"")
    assert len(captured) <= MOST, [one["sql"] for one in captured]
    change()
    answer = asked(visitor, path, mark)
    assert answer.status_code == 200
    assert answer["Live-Seen"] != mark
    return str(answer.content.decode())


@pytest.fixture
def alice() -> cast.Actor:
    return cast.alice()


@pytest.fixture
def bob() -> cast.Actor:
    return cast.bob()


def test_the_bell_is_answered_nothing_until_its_number_changes(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    hers = browser_of(alice)
    assert 'hx-get="/notices/unread/?seen="' in hers.get("/").content.decode()
    with CaptureQueriesContext(connection) as captured:
        assert hers.get("/notices/unread/?seen=").status_code == 204
    assert len(captured) <= 5, [one["sql"] for one in captured]
    broken_hire(alice, bob)
    waiting = telling.unread_of(alice.user)
    bell = hers.get("/notices/unread/?seen=").content.decode()
    assert f'data-test="unread">{waiting}<' in bell
    assert f"?seen={waiting}" in bell
    assert "<html" not in bell
    assert hers.get(f"/notices/unread/?seen={waiting}").status_code == 204


def test_nobody_who_is_not_signed_in_has_a_bell() -> None:
    visitor = Client()
    assert 'id="bell"' not in visitor.get("/").content.decode()
    assert visitor.get("/notices/unread/?seen=").status_code == 302


def ended(made: Metered) -> None:
    """Ended by alice before any of its calls counted, so nothing of it waits."""
    meters.end(meter=made.now(), by=made.alice.party, now=made.at)


def test_a_meter_is_drawn_anew_when_calls_draw_on_it() -> None:
    made = running(clause(), start=database_now())
    hers, path = browser_of(made.alice), f"/meters/{made.meter.pk}/"
    page = changes(hers, path, lambda: made.report(good=3))
    before = page.split('data-test="free"')[1].split("</dd>")[0]
    page = changes(hers, path, lambda: made.report(good=3))
    assert page.split('data-test="free"')[1].split("</dd>")[0] != before


def test_a_meter_that_ended_is_not_asked_about_again() -> None:
    made = running(clause(), start=database_now())
    page = changes(browser_of(made.alice), f"/meters/{made.meter.pk}/", lambda: ended(made))
    assert 'data-state="ended"' in page
    assert "hx-trigger" not in live(page)


def test_a_refused_form_of_a_meter_does_not_ask_at_the_address_it_was_sent_to() -> None:
    made = running(clause(), start=database_now())
    hers, path = browser_of(made.alice), f"/meters/{made.meter.pk}/"
    token = re.findall(r'name="idempotency_key" value="([^"]+)"', hers.get(path).content.decode())
    sent = {"amount": "nothing", "idempotency_key": token[0]}
    page = hers.post(f"{path}top-up/", sent).content.decode()
    assert "nothing" in page
    assert "hx-trigger" not in live(page)


def test_a_meter_of_others_is_absent_for_who_asks_again_too() -> None:
    made = running(clause(), start=database_now())
    assert asked(browser_of(cast.mallory()), f"/meters/{made.meter.pk}/", "x").status_code == 404


def test_incidents_are_listed_as_they_open_and_resolved_ones_stay_as_they_are(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    hers = browser_of(alice)
    page = changes(hers, "/incidents/", lambda: broken_hire(alice, bob))
    assert page.count('data-test="incident"') == 1
    found = Incident.objects.get()

    def hand_over() -> None:
        handling.assign(
            incident=found,
            acting=acting(bob),
            party=bob.party.pk,
            user=bob.user.pk,
            now=database_now(),
        )

    assert str(bob.user) in changes(hers, "/incidents/", hand_over)
    assert "hx-trigger" not in live(hers.get("/incidents/?closed=1").content.decode())


def test_an_incident_shows_what_the_other_side_writes_and_asks_no_more_once_it_is_resolved(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    broken_hire(alice, bob)
    found = Incident.objects.get()
    hers, path = browser_of(alice), f"/incidents/{found.pk}/"
    said: dict[str, Any] = {"incident": found, "acting": acting(bob), "now": database_now()}
    page = changes(hers, path, lambda: handling.note(text="Another prompt is on its way.", **said))
    assert "Another prompt is on its way." in page
    reason = "The other prompt keeps the form."
    page = changes(hers, path, lambda: handling.resolve(outcome="fixed", reason=reason, **said))
    assert 'data-test="outcome"' in page
    assert "hx-trigger" not in live(page)


def test_a_route_shows_who_answered_last_and_the_list_says_it_too(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    engagement = hire(critical(), alice=alice, bob=bob)
    terms = RouteTerms(name="Doubling", listed=[Listed(engagement=engagement.pk, unfunded=True)])
    now = database_now()
    route = keeping.make_route(buyer=alice.party, by=alice.user, wanted=terms, now=now)
    hers, path = browser_of(alice), f"/routes/{route.pk}/"

    def answered() -> None:
        RoutedCall.objects.create(
            route=route, engagement=engagement, why="no evidence yet", latency_ms=12.5, at=now
        )

    assert changes(hers, path, answered).count('data-test="routed"') == 1

    def last() -> None:
        Route.objects.update(current=engagement)

    assert "Doubler" in changes(hers, "/routes/", last)
    page = changes(hers, path, lambda: keeping.close_route(route=route, now=now))
    assert "hx-trigger" not in live(page)
    assert "hx-trigger" not in live(hers.get("/routes/").content.decode())


def test_the_routes_of_a_market_that_breaks_are_told_within_the_minute(
    alice: cast.Actor, bob: cast.Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    engagement = hire(critical(), alice=alice, bob=bob)
    terms = RouteTerms(name="Doubling", listed=[Listed(engagement=engagement.pk, unfunded=True)])
    now = database_now()
    route = keeping.make_route(buyer=alice.party, by=alice.user, wanted=terms, now=now)

    def a_minute_later() -> None:
        breach(alice, engagement)
        monkeypatch.setattr("marketplace.pages.routes.minute_of", lambda _now: "the next")

    page = changes(browser_of(alice), f"/routes/{route.pk}/", a_minute_later)
    assert "it broke form" in page
