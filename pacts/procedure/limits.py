"""What a dispute may cost, how many there may be, and which are small or large. Pure.

Amounts are minor units; a limit without a row for a currency is the same number of its units.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from pacts.currencies import CurrencyUnknown, exponent_of
from pacts.procedure.clocks import FULL, SMALL, Periods

WHOLE = 10_000
KIB = 1024


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit in units of a currency, by currency; `units` where a currency has no row."""

    units: int
    by_currency: Mapping[str, int] = field(default_factory=dict)

    def of(self, currency: str) -> int:
        """In minor units. Raises CurrencyUnknown."""
        return int(self.by_currency.get(currency, self.units) * 10 ** exponent_of(currency))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Everything about disputes that a platform may set. What a dispute was opened under stays.

    `deposit_bps` and `most_open` are by the number of disputes a party lost in `lost_window`, the
    last entry for as many and more: a clean record files for nothing, and everybody may always
    have one case open.
    """

    full: Periods = FULL
    small: Periods = SMALL
    small_claim: Limit = Limit(50, {"JPY": 7_500, "KRW": 70_000, "INR": 4_000})
    second_person: Limit = Limit(5_000, {"JPY": 750_000, "KRW": 7_000_000, "INR": 400_000})
    deposit_bps: tuple[int, ...] = (0, 200, 500, 1_000)
    most_open: tuple[int, ...] = (20, 10, 3, 1)
    lost_window: timedelta = timedelta(days=180)
    largest_exhibit: int = 512 * KIB
    most_exhibits: int = 20  # of one side


RULES = Rules()
# How long a dispute can keep money waiting at the most, if everything takes as long as it may.
LONGEST_SECONDS = int(max(FULL.longest, SMALL.longest).total_seconds())


def track(*, amount: int, currency: str, rules: Rules = RULES) -> str:
    """`small` up to the limit, else `full`; `full` for a currency that is no longer offered."""
    return "small" if _within(amount, currency, rules.small_claim) else "full"


def needs_second(*, amount: int, currency: str, rules: Rules = RULES) -> bool:
    """Whether a person's ruling waits for another adjudicator's confirmation: above the limit, and
    for a currency that is no longer offered."""
    return not _within(amount, currency, rules.second_person)


def _within(amount: int, currency: str, limit: Limit) -> bool:
    try:
        return amount <= limit.of(currency)
    except CurrencyUnknown:
        return False


def deposit(*, amount: int, lost: int, rules: Rules = RULES) -> int:
    """What whoever files sets aside, in minor units; rounded up, never more than is disputed."""
    bps = _step(rules.deposit_bps, lost)
    return min(amount, -(-amount * bps // WHOLE))


def most_open(*, lost: int, rules: Rules = RULES) -> int:
    """How many disputes a party may have open at once."""
    return max(1, _step(rules.most_open, lost))


def _step(steps: tuple[int, ...], count: int) -> int:
    return steps[min(count, len(steps) - 1)]
