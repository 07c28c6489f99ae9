"""Money: a whole number of minor units beside its currency. There are no floats anywhere.

The currencies and their exponents are `pacts.currencies`'.
"""

import re
from dataclasses import dataclass

from pacts.currencies import EXPONENTS, LARGEST, CurrencyUnknown, exponent_of

__all__ = [
    "EXPONENTS",
    "LARGEST",
    "AmountMalformed",
    "CurrencyMismatch",
    "CurrencyUnknown",
    "Money",
    "exponent_of",
    "parse",
    "parse_digits",
    "read",
    "written",
]

_AMOUNT = re.compile(r"[0-9]{1,15}")
_WRITTEN = re.compile(r"([0-9]{1,15})(?:\.([0-9]{1,6}))?")


class AmountMalformed(ValueError):
    """Not whole minor units in 1 to 15 ASCII digits, or more decimals than the currency has."""


class CurrencyMismatch(ValueError):
    """Two currencies met where there may be only one."""


@dataclass(frozen=True, slots=True)
class Money:
    """`amount` minor units of `currency`, 0 to 10^15 − 1: USD 12.50 is `Money(1250, "USD")`."""

    amount: int
    currency: str

    def __post_init__(self) -> None:
        exponent_of(self.currency)
        if type(self.amount) is not int or not 0 <= self.amount <= LARGEST:
            raise AmountMalformed(f"{self.amount!r} is not a whole number from 0 to {LARGEST}")

    def __str__(self) -> str:
        return f"{self.currency} {written(self)}"


def parse(amount: str, currency: str) -> Money:
    """Read minor units as programs send them, `"1250"`. Raises AmountMalformed, CurrencyUnknown."""
    if not isinstance(amount, str) or not _AMOUNT.fullmatch(amount):
        raise AmountMalformed("write the amount in minor units: 1 to 15 digits and nothing else")
    return Money(int(amount), currency)


def read(text: str, currency: str) -> Money:
    """Read what a person types, `"12.50"`, exactly. Raises AmountMalformed, CurrencyUnknown."""
    exponent = exponent_of(currency)
    found = _WRITTEN.fullmatch(text) if isinstance(text, str) else None
    if not found or len(found[2] or "") > exponent:
        raise AmountMalformed(f"write an amount with at most {exponent} decimals, such as 12")
    return parse_digits(found[1] + (found[2] or "").ljust(exponent, "0"), currency)


def parse_digits(digits: str, currency: str) -> Money:
    """Minor units as digits of any number; beyond 10^15 − 1 they are AmountMalformed."""
    return Money(int(digits), currency)


def written(money: Money) -> str:
    """For people, without the code: `1,234.50`; as many decimals as the currency has."""
    exponent = exponent_of(money.currency)
    whole, part = divmod(money.amount, 10**exponent)
    return f"{whole:,}.{part:0{exponent}d}" if exponent else f"{whole:,}"
