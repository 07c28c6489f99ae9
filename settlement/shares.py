"""Dividing an amount by basis points so that nothing is lost: the largest remainder method.

`largest-remainder-1`: every share gets the floor of its exact part; the minor units that are left
go, one each, to the largest fractional remainders; of equal remainders the one listed first wins.
Listed first is always who earned it: the builder before the buyer, the builder before the fee.
"""

from collections.abc import Sequence

RULE = "largest-remainder-1"
WHOLE = 10_000


class SharesIncomplete(ValueError):
    """Shares are basis points of at least 0 that add up to 10000."""


def divide(amount: int, shares_bps: Sequence[int]) -> list[int]:
    """Minor units for each share, in order, adding up to `amount`. Raises SharesIncomplete."""
    if amount < 0 or sum(shares_bps) != WHOLE or min(shares_bps) < 0:
        raise SharesIncomplete(f"{list(shares_bps)} of {amount} does not add up to {WHOLE} bps")
    return allot([amount * bps for bps in shares_bps])


def allot(ten_thousandths: Sequence[int]) -> list[int]:
    """Whole minor units for exact parts given in 1/10000 of one; the parts add up to whole units.

    Raises SharesIncomplete.
    """
    amount, over = divmod(sum(ten_thousandths), WHOLE)
    if over or min(ten_thousandths) < 0:
        raise SharesIncomplete(f"{list(ten_thousandths)} does not add up to whole minor units")
    parts, remainders = zip(*(divmod(exact, WHOLE) for exact in ten_thousandths), strict=True)
    by_remainder = sorted(range(len(parts)), key=lambda place: -remainders[place])
    lucky = set(by_remainder[: amount - sum(parts)])
    return [part + (place in lucky) for place, part in enumerate(parts)]
