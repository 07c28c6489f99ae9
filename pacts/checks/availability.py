"""availability/1: the agent is there and gives a usable answer.

A call with an answer that could be read passes, whatever the answer says; a refusal is an answer. A
call that failed through the agent fails: no connection, no whole answer before the deadline, a
status other than success, a body nobody can read. What failed through the platform or the buyer is
an error, charged to nobody. With `within_ms` an answer that took longer counts as no answer, by the
platform's clock, or with `clock: guard` by the caller's own guard as well.
"""

from pacts.checks.check import Answer, Call, Check, Fixture, Params, error, failed, passed
from reputation.canonical import JsonValue

PARAMS: dict[str, JsonValue] = {
    "type": "object",
    "properties": {
        "within_ms": {"type": "integer", "minimum": 1, "maximum": 600_000},
        "clock": {"enum": ["platform", "guard"]},
    },
    "additionalProperties": False,
}


def decide(params: Params, call: Call) -> Answer:
    """There is an answer, in time where a time is agreed."""
    if call.output is None:
        return failed("no answer")
    limit = params.get("within_ms")
    if not isinstance(limit, int):
        return passed("answered")
    if call.latency_ms is None:
        return error("the call was not timed", "platform")
    took = f"answered in {call.latency_ms:.1f} ms, limit {limit} ms"
    return passed(took) if call.latency_ms <= limit else failed(took)


GOOD = (
    Fixture(params={}, call=Call(output={"declined": True})),
    Fixture(params={"within_ms": 100}, call=Call(output={}, latency_ms=100.0)),
)
BAD = (
    Fixture(params={}, call=Call(fault="agent", error="no connection")),
    Fixture(params={}, call=Call(output=None)),
    Fixture(params={"within_ms": 100}, call=Call(output={}, latency_ms=100.5)),
)

CHECK = Check(
    kind="availability",
    version=1,
    title="Is there and answers",
    params_schema=PARAMS,
    decide=decide,
    good=GOOD,
    bad=BAD,
    also_called=(
        "uptime",
        "available",
    ),
    neighbours={"latency": "judges the time of every call, this one whether there was an answer"},
)
