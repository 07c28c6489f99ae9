"""Strangers' text as it really is: whatever reads otherwise than it looks is written out. Pure.

Written out as its code (`[U+202E]`) is what nobody sees or what turns a line round: controls,
zero-width and direction marks, fillers, tags and selectors (which can carry a text of their own to
a machine), marks piled on one letter, and, in a word of Latin letters, letters of another alphabet
that look the same. Ranges: Unicode's Default_Ignorable_Code_Point, and UTS 39 for mixed words.
"""

import re

_UNSEEN = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0e\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_PICTURES = "\u00a9\u00ae\u203c-\u3299\U0001f000-\U0001faff"
_MOST_MARKS = 4  # on one letter; no language needs more
_MARKS = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
_HIDDEN = re.compile(
    f"[{_UNSEEN}]|(?<![{_PICTURES}])\ufe0f|(?<=[{_MARKS}]{{{_MOST_MARKS}}})[{_MARKS}]"
)
_LOOKALIKES = "\u0370-\u03ff\u0400-\u052f\u0531-\u0587\u13a0-\u13ff\uff21-\uff5a"
_WORD = re.compile(r"[^\W\d_]+")
_LATIN, _OTHER = re.compile("[A-Za-z]"), re.compile(f"[{_LOOKALIKES}]")


def made_visible(text: str) -> str:
    """The text with everything that reads otherwise than it looks written out as its code."""
    clean = _HIDDEN.sub(_code, text.replace("\r\n", "\n"))
    return clean if clean.isascii() else _WORD.sub(_unmixed, clean)


def _code(found: re.Match[str]) -> str:
    return f"[U+{ord(found[0]):04X}]"


def _unmixed(word: re.Match[str]) -> str:
    """A word of two alphabets is none of any language: µ and the like stand alone."""
    if not (_LATIN.search(word[0]) and _OTHER.search(word[0])):
        return word[0]
    return _OTHER.sub(_code, word[0])
