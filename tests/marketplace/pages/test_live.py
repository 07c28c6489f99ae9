"""A page that asks again is told in one word that nothing changed."""

from uuid import uuid4

import pytest
from django.http import Http404, HttpRequest, HttpResponse
from django.test import RequestFactory

from marketplace.pages.live import SEEN, mark_of, polled, polled_by, unless_seen


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


def part(mark: str, *, path: str = "/", **headers: str) -> HttpResponse:
    request = RequestFactory().get(path, headers=headers)
    return unless_seen(request, mark, lambda: HttpResponse("drawn"))


def test_a_part_with_an_address_of_its_own_is_told_in_it_what_was_seen() -> None:
    assert part("one", path="/?seen=one").status_code == 204
    assert part("", path="/?seen=").status_code == 204, "a bell that says nothing says the same"
    for answer in (part("two", path="/?seen=one"), part("", path="/"), part("one")):
        assert (answer.content, answer["Cache-Control"]) == (b"drawn", "no-store")


class Facts:
    """A page with a mark of its own; counts how often it was really made."""

    def __init__(self) -> None:
        self.fact, self.made = "one", 0
        self.page = polled_by(self.mark)(self.draw)

    def mark(self, request: HttpRequest, of: str) -> str:
        if of == "absent":
            raise Http404
        return mark_of(self.fact)

    def draw(self, request: HttpRequest, of: str) -> HttpResponse:
        self.made += 1
        return HttpResponse(request.live_mark)  # type: ignore[attr-defined]

    def ask(self, of: str = "thing", **headers: str) -> HttpResponse:
        return self.page(RequestFactory().get("/", headers=headers), of)


def test_who_has_seen_the_facts_makes_no_other_work() -> None:
    facts = Facts()
    visit = facts.ask()
    assert visit.content.decode() == mark_of("one"), "the page says what to send back"
    again = {"HX-Request": "true", SEEN: visit.content.decode()}
    assert (facts.ask(**again).status_code, facts.made) == (204, 1)
    facts.fact = "two"
    changed = facts.ask(**again)
    assert (changed.status_code, changed["Cache-Control"], facts.made) == (200, "no-store", 2)
    assert facts.ask(**again | {SEEN: changed[SEEN]}).status_code == 204


def test_what_is_not_there_is_not_there_for_who_asks_again_either() -> None:
    facts = Facts()
    for headers in ({}, {"HX-Request": "true", SEEN: mark_of("one")}):
        with pytest.raises(Http404):
            facts.ask("absent", **headers)
    assert facts.made == 0


def test_a_mark_tells_facts_apart_by_kind_and_order() -> None:
    marks = [mark_of(1), mark_of("1"), mark_of(1, 2), mark_of(2, 1), mark_of((1, 2)), mark_of()]
    assert len(set(marks)) == len(marks)
