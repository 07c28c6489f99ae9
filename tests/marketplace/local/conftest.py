"""Folders the servers' user can enter: pytest's own are private to root."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from marketplace.local.folder import DataFolder
from marketplace.local.owner import server_owner
from marketplace.local.supervisor import Supervisor


@pytest.fixture
def place() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="earnest-test-", dir="/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def folder(place: Path) -> DataFolder:
    folder = DataFolder(place / "data")
    folder.make()
    return folder


@pytest.fixture
def supervisor(folder: DataFolder) -> Iterator[Supervisor]:
    supervisor = Supervisor(folder)
    yield supervisor
    supervisor.stop("valkey", "postgres")


@pytest.fixture
def as_root() -> None:
    if not server_owner().changes:
        pytest.skip("only root hands its servers to another user")
