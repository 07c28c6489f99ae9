"""How much a buyer's evidence counts: what it earned with others, and never more than a share.

A buyer nobody knows counts for little, whatever it brings. It earns weight by settled hires of
*other* builders that are established, and a builder is established by other buyers than the one
who hires: so a group that only hires among itself pays for every step. Weight grows with the
square of the builders, because the first few are the cheapest to stage.

All numbers are whole. Credited units are thousandths of `reputation.ageing.weight`.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

LEAST_PERMILLE = 10  # what an unknown buyer counts
FULL_TIES = 5  # established builders hired elsewhere, from which on a buyer counts in full
MOST_UNITS = 25  # of one buyer, in one dimension of one agent version, at full weight
ESTABLISHED = 20_000  # thousandths of units that other buyers gave a builder
_PRIOR_RULINGS = 2


class TieKey(NamedTuple):
    """A buyer and a builder it hired."""

    buyer_id: str
    builder_id: str


@dataclass(frozen=True, kw_only=True)
class Tie:
    """What passed between the two.

    `credit`: the most the buyer's evidence gave the builder at once, thousandths of a unit.
    `counts`: whether the builder was established by others when this buyer's hire was settled.
    """

    hires: int = 0
    credit: int = 0
    counts: bool = False


@dataclass(frozen=True, kw_only=True)
class Buyer:
    """What the log says of a buyer, in counts.

    `ties`: established builders hired. `disputes` opened; `rulings` on them; `upheld`: rulings that
    moved money its way. `silences`: verdicts it left to be accepted by the clock.
    """

    hires: int = 0
    ties: int = 0
    disputes: int = 0
    rulings: int = 0
    upheld: int = 0
    silences: int = 0


@dataclass(frozen=True, kw_only=True)
class Builder:
    """What its buyers' evidence gave a builder: the sum of its ties' `credit`."""

    credit: int = 0


@dataclass(frozen=True, kw_only=True)
class Share:
    """One buyer's credited evidence in one tally; what is newer displaces what is older."""

    passes: int = 0
    failures: int = 0

    @property
    def units(self) -> int:
        """Thousandths of `reputation.ageing.weight`."""
        return self.passes + self.failures


def permille(buyer: Buyer, tie: Tie) -> int:
    """How much the buyer's evidence on this builder counts, of 1000; the tie itself is no help.

    Disputes that rulings did not uphold lower it, against a prior of two that were.
    """
    elsewhere = min(FULL_TIES, buyer.ties - tie.counts)
    earned = LEAST_PERMILLE + (1000 - LEAST_PERMILLE) * elsewhere**2 // FULL_TIES**2
    fair = buyer.upheld + _PRIOR_RULINGS
    return max(1, earned * fair // (buyer.rulings + _PRIOR_RULINGS))


def renew(share: Share, *, passes: int, failures: int, weight: int, permille: int) -> Share:
    """The buyer's share after one more verdict of so many units (at least one).

    Never more than MOST_UNITS at the buyer's present weight. The newest units are kept: a buyer's
    good old times must not hide what it sees now.
    """
    most = MOST_UNITS * weight * permille
    fresh = min((passes + failures) * weight * permille, most)
    fresh_passes = fresh * passes // (passes + failures)
    kept = min(share.units, most - fresh)
    kept_passes = kept * share.passes // share.units if kept else 0
    return Share(
        passes=fresh_passes + kept_passes, failures=fresh - fresh_passes + kept - kept_passes
    )


def hired(
    buyer: Buyer, tie: Tie, *, builder: Builder, units: int, permille: int, silently: bool
) -> tuple[Buyer, Tie, Builder]:
    """Buyer, tie and builder after a settled hire that measured so many units."""
    credit = max(tie.credit, permille * min(units, MOST_UNITS))
    others = builder.credit - tie.credit
    counts = tie.counts or (units > 0 and others >= ESTABLISHED)
    after = replace(
        buyer,
        hires=buyer.hires + 1,
        ties=buyer.ties + (counts and not tie.counts),
        silences=buyer.silences + silently,
    )
    return (
        after,
        Tie(hires=tie.hires + 1, credit=credit, counts=counts),
        Builder(credit=others + credit),
    )
