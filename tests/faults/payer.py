"""Somebody who brings money in all the time, and keeps book of what was acknowledged."""

import threading
from contextlib import suppress
from functools import partial
from http.client import HTTPException
from types import TracebackType
from uuid import uuid4

from tests.faults.stack import Answer, Stack


class Payer:
    """Deposits as alice from a thread for the length of a block, whatever happens meanwhile.

    Amounts count up from `first`, so that each deposit is known by its own.
    """

    def __init__(self, stack: Stack, first: int) -> None:
        self.acknowledged: list[int] = []
        self.unsure: dict[str, int] = {}
        self.wrong: list[Answer] = []
        self._stack = stack
        self._amount = first
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._pay, daemon=True)

    def __enter__(self) -> "Payer":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def _pay(self) -> None:
        while not self._over.wait(0.1):
            self._amount += 1
            self._try(uuid4().hex, self._amount)
            self._refused(uuid4().hex, self._amount)

    def _try(self, key: str, amount: int) -> None:
        self.unsure[key] = amount
        answer = self._ask(key, str(amount))
        if answer and answer.status == 201:
            self.acknowledged.append(self.unsure.pop(key))
        elif answer and answer.status not in (409, 503):
            self.wrong.append(answer)

    def _refused(self, key: str, amount: int) -> None:
        """The same with a sign, which no amount has: it must leave nothing behind."""
        answer = self._ask(key, f"-{amount}")
        if answer and answer.status not in (400, 422, 503):
            self.wrong.append(answer)

    def _ask(self, key: str, amount: str) -> Answer | None:
        body = {"amount": amount, "currency": "USD"}
        with suppress(OSError, HTTPException, ValueError):
            return self._stack.ask("alice", "POST", "deposits", body, key=key)
        return None

    def settle(self) -> None:
        """Repeat what had no answer under its own key, then hold the rows against the book.

        Invariant 7: every acknowledged deposit is there once, and a refused one left nothing.
        """
        for key, amount in list(self.unsure.items()):
            again = partial(self._again, key, amount)
            self._stack.wait("an answer to a repeated deposit", again)
        self._stack.wait("every deposit to be credited", self._none_pending)
        rows = self._stack.rows(
            """SELECT d.amount, count(*), sum(e.amount) FROM settlement_deposit d
                 JOIN settlement_entry e ON e.transfer_id = d.transfer_id AND e.amount > 0
                WHERE d.currency = 'USD' AND d.amount = ANY(%s) GROUP BY d.amount""",
            sorted(self.acknowledged),
        )
        assert {(amount, 1, amount) for amount in self.acknowledged} == set(rows)
        assert self.wrong == []

    def _none_pending(self) -> bool:
        """A crash after the acknowledgement leaves a deposit pending until the next sweep."""
        waiting = "SELECT count(*) FROM settlement_deposit WHERE state = 'pending'"
        return self._stack.rows(waiting) == [(0,)]

    def _again(self, key: str, amount: int) -> bool:
        self._try(key, amount)
        return key not in self.unsure
