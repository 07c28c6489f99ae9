"""A person at a browser who notices everything that is wrong with a page.

With scripts on a desk, as most people; or without any, on a phone or on a desk: then the same
steps must lead there by links and buttons alone.
"""

from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from playwright.sync_api import ConsoleMessage, Locator, Page, Response, expect

from tests.browser.looking import axe
from tests.browser.unscripted import unscripted_faults

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1440, "height": 900}
# Chromium tells of a refused script or style in the console; this also tells which directive.
TELL_VIOLATIONS = """document.addEventListener('securitypolicyviolation', (event) =>
    console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`))"""
PATIENCE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Shape:
    """How somebody browses."""

    script: bool = True
    wide: bool = True

    @property
    def window(self) -> dict[str, int]:
        return DESK if self.wide else PHONE

    @property
    def context(self) -> dict[str, Any]:
        """What a browser context of this shape is made with."""
        return {"java_script_enabled": self.script, "viewport": self.window}

    @property
    def turned(self) -> "Shape":
        """Of whoever walks with somebody of this shape: at the other width, so that two people
        show both. With scripts every page is looked at on a phone anyway."""
        return self if self.script else Shape(script=False, wide=not self.wide)


SCRIPTED = Shape()
SHAPES = [
    pytest.param(SCRIPTED, id="scripts"),
    pytest.param(Shape(script=False, wide=False), id="plain"),
    pytest.param(Shape(script=False), id="plain-turned", marks=pytest.mark.slow),
]
PLAIN_SHAPES = SHAPES[1:]


@dataclass
class Visitor:
    """Walks pages and keeps what the browser complained about."""

    page: Page
    album: Path
    shape: Shape = SCRIPTED
    complaints: list[str] = field(default_factory=list)
    shots: int = 0

    def __post_init__(self) -> None:
        self.page.set_viewport_size(self.shape.window)  # type: ignore[arg-type]
        self.page.add_init_script(TELL_VIOLATIONS)
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        self.page.on("response", self._weigh)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{self.page.url}: {message.text}")

    def _weigh(self, response: Response) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.status} {response.url}")

    def looks_around(self, name: str) -> None:
        """The page as it is now: accessible by day and by night, and no wider than a phone. Where
        no script runs, axe does not either; there nothing on the page may need one."""
        if not self.shape.script:
            self.picture(name)
            self.complaints += [f"{name}: {one}" for one in unscripted_faults(self.page)]
            self._stays_within(name)
            return
        for colours in ("dark", "light"):
            self.page.emulate_media(color_scheme=colours)
            self.picture(f"{name}-{colours}")
            self.complaints += [f"{name} ({colours}): {one}" for one in axe(self.page)]
        self.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        self.picture(f"{name}-phone")
        self._stays_within(name)
        self.page.set_viewport_size(DESK)  # type: ignore[arg-type]

    def _stays_within(self, name: str) -> None:
        if wide := overflow(self.page):
            self.complaints.append(f"{name} is wider than its window: {wide}")

    def opens(self, place: str) -> None:
        """A place of the site, by the menu that is seen at this width."""
        narrow = self.page.locator("header summary[aria-label=Menu]")
        if narrow.is_visible():
            narrow.click()
        link = self.page.locator("header nav").get_by_role("link", name=place, exact=True)
        for fold in () if narrow.is_visible() else self.page.locator("header nav summary").all():
            if not link.count():
                fold.click()
        link.click()

    def sees(self, part: Locator, name: str, value: str) -> None:
        """Waits until a live part says so: by itself, or by its link to look again."""
        until = monotonic() + PATIENCE_MS / 1_000
        while not self.shape.script and monotonic() < until:
            if part.count() and part.get_attribute(name) == value:
                break
            self.page.wait_for_timeout(400)
            self.page.get_by_test_id("again").first.click()
        expect(part).to_have_attribute(name, value, timeout=PATIENCE_MS)

    def picture(self, name: str) -> None:
        self.shots += 1
        self.page.screenshot(path=self.album / f"{self.shots:02}-{name}.png", full_page=True)


def overflow(page: Page) -> list[str]:
    """The elements that make the page scroll sideways, none if it does not."""
    found: list[str] = page.evaluate(
        """() => {
            const room = document.documentElement.clientWidth;
            if (document.documentElement.scrollWidth <= room) return [];
            return [...document.body.querySelectorAll('*')]
                .filter((one) => one.getBoundingClientRect().right > room + 1)
                .slice(0, 5).map((one) => one.outerHTML.slice(0, 160));
        }"""
    )
    return found
