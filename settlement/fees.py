"""What each side gets of an escrow: the earned share, less the platform's fee on that share alone.

A refund carries no fee. Both divisions use `shares.RULE`.
"""

from dataclasses import dataclass

from settlement.shares import WHOLE, divide


@dataclass(frozen=True, slots=True)
class Division:
    """Minor units: `released` to the builder, `fee` to the platform, `refunded` to the buyer."""

    released: int
    fee: int
    refunded: int

    @property
    def earned(self) -> int:
        """What the work earned, before the fee."""
        return self.released + self.fee


def apportion(*, amount: int, share_bps: int, fee_bps: int) -> Division:
    """Divide `amount` for an earned share; both rates in basis points, 0 to 10000.

    Raises `shares.SharesIncomplete` for a rate out of range.
    """
    earned, refunded = divide(amount, (share_bps, WHOLE - share_bps))
    released, fee = divide(earned, (WHOLE - fee_bps, fee_bps))
    return Division(released=released, fee=fee, refunded=refunded)
