"""Strangers' SQL, run: a SQLite database in memory made from a task's own fixture, and shut in.

A fixture is `{"tables": {name: {"columns": {column: type}, "rows": [[…], …]}}}` or a text of SQL
statements that make and fill tables. It becomes one image of at most 8 MB, kept for the next trial;
each query runs on a copy of its own. What bounds a query: an authorizer that lets it read, use
functions of a fixed list and recurse, and nothing else (no PRAGMA, no ATTACH, no extension, no
writing); 2,000,000 steps of SQLite's machine and half a second of the processor, neither of which
depends on how busy the computer is; 1,000 rows of 100 columns; rows of 20,000 bytes; a heap of
64 MB for all SQLite in this process, wherefore one query runs at a time.
"""

import json
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from reputation.canonical import JsonValue

MOST_STEPS = 2_000_000
STEPS_A_LOOK = 100
MOST_CPU_SECONDS = 0.5
MOST_ROWS = 1_000
MOST_BYTES = 8 << 20
LONGEST_FIXTURE = 1 << 20
HEAP_BYTES = 64 << 20

Cell = None | int | float | str | bytes
Row = tuple[Cell, ...]

_LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: 20_000,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 1_048_576,
    sqlite3.SQLITE_LIMIT_COLUMN: 100,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 100,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 20,
    sqlite3.SQLITE_LIMIT_VDBE_OP: 25_000,
    sqlite3.SQLITE_LIMIT_FUNCTION_ARG: 20,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 200,
    sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER: 100,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 1,
    sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
}
_FUNCTIONS = {
    *("abs", "avg", "ceil", "ceiling", "char", "coalesce", "concat", "count", "cume_dist", "date"),
    *("datetime", "dense_rank", "exp", "first_value", "floor", "glob", "group_concat", "hex"),
    *("ifnull", "iif", "instr", "json", "json_array", "json_array_length"),
    *("json_extract", "json_object", "json_type", "json_valid", "julianday", "lag", "last_value"),
    *(
        "lead",
        "length",
        "like",
        "ln",
        "log",
        "log10",
        "log2",
        "lower",
        "ltrim",
        "max",
        "min",
        "mod",
    ),
    *("nth_value", "ntile", "nullif", "octet_length", "percent_rank", "pow", "power", "quote"),
    *("rank", "replace", "round", "row_number", "rtrim", "sign", "sqrt", "strftime", "string_agg"),
    *("substr", "substring", "sum", "time", "total", "trim", "trunc", "typeof", "unhex"),
    *("unicode", "unixepoch", "upper", "->", "->>"),
}
_READING = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE}
_MAKING = _READING | {
    *(sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_CREATE_TABLE),
    *(sqlite3.SQLITE_CREATE_INDEX, sqlite3.SQLITE_CREATE_VIEW, sqlite3.SQLITE_TRANSACTION),
    sqlite3.SQLITE_REINDEX,
}
_NAME = re.compile(r"[^\W\d]\w{0,62}\Z")
_TYPE = re.compile(r"[A-Za-z]{1,20}(?: ?\([0-9]{1,4}(?:, ?[0-9]{1,4})?\))?\Z")

_one_at_a_time = threading.Lock()


class FixtureRefused(ValueError):
    """No database can be made of the task's fixture; the message says why."""


class QueryFailed(ValueError):
    """The query did not run through: it is wrong, forbidden, or more than it may be."""


@lru_cache(maxsize=16)
def image(fixture: str) -> bytes:
    """A database as bytes, from the JSON text of its fixture. Raises FixtureRefused."""
    if len(fixture) > LONGEST_FIXTURE:
        raise FixtureRefused(f"{len(fixture)} characters; at most {LONGEST_FIXTURE} are read")
    made: JsonValue = json.loads(fixture)
    with _one_at_a_time:
        connection = _open()
        try:
            connection.set_authorizer(_warden(_MAKING))
            _make(connection, made)
            connection.set_authorizer(None)  # what follows is ours: SQLite counts its pages
            data = connection.serialize()
        except (sqlite3.Error, sqlite3.Warning, MemoryError) as problem:
            raise FixtureRefused(str(problem)[:120] or "too large") from problem
        finally:
            connection.close()
    if len(data) > MOST_BYTES:
        raise FixtureRefused(f"a database of {len(data)} bytes; at most {MOST_BYTES}")
    return data


