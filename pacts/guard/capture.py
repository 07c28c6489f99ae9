"""Values of somebody else's program: held fast at the call, made plain JSON later.

`hold` runs in the caller's thread and must cost microseconds; `plain` runs behind. Plain data is
copied at once, because the caller may change it the moment the answer is back. Objects are held by
reference and read later by what they offer (`model_dump`, `_asdict`, dataclass fields, text).
"""

import dataclasses
import json
import marshal
import math
from collections.abc import Iterable, Mapping
from typing import Any

from pacts.guard.records import JsonValue

LARGEST_INTEGER = 2**53 - 1
DEEPEST = 60
MOST_NODES = 20_000
LONGEST_TEXT = 200_000
WEIGHT_OF_OBJECT = 2_000

_ATOMS = frozenset({str, int, float, bool, type(None), bytes})


class Frozen:
    """A copy of plain data in one piece of bytes."""

    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data = data


def hold(value: Any) -> object:
    """The value as it is now: itself where nobody can change it, else a copy."""
    if type(value) in _ATOMS:
        return value
    try:
        return Frozen(marshal.dumps(value))
    except ValueError:
        return _copied(value, 0)


def weight(held: object) -> int:
    """Roughly how many bytes a held value keeps in memory."""
    if type(held) is Frozen:
        return len(held.data)
    if type(held) in (str, bytes):
        return len(held)  # type: ignore[arg-type]
    if type(held) in (list, tuple):
        return sum(map(weight, held)) + 100  # type: ignore[call-overload]
    return WEIGHT_OF_OBJECT


def released(held: object) -> object:
    """The value that was held."""
    return marshal.loads(held.data) if type(held) is Frozen else held  # noqa: S302 - our own bytes


def _copied(value: object, depth: int) -> object:
    if depth > DEEPEST:
        return value
    if type(value) is dict:
        return {key: _copied(inner, depth + 1) for key, inner in value.items()}
    if type(value) in (list, tuple):
        return [_copied(inner, depth + 1) for inner in value]  # type: ignore[attr-defined]
    return value


class Plainer:
    """Makes one value plain JSON within bounds; `truncated` says that something was cut off."""

    __slots__ = ("_nodes", "truncated")

    def __init__(self) -> None:
        self._nodes = 0
        self.truncated = False

    def plain(self, value: object, depth: int = 0) -> JsonValue:
        """JSON with finite numbers, integers within ±(2^53 − 1) and text that has a UTF-8 form.
        Other numbers and objects become text; what is too deep, too long or too many is cut."""
        self._nodes += 1
        if self._nodes > MOST_NODES or depth > DEEPEST:
            self.truncated = True
            return None
        try:
            return self._plain(value, depth)
        except Exception:  # an object of somebody else's that cannot be read
            self.truncated = True
            return f"an unreadable {type(value).__name__}"

    def _plain(self, value: object, depth: int) -> JsonValue:
        if value is None or value is True or value is False:
            return value
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, int | float):
            return _number(value)
        if isinstance(value, Mapping):
            return self._members(value.items(), depth)
        if isinstance(value, list | tuple | set | frozenset):
            return self._items(value, depth)
        return self._opened(value, depth)

    def _members(self, items: Iterable[tuple[Any, Any]], depth: int) -> dict[str, JsonValue]:
        found: dict[str, JsonValue] = {}
        for key, inner in items:
            if self._nodes > MOST_NODES:
                self.truncated = True
                break
            found[self._text(str(key))] = self.plain(inner, depth + 1)
        return found

    def _items(self, items: Iterable[Any], depth: int) -> list[JsonValue]:
        found: list[JsonValue] = []
        for inner in items:
            if self._nodes > MOST_NODES:
                self.truncated = True
                break
            found.append(self.plain(inner, depth + 1))
        return found

    def _opened(self, value: object, depth: int) -> JsonValue:
        if isinstance(value, bytes | bytearray | memoryview):
            return self._bytes(bytes(value[:LONGEST_TEXT]), len(value))
        dump = getattr(value, "model_dump", None)
        if callable(dump) and not isinstance(value, type):
            return self.plain(dump(mode="json", warnings=False), depth + 1)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            named = ((f.name, getattr(value, f.name)) for f in dataclasses.fields(value))
            return self._members(named, depth)
        return self._text(str(value))

    def _text(self, text: str) -> str:
        if len(text) > LONGEST_TEXT:
            self.truncated = True
            text = text[:LONGEST_TEXT]
        if text.isascii():
            return str(text)
        return text.encode("utf-8", "replace").decode("utf-8")

    def _bytes(self, data: bytes, whole: int) -> str:
        if whole > LONGEST_TEXT:
            self.truncated = True
        return data.decode("utf-8", "replace")


def _number(value: int | float) -> JsonValue:
    if isinstance(value, int):
        return int(value) if abs(value) <= LARGEST_INTEGER else _digits(value)
    return float(value) if math.isfinite(value) else str(value)


def _digits(value: int) -> str:
    try:
        return str(value)
    except ValueError:  # Python refuses to write out thousands of digits
        return f"an integer of {value.bit_length()} bits"


def compact(value: JsonValue) -> bytes:
    """The bytes of a plain value: no white space, UTF-8."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def sorted_bytes(value: JsonValue) -> bytes:
    """The bytes a digest is taken of: as `compact`, keys sorted by code point."""
    return json.dumps(
        value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True
    ).encode()
