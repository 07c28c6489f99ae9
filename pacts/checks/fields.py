"""Reading an answer: fields by path, text made comparable, and what counts as declining."""

import re
import sys
import unicodedata
from collections.abc import Callable, Iterator
from functools import lru_cache

from pacts.checks.check import Call
from pacts.checks.unicode_forms import normal
from reputation.canonical import JsonValue


class Absent:
    """No value at all, which is not null."""

    def __bool__(self) -> bool:
        return False


ABSENT = Absent()

FIELD: dict[str, JsonValue] = {"type": "string", "minLength": 1, "maxLength": 200}
NORMALISE: dict[str, JsonValue] = {
    "type": "array",
    "items": {
        "enum": ["casefold", "strip", "nfkc", "nfc", "whitespace", "punctuation", "articles"]
    },
    "uniqueItems": True,
    "description": (
        "Steps taken in this order on both sides. strip: no white space around; whitespace: each "
        "run of white space is one space; punctuation: Unicode's categories P* removed; articles: "
        "the words a, an, the removed (as the SQuAD 1.1 evaluation does)."
    ),
}
_ARTICLES = re.compile(r"\b(?:a|an|the)\b", re.IGNORECASE)


@lru_cache(maxsize=1)
def _punctuation() -> dict[int, None]:
    return {
        code: None
        for code in range(sys.maxunicode + 1)
        if unicodedata.category(chr(code)).startswith("P")
    }


_NORMALISERS: dict[str, Callable[[str], str]] = {
    "casefold": str.casefold,
    "strip": str.strip,
    "nfkc": lambda text: normal("NFKC", text),
    "nfc": lambda text: normal("NFC", text),
    "whitespace": lambda text: " ".join(text.split()),
    "punctuation": lambda text: text.translate(_punctuation()),
    "articles": lambda text: _ARTICLES.sub(" ", text),
}


def at(value: JsonValue, path: object) -> "JsonValue | Absent":
    """The value at a dotted path of object keys (`invoice.total`), or ABSENT."""
    found: JsonValue = value
    for key in str(path).split("."):
        if not isinstance(found, dict) or key not in found:
            return ABSENT
        found = found[key]
    return found


def text_at(value: JsonValue, path: object) -> str | None:
    """The text at a path, as `sound` makes it; None where there is no text."""
    found = at(value, path)
    return sound(found) if isinstance(found, str) else None


def texts_in(value: JsonValue) -> Iterator[str]:
    """Every text inside a value, keys included; walks without recursion."""
    waiting: list[JsonValue] = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield sound(item)
        elif isinstance(item, dict):
            yield from map(sound, item)
            waiting.extend(reversed(item.values()))
        elif isinstance(item, list):
            waiting.extend(reversed(item))


def text_of(output: JsonValue, field: object = None) -> str | None:
    """What a check of text reads: the text at `field` (None where there is none), or without a
    field every text of the answer, one a line, so that nothing hides in another field."""
    return "\n".join(texts_in(output)) if field is None else text_at(output, field)


def sound(text: str) -> str:
    """Text that has a UTF-8 form: lone surrogates become the replacement character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def declined(call: Call, field: object = None) -> bool:
    """Whether the agent declined the task: its answer has `"declined": true`, or its main field is
    there and null. An answer without the main field is no refusal but a malformed answer."""
    if isinstance(call.output, dict) and call.output.get("declined") is True:
        return True
    return field is not None and at(call.output, field) is None


def normalised(value: JsonValue, steps: object) -> JsonValue:
    """Text after the named steps, in their order; anything else as it is."""
    if not isinstance(value, str) or not isinstance(steps, list):
        return value
    for step in steps:
        value = _NORMALISERS[str(step)](value)
    return value


def same(a: JsonValue, b: JsonValue) -> bool:
    """JSON equality: 1 equals 1.0, but true is not 1; objects by key, lists by position."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b
