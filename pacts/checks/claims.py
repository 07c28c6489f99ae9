"""What a text claims in so many words: its numbers, its names, its codes.

A number is digits with separators; where a comma or point may stand for thousands or for a
fraction, both readings count (`1.234` is 1.234 and 1234). A code is a word of letters and digits
together, or digits with signs between them (a date, a part number). A name is a run of capitalised
words; a single capitalised word at the start of a sentence is none, and of a longer run there the
first word may be missing in the source. Numbers that only count a list or point at a source (`1.`
at the start of a line, `[1]`) claim nothing.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from pacts.checks.folding import fold, words

LONGEST = 200_000
MOST_CLAIMS = 2_000

# Our own patterns; each repeat is bounded or stops where the next begins.
_POINTER = re.compile(r"\[[0-9]{1,3}\]|^[ \t]{0,8}[0-9]{1,3}[.)][ \t]", re.MULTILINE)
_TOKEN = re.compile(r"[^\W_](?:[\w.,'’/:\-]{0,80}[^\W_])?")
_NUMBER = re.compile(r"([0-9]+(?:[.,'’][0-9]+)*)(?:[^\W\d_]{1,4}|-[^\W\d_]{1,20})?\Z")
_POSSESSIVE = re.compile(r"['’]s?\Z")
_OPENS = frozenset('.!?:;\n\r•*"“„«(—–')


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim: how it stands in the text, and every way it may stand in a source."""

    written: str
    readings: frozenset[str]
    is_number: bool


@dataclass(frozen=True, slots=True)
class Grounds:
    """What the sources say, ready to be looked into."""

    words: str
    numbers: frozenset[str]

    def hold(self, claim: Claim) -> bool:
        """Whether a claim occurs in the sources."""
        if claim.is_number:
            return not claim.readings.isdisjoint(self.numbers)
        return any(reading in self.words for reading in claim.readings)


@lru_cache(maxsize=32)
def grounds(text: str) -> Grounds:
    """Read sources once, however many answers are held against them."""
    numbers = {
        reading
        for token in _TOKEN.finditer(text)
        for part in re.split(r"[/:\-]", token[0])
        if (number := _NUMBER.match(part))
        for reading in number_readings(number[1])
    }
    return Grounds(words(fold(text)), frozenset(numbers))


def claims(text: str, *, numbers: bool = True, names: bool = True) -> list[Claim]:
    """The claims of a text of at most 200,000 characters, at most 2,000 of them, each once."""
    found: dict[str, Claim] = {}
    for claim in _scan(_POINTER.sub(" ", text), names):
        if claim.is_number and not numbers:
            continue
        found.setdefault(claim.written, claim)
        if len(found) >= MOST_CLAIMS:
            break
    return list(found.values())


def _scan(text: str, names: bool) -> Iterator[Claim]:
    run: list[re.Match[str]] = []
    for token in _TOKEN.finditer(text):
        word = token[0]
        if any(c.isdigit() for c in word):
            yield _figure(word)
        elif names and word[0].isupper() and len(word) > 1:
            if run and text[run[-1].end() : token.start()] != " ":
                yield from _name(run, text)
                run = []
            run.append(token)
            continue
        yield from _name(run, text)
        run = []
    yield from _name(run, text)


def _figure(word: str) -> Claim:
    number = _NUMBER.match(word)
    if number:
        return Claim(word, number_readings(number[1]), is_number=True)
    return Claim(word, frozenset({words(fold(word))}), is_number=False)


def _name(run: list[re.Match[str]], text: str) -> Iterator[Claim]:
    if not run:
        return
    opens = _opens_sentence(run[0], text)
    spoken = [_POSSESSIVE.sub("", token[0]) for token in run]
    if opens and len(run) == 1 and not (spoken[0].isupper() and len(spoken[0]) > 1):
        return
    readings = {words(fold(" ".join(spoken)))}
    if opens and len(run) > 1:
        readings.add(words(fold(" ".join(spoken[1:]))))
    yield Claim(" ".join(spoken), frozenset(readings), is_number=False)


def _opens_sentence(token: re.Match[str], text: str) -> bool:
    before = text[max(0, token.start() - 20) : token.start()].rstrip(" \t")
    return not before or before[-1] in _OPENS


def number_readings(digits: str) -> frozenset[str]:
    """Every number these digits may stand for, written in one way: `1,234` is 1234 and 1.234."""
    parts = re.split(r"[.,'’]", digits)
    signs = [c for c in digits if not c.isdigit()]
    if not signs:
        return frozenset({_plain(digits, "")})
    groups = all(len(part) == 3 for part in parts[1:]) and len(parts[0]) <= 3
    readings = set()
    if groups and len(set(signs)) == 1:
        readings.add(_plain("".join(parts), ""))
    if len(signs) == 1 or (signs[-1] not in signs[:-1] and signs[-1] in ".,"):
        readings.add(_plain("".join(parts[:-1]), parts[-1]))
    return frozenset(readings or {digits})


def _plain(whole: str, fraction: str) -> str:
    whole, fraction = whole.lstrip("0") or "0", fraction.rstrip("0")
    return f"{whole}.{fraction}" if fraction else whole
