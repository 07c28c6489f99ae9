"""A text taken apart into words and gaps, and which of them nobody may touch.

Kept by rule: whatever holds a digit, code (fenced, in backticks, indented, or a word with the marks
of code), addresses, quoted spans, acronyms and other words with capitals inside, and every word of
the texts the task's owner expects. What is kept comes out of every family byte for byte.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from reputation.canonical import JsonValue

# Bounded repeats only, so that no text makes a search slow.
_KEPT_SPANS = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?s)```.*?(?:```|\Z)",
        r"(?m)^(?: {4}|\t)[^\n]*$",
        r"`[^`\n]{0,400}`",
        r'"[^"\n]{0,400}"',
        r"“[^”\n]{0,400}”",
        r"„[^“”\n]{0,400}[“”]",
        r"«[^»\n]{0,400}»",
        r"‘[^’\n]{0,400}’(?!\w)",
        r"(?<!\w)'[^'\n]{0,400}'(?!\w)",
    )
)
_WORD_OR_GAP = re.compile(r"\S+|\s+")
_CODE = frozenset('@_\\/{}[]<>=#$%^|~*+&`"“”„«»')
MOST_EXPECTED = 400
MOST_WORDS = 5


@dataclass(frozen=True, slots=True)
class Piece:
    """A word (a run without white space) or the gap between two; `kept` ones stay as they are."""

    text: str
    gap: bool
    kept: bool


def pieces(text: str, expected: Sequence[str] = ()) -> list[Piece]:
    """The text as pieces that join up to it; `expected` texts and the words of short ones are
    kept."""
    words = _words_of(expected)
    kept = _kept_places(text, expected)
    found = []
    for match in _WORD_OR_GAP.finditer(text):
        gap = match[0].isspace()
        inside = any(kept[match.start() : match.end()])
        found.append(Piece(match[0], gap, inside or (not gap and _is_kept(match[0], words))))
    return [_gap(found, i) if piece.gap else piece for i, piece in enumerate(found)]


def texts_in(value: JsonValue) -> list[str]:
    """Every text anywhere in a JSON value, keys left out; at most 400."""
    found: list[str] = []
    waiting = [value]
    while waiting and len(found) < MOST_EXPECTED:
        item = waiting.pop()
        if isinstance(item, str):
            found.append(item)
        elif isinstance(item, dict):
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
    return found


def bare(word: str) -> str:
    """A word without the punctuation around it, for comparing."""
    start, end = core(word)
    return word[start:end].casefold()


def core(word: str) -> tuple[int, int]:
    """Where the letters and digits of a word begin and end; (0, 0) when it has none."""
    inside = [i for i, c in enumerate(word) if c.isalnum()]
    return (inside[0], inside[-1] + 1) if inside else (0, 0)


def _words_of(expected: Iterable[str]) -> frozenset[str]:
    """The words of labels and short answers. A long expected text shares its words with everything,
    so only where it stands whole is it kept."""
    short = (text.split() for text in expected)
    words = {bare(word) for split in short if len(split) <= MOST_WORDS for word in split}
    return frozenset(words - {""})


def _kept_places(text: str, expected: Iterable[str]) -> bytearray:
    if text.lstrip()[:1] in ("{", "["):  # a document for programs, not for people
        return bytearray(b"\x01" * len(text))
    spans = [match.span() for pattern in _KEPT_SPANS for match in pattern.finditer(text)]
    for wanted in expected:
        place = text.find(wanted) if wanted else -1
        while place >= 0:
            spans.append((place, place + len(wanted)))
            place = text.find(wanted, place + len(wanted))
    kept = bytearray(len(text))
    for start, end in spans:
        kept[start:end] = b"\x01" * (end - start)
    return kept


def _is_kept(word: str, expected: frozenset[str]) -> bool:
    if any(c in _CODE or c.isnumeric() for c in word) or "://" in word or "`" in word:
        return True
    inside = word[slice(*core(word))]
    if any(c.isupper() for c in inside[1:]) or not inside:
        return bool(inside)
    return bare(word) in expected or any(len(w) > 1 and w in inside.casefold() for w in expected)


def _gap(found: Sequence[Piece], place: int) -> Piece:
    """A gap between two kept words is theirs: an expected text of several words stays whole."""
    around = [found[i].kept for i in (place - 1, place + 1) if 0 <= i < len(found)]
    piece = found[place]
    return replace(piece, kept=piece.kept or (len(around) == 2 and all(around)))
