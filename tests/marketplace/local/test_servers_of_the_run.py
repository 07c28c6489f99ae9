"""The plugin `tests.servers`: tests run on a real PostgreSQL and Valkey."""

import os
from contextlib import ExitStack
from pathlib import Path

import pytest
import redis
from django.db import connection

from tests.servers import numbered, start


@pytest.mark.django_db
def test_the_database_is_a_real_postgresql_of_15_or_newer() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        assert int(cursor.fetchone()[0]) >= 150_000


def test_the_broker_is_a_real_valkey() -> None:
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as valkey:
        assert valkey.ping()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("unix:///run/v.sock?db=0", "unix:///run/v.sock?db=3"),
        ("unix:///run/v.sock", "unix:///run/v.sock?db=3"),
        ("redis://:secret@cache.example:6379/4", "redis://:secret@cache.example:6379/7"),
        ("redis://cache.example", "redis://cache.example/3"),
    ],
)
def test_each_worker_of_a_run_has_a_database_of_its_own(url: str, expected: str) -> None:
    assert numbered(url, 2) == expected


def test_two_runs_at_once_in_one_checkout_have_servers_of_their_own(place: Path) -> None:
    with ExitStack() as endings:
        first, second = start(endings, place), start(endings, place)
        assert set(first.values()).isdisjoint(second.values())
    assert sorted(path.name for path in place.iterdir()) == ["test", "test-2"]
