"""A party's money as it moved: what a statement page lists, newest first."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from pacts.models import Party
from settlement.models import Deposit, Entry, Escrow, Payout


@dataclass(frozen=True, slots=True)
class Line:
    """One movement of a party's balance; minor units, below zero for what left.

    `subject` is the id of the escrow, deposit or payout behind it.
    """

    posted_at: datetime
    kind: str
    currency: str
    amount: int
    balance_after: int
    subject: str


def statement(*, party: Party, limit: int = 100) -> list[Line]:
    """The latest movements of a party's balances."""
    entries = list(
        Entry.objects.filter(account__owner=party, account__kind="party")
        .select_related("transfer")
        .order_by("-pk")[:limit]
    )
    subjects = _subjects([entry.transfer_id for entry in entries])
    return [
        Line(
            posted_at=entry.transfer.posted_at,
            kind=entry.transfer.kind,
            currency=entry.currency,
            amount=entry.amount,
            balance_after=entry.balance_after or 0,
            subject=subjects.get(entry.transfer_id, ""),
        )
        for entry in entries
    ]


def _subjects(transfers: list[int]) -> dict[int, str]:
    """Transfer id → the public id of what it was for."""
    found: dict[int, str] = {}
    for model in (Escrow, Payout):
        rows = model.objects.filter(Q(hold__in=transfers) | Q(resolution__in=transfers))
        for subject, hold, resolution in rows.values_list("pk", "hold_id", "resolution_id"):
            found |= {hold: subject, resolution: subject}
    deposits = Deposit.objects.filter(transfer__in=transfers).values_list("transfer_id", "pk")
    return found | {transfer: subject for transfer, subject in deposits if transfer}
