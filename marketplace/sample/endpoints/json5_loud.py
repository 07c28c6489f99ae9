"""json5 on what stands between the first and the last brace: reads relaxed JSON or declines."""

from collections.abc import Mapping
from typing import Any

import json5

from marketplace.sample.endpoints.documents import TEXT_LIMIT, cut_out, give
from marketplace.sample.protocol import build_application, read_text


def answer(fields: Mapping[str, Any]) -> dict[str, Any]:
    text = cut_out(read_text(fields, "text"))
    if not text or len(text) > TEXT_LIMIT:
        return give(None)
    try:
        return give(json5.loads(text, allow_duplicate_keys=False))
    except (ValueError, RecursionError):
        return give(None)


application = build_application(slug="all-or-nothing", answer=answer)
