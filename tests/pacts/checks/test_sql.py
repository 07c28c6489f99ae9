"""Strangers' SQL: read, shut in, and held against the task's own rows."""

from typing import Any

import pytest

from pacts.checks.sql_box import QueryFailed, image, run
from tests.pacts.checks.answering import ask, outcome

FIXTURE = {"tables": {"t": {"columns": {"id": "INTEGER", "x": "REAL"}, "rows": [[1, 0.5], [2, 1]]}}}
PARAMS = {"field": "sql", "fixture_field": "db", "rows_field": "rows"}
DOUBLINGS = ", ".join(f"c{i + 1} AS (SELECT 1 FROM c{i} a, c{i} b)" for i in range(40))

BOMBS = [
    "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c",
    "WITH RECURSIVE c(n) AS (SELECT 'aaaaaaaa' UNION ALL SELECT n || n FROM c) SELECT * FROM c",
    f"WITH c0 AS (SELECT 1), {DOUBLINGS} SELECT count(*) FROM c40",
    "SELECT count(*) FROM " + ", ".join(f"t a{i}" for i in range(30)),
    "SELECT randomblob(1000000000)",
    "SELECT zeroblob(1000000000)",
    "SELECT printf('%.*c', 1000000000, 'x')",
    "SELECT 1 UNION " * 600 + "SELECT 1",
    "SELECT " + "(" * 200 + "1" + ")" * 200,
]
ATTACKS = [
    "ATTACH ':memory:' AS other",
    "PRAGMA writable_schema = 1",
    "SELECT * FROM pragma_table_info('t')",
    "SELECT load_extension('x')",
    "SELECT readfile('/etc/hostname')",
    "SELECT fts3_tokenizer('x')",
    "INSERT INTO t VALUES (3, 3)",
    "DELETE FROM t RETURNING id",
    "CREATE TABLE u (a)",
    "DROP TABLE t",
    "VACUUM",
    "SELECT 1; SELECT 2",
    "SELECT * FROM dbstat",
]


@pytest.mark.parametrize("query", [*BOMBS, *ATTACKS])
def test_neither_a_bomb_nor_an_attack_gets_anywhere(query: str) -> None:
    task = {"db": FIXTURE, "rows": [[1]]}
    assert outcome("sql_result", PARAMS, expected=task, output={"sql": query}) == "fail"
    with pytest.raises(QueryFailed):
        run(query, image('{"tables": {"t": {"columns": {"id": "INT"}, "rows": [[1], [2]]}}}'))


def test_a_query_changes_nothing_for_the_next_one() -> None:
    task = {"db": FIXTURE, "rows": [[2]]}
    for _ in range(2):
        answer = outcome(
            "sql_result", PARAMS, expected=task, output={"sql": "SELECT count(*) FROM t"}
        )
        assert answer == "pass"


@pytest.mark.parametrize(
    ("params", "query", "expected"),
    [
        ({}, "SELECT id, x FROM t ORDER BY id DESC", "pass"),
        ({"ordered": True}, "SELECT id, x FROM t ORDER BY id DESC", "fail"),
        ({"ordered": True}, "SELECT id AS n, x FROM t ORDER BY id", "pass"),
        ({}, "SELECT x, id FROM t", "fail"),
        ({}, "SELECT id, x + 1e-15 FROM t", "pass"),
        ({}, "SELECT id, x + 0.01 FROM t", "fail"),
        ({"relative": 0.05}, "SELECT id, x + 0.01 FROM t", "pass"),
        ({}, "SELECT id, x FROM t LIMIT 1", "fail"),
        ({}, "SELECT id, x FROM t UNION ALL SELECT id, x FROM t", "fail"),
        ({}, "SELECT id, CAST(x AS TEXT) FROM t", "fail"),
        ({}, "SELECT id, x FROM t WHERE date('now') > '2020-01-01'", "fail"),
    ],
)
def test_the_rows_are_what_counts(params: dict[str, Any], query: str, expected: str) -> None:
    task = {"db": FIXTURE, "rows": [{"id": 1, "x": 0.5}, {"id": 2, "x": 1.0}]}
    answer = ask("sql_result", {**PARAMS, **params}, expected=task, output={"sql": query})
    assert answer.outcome == expected, answer.reason


