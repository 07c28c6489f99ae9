"""Families that touch the words and gaps of a text: typos, case, whitespace, punctuation, Unicode.

Each takes the pieces of a text and a stream of draws, and gives the texts that take their place, in
order; a family that finds nothing to do gives back what it got.
"""

import unicodedata
from collections.abc import Callable, Sequence

from pacts.perturb.draws import Draws
from pacts.perturb.pieces import Piece, bare, core

LEAST_LETTERS = 5
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_NEIGHBOURS = {
    letter: row[max(0, i - 1) : i] + row[i + 1 : i + 2]
    for row in _ROWS
    for i, letter in enumerate(row)
}


def typos(parts: Sequence[Piece], draws: Draws) -> list[str]:
    """About one in six longer words loses, doubles, swaps or mistypes one inner letter.

    Words of five letters or more in a script with upper and lower case; first and last letters
    stay, and no typo makes another word of the same text.
    """
    taken = {bare(part.text) for part in parts}
    able = [i for i, part in enumerate(parts) if not part.kept and _can_be_mistyped(part.text)]
    chosen = draws.some(able, 6)
    return [
        _mistyped(part.text, taken, draws) if i in chosen else part.text
        for i, part in enumerate(parts)
    ]


def _can_be_mistyped(word: str) -> bool:
    start, end = core(word)
    inside = word[start:end]
    return len(inside) >= LEAST_LETTERS and all(
        c.isalpha() and c.lower() != c.upper() for c in inside
    )


def _mistyped(word: str, taken: set[str], draws: Draws) -> str:
    start, end = core(word)
    for _ in range(8):
        typo = _typo(word[start:end], draws)
        if typo.casefold() not in taken:
            return word[:start] + typo + word[end:]
    return word


def _typo(letters: str, draws: Draws) -> str:
    place = 1 + draws.below(len(letters) - 3)  # neither the first nor the last two
    before, letter, after = letters[:place], letters[place], letters[place + 1 :]
    kind = draws.below(4)
    if kind == 0 and letter != after[0]:
        return before + after[0] + letter + after[1:]
    if kind == 1:
        return before + after
    if kind == 2 and letter in _NEIGHBOURS:
        return before + draws.pick(_NEIGHBOURS[letter]) + after
    return before + letter + letter + after


def case(parts: Sequence[Piece], draws: Draws) -> list[str]:
    """All words in lower case, in capitals, or with a capital first, where that can be undone."""
    styles: list[Callable[[str], str]] = [_lower, _upper, _first_upper]
    return _first_change(parts, styles, draws, gaps=False)


def _lower(word: str) -> str:
    return "".join(c.lower() if _undoable(c) else c for c in word)


def _upper(word: str) -> str:
    return "".join(c.upper() if _undoable(c) else c for c in word)


def _first_upper(word: str) -> str:
    start, _ = core(word)
    return word[:start] + _upper(word[start : start + 1]) + word[start + 1 :]


def _undoable(c: str) -> bool:
    """Whether the letter has one lower and one upper form: neither ß nor a final sigma has."""
    return len(c.upper()) == len(c.lower()) == 1 and c in (c.upper().lower(), c.lower().upper())


def whitespace(parts: Sequence[Piece], draws: Draws) -> list[str]:
    """One in four single spaces doubled, and a space at the end; lines stay lines."""
    able = [i for i, part in enumerate(parts) if part.gap and part.text == " " and not part.kept]
    chosen = draws.some(able, 4)
    found = ["  " if i in chosen else part.text for i, part in enumerate(parts)]
    if found and not parts[-1].kept:
        found[-1] += " "
    return found


def punctuation(parts: Sequence[Piece], draws: Draws) -> list[str]:
    """The last mark of the text dropped, added or doubled; dashes and dots in another style.

    Commas stay: they change who eats whom.
    """
    found = [part.text if part.kept or part.gap else _restyled(part.text) for part in parts]
    last = next((i for i in reversed(range(len(parts))) if not parts[i].gap), None)
    if last is None or parts[last].kept:
        return found
    word = found[last]
    if word[-1] in "!?":
        found[last] = word + word[-1]
    elif word.endswith(".") and word[:-1].strip(".").isalpha():
        found[last] = word[:-1] + draws.pick(("", "!"))
    elif word[-1].isalpha() and word.isascii():
        found[last] = word + "."
    return found


def _restyled(word: str) -> str:
    if word in ("-", "–"):
        return "–" if word == "-" else "-"
    return word[:-3] + "…" if word.endswith("...") and not word.endswith("....") else word


def unicode_forms(parts: Sequence[Piece], draws: Draws) -> list[str]:
    """The same characters written another way: composed, decomposed, typographic apostrophes,
    no-break spaces. Nothing is exchanged for a look-alike of another script."""
    styles: list[Callable[[str], str]] = [
        lambda text: unicodedata.normalize("NFD", text),
        lambda text: unicodedata.normalize("NFC", text),
        _curly,
        lambda text: "\u00a0" if text == " " else text,
    ]
    return _first_change(parts, styles, draws, gaps=True)


def _curly(word: str) -> str:
    inner = word[1:-1].replace("'", "’")
    return word[:1] + inner + word[-1:] if len(word) > 2 else word


def _first_change(
    parts: Sequence[Piece], styles: Sequence[Callable[[str], str]], draws: Draws, *, gaps: bool
) -> list[str]:
    """The first style, in a drawn order, that changes anything."""
    before = [part.text for part in parts]
    for i in draws.order(len(styles)):
        after = [
            part.text if part.kept or (part.gap and not gaps) else styles[i](part.text)
            for part in parts
        ]
        if after != before:
            return after
    return before
