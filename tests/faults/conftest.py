"""One stack for the faults of a run: each must leave it fit for the next."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.reader import Reader
from tests.faults.stack import Stack


@pytest.fixture(scope="package")
def stack() -> Iterator[Stack]:
    """Durable servers, web, worker and beat, in a folder the servers' user can enter."""
    place = Path(tempfile.mkdtemp(prefix="earnest-faults-", dir="/tmp"))
    place.chmod(0o755)
    running = Stack(place / "data")
    try:
        running.start()
        running.people("alice", "bob")
        yield running
    finally:
        running.stop()
        shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def reader(stack: Stack) -> Iterator[Reader]:
    with Reader(stack) as reading:
        yield reading
    assert reading.looks > 10
    assert reading.wrong == []
