"""Whether two JSON values mean the same: tolerances, lists without order, paths that do not count.

A path is keys joined by dots; `*` stands for one key or position and `**` for any number of them.
Numbers are the same when |a − b| ≤ max(absolute, relative · max(|a|, |b|)) (`math.isclose`, PEP
485, which is symmetric); true and false are not numbers; what is not finite equals nothing.
A list without order is the same when its items can be paired off so that every pair is the same:
a maximum matching (Kuhn 1955) up to 200 items, beyond that by pairing both lists in sorted order.
The walk has a budget of 60,000 steps; values that are equal to the letter cost none of it.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

from pacts.checks.check import quote
from pacts.checks.fields import normalised
from reputation.canonical import JsonValue

MOST_STEPS = 60_000
MOST_MATCHED = 200
DEEPEST = 100

Path = tuple[str, ...]
Paths = tuple[Path, ...]


def paths_of(texts: object) -> Paths:
    """Paths as the walk takes them, from the texts of a clause."""
    return tuple(tuple(str(text).split(".")) for text in texts) if isinstance(texts, list) else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How to compare. With `subset`, whatever is found beyond the expected is allowed: further
    keys of objects and, where order does not count, further items of lists."""

    relative: float = 0.0
    absolute: float = 0.0
    ignore: Paths = ()
    unordered: Paths = ()
    normalise: object = None
    subset: bool = False

    def difference(self, found: JsonValue, expected: JsonValue) -> str | None:
        """The first difference, as a sentence with its path; None where there is none."""
        return _Walk(self).difference(found, expected, (), self.ignore, self.unordered)


class _Walk:
    """One comparison and what is left of its budget."""

    def __init__(self, rules: Comparison) -> None:
        self._rules = rules
        self._left = MOST_STEPS

    def difference(
        self, found: JsonValue, expected: JsonValue, at: Path, ignore: Paths, unordered: Paths
    ) -> str | None:
        self._left -= 1
        if self._left < 0:
            return f"too different to compare in {MOST_STEPS} steps"
        if len(at) > DEEPEST:
            return f"nested deeper than {DEEPEST} levels"
        if isinstance(found, dict) and isinstance(expected, dict):
            return self._objects(found, expected, at, ignore, unordered)
        if isinstance(found, list) and isinstance(expected, list):
            return self._lists(found, expected, at, ignore, unordered)
        if self._same_scalar(found, expected):
            return None
        return f"{quote(found)} at {_place(at)}, expected {quote(expected)}"

    def _objects(
        self,
        found: dict[str, JsonValue],
        expected: dict[str, JsonValue],
        at: Path,
        ignore: Paths,
        unordered: Paths,
    ) -> str | None:
        for key, wanted in expected.items():
            inner = _step(ignore, key)
            if () in inner:
                continue
            if key not in found:
                return f"nothing at {_place((*at, key))}"
            wrong = self.difference(found[key], wanted, (*at, key), inner, _step(unordered, key))
            if wrong:
                return wrong
        if self._rules.subset:
            return None
        extra = [key for key in found if key not in expected and () not in _step(ignore, key)]
        return f"{_place((*at, extra[0]))} is not expected" if extra else None

    def _lists(
        self,
        found: list[JsonValue],
        expected: list[JsonValue],
        at: Path,
        ignore: Paths,
        unordered: Paths,
    ) -> str | None:
        if ignore:
            found, expected = _counted(found, ignore), _counted(expected, ignore)
        free = () in unordered or ("**",) in unordered
        beyond = self._rules.subset and free and len(found) > len(expected)
        if len(found) != len(expected) and not beyond:
            return f"{len(found)} items at {_place(at)}, expected {len(expected)}"
        if free:
            return self._pair_off(found, expected, at, ignore, unordered)
        for i, (one, wanted) in enumerate(zip(found, expected, strict=True)):
            key = str(i)
            wrong = self.difference(
                one, wanted, (*at, key), _step(ignore, key), _step(unordered, key)
            )
            if wrong:
                return wrong
        return None

    def _pair_off(
        self,
        found: list[JsonValue],
        expected: list[JsonValue],
        at: Path,
        ignore: Paths,
        unordered: Paths,
    ) -> str | None:
        if _same_letters(found, expected):
            return None
        inner, free = _step(ignore, "*"), _step(unordered, "*")
        if max(len(found), len(expected)) > MOST_MATCHED:
            pairs = zip(sorted(found, key=_key), sorted(expected, key=_key), strict=False)
            wrong = (self.difference(a, b, (*at, "*"), inner, free) for a, b in pairs)
            return next((sentence for sentence in wrong if sentence), None)
        edges = [
            [
                i
                for i, one in enumerate(found)
                if self.difference(one, wanted, (*at, "*"), inner, free) is None
            ]
            for wanted in expected
        ]
        alone = unmatched(edges)
        return None if alone is None else f"no {quote(expected[alone])} at {_place(at)}"

    def _same_scalar(self, found: JsonValue, expected: JsonValue) -> bool:
        if isinstance(found, bool) or isinstance(expected, bool):
            return found is expected
        if isinstance(found, int | float) and isinstance(expected, int | float):
            return close(found, expected, self._rules.relative, self._rules.absolute)
        steps = self._rules.normalise
        return bool(normalised(found, steps) == normalised(expected, steps))


