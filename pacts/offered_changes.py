"""What changed between two offers, and for whom: prices, clocks and clauses in one list. Pure.

`favours` is said only where the change can be ordered: a lower price is better for the buyer, a
longer cure period for the builder. Clauses are compared by `pacts.diff`, from the buyer's side.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from difflib import SequenceMatcher
from typing import Literal

from pacts.diff import Change, diff
from pacts.offered import OfferedMilestone, OfferedTerms

Side = Literal["", "buyer", "builder"]
Kind = Literal["amount", "bond", "title", "task_set_version", "seconds", "count", "milestone"]

# Which side more of it serves; "" where that depends.
_MORE_SERVES: Mapping[str, Side] = {
    "amount": "builder",
    "bond": "buyer",
    "work_seconds": "builder",
    "evaluation_seconds": "",
    "acceptance_seconds": "buyer",
    "cure_seconds": "builder",
    "funding_seconds": "buyer",
    "max_revisions": "builder",
}
_OTHER: Mapping[Side, Side] = {"buyer": "builder", "builder": "buyer", "": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class TermChange:
    """One number or name that changed. `place` is the milestone's (from 0), None of the whole;
    `before` is None for what came, `after` for what went."""

    name: str
    kind: Kind
    before: int | str | None
    after: int | str | None
    favours: Side = ""
    place: int | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """Words of a text: in both, only in the older one, or only in the newer."""

    kind: Literal["same", "gone", "new"]
    text: str


@dataclass(frozen=True, slots=True)
class OfferedChanges:
    """Everything that changed."""

    terms: list[TermChange]
    clauses: list[Change]

    def __bool__(self) -> bool:
        return bool(self.terms or self.clauses)


def changes_between(*, old: OfferedTerms, new: OfferedTerms) -> OfferedChanges:
    """Every change, milestones in order, then clocks, then clauses; empty for equal offers."""
    found = _milestones(old.milestones, new.milestones)
    before, after = asdict(old.timers), asdict(new.timers)
    found += [
        _ordered(name, "seconds", before[name], after[name])
        for name in after
        if before[name] != after[name]
    ]
    if old.max_revisions != new.max_revisions:
        found.append(_ordered("max_revisions", "count", old.max_revisions, new.max_revisions))
    return OfferedChanges(found, diff(old=old.pact, new=new.pact))


def _milestones(
    old: tuple[OfferedMilestone, ...], new: tuple[OfferedMilestone, ...]
) -> list[TermChange]:
    found: list[TermChange] = []
    for place in range(max(len(old), len(new))):
        if place >= len(new):
            found.append(_whole(place, old[place].title, None))
        elif place >= len(old):
            found.append(_whole(place, None, new[place].title))
        else:
            found += _within(place, old[place], new[place])
    return found


def _whole(place: int, before: str | None, after: str | None) -> TermChange:
    return TermChange(name="milestone", kind="milestone", before=before, after=after, place=place)


def _within(place: int, old: OfferedMilestone, new: OfferedMilestone) -> list[TermChange]:
    kinds: tuple[Kind, ...] = ("title", "amount", "bond", "task_set_version")
    return [
        _ordered(kind, kind, getattr(old, kind), getattr(new, kind), place=place)
        for kind in kinds
        if getattr(old, kind) != getattr(new, kind)
    ]


def _ordered(
    name: str, kind: Kind, before: int | str, after: int | str, *, place: int | None = None
) -> TermChange:
    serves = _MORE_SERVES.get(name, "")
    more = isinstance(before, int) and isinstance(after, int) and after > before
    favours = serves if more else _OTHER[serves]
    return TermChange(
        name=name, kind=kind, before=before, after=after, favours=favours, place=place
    )


def word_spans(old: str, new: str) -> list[Span]:
    """Two texts as one run of words: what stayed, what went, what came."""
    before, after = old.split(), new.split()
    spans: list[Span] = []
    for kind, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            spans.append(Span("same", " ".join(before[a:b])))
        else:
            spans += [Span("gone", " ".join(before[a:b]))] if b > a else []
            spans += [Span("new", " ".join(after[c:d]))] if d > c else []
    return spans
