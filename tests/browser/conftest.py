"""A real browser in front of a real stack: web, worker and beat over servers of their own."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Playwright

from tests.faults.stack import Stack

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Debian's Chromium, quiet; skips where there is none."""
    if not CHROMIUM.exists():
        pytest.skip(f"no {CHROMIUM}: install Debian's chromium to walk the pages in a browser")
    return {**browser_type_launch_args, "executable_path": str(CHROMIUM), "args": FLAGS}


@pytest.fixture(scope="package")
def stack(browser_type_launch_args: dict[str, Any]) -> Iterator[Stack]:
    """A stack that knows bob. It asks for the browser first, so that a skip costs nothing."""
    place = Path(tempfile.mkdtemp(prefix="earnest-browser-", dir="/tmp"))
    place.chmod(0o755)
    running = Stack(place / "data")
    try:
        running.start()
        running.people("bob")
        yield running
    finally:
        running.stop()
        shutil.rmtree(place, ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def _pages_name_their_parts(playwright: Playwright) -> None:
    """What has neither a role nor a label of its own says `data-test`."""
    playwright.selectors.set_test_id_attribute("data-test")


@pytest.fixture(scope="session", autouse=True)
def _rows_beside_the_browser(playwright: Playwright) -> None:
    """Playwright keeps an event loop running in this thread until the process ends, which Django
    takes for somebody's request: every later test of this process would be refused its rows."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"


@pytest.fixture
def album(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Where a test keeps pictures of what it saw: a folder of its own under EARNEST_PICTURES, so
    that they can be looked at afterwards."""
    root = os.environ.get("EARNEST_PICTURES")
    name = re.sub(r"\W+", "-", request.node.name.removeprefix("test_")).strip("-")
    folder = Path(root) / name if root else tmp_path
    folder.mkdir(parents=True, exist_ok=True)
    return folder
