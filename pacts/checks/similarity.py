"""similarity/1: the answer's text is at least as similar to the expected text as agreed.

Both texts go through `normalise` and are compared by `method`, as rapidfuzz defines it, from 0 to
1: `ratio` is 1 − d / (|a| + |b|) with d the insertions and deletions between them; `token_sort` the
same of the words in alphabetical order; `token_set` looks at the words both share, so repeated
words and a different order cost nothing, and neither does anything added to a text that holds all
the words; `jaro_winkler` suits names. Passes at `floor_bps` (of 10000) or above. With `graded` the
value of the observation is the similarity itself and the clause is judged by its mean. A text over
20,000 characters fails: it is compared with nothing. Where the task expects a list of texts, the
most similar one counts. Not applicable out of scope; declining fails.
"""

from collections.abc import Callable
from typing import Any

from rapidfuzz import fuzz
from rapidfuzz.distance import JaroWinkler

from pacts.checks.check import Answer, Call, Check, Fixture, Params, error, failed, passed, quote
from pacts.checks.equality import out_of_scope
from pacts.checks.fields import FIELD, NORMALISE, at, declined, normalised, sound, text_at
from reputation.canonical import JsonValue

LONGEST = 20_000
MOST_EXPECTED = 20

PARAMS: dict[str, JsonValue] = {
    "type": "object",
    "properties": {
        "field": FIELD,
        "expected_field": FIELD,
        "method": {"enum": ["ratio", "token_sort", "token_set", "jaro_winkler"]},
        "floor_bps": {"type": "integer", "minimum": 0, "maximum": 10_000},
        "normalise": NORMALISE,
        "graded": {"type": "boolean"},
    },
    "required": ["field", "method", "floor_bps"],
    "additionalProperties": False,
}
_METHODS: dict[str, Callable[..., float]] = {
    "ratio": fuzz.ratio,
    "token_sort": fuzz.token_sort_ratio,
    "token_set": fuzz.token_set_ratio,
    "jaro_winkler": lambda a, b: JaroWinkler.normalized_similarity(a, b) * 100,
}


def decide(params: Params, call: Call) -> Answer:
    """The similarity to the nearest expected text reaches the floor."""
    field = params["field"]
    expected = _expected(at(call.expected, params.get("expected_field", field)))
    if not expected:
        return error("the task has no expected text to compare with", "buyer")
    if declined(call, field):
        return failed("the agent declined")
    text = text_at(call.output, field)
    if text is None:
        return failed(f"the answer has no text at {quote(field)}")
    if len(text) > LONGEST:
        return failed(f"{len(text)} characters; no more than {LONGEST} are compared")
    return _judged(params, _similarity(params, text, expected))


def _judged(params: Params, similarity: float) -> Answer:
    floor = params["floor_bps"]
    assert isinstance(floor, int)
    said = f"similarity {similarity:.3f}, at least {floor / 10_000:.3f} wanted"
    enough = similarity * 10_000 >= floor
    if params.get("graded"):
        return passed(said, similarity) if enough else failed(said, similarity)
    return passed(said) if enough else failed(said)


def _similarity(params: Params, text: str, expected: list[str]) -> float:
    compare, steps = _METHODS[str(params["method"])], params.get("normalise")
    found = normalised(text, steps)
    best = max(compare(found, normalised(one, steps)) for one in expected)
    return min(1.0, max(0.0, best / 100))


def _expected(value: Any) -> list[str]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or len(texts) > MOST_EXPECTED:
        return []
    usable = [sound(t) for t in texts if isinstance(t, str) and t.strip() and len(t) <= LONGEST]
    return usable if len(usable) == len(texts) else []


def _vacuity(params: Params) -> str | None:
    if params["floor_bps"] == 0:
        return "every text is at least 0 similar"
    return None


def _weakness(params: Params) -> str | None:
    if params["method"] == "token_set":
        return "a text that holds all the expected words passes whatever else it says"
    return None


_NEAR: dict[str, JsonValue] = {
    "field": "text",
    "method": "token_sort",
    "floor_bps": 9000,
    "normalise": ["casefold"],
}
_EXPECTED: JsonValue = {"text": "the quick brown fox"}
GOOD = (
    Fixture(params=_NEAR, call=Call(expected=_EXPECTED, output={"text": "Brown fox, the quick"})),
    Fixture(
        params={"field": "name", "method": "jaro_winkler", "floor_bps": 9000},
        call=Call(expected={"name": ["Müller", "Mueller"]}, output={"name": "Muller"}),
    ),
)
BAD = (
    Fixture(params=_NEAR, call=Call(expected=_EXPECTED, output={"text": "a lazy dog"})),
    Fixture(params=_NEAR, call=Call(expected=_EXPECTED, output={"text": ""})),
    Fixture(params=_NEAR, call=Call(expected=_EXPECTED, output={"text": None})),
)

CHECK = Check(
    kind="similarity",
    version=1,
    title="Similar to the expected text",
    params_schema=PARAMS,
    decide=decide,
    excuse=out_of_scope,
    vacuity=_vacuity,
    weakness=_weakness,
    good=GOOD,
    bad=BAD,
    vacuous=({"field": "text", "method": "ratio", "floor_bps": 0},),
    also_called=(
        "fuzzy_match",
        "levenshtein",
        "edit_distance",
    ),
    neighbours={
        "equality": "wants the same text, after the same steps",
        "contains": "wants certain texts to occur",
    },
)
