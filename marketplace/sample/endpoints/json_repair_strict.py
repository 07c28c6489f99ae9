"""json-repair in its strict mode, which raises where a repair would be a guess."""

from collections.abc import Mapping
from typing import Any

import json_repair

from marketplace.sample.endpoints.documents import TEXT_LIMIT, cut_out, give
from marketplace.sample.protocol import build_application, read_text


def answer(fields: Mapping[str, Any]) -> dict[str, Any]:
    text = cut_out(read_text(fields, "text"))
    if len(text) > TEXT_LIMIT:
        return give(None)
    try:
        return give(json_repair.loads(text, strict=True))
    except (ValueError, RecursionError):
        return give(None)


application = build_application(slug="mend-some", answer=answer)
