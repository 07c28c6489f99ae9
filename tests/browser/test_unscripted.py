"""The law for pages without a script finds whatever breaks it, and nothing where nothing does."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.unscripted import unscripted_faults

pytestmark = pytest.mark.browser

ADDRESS = "http://earnest.example/runs/1/"
BAD = """<!DOCTYPE html><html lang="en"><title>bad</title><style>.later { display: none }</style>
<body><main>
<details><summary>More</summary><button type="button">Print</button></details>
<a>somewhere</a> <a href="#gone">further down</a>
<input name="filter"> <form><input type="range" name="share"><button>Send</button></form>
<div id="live" hx-get="/runs/1/" hx-trigger="every 2s">running</div>
<span hx-get="/more/">More of it</span>
<p class="later">The terms</p> <p>Loading the trials</p> <progress></progress>
</main></body></html>"""
GOOD = """<!DOCTYPE html><html lang="en"><title>good</title>
<style>@media (max-width: 30rem) { .wide { display: none } }
@media (min-width: 30.01rem) { .narrow { display: none } }
@media (scripting: none) { [data-print] { display: none } }</style><body><main>
<button type="button" data-print>Print</button>
<p class="wide">A table</p> <p class="narrow">A list</p> <a href="#end">To the end</a>
<form method="post"><div hx-post="/review/" hx-trigger="input changed"><textarea></textarea></div>
<button>Save</button></form> <progress max="3" value="1"></progress>
<div id="live" hx-get="/runs/1/live/" hx-trigger="every 2s"><noscript><a href="/runs/1/">Look
again</a></noscript></div><a href="/terms/" hx-get="/terms/" id="end">Terms</a>
</main></body></html>"""


@pytest.fixture
def plain(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(java_script_enabled=False)
    yield context.new_page()
    context.close()


def faults_of(page: Page, body: str) -> list[str]:
    page.route("**/*", lambda route: route.fulfill(body=body, content_type="text/html"))
    page.goto(ADDRESS)
    return unscripted_faults(page)


def test_whatever_needs_a_script_is_found(plain: Page) -> None:
    said = faults_of(plain, BAD)
    expected = {
        "pressing it does nothing": 1,
        "it leads nowhere": 2,
        "goes nowhere": 1,
        "say its value": 1,
        "look at it again": 1,
        "would ask for it": 1,
        "would show it": 1,
        "for ever": 2,
    }
    counted = {words: sum(words in one for one in said) for words in expected}
    assert counted == expected, said


def test_a_page_that_needs_none_is_left_in_peace(plain: Page) -> None:
    assert faults_of(plain, GOOD) == []
