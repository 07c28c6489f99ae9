"""trajectory/1: the way to the answer: which tools in which order, no loops, few enough steps.

The reported tool calls (pacts.answers) are compared by name with `steps`, or with the list of names
at `steps_field` of the task's expected answer, as `order` says: `exact` the same calls in the same
order; `in_order` (the default) the steps in their order, with others between; `any_order` the same
calls, each as often, in whatever order; `includes` the steps, and others; `only` no call that is
not a step. `most_steps` bounds the number of calls. `most_repeats` bounds how often one call with
equal arguments may occur: beyond it the agent goes in circles. A call that reports no tool calls
fails; declining is not applicable. The orders are the trajectory match modes of agentevals.
"""

import json
from collections import Counter
from collections.abc import Callable, Sequence

from pacts.answers import Facts, ToolCall
from pacts.checks.check import Answer, Call, Check, Fixture, Params, error, failed, passed, quote
from pacts.checks.fields import FIELD, at, declined
from pacts.checks.final_state import self_reported, unreported
from pacts.checks.tool_calls import NAME
from reputation.canonical import JsonValue

PARAMS: dict[str, JsonValue] = {
    "type": "object",
    "properties": {
        "steps": {"type": "array", "items": NAME, "minItems": 1, "maxItems": 200},
        "steps_field": FIELD,
        "order": {"enum": ["exact", "in_order", "any_order", "includes", "only"]},
        "most_steps": {"type": "integer", "minimum": 0, "maximum": 1000},
        "most_repeats": {"type": "integer", "minimum": 1, "maximum": 1000},
    },
    "not": {"required": ["steps", "steps_field"]},
    "additionalProperties": False,
}
MOST_CALLS = 1000


def decide(params: Params, call: Call) -> Answer:
    """The calls come in the agreed order, do not repeat and are few enough."""
    calls = call.facts.tool_calls
    steps = _steps(params, call)
    if isinstance(steps, str):
        return error(steps, "buyer")
    if calls is None:
        return failed(unreported(call, "tool_calls"))
    names = [one.name for one in calls]
    problem = (
        _too_many(params, names)
        or _circling(params, calls)
        or (None if steps is None else _ORDERS[str(params.get("order", "in_order"))](names, steps))
    )
    return failed(problem) if problem else passed(f"{len(calls)} steps, as agreed")


def _steps(params: Params, call: Call) -> list[str] | str | None:
    """The agreed steps, None where order does not matter, or what is wrong with the task."""
    if "steps_field" not in params:
        named = params.get("steps")
        return [str(name) for name in named] if isinstance(named, list) else None
    found = at(call.expected, params["steps_field"])
    if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
        return "the task has no list of expected steps"
    if len(found) > MOST_CALLS:
        return f"the task expects more than {MOST_CALLS} steps"
    return [str(name) for name in found]


def _too_many(params: Params, names: Sequence[str]) -> str | None:
    most = params.get("most_steps")
    if isinstance(most, int) and len(names) > most:
        return f"{len(names)} steps, at most {most} allowed"
    return None


def _circling(params: Params, calls: Sequence[ToolCall]) -> str | None:
    most = params.get("most_repeats")
    if not isinstance(most, int):
        return None
    seen = Counter(
        (one.name, json.dumps(one.arguments, sort_keys=True, default=str)) for one in calls
    )
    worst = max(seen.items(), key=lambda item: item[1], default=None)
    if worst is None or worst[1] <= most:
        return None
    return f"{quote(worst[0][0])} was called {worst[1]} times with the same arguments"


def _exact(names: Sequence[str], steps: Sequence[str]) -> str | None:
    return None if list(names) == list(steps) else f"{quote(list(names))} instead of the steps"


def _in_order(names: Sequence[str], steps: Sequence[str]) -> str | None:
    rest = iter(names)
    missing = next((step for step in steps if step not in rest), None)
    return None if missing is None else f"{quote(missing)} does not follow in its order"


def _any_order(names: Sequence[str], steps: Sequence[str]) -> str | None:
    return _includes(names, steps) or _only(names, steps)


def _includes(names: Sequence[str], steps: Sequence[str]) -> str | None:
    missing = Counter(steps) - Counter(names)
    return f"{quote(min(missing))} is missing" if missing else None


def _only(names: Sequence[str], steps: Sequence[str]) -> str | None:
    extra = Counter(names) - Counter(steps)
    return f"{quote(min(extra))} is no agreed step, or one too many" if extra else None


_ORDERS: dict[str, Callable[[Sequence[str], Sequence[str]], str | None]] = {
    "exact": _exact,
    "in_order": _in_order,
    "any_order": _any_order,
    "includes": _includes,
    "only": _only,
}


def _excuse(params: Params, call: Call) -> str | None:
    return "the agent declined" if declined(call) else None


def _vacuity(params: Params) -> str | None:
    if "steps" in params or "steps_field" in params:
        if params.get("order") == "only" and "most_repeats" not in params:
            return "with `only` an agent that calls nothing at all keeps this; ask for steps too"
        return None
    if params.get("most_steps", MOST_CALLS) == MOST_CALLS and "most_repeats" not in params:
        return "any way to the answer is allowed; name steps, `most_steps` or `most_repeats`"
    return None


def _called(*names: str) -> Facts:
    return Facts(tool_calls=tuple(ToolCall(name=name, arguments={"id": 1}) for name in names))


_WAY: dict[str, JsonValue] = {"steps": ["find", "refund"], "most_steps": 4, "most_repeats": 2}
GOOD = (
    Fixture(params=_WAY, call=Call(output={}, facts=_called("find", "find", "refund"))),
    Fixture(
        params={"steps_field": "way", "order": "any_order"},
        call=Call(expected={"way": ["a", "b"]}, output={}, facts=_called("b", "a")),
    ),
)
BAD = (
    Fixture(params=_WAY, call=Call(output={}, facts=_called("refund", "find"))),
    Fixture(params=_WAY, call=Call(output={}, facts=_called("find", "find", "find", "refund"))),
    Fixture(params=_WAY, call=Call(output={}, facts=_called("a", "find", "b", "c", "refund"))),
    Fixture(
        params={**_WAY, "order": "exact"},
        call=Call(output={}, facts=_called("find", "x", "refund")),
    ),
    Fixture(params=_WAY, call=Call(output={})),
)

CHECK = Check(
    kind="trajectory",
    version=1,
    title="Takes the agreed way",
    params_schema=PARAMS,
    decide=decide,
    excuse=_excuse,
    vacuity=_vacuity,
    weakness=self_reported,
    good=GOOD,
    bad=BAD,
    vacuous=({}, {"most_steps": 1000}, {"steps": ["a"], "order": "only"}),
    also_called=(
        "tool_trajectory",
        "steps",
        "step_budget",
    ),
    neighbours={
        "tool_calls": "judges which tools are called and with which arguments",
        "final_state": "judges where the way ends",
    },
)
