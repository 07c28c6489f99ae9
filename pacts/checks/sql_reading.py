"""What a stranger's SQL says, without running it: sqlglot's reading of one statement.

At most 20,000 characters, 30 levels of brackets and 4,000 tokens, so that reading takes
milliseconds. A statement only reads when its root is a query and nothing inside it writes, locks,
calls a command, or calls a function that acts: data-changing CTEs, SELECT … INTO, FOR UPDATE,
sequences, sleeping, files, other servers, administration.
"""

import logging
import re
from functools import lru_cache
from typing import Any

# It would write strangers' text into our logs whenever it meets what it does not know.
logging.getLogger("sqlglot").setLevel(logging.ERROR)

LONGEST = 20_000
DEEPEST = 30
MOST_TOKENS = 4_000
DIALECTS = (
    *("sqlite", "postgres", "mysql", "tsql", "snowflake", "bigquery", "duckdb", "oracle"),
    *("redshift", "spark", "databricks", "trino", "clickhouse"),
)
_WRITES = (
    *("DML", "DDL", "Command", "Into", "Lock", "Alter", "Drop", "Pragma", "Attach", "Detach"),
    *("Set", "Use", "Kill", "Transaction", "Commit", "Rollback", "Merge", "TruncateTable", "Copy"),
    *("LoadData", "Grant", "Analyze", "Describe", "Show", "Cache", "Uncache", "Refresh", "Export"),
    "Comment",
)
# Functions that act, in the engines of the dialects above; matched whole or by their beginning.
_ACTS = re.compile(
    r"(?:nextval|setval|lastval|sleep|pg_sleep\w*|benchmark|waitfor|get_lock|release_lock\w*"
    r"|load_file|load_extension|readfile|writefile|edit|fts3_tokenizer|lo_\w+|dblink\w*|pg_read_\w+"
    r"|pg_write_\w+|pg_ls_\w+|pg_terminate_\w+|pg_cancel_\w+|pg_reload_\w+|pg_rotate_\w+"
    r"|pg_advisory\w*|pg_try_advisory\w*|pg_notify|pg_file_\w+|pg_logical_\w+|pg_create_\w+"
    r"|pg_drop_\w+|set_config|query_to_xml\w*|database_to_xml\w*|table_to_xml\w*|xp_\w+|sp_\w+"
    r"|openrowset|opendatasource|openquery|utl_\w+|dbms_\w+|sys_exec|sys_eval|read_csv\w*"
    r"|read_parquet|read_json\w*|read_text|read_blob|parquet_scan|url|s3|file|remote|system\$\w+)\Z",
    re.IGNORECASE,
)


class SqlRefused(ValueError):
    """The text is not one statement of the dialect, or more than is read; the message says why."""


@lru_cache(maxsize=1)
def _sqlglot() -> Any:
    # It takes half a second to load: only whoever reads a statement waits for it.
    import sqlglot

    return sqlglot


@lru_cache(maxsize=1)
def _writing() -> tuple[type, ...]:
    """The expressions that do more than read."""
    return tuple(getattr(_sqlglot().exp, name) for name in _WRITES)


@lru_cache(maxsize=256)
def read_sql(text: str, dialect: str) -> Any:
    """The tree of one statement (a sqlglot Expression). Raises SqlRefused."""
    _check_size(text)
    sqlglot = _sqlglot()
    try:
        tokens = sqlglot.tokenize(text, read=dialect)
        if len(tokens) > MOST_TOKENS:
            raise SqlRefused(f"{len(tokens)} tokens; at most {MOST_TOKENS} are read")
        found = [tree for tree in sqlglot.parse(text, read=dialect) if tree is not None]
    except sqlglot.errors.SqlglotError as problem:
        said = re.sub(r"\x1b\[[0-9;]*m", "", str(problem)).split("\n")[0]
        raise SqlRefused(f"not {dialect} SQL: {said[:120]}") from problem
    except RecursionError as problem:
        raise SqlRefused("nested too deep") from problem
    if len(found) != 1:
        raise SqlRefused(f"{len(found)} statements, not one")
    if isinstance(found[0], sqlglot.exp.Command):
        raise SqlRefused(f"not a statement that can be read: {text.strip()[:40]}")
    return found[0]


def _check_size(text: str) -> None:
    if len(text) > LONGEST:
        raise SqlRefused(f"{len(text)} characters; at most {LONGEST} are read")
    if "\x00" in text:
        raise SqlRefused("it holds a NUL character")
    if "/*!" in text:
        raise SqlRefused("it holds a comment that MySQL would run")
    depth = deepest = 0
    for c in text:
        depth += (c in "([{") - (c in ")]}")
        deepest = max(deepest, depth)
    if deepest > DEEPEST:
        raise SqlRefused(f"brackets nested {deepest} deep; at most {DEEPEST} are read")


def why_it_writes(tree: Any) -> str | None:
    """Why a statement does more than read, or None."""
    exp, writing = _sqlglot().exp, _writing()
    if not isinstance(tree, exp.Query):
        return f"a {tree.key.upper()} is no query"
    for node in tree.walk():
        if isinstance(node, writing):
            return f"it holds {_named(node)}"
        if isinstance(node, exp.Func) and _ACTS.match(_function(node)):
            return f"it calls {_function(node)[:40]}, which does more than read"
    return None


def _named(node: Any) -> str:
    return str(node.key).upper()


def _function(node: Any) -> str:
    name = node.name if isinstance(node, _sqlglot().exp.Anonymous) else node.sql_name()
    return str(name)


def tables_of(tree: Any) -> set[str]:
    """The names of the real tables a query reads, in small letters, schema and all; the names it
    gives to its own subqueries are none, wherever they do not hide a table inside themselves."""
    from sqlglot.optimizer.scope import traverse_scope

    sqlglot = _sqlglot()
    try:
        scopes = traverse_scope(tree)
        nodes = [
            source
            for scope in scopes
            for source in scope.sources.values()
            if isinstance(source, sqlglot.exp.Table)
        ]
    except (sqlglot.errors.SqlglotError, RecursionError):
        nodes = list(tree.find_all(sqlglot.exp.Table))
    return {".".join(part.name for part in node.parts).lower() for node in nodes}


def why_it_varies(tree: Any) -> str | None:
    """Why the same query may answer differently tomorrow: it asks for the time or for chance."""
    exp = _sqlglot().exp
    for node in tree.walk():
        if isinstance(node, exp.Literal) and node.is_string and _is_now(str(node.this)):
            return "it asks for the time"
        if isinstance(node, exp.CurrentDate | exp.CurrentTimestamp | exp.CurrentTime):
            return "it asks for the time"
        if isinstance(node, exp.Rand) or _function_of(node) in ("random", "randomblob"):
            return "it draws at random"
    return None


def _is_now(text: str) -> bool:
    return text.strip().lower() in ("now", "localtime", "today")


def _function_of(node: Any) -> str:
    return _function(node).lower() if isinstance(node, _sqlglot().exp.Func) else ""


def functions_of(tree: Any) -> set[str]:
    """The names of the functions a statement calls, in small letters."""
    return {_function(node).lower() for node in tree.find_all(_sqlglot().exp.Func)}
