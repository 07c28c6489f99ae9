"""The tests' database: migrated once, copied by every process, and emptied in a moment."""

import gc
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management import call_command
from django.core.management.sql import emit_post_migrate_signal
from django.db import connection, transaction

from marketplace.local.folder import ROOT

# What the tables of a migrated database follow from.
SOURCES = ("requirements-dev.lock", "*/migrations/*.py", "reputation/fields.py")
# What `migrate` itself writes about the models: it stays as long as no test changed it.
REFERENCE = ("django_content_type", "auth_permission")


def migrated(database: str) -> str:
    """The name of a database that is migrated and nothing else, made for today's migrations.

    Whoever comes first makes it, the others wait. Django still migrates every copy, so that no
    test meets tables that are older than the code.
    """
    name, state = f"test_{database}_migrated", fingerprint()
    with connection._nodb_cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtext(%s))", [name])
        if comment_of(cursor, name) != state:
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            cursor.execute(f'CREATE DATABASE "{name}"')
            with connected_to(name), collecting_seldom():
                call_command("migrate", verbosity=0, interactive=False, run_syncdb=True)
            cursor.execute(f"COMMENT ON DATABASE \"{name}\" IS '{state}'")
    return name


def fingerprint() -> str:
    """Changes when a migration does, or what migrations are made of."""
    digest = hashlib.sha256()
    for path in sorted(path for pattern in SOURCES for path in ROOT.glob(pattern)):
        digest.update(f"{path.relative_to(ROOT)}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def comment_of(cursor: Any, name: str) -> str | None:
    """What was said of a database when it was complete; nothing of one that is not."""
    cursor.execute(
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [name]
    )
    found = cursor.fetchone()
    return found[0] if found else None


@contextmanager
def connected_to(name: str) -> Iterator[None]:
    own = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = own


@contextmanager
def collecting_seldom() -> Iterator[None]:
    """`migrate` makes and drops models by the ten thousand: looking through everything that lives
    for ever as often as usual would be a fifth of its work."""
    usual = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    try:
        yield
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()


class Emptying:
    """Leaves the database as `migrate` does, without Django's flush after a transactional test.

    TRUNCATE gives each of a thousand tables and indexes a new file, and the models' permissions
    are written anew every time: a third of a second, where deleting a few rows takes a hundredth.
    """

    def __init__(self) -> None:
        self._reference = reference_rows()

    def __call__(self) -> None:
        kept = reference_rows() == self._reference
        with transaction.atomic(), connection.cursor() as cursor:
            # Append-only tables let nobody but a replica delete; nor does it check references.
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(";".join(f'DELETE FROM "{name}"' for name in tables(keep=kept)))
        if not kept:
            emit_post_migrate_signal(0, False, connection.alias)
            self._reference = reference_rows()


def tables(*, keep: bool) -> list[str]:
    """Every table of a model, with or without those that describe the models."""
    found = connection.introspection.django_table_names(only_existing=True, include_views=False)
    return sorted(set(found) - set(REFERENCE if keep else ()))


def reference_rows() -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    with connection.cursor() as cursor:
        for name in REFERENCE:
            cursor.execute(f'SELECT * FROM "{name}" ORDER BY id')
            rows += cursor.fetchall()
    return rows
