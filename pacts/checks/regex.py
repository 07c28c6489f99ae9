"""regex/1: the answer's text matches a pattern (RE2 syntax).

The value at `field` must be text. With `match: full` (the default) the whole text must match, with
`match: anywhere` some part of it. Declining fails; tasks out of scope are not applicable.
Syntax: the RE2 reference; there are no look-arounds and no back-references.
"""

from pacts.checks.check import Answer, Call, Check, Fixture, Params, failed, passed, quote
from pacts.checks.equality import out_of_scope
from pacts.checks.fields import FIELD, text_at
from pacts.patterns import PatternRefused, pattern
from reputation.canonical import JsonValue

PARAMS: dict[str, JsonValue] = {
    "type": "object",
    "properties": {
        "field": FIELD,
        "pattern": {"type": "string", "minLength": 1, "maxLength": 1000},
        "match": {"enum": ["full", "anywhere"]},
    },
    "required": ["field", "pattern"],
    "additionalProperties": False,
}
# A pattern that matches all of these, which share no character, tells no answer from another.
_PROBES = ("a", "0", " ", "漢字", "~!", "Zz Zz", "-1.5e9", "<b>x</b>")


def decide(params: Params, call: Call) -> Answer:
    """The text matches the pattern."""
    text = text_at(call.output, params["field"])
    if text is None:
        return failed(f"the answer has no text at {quote(params['field'])}")
    return passed("matches") if _matches(params, text) else failed(f"{quote(text)} does not match")


def _matches(params: Params, text: str) -> bool:
    compiled = pattern(str(params["pattern"]))
    if params.get("match") == "anywhere":
        return compiled.search(text) is not None
    return compiled.fullmatch(text) is not None


def _refusal(params: Params) -> str | None:
    try:
        pattern(str(params["pattern"]))
    except PatternRefused as error:
        return str(error)
    return None


def _vacuity(params: Params) -> str | None:
    if all(_matches(params, probe) for probe in _PROBES):
        return "the pattern matches every text"
    return None


_DATE: dict[str, JsonValue] = {"field": "date", "pattern": "[0-9]{4}-[0-9]{2}-[0-9]{2}"}
GOOD = (
    Fixture(params=_DATE, call=Call(output={"date": "2024-02-29"})),
    Fixture(params={**_DATE, "match": "anywhere"}, call=Call(output={"date": "on 2024-02-29."})),
)
BAD = (
    Fixture(params=_DATE, call=Call(output={"date": "on 2024-02-29."})),
    Fixture(params=_DATE, call=Call(output={"date": 20240229})),
    Fixture(params=_DATE, call=Call(output={"date": "2024-02-29\n"})),
)

CHECK = Check(
    kind="regex",
    version=1,
    title="Matches a pattern",
    params_schema=PARAMS,
    decide=decide,
    excuse=out_of_scope,
    refusal=_refusal,
    vacuity=_vacuity,
    good=GOOD,
    bad=BAD,
    vacuous=(
        {"field": "x", "pattern": ".*"},
        {"field": "x", "pattern": "(?s).+"},
        {"field": "x", "pattern": "x*", "match": "anywhere"},
    ),
    neighbours={
        "contains": "wants a text rather than a form",
        "json_schema": "bounds every field of the answer at once",
    },
    also_called=("pattern", "matches"),
)
