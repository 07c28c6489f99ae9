"""Text as it looks to a reader: what seems the same folds to the same.

`fold` takes compatibility forms apart (NFKC: full-width, mathematical, circled letters), drops what
cannot be seen (format characters, fillers, variation selectors, tags) and the marks on letters, and
writes letters that look like one Latin letter as that letter. Folding twice folds once.

Which letters those are says the table of confusables of Unicode Technical Standard #39, read
through the library confusable-homoglyphs: every letter and digit of any script that the table holds
to look like one Latin letter, capitals before their case is folded (a Greek capital nu looks like
an N, its small letter like a v). Where the table knows none, or calls an I an l, the list below
decides: Cyrillic, Greek, Armenian, Cherokee and small-capital letters, Latin ones with strokes and
hooks, and enclosed ones. Signs that look like letters stay what separates words, and digits 0 to 9
stay digits (but for `leet`); two letters that look like one (`rn` for `m`) are not folded. A fold
is therefore no proof that nothing looks alike.

`leet` also reads digits and signs as the letters they stand in for; everything that looks like an l
(`1 ! | i`) is one letter then, so it finds more than is meant and is a clause's own choice.
"""

import re
import unicodedata
from functools import lru_cache
from string import ascii_lowercase
from typing import Any, cast

import re2

from pacts.checks.unicode_forms import normal

# Letters and what they look like, in lower case, as case folding leaves them.
_LOOKS = (
    ("авекмнорстухѕіјһԁԛԝѵгпүӏьҽԍҏӽґꙅ", "abekmhopctyxsijhdqwvrnylbegpxrs"),  # Cyrillic
    ("αβεζηικμνορτυχγωϲϳϝσ", "abeznikuvoptuxywcjfo"),  # Greek
    ("աեոսօցհզյ", "wenuoghqj"),  # Armenian
    ("ᎠᎡᎢᎥᎩᎪᎫᎬᎳᎷᎻᎽᏀᏃᏏᏒᏔᏕᏙᏚᏞᏟᏢᏦᏧᏴᏳ", "drtiyajewmhygzbrwsvslcpkdbg"),  # Cherokee
    ("ıȷłøđħŧƀɓƈɖɗƒɠɦɨƙɫɱɲŋɵƥɋɍʂƭʉʋƴʐƶɑɡɩ", "ijlodhtbbcddfghiklmnnopqrstuvyzzagi"),
    ("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘꞯʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnopqrstuvwyz"),  # small capitals
)
_LETTERS = {ord(a): b for theirs, ours in _LOOKS for a, b in zip(theirs, ours, strict=True)}
for _first in (0x1F150, 0x1F170, 0x1F1E6):  # negative circled and squared, regional indicators
    _LETTERS.update({_first + i: chr(ord("a") + i) for i in range(26)})

_LEET = str.maketrans("012345789@$€£i6", "olzeastbgasellg")
_LEET_SIGN = re.compile(r"[!|](?=\w)")
_LEET_PLUS = re.compile(r"\+(?=\w)")
_FILLERS = "\u115f\u1160\u3164\uffa0\u2800"


@lru_cache(maxsize=1)
def _unseen() -> Any:
    return re2.compile(rf"[\p{{Mn}}\p{{Me}}\p{{Cf}}{_FILLERS}]+")  # type: ignore[no-untyped-call]


def fold(text: str) -> str:
    """The text in small letters as it looks; a text folds to at most 18 times its length."""
    if text.isascii():
        return text.casefold()
    for _ in range(4):
        folded = _fold_once(text)
        if folded == text:
            return text
        text = folded
    return text


def _fold_once(text: str) -> str:
    looks = _confusables()
    bare = cast(str, _unseen().sub("", normal("NFKD", text.translate(looks)))).translate(looks)
    return _by_list(bare)


def _by_list(text: str) -> str:
    apart = normal("NFKD", normal("NFKC", text).casefold())
    return cast(str, _unseen().sub("", apart)).translate(_LETTERS).casefold()


@lru_cache(maxsize=1)
def _confusables() -> dict[int, str]:
    """Code points that look like one Latin letter, by the table of UTS #39; read once, 0.1 s."""
    from confusable_homoglyphs.confusables import confusables_data

    return {
        ord(row["c"]): letter
        for letter in ascii_lowercase
        for latin in (letter, letter.upper())
        for row in confusables_data[latin]
        if _decides(row["c"], letter)
    }


def _decides(look: str, letter: str) -> bool:
    """Whether the table, not the list, says what this character looks like."""
    if len(look) > 1 or look.isascii() or unicodedata.category(look)[0] not in "LN":
        return False
    listed = _by_list(look)
    unlisted = not listed.isascii()
    return unlisted or (look.isupper() and not (letter == "l" and listed == "i"))


def leet(folded: str) -> str:
    """Folded text with digits and signs read as letters."""
    return _LEET_PLUS.sub("t", _LEET_SIGN.sub("l", folded)).translate(_LEET)


def words(folded: str) -> str:
    """The words of a text between single spaces, with one on either side: ` like this `."""
    return f" {' '.join(_WORDS.findall(folded))} "


def compact(folded: str) -> str:
    """Letters and digits alone, so that separators between them hide nothing."""
    return "".join(_WORDS.findall(folded)).replace("_", "")


_WORDS = re.compile(r"\w+")
