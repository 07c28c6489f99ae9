"""json-repair as its README shows it: always returns something."""

from collections.abc import Mapping
from typing import Any

import json_repair

from marketplace.sample.endpoints.documents import TEXT_LIMIT, give
from marketplace.sample.protocol import build_application, read_text


def answer(fields: Mapping[str, Any]) -> dict[str, Any]:
    text = read_text(fields, "text")
    if len(text) > TEXT_LIMIT:
        return give(None)
    try:
        return give(json_repair.loads(text))
    except (ValueError, RecursionError):
        return give(None)


application = build_application(slug="mend-all", answer=answer)
