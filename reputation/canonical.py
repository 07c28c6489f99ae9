"""One byte string per JSON value (RFC 8785), and digests over it.

Values are I-JSON (RFC 7493): integers stay within ±(2^53 − 1), numbers are finite, text holds no
lone surrogate and keys are text. Everything else has no canonical form and is refused by name.
"""

import hashlib
import math
from collections.abc import Mapping

import rfc8785

JsonValue = None | bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"]

LARGEST_INTEGER = 2**53 - 1
DEEPEST = 200


class NotCanonical(ValueError):
    """The value has no canonical JSON form. `path` says where, as in `$.clauses[2].title`."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem


class NumberNotFinite(NotCanonical):
    """NaN or an infinity."""


class IntegerTooLarge(NotCanonical):
    """Beyond ±(2^53 − 1): readers that keep numbers as doubles would change it."""


class LoneSurrogate(NotCanonical):
    """Half of a UTF-16 pair: it has no UTF-8 form."""


class NestedTooDeep(NotCanonical):
    """More than 200 levels of lists and objects."""


class NotJson(NotCanonical):
    """A type JSON does not have, or a key that is not text."""


def canonical(value: object) -> bytes:
    """The RFC 8785 bytes of a JSON value. Raises a `NotCanonical` that names the place."""
    check(value)
    return rfc8785.dumps(value)  # type: ignore[arg-type]


def sha256(data: bytes) -> str:
    """`sha256:` and 64 hex digits."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def digest(value: object) -> str:
    """The SHA-256 of the canonical bytes, as `sha256:<hex>`."""
    return sha256(canonical(value))


def check(value: object) -> None:
    """Refuse a value without canonical form; walks without recursion, so depth cannot crash it."""
    waiting: list[tuple[object, str, int]] = [(value, "$", 0)]
    while waiting:
        item, path, depth = waiting.pop()
        if depth > DEEPEST:
            raise NestedTooDeep(path[:200], f"nested deeper than {DEEPEST} levels")
        if isinstance(item, Mapping):
            for key, inner in item.items():
                if not isinstance(key, str):
                    raise NotJson(path, f"a key is {type(key).__name__}, not text")
                _check_text(key, path)
                waiting.append((inner, f"{path}.{key}", depth + 1))
        elif isinstance(item, list | tuple):
            waiting.extend((inner, f"{path}[{i}]", depth + 1) for i, inner in enumerate(item))
        else:
            _check_scalar(item, path)


def _check_scalar(item: object, path: str) -> None:
    if item is None or isinstance(item, bool):
        return
    if isinstance(item, str):
        _check_text(item, path)
    elif isinstance(item, int):
        if abs(item) > LARGEST_INTEGER:
            raise IntegerTooLarge(path, "an integer beyond 2^53 - 1; write it as text")
    elif isinstance(item, float):
        if not math.isfinite(item):
            raise NumberNotFinite(path, "a number that is not finite")
    else:
        raise NotJson(path, f"{type(item).__name__} is not a JSON type")


def _check_text(text: str, path: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise LoneSurrogate(path, "text with a lone surrogate") from None
