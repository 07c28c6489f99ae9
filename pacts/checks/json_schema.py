"""json_schema/1: the whole answer conforms to a JSON Schema (2020-12, the part in pacts.schemas).

Declined tasks are not applicable: scope and equality judge refusals. Formats are enforced. A
number that is not finite never conforms, nor does an answer of more than 50,000 values.
"""

from pacts.checks.check import Answer, Call, Check, Fixture, Params, failed, passed
from pacts.checks.fields import declined
from pacts.checks.preparing import prepared_once
from pacts.schemas import Schema, SchemaRefused, schema
from reputation.canonical import JsonValue

PARAMS: dict[str, JsonValue] = {
    "type": "object",
    "properties": {"schema": {"type": ["object", "boolean"]}},
    "required": ["schema"],
    "additionalProperties": False,
}


def decide(params: Params, call: Call) -> Answer:
    """The answer conforms to the schema."""
    problem = _compiled(params).problem(call.output)
    return passed("conforms to the schema") if problem is None else failed(problem)


@prepared_once
def _compiled(params: Params) -> Schema:
    return schema(params["schema"])


def _excuse(params: Params, call: Call) -> str | None:
    return "the agent declined" if declined(call) else None


def _refusal(params: Params) -> str | None:
    if isinstance(params["schema"], bool):
        return None  # `true` and `false` are the linter's business
    try:
        schema(params["schema"])
    except SchemaRefused as error:
        return str(error)
    return None


def _vacuity(params: Params) -> str | None:
    if params["schema"] is True:
        return "the schema `true` accepts every answer"
    if params["schema"] is False:
        return "the schema `false` accepts no answer at all"
    if schema(params["schema"]).problem({}) is None:
        return "the schema accepts an empty answer; require at least one property"
    return None


_LABEL: JsonValue = {
    "type": "object",
    "properties": {"label": {"enum": ["yes", "no"]}, "score": {"type": "number", "minimum": 0}},
    "required": ["label"],
    "additionalProperties": False,
}
GOOD = (Fixture(params={"schema": _LABEL}, call=Call(output={"label": "yes", "score": 0.5})),)
BAD = (
    Fixture(params={"schema": _LABEL}, call=Call(output={"label": "maybe"})),
    Fixture(params={"schema": _LABEL}, call=Call(output={"label": "yes", "score": float("nan")})),
    Fixture(params={"schema": _LABEL}, call=Call(output=None)),
)

CHECK = Check(
    kind="json_schema",
    version=1,
    title="Conforms to a JSON Schema",
    params_schema=PARAMS,
    decide=decide,
    excuse=_excuse,
    refusal=_refusal,
    vacuity=_vacuity,
    good=GOOD,
    bad=BAD,
    vacuous=({"schema": True}, {"schema": False}, {"schema": {}}, {"schema": {"type": "object"}}),
    neighbours={
        "json_equality": "compares the values with expected ones",
        "regex": "wants a form of one text",
    },
    also_called=("schema", "is_json", "valid_json"),
)
