"""json_equality/1: the answer, or the part of it at `field`, means the same as the expected JSON.

Objects compare by key, lists by position, or by pairing their items off where a path of
`unordered` names them; numbers within `absolute` or `relative` (of the larger one), whichever is
wider; text after the steps of `normalise`; whatever a path of `ignore` names does not count on
either side. With `match: subset` the answer may hold more keys than expected. Paths and the exact
rules: pacts.checks.json_comparison. Not applicable out of scope; declining fails; a task without
an expected value is the buyer's error.
"""

from pacts.checks.check import Answer, Call, Check, Fixture, Params, error, failed, passed
from pacts.checks.equality import out_of_scope
from pacts.checks.fields import FIELD, NORMALISE, Absent, at, declined
from pacts.checks.json_comparison import Comparison, paths_of
from pacts.checks.preparing import prepared_once
from reputation.canonical import JsonValue

TOLERANCE: dict[str, JsonValue] = {"type": "number", "minimum": 0, "maximum": 1e15}
PATHS: dict[str, JsonValue] = {
    "type": "array",
    "items": {"type": "string", "minLength": 1, "maxLength": 200},
    "maxItems": 50,
    "uniqueItems": True,
}
COMPARING: dict[str, JsonValue] = {
    "relative": TOLERANCE,
    "absolute": TOLERANCE,
    "ignore": PATHS,
    "unordered": PATHS,
    "normalise": NORMALISE,
    "match": {"enum": ["equal", "subset"]},
}
PARAMS: dict[str, JsonValue] = {
    "type": "object",
    "properties": {"field": FIELD, "expected_field": FIELD, **COMPARING},
    "additionalProperties": False,
}


@prepared_once
def comparison(params: Params) -> Comparison:
    """The comparison a clause asks for."""
    return Comparison(
        relative=_number(params.get("relative", 0)),
        absolute=_number(params.get("absolute", 0)),
        ignore=paths_of(params.get("ignore")),
        unordered=paths_of(params.get("unordered")),
        normalise=params.get("normalise"),
        subset=params.get("match") == "subset",
    )


def decide(params: Params, call: Call) -> Answer:
    """The two values are the same under the agreed tolerances."""
    field = params.get("field")
    path = params.get("expected_field", field)
    expected = call.expected if path is None else at(call.expected, path)
    if isinstance(expected, Absent) or expected is None:
        return error("the task has no expected answer to compare with", "buyer")
    if params.get("match") == "subset" and expected in ({}, []):
        return error("the task's expected answer is empty, which any answer includes", "buyer")
    if declined(call, field):
        return failed("the agent declined")
    found = call.output if field is None else at(call.output, field)
    if isinstance(found, Absent):
        return failed("the answer has nothing there")
    wrong = comparison(params).difference(found, expected)
    return passed("as expected") if wrong is None else failed(wrong)


def vacuity(params: Params) -> str | None:
    """How any answer could keep a comparison with these parameters."""
    if {("**",), ("*",)} & set(paths_of(params.get("ignore"))):
        return "every path is ignored, so nothing is compared"
    if _number(params.get("relative", 0)) >= 1:
        return "a relative tolerance of 1 or more lets any number pass for any other of its sign"
    if _number(params.get("absolute", 0)) >= 1e9:
        return "with such an absolute tolerance hardly any number is wrong"
    return None


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


_CLOSE: dict[str, JsonValue] = {
    "relative": 0.01,
    "unordered": ["lines"],
    "ignore": ["id", "lines.*.note"],
}
_BILL: JsonValue = {"id": 7, "total": 100, "lines": [{"n": 1, "note": "x"}, {"n": 2}]}
_SAME: JsonValue = {"id": 8, "total": 100.5, "lines": [{"n": 2}, {"n": 1}]}
_OTHER: JsonValue = {"id": 7, "total": 103, "lines": [{"n": 1}, {"n": 2}]}
GOOD = (
    Fixture(params=_CLOSE, call=Call(expected=_BILL, output=_SAME)),
    Fixture(
        params={"match": "subset"}, call=Call(expected={"a": [1]}, output={"a": [1.0], "b": 2})
    ),
)
BAD = (
    Fixture(params=_CLOSE, call=Call(expected=_BILL, output=_OTHER)),
    Fixture(params={}, call=Call(expected={"a": 1}, output={"a": True})),
    Fixture(params={}, call=Call(expected={"a": 1}, output={"a": 1, "b": 2})),
    Fixture(params={"absolute": 1}, call=Call(expected={"a": 1}, output={"a": float("nan")})),
    Fixture(params={}, call=Call(expected={"a": [1, 2]}, output={"a": [2, 1]})),
)

CHECK = Check(
    kind="json_equality",
    version=1,
    title="Means the same as the expected JSON",
    params_schema=PARAMS,
    decide=decide,
    excuse=out_of_scope,
    vacuity=vacuity,
    good=GOOD,
    bad=BAD,
    vacuous=({"ignore": ["**"]}, {"relative": 1}, {"absolute": 1e12}),
    also_called=(
        "json_equal",
        "json_match",
        "structured_match",
    ),
    neighbours={
        "equality": "compares one field to the letter",
        "json_schema": "asks for a shape, whatever the values",
        "number": "compares one quantity, with its unit",
    },
)
