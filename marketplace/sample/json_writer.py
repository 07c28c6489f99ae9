"""Writes a JSON value with one stated deviation from the grammar."""

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class JsonWriter:
    """`comment` is a template with `{}` for its text, put on a line of its own before a key."""

    quote: str = '"'
    end_quote: str | None = None
    bare_keys: bool = False
    trailing_comma: bool = False
    comment: str | None = None

    def write(self, value: Any, /) -> str:
        return self._write(value, depth=0)

    def _write(self, value: Any, depth: int) -> str:
        if isinstance(value, dict):
            return self._block("{}", [self._member(k, v, depth) for k, v in value.items()], depth)
        if isinstance(value, list):
            return self._block("[]", [self._write(item, depth + 1) for item in value], depth)
        return self._text(value) if isinstance(value, str) else json.dumps(value)

    def _member(self, key: str, value: Any, depth: int) -> str:
        name = key if self.bare_keys else self._text(key)
        member = f"{name}: {self._write(value, depth + 1)}"
        if self.comment is None or depth > 0:
            return member
        return f"{self.comment.format(f'the {key}')}\n  {member}"

    def _block(self, brackets: str, parts: list[str], depth: int) -> str:
        indent = "  " * (depth + 1)
        body = ",\n".join(indent + part for part in parts)
        comma = "," if self.trailing_comma else ""
        return f"{brackets[0]}\n{body}{comma}\n{'  ' * depth}{brackets[1]}"

    def _text(self, value: str) -> str:
        escaped = value.replace("\\", "\\\\").replace(self.quote, "\\" + self.quote)
        return f"{self.quote}{escaped}{self.end_quote or self.quote}"
