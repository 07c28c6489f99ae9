"""The pact pages: the library, forks, an editor that reads along, the mark on a weaker pact."""

import html
import re
from typing import Any

import pytest
from django.utils.timezone import now as clock

from marketplace import hiring
from pacts import publishing
from pacts.engagements import Timers
from pacts.models import Agent, PactVersion
from pacts.templates_library import library
from pacts.texts import read_terms
from tests import cast
from tests.marketplace.pages.browsers import browser, browser_of, token_in

pytestmark = pytest.mark.django_db


def text_in(response: Any) -> str:
    """What the editor shows."""
    page = response.content.decode()
    found = re.search(r"<textarea[^>]*>\r?\n?(.*?)</textarea>", page, re.DOTALL)
    assert found
    return html.unescape(found[1])


def test_everybody_reads_the_library_and_only_builders_are_offered_a_fork() -> None:
    bob = cast.bob()
    cast.agent_of(bob)
    for template in library():
        page = browser().get(f"/pacts/templates/{template.slug}/").content.decode()
        assert template.name in page
        assert "Sign in" in page
    hers = browser_of(bob).get("/pacts/templates/support/").content.decode()
    assert "/builder/agents/doubler/pacts/new/?template=support" in hers
    assert browser().get("/pacts/templates/astrology/").status_code == 404


def test_a_fork_opens_in_the_editor_named_for_its_agent_and_is_saved_as_a_draft() -> None:
    bob = cast.bob()
    cast.agent_of(bob)
    client = browser_of(bob)
    page = client.get("/builder/agents/doubler/pacts/new/?template=support")
    assert read_terms(text_in(page)).title == "What Doubler promises"
    assert b"can be published" in page.content
    sent = {"text": text_in(page), "idempotency_key": token_in(page)}
    saved = client.post("/builder/agents/doubler/pacts/new/", sent)
    assert saved.status_code == 302
    assert PactVersion.objects.get().terms["clauses"][0]["key"] == "right-action"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: &x 1", "anchor"),
        ("version: earnest-pact/1\ntitle: 7", "line 2, column 1"),
        ("- a\n- b", "one object of named fields"),
        ('{"a": 1,}', "not JSON"),
    ],
)
def test_the_review_names_the_line_of_a_mistake(text: str, says: str) -> None:
    client = browser_of(cast.bob())
    page = client.post("/builder/pacts/review/", {"text": text}).content.decode()
    assert says.lower() in page.lower()
    assert "cannot be read yet" in page


def test_what_was_typed_is_not_lost_when_it_is_refused() -> None:
    bob = cast.bob()
    cast.agent_of(bob)
    client = browser_of(bob)
    page = client.get("/builder/agents/doubler/pacts/new/")
    typed = "version: earnest-pact/1\ntitle: Mine\ntitle: Mine again\n"
    sent = {"text": typed, "idempotency_key": token_in(page)}
    refused = client.post("/builder/agents/doubler/pacts/new/", sent)
    assert refused.status_code == 200
    assert "second time" in refused.content.decode()
    assert text_in(refused) == typed.rstrip("\n") or text_in(refused) == typed


def test_a_weaker_version_is_marked_where_its_agent_is_shown_and_a_stricter_one_is_not() -> None:
    bob = cast.bob()
    agent = cast.agent_of(bob)
    cast.pact_of(agent, bob)
    cast.pact_of(agent, bob, cast.pact_terms(clauses=[cast.clause(promise_bps=9500)]))
    strict = browser().get("/agents/doubler/").content.decode()
    assert 'data-test="weaker"' not in strict
    weaker = cast.pact_of(agent, bob, cast.pact_terms(clauses=[cast.clause(promise_bps=9100)]))
    marked = browser().get("/agents/doubler/").content.decode()
    assert "promises less than version 2" in marked
    changes = browser().get(f"/pacts/{weaker.id}/changes/").content.decode()
    assert 'data-direction="weaker"' in changes
    assert re.search(r"95\W+%.*91\W+%", changes, re.DOTALL)


def test_changes_are_told_in_words_and_a_new_clause_with_what_it_promises() -> None:
    bob = cast.bob()
    agent = cast.agent_of(bob)
    cast.pact_of(agent, bob)
    quick = cast.clause("speed", title="Quick", check="latency", params={"limit_ms": 2000})
    new = cast.pact_terms(
        cast.clause(weight_bps=5000),
        quick | {"weight_bps": 5000},
        residual_risks=["Large numbers may overflow."],
    )
    version = cast.pact_of(agent, bob, new)
    changes = browser().get(f"/pacts/{version.id}/changes/").content.decode()
    assert "Large numbers may overflow." in changes
    assert "[&quot;" not in changes
    assert re.search(r"90\W+% of calls", changes)
    assert "latency" in changes


def test_a_standing_earned_under_a_stricter_text_is_marked_wherever_it_is_shown() -> None:
    bob = cast.bob()
    version = cast.agent_of(bob)
    Agent.objects.update(control_proved_at=clock())
    version.agent.refresh_from_db()
    strict = cast.pact_of(version, bob)
    weaker = cast.pact_of(version, bob, cast.pact_terms(clauses=[cast.clause(promise_bps=8500)]))
    listing = hiring.open_listing(
        agent_version=version,
        pact_version=weaker,
        price=10_000,
        currency="EUR",
        timers=Timers(),
        by=bob.user,
        now=clock(),
    )
    assert "promises less than version 1" in (
        browser().get("/agents/doubler/standing/").content.decode()
    )
    for page in ("/", "/compare/?agent=doubler"):
        assert 'data-test="weaker"' in browser().get(page).content.decode()
    for address in (f"/api/v1/listings/{listing.pk}", f"/api/v1/agents/{listing.agent_id}/signals"):
        assert browser().get(address).json()["weaker_than"] == strict.pk
    hiring.open_listing(
        agent_version=version,
        pact_version=strict,
        price=10_000,
        currency="EUR",
        timers=Timers(),
        by=bob.user,
        now=clock(),
    )
    assert 'data-test="weaker"' not in browser().get("/").content.decode()
    assert browser().get("/api/v1/listings").json()["results"][0]["weaker_than"] is None


def test_a_draft_has_no_page_of_changes() -> None:
    bob = cast.bob()
    agent = cast.agent_of(bob).agent
    draft = publishing.draft_pact(agent=agent, data=cast.pact_terms())
    assert browser_of(bob).get(f"/pacts/{draft.id}/changes/").status_code == 404
