"""latency/1: the whole answer arrived within `limit_ms`.

Latency is measured by the platform around the call, without name resolution, from the first byte
of the request to the last of the answer. Exactly at the limit passes. A call that the agent let
time out, refused or broke off fails. A promise of 95 % is a limit at the 95th percentile. With
`clock: guard` the time that the caller's own guard measured around a production call counts too;
without it only what the platform measured itself does.
"""

from pacts.checks.check import Answer, Call, Check, Fixture, Params, error, failed, passed
from reputation.canonical import JsonValue

LONGEST_MS = 600_000
PARAMS: dict[str, JsonValue] = {
    "type": "object",
    "properties": {
        "limit_ms": {"type": "integer", "minimum": 1, "maximum": LONGEST_MS},
        "clock": {"enum": ["platform", "guard"]},
    },
    "required": ["limit_ms"],
    "additionalProperties": False,
}


def decide(params: Params, call: Call) -> Answer:
    """The measured latency is at most the limit."""
    if call.latency_ms is None:
        return error("the call was not timed", "platform")
    limit = params["limit_ms"]
    assert isinstance(limit, int)
    took = f"{call.latency_ms:.1f} ms, limit {limit} ms"
    return passed(took) if call.latency_ms <= limit else failed(took)


def _vacuity(params: Params) -> str | None:
    if params["limit_ms"] == LONGEST_MS:
        return "no call takes ten minutes, so every answer is in time"
    return None


_LIMIT: JsonValue = 200
GOOD = (
    Fixture(params={"limit_ms": _LIMIT}, call=Call(output={}, latency_ms=12.5)),
    Fixture(params={"limit_ms": _LIMIT}, call=Call(output={}, latency_ms=200)),
)
BAD = (
    Fixture(params={"limit_ms": _LIMIT}, call=Call(output={}, latency_ms=200.1)),
    Fixture(params={"limit_ms": _LIMIT}, call=Call(fault="agent", error="timeout")),
)

CHECK = Check(
    kind="latency",
    version=1,
    title="Answers in time",
    params_schema=PARAMS,
    decide=decide,
    vacuity=_vacuity,
    good=GOOD,
    bad=BAD,
    vacuous=({"limit_ms": LONGEST_MS},),
    neighbours={
        "availability": "wants an answer, and a time only where one is agreed",
        "cost": "bounds what a call costs",
    },
    also_called=("response_time", "speed", "duration"),
)
