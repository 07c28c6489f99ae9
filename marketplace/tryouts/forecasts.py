"""What a tryout will take, said before it begins: calls, time, money, what the tasks can show."""

from collections.abc import Sequence
from dataclasses import dataclass

from marketplace.models import Listing
from pacts import evaluation, terms
from pacts.budgets import Budget
from pacts.forecasts import Forecast, forecast
from pacts.models import PactVersion, TaskSetVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatForecast:
    """One agent's part. `seconds` is the longest it can take; `price` what hiring it on these tasks
    sets aside, in minor units."""

    listing: Listing
    pact_version: PactVersion
    calls: int
    seconds: int
    price: int
    forecast: Forecast

    def limited(self, budget: Budget) -> int:
        """The calls a budget leaves of it."""
        return self.calls if budget.calls is None else min(self.calls, budget.calls)


def forecasts_of(
    *,
    listings: Sequence[Listing],
    task_set_version: TaskSetVersion,
    pact_version: PactVersion | None,
) -> list[SeatForecast]:
    """For each agent, under its own pact or the one given."""
    return [_one(listing, task_set_version, pact_version) for listing in listings]


def _one(listing: Listing, tasks: TaskSetVersion, pact_version: PactVersion | None) -> SeatForecast:
    pact = pact_version or listing.pact_version
    calls = evaluation.trials_needed(pact_version=pact, task_set_version=tasks)
    return SeatForecast(
        listing=listing,
        pact_version=pact,
        calls=calls,
        seconds=evaluation.seconds_needed(agent_version=listing.agent_version, trials=calls),
        price=listing.price,
        forecast=forecast(terms.parse(pact.terms), tasks=tasks.size),
    )


def sums_of(found: Sequence[SeatForecast]) -> list[tuple[str, int]]:
    """What hiring all of them sets aside: (currency, minor units), by currency."""
    sums: dict[str, int] = {}
    for one in found:
        sums[one.listing.currency] = sums.get(one.listing.currency, 0) + one.price
    return sorted(sums.items())
