"""A person at a browser who notices everything that is wrong with a page."""

from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import ConsoleMessage, Page, Response

from tests.browser.looking import axe

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1440, "height": 900}
# Chromium tells of a refused script or style in the console; this also tells which directive.
TELL_VIOLATIONS = """document.addEventListener('securitypolicyviolation', (event) =>
    console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`))"""


@dataclass
class Visitor:
    """Walks pages and keeps what the browser complained about."""

    page: Page
    album: Path
    complaints: list[str] = field(default_factory=list)
    shots: int = 0

    def __post_init__(self) -> None:
        self.page.set_viewport_size(DESK)  # type: ignore[arg-type]
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
        """The page as it is now: accessible by day and by night, and no wider than a phone."""
        for colours in ("dark", "light"):
            self.page.emulate_media(color_scheme=colours)
            self.picture(f"{name}-{colours}")
            self.complaints += [f"{name} ({colours}): {one}" for one in axe(self.page)]
        self.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        self.picture(f"{name}-phone")
        if wide := overflow(self.page):
            self.complaints.append(f"{name} is wider than a phone: {wide}")
        self.page.set_viewport_size(DESK)  # type: ignore[arg-type]

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
