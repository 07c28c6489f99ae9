"""final_state/1: the environment ends in the state the task asks for.

The state the agent reports at the end of the call (`final_state` of pacts.answers; the part at
`field` of it, if given) means the same as the state at `expected_field` of the task's expected
answer (the whole of it without), under the rules of json_equality. With `match: subset` only what
the task names is looked at. A call that reports no state fails. Tasks out of scope count like any
other: an agent that declines must leave the expected state. A task without an expected state is
the buyer's error. Source of the idea: the database check of τ-bench (Yao et al. 2024).
"""

from pacts.answers import Facts
from pacts.checks.check import Answer, Call, Check, Fixture, Params, error, failed, passed
from pacts.checks.fields import FIELD, Absent, at
from pacts.checks.json_equality import COMPARING, comparison, vacuity
from reputation.canonical import JsonValue

REPORTED = "the agent itself reports this; nobody else has seen it"

PARAMS: dict[str, JsonValue] = {
    "type": "object",
    "properties": {"field": FIELD, "expected_field": FIELD, **COMPARING},
    "additionalProperties": False,
}


def decide(params: Params, call: Call) -> Answer:
    """The reported end state is the expected one."""
    path = params.get("expected_field")
    expected = call.expected if path is None else at(call.expected, path)
    if isinstance(expected, Absent) or expected is None:
        return error("the task has no expected end state", "buyer")
    if params.get("match") == "subset" and expected in ({}, []):
        return error("the task's expected end state is empty, which any state includes", "buyer")
    if call.facts.final_state is None:
        return failed(unreported(call, "final_state"))
    state: JsonValue = dict(call.facts.final_state)
    found = state if params.get("field") is None else at(state, params["field"])
    if isinstance(found, Absent):
        return failed("the reported state has nothing there")
    wrong = comparison(params).difference(found, expected)
    return passed("the expected end state") if wrong is None else failed(wrong)


def unreported(call: Call, member: str) -> str:
    """Why a member of the report cannot be judged: it is missing or cannot be read."""
    problem = next((p for p in call.facts.problems if p.startswith(f"{member}:")), None)
    return f"the report cannot be read: {problem}" if problem else f"reports no {member}"


def self_reported(params: Params) -> str | None:
    return REPORTED


_PAID: JsonValue = {"orders": {"7": {"state": "refunded"}}}
_MORE: dict[str, JsonValue] = {"orders": {"7": {"state": "refunded", "by": "agent"}}, "log": []}
GOOD = (
    Fixture(
        params={"match": "subset"},
        call=Call(expected=_PAID, output={}, facts=Facts(final_state=_MORE)),
    ),
)
BAD = (
    Fixture(params={}, call=Call(expected=_PAID, output={}, facts=Facts(final_state=_MORE))),
    Fixture(params={}, call=Call(expected=_PAID, output={})),
    Fixture(
        params={"match": "subset"},
        call=Call(expected=_PAID, output={}, facts=Facts(final_state={"orders": {}})),
    ),
)

CHECK = Check(
    kind="final_state",
    version=1,
    title="Leaves the expected state behind",
    params_schema=PARAMS,
    decide=decide,
    vacuity=vacuity,
    weakness=self_reported,
    good=GOOD,
    bad=BAD,
    vacuous=({"ignore": ["**"]}, {"relative": 5}),
    also_called=(
        "end_state",
        "database_state",
    ),
    neighbours={
        "json_equality": "compares the answer, not the state behind it",
        "trajectory": "looks at the way there, not at where it ends",
    },
)
