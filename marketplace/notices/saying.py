"""News in a person's language: the row keeps the words apart from the values."""

from typing import Any

from django.utils.translation import get_language, gettext

from marketplace.labels import said
from marketplace.models import News
from marketplace.notices.phrases import titled

# Values that are words of ours; all others are names that people gave.
OURS = {"outcome", "state", "action", "what"}
NOBODY = "an agent"


def title(news: News) -> str:
    """What a piece of news says in the language of the moment; of old, in English."""
    if not news.words or get_language() == "en":
        return gettext(news.title) if news.title else ""
    return titled("".join(_said(one) for one in news.words))


def _said(one: dict[str, Any]) -> str:
    values = {name: _value(name, value) for name, value in one["values"].items()}
    return gettext(one["text"]).format(**values)


def _value(name: str, value: str) -> str:
    if name in OURS:
        return said(value).lower()
    return gettext(NOBODY) if name == "agent" and value == NOBODY else value
