"""From the log to what it adds up to: a pure fold, envelope by envelope. Method `standing-2`.

A verdict counts once money followed it. The settlement of a milestone counts the verdict it names
and every earlier one of the same milestone (a breach that was cured afterwards is still a breach);
a last verdict that a settlement does not name was overturned or left contested, and never counts
(without a ruling, the platform's own hidden tasks in it still do).
An evaluation that was still running when its milestone was settled counts when it concludes, so
nobody hides one by pulling out. Evaluations run by the agent's own side never count.

Where production calls show another model or version than was measured, the standing is stale from
then on, until a verdict that was reached later counts.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from reputation.credibility import Builder, Buyer, Share, Tie, TieKey, hired, permille, renew
from reputation.envelope import moment
from reputation.tallies import (
    Fact,
    Key,
    Record,
    Tally,
    VersionKey,
    canaries_of,
    only_canaries,
    tallies_of,
    version_of,
)

START = "evaluation.started"
VERDICT = "evaluation.concluded"
SETTLEMENT = "escrow.settled"
DISPUTE = "dispute.opened"
RULING = "ruling.made"
DEFAULT = "dispute.defaulted"
CLOSED = "dispute.closed"
CLAIM = "claim.recorded"
MODEL = "model.changed"
VERSION = "version.changed"
KINDS = (START, VERDICT, SETTLEMENT, DISPUTE, RULING, DEFAULT, CLOSED, CLAIM, MODEL, VERSION)
_REVIEW = "human_review"


class ShareKey(NamedTuple):
    """One buyer's part in one tally."""

    agent_id: str
    version_id: str
    dimension: str
    buyer_id: str


@dataclass(frozen=True, kw_only=True)
class Run:
    """An evaluation under an engagement that is still going on.

    `buyer_id` and `builder_id` are there once its milestone was settled without it.
    """

    milestone_id: str
    settled: bool = False
    buyer_id: str = ""
    builder_id: str = ""


@dataclass(frozen=True, kw_only=True)
class OpenDispute:
    """A buyer's dispute nobody has ruled on; a builder's says nothing of buyers."""

    buyer_id: str


@dataclass(frozen=True, kw_only=True)
class Move:
    """What moved a version's standing: one verdict, ruling or claim, and by how much.

    `changes`: dimension → counted passes and failures, and the buyer's weight in permille.
    `cause_id` is the evidence by which it began to count; `record` and `tallies` are the version's
    afterwards.
    """

    key: VersionKey
    evidence_id: str
    cause_id: str
    kind: str
    at: str
    record: Record
    tallies: Mapping[Key, Tally]
    changes: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    permille: int = 0


@dataclass(frozen=True)
class State:
    """How far the fold has come."""

    unsettled: Mapping[str, Fact] = field(default_factory=dict)
    tallies: Mapping[Key, Tally] = field(default_factory=dict)
    shares: Mapping[ShareKey, Share] = field(default_factory=dict)
    buyers: Mapping[str, Buyer] = field(default_factory=dict)
    ties: Mapping[TieKey, Tie] = field(default_factory=dict)
    builders: Mapping[str, Builder] = field(default_factory=dict)
    records: Mapping[VersionKey, Record] = field(default_factory=dict)
    runs: Mapping[str, Run] = field(default_factory=dict)
    disputes: Mapping[str, OpenDispute] = field(default_factory=dict)


def fold(
    state: State, facts: Iterable[Fact], *, tell: Callable[[Move], None] | None = None
) -> State:
    """The state after these envelopes, which continue the log in its order; a new state.

    `tell` hears of everything that moves a standing, in order.
    """
    folding = _Folding(state, tell)
    for fact in facts:
        folding.take(fact)
    return folding.state()


