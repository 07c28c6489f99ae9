"""Reconciliation: a rail's books against ours, every difference a row that a person settles.

Nothing is corrected here, with one exception: a deposit or payout that waits for its rail's answer
is ended by that answer, exactly as if it had not been lost. All else needs somebody's reason.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet, Sum

from pacts.models import User
from settlement import attempts, deposits, payouts
from settlement.models import (
    Account,
    Deposit,
    Difference,
    DifferenceResolution,
    Entry,
    Payout,
    Reconciliation,
)
from settlement.rails import Movement, Rail, rail_named

Kind = Difference.Kind
Row = Deposit | Payout

# An order without an answer is the rail's business for this long, and then somebody's.
PATIENCE = timedelta(days=1)
LONGEST_REASON = 1_000
NOTHING = "nothing"
_MOVED = {"succeeded": "succeeded", "paid": "succeeded", "failed": "failed", "cancelled": "failed"}


class ResolutionRefused(ValueError):
    """A resolution has a reason of 1 to 1,000 characters."""


class DifferenceAlreadyResolved(Exception):
    """Somebody settled this difference before; that stands."""


@dataclass(frozen=True, slots=True)
class Found:
    """A difference: our id of it, the rail's id of it, and what each side says."""

    kind: Difference.Kind
    subject: str
    rail_reference: str
    ours: str
    theirs: str


def reconcile(*, rail: str, since: datetime, until: datetime, now: datetime) -> Reconciliation:
    """Compare the movements from `since` to before `until`, and store what differs.

    Asks the rail, so never in a transaction. Raises RailUnknown, RailUnreachable (nothing stored).
    """
    books = rail_named(rail)
    theirs = list(books.reconcile(since=since, until=until))
    healed = _heal(rail, theirs, now)
    ours = _ours(rail, theirs, since, until)
    theirs += _beyond_the_window(books, ours, theirs)
    found = [*compare(ours=ours, theirs=theirs, now=now), *_ledger(rail, ours, since, until)]
    with transaction.atomic():
        run = Reconciliation.objects.create(
            rail=rail,
            since=since,
            until=until,
            movements=len(theirs),
            matched=len({one.reference for one in theirs} & {row.pk for row in ours}),
            healed=healed,
            found=len(found),
            totals=_totals(rail, theirs, since, until),
            finished_at=now,
        )
        Difference.objects.bulk_create(
            [Difference(rail=rail, first_seen_in=run, **_columns(one)) for one in found],
            ignore_conflicts=True,
        )
    return run


def compare(*, ours: Iterable[Row], theirs: Iterable[Movement], now: datetime) -> Iterator[Found]:
    """Every difference between the two; moves nothing and stores nothing."""
    rows = {row.pk: row for row in ours}
    grouped: dict[str, list[Movement]] = defaultdict(list)
    for movement in theirs:
        if movement.reference in rows:
            grouped[movement.reference].append(movement)
        elif movement.answer.result != "failed":
            reference = movement.reference[:80]
            yield _found(Kind.MISSING_HERE, reference, movement, NOTHING)
    for reference, row in rows.items():
        yield from _of_row(row, grouped[reference], now)


def open_differences() -> QuerySet[Difference]:
    """What nobody has settled yet, newest first."""
    return Difference.objects.filter(resolution__isnull=True)


def resolve(
    *, difference: Difference, by: User, reason: str, now: datetime
) -> DifferenceResolution:
    """A person settles a difference and says why; it changes nothing else.

    Raises ResolutionRefused, DifferenceAlreadyResolved.
    """
    said = reason.strip()
    if not 0 < len(said) <= LONGEST_REASON or "\x00" in said:
        raise ResolutionRefused(f"write a reason of 1 to {LONGEST_REASON:,} characters")
    try:
        with transaction.atomic():
            return DifferenceResolution.objects.create(
                difference=difference, by=by, reason=said, resolved_at=now
            )
    except IntegrityError as error:
        raise DifferenceAlreadyResolved("this difference was settled before") from error


def _of_row(row: Row, movements: list[Movement], now: datetime) -> Iterator[Found]:
    state = _MOVED.get(row.state, "open")
    own = sorted(movements, key=lambda one: (one.rail_reference != row.rail_reference, one.at))
    if not own:
        late = state == "open" and _asked(row) and now - row.requested_at > PATIENCE
        if state == "succeeded" or late:
            yield Found(Kind.MISSING_THERE, row.pk, row.rail_reference, _said(row), NOTHING)
        return
    first, *others = own
    if first.currency != row.currency:
        yield _found(Kind.CURRENCY, row.pk, first, _said(row))
    elif first.amount != row.amount:
        yield _found(Kind.AMOUNT, row.pk, first, _said(row))
    if not _agree(state, first.answer.result):
        yield _found(Kind.STATE, row.pk, first, _said(row))
    for other in others:
        if other.answer.result != "failed":
            yield _found(Kind.DUPLICATED, row.pk, other, _said(row))


def _agree(ours: str, theirs: str) -> bool:
    return theirs == "pending" if ours == "open" else ours == theirs


