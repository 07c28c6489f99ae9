"""sql_result/1: the answer's query gives the rows the task expects.

The query at `field` (SQLite's SQL; a Markdown fence around it is not part of it) must only read and
ask neither for the time nor for chance, and is run on a database made from the task's own fixture
at `fixture_field` of its expected answer, or with `fixture_in: input` of its input, within the
limits of pacts.checks.sql_box. Its rows must be those at `rows_field` of the expected answer (lists
of values, or objects whose values count in their order), or those the query at `query_field` gives.
Rows compare as a bag, with `ordered` in their order; names of columns do not count. Numbers are the
same within `relative` (default 1e-9) or 1e-12, whichever is wider. Not applicable out of scope;
declining fails. A task whose fixture, rows or query cannot be used is the buyer's error.
"""

import json
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from pacts.checks.check import Answer, Call, Check, Fixture, Params, error, failed, passed, quote
from pacts.checks.equality import out_of_scope
from pacts.checks.fields import FIELD, Absent, at, declined
from pacts.checks.json_comparison import close
from pacts.checks.json_equality import TOLERANCE
from pacts.checks.sql_box import MOST_ROWS, Cell, FixtureRefused, QueryFailed, Row, image, run
from pacts.checks.sql_reading import SqlRefused, read_sql, why_it_varies, why_it_writes
from pacts.checks.sql_statement import statement_at
from reputation.canonical import JsonValue

LEAST_DIFFERENCE = 1e-12

PARAMS: dict[str, JsonValue] = {
    "type": "object",
    "properties": {
        "field": FIELD,
        "fixture_field": FIELD,
        "fixture_in": {"enum": ["expected", "input"]},
        "rows_field": FIELD,
        "query_field": FIELD,
        "ordered": {"type": "boolean"},
        "relative": TOLERANCE,
    },
    "required": ["field", "fixture_field"],
    "oneOf": [{"required": ["rows_field"]}, {"required": ["query_field"]}],
    "additionalProperties": False,
}


def decide(params: Params, call: Call) -> Answer:
    """The query's rows are the expected ones."""
    try:
        database, expected = _task(params, call)
    except (FixtureRefused, QueryFailed, SqlRefused) as problem:
        return error(f"the task: {problem}", "buyer")
    if declined(call, params["field"]):
        return failed("the agent declined")
    query = statement_at(call.output, params["field"])
    if query is None:
        return failed(f"the answer has no text at {quote(params['field'])}")
    try:
        found = _rows(query, database)
    except (SqlRefused, QueryFailed) as problem:
        return failed(str(problem))
    wrong = _difference(params, found, expected)
    return failed(wrong) if wrong else passed(f"{len(found)} rows, as expected")


def _task(params: Params, call: Call) -> tuple[bytes, Sequence[Row]]:
    """The database and the expected rows. Raises what is wrong with them."""
    source = call.input if params.get("fixture_in") == "input" else call.expected
    fixture = at(source, params["fixture_field"])
    if isinstance(fixture, Absent) or fixture is None:
        raise FixtureRefused("it has no fixture to make a database of")
    database = image(json.dumps(fixture))
    if "query_field" in params:
        query = at(call.expected, params["query_field"])
        if not isinstance(query, str):
            raise QueryFailed("it has no query to compare with")
        return database, _reference(query, database)
    return database, _listed(at(call.expected, params["rows_field"]))


def _listed(rows: "JsonValue | Absent") -> list[Row]:
    if not isinstance(rows, list) or len(rows) > MOST_ROWS:
        raise QueryFailed(f"it has no list of at most {MOST_ROWS} expected rows")
    return [_cells(row) for row in rows]


def _cells(row: JsonValue) -> Row:
    cells = list(row.values()) if isinstance(row, dict) else row
    if not isinstance(cells, list) or any(isinstance(cell, list | dict) for cell in cells):
        raise QueryFailed("an expected row is no list of plain values")
    return tuple(cell for cell in cells if not isinstance(cell, list | dict))


@lru_cache(maxsize=64)
def _reference(query: str, database: bytes) -> tuple[Row, ...]:
    return _rows(query, database)


def _rows(query: str, database: bytes) -> tuple[Row, ...]:
    tree = read_sql(query, "sqlite")
    problem = why_it_writes(tree) or why_it_varies(tree)
    if problem:
        raise SqlRefused(problem)
    return run(query, database)


