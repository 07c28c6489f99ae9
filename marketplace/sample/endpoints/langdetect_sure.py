"""langdetect that declines under its own probability of 0.9."""

from collections.abc import Callable, Mapping
from typing import Any

from langdetect import detector_factory
from langdetect.lang_detect_exception import LangDetectException
from langdetect.language import Language

from marketplace.sample.endpoints.languages import give
from marketplace.sample.protocol import build_application, read_text

THRESHOLD = 0.9
_rank: Callable[[str], list[Language]] = detector_factory.detect_langs


def answer(fields: Mapping[str, Any]) -> dict[str, Any]:
    text = read_text(fields, "text")
    try:
        best = _rank(text)[0]
    except LangDetectException:
        return give(None)
    return give(best.lang if best.prob >= THRESHOLD else None)


_rank("warm up")
application = build_application(slug="sure-guess", answer=answer)
