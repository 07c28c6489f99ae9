"""Numbers as words, in the visitor's language, and shares as they are typed.

Nothing here asks the clock.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from django.utils import formats
from django.utils.dateformat import format as date_format
from django.utils.translation import gettext as _

from marketplace import labels
from marketplace.pages import nouns
from settlement.money import Money, exponent_of, written

_SWAPPED = str.maketrans(",.", ".,")
FEW = 3  # days or hours that are told with their rest
NARROW = "\u202f"  # between a number and its per cent sign
_TYPED_SHARE = re.compile(r"([0-9]{1,3})(?:[.,]([0-9]{1,2}))?")
_SPANS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))
# Work that reads badly as its slug's words.
_ACRONYMS = {"json": "JSON", "csv": "CSV", "xml": "XML", "sql": "SQL", "pdf": "PDF"}


def local(number: str) -> str:
    """A number written as `1,234.50`, as the visitor's language writes it."""
    mark = formats.get_format("DECIMAL_SEPARATOR")
    return number if mark == "." else number.translate(_SWAPPED)


def count(number: int) -> str:
    """A whole number with its thousands marked."""
    return local(f"{number:,}")


def percent(bps: int | float | None, *, digits: int | None = None) -> str:
    """Basis points as people read them: `95 %`, `97.25 %`; `–` for nothing."""
    if bps is None:
        return "–"
    shown = f"{bps / 100:.2f}".rstrip("0").rstrip(".") if digits is None else ""
    return local(shown or f"{bps / 100:.{digits}f}") + f"{NARROW}%"


def points(bps: int) -> str:
    """How far one share lies from another: `+9.9 points`, never a per cent of anything."""
    sign = "+" if bps > 0 else "\u2212" if bps < 0 else ""
    return _("%(number)s points") % {"number": sign + local(f"{abs(bps) / 100:.1f}")}


def percent_plain(bps: int) -> str:
    """Basis points as a number to type again: `62.5`."""
    return f"{bps / 100:.2f}".rstrip("0").rstrip(".")


def read_percent(text: str) -> int | None:
    """A share as people type it, `62.5`, `62,5` or `62 %`, in basis points; None for what is no
    share from 0 to 100 percent with at most two decimals."""
    found = _TYPED_SHARE.fullmatch(text.strip().removesuffix("%").strip())
    bps = int(found[1]) * 100 + int((found[2] or "").ljust(2, "0")) if found else -1
    return bps if 0 <= bps <= 10_000 else None


def amount(minor: int | None, currency: str) -> str:
    """Minor units with their currency, `EUR 1,234.50` or `1.234,50 EUR`; a minus for a debit."""
    if minor is None:
        return "–"
    sign = "\u2212" if minor < 0 else ""
    shown = written(Money(abs(minor), currency))
    if local(",") == ",":
        return f"{sign}{currency}\u00a0{shown}"
    return f"{sign}{local(shown)}\u00a0{currency}"


def decimal(minor: int, currency: str) -> str:
    """Minor units as an input field wants them: `1234.50`."""
    exponent_of(currency)
    return written(Money(minor, currency)).replace(",", "")


def span(seconds: int | float) -> str:
    """A span in its largest fitting unit: `3 days`, `90 minutes`, `1 second`.

    A unit is used when it divides the span, or when two of it fit.
    """
    number, unit = _in_units(seconds)
    return plural(number, unit)


def _in_units(seconds: int | float) -> tuple[int, str]:
    whole = max(int(seconds), 0)
    for size, name in _SPANS:
        if whole >= size and (whole % size == 0 or whole >= 2 * size):
            return (whole // size if whole % size == 0 else round(whole / size)), name
    return whole, "second"


def age(passed: timedelta) -> str:
    """How long ago: `just now`, `3 hours ago`."""
    seconds = passed.total_seconds()
    if seconds < 10:
        return _("just now")
    number, unit = _in_units(_coarse(seconds))
    return nouns.written(nouns.AGO[unit], number, count(number))


def days_ago(days: int) -> str:
    """How long ago a day was: `today`, `3 days ago`."""
    if days < 1:
        return _("today")
    return nouns.written(nouns.AGO["day"], days, count(days))


def left(until: datetime, now: datetime) -> str:
    """Time to a deadline: `9 days left`, `2 days, 23 hours left`; `time is up` strictly after it.

    Never more than there is, and close to it: of few days or hours the rest is said too.
    """
    seconds = (until - now).total_seconds()
    if seconds < 0:
        return _("time is up")
    return _("%(span)s left") % {"span": _parts(seconds)}


def _parts(seconds: float) -> str:
    whole = _coarse(seconds)
    for (size, _name), (smaller, _same) in pairwise(_SPANS[:3]):
        rest = int((seconds - whole) // smaller) * smaller
        if size * 2 <= whole <= size * FEW and rest:
            return f"{span(whole)}, {span(rest)}"
    return span(whole)


def _coarse(seconds: float) -> int:
    for size, _name in _SPANS:
        if seconds >= 2 * size:
            return int(seconds // size) * size
    return max(int(seconds), 0)


def plural(number: int, noun: str, several: str | None = None) -> str:
    """`1 task`, `2 tasks`. A noun of a stranger's, which no table has, stays as it is."""
    forms = nouns.NOUNS.get(noun)
    if forms is None:
        return f"{count(number)} {noun if number == 1 else several or noun + 's'}"
    return nouns.written(forms, number, count(number))


def work_title(slug: str) -> str:
    """A kind of work for a heading: `language-identification` → `Language identification`."""
    words = [_ACRONYMS.get(word, word) for word in slug.replace("_", "-").split("-") if word]
    return labels.said(" ".join(words)[:1].upper() + " ".join(words)[1:])


def day_and_time(at: datetime) -> str:
    """`21 Nov 2026, 07:14 UTC`: one way to write an instant."""
    return date_format(at, _("j M Y, H:i")) + " UTC"


def bell_count(waiting: int) -> str:
    """What the bell says of so many unread notices: up to 99, `99+` beyond, nothing of none."""
    return "" if not waiting else "99+" if waiting > 99 else str(waiting)


def joined(words: Sequence[str], last: str | None = None) -> str:
    """`a, b and c`."""
    if len(words) == 1:
        return words[0]
    return f"{', '.join(words[:-1])} {last or _('and')} {words[-1]}"
