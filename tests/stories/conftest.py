"""Every story is played on real rows, ends in committed state, and is looked at independently."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from pacts import runner
from reputation import sequencer, standings
from tests.faults.checker import problems


@pytest.fixture(autouse=True)
def _told_to_the_end(settings: Any, db: None) -> Iterator[None]:
    """Agents on loopback before the story; after it, log, standings and an independent look."""
    settings.EGRESS_ALLOW_LOOPBACK = True
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    runner.egress.cache_clear()
    yield
    while sequencer.sequence_batch():
        pass
    while standings.update_standings():
        pass
    connection.ensure_connection()
    assert problems(connection.connection, secret_key=settings.SECRET_KEY) == []
