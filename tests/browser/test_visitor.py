"""The visitor itself: a page that is wrong in every way it watches for is complained about."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, Route

from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

ADDRESS = "http://earnest.example/"
BAD = """<!DOCTYPE html><html lang="en"><title>bad</title><body>
<div style="width: 900px">wide</div><img src="/missing.png"><script>console.log("inline")</script>
</body></html>"""


def test_a_bad_page_does_not_pass(page: Page, tmp_path: Path) -> None:
    def serve(route: Route) -> None:
        if route.request.url == ADDRESS:
            policy = {"Content-Security-Policy": "script-src 'self'"}
            route.fulfill(body=BAD, content_type="text/html", headers=policy)
        else:
            route.fulfill(status=404)

    page.route("**/*", serve)
    visitor = Visitor(page, tmp_path)
    page.goto(ADDRESS)
    visitor.looks_around("bad")
    said = "\n".join(visitor.complaints)
    for words in ("wider than its window", "policy: script-src", "404", "(critical): "):
        assert words in said, said
