"""What the date agents share: how a day is answered."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from marketplace.sample.protocol import InputMalformed, read_text


def give(day: date | None) -> dict[str, Any]:
    return {"date": day.isoformat() if day else None, "declined": day is None}


def read_reference(fields: Mapping[str, Any]) -> datetime:
    """Midnight of the input's `reference_date`, the day on which the text was written."""
    text = read_text(fields, "reference_date")
    try:
        return datetime.strptime(text, "%Y-%m-%d")  # noqa: DTZ007
    except ValueError as error:
        raise InputMalformed(f"input.reference_date: {error}") from None
