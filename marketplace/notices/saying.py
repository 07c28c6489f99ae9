"""News in a person's language: the row keeps the words apart from the values.

Whose name may be erased stands in no row: it is drawn here, from whoever the news point at.
"""

from typing import Any

from django.utils.translation import get_language, gettext, override

from marketplace.labels import said
from marketplace.models import News, SavedSearch
from marketplace.notices.phrases import LONGEST, titled
from marketplace.searches import titles

# Values that are words of ours; all others are names that people gave.
OURS = {"outcome", "state", "action", "what"}
NOBODY = "an agent"
DRAWN = ("news__party", "news__who", "news__search")  # what a notice's title is drawn from


def title(news: News) -> str:
    """What a piece of news says in the language of the moment; of old, in English."""
    if news.search_id and news.words:
        return titles.title_from(news.words[0]["values"], name=_search_of(news))[:LONGEST]
    if not news.words or (get_language() == "en" and not news.who_id):
        return gettext(news.title) if news.title else ""
    names = {"who": news.who.name} if news.who else {}
    return titled("".join(_said(one, names) for one in news.words))


def in_english(news: News) -> str:
    """The same as programs read it, whatever language was asked for."""
    with override("en"):
        return title(news)


def _search_of(news: News) -> str:
    try:
        return news.search.name if news.search else titles.UNNAMED
    except SavedSearch.DoesNotExist:  # erased with who kept it
        return titles.UNNAMED


def _said(one: dict[str, Any], names: dict[str, str]) -> str:
    values = {name: _value(name, value) for name, value in one["values"].items()}
    return gettext(one["text"]).format(**(values | names))


def _value(name: str, value: str) -> str:
    if name in OURS:
        return said(value).lower()
    return gettext(NOBODY) if name == "agent" and value == NOBODY else value
