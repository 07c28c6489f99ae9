"""dateutil's `parse(fuzzy=True)`: skips the words that it does not know."""

from collections.abc import Mapping
from typing import Any

from dateutil import parser

from marketplace.sample.endpoints.days import give, read_reference
from marketplace.sample.protocol import build_application, read_text


def answer(fields: Mapping[str, Any]) -> dict[str, Any]:
    text, reference = read_text(fields, "text"), read_reference(fields)
    try:
        return give(parser.parse(text, default=reference, fuzzy=True).date())
    except (ValueError, OverflowError):
        return give(None)


application = build_application(slug="any-day-anywhere", answer=answer)
