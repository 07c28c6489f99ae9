"""CLD2 through pycld2: answers when CLD2 calls its own answer reliable, else declines."""

from collections.abc import Mapping
from typing import Any

import pycld2

from marketplace.sample.endpoints.languages import give, strip_controls
from marketplace.sample.protocol import build_application, read_text

_UNKNOWN = "un"


def answer(fields: Mapping[str, Any]) -> dict[str, Any]:
    text = strip_controls(read_text(fields, "text"))
    try:
        reliable, _, details = pycld2.detect(text)
    except pycld2.error:
        return give(None)
    code = details[0][1]
    return give(code if reliable and code != _UNKNOWN else None)


pycld2.detect("warm up")
application = build_application(slug="plain-words", answer=answer)
