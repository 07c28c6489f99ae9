"""Random choices that follow from a text alone: the same on every machine and in every version.

SHA-256 in counter mode. The standard library's generator promises its bits but not its shuffles,
and a run must re-verify byte for byte years later.
"""

import hashlib
from collections.abc import Iterator, Sequence
from typing import TypeVar

Item = TypeVar("Item")


class Draws:
    """A stream of choices. Two streams of one seed make the same choices in the same order."""

    def __init__(self, *seed: object) -> None:
        text = "\x1f".join(str(part) for part in seed)
        self._key = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
        self._words = self._stream()

    def _stream(self) -> Iterator[int]:
        counter = 0
        while True:
            block = hashlib.sha256(self._key + counter.to_bytes(8, "big")).digest()
            yield from (int.from_bytes(block[i : i + 8], "big") for i in range(0, 32, 8))
            counter += 1

    def below(self, count: int) -> int:
        """A whole number from 0 to `count` − 1, each as likely; raises ValueError below 1."""
        if count < 1:
            raise ValueError(f"there is nothing to choose among {count}")
        fair = 2**64 - 2**64 % count
        return next(word for word in self._words if word < fair) % count

    def pick(self, items: Sequence[Item]) -> Item:
        """One of the items; raises ValueError when there are none."""
        return items[self.below(len(items))]

    def order(self, count: int) -> list[int]:
        """The numbers from 0 to `count` − 1 in a random order (Fisher and Yates)."""
        places = list(range(count))
        for last in range(count - 1, 0, -1):
            other = self.below(last + 1)
            places[last], places[other] = places[other], places[last]
        return places

    def some(self, items: Sequence[Item], one_in: int) -> set[Item]:
        """About one in so many of the items, and at least one if there are any."""
        count = max(1, len(items) // one_in) if items else 0
        return {items[place] for place in self.order(len(items))[:count]}

    def token(self, length: int = 12) -> str:
        """Lower-case letters and digits that nobody would write by chance."""
        return "".join(self.pick("abcdefghjkmnpqrstuvwxyz23456789") for _ in range(length))
