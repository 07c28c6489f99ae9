"""Reading an answer: fields by path, text made comparable, and what counts as declining."""

import unicodedata
from collections.abc import Callable

from pacts.checks.check import Call
from reputation.canonical import JsonValue


class Absent:
    """No value at all, which is not null."""

    def __bool__(self) -> bool:
        return False


ABSENT = Absent()

FIELD: dict[str, JsonValue] = {"type": "string", "minLength": 1, "maxLength": 200}
NORMALISE: dict[str, JsonValue] = {
    "type": "array",
    "items": {"enum": ["casefold", "strip", "nfkc"]},
    "uniqueItems": True,
}
_NORMALISERS: dict[str, Callable[[str], str]] = {
    "casefold": str.casefold,
    "strip": str.strip,
    "nfkc": lambda text: unicodedata.normalize("NFKC", text),
}


def at(value: JsonValue, path: object) -> "JsonValue | Absent":
    """The value at a dotted path of object keys (`invoice.total`), or ABSENT."""
    found: JsonValue = value
    for key in str(path).split("."):
        if not isinstance(found, dict) or key not in found:
            return ABSENT
        found = found[key]
    return found


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
