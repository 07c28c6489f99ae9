"""The period a statement is asked for: `since` to before `until`, in UTC."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

USUAL = timedelta(days=30)
DAY = timedelta(days=1)


class PeriodMalformed(ValueError):
    """A period has an ISO 8601 date or moment at each end, and ends after it begins."""


@dataclass(frozen=True, slots=True)
class Window:
    """From `since` to before `until`."""

    since: datetime
    until: datetime

    @property
    def last_day(self) -> date:
        """The newest day that is at least in part inside."""
        return (self.until - timedelta(microseconds=1)).date()

    @property
    def name(self) -> str:
        """For a file's name: the days it spans."""
        return f"{self.since:%Y-%m-%d}-{self.until:%Y-%m-%d}"


def window_of(query: Mapping[str, str], *, now: datetime) -> Window:
    """What `since` and `until` ask for; by default the last 30 days. Raises PeriodMalformed."""
    until = _moment(query.get("until", "")) or now
    since = _moment(query.get("since", "")) or until - USUAL
    if since >= until:
        raise PeriodMalformed("a period ends after it begins; check since and until")
    return Window(since, until)


def days_of(query: Mapping[str, str], *, now: datetime) -> Window:
    """Whole days from `since` through `through`, both of them inside; by default the 30 days that
    end today. What names `until` instead is `window_of`'s. Raises PeriodMalformed."""
    if query.get("until"):
        return window_of(query, now=now)
    last = _midnight(_moment(query.get("through", "")) or now)
    since = _moment(query.get("since", ""))
    first = _midnight(since) if since else last - USUAL + DAY
    if first > last:
        raise PeriodMalformed("a period ends on the day it begins or later; check both days")
    return Window(first, last + DAY)


def _midnight(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _moment(text: str) -> datetime | None:
    """A date is its first moment; a moment without a zone is UTC."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise PeriodMalformed("write since and until as 2026-03-31 or 2026-03-31T12:00Z") from None
    if not 1970 <= moment.year <= 9000:
        raise PeriodMalformed("since and until lie between the years 1970 and 9000")
    return moment
