"""Numbers as words: shares, spans of time, kinds of work. Pure; nothing here asks the clock."""

from datetime import datetime, timedelta

from settlement.money import Money, exponent_of, written

NARROW = "\u202f"  # between a number and its per cent sign
_SPANS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))
# Work that reads badly as its slug's words.
_ACRONYMS = {"json": "JSON", "csv": "CSV", "xml": "XML", "sql": "SQL", "pdf": "PDF"}


def percent(bps: int | float | None, *, digits: int | None = None) -> str:
    """Basis points as people read them: `95 %`, `97.25 %`; `–` for nothing."""
    if bps is None:
        return "–"
    if digits is not None:
        return f"{bps / 100:.{digits}f}{NARROW}%"
    return f"{bps / 100:.2f}".rstrip("0").rstrip(".") + f"{NARROW}%"


def amount(minor: int | None, currency: str) -> str:
    """Minor units with their currency, `EUR 1,234.50`; a minus sign for a debit."""
    if minor is None:
        return "–"
    sign = "\u2212" if minor < 0 else ""
    return f"{sign}{currency}\u00a0{written(Money(abs(minor), currency))}"


def decimal(minor: int, currency: str) -> str:
    """Minor units as an input field wants them: `1234.50`."""
    exponent_of(currency)
    return written(Money(minor, currency)).replace(",", "")


def span(seconds: int | float) -> str:
    """A span in its largest fitting unit: `3 days`, `90 minutes`, `1 second`.

    A unit is used when it divides the span, or when two of it fit.
    """
    whole = int(seconds)
    for size, name in _SPANS:
        if whole >= size and (whole % size == 0 or whole >= 2 * size):
            return plural(whole // size if whole % size == 0 else round(whole / size), name)
    return plural(max(whole, 0), "second")


def age(passed: timedelta) -> str:
    """How long ago: `just now`, `3 hours ago`."""
    seconds = passed.total_seconds()
    return "just now" if seconds < 10 else f"{span(_coarse(seconds))} ago"


def left(until: datetime, now: datetime) -> str:
    """Time to a deadline: `2 days left`; `time is up` strictly after it."""
    seconds = (until - now).total_seconds()
    return "time is up" if seconds < 0 else f"{span(_coarse(seconds))} left"


def _coarse(seconds: float) -> int:
    for size, _ in _SPANS:
        if seconds >= 2 * size:
            return int(seconds // size) * size
    return max(int(seconds), 0)


def plural(count: int, noun: str, nouns: str | None = None) -> str:
    """`1 task`, `2 tasks`."""
    return f"{count:,} {noun if count == 1 else nouns or noun + 's'}"


def work_title(slug: str) -> str:
    """A kind of work for a heading: `language-identification` → `Language identification`."""
    words = [_ACRONYMS.get(word, word) for word in slug.replace("_", "-").split("-") if word]
    return " ".join(words)[:1].upper() + " ".join(words)[1:]


def day_and_time(at: datetime) -> str:
    """`21 Nov 2026, 07:14 UTC`: one way to write an instant."""
    return f"{at.day} {at:%b %Y, %H:%M} UTC"


def joined(words: list[str], last: str = "and") -> str:
    """`a, b and c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"
