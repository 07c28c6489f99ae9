"""The period a statement is asked for: `since` to before `until`, in UTC."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

USUAL = timedelta(days=30)


class PeriodMalformed(ValueError):
    """A period has an ISO 8601 date or moment at each end, and ends after it begins."""


@dataclass(frozen=True, slots=True)
class Window:
    """From `since` to before `until`."""

    since: datetime
    until: datetime

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
