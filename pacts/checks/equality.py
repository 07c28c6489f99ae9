"""equality/1: the answer's field equals the buyer's expected value.

Not applicable to tasks out of scope. An agent that declines fails, passes or is skipped as
`abstention` says. Otherwise the value at `field` must be there and equal the value at
`expected_field` of the expected answer (by default the same path); text is compared after the
steps of `normalise` (case, white space, Unicode forms, punctuation, articles), in their order;
numbers by value; true and false are not numbers. A task without an expected value is the buyer's
error.
"""

from pacts.checks.check import (
    Answer,
    Call,
    Check,
    Fixture,
    Params,
    error,
    failed,
    passed,
    quote,
    skipped,
)
from pacts.checks.fields import FIELD, NORMALISE, Absent, at, declined, normalised, same
from reputation.canonical import JsonValue

PARAMS: dict[str, JsonValue] = {
    "type": "object",
    "properties": {
        "field": FIELD,
        "expected_field": FIELD,
        "normalise": NORMALISE,
        "abstention": {"enum": ["fail", "pass", "skip"]},
    },
    "required": ["field"],
    "additionalProperties": False,
}


def out_of_scope(params: Params, call: Call) -> str | None:
    return "the task is out of scope" if call.in_scope is False else None


def decide(params: Params, call: Call) -> Answer:
    """The field equals the expected value; see the module for the exact meaning."""
    field = params["field"]
    expected = at(call.expected, params.get("expected_field", field))
    if isinstance(expected, Absent):
        return error("the task has no expected answer to compare with", "buyer")
    if declined(call, field):
        return _abstained(params)
    found = at(call.output, field)
    if isinstance(found, Absent):
        return failed(f"the answer has no {quote(field)}")
    steps = params.get("normalise")
    if same(normalised(found, steps), normalised(expected, steps)):
        return passed(f"{quote(found)} as expected")
    return failed(f"{quote(found)}, expected {quote(expected)}")


def lenient(params: Params) -> str | None:
    if params.get("abstention", "fail") == "pass":
        return "an agent that always declines keeps this clause; count abstentions as fail or skip"
    return None


def _abstained(params: Params) -> Answer:
    match params.get("abstention", "fail"):
        case "pass":
            return passed("the agent declined")
        case "skip":
            return skipped("the agent declined")
    return failed("the agent declined")


_ONE: dict[str, JsonValue] = {"field": "language", "normalise": ["strip", "casefold"]}
_EXPECTED: JsonValue = {"language": "de"}
GOOD = (
    Fixture(params=_ONE, call=Call(expected=_EXPECTED, output={"language": " DE"})),
    Fixture(
        params={"field": "a.b", "expected_field": "n"},
        call=Call(expected={"n": 1}, output={"a": {"b": 1.0}}),
    ),
)
BAD = (
    Fixture(params=_ONE, call=Call(expected=_EXPECTED, output={"language": "nl"})),
    Fixture(params=_ONE, call=Call(expected=_EXPECTED, output={})),
    Fixture(params=_ONE, call=Call(expected=_EXPECTED, output={"language": None})),
    Fixture(params={"field": "n"}, call=Call(expected={"n": 1}, output={"n": True})),
)

CHECK = Check(
    kind="equality",
    version=1,
    title="Equals the expected answer",
    params_schema=PARAMS,
    decide=decide,
    excuse=out_of_scope,
    weakness=lenient,
    good=GOOD,
    bad=BAD,
    neighbours={
        "json_equality": "compares whole answers, with tolerances",
        "number": "compares quantities within a tolerance",
        "similarity": "lets texts differ a little",
        "consistency": "wants the same task right every time",
    },
    also_called=("exact_match", "exact", "equals", "accuracy"),
)
