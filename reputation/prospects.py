"""What would move a standing: the fold itself, over the log as it is and one thing more. Pure.

Each prospect is a supposition in the log's own words (a verdict and its settlement, a benchmark
claim, a run of one's own, nothing but time), added to the stored state by `reputation.fold` and
read by `reputation.standing`. No effect is estimated in any other way, so a change of the method
changes these figures with it. What a supposition assumes is in its fields; that it will happen is
not said.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from reputation.credibility import FULL_TIES, Buyer, Tie, TieKey, permille
from reputation.envelope import instant
from reputation.fold import CLAIM, SETTLEMENT, VERDICT, State, fold
from reputation.standing import Composite, DimensionStanding, combine, describe
from reputation.tallies import Fact, Record, VersionKey

UNITS = 20  # tasks of a supposed hire: as many as it takes to say a number
NAMES = 10  # fresh names, where many are supposed
HIDDEN = 10  # hidden tasks among them, where those cap a rate
OWN_UNITS = 200
MOST_HIRES = 15
FORTNIGHT = timedelta(days=14)

Kind = Literal[
    "hire_established",
    "hire_again",
    "hire_unknown",
    "dimension",
    "hidden_tasks",
    "wait",
    "wait_then_hire",
    "fresh_names",
    "own_run",
    "claim",
    "incident",
]

NO_WAYS: tuple[Kind, ...] = ("fresh_names", "own_run", "claim", "incident")


@dataclass(frozen=True, slots=True)
class Rates:
    """What a dimension is held to, in basis points."""

    promise_bps: int
    floor_bps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whose standing it is, and what its pact holds it to by dimension."""

    agent_id: str
    version_id: str
    builder_id: str
    promised: Mapping[str, Rates]

    @property
    def key(self) -> VersionKey:
        return VersionKey(self.agent_id, self.version_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A version's standing at a moment: its dimensions by name and what they come to."""

    dimensions: Mapping[str, DimensionStanding]
    composite: Composite

    @property
    def score(self) -> int:
        """What it ranks by within its class; 0 without a number."""
        return self.composite.score_bps or 0

    @property
    def rank(self) -> int:
        return -1 if self.composite.rank is None else self.composite.rank


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """One supposition and what the standing would be after it, `days` from now.

    `units` tasks a hire, all kept, by buyers whose word counts `permille` of 1000; `dimension` is
    the only one measured, else all of them.
    """

    kind: Kind
    after: View
    before: View
    dimension: str = ""
    units: int = 0
    hires: int = 0
    permille: int = 0
    days: int = 0

    @property
    def gain_bps(self) -> int:
        """By how much the number it ranks by moves."""
        return self.after.score - self.before.score

    @property
    def lower_gains(self) -> dict[str, int]:
        """By how much each dimension's lower bound moves; 0 where there is no number yet."""
        return {
            name: (after.lower_bps or 0)
            - ((before.lower_bps or 0) if (before := self.before.dimensions.get(name)) else 0)
            for name, after in self.after.dimensions.items()
        }

    @property
    def becomes_vouched(self) -> bool:
        """Whether it then ranks among those that credible buyers vouch for."""
        return self.after.composite.is_vouched and not self.before.composite.is_vouched

    @property
    def credited_units(self) -> float:
        """Units more that credible buyers vouch for, in the dimension that gains most."""
        gains = [
            after.credited_units
            - (before.credited_units if (before := self.before.dimensions.get(name)) else 0)
            for name, after in self.after.dimensions.items()
        ]
        return max(0.0, *gains) if gains else 0.0

    @property
    def order(self) -> tuple[int, int]:
        """What moves it most comes first."""
        return (self.after.rank - self.before.rank, sum(self.lower_gains.values()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospects:
    """Everything supposed of one version, what moves it most first. `hires_to_met`: hires by
    established buyers, 20 tasks kept in each, until every promise counts as met; None: more than
    MOST_HIRES, 0: it is met."""

    now: View
    found: tuple[Prospect, ...]
    hires_to_met: int | None

    @property
    def ways(self) -> list[Prospect]:
        """What honest work and time would do."""
        return [one for one in self.found if one.kind not in NO_WAYS]

    @property
    def no_ways(self) -> list[Prospect]:
        """What somebody might try instead, and what that does. Fresh names move a provisional
        number, which ranks below every vouched one, and hardly what is vouched for."""
        return [one for one in self.found if one.kind in NO_WAYS]


def prospects(state: State, subject: Subject, *, now: datetime) -> Prospects:
    """What would move this version's standing. `state` holds its part of the fold: tallies, shares,
    its buyers and their ties to the builder, its record."""
    supposing = _Supposing(state, subject, now)
    found = sorted(supposing.every(), key=lambda one: one.order, reverse=True)
    return Prospects(
        now=supposing.before, found=tuple(found), hires_to_met=supposing.hires_to_met()
    )


def view(state: State, subject: Subject, *, now: datetime) -> View:
    """The standing of the version as this state has it."""
    dimensions = {
        key.dimension: describe(key, tally, now=now)
        for key, tally in state.tallies.items()
        if VersionKey(*key[:2]) == subject.key
    }
    record = state.records.get(subject.key, Record())
    return View(
        dimensions=dimensions,
        composite=combine(dimensions.values(), is_stale=record.is_stale),
    )


class _Supposing:
    """One state, and what it becomes under each supposition."""

    def __init__(self, state: State, subject: Subject, now: datetime) -> None:
        self.state, self.subject, self.now = state, subject, now
        self.before = view(state, subject, now=now)
        held = {
            name: Rates(one.promise_bps, one.floor_bps)
            for name, one in self.before.dimensions.items()
        }
        self.rates: dict[str, Rates] = {**subject.promised, **held}

    def every(self) -> Iterable[Prospect]:
        if self.rates:
            yield self._hired("hire_established", [_known("established")], weight=1000)
            yield self._hired("hire_unknown", ["unknown"], weight=permille(Buyer(), Tie()))
            yield from self._again()
            yield from self._by_dimension()
            yield from self._hidden()
            yield self._hired(
                "fresh_names",
                [f"fresh-{n}" for n in range(NAMES)],
                weight=permille(Buyer(), Tie()),
            )
            yield from self._later()
        yield from self._ways_that_lead_nowhere()

    def hires_to_met(self) -> int | None:
        """Supposed hires until the composite is met, each by another established buyer."""
        if not self.rates:
            return None
        state = self.state
        for hires in range(MOST_HIRES + 1):
            if view(state, self.subject, now=self.now).composite.status == "met":
                return hires
            state = self._after([_known(f"more-{hires}")], self.now, state=state, tag=str(hires))
        return None

    def _again(self) -> Iterable[Prospect]:
        """The present buyer whose word counts most hires once more."""
        buyers = {key.buyer_id for key in self.state.shares if key[:2] == self.subject.key}
        weights = {one: self._weight(one) for one in sorted(buyers) if one}
        if weights:
            best = max(weights, key=lambda one: weights[one])
            yield self._hired("hire_again", [best], weight=weights[best])

    def _weight(self, buyer_id: str) -> int:
        tie = self.state.ties.get(TieKey(buyer_id, self.subject.builder_id), Tie())
        return permille(self.state.buyers.get(buyer_id, Buyer()), tie)

    def _by_dimension(self) -> Iterable[Prospect]:
        if len(self.rates) < 2:
            return
        for name in sorted(self.rates):
            yield self._hired(
                "dimension", [_known("established")], weight=1000, only=name, dimension=name
            )

    def _hidden(self) -> Iterable[Prospect]:
        if any(one.capped_by_canaries for one in self.before.dimensions.values()):
            yield self._hired("hidden_tasks", [_known("established")], weight=1000, hidden=HIDDEN)

    def _later(self) -> Iterable[Prospect]:
        for times in (1, 2):
            then = self.now + times * FORTNIGHT
            yield self._told("wait", view(self.state, self.subject, now=then), days=14 * times)
        if any(one.failures for one in self.before.dimensions.values()):
            then = self.now + 2 * FORTNIGHT
            after = self._after([_known("established")], then)
            yield self._told(
                "wait_then_hire",
                view(after, self.subject, now=then),
                units=UNITS,
                hires=1,
                permille=1000,
                days=28,
            )

    def _ways_that_lead_nowhere(self) -> Iterable[Prospect]:
        """They are folded like all others: the fold itself says that they change nothing."""
        own = self._verdict(self.now, sorted(self.rates), tag="own", units=OWN_UNITS, own=True)
        yield self._folded("own_run", [own, *self._settled(own, self.subject.builder_id, self.now)])
        yield self._folded("claim", [self._fact(CLAIM, self.now, "claim", {"score_bps": 10_000})])
        incident = self._fact("incident.resolved", self.now, "incident", {"resolution": "fixed"})
        yield self._folded("incident", [incident])

    def _folded(self, kind: Kind, facts: Sequence[Fact]) -> Prospect:
        after = fold(self.state, facts)
        return self._told(kind, view(after, self.subject, now=self.now))

    def _hired(
        self,
        kind: Kind,
        buyers: Sequence[str],
        *,
        weight: int,
        only: str = "",
        hidden: int = 0,
        dimension: str = "",
    ) -> Prospect:
        after = self._after(buyers, self.now, only=only, hidden=hidden)
        return self._told(
            kind,
            view(after, self.subject, now=self.now),
            dimension=dimension,
            units=UNITS,
            hires=len(buyers),
            permille=weight,
        )

    def _told(self, kind: Kind, after: View, **said: Any) -> Prospect:
        return Prospect(kind=kind, before=self.before, after=after, **said)

    def _after(
        self,
        buyers: Sequence[str],
        at: datetime,
        *,
        state: State | None = None,
        tag: str = "",
        only: str = "",
        hidden: int = 0,
    ) -> State:
        """The state after each of the buyers hired once, everything kept."""
        begun = _with_known(self.state if state is None else state, buyers)
        names = [only] if only else sorted(self.rates)
        facts: list[Fact] = []
        for number, buyer in enumerate(buyers):
            verdict = self._verdict(at, names, tag=f"{tag}.{number}", units=UNITS, hidden=hidden)
            facts += [verdict, *self._settled(verdict, buyer, at)]
        return fold(begun, facts)

    def _verdict(
        self,
        at: datetime,
        names: Sequence[str],
        *,
        tag: str,
        units: int,
        hidden: int = 0,
        own: bool = False,
    ) -> Fact:
        clauses = [
            {
                "key": name,
                "dimension": name,
                "outcome": "met",
                "passes": units,
                "failures": 0,
                "promise_bps": self.rates[name].promise_bps,
                "floor_bps": self.rates[name].floor_bps,
            }
            for name in names
        ]
        facts = {
            "outcome": "met",
            "earned_share_bps": 10_000,
            "independence": "self" if own else "platform",
            "clauses": clauses,
        }
        seen = {"canaries": hidden, "canary_passes": hidden} if hidden else {}
        return self._fact(VERDICT, at, f"verdict-{tag}", facts | seen)

    def _settled(self, verdict: Fact, buyer_id: str, at: datetime) -> list[Fact]:
        """What money does then, and with it the verdict counts."""
        settlement = self._fact(
            SETTLEMENT, at, f"settled-{verdict['id']}", {"verdict_evidence": verdict["id"]}
        )
        subjects = {**settlement["subjects"], **verdict["subjects"]}
        subjects |= {"buyer": buyer_id, "builder": self.subject.builder_id}
        return [{**settlement, "subjects": subjects}]

    def _fact(self, kind: str, at: datetime, name: str, facts: Mapping[str, Any]) -> Fact:
        return {
            "id": f"supposed-{name}",
            "kind": kind,
            "at": instant(at),
            "subjects": {
                "agent": self.subject.agent_id,
                "agent_version": self.subject.version_id,
                "evaluation": f"supposed-{name}",
                "milestone": f"supposed-{name}",
            },
            "facts": facts,
        }


_KNOWN = "known:"


def _known(name: str) -> str:
    """A supposed buyer whose word counts in full: it hired enough established builders."""
    return f"{_KNOWN}{name}"


def _with_known(state: State, buyers: Sequence[str]) -> State:
    known = {one: Buyer(hires=FULL_TIES, ties=FULL_TIES) for one in buyers if one[:6] == _KNOWN}
    return replace(state, buyers={**state.buyers, **known})
