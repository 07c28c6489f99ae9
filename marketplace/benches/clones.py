"""Rows written again many times by one statement: a large past made of a small real one.

Triggers and foreign keys are off while they are written (`session_replication_role = replica`);
every other constraint and every index is in place.
"""

from collections.abc import Mapping

from django.db import connection

_COLUMNS = """
SELECT column_name, is_identity = 'YES' FROM information_schema.columns
 WHERE table_schema = current_schema() AND table_name = %s AND is_generated = 'NEVER'
 ORDER BY ordinal_position"""


def clone(
    table: str, *, times: int, rewrites: Mapping[str, str], where: str = "TRUE", joins: str = ""
) -> int:
    """Write the rows that fit `where` again for each n from 1 to `times`; how many were written.

    `rewrites` gives columns of the copies by SQL over `old` (the row), `n` and what `joins` adds;
    identity columns are counted on. All of it is the bench's own text, never a stranger's.
    """
    with connection.cursor() as cursor:
        cursor.execute(_COLUMNS, [table])
        kept = [name for name, counted in cursor.fetchall() if not counted or name in rewrites]
        values = [rewrites.get(name, f'old."{name}"') for name in kept]
        names = ", ".join(f'"{name}"' for name in kept)
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            f"INSERT INTO {table} ({names}) SELECT {', '.join(values)} "  # noqa: S608
            f"FROM {table} AS old CROSS JOIN generate_series(1, {times}) AS n {joins} WHERE {where}"
        )
        written = int(cursor.rowcount)
        cursor.execute("RESET session_replication_role")
    return written