def run(query: str, database: bytes) -> tuple[Row, ...]:
    """The rows of one query on its own copy of a database. Raises QueryFailed."""
    with _one_at_a_time:
        connection = _open()
        try:
            connection.deserialize(database)
            connection.set_authorizer(_warden(_READING))
            rows = connection.execute(query).fetchmany(MOST_ROWS + 1)
        except (sqlite3.Error, sqlite3.Warning) as problem:
            raise QueryFailed(_said(problem)) from problem
        except (MemoryError, OverflowError, UnicodeError) as problem:
            raise QueryFailed("it takes more memory, or larger values, than it may") from problem
        finally:
            connection.close()
    if len(rows) > MOST_ROWS:
        raise QueryFailed(f"more than {MOST_ROWS} rows")
    return tuple(rows)


def _open() -> sqlite3.Connection:
    connection = sqlite3.connect(
        ":memory:", isolation_level=None, check_same_thread=False, cached_statements=0
    )
    connection.execute(f"PRAGMA hard_heap_limit={HEAP_BYTES}")
    connection.execute("PRAGMA temp_store=MEMORY")
    for limit, most in _LIMITS.items():
        connection.setlimit(limit, most)
    connection.text_factory = lambda data: data.decode(errors="replace")
    connection.set_progress_handler(_budget(), STEPS_A_LOOK)
    return connection


def _budget() -> Callable[[], bool]:
    """Whether to stop, asked every so many steps."""
    looks = iter(range(MOST_STEPS // STEPS_A_LOOK))
    end = time.thread_time() + MOST_CPU_SECONDS
    return lambda: next(looks, None) is None or time.thread_time() > end


def _warden(allowed: set[int]) -> Callable[..., int]:
    def judge(
        action: int, first: str | None, second: str | None, database: str | None, by: str | None
    ) -> int:
        if action == sqlite3.SQLITE_FUNCTION:
            known = (second or "").lower() in _FUNCTIONS
            return sqlite3.SQLITE_OK if known else sqlite3.SQLITE_DENY
        return sqlite3.SQLITE_OK if action in allowed else sqlite3.SQLITE_DENY

    return judge


def _said(problem: Exception) -> str:
    said = str(problem)[:120]
    return "it takes more steps, or more time, than it may" if said == "interrupted" else said


def _make(connection: sqlite3.Connection, fixture: JsonValue) -> None:
    if isinstance(fixture, str):
        connection.executescript(fixture)
        return
    tables = fixture.get("tables") if isinstance(fixture, dict) else None
    if not isinstance(tables, dict) or not tables:
        raise FixtureRefused("it is neither SQL nor an object of tables")
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise FixtureRefused(f"the table {name[:40]} is no object")
        _fill(connection, name, table)


def _fill(connection: sqlite3.Connection, name: str, table: Mapping[str, JsonValue]) -> None:
    columns, rows = table.get("columns"), table.get("rows", [])
    if not _NAME.match(name) or not isinstance(columns, dict) or not isinstance(rows, list):
        raise FixtureRefused(f"the table {name[:40]} has no plain name, columns or rows")
    for column, kind in columns.items():
        if not _NAME.match(column) or not isinstance(kind, str) or not _TYPE.match(kind):
            raise FixtureRefused(f"the column {column[:40]} has no plain name or type")
    listed = ", ".join(f'"{column}" {kind}' for column, kind in columns.items())
    connection.execute(f'CREATE TABLE "{name}" ({listed})')
    places = ", ".join("?" * len(columns))
    filled = [_cells(row, name) for row in rows]
    connection.executemany(f'INSERT INTO "{name}" VALUES ({places})', filled)  # noqa: S608


def _cells(row: JsonValue, name: str) -> Sequence[Cell]:
    if not isinstance(row, list) or any(isinstance(cell, dict | list) for cell in row):
        raise FixtureRefused(f"a row of {name[:40]} is no list of plain values")
    return [cell for cell in row if not isinstance(cell, dict | list)]
