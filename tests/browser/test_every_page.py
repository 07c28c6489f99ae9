"""Every page in a real browser: by day on a desk in English, by night on a phone in German.

On the phone's walk each is drawn a second time where no script runs: nothing on it may need one,
at either width.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Response, Route

from marketplace.pages import market_view
from tests import cast
from tests.browser.looking import WATCH, axe, faults
from tests.browser.stops import Stop, give_second_factor, itinerary
from tests.browser.unscripted import unscripted_faults
from tests.marketplace.market import one_of_everything
from tests.marketplace.pages.browsers import browser_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

DESK = {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light"}
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "color_scheme": "dark",
    "locale": "de-DE",  # longer words, on the narrower window
    "reduced_motion": "reduce",
    "has_touch": True,
}

LEAST_STOPS = 140  # fewer, and the walk has lost pages
FAULTS = {500: RuntimeError("on our side"), 503: OperationalError("the database is away")}


def failing(fault: Exception) -> Callable[..., None]:
    """Something of ours that fails."""

    def fail(*_: object) -> None:
        raise fault

    return fail


@pytest.fixture(autouse=True)
def _plain_static_files(settings: Any) -> None:
    """Pages name their files without the manifest that only `collectstatic` writes."""
    backend = "django.contrib.staticfiles.storage.StaticFilesStorage"
    settings.STORAGES = dict(settings.STORAGES) | {"staticfiles": {"BACKEND": backend}}


class Plain:
    """A browser that runs no script and is given what another one was answered."""

    def __init__(self, browser: Browser, shape: dict[str, Any]) -> None:
        self.answer: Response | None = None
        self.page = browser.new_context(**shape, java_script_enabled=False).new_page()
        self.page.route("**/*", self._serve)

    def _serve(self, route: Route) -> None:
        if self.answer and route.request.is_navigation_request():
            route.fulfill(status=200, headers=self.answer.headers, body=self.answer.body())
        else:
            route.continue_()

    def faults_of(self, answer: Response) -> list[str]:
        """What needs a script on the page that came with this answer."""
        self.answer = answer
        self.page.goto(answer.url)
        return [f"without a script {one}" for one in unscripted_faults(self.page)]


@dataclass
class Walk:
    """The cast at browsers of one shape, and what they found wrong."""

    browser: Browser
    address: str
    shape: dict[str, Any]
    people: dict[str, cast.Actor]
    album: Path
    open: dict[str, Page] = field(default_factory=dict)
    refused: set[tuple[str, str]] = field(default_factory=set)  # addresses and the status meant
    wrong: list[str] = field(default_factory=list)
    plain: Plain | None = None

    def page_of(self, who: str) -> Page:
        """That person's browser, signed in."""
        if who not in self.open:
            context = self.browser.new_context(**self.shape)
            context.add_init_script(WATCH)
            self.open[who] = page = context.new_page()
            page.on("console", self._hear)
            page.on("pageerror", lambda error: self.wrong.append(f"{page.url}: script: {error}"))
            if who != "visitor":
                self._sign_in(who, context)
        return self.open[who]

    def _hear(self, message: ConsoleMessage) -> None:
        """An address that was visited to be refused may say so; nothing else may be refused."""
        where = message.location["url"]
        status = re.search(r"the server responded with a status of (\d+)", message.text)
        if status and (where, status[1]) in self.refused:
            return
        if message.type in {"error", "warning"}:
            self.wrong.append(f"{where}: {message.text}")

    def _sign_in(self, who: str, context: BrowserContext) -> None:
        if who in ("alice", "bob"):
            self.sign_in_by_hand(self.open[who], who)
            return
        cookie = browser_of(self.people[who]).cookies[settings.SESSION_COOKIE_NAME].value
        context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": self.address}]
        )

    def sign_in_by_hand(self, page: Page, who: str) -> None:
        """Through the form: allauth lets only whoever did so lately change an account."""
        page.goto(f"{self.address}/accounts/login/")
        page.locator("input[name=login]").fill(f"{who}@example.org")
        page.locator("input[name=password]").fill(cast.PASSWORD)
        page.locator("main form button[type=submit]").first.click()
        page.wait_for_load_state()

    def visit(self, stop: Stop) -> None:
        """Look at one page, keep its picture, note what is wrong."""
        page, address = self.page_of(stop.who), f"{self.address}{stop.path}"
        if stop.status >= 400:
            self.refused.add((address, str(stop.status)))
        answer = page.goto(address)
        if answer is None or answer.status != stop.status:
            self.wrong.append(f"{stop.name}: {stop.path} answers {answer and answer.status}")
        self.look(page, stop.name)
        if answer and self.plain:
            self.wrong += [f"{stop.name}: {one}" for one in self.plain.faults_of(answer)]

    def look(self, page: Page, name: str) -> None:
        picture = self.album / f"{name}.jpg"
        page.screenshot(path=picture, full_page=True, type="jpeg", quality=80)
        self.wrong += [f"{name}: {fault}" for fault in faults(page)]

    def close(self) -> None:
        for page in self.open.values():
            page.context.close()
        if self.plain:
            self.plain.page.context.close()


@pytest.mark.parametrize("shape", [DESK, PHONE], ids=["desk", "phone"])
def test_every_page_is_sound(
    browser: Browser,
    live_server: Any,
    album: Path,
    shape: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    market = one_of_everything()
    people = {
        "alice": market.alice,
        "bob": market.bob,
        "carol": cast.carol(),
        "erin": cast.actor("erin", is_staff=True),
        "mallory": cast.mallory(),
    }
    plain = Plain(browser, shape) if shape is PHONE else None
    walk = Walk(browser, live_server.url, shape, people, album, plain=plain)
    try:
        walk.page_of("bob")
        give_second_factor(market.bob)
        visited = 0
        for visited, stop in enumerate(itinerary(market, people, missing=walk.wrong), 1):  # noqa: B007
            walk.visit(stop)
        assert visited >= LEAST_STOPS
        for status, fault in FAULTS.items():
            monkeypatch.setattr(market_view, "leaders", failing(fault))
            walk.visit(Stop(f"fault-{status}", "/", status=status))
        halfway = walk.page_of("visitor")
        walk.sign_in_by_hand(halfway, "bob")
        walk.look(halfway, "mfa_authenticate")
    finally:
        walk.close()
    assert not walk.wrong, "\n".join(walk.wrong)


BAD = """<!DOCTYPE html><html lang="en"><title>bad</title><body><h1>One</h1><h1>Two</h1>
<div style="width: 3000px; cursor: pointer">wide</div><img src="/missing.png">
<button style="outline: none !important">unseen</button></body></html>"""


def test_the_walk_finds_what_is_wrong(page: Page) -> None:
    page.route("**/*", lambda route: route.fulfill(body=BAD, content_type="text/html"))
    page.add_init_script(WATCH)
    page.goto("http://earnest.example/bad/")
    said = "\n".join(faults(page))
    for words in ("2 headings", "title is", "wider", "not reached", "past the header", "image-alt"):
        assert words in said, said
    assert any("unseen" in one for one in faults(page) if "focus is not seen" in one)
    assert axe(page)
