"""Who walks a journey: people who come for the first time, and the cast with a browser each."""

import re
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from playwright.sync_api import BrowserContext, expect

from tests.browser.visitor import SCRIPTED, Shape, Visitor
from tests.cast import PASSWORD
from tests.faults.stack import Stack

NewContext = Callable[..., BrowserContext]


def signs_up(visitor: Visitor, name: str) -> None:
    """From any page: an account of one's own, and a party to act for."""
    page = visitor.page
    visitor.opens("Sign up") if not visitor.shape.wide else page.get_by_role(
        "link", name="Sign up"
    ).first.click()
    page.get_by_label("Email").fill(f"{name}-{uuid4().hex[:8]}@example.org")
    page.get_by_label(re.compile("^Password")).nth(0).fill(PASSWORD)
    page.get_by_label(re.compile("^Password")).nth(1).fill(PASSWORD)
    page.get_by_role("button", name="Sign up").click()
    page.get_by_test_id("acting-party").click()
    page.get_by_role("link", name="Create a party").click()
    page.get_by_label("Name").fill(f"{name.title()} & Co")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("link", name=f"{name.title()} & Co").first).to_be_visible()


class People:
    """Members of the cast at browsers of their own, each at the other width than the one before
    where no script runs."""

    def __init__(
        self, stack: Stack, new_context: NewContext, album: Path, shape: Shape = SCRIPTED
    ) -> None:
        self.stack, self.album, self.shape = stack, album, shape
        self._new = new_context
        # What their ruling is found by: several shapes may have ruled in one stack.
        self.words = f"numbers on a {'scripted' if shape.script else 'plain'} " + (
            "desk" if shape.wide else "phone"
        )
        secrets = dict(stack.secrets)
        stack.people("alice", "carol", "dora", "erin")
        stack.secrets |= secrets

    def stranger(self) -> Visitor:
        """Somebody whom nobody knows."""
        return self._somebody("stranger")

    def person(self, name: str) -> Visitor:
        """One of the cast, signed in."""
        visitor = self._somebody(name)
        page = visitor.page
        page.goto("/")
        page.get_by_role("link", name="Sign in").first.click()
        page.get_by_label("Email").fill(f"{name}@example.org")
        page.get_by_label(re.compile("^Password")).fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_test_id("acting-party")).to_be_visible()
        return visitor

    def _somebody(self, name: str) -> Visitor:
        context = self._new(base_url=self.stack.address, **self.shape.context)
        folder = self.album / name
        folder.mkdir(exist_ok=True)
        visitor = Visitor(context.new_page(), folder, self.shape)
        self.shape = self.shape.turned
        return visitor
