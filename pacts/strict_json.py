"""JSON from strangers: I-JSON (RFC 7493) or nothing.

What this reads has exactly one meaning and a canonical form: UTF-8 without a byte-order mark, no
duplicate keys, no NaN or Infinity, integers within ±(2^53 − 1), finite numbers written in at most
100 characters with exponents up to ±308, no lone surrogates, at most 64 levels and 200,000 values.
"""

import json
import math
import re
from collections.abc import Iterable
from typing import NoReturn

from reputation.canonical import LARGEST_INTEGER, JsonValue

DEEPEST = 64
MOST_VALUES = 200_000
LONGEST_NUMBER = 100

# Our own pattern, never a stranger's: possessive, so it is linear in the text.
_STRING_OR_MARK = re.compile(rb'"[^"\\]*+(?:\\.?[^"\\]*+)*+(?:"|\Z)|[\[{,]', re.DOTALL)


class MalformedJson(ValueError):
    """Not JSON this platform accepts. `code` is one of: not_utf8, not_json, duplicate_key,
    not_finite, number_too_large, lone_surrogate, too_deep, too_many_values."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def parse_json(data: bytes) -> JsonValue:
    """Read one JSON value. Raises MalformedJson."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedJson("not_utf8", "the text is not UTF-8") from error
    _check_size(data)
    try:
        value: JsonValue = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_int=_integer,
            parse_float=_number,
        )
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise MalformedJson("not_json", f"not JSON: {error.msg} at {where}") from error
    except RecursionError as error:
        raise MalformedJson("too_deep", f"nested deeper than {DEEPEST} levels") from error
    _check_inside(value)
    return value


def _check_size(data: bytes) -> None:
    """Bound the memory of parsing before it starts: brackets and commas count the values."""
    if data.count(b"[") + data.count(b"{") + data.count(b",") <= MOST_VALUES:
        return
    marks = sum(1 for found in _STRING_OR_MARK.finditer(data) if found[0] in (b"[", b"{", b","))
    if marks > MOST_VALUES:
        raise MalformedJson("too_many_values", f"more than {MOST_VALUES} values")


def _check_inside(value: JsonValue) -> None:
    level: list[JsonValue] = [value]
    for _ in range(DEEPEST):
        level = [inner for item in level for inner in _inside(item)]
        if not level:
            return
    if any(isinstance(item, dict | list) for item in level):
        raise MalformedJson("too_deep", f"nested deeper than {DEEPEST} levels")
    for item in level:
        _inside(item)


def _inside(item: JsonValue) -> Iterable[JsonValue]:
    """The values one level down; refuses text that has no UTF-8 form on the way."""
    if isinstance(item, dict):
        _check_text("".join(item))
        return item.values()
    if isinstance(item, str):
        _check_text(item)
    return item if isinstance(item, list) else ()


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise MalformedJson("lone_surrogate", "text with a lone surrogate") from error


def _object(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise MalformedJson("duplicate_key", "an object with the same key twice")
    return found


def _constant(name: str) -> NoReturn:
    raise MalformedJson("not_finite", f"{name} is not JSON")


def _integer(digits: str) -> int:
    # The length comes first: reading a long integer takes time that grows with its square.
    if len(digits) > 17 or abs(int(digits)) > LARGEST_INTEGER:
        raise MalformedJson("number_too_large", "an integer beyond 2^53 - 1; write it as text")
    return int(digits)


def _number(digits: str) -> float:
    _, _, exponent = digits.lower().partition("e")
    if len(digits) > LONGEST_NUMBER or (exponent and len(exponent.lstrip("+-0")) > 3):
        raise MalformedJson("number_too_large", "a number too long or with a huge exponent")
    value = float(digits)
    if not math.isfinite(value) or (exponent and abs(int(exponent)) > 308):
        raise MalformedJson("number_too_large", "a number with a huge exponent")
    return value
