"""A party's money as it moved: the latest lines for a page, and a period's statement to the unit.

A period runs from `since` to before `until` by the moment each transfer was posted, so periods that
meet share nothing and lose nothing: one's closing balance is the next one's opening balance.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from django.db import connection, transaction
from django.db.models import Q, QuerySet, Sum

from pacts.models import Party
from settlement import spreadsheets
from settlement.models import (
    Bond,
    Deposit,
    Entry,
    Escrow,
    FilingDeposit,
    MeterMovement,
    Payout,
)
from settlement.money import exponent_of
from settlement.spreadsheets import Cell

CHUNK = 1_000
COLUMNS = ("posted_at", "what", "about", "subject", "currency", "amount", "balance_after")


@dataclass(frozen=True, slots=True)
class Line:
    """One movement of a party's balance; minor units, below zero for what left.

    `subject` is the id of the escrow, bond, deposit or payout behind it, `about` the title of its
    milestone: a stranger's text.
    """

    posted_at: datetime
    kind: str
    currency: str
    amount: int
    balance_after: int
    subject: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class Period:
    """One currency over a period, minor units: `closing = opening + came_in - went_out`."""

    currency: str
    opening: int
    came_in: int
    went_out: int

    @property
    def closing(self) -> int:
        """What was there when the period ended."""
        return self.opening + self.came_in - self.went_out


def statement(*, party: Party, limit: int = 100) -> list[Line]:
    """The latest movements of a party's balances, newest first."""
    entries = list(_entries(party).order_by("-pk")[:limit])
    return [
        _line(entry, entry.balance_after or 0, behind)
        for entry, behind in zip(entries, about(entries), strict=True)
    ]


def period(*, party: Party, since: datetime, until: datetime) -> list[Period]:
    """Opening balance, movements and closing balance per currency the party ever held."""
    inside = Q(transfer__posted_at__gte=since)
    rows = (
        _entries(party)
        .filter(transfer__posted_at__lt=until)
        .order_by("currency")
        .values_list("currency")
        .annotate(
            opening=Sum("amount", filter=~inside, default=0),
            came_in=Sum("amount", filter=inside & Q(amount__gt=0), default=0),
            went_out=Sum("amount", filter=inside & Q(amount__lt=0), default=0),
        )
    )
    return [
        Period(code, int(opening), int(came_in), -int(went_out))
        for code, opening, came_in, went_out in rows
    ]


def lines(*, party: Party, since: datetime, until: datetime) -> Iterator[Line]:
    """The period's movements, oldest first, with the balance after each; read in chunks."""
    balances = {one.currency: one.opening for one in period(party=party, since=since, until=until)}
    entries = (
        _entries(party)
        .filter(transfer__posted_at__gte=since, transfer__posted_at__lt=until)
        .order_by("transfer__posted_at", "pk")
    )
    for chunk in _chunks(entries.iterator(chunk_size=CHUNK)):
        for entry, behind in zip(chunk, about(chunk), strict=True):
            balances[entry.currency] += entry.amount
            yield _line(entry, balances[entry.currency], behind)


def about(entries: Sequence[Entry]) -> list[tuple[str, str]]:
    """For each entry the public id of what it was for, and that milestone's title (a metered
    budget's agent): `("", "")` for what has neither. Six questions, however many entries.
    """
    transfers = [entry.transfer_id for entry in entries]
    found: dict[int, tuple[str, str]] = {}
    of_these = Q(hold__in=transfers) | Q(resolution__in=transfers)
    escrows = Escrow.objects.filter(of_these).values_list(
        "pk", "hold_id", "resolution_id", "milestone__title"
    )
    bonds = Bond.objects.filter(of_these).values_list(
        "pk", "hold_id", "resolution_id", "escrow__milestone__title"
    )
    filings = FilingDeposit.objects.filter(of_these).values_list(
        "dispute_id", "hold_id", "resolution_id", "dispute__milestone__title"
    )
    for subject, hold, resolution, title in [*escrows, *bonds, *filings]:
        found |= {ended: (subject, title) for ended in (hold, resolution) if ended}
    for subject, hold, resolution in Payout.objects.filter(of_these).values_list(
        "pk", "hold_id", "resolution_id"
    ):
        found |= {ended: (subject, "") for ended in (hold, resolution) if ended}
    metered = MeterMovement.objects.filter(transfer__in=transfers)
    moved = metered.values_list("transfer_id", "meter_id", "meter__agent__name")
    found |= {transfer: (meter, name) for transfer, meter, name in moved}
    deposits = Deposit.objects.filter(transfer__in=transfers).values_list("transfer_id", "pk")
    found |= {transfer: (subject, "") for transfer, subject in deposits if transfer}
    return [found.get(transfer, ("", "")) for transfer in transfers]


def csv(*, party: Party, since: datetime, until: datetime) -> Iterator[str]:
    """The period as CSV, line by line, in one snapshot: amounts are bare decimal numbers in the
    currency's major unit, texts are quoted and never formulas (`settlement.spreadsheets`).
    """
    with _one_snapshot():
        yield from spreadsheets.lines(_rows(party, since, until))


def _rows(party: Party, since: datetime, until: datetime) -> Iterator[tuple[Cell, ...]]:
    periods = period(party=party, since=since, until=until)
    yield COLUMNS
    for one in periods:
        yield _balance_row("opening balance", since, one.currency, one.opening)
    for line in lines(party=party, since=since, until=until):
        yield (
            _instant(line.posted_at),
            line.kind,
            line.about,
            line.subject,
            line.currency,
            _major(line.amount, line.currency),
            _major(line.balance_after, line.currency),
        )
    for one in periods:
        yield _balance_row("closing balance", until, one.currency, one.closing)


def _balance_row(what: str, at: datetime, currency: str, balance: int) -> tuple[Cell, ...]:
    return (_instant(at), what, "", "", currency, "", _major(balance, currency))


def _major(amount: int, currency: str) -> Decimal:
    return Decimal(amount).scaleb(-exponent_of(currency))


@contextmanager
def _one_snapshot() -> Iterator[None]:
    with transaction.atomic():
        if len(connection.savepoint_ids) == 0:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


def _entries(party: Party) -> QuerySet[Entry]:
    return Entry.objects.filter(account__owner=party, account__kind="party").select_related(
        "transfer"
    )


def _line(entry: Entry, balance_after: int, behind: tuple[str, str]) -> Line:
    subject, title = behind
    return Line(
        posted_at=entry.transfer.posted_at,
        kind=entry.transfer.kind,
        currency=entry.currency,
        amount=entry.amount,
        balance_after=balance_after,
        subject=subject,
        about=title,
    )


def _chunks(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    chunk: list[Entry] = []
    for entry in entries:
        chunk.append(entry)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
