"""A pytest plugin: a real PostgreSQL and Valkey for the run, unless their addresses are given.

Loaded with `-p tests.servers` (see pyproject.toml) because it must be ahead of pytest-django,
which reads the settings, and so the addresses, before any conftest.
"""

import atexit
import os
from contextlib import ExitStack, redirect_stdout
from io import StringIO
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from marketplace.local.folder import ROOT, DataFolder, FolderInUse
from marketplace.local.servers import embedded

RUNS_AT_ONCE = 8
ENDINGS = ExitStack()


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Fill in the environment; workers of pytest-xdist inherit it and take a database of theirs."""
    os.environ.setdefault("EARNEST_DEVELOPMENT", "1")
    if worker := os.environ.get("PYTEST_XDIST_WORKER"):
        os.environ["REDIS_URL"] = numbered(os.environ["REDIS_URL"], int(worker.removeprefix("gw")))
    elif not ("DATABASE_URL" in os.environ and "REDIS_URL" in os.environ):
        atexit.register(ENDINGS.close)
        for name, url in start(ENDINGS, ROOT / ".data").items():
            os.environ.setdefault(name, url)


def start(endings: ExitStack, data: Path) -> dict[str, str]:
    """Servers that forget on a crash, in the first test folder no other run of tests is using."""
    for number in range(1, RUNS_AT_ONCE + 1):
        folder = DataFolder(data / (f"test-{number}" if number > 1 else "test"))
        try:
            with redirect_stdout(StringIO()):
                return endings.enter_context(embedded(folder, "pytest", durable=False))
        except FolderInUse:
            continue
    raise pytest.UsageError(f"{RUNS_AT_ONCE} test runs are already using this checkout")


def numbered(url: str, worker: int) -> str:
    """The same Valkey, but the database `worker` + 1 places after the one of the whole run."""
    if url.startswith("unix:"):
        socket, _, query = url.partition("?")
        first = int(parse_qs(query).get("db", ["0"])[0])
        return f"{socket}?db={first + 1 + worker}"
    parts = urlsplit(url)
    first = int(parts.path.strip("/") or 0)
    return parts._replace(path=f"/{first + 1 + worker}").geturl()


def pytest_unconfigure() -> None:
    ENDINGS.close()
