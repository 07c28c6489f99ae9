"""The types a public fact may have: strangers read envelopes for ever, so none is free text.

Every type has `check(value) -> str | None`: what is wrong with the value, or None; and
`schema() -> dict`: the same as JSON Schema (2020-12), for whoever reads the log without us.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from reputation.identifiers import is_id

# RFC 8785 numbers are IEEE doubles: every integer up to 2^53 survives, and 10^15 - 1 is below it.
LARGEST = 10**15 - 1
# A format may carry its version, as in earnest-json/1; anything else with a slash is an address.
_TOKEN = re.compile(r"(?=.{1,80}\Z)[A-Za-z0-9][A-Za-z0-9._:+-]*(?:/[0-9]+)?")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_CURRENCY = re.compile(r"[A-Z]{3,5}")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")


class FactType(Protocol):
    """One type of fact."""

    def check(self, value: object) -> str | None:
        """What is wrong with the value, or None."""

    def schema(self) -> dict[str, Any]:
        """The JSON Schema (2020-12) of a value."""


@dataclass(frozen=True)
class Text:
    """A string that a pattern admits in full."""

    pattern: re.Pattern[str]
    meaning: str

    def check(self, value: object) -> str | None:
        """See `FactType`."""
        if isinstance(value, str) and self.pattern.fullmatch(value):
            return None
        return f"is not {self.meaning}"

    def schema(self) -> dict[str, Any]:
        """See `FactType`."""
        pattern = self.pattern.pattern.replace(r"\Z", "$")
        return {"type": "string", "pattern": f"^(?:{pattern})$", "description": self.meaning}


@dataclass(frozen=True)
class Identifier:
    """A public id, `evd_...`; of one prefix when it is named."""

    prefix: str = ""

    def check(self, value: object) -> str | None:
        """See `FactType`."""
        if is_id(value) and str(value).startswith(f"{self.prefix}_" if self.prefix else ""):
            return None
        return f"is not an id {self.prefix}".rstrip()

    def schema(self) -> dict[str, Any]:
        """See `FactType`."""
        named = self.prefix or "[a-z]{2,7}"
        return {"type": "string", "pattern": f"^{named}_[0-9a-z]{{1,32}}$"}


@dataclass(frozen=True)
class Whole:
    """A whole number in a closed range: a count, minor units, basis points."""

    least: int = 0
    most: int = LARGEST

    def check(self, value: object) -> str | None:
        """See `FactType`."""
        if isinstance(value, int) and not isinstance(value, bool):
            return None if self.least <= value <= self.most else "is out of range"
        return "is not a whole number"

    def schema(self) -> dict[str, Any]:
        """See `FactType`."""
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


@dataclass(frozen=True)
class Choice:
    """One of a closed set of words."""

    words: tuple[str, ...]

    def check(self, value: object) -> str | None:
        """See `FactType`."""
        return None if value in self.words else f"is not one of {', '.join(self.words)}"

    def schema(self) -> dict[str, Any]:
        """See `FactType`."""
        return {"enum": list(self.words)}


@dataclass(frozen=True)
class Yes:
    """A boolean."""

    def check(self, value: object) -> str | None:
        """See `FactType`."""
        return None if isinstance(value, bool) else "is not true or false"

    def schema(self) -> dict[str, Any]:
        """See `FactType`."""
        return {"type": "boolean"}


@dataclass(frozen=True)
class Record:
    """An object with exactly these facts: `required` all present, `optional` present or absent."""

    required: Mapping[str, FactType] = field(default_factory=dict)
    optional: Mapping[str, FactType] = field(default_factory=dict)

    def check(self, value: object) -> str | None:
        """See `FactType`; the answer names the fact."""
        if not isinstance(value, Mapping):
            return "is not an object"
        missing = [name for name in self.required if name not in value]
        if missing:
            return f"lacks {', '.join(missing)}"
        for name, item in value.items():
            kind = self.required.get(name) or self.optional.get(name)
            wrong = kind.check(item) if kind else "is not a known fact"
            if wrong:
                return f"{name} {wrong}"
        return None

    def schema(self) -> dict[str, Any]:
        """See `FactType`."""
        known = {**self.optional, **self.required}
        return {
            "type": "object",
            "properties": {name: known[name].schema() for name in sorted(known)},
            "required": sorted(self.required),
            "additionalProperties": False,
        }


@dataclass(frozen=True)
class Rows:
    """A list of objects of one shape, at most `most` of them."""

    row: Record
    most: int = 100

    def check(self, value: object) -> str | None:
        """See `FactType`; the answer names the row, counted from 0."""
        if not isinstance(value, list | tuple):
            return "is not a list"
        if len(value) > self.most:
            return f"has more than {self.most} rows"
        found = ((index, self.row.check(item)) for index, item in enumerate(value))
        return next((f"row {index} {wrong}" for index, wrong in found if wrong), None)

    def schema(self) -> dict[str, Any]:
        """See `FactType`."""
        return {"type": "array", "items": self.row.schema(), "maxItems": self.most}


TOKEN = Text(_TOKEN, "a token (letters, digits and ._:+- only, at most 80)")
DIGEST = Text(_DIGEST, "a sha256: digest")
CURRENCY = Text(_CURRENCY, "a currency code")
INSTANT = Text(_INSTANT, "an ISO 8601 time in UTC that ends in Z")
COUNT = Whole()
AMOUNT = Whole()
BPS = Whole(most=10_000)
YES = Yes()
EVIDENCE_ID = Identifier("evd")
