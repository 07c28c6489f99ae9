"""A seeded source of choices that is the same on every machine and Python version."""

import random
from collections.abc import Sequence
from datetime import date, timedelta
from typing import TypeVar

T = TypeVar("T")


class Draw:
    """Choices from one seed. Rests on `Random.random()` alone: the only stream Python promises."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed)  # noqa: S311 - test data, not secrets

    def integer(self, low: int, high: int) -> int:
        """An integer from low to high, both included."""
        return low + int(self._random.random() * (high - low + 1))

    def one_of(self, options: Sequence[T]) -> T:
        return options[self.integer(0, len(options) - 1)]

    def several(self, options: Sequence[T], count: int) -> tuple[T, ...]:
        """`count` different entries, in drawn order."""
        left = list(options)
        return tuple(left.pop(self.integer(0, len(left) - 1)) for _ in range(count))

    def shuffled(self, options: Sequence[T]) -> tuple[T, ...]:
        return self.several(options, len(options))

    def day(self, first: date, last: date) -> date:
        """A calendar day from first to last, both included."""
        return first + timedelta(days=self.integer(0, (last - first).days))
