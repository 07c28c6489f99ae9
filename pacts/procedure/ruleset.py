"""The rules of disputes as a policy sets them: numbers by key, defaults for the rest. Pure."""

from collections.abc import Mapping
from datetime import timedelta

from pacts.procedure.clocks import DAY, FULL, HOUR, SMALL, Periods
from pacts.procedure.limits import KIB, RULES, Limit, Rules

# Set in days; every other period in hours.
IN_DAYS = frozenset({"review", "appeal", "backstop"})
# Set at all: the others (how long a check may take) are not for anybody to set.
PERIODS = (
    *("answer", "negotiation", "evidence", "review", "challenge", "appeal"),
    *("appeal_evidence", "backstop"),
)


def unit_of(name: str, usual: Periods) -> timedelta:
    """What a period is counted in."""
    in_days = name in IN_DAYS or (name == "answer" and usual.business_days)
    return DAY if in_days else HOUR


def rules_of(values: Mapping[str, int]) -> Rules:
    """The rules that these values say; a key they lack has its default."""
    return Rules(
        full=_periods("full", FULL, values),
        small=_periods("small", SMALL, values),
        small_claim=_scaled(RULES.small_claim, values.get("small_claim")),
        second_person=_scaled(RULES.second_person, values.get("second_person")),
        deposit_bps=_by_lost("deposit_after", RULES.deposit_bps, values),
        most_open=_by_lost("open_after", RULES.most_open, values),
        lost_window=timedelta(days=values.get("lost_window", RULES.lost_window.days)),
        largest_exhibit=values.get("exhibit_size", RULES.largest_exhibit // KIB) * KIB,
        most_exhibits=values.get("exhibits_each", RULES.most_exhibits),
    )


def _periods(prefix: str, usual: Periods, values: Mapping[str, int]) -> Periods:
    seconds = usual.seconds()
    for name in PERIODS:
        if (count := values.get(f"{prefix}_{name}")) is not None:
            seconds[name] = int(unit_of(name, usual).total_seconds()) * count
    return Periods.of(seconds)


def _by_lost(prefix: str, usual: tuple[int, ...], values: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(values.get(f"{prefix}_{lost}", default) for lost, default in enumerate(usual))


def _scaled(usual: Limit, units: int | None) -> Limit:
    """The same limit in every currency, in the proportions of the default."""
    if units is None or units == usual.units:
        return usual
    by_currency = {
        currency: amount * units // usual.units for currency, amount in usual.by_currency.items()
    }
    return Limit(units, by_currency)
