"""What a page is without a script, and what it must load where it asks again by itself.

The walk of every page looks at what a browser draws; parts that are live only while something
runs are read here, from the templates.
"""

import re
from functools import cache
from pathlib import Path

import pytest

from marketplace.pages.press import new_token
from pacts.models import PactVersion
from tests import cast
from tests.marketplace.pages.browsers import browser, browser_of

TEMPLATES = Path(__file__).parents[3] / "marketplace" / "templates"
TAKEN_IN = re.compile(r'{% include "([^"]+)"|<c-(?!vars|slot)([a-z.-]+)')
POLLED = re.compile(r"<div id=\"live\"[^\n]*hx-trigger=[^\n]*>")


def text_of(name: str) -> str:
    return (TEMPLATES / name).read_text()


@cache
def drawn_by(name: str) -> frozenset[str]:
    """The template and everything that it takes in."""
    found = {name}
    for included, component in TAKEN_IN.findall(text_of(name)):
        part = included or f"cotton/{component.replace('.', '/').replace('-', '_')}.html"
        if part != name:
            found |= drawn_by(part)
    return frozenset(found)


def every(pattern: re.Pattern[str]) -> list[str]:
    paths = sorted(TEMPLATES.rglob("*.html"))
    return [str(path.relative_to(TEMPLATES)) for path in paths if pattern.search(path.read_text())]


def test_a_page_that_asks_again_loads_what_asks() -> None:
    asking = set(every(re.compile(r"\bhx-(get|post)=")))
    lacking = [
        name
        for name in every(re.compile(r'{% extends "site.html" %}'))
        if drawn_by(name) & asking and "htmx-2.min.js" not in text_of(name) + text_of("site.html")
    ]
    assert not lacking


def test_a_part_that_asks_again_has_a_link_to_look_again() -> None:
    polled = every(POLLED)
    assert polled
    assert [name for name in polled if "<c-again " not in text_of(name)] == []


@pytest.mark.django_db
def test_a_buyer_reads_the_review_of_a_pact_before_it_is_signed() -> None:
    hers = browser_of(cast.alice())
    page = hers.get("/asked-pacts/new/").content.decode()
    assert 'name="only" value="review"' in page
    sent = {"text": "{}", "only": "review", "idempotency_key": new_token()}
    seen = hers.post("/asked-pacts/new/", sent).content.decode()
    assert 'data-test="finding" data-severity="error"' in seen
    assert "{}</textarea>" in seen
    assert not PactVersion.objects.exists()


@pytest.mark.django_db
def test_the_reference_for_programs_is_no_empty_page() -> None:
    page = browser().get("/api/docs/").content.decode()
    plain = page.split("<noscript>")[1].split("</noscript>")[0]
    kinds = re.findall(r'href="(/api/schema/[^"]*)"', plain)
    assert kinds == ["/api/schema/", "/api/schema/?format=json"]
