"""language/1: the answer is written in an agreed language.

The text at `field`, or all text in the answer, is detected by CLD2 (the Compact Language Detector
of Chromium) and passes when a language of `languages` (codes as CLD2 says them: `en`, `de`,
`zh-Hant`; a bare `zh` is simplified Chinese) makes up at least `share_bps` (of 10000, default
8000) of what was recognised. CLD2 abstains on text it is not sure of, and so does this check below
`shortest` letters (default 20): the observation is then skipped, or with `unsure: fail` a failure.
Not applicable out of scope or where the agent declined.
"""

import unicodedata

import pycld2

from pacts.checks.check import Answer, Call, Check, Fixture, Params, failed, passed, quote, skipped
from pacts.checks.fields import FIELD, text_of
from pacts.checks.length import excuse
from reputation.canonical import JsonValue

LONGEST_READ = 100_000
KNOWN = frozenset(code for _, code in pycld2.LANGUAGES if not code.startswith("xx"))

PARAMS: dict[str, JsonValue] = {
    "type": "object",
    "properties": {
        "field": FIELD,
        "languages": {
            "type": "array",
            "items": {"type": "string", "minLength": 2, "maxLength": 12},
            "minItems": 1,
            "maxItems": 50,
            "uniqueItems": True,
        },
        "share_bps": {"type": "integer", "minimum": 0, "maximum": 10_000},
        "shortest": {"type": "integer", "minimum": 1, "maximum": 1000},
        "unsure": {"enum": ["skip", "fail"]},
    },
    "required": ["languages"],
    "additionalProperties": False,
}


def decide(params: Params, call: Call) -> Answer:
    """Enough of the recognised text is in an agreed language."""
    text = text_of(call.output, params.get("field"))
    if text is None:
        return failed(f"the answer has no text at {quote(params['field'])}")
    text = _readable(text[:LONGEST_READ])
    least = params.get("shortest", 20)
    assert isinstance(least, int)
    if sum(map(str.isalpha, text[: 8 * least])) < least:
        return _unsure(params, f"fewer than {least} letters")
    reliable, _, found = pycld2.detect(text, isPlainText=True)
    if not reliable:
        return _unsure(params, "the language cannot be told")
    return _judged(params, {code: share for _, code, share, _ in found if code != "un"})


def _judged(params: Params, shares: dict[str, int]) -> Answer:
    languages, wanted = params["languages"], params.get("share_bps", 8000)
    assert isinstance(languages, list)
    assert isinstance(wanted, int)
    share = sum(part for code, part in shares.items() if code in languages)
    known = sum(shares.values()) or 1
    said = ", ".join(f"{code} {part} %" for code, part in shares.items())
    return passed(said) if share * 10_000 >= wanted * known and share else failed(said)


def _unsure(params: Params, why: str) -> Answer:
    return failed(why) if params.get("unsure") == "fail" else skipped(why)


def _readable(text: str) -> str:
    """CLD2 refuses control characters and noncharacters."""
    return "".join(c if c.isspace() or unicodedata.category(c)[0] != "C" else " " for c in text)


def _refusal(params: Params) -> str | None:
    languages = params["languages"]
    assert isinstance(languages, list)
    unknown = [code for code in languages if code not in KNOWN]
    return f"{quote(unknown[0])} is no language CLD2 tells" if unknown else None


def _vacuity(params: Params) -> str | None:
    languages = params["languages"]
    assert isinstance(languages, list)
    if params.get("share_bps", 8000) == 0:
        return "a share of 0 asks for a single word at most"
    if len(languages) > 40:
        return "with so many languages nearly every text is in one of them"
    return None


def _weakness(params: Params) -> str | None:
    if params.get("unsure", "skip") == "skip":
        return "an answer too short or too strange to tell is not counted; `unsure: fail` counts it"
    return None


_GERMAN: dict[str, JsonValue] = {"field": "text", "languages": ["de"]}
GOOD = (
    Fixture(
        params=_GERMAN,
        call=Call(output={"text": "Die Rechnung wird innerhalb von vierzehn Tagen bezahlt."}),
    ),
)
BAD = (
    Fixture(
        params=_GERMAN,
        call=Call(output={"text": "The invoice is going to be paid within fourteen days."}),
    ),
    Fixture(params={**_GERMAN, "unsure": "fail"}, call=Call(output={"text": "ok"})),
    Fixture(params=_GERMAN, call=Call(output={"text": 3})),
)

CHECK = Check(
    kind="language",
    version=1,
    title="Written in an agreed language",
    params_schema=PARAMS,
    decide=decide,
    excuse=excuse,
    refusal=_refusal,
    vacuity=_vacuity,
    weakness=_weakness,
    good=GOOD,
    bad=BAD,
    vacuous=({"languages": ["en"], "share_bps": 0},),
    also_called=(
        "language_detection",
        "lang",
    ),
    neighbours={"equality": "wants the right name of a language, as the answer to a task"},
)
