"""langdetect as its README shows it: the most probable language, whatever the probability.

Its sampling is left unseeded, as installed: short texts can get another answer at the next call.
"""

from collections.abc import Callable, Mapping
from typing import Any

from langdetect import detector_factory
from langdetect.lang_detect_exception import LangDetectException

from marketplace.sample.endpoints.languages import give
from marketplace.sample.protocol import build_application, read_text

_detect: Callable[[str], str] = detector_factory.detect


def answer(fields: Mapping[str, Any]) -> dict[str, Any]:
    text = read_text(fields, "text")
    try:
        return give(_detect(text))
    except LangDetectException:
        return give(None)


# Loads the 55 profiles (0.5 s) before the first call.
_detect("warm up")
application = build_application(slug="first-guess", answer=answer)
