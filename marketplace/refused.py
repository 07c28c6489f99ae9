"""Refusals and reasons of the domain in the visitor's language.

Lower floors say in English why they refuse, why money waits and what a silence means, to programs
and people alike. A page finds the text among the patterns of its language, by what stands around
the values, and says it with the same values; a text that no pattern fits stays English.
"""

import json
import re
from functools import cache
from pathlib import Path

from django.utils.translation import get_language

LOCALE = Path(__file__).resolve().parent / "locale"
_VALUE = re.compile(r"\{(\d+)\}")


def said(text: str) -> str:
    """A refusal or a reason in the language of the moment."""
    language = get_language() or "en"
    exact, patterns = _table(language)
    if text in exact:
        return exact[text]
    for pattern, words in patterns:
        if match := pattern.fullmatch(text):
            return _filled(words, match.groups())
    return text


def _filled(words: str, values: tuple[str, ...]) -> str:
    return _VALUE.sub(lambda place: values[int(place[1]) - 1], words)


def table(language: str) -> dict[str, str]:
    """English pattern → the same in a language, `{1}` for each value; empty without a file."""
    path = LOCALE / language / "domain.json"
    found: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    return found


@cache
def _table(language: str) -> tuple[dict[str, str], list[tuple[re.Pattern[str], str]]]:
    """Texts without values, and patterns with them, the most specific first."""
    rows = table(language)
    exact = {text: words for text, words in rows.items() if not _VALUE.search(text)}
    patterns = sorted(rows.keys() - exact.keys(), key=lambda one: -len(_VALUE.sub("", one)))
    return exact, [(_pattern(one), rows[one]) for one in patterns]


def _pattern(text: str) -> re.Pattern[str]:
    parts = _VALUE.split(text)[::2]
    return re.compile("(.+?)".join(map(re.escape, parts)), re.DOTALL)
