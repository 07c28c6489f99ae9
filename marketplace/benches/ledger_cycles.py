"""The escrow cycle on our own tables: hold, then release with a fee. Raw, through Python, batched.

Every contender uses the same accounts, amounts, keys and guards, commits each step (a batch of
releases is one step), and pays its fee to the one queued fee account, but for `uniform`, which
pays each fee to one of many plain accounts. A roll-up folds the queue once a second meanwhile.
"""

import multiprocessing
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from itertools import chain, repeat
from multiprocessing.synchronize import Event
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection

from marketplace.benches.crowd import Act, Prepare, Seat
from marketplace.benches.history import AMOUNT, CURRENCY, FEE, open_market, write_past
from reputation.identifiers import new_id
from settlement import ledger
from settlement.ledger import Posting, Side
from settlement.models import Account, Transfer

__all__ = ["CONTENDERS", "meanwhile", "open_market", "write_past"]

BATCH, WARMING = 100, 5
ROLL_UP_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Places:
    """The accounts of a bench: everybody's buyers and builders, this client's escrows."""

    buyers: list[Account]
    builders: list[Account]
    escrows: list[Account]
    fees: list[Account]

    def pick(self) -> tuple[Account, Account, Account, Account]:
        return (
            random.choice(self.buyers),  # noqa: S311
            random.choice(self.builders),  # noqa: S311
            random.choice(self.escrows),  # noqa: S311
            random.choice(self.fees),  # noqa: S311
        )


@cache
def market() -> Places:
    """All accounts that `history.open_market` made; read once, before the clients are forked."""
    named = list(Account.objects.filter(owner__isnull=False).order_by("pk"))
    half = len(named) // 2
    bench = Account.objects.filter(subject__startswith="bench ").order_by("pk")
    escrows, plain = bench.filter(kind="escrow"), bench.filter(kind="fees")
    return Places(named[:half], named[half:], list(escrows), list(plain))


def places(seat: Seat, *, uniform: bool = False) -> Places:
    """The accounts of one client."""
    everything = market()
    fees = everything.fees if uniform else [ledger.fee_account(currency=CURRENCY)]
    return replace(everything, escrows=seat.share(everything.escrows), fees=fees)


def hold_key(buyer: Account) -> str:
    return f"fund:{buyer.owner_id}:{os.urandom(16).hex()}"


def settle_key() -> str:
    return f"settle:{new_id('esc')}"


def holding(buyer: Account, escrow: Account) -> Posting:
    sides = ledger.move(source=buyer, target=escrow, amount=AMOUNT)
    return Posting(kind=Transfer.Kind.HOLD, key=hold_key(buyer), sides=sides)


def releasing(held: int, escrow: Account, builder: Account, fees: Account) -> Posting:
    sides = (Side(escrow, -AMOUNT), Side(builder, AMOUNT - FEE), Side(fees, FEE))
    return Posting(kind=Transfer.Kind.RELEASE, key=settle_key(), sides=sides, resolves=held)


def through_python(places_: Places) -> Act:
    """`ledger.post` twice."""

    def cycle() -> int:
        buyer, builder, escrow, fees = places_.pick()
        held = ledger.post(holding(buyer, escrow)).transfer_id
        ledger.post(releasing(held, escrow, builder, fees))
        return 1

    return cycle


def ours(seat: Seat) -> Act:
    return through_python(places(seat))


def uniform(seat: Seat) -> Act:
    return through_python(places(seat, uniform=True))


def batched(seat: Seat) -> Act:
    """`ledger.post` for each hold, `ledger.post_batch` for a hundred releases, as a sweep does."""
    found = places(seat)
    sizes = chain([WARMING], repeat(BATCH))

    def cycles() -> int:
        releases = []
        for _ in range(next(sizes)):
            buyer, builder, escrow, fees = found.pick()
            held = ledger.post(holding(buyer, escrow)).transfer_id
            releases.append(releasing(held, escrow, builder, fees))
        ledger.post_batch(releases)
        return len(releases)

    return cycles


POST = "SELECT posted FROM settlement_post(%s, %s, %s, %s, %s, %s, %s)"


def raw(seat: Seat) -> Act:
    """The limit: the same SQL function by prepared statements on a plain connection."""
    found = places(seat)
    connection.close()
    line = psycopg.connect(**connection_arguments(), autocommit=True)
    cursor = line.cursor(binary=True)

    def post(kind: str, key: str, held: int | None, sides: list[tuple[Account, int]]) -> int:
        accounts = [account.pk for account, _ in sides]
        amounts = [amount for _, amount in sides]
        currencies = [CURRENCY] * len(sides)
        values = (kind, key, os.urandom(32), held, accounts, currencies, amounts)
        row = cursor.execute(POST, values, prepare=True).fetchone()
        assert row
        return int(row[0])

    def cycle() -> int:
        buyer, builder, escrow, fees = found.pick()
        held = post("hold", hold_key(buyer), None, [(buyer, -AMOUNT), (escrow, AMOUNT)])
        sides = [(escrow, -AMOUNT), (builder, AMOUNT - FEE), (fees, FEE)]
        post("release", settle_key(), held, sides)
        return 1

    return cycle


def connection_arguments() -> dict[str, Any]:
    entry = settings.DATABASES["default"]
    names = {"dbname": "NAME", "user": "USER", "host": "HOST", "port": "PORT"}
    return {ours: entry[theirs] for ours, theirs in names.items() if entry[theirs]}


CONTENDERS: dict[str, Prepare] = {"raw": raw, "ours": ours, "uniform": uniform, "batched": batched}


@contextmanager
def meanwhile() -> Iterator[None]:
    """The roll-up runs, in a process of its own, for the length of a block."""
    market()
    connection.close()
    fork = multiprocessing.get_context("fork")
    over = fork.Event()
    folding = fork.Process(target=_fold, args=(over,), daemon=True)
    folding.start()
    try:
        yield
    finally:
        over.set()
        folding.join()


def _fold(over: Event) -> None:
    while not over.wait(ROLL_UP_SECONDS):
        ledger.roll_up_all()
