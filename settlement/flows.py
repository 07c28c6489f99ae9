"""Where a party's money came from and went in a period, by what moved it: for pictures of it.

A period runs from `since` to before `until`, as in `settlement.statements`; amounts are in minor
units.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.db.models import F, Q, Sum
from django.db.models.functions import Coalesce, Sign

from pacts.models import Party
from settlement.models import Account, Entry, Escrow

Side = Literal["buyer", "builder"]
ENGAGEMENT = "milestone__engagement"


@dataclass(frozen=True, slots=True)
class Moved:
    """All transfers of one kind, in one direction: below zero for what left the balance."""

    currency: str
    kind: str
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAside:
    """What became of the escrows funded in a period: `amount` is the sum of the four others."""

    currency: str
    side: Side
    amount: int
    released: int
    fees: int
    refunded: int
    waiting: int


def moved(*, party: Party, since: datetime, until: datetime) -> list[Moved]:
    """Per currency, kind and direction. With the opening balance they add up to the closing one."""
    rows = (
        Entry.objects.filter(
            account__owner=party,
            account__kind=Account.Kind.PARTY,
            transfer__posted_at__gte=since,
            transfer__posted_at__lt=until,
        )
        .annotate(way=Sign("amount"))
        .values_list("currency", "transfer__kind", "way")
        .annotate(total=Sum("amount"))
        .order_by("currency", "-way", "transfer__kind")
    )
    return [Moved(currency, kind, int(total)) for currency, kind, _, total in rows if total]


def set_aside(*, party: Party, since: datetime, until: datetime) -> list[SetAside]:
    """Per currency and side, of the milestones funded in the period, as they stand now."""
    sides: tuple[Side, ...] = ("buyer", "builder")
    return [one for side in sides for one in _of_side(party, side, since, until)]


def _of_side(party: Party, side: Side, since: datetime, until: datetime) -> list[SetAside]:
    rows = (
        Escrow.objects.filter(
            Q(**{f"{ENGAGEMENT}__{side}": party}),
            funded_at__gte=since,
            funded_at__lt=until,
        )
        .order_by("currency")
        .values("currency")
        .annotate(
            total=Sum("amount"),
            to_builders=Coalesce(Sum("released"), 0),
            to_platform=Coalesce(Sum("fee"), 0),
            to_buyers=Coalesce(Sum("refunded"), 0),
            undecided=Coalesce(Sum(F("amount"), filter=Q(settled_at__isnull=True)), 0),
        )
    )
    return [
        SetAside(
            currency=row["currency"],
            side=side,
            amount=int(row["total"]),
            released=int(row["to_builders"]),
            fees=int(row["to_platform"]),
            refunded=int(row["to_buyers"]),
            waiting=int(row["undecided"]),
        )
        for row in rows
    ]
