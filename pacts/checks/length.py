"""length/1: the answer's text is neither too short nor too long.

Counts what `unit` says of the text at `field`, or of all text in the answer. `characters`: Unicode
code points after NFC. `words`: runs of letters, digits and joiners (' ’ -) between anything else.
`sentences`: they end in . ! ? … before white space or the end, or in 。 ！ ？; a rest after the
last end counts as one. `tokens`: an estimate by rule, which is the same everywhere and always: each
run of up to four letters, each run of up to three digits 0 to 9 and every other visible character
is one, after NFC. It is no model's tokenizer and no bill; what a model says it used is `cost`'s
business. The count must be at least `least` and at most `most`. Not applicable out of scope or
where the agent declined.
"""

import re
from collections.abc import Callable

from pacts.checks.check import Answer, Call, Check, Fixture, Params, failed, passed, quote
from pacts.checks.fields import FIELD, declined, text_of
from pacts.checks.unicode_forms import normal
from reputation.canonical import JsonValue

COUNT: dict[str, JsonValue] = {"type": "integer", "minimum": 0, "maximum": 1_000_000}
UNITS: list[JsonValue] = ["characters", "words", "sentences", "tokens"]
PARAMS: dict[str, JsonValue] = {
    "type": "object",
    "properties": {
        "field": FIELD,
        "unit": {
            "enum": UNITS,
            "description": "`tokens` is an estimate by rule, the same everywhere and always; it is "
            "no model's own count.",
        },
        "least": COUNT,
        "most": COUNT,
    },
    "required": ["unit"],
    "additionalProperties": False,
}
# Longer than any answer may be (1 MB), so as a limit it limits nothing.
ANY_LENGTH = 1_000_000

# Our own patterns, each linear: whatever a repeat takes is never tried again from its middle.
_WORD = re.compile(r"\w(?:[\w'’\-]*\w)?")
_SENTENCE_END = re.compile(r"[.!?…]++[\"'”’)\]]*+|[。！？]++")
_TOKEN = re.compile(r"[^\W\d_]{1,4}|[0-9]{1,3}|[^\w\s]|_|\d")


def _sentences(text: str) -> int:
    ends = [end for end in _SENTENCE_END.finditer(text) if _closes(end, text)]
    rest = text[ends[-1].end() :] if ends else text
    return len(ends) + bool(_WORD.search(rest))


def _closes(end: re.Match[str], text: str) -> bool:
    return end[0][0] in "。！？" or end.end() == len(text) or text[end.end()].isspace()


_COUNTS: dict[str, Callable[[str], int]] = {
    "characters": lambda text: len(normal("NFC", text)),
    "words": lambda text: sum(1 for _ in _WORD.finditer(text)),
    "sentences": _sentences,
    "tokens": lambda text: sum(1 for _ in _TOKEN.finditer(normal("NFC", text))),
}


def decide(params: Params, call: Call) -> Answer:
    """The count is within the bounds, both included."""
    text = text_of(call.output, params.get("field"))
    if text is None:
        return failed(f"the answer has no text at {quote(params['field'])}")
    unit = str(params["unit"])
    count = _COUNTS[unit](text)
    least, most = _bound(params, "least", 0), _bound(params, "most", ANY_LENGTH)
    said = f"{count} {unit}, allowed {least} to {most}"
    return passed(said) if least <= count <= most else failed(said)


def excuse(params: Params, call: Call) -> str | None:
    """Refusals and tasks out of scope are not judged by the text they come with."""
    if call.in_scope is False:
        return "the task is out of scope"
    return "the agent declined" if declined(call, params.get("field")) else None


def _bound(params: Params, name: str, default: int) -> int:
    bound = params.get(name, default)
    assert isinstance(bound, int)
    return bound


def _refusal(params: Params) -> str | None:
    if _bound(params, "least", 0) > _bound(params, "most", ANY_LENGTH):
        return "`least` is above `most`, so no answer fits"
    return None


def _vacuity(params: Params) -> str | None:
    if _bound(params, "least", 0) == 0 and _bound(params, "most", ANY_LENGTH) >= ANY_LENGTH:
        return "every text is long enough and short enough"
    return None


_SHORT: dict[str, JsonValue] = {"field": "text", "unit": "words", "least": 2, "most": 5}
GOOD = (
    Fixture(params=_SHORT, call=Call(output={"text": "It’s a state-of-the-art reply"})),
    Fixture(
        params={"unit": "sentences", "most": 2}, call=Call(output={"a": "One. Two, 3.5 of it"})
    ),
)
BAD = (
    Fixture(params=_SHORT, call=Call(output={"text": "one"})),
    Fixture(params=_SHORT, call=Call(output={"text": "one two three four five six"})),
    Fixture(params=_SHORT, call=Call(output={"text": 3})),
    Fixture(params={"unit": "tokens", "most": 3}, call=Call(output={"a": "supercalifragilistic"})),
)

CHECK = Check(
    kind="length",
    version=1,
    title="As long as agreed",
    params_schema=PARAMS,
    decide=decide,
    excuse=excuse,
    refusal=_refusal,
    vacuity=_vacuity,
    good=GOOD,
    bad=BAD,
    vacuous=({"unit": "words"}, {"unit": "words", "least": 0, "most": 1_000_000}),
    also_called=(
        "word_count",
        "max_length",
    ),
    neighbours={"json_schema": "bounds the characters of many fields at once"},
)
