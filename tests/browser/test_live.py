"""What is live in a real browser: the bell, and a budget that calls draw on."""

from typing import Any

import pytest
from django.conf import settings as django_settings
from playwright.sync_api import Browser, Page, Response, expect

from marketplace.notices import telling
from pacts.models import User
from reputation.clock import database_now
from tests import cast
from tests.marketplace.consequences.lately import broken_hire
from tests.marketplace.pages.browsers import browser_of
from tests.settlement.metered import clause, running

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _plain_static_files(settings: Any) -> None:
    """Pages name their files without the manifest that only `collectstatic` writes."""
    backend = "django.contrib.staticfiles.storage.StaticFilesStorage"
    settings.STORAGES = dict(settings.STORAGES) | {"staticfiles": {"BACKEND": backend}}


class Window:
    """Somebody's browser whose clock is wound forward; `told` holds the answers to its asking."""

    def __init__(self, browser: Browser, address: str, actor: cast.Actor) -> None:
        self.address, self.told = address, list[tuple[str, int]]()
        context = browser.new_context()
        name = django_settings.SESSION_COOKIE_NAME
        cookie = browser_of(actor).cookies[name].value
        context.add_cookies([{"name": name, "value": cookie, "url": address}])
        self.page: Page = context.new_page()
        self.page.clock.install()
        self.page.on("response", self._hear)

    def _hear(self, answer: Response) -> None:
        if "hx-request" in answer.request.headers:
            self.told.append((answer.url.removeprefix(self.address).split("?")[0], answer.status))

    def open(self, path: str) -> None:
        self.page.goto(f"{self.address}{path}")

    def wait(self, path: str, seconds: int) -> int:
        """What it is answered once that time has gone by."""
        asks = f"{self.address}{path}"
        with self.page.expect_response(lambda answer: answer.url.split("?")[0] == asks) as found:
            self.page.clock.run_for(seconds * 1_000)
        return found.value.status


@pytest.fixture
def _signed_out_after(browser: Browser) -> Any:
    yield
    for context in browser.contexts:
        context.close()


@pytest.mark.usefixtures("_signed_out_after")
def test_the_bell_says_by_itself_that_something_was_told(
    browser: Browser, live_server: Any
) -> None:
    alice, bob = cast.alice(), cast.bob()
    hers = Window(browser, live_server.url, alice)
    hers.open("/")
    unread = hers.page.get_by_test_id("unread")
    bell = hers.page.get_by_test_id("bell")
    expect(bell).to_have_attribute("aria-label", "Notices")
    assert hers.wait("/notices/unread/", 31) == 204
    broken_hire(alice, bob)
    waiting = telling.unread_of(User.objects.get(pk=alice.user.pk))
    bell.focus()
    assert hers.wait("/notices/unread/", 31) == 200
    expect(unread).to_have_text(str(waiting))
    expect(bell).to_have_attribute("aria-label", f"Notices, {waiting} unread")
    expect(bell).to_be_focused()
    assert hers.wait("/notices/unread/", 31) == 204
    telling.mark_read(user=alice.user, now=database_now())
    assert hers.wait("/notices/unread/", 31) == 200
    expect(unread).to_have_count(0)


@pytest.mark.usefixtures("_signed_out_after")
def test_a_window_whose_owner_was_signed_out_elsewhere_keeps_what_it_shows(
    browser: Browser, live_server: Any
) -> None:
    hers = Window(browser, live_server.url, cast.alice())
    hers.open("/notices/")
    hers.page.context.clear_cookies()
    assert hers.wait("/accounts/login/", 31) == 200
    expect(hers.page.get_by_test_id("bell")).to_have_count(1)
    expect(hers.page.locator("input[name=password]")).to_have_count(0)


@pytest.mark.usefixtures("_signed_out_after")
def test_a_budget_goes_down_before_ones_eyes_but_never_under_ones_fingers(
    browser: Browser, live_server: Any
) -> None:
    made = running(clause(), start=database_now())
    path = f"/meters/{made.meter.pk}/"
    hers = Window(browser, live_server.url, made.alice)
    hers.open(path)
    free = hers.page.get_by_test_id("free")
    before = free.inner_text()
    made.report(good=5)
    assert hers.wait(path, 11) == 200
    expect(free).not_to_have_text(before)
    after = free.inner_text()
    amount = hers.page.locator("input[name=amount]")
    amount.fill("12.50")
    hers.page.get_by_test_id("meter-state").click()  # looks elsewhere; the amount is still hers
    made.report(good=5)
    hers.told.clear()
    hers.page.clock.run_for(25_000)
    expect(amount).to_have_value("12.50")
    expect(free).to_have_text(after)
    assert (path, 200) not in hers.told
    amount.fill("")
    hers.page.get_by_test_id("meter-state").click()
    assert hers.wait(path, 11) == 200
    expect(free).not_to_have_text(after)