class _Folding:
    """The state while it is being folded on: copies, so that the one it began with stays."""

    def __init__(self, state: State, tell: Callable[[Move], None] | None) -> None:
        self._tell = tell
        self.unsettled = dict(state.unsettled)
        self.tallies = dict(state.tallies)
        self.shares = dict(state.shares)
        self.buyers = dict(state.buyers)
        self.ties = dict(state.ties)
        self.builders = dict(state.builders)
        self.records = dict(state.records)
        self.runs = dict(state.runs)
        self.disputes = dict(state.disputes)
        self._keys: dict[VersionKey, list[Key]] = defaultdict(list)
        for key in self.tallies:
            self._keys[VersionKey(*key[:2])].append(key)
        self._waiting: dict[str, list[str]] = defaultdict(list)
        for one in self.unsettled.values():
            self._waiting[one["subjects"].get("milestone", "")].append(one["id"])
        self._running: dict[str, list[str]] = defaultdict(list)
        for evaluation, run in self.runs.items():
            self._running[run.milestone_id].append(evaluation)
        self._takers = {
            START: self._start,
            VERDICT: self._conclude,
            SETTLEMENT: self._settle,
            DISPUTE: self._dispute,
            RULING: self._rule_at_once,
            DEFAULT: self._default,
            CLOSED: self._close,
            CLAIM: self._claim,
            MODEL: self._change,
            VERSION: self._change,
        }

    def state(self) -> State:
        return State(
            unsettled=self.unsettled,
            tallies=self.tallies,
            shares=self.shares,
            buyers=self.buyers,
            ties=self.ties,
            builders=self.builders,
            records=self.records,
            runs=self.runs,
            disputes=self.disputes,
        )

    def take(self, fact: Fact) -> None:
        taker = self._takers.get(fact["kind"])
        if taker:
            taker(fact)

    def _start(self, fact: Fact) -> None:
        subjects, own = fact["subjects"], fact["facts"]["independence"] == "self"
        key = version_of(fact)
        record = self._record(key)
        self.records[key] = replace(
            record, started=record.started + 1, own_started=record.own_started + own
        )
        if not own and "milestone" in subjects:
            self.runs[subjects["evaluation"]] = Run(milestone_id=subjects["milestone"])
            self._running[subjects["milestone"]].append(subjects["evaluation"])

    def _conclude(self, fact: Fact) -> None:
        key = version_of(fact)
        record = self._record(key)
        self.records[key] = replace(record, concluded=record.concluded + 1)
        run = self.runs.pop(fact["subjects"]["evaluation"], None)
        if fact["facts"]["independence"] == "self":
            return
        if run and run.settled:
            self._count(fact, fact, TieKey(run.buyer_id, run.builder_id))
        else:
            self.unsettled[fact["id"]] = fact
            self._waiting[fact["subjects"].get("milestone", "")].append(fact["id"])

    def _settle(self, fact: Fact) -> None:
        tie_key = TieKey(fact["subjects"].get("buyer", ""), fact["subjects"].get("builder", ""))
        counted = self._counted(fact)
        # Weighed before this hire is added: it says nothing of what was earned elsewhere.
        units = [self._count(verdict, fact, tie_key) for verdict in counted]
        self._hired(fact, tie_key, measured=any(units))
        for evaluation in self._running.pop(fact["subjects"].get("milestone", ""), []):
            if evaluation in self.runs:
                self.runs[evaluation] = replace(
                    self.runs[evaluation], settled=True, **tie_key._asdict()
                )

    def _counted(self, fact: Fact) -> list[Fact]:
        """The verdicts this settlement counts, in log order; those it drops wait no longer."""
        named = fact["facts"].get("verdict_evidence", "")
        ids = dict.fromkeys([*self._waiting.pop(fact["subjects"].get("milestone"), []), named])
        waiting = [self.unsettled.pop(key) for key in ids if key in self.unsettled]
        waiting.sort(key=lambda one: (one["at"], one["id"]))
        order = [one["id"] for one in waiting]
        if named in order:
            return waiting[: order.index(named) + 1]
        if waiting and "ruling_evidence" not in fact["facts"]:
            self._keep_canaries(waiting[-1])
        return waiting[:-1]

    def _keep_canaries(self, verdict: Fact) -> None:
        """Both sides may drop a verdict about the buyer's tasks, never about the platform's."""
        for key, tally in tallies_of(verdict).items():
            if tally.canary_passes + tally.canary_failures:
                seen = only_canaries(tally)
                self._put(key, self.tallies[key] + seen if key in self.tallies else seen)

    def _put(self, key: Key, tally: Tally) -> None:
        if key not in self.tallies:
            self._keys[VersionKey(*key[:2])].append(key)
        self.tallies[key] = tally

    def _count(self, verdict: Fact, cause: Fact, tie_key: TieKey) -> int:
        """Add one verdict; the units it measured."""
        added, version = tallies_of(verdict), version_of(verdict)
        share = permille(self.buyers.get(tie_key.buyer_id, Buyer()), self.ties.get(tie_key, Tie()))
        for key, tally in added.items():
            self._add(key, tally, tie_key.buyer_id, share)
        self._compare(tie_key.buyer_id, verdict, added)
        units = max((tally.passes + tally.failures for tally in added.values()), default=0)
        self.records[version] = _with_verdict(self._record(version), verdict, units)
        changes = {name.dimension: (t.passes, t.failures) for name, t in added.items()}
        self._move(version, verdict, cause, changes=changes, permille=share)
        return units

    def _compare(self, buyer_id: str, verdict: Fact, added: Mapping[Key, Tally]) -> None:
        """What the buyer's tasks said, beside what the hidden ones among them said."""
        hidden, passed = canaries_of(verdict)
        said = [one for one in added.values() if one.canary_passes or one.canary_failures]
        if not (buyer_id and hidden and said):
            return
        buyer, (own,) = self.buyers.get(buyer_id, Buyer()), said
        self.buyers[buyer_id] = replace(
            buyer,
            own_passes=buyer.own_passes + own.passes,
            own_units=buyer.own_units + own.passes + own.failures,
            canary_passes=buyer.canary_passes + passed,
            canary_units=buyer.canary_units + hidden,
        )

    def _add(self, key: Key, tally: Tally, buyer_id: str, share: int) -> None:
        before = self.shares.get(ShareKey(*key, buyer_id))
        units = tally.passes + tally.failures
        after = renew(
            before or Share(),
            passes=tally.passes,
            failures=tally.failures,
            weight=(tally.decayed_passes + tally.decayed_failures) // units,
            permille=share,
        )
        old = self.tallies.get(key)
        self._put(key, (old + tally if old else tally).with_share(before, after))
        self.shares[ShareKey(*key, buyer_id)] = after

    def _hired(self, fact: Fact, key: TieKey, *, measured: bool) -> None:
        if not key.buyer_id:
            return
        facts = fact["facts"]
        self.buyers[key.buyer_id], self.ties[key], self.builders[key.builder_id] = hired(
            self.buyers.get(key.buyer_id, Buyer()),
            self.ties.get(key, Tie()),
            self.builders.get(key.builder_id, Builder()),
            measured=measured,
            silently=facts.get("fault") == "buyer" and facts.get("timeout") == "acceptance",
        )

    def _dispute(self, fact: Fact) -> None:
        facts = fact["facts"]
        if facts["ground"] == _REVIEW:
            return  # the pact itself asked
        buyer_id = fact["subjects"]["party"] if facts.get("side") != "builder" else ""
        self.disputes[fact["subjects"]["dispute"]] = OpenDispute(buyer_id=buyer_id)
        if buyer_id:
            buyer = self.buyers.get(buyer_id, Buyer())
            self.buyers[buyer_id] = replace(buyer, disputes=buyer.disputes + 1)

    def _rule_at_once(self, fact: Fact) -> None:
        """Rulings without a level were final when they were made; others are when it is closed."""
        if "level" not in fact["facts"]:
            self._rule(fact)

    def _close(self, fact: Fact) -> None:
        """A ruling stood, or the dispute ended without one and says nothing of anybody."""
        if fact["facts"]["outcome"] == "ruled":
            self._rule(fact)
        self.disputes.pop(fact["subjects"]["dispute"], None)

    def _rule(self, fact: Fact) -> None:
        """A dispute counts now that it is ruled; filing it moved nothing."""
        share = fact["facts"]["builder_share_bps"]
        verdict = self.unsettled.get(fact["facts"].get("verdict_evidence", ""))
        measured = verdict["facts"]["earned_share_bps"] if verdict else 10_000
        self._end_dispute(fact, upheld=share < measured, lost=share < 10_000)

    def _default(self, fact: Fact) -> None:
        """The side that owed an answer kept silent, and so lost."""
        lost = fact["facts"]["side"] == "builder"
        self._end_dispute(fact, upheld=lost, lost=lost)

    def _end_dispute(self, fact: Fact, *, upheld: bool, lost: bool) -> None:
        dispute = self.disputes.pop(fact["subjects"]["dispute"], None)
        if dispute is None:
            return
        if dispute.buyer_id:
            buyer = self.buyers.get(dispute.buyer_id, Buyer())
            self.buyers[dispute.buyer_id] = replace(
                buyer, rulings=buyer.rulings + 1, upheld=buyer.upheld + upheld
            )
        if {"agent", "agent_version"} <= fact["subjects"].keys():
            key = version_of(fact)
            record = self._record(key)
            self.records[key] = replace(
                record, rulings=record.rulings + 1, disputes=record.disputes + lost
            )
            self._move(key, fact, fact)

    def _claim(self, fact: Fact) -> None:
        if "agent_version" not in fact["subjects"]:
            return
        key = version_of(fact)
        self.records[key] = replace(self._record(key), claim_bps=fact["facts"]["score_bps"])
        self._move(key, fact, fact)

    def _change(self, fact: Fact) -> None:
        """What answers is not what was measured: of the version hired, where that is named."""
        agent, answering = version_of(fact)
        key = VersionKey(agent, fact["facts"].get("hired", answering))
        self.records[key] = replace(
            self._record(key), changed_at=fact["at"], changed_evidence=fact["id"]
        )
        self._move(key, fact, fact)

    def _record(self, key: VersionKey) -> Record:
        return self.records.get(key, Record())

    def _move(
        self,
        key: VersionKey,
        fact: Fact,
        cause: Fact,
        *,
        changes: Mapping[str, tuple[int, int]] | None = None,
        permille: int = 0,
    ) -> None:
        if self._tell is None:
            return
        self._tell(
            Move(
                key=key,
                evidence_id=fact["id"],
                cause_id=cause["id"],
                kind=fact["kind"],
                at=cause["at"],
                record=self.records[key],
                tallies={name: self.tallies[name] for name in self._keys[key]},
                changes=changes or {},
                permille=permille,
            )
        )


def _with_verdict(record: Record, verdict: Fact, units: int) -> Record:
    facts = verdict["facts"]
    broken = [one for one in facts["clauses"] if one["outcome"] == "breached"]
    if record.is_stale and moment(verdict["at"]) > moment(record.changed_at):
        record = replace(record, changed_at="", changed_evidence="")
    return replace(
        record,
        verdicts=record.verdicts + 1,
        tasks=record.tasks + units,
        met=record.met + (facts["outcome"] == "met"),
        breached=record.breached + (facts["outcome"] == "breached"),
        critical_breaches=record.critical_breaches + any(one.get("critical") for one in broken),
    )
