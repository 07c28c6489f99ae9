"""Twenty clients who do everything two sides can do to their escrows, and keep book of it."""

import random
import threading
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from types import TracebackType
from typing import Any
from uuid import uuid4

from tests.faults.stack import Answer, Stack

CLIENTS = 20
# Done, refused with a reason, raced by an equal request, or the database is away.
EXPECTED = {201, 403, 409, 422, 503}


@dataclass(frozen=True, slots=True)
class Order:
    """One request under one key, for one milestone."""

    who: str
    milestone: str
    what: str
    body: dict[str, Any]
    key: str = field(default_factory=lambda: uuid4().hex)


def any_order(milestones: Sequence[str], agent_version: str) -> Order:
    """Accept, return, revise, dispute, or money from outside."""
    milestone = random.choice(milestones)
    complaint = {"ground": "performance", "statement": "These answers are wrong."}
    return random.choice(
        [
            Order("alice", milestone, "acceptance", {}),
            Order("bob", milestone, "return", {}),
            Order("bob", milestone, "revision", {"agent_version": agent_version}),
            Order("alice", milestone, "dispute", complaint),
            Order("alice", "", "deposits", {"amount": "7", "currency": "EUR"}),
        ]
    )


class Crowd:
    """The clients act from threads for the length of a block, whatever happens meanwhile."""

    def __init__(self, stack: Stack, milestones: Sequence[str], agent_version: str) -> None:
        self.acknowledged: list[Order] = []
        self.unsure: list[Order] = []
        self.statuses: Counter[int] = Counter()
        self.wrong: list[tuple[Order, Answer]] = []
        self.without_a_hint: list[Answer] = []
        self._stack = stack
        self._milestones = milestones
        self._agent_version = agent_version
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._act, daemon=True) for _ in range(CLIENTS)]

    def __enter__(self) -> "Crowd":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _act(self) -> None:
        while not self._over.wait(random.uniform(0.05, 0.4)):
            order = any_order(self._milestones, self._agent_version)
            if not self.send(order):
                self.unsure.append(order)

    def send(self, order: Order) -> bool:
        """Whether there was an answer, whatever it says; no answer is no news."""
        path = f"milestones/{order.milestone}/{order.what}" if order.milestone else order.what
        with suppress(OSError, HTTPException, ValueError):
            answer = self._stack.ask(order.who, "POST", path, order.body, key=order.key)
            self._book(order, answer)
            return answer.status not in (409, 503) or b"in-flight" not in answer.body
        return False

    def _book(self, order: Order, answer: Answer) -> None:
        self.statuses[answer.status] += 1
        if answer.status == 201:
            self.acknowledged.append(order)
        elif answer.status not in EXPECTED:
            self.wrong.append((order, answer))
        if answer.status == 503 and "Retry-After" not in answer.headers:
            self.without_a_hint.append(answer)

    def nothing_acknowledged_is_missing(self) -> None:
        """Invariant 7: what was said to be done is there, once per key."""
        done = Counter((order.milestone, order.what) for order in self.acknowledged)
        accepted = {m for m, what in done if what == "acceptance"}
        returned = {m for m, what in done if what == "return"}
        rows = self._stack.rows(
            """SELECT milestone_id, accepted_at IS NOT NULL OR state IN
                      ('released', 'refunded', 'split'), given_back_at IS NOT NULL
                 FROM settlement_escrow"""
        )
        assert accepted <= {milestone for milestone, ended, _ in rows if ended}
        assert returned <= {milestone for milestone, _, given in rows if given}
        disputed = dict(
            self._stack.rows("SELECT milestone_id, count(*) FROM pacts_dispute GROUP BY 1")
        )
        for (milestone, what), times in done.items():
            assert what != "dispute" or disputed.get(milestone, 0) >= times
        keys = {order.key for order in self.acknowledged if order.what == "deposits"}
        self._stack.wait("the deposits", lambda: self._credited() >= len(keys))

    def _credited(self) -> int:
        """Deposits of ours that became money, each by a transfer of its own."""
        rows = self._stack.rows(
            """SELECT count(DISTINCT transfer_id) FROM settlement_deposit
                WHERE amount = 7 AND currency = 'EUR' AND state = 'succeeded'"""
        )
        return sum(count for (count,) in rows)