@pytest.mark.parametrize(
    "task",
    [
        {},
        {"db": FIXTURE},
        {"db": FIXTURE, "rows": 5},
        {"db": FIXTURE, "rows": [[[1]]]},
        {"db": {"tables": {}}, "rows": []},
        {"db": {"tables": {'t" (a); --': {"columns": {"a": "INT"}}}}, "rows": []},
        {"db": {"tables": {"t": {"columns": {"a": "INT, b"}}}}, "rows": []},
        {"db": {"tables": {"t": {"columns": {"a": "INT"}, "rows": [[1, 2]]}}}, "rows": []},
        {"db": "CREATE TABLE t (a); ATTACH ':memory:' AS x", "rows": []},
        {"db": "CREATE TABLE t (a); SELECT load_extension('x')", "rows": []},
        {"db": "not SQL", "rows": []},
    ],
)
def test_a_task_that_cannot_be_used_is_the_buyer_s_error(task: dict[str, Any]) -> None:
    answer = ask("sql_result", PARAMS, expected=task, output={"sql": "SELECT 1"})
    assert (answer.outcome, answer.fault) == ("error", "buyer")


def test_a_fixture_may_be_sql_and_the_reference_a_query() -> None:
    params = {"field": "sql", "fixture_field": "db", "query_field": "gold"}
    task = {
        "db": "CREATE TABLE t (a INT, b TEXT); INSERT INTO t VALUES (1, 'x'), (2, 'y')",
        "gold": "SELECT b FROM t WHERE a = 2",
    }
    right = {"sql": "SELECT max(b) FROM t"}
    assert outcome("sql_result", params, expected=task, output=right) == "pass"


@pytest.mark.parametrize(
    ("dialect", "statement", "expected"),
    [
        ("postgres", "SELECT now() - interval '1 day' FROM t", "pass"),
        ("postgres", "WITH gone AS (DELETE FROM t RETURNING *) SELECT * FROM gone", "fail"),
        ("postgres", "SELECT * INTO u FROM t", "fail"),
        ("postgres", "SELECT * FROM t FOR UPDATE", "fail"),
        ("postgres", "SELECT pg_catalog.pg_sleep(9)", "fail"),
        ("postgres", "COPY t TO PROGRAM 'sh'", "fail"),
        ("postgres", "EXPLAIN ANALYZE DELETE FROM t", "fail"),
        ("mysql", "SELECT 1 /*! INTO OUTFILE '/x' */", "fail"),
        ("mysql", "SELECT SLEEP(9)", "fail"),
        ("tsql", "EXEC xp_cmdshell 'dir'", "fail"),
        ("duckdb", "SELECT * FROM read_csv('/etc/hosts')", "fail"),
        ("sqlite", "SELECT '; DROP TABLE t' AS text", "pass"),
        ("sqlite", "SELECT 1 -- ; DROP TABLE t", "pass"),
    ],
)
def test_a_statement_reads_or_it_does_not(dialect: str, statement: str, expected: str) -> None:
    params = {"field": "sql", "dialect": dialect}
    answer = ask("sql_statement", params, output={"sql": statement})
    assert answer.outcome == expected, answer.reason


def test_a_name_of_a_subquery_hides_no_table() -> None:
    params = {"field": "sql", "dialect": "sqlite", "tables": ["sales"]}
    honest = "WITH s AS (SELECT * FROM sales) SELECT * FROM s"
    hiding = "WITH wages AS (SELECT * FROM wages) SELECT * FROM wages, sales"
    assert outcome("sql_statement", params, output={"sql": honest}) == "pass"
    assert outcome("sql_statement", params, output={"sql": hiding}) == "fail"
