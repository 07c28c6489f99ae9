"""The door to the ledger: open accounts, post transfers, read balances.

A transfer is one SQL call (migration 0002 owns the functions). Every rule is kept twice: here by a
named error before the database is asked where that is possible, and by the database always.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from django.db import DEFAULT_DB_ALIAS, IntegrityError, connection, connections
from django.db.backends.utils import CursorWrapper
from django.db.models import BigIntegerField, F, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce
from psycopg import Cursor

from pacts.models import Party
from settlement.models import Account, Currency, QueuedCredit, Transfer
from settlement.money import CurrencyMismatch, CurrencyUnknown, exponent_of

KEY_LENGTH = 160


class LedgerRefused(Exception):
    """The ledger refused; nothing was posted."""


class InsufficientFunds(LedgerRefused):
    """The account would fall below its floor."""


class HoldAlreadyResolved(LedgerRefused):
    """Another transfer resolved this hold."""


class UnbalancedTransfer(LedgerRefused):
    """The sides of a transfer add up to zero in each currency, and none is zero."""


class IdempotencyKeyReused(LedgerRefused):
    """The key was used for another request."""


class AccountUnknown(LedgerRefused):
    """There is no such account."""


class TransferClosed(LedgerRefused):
    """Only the transaction that made a transfer adds entries to it."""


class HistoryIsFixed(LedgerRefused):
    """Entries and transfers are never changed, and balances move only through entries."""


_ERRORS: dict[str, type[Exception]] = {
    "account_floor": InsufficientFunds,
    "transfer_resolves_once": HoldAlreadyResolved,
    "transfer_resolves_a_hold": LedgerRefused,
    "transfer_sums_to_zero": UnbalancedTransfer,
    "entry_moves_something": UnbalancedTransfer,
    "transfer_key_same_request": IdempotencyKeyReused,
    "entry_currency_matches": CurrencyMismatch,
    "entry_account_exists": AccountUnknown,
    "transfer_open": TransferClosed,
    "ledger_append_only": HistoryIsFixed,
    "balance_moves_by_entries": HistoryIsFixed,
}
_SENTENCES: dict[type[Exception], str] = {
    InsufficientFunds: "there is not enough money on the account",
    HoldAlreadyResolved: "this hold was resolved by another transfer",
}


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a transfer: minor units into `account` (above zero) or out of it (below)."""

    account: Account
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """A transfer to be made, once per `key`. `resolves` is the id of the hold it ends."""

    kind: Transfer.Kind
    key: str
    sides: tuple[Side, ...]
    resolves: int | None = None

    def __post_init__(self) -> None:
        totals: dict[str, int] = {}
        for side in self.sides:
            code = side.account.currency_id
            totals[code] = totals.get(code, 0) + side.amount
        if not self.sides or any(totals.values()) or not all(side.amount for side in self.sides):
            raise UnbalancedTransfer(f"{self.key}: the sides add up to {totals}, or one is zero")
        if not 0 < len(self.key) <= KEY_LENGTH:
            raise ValueError(f"an idempotency key has 1 to {KEY_LENGTH} characters")

    def request_hash(self) -> bytes:
        """SHA-256 of what is asked for, in JSON: a replay must ask for the same."""
        sides = sorted((side.account.pk, side.amount) for side in self.sides)
        listed = ",".join(f"[{account},{amount}]" for account, amount in sides)
        hold = "null" if self.resolves is None else self.resolves
        return sha256(f'["{self.kind.value}",{hold},[{listed}]]'.encode()).digest()


@dataclass(frozen=True, slots=True)
class Posted:
    """The transfer's id, and whether an earlier call had made it."""

    transfer_id: int
    replayed: bool


def move(*, source: Account, target: Account, amount: int) -> tuple[Side, Side]:
    """The two sides of a plain movement. Raises CurrencyMismatch."""
    if source.currency_id != target.currency_id:
        raise CurrencyMismatch(f"{source.currency_id} does not go into {target.currency_id}")
    return Side(source, -amount), Side(target, amount)


def post(posting: Posting) -> Posted:
    """Post one transfer, once per key.

    Within a transaction that must go on after a refusal, wrap the call in a savepoint.
    Raises InsufficientFunds, HoldAlreadyResolved, IdempotencyKeyReused, CurrencyMismatch,
    AccountUnknown.
    """
    row = _ask(
        "SELECT posted, replayed FROM settlement_post("
        "%s, %s, %s, %s::bigint, %s::text::bigint[], %s::text::text[], %s::text::bigint[])",
        [
            posting.kind.value,
            posting.key,
            posting.request_hash(),
            posting.resolves,
            _array(side.account.pk for side in posting.sides),
            _array(side.account.currency_id for side in posting.sides),
            _array(side.amount for side in posting.sides),
        ],
    )[0]
    return Posted(*row)


def post_batch(postings: Sequence[Posting]) -> list[Posted]:
    """Post many transfers in one statement, all or none, answered in order. Raises as `post`."""
    if len({posting.key for posting in postings}) < len(postings):
        raise IdempotencyKeyReused("a key may appear once in a batch")
    sides = [(at, side) for at, posting in enumerate(postings, 1) for side in posting.sides]
    rows = _ask(
        "SELECT posted, replayed FROM settlement_post_batch(%s::text[], %s::text[], %s::bytea[], "
        "%s::text::bigint[], %s::text::bigint[], %s::text::bigint[], %s::text::text[], "
        "%s::text::bigint[])",
        [
            [posting.kind.value for posting in postings],
            [posting.key for posting in postings],
            [posting.request_hash() for posting in postings],
            _array(posting.resolves for posting in postings),
            _array(at for at, _ in sides),
            _array(side.account.pk for _, side in sides),
            _array(side.account.currency_id for _, side in sides),
            _array(side.amount for _, side in sides),
        ],
    )
    return [Posted(*row) for row in rows]


