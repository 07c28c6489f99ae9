"""CSV that a spreadsheet reads as text and numbers and never as a formula. Plain Python.

Every text is quoted and numbers are bare (RFC 4180, CRLF). A text in which some program could see
a cell that begins with a formula's first character gets an apostrophe in front of that character:
at the text's start, and after any separator that a program set to another locale would split at.
Full-width forms count, for spreadsheets fold them. See OWASP, "CSV Injection".
"""

import csv
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal

_FORMULA = re.compile(r"(^|[,;|\t\r\n\"])([\s\u200b\ufeff]*)([=+\-@\uff1d\uff0b\uff0d\uff20])")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")

Cell = str | int | Decimal


class _Line:
    """A file that hands back what was written last."""

    def write(self, text: str) -> str:
        return text


def lines(rows: Iterable[Iterable[Cell]]) -> Iterator[str]:
    """Each row as one CRLF-ended line, one at a time, however many there are."""
    writer = csv.writer(_Line(), quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    for row in rows:
        yield writer.writerow([inert(cell) if isinstance(cell, str) else cell for cell in row])


def inert(text: str) -> str:
    """The text as no spreadsheet runs it: control characters become spaces, formulas text."""
    marked = _FORMULA.sub(r"\1\2'\3", text)
    shown = _UNSEEN.sub(" ", marked)
    return "'" + shown if text[:1] in ("\t", "\r", "\n") else shown
