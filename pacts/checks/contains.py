"""contains/1: the answer's text contains the agreed texts.

The value at `field` must be text. With `texts` these are looked for; with `expected_field` the
text, or the list of texts, at that path of the buyer's expected answer. `mode` all (the default)
wants every one, any wants one. Both sides go through the steps of `normalise`. Declining fails;
tasks out of scope are not applicable; a task without the expected texts is the buyer's error.
"""

from pacts.checks.check import Answer, Call, Check, Fixture, Params, error, failed, passed, quote
from pacts.checks.equality import out_of_scope
from pacts.checks.fields import FIELD, NORMALISE, at, normalised, text_at
from reputation.canonical import JsonValue

PARAMS: dict[str, JsonValue] = {
    "type": "object",
    "properties": {
        "field": FIELD,
        "texts": {
            "type": "array",
            "items": {"type": "string", "pattern": "\\S", "maxLength": 500},
            "minItems": 1,
            "maxItems": 100,
        },
        "expected_field": FIELD,
        "mode": {"enum": ["all", "any"]},
        "normalise": NORMALISE,
    },
    "required": ["field"],
    "oneOf": [{"required": ["texts"]}, {"required": ["expected_field"]}],
    "additionalProperties": False,
}


def decide(params: Params, call: Call) -> Answer:
    """All (or any) of the texts occur in the field."""
    wanted = _wanted(params, call)
    if not wanted:
        return error("the task has no expected texts to look for", "buyer")
    found = normalised(text_at(call.output, params["field"]), params.get("normalise"))
    if not isinstance(found, str):
        return failed(f"the answer has no text at {quote(params['field'])}")
    missing = [w for w in wanted if str(normalised(w, params.get("normalise"))) not in found]
    enough = len(missing) < len(wanted) if params.get("mode") == "any" else not missing
    if enough:
        return passed("contains what it must")
    return failed(f"does not contain {quote(missing[0])}")


def _wanted(params: Params, call: Call) -> list[str]:
    texts = params.get("texts")
    if texts is None:
        texts = _json(at(call.expected, params["expected_field"]))
    if isinstance(texts, str):
        texts = [texts]
    if not isinstance(texts, list):
        return []
    # An empty text occurs everywhere, so it cannot be what the buyer meant.
    usable = [text for text in texts if isinstance(text, str) and not _blank(params, text)]
    return usable if len(usable) == len(texts) else []


def _blank(params: Params, text: str) -> bool:
    return not str(normalised(text, params.get("normalise"))).strip()


def _vacuity(params: Params) -> str | None:
    texts = params.get("texts", [])
    assert isinstance(texts, list)
    blank = [str(text) for text in texts if _blank(params, str(text))]
    return f"nothing is left of {quote(blank[0])}, and nothing occurs everywhere" if blank else None


def _json(value: object) -> JsonValue:
    return value if isinstance(value, str | list) else None


_BOTH: dict[str, JsonValue] = {
    "field": "text",
    "texts": ["Refund", "14 days"],
    "normalise": ["casefold"],
}
_ANY: dict[str, JsonValue] = {"field": "text", "expected_field": "facts", "mode": "any"}
GOOD = (
    Fixture(params=_BOTH, call=Call(output={"text": "A REFUND comes within 14 days."})),
    Fixture(params=_ANY, call=Call(expected={"facts": ["x", "y"]}, output={"text": "only y"})),
)
BAD = (
    Fixture(params=_BOTH, call=Call(output={"text": "A refund comes."})),
    Fixture(params=_BOTH, call=Call(output={"text": ["refund", "14 days"]})),
    Fixture(params=_ANY, call=Call(expected={"facts": ["x", "y"]}, output={"text": ""})),
)

CHECK = Check(
    kind="contains",
    version=1,
    title="Contains the agreed texts",
    params_schema=PARAMS,
    decide=decide,
    excuse=out_of_scope,
    vacuity=_vacuity,
    good=GOOD,
    bad=BAD,
    vacuous=({"field": "text", "texts": ["the", "!"], "normalise": ["punctuation", "articles"]},),
    neighbours={
        "regex": "wants a form rather than a text",
        "forbidden_terms": "wants texts not to occur",
        "citations": "wants quotations from known sources",
    },
    also_called=("includes", "icontains", "contains_all", "contains_any"),
)
