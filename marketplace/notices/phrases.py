"""What a title says, apart from the language it is said in: texts with named values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

LONGEST = 200  # characters of a title


@dataclass(frozen=True, slots=True)
class Phrase:
    """A text with `{name}` where each value goes; catalogues have it under these words."""

    text: str
    values: Mapping[str, str]


Words = Sequence[Phrase]  # said one behind the other


def phrase(text: str, **values: str) -> Phrase:
    """One phrase; catalogues are filled from calls of this name."""
    return Phrase(text, values)


def word(text: str) -> str:
    """A label that pages translate; catalogues are filled from calls of this name."""
    return text


def in_english(words: Words, **names: str) -> str:
    """The title as it stands in the row; `names` fill what is drawn when it is read."""
    return titled("".join(one.text.format(**(names | dict(one.values))) for one in words))


def titled(text: str) -> str:
    """With a capital, and no longer than a title may be."""
    return (text[:1].upper() + text[1:])[:LONGEST]


def kept(words: Words) -> list[dict[str, Any]]:
    """The same as JSON, for the row."""
    return [{"text": one.text, "values": dict(one.values)} for one in words]
