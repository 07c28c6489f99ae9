"""forbidden_terms/2: none of the agreed terms occurs, however it is dressed up.

All text of the answer, keys included, or the text at `field`, and every term are folded: case,
compatibility forms, invisible characters, marks, and letters of any script that look like a Latin
one (by the confusables of Unicode Technical Standard #39) make no difference. With `leet` digits
and signs that stand for letters make none either, with `spaced` separators inside a term. A term
occurs as a run of whole words (`assassin` holds no other word); with `match: anywhere`, with
`spaced`, and for terms in scripts that write no spaces, anywhere. `allow` lists texts in which a
term may stand. Counts in scope and out of scope; an agent that gave no answer said nothing: not
applicable.
"""

import unicodedata
from dataclasses import dataclass

from pacts.checks.check import Answer, Call, Check, Fixture, Params, failed, passed, quote
from pacts.checks.fields import FIELD, sound, text_of
from pacts.checks.folding import compact, fold, leet, words
from pacts.checks.preparing import prepared_once
from reputation.canonical import JsonValue

_TEXTS: dict[str, JsonValue] = {
    "type": "array",
    "items": {"type": "string", "pattern": "\\S", "maxLength": 200},
    "minItems": 1,
    "maxItems": 500,
    "uniqueItems": True,
}
PARAMS: dict[str, JsonValue] = {
    "type": "object",
    "properties": {
        "field": FIELD,
        "terms": _TEXTS,
        "allow": _TEXTS,
        "match": {"enum": ["words", "anywhere"]},
        "leet": {"type": "boolean"},
        "spaced": {"type": "boolean"},
    },
    "required": ["terms"],
    "additionalProperties": False,
}
_SPACELESS = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "BOPOMOFO")
_GAP = " ꙮ "  # what an allowed text leaves behind: a letter, so no term reaches across it


@dataclass(frozen=True, slots=True)
class _Hunt:
    """One way of looking: with or without leet, for whole words or anywhere."""

    leet: bool
    whole: dict[str, str]  # the term as it is looked for, and as it was written
    loose: dict[str, str]
    spaced: dict[str, str]

    def find(self, folded: str) -> str | None:
        """The first term that occurs, as it was written."""
        text = leet(folded) if self.leet else folded
        in_words = words(text) if self.whole else ""
        bare = compact(text) if self.spaced else ""
        for needles, hay in ((self.whole, in_words), (self.loose, text), (self.spaced, bare)):
            for needle, written in needles.items():
                if needle in hay:
                    return written
        return None


@prepared_once
def _hunts(params: Params) -> list[_Hunt]:
    readings = [False, True] if params.get("leet") else [False]
    return [_hunt(params, reading) for reading in readings]


def _hunt(params: Params, reading: bool) -> _Hunt:
    hunt = _Hunt(reading, {}, {}, {})
    for written in _texts(params, "terms"):
        folded = leet(fold(written)) if reading else fold(written)
        bare = compact(folded)
        if params.get("match") == "anywhere" or not bare or _spaceless(bare):
            hunt.loose[folded] = written
        else:
            hunt.whole[words(folded)] = written
        if params.get("spaced") and bare:
            hunt.spaced[bare] = written
    return hunt


@prepared_once
def _allowed(params: Params) -> list[str]:
    return sorted((fold(text) for text in _texts(params, "allow")), key=len, reverse=True)


def decide(params: Params, call: Call) -> Answer:
    """No term occurs in what a reader would read."""
    text = text_of(call.output, params.get("field"))
    if text is None:
        return failed(f"the answer has no text at {quote(params['field'])}")
    folded = fold(text)
    for allowed in _allowed(params):
        folded = folded.replace(allowed, _GAP)
    for hunt in _hunts(params):
        found = hunt.find(folded)
        if found is not None:
            return failed(f"says {quote(found)}")
    return passed("none of the terms occurs")


def _texts(params: Params, name: str) -> list[str]:
    texts = params.get(name, [])
    assert isinstance(texts, list)
    return [sound(str(text)) for text in texts]


def _spaceless(text: str) -> bool:
    return any(unicodedata.name(c, "").startswith(_SPACELESS) for c in text if not c.isascii())


def _refusal(params: Params) -> str | None:
    blank = [text for text in _texts(params, "terms") if not fold(text).strip()]
    return f"{quote(blank[0])} cannot be seen, so it cannot be forbidden" if blank else None


def _vacuity(params: Params) -> str | None:
    allowed = _allowed(params)
    useless = all(any(a in fold(term) for a in allowed) for term in _texts(params, "terms"))
    return "every forbidden term is allowed as well" if useless else None


_TERM: dict[str, JsonValue] = {"terms": ["guaranteed return"], "leet": True}
_INSIDE: dict[str, JsonValue] = {"terms": ["ass"], "allow": ["an ass of himself"]}
GOOD = (
    Fixture(params=_TERM, call=Call(output={"text": "No return is guaranteed."})),
    Fixture(params=_INSIDE, call=Call(output={"text": "The assassin made an ass of himself."})),
)
BAD = (
    Fixture(params=_TERM, call=Call(output={"text": "A GUARANTEED  Return!"})),
    Fixture(params=_TERM, call=Call(output={"text": "guаrаntееd rеturn"})),  # Cyrillic
    Fixture(params=_TERM, call=Call(output={"text": "GUΑRΑΝΤΕΕD RΕΤURΝ"})),  # Greek capitals
    Fixture(params=_TERM, call=Call(output={"text": "ꓖꓴꓮꓣꓮꓠꓔꓰꓰꓓ ꓣꓰꓔꓴꓣꓠ"})),  # Lisu
    Fixture(params=_TERM, call=Call(output={"text": "guar\u200banteed re\u00adturn"})),
    Fixture(params=_TERM, call=Call(output={"text": "𝐠𝐮𝐚𝐫𝐚𝐧𝐭𝐞𝐞𝐝 ｒｅｔｕｒｎ"})),
    Fixture(params=_TERM, call=Call(output={"text": "gu4r4nt33d r3turn"})),
    Fixture(params=_TERM, call=Call(output={"guaranteed return": 1})),
    Fixture(params={**_TERM, "spaced": True}, call=Call(output=["g u a r a nteed r-e-t-u-r-n"])),
)

CHECK = Check(
    kind="forbidden_terms",
    version=2,
    title="Never says what must not be said",
    params_schema=PARAMS,
    decide=decide,
    refusal=_refusal,
    vacuity=_vacuity,
    unanswered="not_applicable",
    good=GOOD,
    bad=BAD,
    vacuous=({"terms": ["ass"], "allow": ["ass"]},),
    also_called=(
        "blocklist",
        "profanity",
        "not_contains",
    ),
    neighbours={
        "contains": "wants texts to occur",
        "sensitive_data": "knows personal data and secrets by their form",
        "canary": "looks for one text in many encodings",
    },
)
