"""The texts an answer must rest on, wherever a task keeps them.

At `sources_field` of the task's input (or, with `sources_in`, of its expected answer or of the
agent's own) stands one text; a list of texts, known as "1", "2" …; a list of objects with an `id`
and a `text`; or an object of texts by id. At most 500 sources of 2,000,000 characters in all.
"""

from collections.abc import Mapping
from functools import lru_cache

from pacts.checks.check import Call, Params
from pacts.checks.fields import FIELD, at, sound
from pacts.checks.unicode_forms import normal
from reputation.canonical import JsonValue

MOST_SOURCES = 500
MOST_CHARACTERS = 2_000_000

SOURCES: dict[str, JsonValue] = {
    "sources_field": FIELD,
    "sources_in": {"enum": ["input", "expected", "answer"]},
}
_SAME = str.maketrans("“”„‟«»‘’‚‛′″–—‒−‐‑", '""""""\'\'\'\'\'"------')


class NoSources(ValueError):
    """Where the sources should be is nothing that can be read as such."""


def sources(params: Params, call: Call) -> dict[str, str]:
    """The sources by id. Raises NoSources."""
    places = {"input": call.input, "expected": call.expected, "answer": call.output}
    found = at(places[str(params.get("sources_in", "input"))], params["sources_field"])
    if isinstance(found, str):
        named = {"1": found}
    elif isinstance(found, list):
        named = dict(_listed(i + 1, item) for i, item in enumerate(found[: MOST_SOURCES + 1]))
    elif isinstance(found, Mapping):
        named = {key: text for key, text in found.items() if isinstance(text, str)}
    else:
        raise NoSources("there are no sources")
    if not any(text.strip() for text in named.values()):
        raise NoSources("the sources hold no text")
    if len(named) > MOST_SOURCES or sum(map(len, named.values())) > MOST_CHARACTERS:
        raise NoSources(f"over {MOST_SOURCES} sources or {MOST_CHARACTERS} characters")
    return {key: sound(text) for key, text in named.items()}


def blame(params: Params) -> bool:
    """Whether missing sources are the agent's: it was to bring them itself."""
    return params.get("sources_in") == "answer"


def weakness(params: Params) -> str | None:
    """What to be warned of where the agent brings its own sources."""
    if blame(params):
        return "the agent brings the sources itself, so it can write what it wants to cite"
    return None


def _listed(number: int, item: JsonValue) -> tuple[str, str]:
    if isinstance(item, str):
        return str(number), item
    text = item.get("text") if isinstance(item, dict) else None
    if not isinstance(item, dict) or not isinstance(text, str):
        raise NoSources(f"source {number} has no text")
    named = item.get("id", number)
    return str(named) if isinstance(named, str | int) else str(number), text


@lru_cache(maxsize=64)
def readable(text: str) -> str:
    """Text as it is quoted: NFKC, one kind of quotation mark and dash, single spaces, any case."""
    return " ".join(normal("NFKC", text).translate(_SAME).casefold().split())
