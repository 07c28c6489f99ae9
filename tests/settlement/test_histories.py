"""Ten thousand histories of one escrow, on a virtual clock, with a crash between any two effects.

The pure core (decisions, states, shares, fees) runs against a ledger in memory that refuses what
the real one refuses. Nothing here is a transaction: each effect (review, post, receipt, evidence,
mark) is stored by itself, a worker may die after any of them, and is run again by a hint that may
come twice, late, in any order, or by one of two sweepers. So what the database makes atomic in the
product must here come out right by the decisions alone: the same facts, looked at later, end in
the same way. After every step the invariants hold; time alone then ends every history.

`EARNEST_HISTORIES` says how many (10000), `EARNEST_HISTORIES_SEED` replays a run: a failure prints
its seed, and hypothesis the `@reproduce_failure` line that repeats its one history.
"""

import os
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from pacts.procedure.clocks import Docket, Periods, State, enter, look, may_rule
from settlement.decisions import (
    AskHuman,
    Decision,
    DeliveryFacts,
    Facts,
    Final,
    Holding,
    VerdictFacts,
    decide,
    with_review,
)
from settlement.fees import FeeBand

SHARDS = 4
HISTORIES = int(os.environ.get("EARNEST_HISTORIES", "10000"))
SEED = os.environ.get("EARNEST_HISTORIES_SEED")
STEPS = 12

T0 = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TICK = timedelta(microseconds=1)
HOUR = timedelta(hours=1)
FINAL = ("released", "refunded", "split")
RULES = ("release", "prorate", "withhold", "extend", "human_review", "")
PERIODS = Periods(
    answer=HOUR,
    negotiation=HOUR,
    evidence=2 * HOUR,
    recheck=HOUR,
    review=6 * HOUR,
    challenge=2 * HOUR,
    appeal=4 * HOUR,
    appeal_evidence=HOUR,
    backstop=24 * HOUR,
)
Sides = tuple[tuple[str, int], ...]


class Refused(AssertionError):
    """The ledger was asked for what it must never do."""


@dataclass(frozen=True)
class Moved:
    sides: Sides
    resolves: str | None


class MemoryLedger:
    """Double entry that refuses what the real one refuses."""

    def __init__(self) -> None:
        self.balances: Counter[str] = Counter()
        self.transfers: dict[str, Moved] = {}

    def post(self, key: str, sides: Sides, resolves: str | None = None) -> None:
        asked = Moved(sides, resolves)
        if key in self.transfers:
            if self.transfers[key] != asked:
                raise Refused(f"{key}: {self.transfers[key]} was posted, now {asked} is asked for")
            return
        if sum(amount for _, amount in sides) or not all(amount for _, amount in sides):
            raise Refused(f"{key} adds up to something: {sides}")
        if resolves and self.resolution_of(resolves):
            raise Refused(f"{resolves} is resolved twice")
        for account, amount in sides:
            self.balances[account] += amount
            if account != "world" and self.balances[account] < 0:
                raise Refused(f"{account} is below zero")
        self.transfers[key] = asked

    def resolution_of(self, hold: str) -> Moved | None:
        return next((moved for moved in self.transfers.values() if moved.resolves == hold), None)


@dataclass
class Durable:
    """What outlives a crash: everything but the workers."""

    facts: Facts
    revisions_left: int
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    state: str = "held"
    version: int = 0
    next_action_at: datetime | None = None
    receipts: list[tuple[str, int, int, int]] = field(default_factory=list)
    evidence: set[str] = field(default_factory=set)
    hints: list[int] = field(default_factory=list)
    acknowledged: set[str] = field(default_factory=set)
    lock: object = None


