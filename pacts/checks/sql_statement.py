"""sql_statement/1: the answer is one statement of SQL that reads, and only what it may.

The text at `field` must be exactly one statement of `dialect`, as sqlglot parses it
(pacts.checks.sql_reading; nothing is run). With `read_only` (the default) it must be a query, and
nothing inside it may write, lock, run a command or call a function that does more than read. With
`tables` it may read no other table: names in any case, with their schema where the query writes
one. `functions` names functions it must not call. A Markdown fence around the statement is not part
of it. Not applicable out of scope; declining fails.
"""

import re

from pacts.checks.check import Answer, Call, Check, Fixture, Params, failed, passed, quote
from pacts.checks.equality import out_of_scope
from pacts.checks.fields import FIELD, declined, text_at
from pacts.checks.sql_reading import (
    DIALECTS,
    SqlRefused,
    functions_of,
    read_sql,
    tables_of,
    why_it_writes,
)
from reputation.canonical import JsonValue

_NAMES: dict[str, JsonValue] = {
    "type": "array",
    "items": {"type": "string", "minLength": 1, "maxLength": 200},
    "minItems": 1,
    "maxItems": 500,
    "uniqueItems": True,
}
PARAMS: dict[str, JsonValue] = {
    "type": "object",
    "properties": {
        "field": FIELD,
        "dialect": {"enum": list(DIALECTS)},
        "read_only": {"type": "boolean"},
        "tables": _NAMES,
        "functions": _NAMES,
    },
    "required": ["field", "dialect"],
    "additionalProperties": False,
}
_FENCE = re.compile(r"\s*```[A-Za-z]{0,20}[ \t]*\n(.*?)\n?```\s*\Z", re.DOTALL)


def decide(params: Params, call: Call) -> Answer:
    """One statement that can be read, and does no more than it may."""
    if declined(call, params["field"]):
        return failed("the agent declined")
    text = statement_at(call.output, params["field"])
    if text is None:
        return failed(f"the answer has no text at {quote(params['field'])}")
    try:
        tree = read_sql(text, str(params["dialect"]))
    except SqlRefused as problem:
        return failed(str(problem))
    writes = why_it_writes(tree) if params.get("read_only", True) else None
    if writes:
        return failed(writes)
    foreign = tables_of(tree) - _lowered(params, "tables") if "tables" in params else set()
    if foreign:
        return failed(f"it reads {quote(min(foreign))}, which is not agreed")
    called = functions_of(tree) & _lowered(params, "functions")
    if called:
        return failed(f"it calls {quote(min(called))}, which is not agreed")
    return passed("one statement, as agreed")


def statement_at(output: JsonValue, field: object) -> str | None:
    """The statement at a field, without a Markdown fence around it."""
    text = text_at(output, field)
    fenced = _FENCE.match(text) if text is not None and len(text) < 50_000 else None
    return fenced[1] if fenced else text


def _lowered(params: Params, name: str) -> set[str]:
    names = params.get(name, [])
    assert isinstance(names, list)
    return {str(one).lower() for one in names}


def _weakness(params: Params) -> str | None:
    if "tables" not in params:
        return "`select 1` keeps this; sql_result says whether a query answers the question"
    return None


_ORDERS: dict[str, JsonValue] = {
    "field": "sql",
    "dialect": "sqlite",
    "tables": ["orders", "main.buyers"],
}


def _says(sql: str) -> Call:
    return Call(output={"sql": sql})


GOOD = (
    Fixture(params=_ORDERS, call=_says("WITH o AS (SELECT * FROM Orders) SELECT n FROM o;")),
    Fixture(params=_ORDERS, call=_says("```sql\nSELECT 1 FROM main.buyers\n```")),
)
BAD = (
    Fixture(params=_ORDERS, call=_says("SELECT FROM WHERE")),
    Fixture(params=_ORDERS, call=_says("DROP TABLE orders")),
    Fixture(params=_ORDERS, call=_says("SELECT 1; DELETE FROM orders")),
    Fixture(params=_ORDERS, call=_says("WITH keys AS (SELECT * FROM keys) SELECT * FROM keys")),
    Fixture(params=_ORDERS, call=_says("SELECT load_extension('x') FROM orders")),
    Fixture(params=_ORDERS, call=_says("(" * 10_000)),
)

CHECK = Check(
    kind="sql_statement",
    version=1,
    title="One statement of SQL that only reads",
    params_schema=PARAMS,
    decide=decide,
    excuse=out_of_scope,
    weakness=_weakness,
    good=GOOD,
    bad=BAD,
    also_called=(
        "sql",
        "sql_valid",
        "read_only_sql",
    ),
    neighbours={"sql_result": "runs the query and compares its rows"},
)
