"""dateparser with the writer's locale and English, refusing any date that is not complete.

Parsers are built once per locale and day of reference: building one reads the locale's tables.
"""

import functools
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dateparser.data.languages_info import language_locale_dict
from dateparser.date import DateDataParser

from marketplace.sample.endpoints.days import give, read_reference
from marketplace.sample.protocol import InputMalformed, build_application, read_text

TEXT_LIMIT = 200
_ENGLISH = "en-GB"


def answer(fields: Mapping[str, Any]) -> dict[str, Any]:
    text, reference = read_text(fields, "text"), read_reference(fields)
    parser = _build_parser(_known_locale(read_text(fields, "locale")), reference)
    if not text.strip() or len(text) > TEXT_LIMIT:
        return give(None)
    found = parser.get_date_data(text).date_obj
    return give(found.date() if found else None)


def _known_locale(tag: str) -> str:
    """dateparser's name for a BCP 47 tag: the tag itself, else its language."""
    language = tag.split("-")[0]
    if language not in language_locale_dict:
        raise InputMalformed("input.locale is not a known locale")
    return tag if tag in language_locale_dict[language] else language


@functools.lru_cache(maxsize=64)
def _build_parser(locale: str, reference: datetime) -> DateDataParser:
    return DateDataParser(
        locales=[locale] if locale.startswith("en") else [locale, _ENGLISH],
        settings={
            "RELATIVE_BASE": reference,
            "STRICT_PARSING": True,
            "PARSERS": ["absolute-time"],
        },
    )


for _warm in ("da", "de", "en", _ENGLISH, "es", "fr", "it", "nl", "pl", "pt-PT", "sv"):
    _build_parser(_warm, datetime(2026, 3, 14)).get_date_data("1 2 2026")  # noqa: DTZ001
application = build_application(slug="house-rules", answer=answer)
