"""The same escrow cycle with django-hordak, as its documentation does it: hold, then release.

The hold is `transfer_to`, the release a transaction of three legs; both in `atomic`, because its
zero-sum check waits for the commit. It stores no balance, so it checks none.
"""

import random
from contextlib import AbstractContextManager, nullcontext
from decimal import Decimal
from functools import cache
from importlib import import_module
from typing import Any

from django.db import connection, transaction

from marketplace.benches.crowd import Act, Prepare, Seat

PARTIES = 500  # its cost does not grow with accounts


def open_market() -> None:
    """Buyers, builders, escrows and a fee account."""
    hordak = import_module("hordak.models")
    hordak.Account.objects.bulk_create(
        hordak.Account(
            name=f"account {number}",
            code=str(number),
            type="LI",
            currencies=["USD"],
            lft=1,
            rght=2,
            tree_id=number,
            level=0,
        )
        for number in range(1, 3 * PARTIES + 2)
    )


@cache
def market() -> list[Any]:
    """All accounts, read once, before the clients are forked."""
    accounts = list(import_module("hordak.models").Account.objects.order_by("pk"))
    connection.close()
    return accounts


def hordak(seat: Seat) -> Act:
    models = import_module("hordak.models")
    money = import_module("djmoney.money").Money
    fees, *named = market()
    buyers, builders = named[:PARTIES], named[PARTIES : 2 * PARTIES]
    escrows = seat.share(named[2 * PARTIES :])
    price, fee = money(Decimal(100), "USD"), money(Decimal(5), "USD")

    def leg(moved: Any, account: Any, **amount: Any) -> None:
        models.Leg.objects.create(transaction=moved, account=account, **amount)

    def cycle() -> int:
        buyer, builder = random.choice(buyers), random.choice(builders)  # noqa: S311
        escrow = random.choice(escrows)  # noqa: S311
        with transaction.atomic():
            buyer.transfer_to(escrow, price)
        with transaction.atomic():
            moved = models.Transaction.objects.create()
            leg(moved, escrow, debit=price)
            leg(moved, builder, credit=price - fee)
            leg(moved, fees, credit=fee)
        return 1

    return cycle


CONTENDERS: dict[str, Prepare] = {"hordak": hordak}


def meanwhile() -> AbstractContextManager[None]:
    """Nothing else runs: it has no roll-up."""
    market()
    return nullcontext()