def _asked(row: Row) -> bool:
    return isinstance(row, Deposit) or row.state == Payout.State.PROCESSING


def _said(row: Row) -> str:
    return f"{row.currency} {row.amount} {row.state}"


def _found(kind: Difference.Kind, subject: str, movement: Movement, ours: str) -> Found:
    theirs = f"{movement.currency} {movement.amount} {movement.answer.result}"
    return Found(kind, subject, movement.rail_reference, ours, theirs)


def _columns(found: Found) -> dict[str, Any]:
    return {
        "kind": found.kind,
        "subject": found.subject,
        "rail_reference": found.rail_reference,
        "ours": found.ours,
        "theirs": found.theirs,
    }


def _heal(rail: str, theirs: Iterable[Movement], now: datetime) -> int:
    """End what waits for an answer that the rail's books hold; how many ended."""
    final = [one.reference for one in theirs if one.answer.result in ("succeeded", "failed")]
    waiting = Deposit.objects.filter(pk__in=final, rail=rail, state=Deposit.State.PENDING)
    under_way = Payout.objects.filter(pk__in=final, rail=rail, state=Payout.State.PROCESSING)
    ended = 0
    for pk in waiting.filter(attempts__isnull=False).distinct().values_list("pk", flat=True):
        Deposit.objects.filter(pk=pk, state=Deposit.State.PENDING).update(next_attempt_at=now)
        ended += deposits.process_deposit(deposit_id=pk).state != Deposit.State.PENDING
    for pk in under_way.values_list("pk", flat=True):
        Payout.objects.filter(pk=pk, state=Payout.State.PROCESSING).update(next_attempt_at=now)
        ended += payouts.process_payout(payout_id=pk).state != Payout.State.PROCESSING
    return ended


def _ours(rail: str, theirs: Iterable[Movement], since: datetime, until: datetime) -> list[Row]:
    """Rows the rail's movements name, and rows of the window, each once."""
    named = [movement.reference for movement in theirs]
    rows: dict[str, Row] = {}
    for model in (Deposit, Payout):
        inside = Q(requested_at__gte=since, requested_at__lt=until)
        for row in model.objects.filter(Q(pk__in=named) | inside, rail=rail):
            rows[row.pk] = row
    return list(rows.values())


def _beyond_the_window(
    books: Rail, ours: Iterable[Row], theirs: Iterable[Movement]
) -> list[Movement]:
    """Movements of our rows that fell outside the window: asked for one by one."""
    seen = {movement.reference for movement in theirs}
    lone = [row for row in ours if row.pk not in seen and row.state in ("succeeded", "paid")]
    found = [books.find(attempts.order_of(row), rail_reference=row.rail_reference) for row in lone]
    return [movement for movement in found if movement]


def _ledger(rail: str, ours: Iterable[Row], since: datetime, until: datetime) -> Iterator[Found]:
    """What the rail's clearing account says differently from our deposits and payouts."""
    expected = {}
    for row in ours:
        transfer = row.transfer_id if isinstance(row, Deposit) else row.resolution_id
        if transfer and row.state in ("succeeded", "paid"):
            sign = -1 if isinstance(row, Deposit) else 1
            expected[transfer] = (row, f"{row.currency} {sign * row.amount}")
    posted = {
        entry.transfer_id: f"{entry.currency} {entry.amount}"
        for entry in _clearing(rail).filter(transfer__in=expected)
    }
    for transfer, (row, said) in expected.items():
        if posted.get(transfer, NOTHING) != said:
            entries = f"entries: {posted.get(transfer, NOTHING)}"
            yield Found(Kind.LEDGER, row.pk, row.rail_reference, said, entries)
    of_window = _clearing(rail).filter(
        transfer__posted_at__gte=since, transfer__posted_at__lt=until
    )
    unexplained = of_window.filter(
        transfer__deposit__isnull=True, transfer__resolved_payout__isnull=True
    )
    for entry in unexplained:
        said = f"entries: {entry.currency} {entry.amount}"
        yield Found(Kind.LEDGER, f"transfer {entry.transfer_id}", "", said, NOTHING)


def _clearing(rail: str) -> QuerySet[Entry]:
    return Entry.objects.filter(account__kind=Account.Kind.RAIL, account__subject=rail)


def _totals(
    rail: str, theirs: Iterable[Movement], since: datetime, until: datetime
) -> dict[str, dict[str, str]]:
    """Per currency, minor units that came in less what left: the rail's figure and the ledger's."""
    totals: dict[str, dict[str, int]] = defaultdict(lambda: {"rail": 0, "ledger": 0})
    for one in theirs:
        if one.answer.result == "succeeded" and since <= one.at < until:
            totals[one.currency]["rail"] += one.amount if one.kind == "deposit" else -one.amount
    posted = _clearing(rail).filter(transfer__posted_at__gte=since, transfer__posted_at__lt=until)
    for code, total in posted.values_list("currency").annotate(total=Sum("amount")):
        totals[code]["ledger"] = -int(total)
    return {code: {side: str(sum_) for side, sum_ in by.items()} for code, by in totals.items()}
