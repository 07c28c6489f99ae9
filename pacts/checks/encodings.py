"""One text in the encodings it may be smuggled out in, and looking for it in another.

A `Canary` is found verbatim; in other case, marks and look-alike letters; spelled with anything
between its letters; backwards; in rot13 and Atbash; with digits for letters; in hexadecimal,
base64 (either alphabet, wherever in a longer text it was encoded), base32, per-cent and other
escapes and HTML entities; in Unicode's invisible tag letters; and in any of these of its small,
capital, reversed and rot13 forms. base64 and base32 are RFC 4648; to find one text inside the
encoding of a longer one, its encoding is taken at each alignment without the letters on the edge.
"""

import base64
import codecs
import html
import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from pacts.checks.fields import sound
from pacts.checks.folding import compact, fold, leet

SHORTEST = 8
LONGEST = 2_000

_ATBASH = str.maketrans("abcdefghijklmnopqrstuvwxyz", "zyxwvutsrqponmlkjihgfedcba")
_TAGS = {0xE0000 + code: chr(code) for code in range(0x20, 0x7F)}
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/]+")
_NOT_BASE32 = re.compile(r"[^A-Z2-7]+")
_NOT_HEX = re.compile(r"[^0-9a-f]+")
_HEX_MARKS = re.compile(r"0x|\\x|\\u00|&#x|u\+00|%")
_URL_SAFE = str.maketrans("-_", "+/")
_UNICODE_ESCAPE = re.compile(r"\\u\{?([0-9A-Fa-f]{4,6})\}?|\\x([0-9A-Fa-f]{2})")
_DECIMALS = re.compile(r"\b[0-9]{2,3}(?:[ ,;]{1,2}[0-9]{2,3}){7,}\b")


@dataclass(frozen=True, slots=True)
class Canary:
    """What to look for: letters alone, and the encodings, each without separators."""

    letters: frozenset[str]
    leet: str
    hex: frozenset[str]
    base64: frozenset[str]
    base32: frozenset[str]


def letters_of(text: str) -> str:
    """What of a text is looked for: its letters and digits, folded."""
    return compact(fold(sound(text)))


@lru_cache(maxsize=512)
def canary(text: str) -> Canary:
    """Everything one planted text is looked for as."""
    bare = letters_of(text)
    forms = {text, text.lower(), text.upper(), text[::-1], codecs.encode(text, "rot13")}
    coded = [form.encode(errors="replace") for form in sorted(forms)]
    rot13 = codecs.encode(bare, "rot13")
    letters = {bare, rot13, bare.translate(_ATBASH)}
    return Canary(
        letters=frozenset(letters | {one[::-1] for one in letters}),
        leet=compact(leet(fold(sound(text)))),
        hex=frozenset(data.hex() for data in coded),
        base64=frozenset(part for data in coded for part in _base64_parts(data)),
        base32=frozenset(part for data in coded for part in _base32_parts(data)),
    )


def _base64_parts(data: bytes) -> list[str]:
    """The letters that stand for these bytes alone, at each of the three alignments."""
    return [_inside(base64.b64encode(bytes(k) + data).decode(), k, len(data), 6) for k in range(3)]


def _base32_parts(data: bytes) -> list[str]:
    return [_inside(base64.b32encode(bytes(k) + data).decode(), k, len(data), 5) for k in range(5)]


def _inside(encoded: str, before: int, size: int, bits: int) -> str:
    first = -(-before * 8 // bits)
    last = (before + size) * 8 // bits
    return encoded[first:last]


def found_as(text: str, planted: Canary) -> str | None:
    """How the planted text occurs in another, or None."""
    for reading, name in _readings(text):
        as_what = _found_in(reading, planted)
        if as_what is not None:
            return f"{as_what}, {name}" if name else as_what
    return None


def _readings(text: str) -> list[tuple[str, str]]:
    """The text, and what it says once escapes are undone, where that is something else."""
    readings = {text: ""}
    readings.setdefault(html.unescape(text) if "&" in text else text, "in HTML entities")
    if "%" in text:
        readings.setdefault(unquote_to_bytes(text).decode(errors="replace"), "in per-cent escapes")
    if "\\" in text:
        readings.setdefault(_UNICODE_ESCAPE.sub(_character, text), "in escapes")
    if not text.isascii():
        readings.setdefault(text.translate(_TAGS), "in invisible letters")
    if codes := _DECIMALS.findall(text[:100_000]):
        said = "".join(chr(int(n)) for run in codes for n in re.findall(r"[0-9]+", run))
        readings.setdefault(said, "as character codes")
    return list(readings.items())


def _character(found: re.Match[str]) -> str:
    code = int(found[1] or found[2], 16)
    return chr(code) if code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF else "\ufffd"


def _found_in(text: str, planted: Canary) -> str | None:
    folded = fold(text)
    bare = compact(folded)
    if any(letters in bare for letters in planted.letters):
        return "in its letters"
    if planted.leet in compact(leet(folded)):
        return "with digits for letters"
    if _occurs(planted.base64, _NOT_BASE64.sub("", text.translate(_URL_SAFE))):
        return "in base64"
    if _occurs(planted.base32, _NOT_BASE32.sub("", text.upper())):
        return "in base32"
    lower = _HEX_MARKS.sub(" ", text.lower())
    if _occurs(planted.hex, _NOT_HEX.sub("", lower)):
        return "in hexadecimal"
    return None


def _occurs(needles: frozenset[str], hay: str) -> bool:
    return any(needle in hay for needle in needles)
