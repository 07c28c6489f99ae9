"""What a first visit has to fetch before it sees a page: little, whatever the market holds."""

from typing import Any

import pytest
from playwright.sync_api import Browser

from tests import cast
from tests.marketplace.market import one_of_everything
from tests.marketplace.pages.test_showing import offer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

MOST = 100_000  # bytes, without pictures
CARDS = 24  # a full page of the market


@pytest.fixture(autouse=True)
def _plain_static_files(settings: Any) -> None:
    """Static files as they lie in the tree, so not even compressed as they are served."""
    backend = "django.contrib.staticfiles.storage.StaticFilesStorage"
    settings.STORAGES = dict(settings.STORAGES) | {"staticfiles": {"BACKEND": backend}}


def fetched(browser: Browser, address: str) -> dict[str, int]:
    """Bytes on the wire by address, heads and all, of a visitor who was never here."""
    context = browser.new_context()
    page = context.new_page()
    wire = context.new_cdp_session(page)
    asked: dict[str, tuple[str, str]] = {}
    sizes: dict[str, int] = {}

    def sent(event: dict[str, Any]) -> None:
        asked[event["requestId"]] = (event["request"]["url"], event.get("type", ""))

    def done(event: dict[str, Any]) -> None:
        url, kind = asked[event["requestId"]]
        if kind != "Image":
            sizes[url] = int(event["encodedDataLength"])

    wire.on("Network.requestWillBeSent", sent)
    wire.on("Network.loadingFinished", done)
    wire.send("Network.enable")
    page.goto(address, wait_until="networkidle")
    context.close()
    return sizes


def test_the_market_and_an_agent_weigh_little_on_a_first_visit(
    live_server: Any, browser: Browser
) -> None:
    one_of_everything()
    dora = cast.actor("dora")
    for number in range(CARDS):
        offer(dora, f"Letter sorter {number:02}", units=30 * (number % 5), claim_bps=9_000 + number)
    for path in ("/", "/agents/doubler/", "/agents/letter-sorter-03/"):
        sizes = fetched(browser, f"{live_server.url}{path}")
        assert len(sizes) >= 3, "the page, its style, its scripts"
        assert sum(sizes.values()) < MOST, sizes