def worker(durable: Durable, now: datetime, name: object) -> Iterator[str]:
    """One look at the escrow; it may be cut off after every yield. Skips what is locked."""
    if durable.lock is not None or durable.state in FINAL:
        return
    durable.lock = name
    seen = durable.version
    decision = decide(facts=durable.facts, now=now)
    if isinstance(decision, AskHuman):
        durable.facts = with_review(durable.facts, opened_at=now, backstop_at=decision.until)
        yield "a review was opened"
        decision = decide(facts=durable.facts, now=now)
        assert isinstance(decision, Holding)
    if isinstance(decision, Final):
        yield from finish(durable, decision)
        mark(durable, seen, decision.state, None)
    else:
        if decision.state != durable.state and decision.state != "held":
            durable.evidence.add(f"{decision.state}:{seen}")
            yield "the state was told"
        mark(durable, seen, decision.state, decision.until)
    durable.lock = None


def finish(durable: Durable, decision: Final) -> Iterator[str]:
    """The effects of an outcome, each stored by itself, the mark last: it ends the looking."""
    facts, division = durable.facts, decision.division
    parts = (
        ("builder", division.released),
        ("fees", division.fee),
        ("buyer", division.refunded),
    )
    sides = (("escrow", -facts.amount), *(part for part in parts if part[1]))
    durable.ledger.post("settle", sides, "fund")
    yield "the money moved"
    if facts.bond:
        taker = "buyer" if decision.slashes_bond else "builder"
        durable.ledger.post("bond", (("bond", -facts.bond), (taker, facts.bond)), "bond.hold")
        yield "the bond moved"
    receipt = (decision.state, division.released, division.refunded, division.fee)
    if receipt not in durable.receipts:
        durable.receipts.append(receipt)
    yield "the receipt was signed"
    durable.evidence.add("settled")
    yield "the settlement was told"


def mark(durable: Durable, seen: int, state: str, until: datetime | None) -> None:
    """Compare and set."""
    assert durable.version == seen, "somebody changed the escrow in spite of its lock"
    if (durable.state, durable.next_action_at) != (state, until):
        durable.state, durable.next_action_at = state, until
        durable.version += 1


periods = st.sampled_from([timedelta(0), TICK, HOUR, 24 * HOUR])
shares = st.sampled_from([0, 1, 3_333, 5_000, 9_999, 10_000])
terms = st.builds(
    Facts,
    amount=st.sampled_from([1, 2, 99, 10_001, 10**15 - 1]),
    fee_bps=st.sampled_from([0, 1, 500, 10_000]),
    submit_by_at=st.just(T0 + HOUR),
    acceptance=periods,
    cure=periods,
    extension=periods,
    review=st.just(24 * HOUR),
    on_breach=st.sampled_from(["refund", "prorate"]),
    undetermined_rule=st.sampled_from(RULES),
    fee_bands=st.sampled_from([(), (FeeBand(0, 1_000), FeeBand(50, 250))]),
    bond=st.sampled_from([0, 1, 777]),
)
verdicts = st.tuples(
    st.sampled_from(["met", "breached", "undetermined"]),
    shares,
    st.sampled_from(RULES),
    st.booleans(),
)


def step(seen: Docket, how: str, share: int, now: datetime) -> Docket | None:
    """The docket after somebody acted, as the doors of `pacts.disputes` store it; None: refused."""
    if how == "answer" and seen.state == "opened":
        return enter(seen, "negotiating", at=now)
    if how == "rest" and seen.state in ("negotiating", "evidence_open", "appealed"):
        return replace(seen, rested=True)
    if how == "check" and seen.rechecking:
        return replace(seen, rechecking=False)
    if how.startswith("rule") and may_rule(seen, now=now):
        waiting = replace(enter(seen, "ruled", at=now), awaits_second=True)
        return waiting if how == "rule" else stand(seen, share, now)
    if how == "confirm" and seen.awaits_second:
        return stand(replace(seen, awaits_second=False), share, now)
    if how == "decline" and seen.awaits_second:
        again = replace(seen, awaits_second=False)
        first = seen.level == 1
        return enter(again, "under_review", at=now) if first else replace(again, state="appealed")
    if how == "appeal" and seen.state == "challenge_window" and seen.level == 1:
        return enter(replace(seen, level=2, rested=False), "appealed", at=now)
    return None


