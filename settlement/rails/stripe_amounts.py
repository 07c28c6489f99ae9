"""Stripe's minor units, which are not ISO 4217's everywhere: docs.stripe.com/currencies.

MGA has no decimals at Stripe though ISO gives it two; ISK and UGX have none but are written with
two; three-decimal currencies are charged in steps of ten. What Stripe cannot carry exactly is
refused: nothing is rounded.
"""

from settlement.money import EXPONENTS, Money

_ZERO = "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF"
_WRITTEN_WITH_TWO = frozenset({"ISK", "UGX"})
_STEPS_OF_TEN = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})
_ELSEWHERE = "BTN CUP ERN GHS IQD IRR KPW LYD SDG SSP SVC SYP TMT USDC VED VES ZWG"


class NotCarried(ValueError):
    """Stripe does not carry this currency, or not this amount of it exactly."""


def to_stripe(money: Money) -> tuple[int, str]:
    """Stripe's amount and its lower-case code. Raises NotCarried."""
    code = money.currency
    if code in _ELSEWHERE.split():
        raise NotCarried(f"Stripe does not carry {code}")
    if code in _STEPS_OF_TEN and money.amount % 10:
        raise NotCarried(f"Stripe carries {code} in steps of ten minor units")
    numerator, denominator = _ratio(code)
    if money.amount * numerator % denominator:
        raise NotCarried(f"Stripe carries no part of one {code}")
    return money.amount * numerator // denominator, code.lower()


def from_stripe(amount: int, code: str) -> tuple[int, str]:
    """Our minor units and code for what Stripe's books say."""
    currency = code.upper()
    numerator, denominator = _ratio(currency)
    return amount * denominator // numerator, currency


def _ratio(code: str) -> tuple[int, int]:
    """Stripe's minor units per one of ours, as a fraction."""
    exponent = EXPONENTS.get(code, 2)
    stripe = 0 if code in _ZERO.split() else 2 if code in _WRITTEN_WITH_TWO else exponent
    return 10 ** max(stripe - exponent, 0), 10 ** max(exponent - stripe, 0)
