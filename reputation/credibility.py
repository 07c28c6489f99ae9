"""How much a buyer's evidence counts: what it earned with others, and never more than a share.

A buyer nobody knows counts for little, whatever it brings. It earns weight by settled hires of
*other* builders that are established, and a builder is established by other buyers than the one
who hires: so a group that only hires among itself pays for every step. Weight grows with the
square of the builders, because the first few are the cheapest to stage.

All numbers are whole. Credited units are thousandths of `reputation.ageing.weight`.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

LEAST_PERMILLE = 20  # what an unknown buyer counts
FULL_TIES = 10  # established builders hired elsewhere, from which on a buyer counts in full
MOST_UNITS = 10  # of one buyer, in one dimension of one agent version, at full weight
ESTABLISHED = 15  # other buyers with measured, settled hires of a builder
_PRIOR_RULINGS = 2
_TOLERATED = 100  # permille by which a buyer's tasks may be kinder than hidden ones
_SLOPE = 5  # of each permille beyond that
_PRIOR_TASKS = 2


class TieKey(NamedTuple):
    """A buyer and a builder it hired."""

    buyer_id: str
    builder_id: str


@dataclass(frozen=True, kw_only=True)
class Tie:
    """What passed between the two: settled hires, and how many of them measured anything.

    `counts`: whether the builder was established by others when such a hire was settled.
    """

    hires: int = 0
    measured: int = 0
    counts: bool = False


@dataclass(frozen=True, kw_only=True)
class Buyer:
    """What the log says of a buyer, in counts.

    `ties`: established builders hired. `disputes` opened; `rulings` on them; `upheld`: rulings that
    moved money its way. `silences`: verdicts it left to be accepted by the clock. `own_*` and
    `canary_*`: units on its own tasks, and on the platform's hidden among them.
    """

    hires: int = 0
    ties: int = 0
    disputes: int = 0
    rulings: int = 0
    upheld: int = 0
    silences: int = 0
    own_passes: int = 0
    own_units: int = 0
    canary_passes: int = 0
    canary_units: int = 0


@dataclass(frozen=True, kw_only=True)
class Builder:
    """How many buyers have a measured, settled hire of the builder."""

    buyers: int = 0


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

    Disputes that rulings did not uphold lower it, against a prior of two that were; so do tasks on
    which agents do better than on the hidden ones among them.
    """
    elsewhere = min(FULL_TIES, buyer.ties - tie.counts)
    earned = LEAST_PERMILLE + (1000 - LEAST_PERMILLE) * elsewhere**2 // FULL_TIES**2
    fair = earned * (buyer.upheld + _PRIOR_RULINGS) // (buyer.rulings + _PRIOR_RULINGS)
    return max(1, fair * candour(buyer) // 1000)


def candour(buyer: Buyer) -> int:
    """1000 while the buyer's own tasks say what the hidden ones say, 0 when they flatter by 30 %.

    Both rates are shrunk towards each other by two tasks, so that bad luck in a few costs little.
    """
    if not buyer.canary_units:
        return 1000
    own = 1000 * buyer.own_passes // (buyer.own_units + _PRIOR_TASKS)
    hidden = 1000 * (buyer.canary_passes + _PRIOR_TASKS) // (buyer.canary_units + _PRIOR_TASKS)
    return max(0, min(1000, 1000 - _SLOPE * (own - hidden - _TOLERATED)))


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
    buyer: Buyer, tie: Tie, builder: Builder, *, measured: bool, silently: bool
) -> tuple[Buyer, Tie, Builder]:
    """The three after one more settled hire."""
    known = tie.measured > 0
    counts = tie.counts or (measured and builder.buyers - known >= ESTABLISHED)
    return (
        replace(
            buyer,
            hires=buyer.hires + 1,
            ties=buyer.ties + (counts and not tie.counts),
            silences=buyer.silences + silently,
        ),
        Tie(hires=tie.hires + 1, measured=tie.measured + measured, counts=counts),
        Builder(buyers=builder.buyers + (measured and not known)),
    )