def _difference(params: Params, found: Sequence[Row], expected: Sequence[Row]) -> str | None:
    if len(found) != len(expected):
        return f"{len(found)} rows, expected {len(expected)}"
    if params.get("ordered"):
        pairs = list(zip(found, expected, strict=True))
    elif Counter(found) == Counter(expected):
        return None
    else:
        pairs = list(zip(sorted(found, key=_order), sorted(expected, key=_order), strict=True))
    relative = params.get("relative", 1e-9)
    assert isinstance(relative, int | float)
    for one, wanted in pairs:
        if not _same(one, wanted, relative):
            return f"the row {_shown(one)}, expected {_shown(wanted)}"
    return None


def _same(found: Row, expected: Row, relative: float) -> bool:
    return len(found) == len(expected) and all(
        _same_cell(a, b, relative) for a, b in zip(found, expected, strict=True)
    )


def _same_cell(a: Cell, b: Cell, relative: float) -> bool:
    if isinstance(a, int | float) and isinstance(b, int | float):
        return a == b or close(a, b, relative, LEAST_DIFFERENCE)
    return a == b


def _order(row: Row) -> list[tuple[int, float, str]]:
    """An order in which rows that are nearly the same stand at the same place."""
    return [
        (0, float(f"{cell:.9g}"), "")
        if isinstance(cell, int | float)
        else (1, 0.0, "" if cell is None else str(cell))
        for cell in row
    ]


def _shown(row: Row) -> str:
    return quote([cell.hex() if isinstance(cell, bytes) else cell for cell in row])


def _vacuity(params: Params) -> str | None:
    relative = params.get("relative", 0)
    if isinstance(relative, int | float) and relative >= 1:
        return "a relative tolerance of 1 or more lets any number pass for any other of its sign"
    return None


_SALES: JsonValue = {
    "tables": {
        "sales": {
            "columns": {"city": "TEXT", "paid": "REAL"},
            "rows": [["Bonn", 0.1], ["Bonn", 0.2], ["Ulm", 5]],
        }
    }
}
_TASK: JsonValue = {
    "db": _SALES,
    "rows": [["Ulm", 5], ["Bonn", 0.3]],
    "query": "SELECT city, sum(paid) FROM sales GROUP BY city ORDER BY 2",
}
_ROWS: dict[str, JsonValue] = {"field": "sql", "fixture_field": "db", "rows_field": "rows"}
_IN_ORDER: dict[str, JsonValue] = {
    "field": "sql",
    "fixture_field": "db",
    "query_field": "query",
    "ordered": True,
}
_TOTALS = "SELECT city AS c, total(paid) FROM sales GROUP BY 1 ORDER BY 2"


def _says(sql: str) -> Call:
    return Call(expected=_TASK, output={"sql": sql})


GOOD = (
    Fixture(params=_ROWS, call=_says(_TOTALS)),
    Fixture(params=_IN_ORDER, call=_says(f"```sql\n{_TOTALS};\n```")),
)
BAD = (
    Fixture(params=_ROWS, call=_says("SELECT city, max(paid) FROM sales GROUP BY city")),
    Fixture(params=_IN_ORDER, call=_says(f"{_TOTALS} DESC")),
    Fixture(params=_ROWS, call=_says("DELETE FROM sales RETURNING city, paid")),
    Fixture(params=_ROWS, call=_says("SELECT * FROM sales a, sales b, sales c, sales d, sales e")),
    Fixture(params=_ROWS, call=_says("SELECT 'Ulm', 5 UNION SELECT 'Bonn', random()")),
    Fixture(params=_ROWS, call=_says("SELECT")),
    Fixture(params=_ROWS, call=Call(expected=_TASK, output={"rows": [["Ulm", 5]]})),
)

CHECK = Check(
    kind="sql_result",
    version=1,
    title="The query gives the expected rows",
    params_schema=PARAMS,
    decide=decide,
    excuse=out_of_scope,
    vacuity=_vacuity,
    good=GOOD,
    bad=BAD,
    vacuous=({**_ROWS, "relative": 1},),
    also_called=(
        "execution_accuracy",
        "sql_execution",
    ),
    neighbours={
        "sql_statement": "reads the statement without running it",
        "json_equality": "compares rows the agent writes down itself",
    },
)
