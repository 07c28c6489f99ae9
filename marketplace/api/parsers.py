"""Reading bodies: strict JSON within a size, or a refusal that says what to change."""

from collections.abc import Mapping
from typing import IO, Any

from rest_framework import status
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser

from pacts.strict_json import MalformedJson, parse_json
from reputation.canonical import JsonValue

MOST_BYTES = 1_000_000


class BodyTooLarge(APIException):
    """The body is longer than the endpoint takes."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "body-too-large"


class StrictJsonParser(BaseParser):
    """I-JSON in UTF-8: no NaN, no duplicate keys, no NUL; one megabyte, or the view's own limit."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        view = (parser_context or {}).get("view")
        limit = getattr(view, "most_bytes", MOST_BYTES)
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise BodyTooLarge(f"The body is longer than {limit} bytes; send less at a time.")
        try:
            value = parse_json(body)
        except MalformedJson as error:
            raise ParseError(f"The body is not JSON that is read here: {error}.") from error
        if b"u0000" in body and holds_nul(value):
            raise ParseError("A text holds a NUL character; remove it.")
        return value


def holds_nul(value: JsonValue) -> bool:
    """Whether any text inside, keys included, holds U+0000, which PostgreSQL cannot store."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str) and "\x00" in item:
            return True
        if isinstance(item, dict):
            waiting += [*item, *item.values()]
        elif isinstance(item, list):
            waiting += item
    return False
