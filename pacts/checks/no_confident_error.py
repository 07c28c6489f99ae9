"""no_confident_error/1: the agent is not wrong while claiming to be sure.

Correctness is decided as by equality/1. A wrong answer fails when its `confidence_field` is at
least `confident_bps` (of 10000); a wrong answer with less confidence, a right answer and a refusal
pass. A confidence that is missing, not a number or outside [0, 1] counts as certainty. Where the
agent gave no answer at all it claimed nothing: not applicable.
"""

from pacts.checks import equality
from pacts.checks.check import Answer, Call, Check, Fixture, Params, failed, passed
from pacts.checks.fields import FIELD, NORMALISE, at, declined
from reputation.canonical import JsonValue

PARAMS: dict[str, JsonValue] = {
    "type": "object",
    "properties": {
        "field": FIELD,
        "expected_field": FIELD,
        "normalise": NORMALISE,
        "confidence_field": FIELD,
        "confident_bps": {"type": "integer", "minimum": 1, "maximum": 10_000},
    },
    "required": ["field", "confidence_field", "confident_bps"],
    "additionalProperties": False,
}


def decide(params: Params, call: Call) -> Answer:
    """Right, declined, or wrong with less confidence than the threshold."""
    answer = equality.decide(params, call)
    if answer.outcome != "fail":
        return answer
    if declined(call, params["field"]):
        return passed("the agent declined")
    confidence = _confidence(at(call.output, params["confidence_field"]))
    threshold = params["confident_bps"]
    assert isinstance(threshold, int)
    if confidence * 10_000 >= threshold:
        return failed(f"wrong with confidence {confidence:.2f}: {answer.reason}")
    return passed(f"wrong, but said so: confidence {confidence:.2f}")


def _confidence(claimed: object) -> float:
    if isinstance(claimed, bool) or not isinstance(claimed, int | float) or not 0 <= claimed <= 1:
        return 1.0
    return float(claimed)


_SURE: dict[str, JsonValue] = {
    "field": "label",
    "confidence_field": "confidence",
    "confident_bps": 8000,
}
_EXPECTED: JsonValue = {"label": "a"}
GOOD = (
    Fixture(params=_SURE, call=Call(expected=_EXPECTED, output={"label": "a", "confidence": 1})),
    Fixture(params=_SURE, call=Call(expected=_EXPECTED, output={"label": "b", "confidence": 0.3})),
    Fixture(params=_SURE, call=Call(expected=_EXPECTED, output={"declined": True})),
)
BAD = (
    Fixture(params=_SURE, call=Call(expected=_EXPECTED, output={"label": "b", "confidence": 0.8})),
    Fixture(params=_SURE, call=Call(expected=_EXPECTED, output={"label": "b"})),
    Fixture(
        params=_SURE, call=Call(expected=_EXPECTED, output={"label": "b", "confidence": "low"})
    ),
)

CHECK = Check(
    kind="no_confident_error",
    version=1,
    title="Never wrong and sure at once",
    params_schema=PARAMS,
    decide=decide,
    excuse=equality.out_of_scope,
    unanswered="not_applicable",
    good=GOOD,
    bad=BAD,
    neighbours={"equality": "wants the right answer, however sure the agent is"},
    also_called=("calibration", "confident_errors"),
)
