"""Unicode's normal forms of strangers' text, in time linear in its length.

Python sorts each run of combining marks by insertion, which takes time that grows with the square
of the run: a megabyte of marks would hold a worker for hours. Runs are therefore cut at 30 marks,
the limit of the Stream-Safe Text Format (Unicode Standard Annex #15), which no written language
comes near.
"""

import unicodedata
from functools import lru_cache
from typing import Any, Literal, cast

import re2

Form = Literal["NFC", "NFKC", "NFKD"]

SHORT = 500  # a run this long is sorted in no time


@lru_cache(maxsize=1)
def _long_runs() -> Any:
    return re2.compile(r"(\p{M}{30})\p{M}+")  # type: ignore[no-untyped-call]


def normal(form: Form, text: str) -> str:
    """The text in a normal form, each run of marks cut at 30."""
    if text.isascii():
        return text
    if len(text) > SHORT:
        text = cast(str, _long_runs().sub(r"\1", text))
    return unicodedata.normalize(form, text)
