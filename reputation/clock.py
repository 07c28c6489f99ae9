"""The one clock. Every deadline is decided by the database, never by a worker's own time."""

from datetime import datetime

from django.db import connection


def database_now() -> datetime:
    """PostgreSQL's `now()`: aware, UTC, and the same instant throughout one transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        (now,) = cursor.fetchone()
    assert isinstance(now, datetime)
    return now