def stand(seen: Docket, share: int, now: datetime) -> Docket:
    """A ruling that needs nobody's word any more."""
    state: State = "challenge_window" if seen.level == 1 else "ruled"
    return enter(replace(seen, award_bps=share), state, at=now)


class Histories(RuleBasedStateMachine):
    """The world around one escrow: two sides, a judge, an adjudicator, hints, workers, crashes."""

    def __init__(self) -> None:
        super().__init__()
        self.now = T0
        self.workers: dict[int, Iterator[str]] = {}
        self.names = iter(range(10**9))

    @initialize(terms=terms, revisions=st.integers(0, 2), stage=st.integers(0, 3), verdict=verdicts)
    def fund(
        self, terms: Facts, revisions: int, stage: int, verdict: tuple[str, int, str, bool]
    ) -> None:
        """Money is set aside; most histories begin with a delivery, half of them with a verdict."""
        self.durable = Durable(terms, revisions)
        ledger, amount, bond = self.durable.ledger, terms.amount, terms.bond
        ledger.post("deposit", (("world", -amount), ("buyer", amount)))
        ledger.post("fund", (("buyer", -amount), ("escrow", amount)))
        if bond:
            ledger.post("deposit of bond", (("world", -bond), ("builder", bond)))
            ledger.post("bond.hold", (("builder", -bond), ("bond", bond)))
        self.durable.next_action_at = terms.submit_by_at
        if stage:
            self.deliver()
        if stage > 1:
            self.judge(*verdict)

    # --- what people do ------------------------------------------------------------------------

    @property
    def decision(self) -> Decision:
        return decide(facts=self.durable.facts, now=self.now)

    def open_for_changes(self) -> bool:
        """A door waits for the lock, and refuses what is settled already."""
        return self.durable.lock is None and not self.durable.ledger.resolution_of("fund")

    def frozen(self) -> bool:
        dispute = self.durable.facts.dispute
        return dispute is not None and dispute.is_open

    def judged(self) -> bool:
        return self.durable.facts.last_verdict is not None

    def change(self, what: str, **facts: object) -> None:
        """A fact is stored and acknowledged, and a hint is sent."""
        self.durable.facts = replace(self.durable.facts, **facts)  # type: ignore[arg-type]
        self.durable.acknowledged.add(what)
        self.durable.hints.append(next(self.names))

    @precondition(lambda self: self.open_for_changes())
    @rule(verdict=verdicts)
    def work(self, verdict: tuple[str, int, str, bool]) -> None:
        """Deliver, or judge what was delivered, or deliver once more: whatever comes next."""
        if not self.durable.facts.deliveries:
            self.deliver()
        elif not self.judged():
            self.judge(*verdict)
        elif self.durable.revisions_left and not self.frozen():
            decision = self.decision
            if isinstance(decision, Holding) and decision.code in (
                *("curing", "not_proved", "extended"),
            ):
                self.durable.revisions_left -= 1
                self.deliver()

    def deliver(self) -> None:
        facts = self.durable.facts
        if facts.deliveries or self.now <= facts.submit_by_at:
            delivery = DeliveryFacts(evaluation_due_at=self.now + 2 * HOUR)
            self.change(
                f"delivery {len(facts.deliveries)}", deliveries=(*facts.deliveries, delivery)
            )

    def judge(self, outcome: str, share: int, undetermined_rule: str, critical: bool) -> None:
        last = self.durable.facts.deliveries[-1]
        verdict = VerdictFacts(
            outcome=outcome,  # type: ignore[arg-type]
            earned_share_bps=share,
            undetermined_rule=undetermined_rule,
            concluded_at=self.now,
            is_late=self.now > last.evaluation_due_at,
            breached_critical=critical and outcome == "breached",
        )
        judged = (*self.durable.facts.deliveries[:-1], replace(last, verdict=verdict))
        self.change(f"verdict {len(judged)}", deliveries=judged)

    @precondition(lambda self: self.open_for_changes() and not self.frozen())
    @rule(what=st.sampled_from(["accept", "give back", "agree", "dispute"]), share=shares)
    def act(self, what: str, share: int) -> None:
        decision, facts = self.decision, self.durable.facts
        if what == "give back":
            self.change(what, given_back_at=self.now)
        elif isinstance(decision, Final):
            return  # too late for everything else: the outcome follows
        elif what == "agree":
            self.change(what, agreed_share_bps=share)
        elif what == "accept" and self.judged():
            self.change(what, accepted_at=self.now)
        elif what == "dispute" and self.judged():
            dispute = Docket(
                state="opened",
                entered_at=self.now,
                due_at=self.now + PERIODS.answer,
                backstop_at=self.now + PERIODS.backstop,
                periods=PERIODS,
                owing="builder",
                rechecking=share == 1,
            )
            self.change(f"dispute at {facts.dispute}", dispute=dispute)

    @precondition(lambda self: self.open_for_changes() and self.frozen())
    @rule(
        how=st.sampled_from(
            [*("answer", "rest", "check", "rule", "rule alone", "confirm", "decline", "appeal")]
        ),
        share=shares,
    )
    def dispute_goes_on(self, how: str, share: int) -> None:
        """Whatever somebody may do now; silence has moved it before."""
        if isinstance(self.decision, Final):
            return  # silence, the ruling or the backstop has decided
        assert self.durable.facts.dispute
        moved = step(look(self.durable.facts.dispute, now=self.now), how, share, self.now)
        if moved:
            self.change(f"{how} {self.now}", dispute=moved)

    @precondition(lambda self: self.open_for_changes() and self.frozen())
    @rule(how=st.sampled_from(["withdrawn", "settled"]), share=shares)
    def end_dispute(self, how: str, share: int) -> None:
        dispute = self.durable.facts.dispute
        assert dispute
        if isinstance(self.decision, Final):
            return
        ended = replace(dispute, state="closed", outcome=how)  # type: ignore[arg-type]
        if how == "settled":
            self.change("settlement", dispute=ended, agreed_share_bps=share)
        elif look(dispute, now=self.now).level == 1 and dispute.award_bps is None:
            self.change(how, dispute=ended)

    # --- what the machine does -----------------------------------------------------------------

    @rule(by=st.sampled_from(["tick", "deadline", "past", "hour", "day"]))
    def wait(self, by: str) -> None:
        due = self.durable.next_action_at or self.now
        steps = {
            "tick": self.now + TICK,
            "deadline": due,
            "past": due + TICK,
            "hour": self.now + HOUR,
            "day": self.now + 24 * HOUR,
        }
        self.now = max(self.now, steps[by])

    @rule(which=st.integers(0, 7), effects=st.integers(0, 7), keep=st.booleans())
    def receive_hint(self, which: int, effects: int, keep: bool) -> None:
        """Any hint, in any order; one that is kept will come again. The worker may die of it."""
        hints = self.durable.hints
        if hints:
            self.run(self.begin(), effects, dies=True)
            if not keep:
                del hints[which % len(hints)]

    @rule(effects=st.integers(0, 7), dies=st.booleans())
    def two_sweepers_look(self, effects: int, dies: bool) -> None:
        due = self.durable.next_action_at
        if due is not None and (due < self.now or self.news()):
            first, second = self.begin(), self.begin()
            self.run(first, effects, dies=dies)
            self.run(second, effects, dies=False)

    def news(self) -> bool:
        """What the product's sweep finds without a deadline: a dispute that came or went."""
        return self.frozen() != (self.durable.state == "frozen")

    def begin(self) -> int:
        name = next(self.names)
        self.workers[name] = worker(self.durable, self.now, name)
        return name

    @precondition(lambda self: self.workers)
    @rule(which=st.integers(0, 7), effects=st.integers(1, 7), dies=st.booleans())
    def work_goes_on(self, which: int, effects: int, dies: bool) -> None:
        self.run(list(self.workers)[which % len(self.workers)], effects, dies=dies)

    def run(self, name: int, effects: int, *, dies: bool) -> None:
        """A worker gets some effects done; then it may be killed, and its lock falls open."""
        for _ in range(effects):
            if next(self.workers[name], None) is None:
                del self.workers[name]
                return
        if dies:
            self.kill(name)

    def kill(self, name: int) -> None:
        self.workers.pop(name).close()  # type: ignore[attr-defined]
        if self.durable.lock == name:
            self.durable.lock = None

    # --- what must hold ------------------------------------------------------------------------

    @invariant()
    def money_is_neither_made_nor_lost(self) -> None:
        durable = self.durable
        ledger, facts = durable.ledger, durable.facts
        assert sum(ledger.balances.values()) == 0
        assert ledger.balances["world"] == -facts.amount - facts.bond
        resolution = ledger.resolution_of("fund")
        assert ledger.balances["escrow"] == (0 if resolution else facts.amount)
        assert len(durable.receipts) <= bool(resolution)
        if durable.receipts and resolution:
            paid = dict(resolution.sides)
            _, released, refunded, fee = durable.receipts[0]
            told = (released, refunded, fee)
            assert told == tuple(paid.get(name, 0) for name in ("builder", "buyer", "fees"))
            assert sum(told) == facts.amount

    @invariant()
    def a_final_state_has_everything_and_an_open_one_a_next_look(self) -> None:
        durable = self.durable
        if durable.state in FINAL:
            assert durable.ledger.resolution_of("fund")
            assert [durable.receipts[0][0]] == [durable.state]
            assert "settled" in durable.evidence
            assert not durable.facts.bond or durable.ledger.balances["bond"] == 0
            assert durable.next_action_at is None
        else:
            assert durable.next_action_at is not None

    @invariant()
    def what_was_acknowledged_is_there(self) -> None:
        facts, told = self.durable.facts, self.durable.acknowledged
        assert ("accept" in told) == (facts.accepted_at is not None)
        assert ("give back" in told) == (facts.given_back_at is not None)
        assert len({one for one in told if one.startswith("delivery")}) == len(facts.deliveries)

    def teardown(self) -> None:
        """Every worker dies, every hint is lost; sweeps and time alone end it in a few looks."""
        if not hasattr(self, "durable"):
            return
        for name in list(self.workers):
            self.kill(name)
        self.now += 48 * HOUR
        for _ in range(8):
            if self.durable.state in FINAL:
                break
            assert self.durable.next_action_at is not None
            self.now = max(self.now, self.durable.next_action_at + TICK)
            for _step in worker(self.durable, self.now, "sweep"):
                pass
            self.money_is_neither_made_nor_lost()
        assert self.durable.state in FINAL
        self.a_final_state_has_everything_and_an_open_one_a_next_look()


@pytest.mark.parametrize("shard", range(SHARDS))
def test_every_history_ends_once_with_everything_told(shard: int) -> None:
    first = int(SEED) if SEED else random.SystemRandom().randrange(2**32)

    @seed(first + shard)
    class Seeded(Histories):
        pass

    try:
        run_state_machine_as_test(
            Seeded,
            settings=settings(
                max_examples=max(1, HISTORIES // SHARDS),
                stateful_step_count=STEPS,
                deadline=None,
                database=None,
                print_blob=True,
                verbosity=Verbosity.normal,
                phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
                suppress_health_check=list(HealthCheck),
            ),
        )
    except BaseException as error:
        error.add_note(f"replay with EARNEST_HISTORIES_SEED={first} (shard {shard})")
        raise
