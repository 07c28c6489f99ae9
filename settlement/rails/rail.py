"""What a rail is: a way for money to enter and leave. Calls happen outside any transaction.

`deposit`, `payout` and `refund` move money, `find` and `reconcile` read the rail's own books, and
`webhook` reads what the rail sends by itself. An answer that was lost is looked up in the books or
asked for again under the same reference; it is never guessed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from settlement.money import Money

Result = Literal["succeeded", "failed", "pending", "unknown"]
Kind = Literal["deposit", "payout", "refund"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the rail said. `detail` is for people.

    `succeeded` and `failed` are final. `pending`: the rail has it, or will take it later.
    `unknown`: no answer came that can be trusted, so the money may have moved.
    """

    result: Result
    rail_reference: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a rail is asked to do.

    `reference` is our id of it and the rail's idempotency key. `place` is the source of a deposit,
    the destination of a payout. `refunds` is the rail's reference of the deposit that goes back.
    """

    kind: Kind
    reference: str
    money: Money
    place: str
    requested_at: datetime
    refunds: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """One movement in the rail's own books; `reference` is what we called it, if we did."""

    kind: Kind
    reference: str
    rail_reference: str
    amount: int
    currency: str
    answer: Answer
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """An authentic webhook: the rail's id of the event, and our id of what it is about, or ""."""

    event_id: str
    kind: str
    reference: str


class RailUnreachable(Exception):
    """No answer came. The call may have happened: look it up, or ask again, same reference."""


class WebhookRefused(Exception):
    """The body is not signed by the rail, or its moment is too far from now. Nothing was read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guide:
    """A rail in words, for who deposits or is paid: what to write as a source or destination.

    `usual` is the place that is meant when none is written; "" is none.
    """

    title: str
    source: str
    destination: str
    usual: str = ""


class Rail(Protocol):
    """One rail. Asking again with the same reference never moves money twice."""

    guide: Guide
    instant: bool  # answers within a page's patience, so nobody needs to wait for a worker

    @property
    def ready(self) -> bool:
        """Whether it is set up here."""

    def deposit(self, order: Order) -> Answer:
        """Charge the source. Raises RailUnreachable."""

    def payout(self, order: Order) -> Answer:
        """Pay out to the destination. Raises RailUnreachable."""

    def refund(self, order: Order) -> Answer:
        """Send (part of) a deposit back to where it came from. Raises RailUnreachable."""

    def find(self, order: Order, *, rail_reference: str) -> Movement | None:
        """What the books say of an order; None if they lack it. Raises RailUnreachable."""

    def webhook(self, *, headers: Mapping[str, str], body: bytes, now: datetime) -> Notice:
        """Verify the raw body, then read it. Raises WebhookRefused."""

    def reconcile(self, *, since: datetime, until: datetime) -> Iterator[Movement]:
        """Every movement the books hold from `since` to before `until`. Raises RailUnreachable."""
