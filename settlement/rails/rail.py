"""What a rail is: a way for money to enter and leave. Calls happen outside any transaction."""

from dataclasses import dataclass
from typing import Literal, Protocol

from settlement.money import Money

Result = Literal["succeeded", "failed", "pending"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the rail said. `pending` means ask again; `detail` is for people."""

    result: Result
    rail_reference: str = ""
    detail: str = ""


class RailUnreachable(Exception):
    """No answer came. The call may have happened: ask again with the same reference."""


class Rail(Protocol):
    """One rail. `reference` is our id of the deposit or payout and the rail's idempotency key:
    asking again with the same reference never moves money twice.
    """

    instant: bool  # answers at once and in-process, so nobody needs to wait for a worker

    def deposit(self, *, reference: str, money: Money, source: str) -> Answer:
        """Charge the source. Raises RailUnreachable."""

    def payout(self, *, reference: str, money: Money, destination: str) -> Answer:
        """Pay out to the destination. Raises RailUnreachable."""
