"""What changed between two versions of a pact, clause by clause, and for whom.

`stricter` and `weaker` are said from the buyer's side, and only where every change points the same
way; anything that cannot be ordered (another check, other parameters, another window) is `changed`,
and where only a title, an owner, a dimension or the expected volume changed it is `reworded`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from pacts.terms import INDEPENDENCE, Clause, PactTerms, to_json
from reputation.canonical import JsonValue, canonical

Direction = Literal["added", "removed", "stricter", "weaker", "changed", "reworded"]

# Fields where more is stricter (+1) or weaker (-1); all others cannot be ordered.
_ORDER = {
    "promise_bps": 1,
    "floor_bps": 1,
    "alpha_bps": 1,
    "beta_bps": -1,
    "min_count": 1,
    "repeats": 1,
}
_STRICTNESS: dict[str, tuple[JsonValue, ...]] = {
    "severity": ("normal", "critical"),
    "consequence": (None, "reduce", "withhold"),
    "on_undetermined": ("release", "prorate", "withhold"),
    "on_breach": ("prorate", "refund"),
    "independence": INDEPENDENCE,
}
# Lists where one more entry is stricter (+1) or weaker (-1).
_LISTS = {"disqualifying": 1, "residual_risks": -1}
# What says nothing about what is owed.
_WORDS = ("title", "summary", "owner", "dimension", "volume")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One clause's change: its key, which way it went, and the fields with (old, new) values.
    The pact's own fields appear under the key `""`."""

    key: str
    direction: Direction
    fields: dict[str, tuple[JsonValue, JsonValue]]


def tally(changes: Iterable[Change]) -> dict[Direction, int]:
    """How many changes went each way, zeros included."""
    found = [change.direction for change in changes]
    return {direction: found.count(direction) for direction in get_args(Direction)}


def diff(*, old: PactTerms, new: PactTerms) -> list[Change]:
    """Every change, in the order of the new pact, removals last. Empty for equal pacts."""
    before = {clause.key: clause for clause in old.clauses}
    after = {clause.key: clause for clause in new.clauses}
    changes = [_of_pact(old, new)]
    for key, clause in after.items():
        changes.append(_between(before[key], clause) if key in before else _alone(key, "added"))
    changes.extend(_alone(key, "removed") for key in before if key not in after)
    return [change for change in changes if change is not None]


def weakens(*, old: PactTerms, new: PactTerms) -> bool:
    """Whether the new version owes less anywhere, or changed where that cannot be told: then it
    does not inherit standing unmarked. New, stricter and merely reworded clauses weaken nothing."""
    harmless = ("added", "stricter", "reworded")
    return any(change.direction not in harmless for change in diff(old=old, new=new))


def _alone(key: str, direction: Direction) -> Change:
    return Change(key=key, direction=direction, fields={})


def _of_pact(old: PactTerms, new: PactTerms) -> Change | None:
    a, b = to_json(old), to_json(new)
    del a["clauses"], b["clauses"]
    return _change("", _fields(a, b))


def _between(old: Clause, new: Clause) -> Change | None:
    return _change(new.key, _fields(old.to_json(), new.to_json()))


def _change(key: str, fields: dict[str, tuple[JsonValue, JsonValue]]) -> Change | None:
    if not fields:
        return None
    ways = {_way(name, a, b) for name, (a, b) in fields.items() if name not in _WORDS}
    directions: dict[frozenset[int], Direction] = {
        frozenset(): "reworded",
        frozenset({1}): "stricter",
        frozenset({-1}): "weaker",
    }
    direction = directions.get(frozenset(ways), "changed")
    return Change(key=key, direction=direction, fields=fields)


def _fields(
    old: dict[str, JsonValue], new: dict[str, JsonValue]
) -> dict[str, tuple[JsonValue, JsonValue]]:
    return {
        name: (old[name], new[name]) for name in new if canonical(old[name]) != canonical(new[name])
    }


def _way(name: str, old: JsonValue, new: JsonValue) -> int:
    """1 for stricter, -1 for weaker, 0 for neither."""
    if name in _ORDER and isinstance(old, int) and isinstance(new, int):
        return _ORDER[name] if new > old else -_ORDER[name]
    ladder = _STRICTNESS.get(name, ())
    if old in ladder and new in ladder:
        return 1 if ladder.index(new) > ladder.index(old) else -1
    if name in _LISTS and isinstance(old, list) and isinstance(new, list):
        return _LISTS[name] * _growth(old, new)
    return 0


def _growth(old: list[JsonValue], new: list[JsonValue]) -> int:
    """1 when entries only came, -1 when they only went, 0 when both."""
    before, after = ({canonical(one) for one in side} for side in (old, new))
    if before == after:
        return 0
    return (before <= after) - (after <= before)