def close(a: float, b: float, relative: float, absolute: float) -> bool:
    """Whether two finite numbers are within the tolerance of each other."""
    try:
        if not (math.isfinite(a) and math.isfinite(b)):
            return False
        return a == b or math.isclose(a, b, rel_tol=relative, abs_tol=absolute)
    except OverflowError:  # an integer beyond every double
        return a == b


def unmatched(edges: Sequence[Sequence[int]]) -> int | None:
    """The first left node that no maximum matching can serve beside those before it, or None.

    `edges[i]` lists the right nodes of left node i. Kuhn's augmenting paths (1955).
    """
    partner: dict[int, int] = {}

    def augment(node: int, seen: set[int]) -> bool:
        for right in edges[node]:
            if right not in seen:
                seen.add(right)
                if right not in partner or augment(partner[right], seen):
                    partner[right] = node
                    return True
        return False

    return next((node for node in range(len(edges)) if not augment(node, set())), None)


def _counted(items: list[JsonValue], ignore: Paths) -> list[JsonValue]:
    return [item for i, item in enumerate(items) if () not in _step(ignore, str(i))]


def _step(paths: Paths, key: str) -> Paths:
    """What is left of the paths one key further down; `()` among them: this very place."""
    if not paths:
        return ()
    further: list[Path] = []
    for path in paths:
        further.extend(_advance(path, key))
    return tuple(dict.fromkeys(further))


def _advance(path: Path, key: str) -> list[Path]:
    if not path:
        return []
    head, rest = path[0], path[1:]
    if head == "**":
        return [path, *([()] if not rest else _advance(rest, key))]
    return [rest] if head in ("*", key) else []


def _same_letters(found: list[JsonValue], expected: list[JsonValue]) -> bool:
    try:
        return sorted(map(_text, found)) == sorted(map(_text, expected))
    except ValueError:  # a number that is not finite equals nothing
        return False


def _key(item: JsonValue) -> tuple[int, float, str]:
    """An order for all JSON values: numbers by value, then everything else as it is written."""
    if isinstance(item, int | float) and not isinstance(item, bool) and abs(item) < 1e300:
        return (0, float(item), "")
    return (1, 0.0, json.dumps(item, sort_keys=True))


def _text(item: JsonValue) -> str:
    return json.dumps(item, sort_keys=True, allow_nan=False)


def _place(at: Path) -> str:
    return quote(".".join(at)) if at else "the top"
