"""What looks like gaming, from hires, members, purses and scores. Pure; each rule has its figures.

The limits are where ordinary business rarely is: they decide what a person looks at, nothing else.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

LOOKED_AT = timedelta(days=180)  # hires of this span count
LONGEST_RING = 4  # parties
FEWEST_HIRES = 5  # of an agent, before one buyer's share of them says anything
ONE_BUYER_BPS = 8_000
JUMP_BPS = 2_000
JUMP_WITHIN = timedelta(days=7)
MOST_SIGNS = 500  # of one rule in one sweep
WHOLE = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Hires:
    """What one buyer had of one agent: `settled` milestones, and the engagements behind them."""

    buyer: str
    builder: str
    agent: str
    settled: int
    engagements: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A version's score now and its lowest of the last days; `buyers` stand behind it."""

    agent: str
    builder: str
    version: str
    now_bps: int
    was_bps: int
    was_on: date
    buyers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """One thing seen. `figures` are small facts, `parties` and `agents` whom it names."""

    pattern: str
    parties: tuple[str, ...]
    agents: tuple[str, ...]
    figures: Mapping[str, int | str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The same for the same pattern about the same, however often it is seen."""
        named = [self.pattern, *sorted(self.parties), "", *sorted(self.agents)]
        return hashlib.sha256("\n".join(named).encode()).hexdigest()


def rings(hires: Iterable[Hires]) -> list[Sign]:
    """Parties that hire each other in a circle of two to four."""
    between: dict[tuple[str, str], list[Hires]] = defaultdict(list)
    for one in hires:
        if one.buyer != one.builder and one.settled:
            between[one.buyer, one.builder].append(one)
    found = []
    for circle in _circles(between):
        edges = list(zip(circle, (*circle[1:], circle[0]), strict=True))
        bought = [one for pair in edges for one in between[pair]]
        figures: dict[str, int | str] = {
            "parties": len(circle),
            "settled": sum(one.settled for one in bought),
            "least_settled": min(sum(one.settled for one in between[pair]) for pair in edges),
        }
        agents = tuple(sorted({one.agent for one in bought}))
        found.append(Sign(pattern="ring", parties=circle, agents=agents, figures=figures))
        if len(found) == MOST_SIGNS:
            break
    return found


def _circles(between: Mapping[tuple[str, str], object]) -> Iterator[tuple[str, ...]]:
    """Every circle once, beginning with its smallest id."""
    follows: dict[str, list[str]] = defaultdict(list)
    for buyer, builder in sorted(between):
        follows[buyer].append(builder)
    for start in sorted(follows):
        paths: list[tuple[str, ...]] = [(start,)]
        while paths:
            path = paths.pop()
            for following in follows.get(path[-1], ()):
                if following == start and len(path) > 1:
                    yield path
                elif following > start and following not in path and len(path) < LONGEST_RING:
                    paths.append((*path, following))


def self_dealing(
    hires: Iterable[Hires],
    *,
    members: Mapping[str, frozenset[str]],
    purses: Mapping[str, frozenset[str]],
) -> list[Sign]:
    """Buyers and builders that share people, or a place money comes from or goes to.

    `members` are user ids and `purses` payment ends (`rail:destination`), by party.
    """
    nobody: frozenset[str] = frozenset()
    dealt: dict[tuple[str, str], list[Hires]] = defaultdict(list)
    for one in hires:
        dealt[one.buyer, one.builder].append(one)
    found = []
    for (buyer, builder), theirs in sorted(dealt.items()):
        people = members.get(buyer, nobody) & members.get(builder, nobody)
        shared = purses.get(buyer, nobody) & purses.get(builder, nobody)
        if buyer != builder and not people and not shared:
            continue
        figures: dict[str, int | str] = {
            "shared_people": len(people),
            "shared_purses": len(shared),
            "engagements": sum(one.engagements for one in theirs),
            "settled": sum(one.settled for one in theirs),
        }
        agents = tuple(sorted({one.agent for one in theirs}))
        parties = (buyer, builder) if buyer != builder else (buyer,)
        found.append(Sign(pattern="self_dealing", parties=parties, agents=agents, figures=figures))
    return found[:MOST_SIGNS]


def one_buyer(hires: Iterable[Hires]) -> list[Sign]:
    """Agents whose settled work is nearly all one buyer's."""
    of_agent: dict[str, list[Hires]] = defaultdict(list)
    for one in hires:
        of_agent[one.agent].append(one)
    found = []
    for agent, theirs in sorted(of_agent.items()):
        total = sum(one.settled for one in theirs)
        most = max(theirs, key=lambda one: (one.settled, one.buyer))
        if total < FEWEST_HIRES or most.settled * WHOLE < total * ONE_BUYER_BPS:
            continue
        figures: dict[str, int | str] = {
            "settled": total,
            "of_one": most.settled,
            "share_bps": most.settled * WHOLE // total,
            "buyers": len({one.buyer for one in theirs if one.settled}),
        }
        parties = (most.buyer, most.builder)
        found.append(Sign(pattern="one_buyer", parties=parties, agents=(agent,), figures=figures))
    return found[:MOST_SIGNS]


def jumps(scores: Iterable[Score]) -> list[Sign]:
    """Versions whose score rose by 20 points within a week."""
    found = []
    for one in scores:
        if one.now_bps - one.was_bps < JUMP_BPS:
            continue
        figures: dict[str, int | str] = {
            "was_bps": one.was_bps,
            "now_bps": one.now_bps,
            "was_on": one.was_on.isoformat(),
            "buyers": one.buyers,
            "version": one.version,
        }
        found.append(
            Sign(pattern="jump", parties=(one.builder,), agents=(one.agent,), figures=figures)
        )
    return found[:MOST_SIGNS]


def sentence(pattern: str, figures: Mapping[str, int | str]) -> str:
    """What was seen, in words, without names."""
    get = figures.get
    if pattern == "ring":
        return (
            f"{get('parties')} parties hire each other in a circle: {get('settled')} settled "
            f"milestones, at least {get('least_settled')} from each to the next."
        )
    if pattern == "self_dealing":
        shared = [
            f"{get(key)} {noun}"
            for key, noun in (
                ("shared_people", "of their people"),
                ("shared_purses", "of the places their money comes from or goes to"),
            )
            if get(key)
        ]
        common = " and ".join(shared) or "everything: it is the same party"
        return f"Buyer and builder share {common}; {get('settled')} settled milestones."
    if pattern == "one_buyer":
        return (
            f"{get('of_one')} of {get('settled')} settled milestones "
            f"({int(get('share_bps', 0)) / 100:.0f} %) are one buyer's."
        )
    return (
        f"The score rose from {int(get('was_bps', 0)) / 100:.2f} % on {get('was_on')} to "
        f"{int(get('now_bps', 0)) / 100:.2f} %, on the word of {get('buyers')} buyers."
    )
