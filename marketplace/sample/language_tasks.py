"""Tasks for language identification.

Benchmark: made like the public test sets of this task, from clean text in two lengths. Of the
16 sentences per language in `sentences.py` the first ten are used whole (`sentence`), and of
each of the other six the longest word with the word before it (`word_pair`): 160 tasks.

Buyer: a support desk routes chat messages to ten language teams. Of the ten messages per
language in `phrases.py` the first five are used as typed (`short`), the other five as typed in
a hurry (`noisy`: accents dropped, then one drawn blemish). `mixed` puts English manners around
a drawn message of another language, as chats do. `out_of_scope` holds what has no language:
names, links, order numbers, laughter, keys hit at random. Those must be declined.

Every message is in one language only: Danish is left out because half of its messages are
letter for letter Norwegian too.
"""

import unicodedata
from collections.abc import Iterator

from marketplace.sample.draw import Draw
from marketplace.sample.phrases import PHRASES
from marketplace.sample.sentences import SENTENCES
from marketplace.sample.task import SampleTask

LANGUAGES = tuple(SENTENCES)
_WHOLE = 10
_SHORT = 5
_MIXED = 30
_EACH_OUT_OF_SCOPE = 10
_PLAIN_LETTERS = str.maketrans({"ø": "o", "æ": "ae", "ß": "ss", "ł": "l", "œ": "oe"})
_EMOJI = ("😀", "🙏", "😡", "👍", "🎉", "😭")
_LAUGHS = ("ha", "he", "ja", "xi", "lo")
_MANNERS = (("hi", ""), ("hello,", ""), ("ok", ""), ("", "please"), ("", "thanks"), ("sorry", ""))
_FIRST_NAMES = ("Anna", "Marco", "Lucas", "Sofia", "Jan", "Elena", "Oscar", "Julia")
_LAST_NAMES = ("Berg", "Rossi", "Novak", "Costa", "Smit", "Moreau", "Lind", "Weber")


def make_benchmark() -> list[SampleTask]:
    """160 tasks: 100 sentences, 60 word pairs."""
    sentences = [_task(s, code, "sentence") for code in LANGUAGES for s in SENTENCES[code][:_WHOLE]]
    pairs = [
        _task(_two_words(sentence), code, "word_pair")
        for code in LANGUAGES
        for sentence in SENTENCES[code][_WHOLE:]
    ]
    return sentences + pairs


def make_buyer() -> list[SampleTask]:
    """180 tasks: 50 short, 50 noisy, 30 mixed, 50 out of scope."""
    draw = Draw("language/buyer/1")
    short = [_task(p, code, "short") for code in LANGUAGES for p in PHRASES[code][:_SHORT]]
    noisy = [
        _task(_blemish(phrase, draw), code, "noisy")
        for code in LANGUAGES
        for phrase in PHRASES[code][_SHORT:]
    ]
    mixed = [_mix(draw) for _ in range(_MIXED)]
    nothing = [_task(text, None, "out_of_scope") for text in _no_language(draw)]
    return short + noisy + mixed + nothing


def drop_accents(text: str) -> str:
    """Type `text` on a keyboard without accents: ø becomes o, ß becomes ss."""
    decomposed = unicodedata.normalize("NFD", text.translate(_PLAIN_LETTERS))
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def _task(text: str, language: str | None, stratum: str) -> SampleTask:
    return SampleTask(
        input={"text": text},
        expected={"language": language},
        stratum=stratum,
        in_scope=language is not None,
    )


def _two_words(sentence: str) -> str:
    words = sentence.rstrip(".").replace(",", "").split()
    at = max(words.index(max(words, key=len)), 1)
    return f"{words[at - 1]} {words[at]}"


def _blemish(phrase: str, draw: Draw) -> str:
    plain = drop_accents(phrase)
    kind = draw.integer(1, 4)
    if kind == 1:
        return _swap_letters(plain, draw)
    if kind == 2:
        return _stretch_vowel(plain)
    if kind == 3:
        return f"{plain} {draw.one_of(_EMOJI) * 2}"
    return f"{plain} {draw.integer(10000, 99999)}"


def _swap_letters(text: str, draw: Draw) -> str:
    """Exchange two neighbouring letters inside the longest word."""
    word = max(text.split(), key=len)
    at = draw.integer(1, len(word) - 3) if len(word) > 3 else 0
    swapped = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return text.replace(word, swapped, 1)


def _stretch_vowel(text: str) -> str:
    at = max(text.rfind(vowel) for vowel in "aeiouy")
    return text[:at] + text[at] * 4 + text[at + 1 :]


def _mix(draw: Draw) -> SampleTask:
    language = draw.one_of([code for code in LANGUAGES if code != "en"])
    phrase = draw.one_of(PHRASES[language])
    before, after = draw.one_of(_MANNERS)
    return _task(f"{before} {phrase} {after}".strip(), language, "mixed")


def _no_language(draw: Draw) -> Iterator[str]:
    for _ in range(_EACH_OUT_OF_SCOPE):
        first, last = draw.one_of(_FIRST_NAMES), draw.one_of(_LAST_NAMES)
        yield f"{first} {last}"
        yield f"https://shop.example/{last.lower()}/{draw.integer(100, 999)}"
        yield f"#{draw.one_of('ABCDEFGH')}{draw.integer(10000, 99999)}-{draw.integer(1, 9)}"
        yield draw.one_of(_LAUGHS) * draw.integer(2, 6)
        yield "".join(draw.one_of("asdfghjkl") for _ in range(draw.integer(5, 10)))
