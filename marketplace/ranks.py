"""How far two orders of the same things agree. Plain Python."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from math import erfc, sqrt
from random import Random

FEWEST = 5  # below this, an order by chance is too likely to say anything
EXACT = 7  # up to this many, every order is counted
MANY = 200  # beyond, the distribution in the limit is as good
DRAWS = 9_999


@dataclass(frozen=True, slots=True)
class Agreement:
    """Spearman's ρ of n pairs, and how often an order by chance agrees or disagrees as much."""

    n: int
    rho: float | None
    p_value: float | None

    @property
    def says_little(self) -> bool:
        """Whether there is too little to conclude from."""
        return self.rho is None or self.n < FEWEST


def agreement(one: Sequence[float], other: Sequence[float]) -> Agreement:
    """Spearman's rank correlation with tied ranks averaged; its two-sided permutation p-value.

    ρ is Pearson's r of the ranks (Spearman 1904) and None where either side is all one value. The
    p-value counts all orders up to seven pairs, else 9,999 drawn with a fixed seed; beyond 200
    pairs it is that of a normal ρ with the variance 1/(n − 1) (Kendall 1970, chapter 5).
    """
    if len(one) != len(other):
        raise ValueError(f"{len(one)} and {len(other)} values make no pairs")
    left, right = midranks(one), midranks(other)
    rho = _pearson(left, right)
    if rho is None:
        return Agreement(len(one), None, None)
    return Agreement(len(one), rho, _chance(left, right, abs(rho)))


def midranks(values: Sequence[float]) -> list[float]:
    """Places from 1 for the smallest; equal values share the mean of their places."""
    order = sorted(range(len(values)), key=lambda at: values[at])
    ranks = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start
        while end + 1 < len(order) and values[order[end + 1]] == values[order[start]]:
            end += 1
        for at in order[start : end + 1]:
            ranks[at] = (start + end) / 2 + 1
        start = end + 1
    return ranks


def _pearson(left: Sequence[float], right: Sequence[float]) -> float | None:
    n = len(left)
    mean = (n + 1) / 2
    across = sum((a - mean) * (b - mean) for a, b in zip(left, right, strict=True))
    spread = sum((a - mean) ** 2 for a in left) * sum((b - mean) ** 2 for b in right)
    return across / spread**0.5 if n and spread else None


def _chance(left: Sequence[float], right: Sequence[float], reached: float) -> float:
    if len(left) > MANY:
        return erfc(reached * sqrt((len(left) - 1) / 2))
    if len(left) <= EXACT:
        found = [abs(_pearson(left, order) or 0.0) for order in permutations(right)]
        return sum(rho >= reached - 1e-12 for rho in found) / len(found)
    draw, shuffled, hits = Random(1), list(right), 0  # noqa: S311 - the same answer every time
    for _ in range(DRAWS):
        draw.shuffle(shuffled)
        hits += abs(_pearson(left, shuffled) or 0.0) >= reached - 1e-12
    return (hits + 1) / (DRAWS + 1)
