"""tool_calls/1: only agreed tools are called, with arguments as agreed.

Every reported tool call (pacts.answers) must name a tool of `allow`, exactly as written, and its
arguments must conform to that entry's `arguments`, a JSON Schema (the part in pacts.schemas; an
entry without one takes any arguments). A tool may have several entries: one that fits is enough.
`most_calls` bounds their number and `required` names tools that must be called at least once. A
call that reports no tool calls at all fails; an empty report is not applicable unless something is
required, because keeping off tools proves nothing about using them (`when_none: pass` counts it).
"""

from dataclasses import dataclass

from pacts.answers import Facts, ToolCall
from pacts.checks.check import (
    Answer,
    Call,
    Check,
    Fixture,
    Params,
    failed,
    not_applicable,
    passed,
    quote,
)
from pacts.checks.final_state import self_reported, unreported
from pacts.checks.preparing import prepared_once
from pacts.schemas import Schema, SchemaRefused, schema
from reputation.canonical import JsonValue

NAME: dict[str, JsonValue] = {"type": "string", "minLength": 1, "maxLength": 200}
PARAMS: dict[str, JsonValue] = {
    "type": "object",
    "properties": {
        "allow": {
            "type": "array",
            "maxItems": 100,
            "items": {
                "type": "object",
                "properties": {"name": NAME, "arguments": {"type": ["object", "boolean"]}},
                "required": ["name"],
                "additionalProperties": False,
            },
        },
        "required": {"type": "array", "items": NAME, "maxItems": 50, "uniqueItems": True},
        "most_calls": {"type": "integer", "minimum": 0, "maximum": 1000},
        "when_none": {"enum": ["not_applicable", "pass"]},
    },
    "required": ["allow"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Allowed:
    """The list, compiled: for each tool the schemas one of which its arguments must fit."""

    schemas: dict[str, list[Schema | None]]
    required: frozenset[str]

    def problem(self, call: ToolCall) -> str | None:
        """Why a call is not allowed, or None."""
        fitting = self.schemas.get(call.name)
        if fitting is None:
            return f"{quote(call.name)} is not an agreed tool"
        problem = None
        for arguments in fitting:
            problem = arguments.problem(call.arguments) if arguments else None
            if problem is None:
                return None
        return f"{quote(call.name)}: {problem}"


@prepared_once
def _allowed(params: Params) -> Allowed:
    schemas: dict[str, list[Schema | None]] = {}
    for name, arguments in _entries(params):
        schemas.setdefault(name, []).append(None if arguments is None else schema(arguments))
    required = params.get("required", [])
    assert isinstance(required, list)
    return Allowed(schemas, frozenset(map(str, required)))


def decide(params: Params, call: Call) -> Answer:
    """Every call is on the list and its arguments fit; what is required was called."""
    calls = call.facts.tool_calls
    if calls is None:
        return failed(unreported(call, "tool_calls"))
    allowed = _allowed(params)
    if not calls and not allowed.required and params.get("when_none") != "pass":
        return not_applicable("no tool was called")
    most = params.get("most_calls", len(calls))
    if isinstance(most, int) and len(calls) > most:
        return failed(f"{len(calls)} tool calls, at most {most} allowed")
    for i, one in enumerate(calls):
        problem = allowed.problem(one)
        if problem:
            return failed(f"call {i + 1}: {problem}")
    missing = allowed.required - {one.name for one in calls}
    if missing:
        return failed(f"{quote(min(missing))} was not called")
    return passed(f"{len(calls)} tool calls, all agreed")


def _entries(params: Params) -> list[tuple[str, JsonValue]]:
    entries = params["allow"]
    assert isinstance(entries, list)
    return [
        (str(entry["name"]), entry.get("arguments")) for entry in entries if isinstance(entry, dict)
    ]


def _refusal(params: Params) -> str | None:
    named = set()
    for name, arguments in _entries(params):
        named.add(name)
        if isinstance(arguments, bool):
            return f"{quote(name)}: leave `arguments` out to take any, or write a schema"
        try:
            schema({} if arguments is None else arguments)
        except SchemaRefused as error:
            return f"{quote(name)}: {error}"
    required = params.get("required", [])
    assert isinstance(required, list)
    unlisted = [name for name in required if name not in named]
    return f"{quote(unlisted[0])} is required and not on the list" if unlisted else None


def _vacuity(params: Params) -> str | None:
    if not _entries(params):
        return "an empty list is kept by every agent without tools; name the tools that may be used"
    if params.get("most_calls") == 0 and not params.get("required"):
        return "no call is allowed at all, which every agent without tools keeps"
    return None


_REFUND: JsonValue = {
    "type": "object",
    "properties": {"amount": {"type": "integer", "minimum": 1, "maximum": 5000}},
    "required": ["amount"],
}
_LIST: dict[str, JsonValue] = {
    "allow": [{"name": "search"}, {"name": "refund", "arguments": _REFUND}],
    "most_calls": 2,
}
_SEARCH = ToolCall(name="search", arguments={"q": "x"})
GOOD = (
    Fixture(
        params=_LIST,
        call=Call(
            output={},
            facts=Facts(tool_calls=(_SEARCH, ToolCall(name="refund", arguments={"amount": 100}))),
        ),
    ),
)
BAD = (
    Fixture(
        params=_LIST,
        call=Call(
            output={}, facts=Facts(tool_calls=(ToolCall(name="refund", arguments={"amount": 9e9}),))
        ),
    ),
    Fixture(params=_LIST, call=Call(output={}, facts=Facts(tool_calls=(ToolCall(name="Search"),)))),
    Fixture(params=_LIST, call=Call(output={}, facts=Facts(tool_calls=(_SEARCH,) * 3))),
    Fixture(
        params={**_LIST, "required": ["refund"]}, call=Call(output={}, facts=Facts(tool_calls=()))
    ),
    Fixture(params=_LIST, call=Call(output={})),
)

CHECK = Check(
    kind="tool_calls",
    version=1,
    title="Calls only the agreed tools",
    params_schema=PARAMS,
    decide=decide,
    refusal=_refusal,
    vacuity=_vacuity,
    weakness=self_reported,
    good=GOOD,
    bad=BAD,
    vacuous=({"allow": []}, {"allow": [{"name": "x"}], "most_calls": 0}),
    also_called=(
        "tool_allowlist",
        "allowed_tools",
        "function_calling",
    ),
    neighbours={
        "trajectory": "looks at the order and number of calls, not at their arguments",
        "final_state": "looks at what the calls came to",
    },
)
