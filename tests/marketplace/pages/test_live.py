"""A page that asks again is told in one word that nothing changed."""

from uuid import uuid4

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from marketplace.pages.live import SEEN, polled


@polled
def page(request: HttpRequest, said: str) -> HttpResponse:
    token = f'<input type="hidden" name="idempotency_key" value="{uuid4()}">'
    return HttpResponse(f'<div id="live">{said}{token}</div>', status=404 if not said else 200)


def asked(said: str, **headers: str) -> HttpResponse:
    return page(RequestFactory().get("/", headers=headers), said)


def test_a_visit_is_answered_as_ever() -> None:
    answer = asked("one")
    assert (answer.status_code, SEEN in answer.headers) == (200, False)


def test_who_has_seen_it_gets_nothing_though_its_forms_have_new_tokens() -> None:
    first = asked("one", **{"HX-Request": "true"})
    again = asked("one", **{"HX-Request": "true", SEEN: first[SEEN]})
    assert (first.status_code, again.status_code, again.content) == (200, 204, b"")


def test_a_change_is_drawn_and_never_kept_by_a_cache() -> None:
    first = asked("one", **{"HX-Request": "true"})
    changed = asked("two", **{"HX-Request": "true", SEEN: first[SEEN]})
    assert (changed.status_code, changed["Cache-Control"]) == (200, "no-store")
    assert changed[SEEN] != first[SEEN]


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_a_refusal_stays_one(headers: dict[str, str]) -> None:
    assert asked("", **headers).status_code == 404
