"""Patterns of pacts (RE2 syntax) without a foreign engine: exact, or not at all.

Where google-re2 is installed it runs them. Otherwise a pattern runs in `re` if its meaning is the
same there and its cost is known beforehand: Python's engine tries ways one after another, so a
pattern of a stranger could hold the whole process for hours. `undecided` is what the rest gets: the
server, which has RE2, decides.

The bound: a repeat without a small limit may hold only what has one length and one way to match.
Then a text of n characters costs at most ways · nᵏ steps, k the number of such repeats (and one
more where the match may begin anywhere), and that product is held under `MOST_STEPS`.
"""

import importlib
import re
from typing import Any, Literal, Protocol

# The parser of `re` itself, which no stub describes.
sre: Any = importlib.import_module("re._constants")
parser: Any = importlib.import_module("re._parser")

MOST_STEPS = 2_000_000
LONGEST = 1_000
_SINGLE = frozenset({sre.LITERAL, sre.NOT_LITERAL, sre.ANY, sre.IN})

Found = Literal["yes", "no", "undecided"]


class Pattern(Protocol):
    """A pattern that answers, or says that it cannot."""

    def full(self, text: str) -> Found: ...
    def anywhere(self, text: str) -> Found: ...


class _Foreign(ValueError):
    """`re` would read the pattern otherwise, or at a cost nobody knows."""


def pattern(source: str) -> Pattern:
    """The pattern, ready; never raises: one that cannot run here answers `undecided`."""
    try:
        return _Re2(source)
    except ImportError:
        pass
    except Exception:
        return _Undecided()
    try:
        return _Bounded(source)
    except Exception:
        return _Undecided()


class _Undecided:
    """A pattern for the server."""

    def full(self, text: str) -> Found:
        return "undecided"

    def anywhere(self, text: str) -> Found:
        return "undecided"


class _Re2:
    """RE2 itself, as the server runs it."""

    def __init__(self, source: str) -> None:
        re2: Any = importlib.import_module("re2")
        options = re2.Options()
        options.max_mem = 1 << 20
        options.log_errors = False
        self._compiled = re2.compile(source, options)

    def full(self, text: str) -> Found:
        return "yes" if self._compiled.fullmatch(text) is not None else "no"

    def anywhere(self, text: str) -> Found:
        return "yes" if self._compiled.search(text) is not None else "no"


class _Bounded:
    """A pattern in `re` whose cost is known."""

    def __init__(self, source: str) -> None:
        if len(source) > LONGEST or "[:" in source or "{," in source or not source.isascii():
            raise _Foreign(source)
        tree = parser.parse(source, re.ASCII)
        if tree.state.flags & (re.IGNORECASE | re.LOCALE | re.VERBOSE | re.MULTILINE):
            raise _Foreign("flags that RE2 reads otherwise")
        self._ways, self._repeats = _cost(tree)
        self._ends = _has_end(tree)
        self._compiled = re.compile(source, re.ASCII)

    def full(self, text: str) -> Found:
        if not self._affordable(text, self._repeats) or "\v" in text:
            return "undecided"  # a vertical tab is white space in `re`, and is not in RE2
        return "yes" if self._compiled.fullmatch(text) else "no"

    def anywhere(self, text: str) -> Found:
        if not self._affordable(text, self._repeats + 1) or "\v" in text:
            return "undecided"
        if self._ends and text.endswith("\n"):
            return "undecided"  # `$` stands before a last newline in `re`, and does not in RE2
        return "yes" if self._compiled.search(text) else "no"

    def _affordable(self, text: str, power: int) -> bool:
        steps: int = self._ways * max(len(text), 1) ** max(power, 1)
        return steps <= MOST_STEPS


def _cost(tree: Any) -> tuple[int, int]:
    """(ways, repeats): how many ways apart from its open repeats, and how many of those."""
    ways, repeats = 1, 0
    for op, argument in tree:
        more_ways, more_repeats = _cost_of(op, argument)
        ways, repeats = ways * more_ways, repeats + more_repeats
        if ways > MOST_STEPS or repeats > 6:
            raise _Foreign("too many ways")
    return ways, repeats


def _cost_of(op: Any, argument: Any) -> tuple[int, int]:
    if op in _SINGLE:
        return 1, 0
    if op is sre.AT and argument in (sre.AT_BEGINNING, sre.AT_END):
        return 1, 0
    if op is sre.SUBPATTERN:
        _, add, remove, inner = argument
        if add or remove:
            raise _Foreign("flags inside")
        return _cost(inner)
    if op is sre.BRANCH:
        costs = [_cost(branch) for branch in argument[1]]
        return sum(ways for ways, _ in costs), max(repeats for _, repeats in costs)
    if op in (sre.MAX_REPEAT, sre.MIN_REPEAT):
        return _cost_of_repeat(*argument)
    raise _Foreign(str(op))


def _cost_of_repeat(least: int, most: Any, inner: Any) -> tuple[int, int]:
    if most == 1:
        ways, repeats = _cost(inner)
        return ways + 1, repeats
    if not _rigid(inner):
        raise _Foreign("a repeat of what can match in several ways")
    open_end = most is sre.MAXREPEAT or most - least > 16
    return (1, 1) if open_end else (int(most) - least + 1, 0)


def _rigid(tree: Any) -> bool:
    """Whether it has one length above zero and one way to match."""
    length = 0
    for op, argument in tree:
        if op in _SINGLE:
            length += 1
        elif op is sre.SUBPATTERN and not argument[1] and not argument[2]:
            if not _rigid(argument[3]):
                return False
            length += 1
        elif op in (sre.MAX_REPEAT, sre.MIN_REPEAT) and argument[0] == argument[1] > 0:
            if argument[0] > 1000 or not _rigid(argument[2]):
                return False
            length += 1
        else:
            return False
    return length > 0


def _has_end(tree: Any) -> bool:
    return "AT_END" in repr(tree.data)
