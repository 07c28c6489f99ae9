"""A PostgreSQL of the bench's own: durable, in a new folder, gone afterwards."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from marketplace.benches.crowd import BenchFailed
from marketplace.benches.fleet import surroundings
from marketplace.local.folder import ROOT, DataFolder
from marketplace.local.servers import embedded

DURABLE = ("fsync", "synchronous_commit", "full_page_writes")


@dataclass(frozen=True, slots=True)
class Ground:
    """The server's address and folder."""

    url: str
    data: str

    def url_of(self, database: str) -> str:
        return urlsplit(self.url)._replace(path=f"/{database}").geturl()

    def create(self, database: str, *, template: str = "template1") -> str:
        """A database beside the others; its URL."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {database} TEMPLATE {template}".encode())
        return self.url_of(database)

    def migrate(self, url: str, app: str, *, settings: str) -> None:
        """Make the tables of one app and of what it rests on; "" is all. Raises BenchFailed."""
        apps = [app] if app else []
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-m", "django", "migrate", *apps, "--verbosity", "0", "--skip-checks"],
            env=surroundings(settings=settings, url=url, data=self.data),
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise BenchFailed(f"the tables could not be made:\n{done.stderr[-1500:]}")


@contextmanager
def ground() -> Iterator[Ground]:
    """The server for the length of a block. Raises BenchFailed unless it keeps what it commits."""
    place = Path(tempfile.mkdtemp(prefix="earnest-bench-", dir="/tmp"))
    place.chmod(0o755)
    try:
        with embedded(DataFolder(place / "data"), "bench", valkey=False, durable=True) as urls:
            made = Ground(urls["DATABASE_URL"], str(place / "data"))
            _check_durable(made)
            yield made
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _check_durable(ground: Ground) -> None:
    with psycopg.connect(ground.url) as connection:
        for name in DURABLE:
            row = connection.execute(f"SHOW {name}".encode()).fetchone()
            if row != ("on",):
                raise BenchFailed(f"{name} is {row}: figures of a server that forgets mean nothing")


def machine() -> str:
    """What the figures were taken on, and how busy it is."""
    return f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}"
