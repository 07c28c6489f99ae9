"""A builder's earnings as pages and programs show them."""

from collections.abc import Iterator
from decimal import Decimal

from pacts.models import Party
from settlement import earnings, spreadsheets
from settlement.earnings import Books, Earned
from settlement.money import exponent_of
from settlement.spreadsheets import Cell

COLUMNS = ("hire", "agent", "currency", "released", "fee", "returned to the buyer")
MOST_MONTHS = 24
AT_A_TIME = 500  # hires whose entries are added up at once


def months_of(books: Books) -> list[Earned]:
    """The newest months with what they brought."""
    return books.by_month[:MOST_MONTHS]


def earnings_csv(party: Party) -> Iterator[str]:
    """One line a hire and currency: bare decimal numbers in major units, texts never formulas."""
    return spreadsheets.lines(_rows(party))


def _rows(party: Party) -> Iterator[tuple[Cell, ...]]:
    yield COLUMNS
    for one in _hires(party):
        amounts = (_major(sum_, one.currency) for sum_ in (one.released, one.fee, one.refunded))
        yield (one.key, one.name, one.currency, *amounts)


def _hires(party: Party) -> Iterator[Earned]:
    """Every hire's figures, the newest first, some at a time."""
    rows = earnings.hires(party)
    some = list(rows[:AT_A_TIME])
    while some:
        yield from earnings.of_hires(party, some)
        some = list(rows.filter(pk__lt=some[-1].pk)[:AT_A_TIME])


def _major(amount: int, currency: str) -> Decimal:
    return Decimal(amount).scaleb(-exponent_of(currency))
