"""What an evaluation may use, and how many calls are still within it.

Money is millionths of one unit of a currency. What a call will cost is known only afterwards, so
every call in flight has `call_cost_micros` set aside for it; a call is made only where that much is
left beside what was spent and what is set aside. A call that could end after `seconds` is not made.
So none of the three is exceeded, whatever number of runners asks at once, as long as no call costs
more than was set aside for it.
"""

from dataclasses import dataclass
from typing import Literal

Spent = Literal["calls", "time", "money"]


class BudgetRefused(ValueError):
    """The budget cannot be kept; the message says what to change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """None means no limit. `currency` (ISO 4217) belongs to the two amounts."""

    calls: int | None = None
    seconds: int | None = None
    cost_micros: int | None = None
    currency: str = ""
    call_cost_micros: int = 0

    def check(self, *, call_seconds: float) -> None:
        """Raises BudgetRefused; `call_seconds` is how long one call may take."""
        for limit, name in (
            (self.calls, "calls"),
            (self.seconds, "seconds"),
            (self.cost_micros, "money"),
        ):
            if limit is not None and limit < 1:
                raise BudgetRefused(f"a budget of {name} must be above zero")
        if self.seconds is not None and self.seconds < call_seconds:
            raise BudgetRefused(
                f"one call may take {call_seconds:g} s, so {self.seconds} s allow none; "
                "give more time"
            )
        if self.cost_micros is None:
            return
        if not self.currency:
            raise BudgetRefused("name the currency of the money budget")
        if not 1 <= self.call_cost_micros <= self.cost_micros:
            raise BudgetRefused(
                "say what one call may cost at most: above zero and within the money budget"
            )


NO_LIMIT = Budget()


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What was used so far. `in_flight` counts calls under way, `elapsed` is seconds."""

    calls: int
    elapsed: float
    cost_micros: int = 0
    in_flight: int = 0


@dataclass(frozen=True, slots=True)
class Room:
    """How many calls may be made now; `spent` names what is used up for good."""

    calls: int
    spent: Spent | None = None


def room(*, budget: Budget, used: Used, call_seconds: float, wanted: int) -> Room:
    """At most `wanted` calls that stay within the budget, each of at most `call_seconds`."""
    if budget.seconds is not None and used.elapsed + call_seconds > budget.seconds:
        return Room(0, "time")
    allowed = wanted
    if budget.calls is not None:
        if used.calls >= budget.calls:
            return Room(0, "calls")
        allowed = min(allowed, budget.calls - used.calls)
    if budget.cost_micros is not None:
        left = budget.cost_micros - used.cost_micros
        if left < budget.call_cost_micros and not used.in_flight:
            return Room(0, "money")
        affordable = left // budget.call_cost_micros - used.in_flight
        allowed = min(allowed, max(0, affordable))
    return Room(allowed)


# How much of a minute's calls may be made at once after a pause.
BURST_SECONDS = 1.0


def paced(*, per_minute: int, booked_ahead: float, wanted: int) -> tuple[int, float, float]:
    """How many calls a rate allows now, how far ahead it is booked then, and how long to wait.

    `booked_ahead` is the time in seconds until the next call would be due had all been evenly
    spaced (negative after a pause). This is the generic cell rate algorithm (ITU-T I.371): a burst
    of at most one second's calls, never fewer than one.
    """
    interval = 60 / per_minute
    ahead = max(0.0, booked_ahead)
    free = int((max(BURST_SECONDS, interval) - ahead + 1e-9) / interval)
    taken = max(0, min(wanted, free))
    ahead += taken * interval
    wait = max(0.0, ahead + interval - max(BURST_SECONDS, interval))
    return taken, ahead, wait
