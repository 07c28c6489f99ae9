"""What each side gets of an escrow: the earned share, less the platform's fee on that share alone.

A refund carries no fee. A fee is one rate, or marginal bands agreed in the engagement: each band's
rate holds for the part of the milestone's earned amount above its threshold, up to the next one.
The parts are added up exactly and rounded once. Both divisions use `shares.RULE`, so of equal
remainders the builder's is served before the fee.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from settlement.shares import WHOLE, allot, divide

FLAT_RULE = "on the earned part alone"
BANDS_RULE = "on the earned part alone, each band's rate on its own part, rounded once over all"


@dataclass(frozen=True, slots=True)
class FeeBand:
    """A rate in basis points for what lies above `above` minor units, up to the next band."""

    above: int
    fee_bps: int


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


def bands_of(rows: Iterable[Mapping[str, int]]) -> tuple[FeeBand, ...]:
    """Bands as an engagement stores them: `[{"above": 0, "fee_bps": 500}, ...]`, rising from 0."""
    return tuple(FeeBand(above=row["above"], fee_bps=row["fee_bps"]) for row in rows)


def apportion(
    *, amount: int, share_bps: int, fee_bps: int, fee_bands: Sequence[FeeBand] = ()
) -> Division:
    """Divide `amount` for an earned share; rates in basis points, 0 to 10000.

    Without bands the rate is `fee_bps` throughout. Raises `shares.SharesIncomplete` for a rate out
    of range.
    """
    earned, refunded = divide(amount, (share_bps, WHOLE - share_bps))
    bands = fee_bands or (FeeBand(0, fee_bps),)
    owed = sum(part * band.fee_bps for part, band in banded(earned, bands))
    released, fee = allot((earned * WHOLE - owed, owed))
    return Division(released=released, fee=fee, refunded=refunded)


def banded(earned: int, bands: Sequence[FeeBand]) -> list[tuple[int, FeeBand]]:
    """How many minor units of what was earned lie in each band, in order; they add up to it."""
    edges = [min(band.above, earned) for band in bands] + [earned]
    return [(top - low, band) for (low, top), band in zip(pairwise(edges), bands, strict=True)]
