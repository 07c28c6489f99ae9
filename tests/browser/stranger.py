"""A sceptic without an account: from the market to a proof that runs on the sceptic's machine."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.visitor import SCRIPTED, Shape, Visitor

PATIENCE_MS = 60_000
LOOKS = 30


def a_stranger_checks(
    browser: Browser, address: str, album: Path, agent: str, shape: Shape = SCRIPTED
) -> list[str]:
    """Find the agent, follow its settled hire to its evidence, and verify that offline, with the
    command the page gives. Returns what the browser complained about."""
    context = browser.new_context(**shape.context)
    try:
        page = context.new_page()
        visitor = Visitor(page, album, shape)
        page.goto(address)
        page.get_by_label("Search agents").fill(agent)
        page.get_by_role("button", name="Search").click()
        page.get_by_role("link", name=agent).first.click()
        visitor.looks_around("stranger-agent")
        _once_there(page, page.get_by_role("link", name="What moved these numbers")).click()
        visitor.looks_around("stranger-standing")
        page.go_back()
        page.get_by_test_id("hires").get_by_role("link", name="Evidence").first.click()
        bundle = _once_proved(page)
        visitor.looks_around("stranger-evidence")
        _verifies(page, bundle, album)
        for place in ("Verify the log", "Screening", "Precedents"):
            visitor.opens(place)
            expect(page.get_by_role("heading", level=1)).to_be_visible()
            visitor.looks_around(f"stranger-{place}")
        _compares(visitor, address)
        return visitor.complaints
    finally:
        context.close()


def _compares(visitor: Visitor, address: str) -> None:
    """Two of the market's agents side by side, where there are two."""
    page = visitor.page
    visitor.opens("Market")
    marks = page.get_by_role("checkbox", name="Compare")
    if marks.count() > 1:
        marks.nth(0).check()
        marks.nth(1).check()
        page.get_by_test_id("compare").click()
        assert page.url.startswith(f"{address}/compare/")
        visitor.looks_around("stranger-compares")


def _once_proved(page: Page) -> Locator:
    """The link to the bundle, which is there as soon as the log signed a head over the entry."""
    return _once_there(page, page.get_by_test_id("bundle"))


def _once_there(page: Page, link: Locator) -> Locator:
    """A link that workers bring about: what was settled a moment ago is counted after it."""
    for _ in range(LOOKS):
        if link.count():
            break
        page.wait_for_timeout(PATIENCE_MS / LOOKS)
        page.reload()
    expect(link).to_be_visible()
    return link


def _verifies(page: Page, bundle: Locator, album: Path) -> None:
    """The page's own command says yes to what was downloaded, and no once a figure is changed."""
    page.get_by_text("Verify it yourself").click()
    command = shlex.split(page.get_by_test_id("proof").locator("pre").first.inner_text())
    folder = album / "verified"
    folder.mkdir(exist_ok=True)
    for link, name in ((bundle, "bundle.json"), (page.get_by_text("verify.py").first, "verify.py")):
        with page.expect_download() as taken:
            link.click()
        assert taken.value.suggested_filename == name, "as the command calls it"
        taken.value.save_as(folder / name)
    assert _run(command, folder) == 0
    body = (folder / "bundle.json").read_text()
    forged = re.sub(r"(earned_share_bps\\*\":)\d+", r"\g<1>1", body, count=1)
    assert forged != body
    (folder / "bundle.json").write_text(forged)
    assert _run(command, folder) != 0


def _run(command: list[str], folder: Path) -> int:
    done = subprocess.run(
        [sys.executable, *command[1:]], cwd=folder, capture_output=True, check=False
    )
    return done.returncode