def _array(values: Iterable[int | str | None]) -> str:
    """An array in PostgreSQL's text form: one type for numbers of every size, so one prepared
    statement. Text is a currency's code, which has nothing to quote.
    """
    return "{" + ",".join("NULL" if value is None else str(value) for value in values) + "}"


def _cursor() -> CursorWrapper:
    """Django's cursor over psycopg's own, so that the server keeps the plan of a statement."""
    line = connections[DEFAULT_DB_ALIAS]  # found once: the proxy `connection` looks at every use
    line.ensure_connection()
    cursor: Any = Cursor(line.connection)
    return line.make_debug_cursor(cursor) if line.queries_logged else line.make_cursor(cursor)


def _ask(sql: str, parameters: list[Any]) -> list[tuple[int, bool]]:
    try:
        with _cursor() as cursor:
            cursor.execute(sql, parameters)
            return list(cursor.fetchall())
    except IntegrityError as error:
        named = _ERRORS.get(constraint_of(error))
        if named is None:
            raise
        said = _SENTENCES.get(named) or str(error).splitlines()[0]
        raise named(said) from error


def constraint_of(error: IntegrityError) -> str:
    """The name of the rule the database says was broken, or ""."""
    diagnostics = getattr(error.__cause__, "diag", None)
    return getattr(diagnostics, "constraint_name", None) or ""


def exponent_kept(currency: str) -> int:
    """How many decimals it has; of one that is no longer offered, what the ledger kept it with.

    So what is held in a currency can always be paid out. Raises CurrencyUnknown.
    """
    try:
        return exponent_of(currency)
    except CurrencyUnknown:
        kept = Currency.objects.filter(pk=currency).values_list("exponent", flat=True).first()
        if kept is None:
            raise
        return kept


def open_account(
    *, kind: Account.Kind, currency: str, owner: Party | None = None, subject: str = ""
) -> Account:
    """The one account of this kind for this owner or subject, opened at first use.

    Raises CurrencyUnknown.
    """
    known = Account.objects.filter(kind=kind, owner=owner, subject=subject, currency=currency)
    found = known.first()
    if found:
        return found
    exponent = exponent_kept(currency)
    Currency.objects.bulk_create(
        [Currency(code=currency, exponent=exponent)], ignore_conflicts=True
    )
    hot = kind in (Account.Kind.FEES, Account.Kind.RAIL)
    Account.objects.bulk_create(
        [
            Account(
                kind=kind,
                owner=owner,
                subject=subject,
                currency_id=currency,
                floor=None if kind == Account.Kind.RAIL else 0,
                deferred=hot,
            )
        ],
        ignore_conflicts=True,
    )
    return known.get()


@dataclass(frozen=True, slots=True)
class Place:
    """Which account is meant, before it is known whether it was ever opened."""

    kind: Account.Kind
    currency: str
    owner_id: str | None = None


def accounts_at(places: Iterable[Place]) -> dict[Place, Account]:
    """The accounts of parties and of the platform's fees, in one query; opened at first use.

    Raises CurrencyUnknown.
    """
    wanted = set(places)
    rows = Account.objects.filter(
        Q(owner__in={place.owner_id for place in wanted if place.owner_id})
        | Q(owner=None, kind=Account.Kind.FEES),
        currency__in={place.currency for place in wanted},
        subject="",
    )
    found = {Place(Account.Kind(row.kind), row.currency_id, row.owner_id): row for row in rows}
    for place in wanted - found.keys():
        owner = Party.objects.get(pk=place.owner_id) if place.owner_id else None
        found[place] = open_account(kind=place.kind, currency=place.currency, owner=owner)
    return found


def party_account(*, party: Party, currency: str) -> Account:
    """What a party can spend or withdraw in this currency."""
    return open_account(kind=Account.Kind.PARTY, owner=party, currency=currency)


def fee_account(*, currency: str) -> Account:
    """What the platform earned: the hot account, so its credits are queued."""
    return open_account(kind=Account.Kind.FEES, currency=currency)


def rail_account(*, rail: str, currency: str) -> Account:
    """The world outside behind one rail: minus everything that came in and did not leave."""
    return open_account(kind=Account.Kind.RAIL, subject=rail, currency=currency)


def balance_of(account: Account) -> int:
    """Minor units as of now, queued credits included; constant time but for the short queue."""
    queued = (
        QueuedCredit.objects.filter(account=OuterRef("pk"))
        .order_by()
        .values("account")
        .values(total=Sum("amount"))
    )
    total = F("balance") + Coalesce(Subquery(queued), 0, output_field=BigIntegerField())
    balance: int = Account.objects.values_list(total, flat=True).get(pk=account.pk)
    return balance


def balances_of(party: Party) -> dict[str, int]:
    """Minor units per currency that a party holds, free to spend."""
    rows = Account.objects.filter(owner=party, kind=Account.Kind.PARTY).order_by("currency")
    return dict(rows.values_list("currency_id", "balance"))


def roll_up(account: Account) -> int:
    """Fold the queue of a deferred account into its balance; returns how many rows."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT settlement_roll_up(%s)", [account.pk])
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def roll_up_all() -> int:
    """Fold every queue; returns how many rows were folded."""
    waiting = Account.objects.filter(deferred=True, queue__isnull=False).distinct()
    return sum(roll_up(account) for account in waiting.order_by("pk"))
