"""Text as it looks to a reader: what seems the same folds to the same.

`fold` takes compatibility forms apart (NFKC: full-width, mathematical, circled letters), drops what
cannot be seen (format characters, fillers, variation selectors, tags) and the marks on letters, and
writes letters that look like one Latin letter as that letter. Folding twice folds once.

Which letters those are stands below, letter by letter: the Cyrillic, Greek, Armenian, Cherokee and
small-capital ones, Latin letters with strokes and hooks, and enclosed letters. They are chosen in
the spirit of the confusables of Unicode Technical Standard #39 and are not its table: what is not
listed is not folded, nor are letters of other scripts, digits and signs (but for `leet`), or two
letters that look like one (`rn` for `m`). A fold is therefore no proof that nothing looks alike.

`leet` also reads digits and signs as the letters they stand in for; everything that looks like an l
(`1 ! | i`) is one letter then, so it finds more than is meant and is a clause's own choice.
"""

import re
from functools import lru_cache
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
    apart = normal("NFKD", normal("NFKC", text).casefold())
    return cast(str, _unseen().sub("", apart)).translate(_LETTERS).casefold()


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
