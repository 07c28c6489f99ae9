"""Reading one JSON object field by field, strictly: every refusal names its place and the cure."""

import copy
import re
from collections.abc import Mapping, Sequence
from typing import Any, Self

from reputation.canonical import JsonValue

_MISSING = object()
# Both are published to editors as JSON Schema patterns too (`pacts.pact_schema`).
SLUG = r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*"
INK = r"[^\s\x1c-\x1f\x85]"
_SLUG = re.compile(SLUG + r"\Z")
_INK = re.compile(INK)


class TermsError(ValueError):
    """The terms cannot be read: `path` says where, `problem` what, `remedy` what to write."""

    def __init__(self, path: str, problem: str, remedy: str) -> None:
        super().__init__(f"{path}: {problem}; {remedy}")
        self.path = path
        self.problem = problem
        self.remedy = remedy


class Reader:
    """Takes fields out of one object; `finish` refuses whatever nobody asked for."""

    def __init__(self, fields: Mapping[str, object], path: str) -> None:
        self._fields = fields
        self._path = path
        self._read: set[str] = set()

    @classmethod
    def of(cls, data: object, path: str) -> Self:
        """A reader over `data`, which must be an object."""
        if not isinstance(data, Mapping):
            raise TermsError(path, f"this is {_kind(data)}", "write an object")
        return cls(data, path)

    def has(self, name: str) -> bool:
        """Whether the field is written at all, null included."""
        return name in self._fields

    def finish(self) -> None:
        unknown = sorted(set(self._fields) - self._read)
        if unknown:
            name = unknown[0][:60]
            raise TermsError(f"{self._path}.{name}", "nobody reads this field", "remove it")

    def text(self, name: str, *, longest: int, default: str | None = None) -> str:
        value = self._take(name, _MISSING if default is None else default)
        if not isinstance(value, str):
            raise self._wrong(name, value, "write text")
        if len(value) > longest:
            raise TermsError(self.place(name), f"{len(value)} characters", f"stay within {longest}")
        if default is None and not _INK.search(value):
            raise TermsError(self.place(name), "this is empty", "say it in words")
        return value

    def text_or_none(self, name: str, *, longest: int) -> str | None:
        return None if self._absent(name) else self.text(name, longest=longest)

    def texts(self, name: str, *, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        value = self._take(name, _MISSING if default is None else default)
        if not isinstance(value, list | tuple) or not all(isinstance(v, str) for v in value):
            raise self._wrong(name, value, "write a list of texts")
        if len(value) > 50 or any(not _INK.search(v) or len(v) > 500 for v in value):
            raise TermsError(
                self.place(name), "too many, too long or empty", "at most 50 of 1 to 500 characters"
            )
        return tuple(value)

    def slug(self, name: str, *, longest: int) -> str:
        value = self.text(name, longest=longest)
        if not _SLUG.match(value):
            raise TermsError(
                self.place(name), "not a key", "use lower-case letters, digits, - and _"
            )
        return value

    def whole(self, name: str, least: int, most: int, *, default: int | None = None) -> int:
        value = self._take(name, _MISSING if default is None else default)
        if isinstance(value, float) and value.is_integer():
            value = int(value)  # JSON knows one kind of number: 9500.0 is 9500
        if not isinstance(value, int) or isinstance(value, bool):
            raise self._wrong(name, value, f"write a whole number from {least} to {most}")
        if not least <= value <= most:
            raise TermsError(self.place(name), f"{value} is out of range", f"use {least} to {most}")
        return value

    def whole_or_none(self, name: str, least: int, most: int) -> int | None:
        return None if self._absent(name) else self.whole(name, least, most)

    def truth(self, name: str, *, default: bool) -> bool:
        value = self._take(name, default)
        if not isinstance(value, bool):
            raise self._wrong(name, value, "write true or false")
        return value

    def choice(self, name: str, choices: Sequence[str], *, default: str | None = None) -> Any:
        """One of `choices`, which a caller annotates with the Literal they came from."""
        value = self._take(name, _MISSING if default is None else default)
        if not isinstance(value, str) or value not in choices:
            raise self._wrong(name, value, "write one of " + ", ".join(choices))
        return value

    def choice_or_none(self, name: str, choices: Sequence[str]) -> Any:
        return None if self._absent(name) else self.choice(name, choices)

    def mapping(self, name: str, *, optional: bool = False) -> dict[str, JsonValue] | None:
        """A private copy of an object whose inside is somebody else's to read."""
        if optional and self._absent(name):
            return None
        value = self._take(name, {})
        if not isinstance(value, dict):
            raise self._wrong(name, value, "write an object")
        return copy.deepcopy(value)

    def inner(self, name: str) -> "Reader":
        return Reader.of(self._take(name, _MISSING), self.place(name))

    def inner_or_none(self, name: str) -> "Reader | None":
        return None if self._absent(name) else self.inner(name)

    def inners(self, name: str, *, most: int) -> "list[Reader]":
        value = self._take(name, _MISSING)
        if not isinstance(value, list):
            raise self._wrong(name, value, "write a list")
        if len(value) > most:
            raise TermsError(self.place(name), f"{len(value)} items", f"use at most {most}")
        return [Reader.of(item, f"{self.place(name)}[{i}]") for i, item in enumerate(value)]

    def place(self, name: str) -> str:
        return f"{self._path}.{name}"

    def _absent(self, name: str) -> bool:
        self._read.add(name)
        return self._fields.get(name) is None

    def _take(self, name: str, default: object) -> object:
        self._read.add(name)
        value = self._fields.get(name, default)
        if value is _MISSING:
            raise TermsError(self.place(name), "this is missing", "add it")
        return value

    def _wrong(self, name: str, value: object, remedy: str) -> TermsError:
        return TermsError(self.place(name), f"this is {_kind(value)}", remedy)


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, str):
        return f"the text {value[:40]!r}"
    names = {bool: "true or false", int: "a number", float: "a number with a fraction"}
    return names.get(type(value), "a list" if isinstance(value, list | tuple) else "an object")
