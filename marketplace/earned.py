"""A builder's earnings as pages and programs show them."""

from collections.abc import Iterator
from decimal import Decimal

from pacts.models import Party
from settlement import earnings, spreadsheets
from settlement.earnings import Earned
from settlement.money import exponent_of
from settlement.spreadsheets import Cell

COLUMNS = ("hire", "agent", "currency", "released", "fee", "returned to the buyer")
MOST_MONTHS = 24


def months_of(party: Party) -> list[Earned]:
    """The newest months with what they brought."""
    return earnings.by_month(party)[:MOST_MONTHS]


def earnings_csv(party: Party) -> Iterator[str]:
    """One line a hire and currency: bare decimal numbers in major units, texts never formulas."""
    return spreadsheets.lines(_rows(party))


def _rows(party: Party) -> Iterator[tuple[Cell, ...]]:
    yield COLUMNS
    for one in earnings.by_hire(party):
        amounts = (_major(sum_, one.currency) for sum_ in (one.released, one.fee, one.refunded))
        yield (one.key, one.name, one.currency, *amounts)


def _major(amount: int, currency: str) -> Decimal:
    return Decimal(amount).scaleb(-exponent_of(currency))
