"""Pages about what follows from production: notices, webhooks, incidents, routes, shadows."""

import re
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now as clock

from marketplace.models import Delivery, Hook, Incident, Replay, Route, Shadow
from marketplace.notices import choices, telling
from pacts import registry
from pacts.models import Call
from tests import cast
from tests.marketplace.consequences.lately import breach, broken_hire, critical
from tests.marketplace.pages.browsers import browser_of, token_in
from tests.pacts.live.hired import hire

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _loopback(settings: Any) -> None:
    settings.EGRESS_ALLOW_LOOPBACK = True


@pytest.fixture
def alice() -> cast.Actor:
    return cast.alice()


@pytest.fixture
def bob() -> cast.Actor:
    return cast.bob()


def press(client: Client, path: str, data: dict[str, Any], *, at: str = "") -> Any:
    """Send a form with the token of the page it stands on."""
    token = token_in(client.get(at or path))
    return client.post(path, {**data, "idempotency_key": token})


def text(response: Any) -> str:
    return str(response.content.decode())


def test_the_bell_counts_what_is_unread_until_it_was_read(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    hers = browser_of(alice)
    assert 'data-test="unread"' not in text(hers.get("/"))
    engagement = broken_hire(alice, bob)
    waiting = telling.unread_of(alice.user)
    assert f'data-test="unread">{waiting}<' in text(hers.get("/"))
    found = telling.notices_of(alice.user).get(news__kind="window.breached")
    led = hers.get(f"/notices/{found.pk}/")
    assert led["Location"] == f"/engagements/{engagement.pk}/calls/"
    assert telling.unread_of(alice.user) == waiting - 1
    press(hers, "/notices/read/", {}, at="/notices/")
    assert 'data-test="unread"' not in text(hers.get("/"))
    assert "Nothing unread" in text(hers.get("/notices/?unread=1"))


def test_a_notice_of_somebody_else_is_not_there(alice: cast.Actor, bob: cast.Actor) -> None:
    broken_hire(alice, bob)
    hers = telling.notices_of(alice.user)[0]
    assert browser_of(bob).get(f"/notices/{hers.pk}/").status_code == 404
    assert telling.notices_of(alice.user).get(pk=hers.pk).read_at is None


def test_what_one_hears_of_is_chosen_box_by_box(alice: cast.Actor) -> None:
    hers = browser_of(alice)
    wanted = {f"{topic}.app": "on" for topic in ("violation", "dispute")}
    press(hers, "/notices/choices/", wanted)
    found = choices.choices_of(alice.user)
    assert {key for key, is_on in found.items() if is_on} == {
        *(("violation", "app"), ("dispute", "app"))
    }


def test_a_webhooks_secret_is_shown_once(alice: cast.Actor) -> None:
    hers = browser_of(alice)
    made = press(hers, "/hooks/", {"url": "https://receiver.example/told", "topics": ["violation"]})
    page = text(hers.get(made["Location"]))
    (secret,) = re.findall(r"whsec_[A-Za-z0-9+/=]+", page)
    assert secret not in text(hers.get(made["Location"]))
    hook = Hook.objects.get()
    rotated = press(hers, f"/hooks/{hook.pk}/secret/", {}, at=made["Location"])
    again = re.findall(r"whsec_[A-Za-z0-9+/=]+", text(hers.get(rotated["Location"])))
    assert again not in ([], [secret])


def test_a_webhook_is_tried_and_ended_on_its_page(alice: cast.Actor) -> None:
    hers = browser_of(alice)
    press(hers, "/hooks/", {"url": "https://receiver.example/told"})
    hook = Hook.objects.get()
    here = f"/hooks/{hook.pk}/"
    press(hers, f"{here}trial/", {}, at=here)
    assert Delivery.objects.get().state == "waiting"
    press(hers, f"{here}end/", {}, at=here)
    assert Delivery.objects.get().state == "given_up"
    assert "off: by party" in text(hers.get("/hooks/"))


@pytest.mark.parametrize("url", ["", "javascript:alert(1)", "https://u:p@receiver.example/"])
def test_an_address_nobody_may_call_comes_back_with_a_reason(alice: cast.Actor, url: str) -> None:
    answer = press(browser_of(alice), "/hooks/", {"url": url})
    assert answer.status_code == 200
    assert 'role="alert"' in text(answer)
    assert not Hook.objects.exists()


def test_an_incident_is_written_on_handed_over_and_ended_on_its_page(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    broken_hire(alice, bob)
    incident = Incident.objects.get()
    here, his, hers = f"/incidents/{incident.pk}/", browser_of(bob), browser_of(alice)
    assert "Doubler" in text(hers.get("/incidents/"))
    press(his, f"{here}note/", {"text": "<b>Looking</b> at it."}, at=here)
    assert "&lt;b&gt;Looking&lt;/b&gt; at it." in text(hers.get(here))
    press(his, f"{here}owner/", {"to": f"{bob.party.pk}:{bob.user.pk}"}, at=here)
    short = press(his, f"{here}end/", {"outcome": "fixed", "reason": "ok"}, at=here)
    assert "Give a reason" in text(short)
    press(his, f"{here}end/", {"outcome": "fixed", "reason": "Another prompt."}, at=here)
    incident.refresh_from_db()
    assert (incident.owner, incident.outcome) == (bob.user, "fixed")
    assert 'data-test="outcome"' in text(hers.get(here))
    assert "Doubler" in text(hers.get("/incidents/?closed=1"))


def test_a_builder_is_not_offered_to_call_it_nothing_and_is_refused_if_he_does(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    broken_hire(alice, bob)
    here = f"/incidents/{Incident.objects.get().pk}/"
    form = {"outcome": "false_alarm", "reason": "It was the weather."}
    assert "the buyer" in text(press(browser_of(bob), f"{here}end/", form, at=here))
    assert Incident.objects.get().resolved_at is None


def test_a_route_is_made_and_changed_on_a_form_and_says_whom_it_would_ask(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    one = hire(critical(), alice=alice, bob=bob)
    two = hire(critical(), alice=alice, bob=bob, version=cast.agent_of(bob, name="Second"))
    hers = browser_of(alice)
    fields = {"name": "Both", "order": "listed", "deadline_ms": "5000"}
    wrong = press(hers, "/routes/new/", fields | {"entries": f"{one.pk} maybe"})
    assert "one engagement on a line" in text(wrong)
    lines = f"{one.pk} unfunded\n{two.pk} unfunded\n"
    made = press(hers, "/routes/new/", fields | {"entries": lines})
    page = text(hers.get(made["Location"]))
    assert page.count('data-test="candidate"') == 2
    assert "Passed over" not in page
    breach(alice, one)
    assert "it broke form" in text(hers.get(made["Location"]))
    changed = press(hers, f"{made['Location']}change/", fields | {"entries": two.pk, "name": "One"})
    assert "no money is set aside for it" in text(hers.get(changed["Location"]))
    press(hers, f"{made['Location']}end/", {}, at=made["Location"])
    assert Route.objects.get().closed_at is not None


def test_a_shadow_is_started_looked_at_and_stopped(alice: cast.Actor, bob: cast.Actor) -> None:
    engagement = hire(critical(), alice=alice, bob=bob)
    candidate = registry.add_version(
        agent=engagement.agent_version.agent,
        endpoint=cast.DEAD_END,
        protocol="earnest-json/1",
        declared={"model": "next"},
        max_concurrency=1,
        deadline_ms=1_000,
        now=clock(),
    )
    hers = browser_of(alice)
    fields = {
        "engagement": engagement.pk,
        "candidate": candidate.pk,
        "most_calls": "10",
        "share": "50",
        "tolerance": "2",
        "cost_currency": "EUR",
    }
    made = press(hers, "/shadows/new/", fields)
    shadow = Shadow.objects.get()
    assert (shadow.share_bps, shadow.tolerance_bps) == (5_000, 200)
    assert "Not decided yet" in text(hers.get(made["Location"]))
    assert browser_of(bob).get(made["Location"]).status_code == 404
    press(hers, f"{made['Location']}end/", {}, at=made["Location"])
    shadow.refresh_from_db()
    assert shadow.state == "stopped"


def test_the_page_of_calls_shows_the_incident_and_offers_to_make_a_call_again(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    engagement = broken_hire(alice, bob)
    here, hers = f"/engagements/{engagement.pk}/calls/", browser_of(alice)
    assert f"/incidents/{Incident.objects.get().pk}/" in text(hers.get(here))
    call = f"cll_{Call.objects.order_by('-pk')[0].call_id.hex}"
    made = press(hers, f"/calls/{call}/replay/", {}, at=here)
    assert made["Location"] == f"/replays/{Replay.objects.get().pk}/"
    assert "look again in a few seconds" in text(hers.get(made["Location"]))
    his = text(browser_of(bob).get(here))
    assert f"/incidents/{Incident.objects.get().pk}/" in his
    assert "Make it again" not in his
