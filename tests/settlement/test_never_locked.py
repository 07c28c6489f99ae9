"""Money never locks: every state there is, enumerated; from each, time alone leads to an end."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from pacts.feasibility import Timers, longest_path
from pacts.procedure.clocks import FULL, Docket, Outcome, Side, State, enter
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
from settlement.settlements import settle_due
from tests.settlement.hires import START, TIMERS, funded

T0 = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TICK = timedelta(microseconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
DISPUTE = FULL.longest
LOOKS = 10
YES = (False, True)
OPENED = T0 + 2 * HOUR
HEARD: tuple[State, ...] = ("negotiating", "evidence_open", "evidence_locked", "under_review")
OUTCOMES_OF_DISPUTES: tuple[Outcome, ...] = (
    *("ruled", "withdrawn", "settled", "defaulted", "unruled"),
)
SIDES: tuple[Side, ...] = ("buyer", "builder")
ENDS = {
    *("agreed", "ruled", "silence", "nothing_delivered", "dispute_unruled", "appeal_unheard"),
    *("unanswered_by_buyer", "unanswered_by_builder", "review_withdrawn"),
}
RULES = ("release", "prorate", "withhold", "extend", "human_review", "", "a rule of tomorrow")
OUTCOMES = ("met", "breached", "undetermined")
SHARES = (0, 1, 4_999, 10_000)
TERMS = Timers(
    work_seconds=3600, evaluation_seconds=7200, acceptance_seconds=86_400, cure_seconds=43_200
)
LONGEST = longest_path(timers=TERMS, max_revisions=1, dispute_seconds=int(DISPUTE.total_seconds()))


def verdicts() -> Iterator[VerdictFacts | None]:
    yield None
    for outcome, rule, share, critical in product(OUTCOMES, RULES, SHARES, (False, True)):
        yield VerdictFacts(
            outcome=outcome,  # type: ignore[arg-type]
            earned_share_bps=share,
            undetermined_rule=rule,
            concluded_at=T0 + HOUR,
            breached_critical=critical,
        )


def deliveries() -> Iterator[tuple[DeliveryFacts, ...]]:
    yield ()
    breach = VerdictFacts(
        outcome="breached", earned_share_bps=0, undetermined_rule="", concluded_at=T0
    )
    first = DeliveryFacts(evaluation_due_at=T0 + 3 * HOUR, verdict=breach)
    for verdict in verdicts():
        last = DeliveryFacts(evaluation_due_at=T0 + 3 * HOUR, verdict=verdict)
        yield (last,)
        yield (first, last)  # a revision


def disputes() -> Iterator[Docket | None]:
    """Every state of a dispute with everything that changes what its silence means."""
    yield None
    opened = Docket(
        state="opened",
        entered_at=OPENED,
        due_at=OPENED + 5 * DAY,
        backstop_at=OPENED + FULL.backstop,
        owing="builder",
    )
    yield from (opened, replace(opened, owing="buyer"))
    for state, rested, checking, review in product(HEARD, YES, YES, YES):
        yield replace(
            enter(opened, state, at=OPENED), rested=rested, rechecking=checking, is_review=review
        )
    for award, review in product((0, 4_000, 10_000), (False, True)):
        ruled = replace(opened, award_bps=award, is_review=review)
        yield replace(enter(opened, "ruled", at=OPENED), awaits_second=True, is_review=review)
        yield enter(ruled, "challenge_window", at=opened.backstop_at)
        appealed = enter(
            replace(ruled, level=2), "appealed", at=opened.backstop_at + FULL.challenge
        )
        yield appealed
        yield replace(enter(appealed, "ruled", at=appealed.entered_at), awaits_second=True)
        yield enter(appealed, "ruled", at=appealed.entered_at)
    for outcome, review, owing in product(OUTCOMES_OF_DISPUTES, (False, True), SIDES):
        yield replace(
            opened, state="closed", outcome=outcome, is_review=review, owing=owing, award_bps=4_000
        )


def every_case() -> Iterator[Facts]:
    choices = product(
        deliveries(),
        disputes(),
        ("refund", "prorate"),
        (0, 2_000),  # the bond
        (None, 0, 4_000),  # what both agreed on
    )
    for delivered, dispute, on_breach, bond, agreed in choices:
        yield Facts(
            amount=9_999,
            fee_bps=500,
            submit_by_at=T0 + HOUR,
            acceptance=24 * HOUR,
            cure=12 * HOUR,
            extension=2 * HOUR,
            review=FULL.backstop,
            on_breach=on_breach,  # type: ignore[arg-type]
            undetermined_rule="human_review",
            deliveries=delivered,
            dispute=dispute,
            bond=bond,
            agreed_share_bps=agreed,
        )


def at_the_end_of_time(case: Facts) -> tuple[Final, datetime]:
    """Look only when told to, until the outcome; nobody acts but the clock."""
    now = T0
    for _ in range(LOOKS):
        decision: Decision = decide(facts=case, now=now)
        if isinstance(decision, Final):
            return decision, now
        assert isinstance(decision, Holding)
        assert decision.until >= now, "a deadline that has passed would be looked at for ever"
        if isinstance(decision, AskHuman):
            case = with_review(case, opened_at=now, backstop_at=decision.until)
        now = decision.until + TICK
    raise AssertionError(f"no end in so many looks: {case}")


def test_from_every_state_time_alone_ends_the_escrow_and_its_bond_within_the_longest_path() -> None:
    seen: dict[str, int] = {}
    for case in every_case():
        end, now = at_the_end_of_time(case)
        parts = end.division
        assert parts.released + parts.fee + parts.refunded == case.amount
        assert end.slashes_bond in ((False, True) if case.bond else (False,))
        assert now - T0 <= timedelta(seconds=LONGEST.seconds) + LOOKS * TICK
        seen[end.code] = seen.get(end.code, 0) + 1
    assert sum(seen.values()) > 100_000
    assert seen.keys() >= ENDS


@pytest.mark.django_db
@pytest.mark.parametrize("bond", [0, 2_000])
@pytest.mark.parametrize("rule", ["release", "prorate", "withhold", "extend", "human_review"])
@pytest.mark.parametrize("outcome", ["met", "breached", "undetermined", None])
def test_sweeps_alone_end_real_escrows_whatever_was_found(
    outcome: str | None, rule: str, bond: int
) -> None:
    made = funded(bond=bond)
    if outcome:
        made.judge(outcome, share=4_000, rule=rule)
    limit = START + timedelta(
        seconds=longest_path(
            timers=TIMERS, max_revisions=1, dispute_seconds=int(DISPUTE.total_seconds())
        ).seconds
    )
    settle_due(now=START + timedelta(hours=1))
    while not made.escrow.is_final:
        due_at = made.escrow.next_action_at
        assert due_at
        assert due_at <= limit
        settle_due(now=due_at + TICK)
    assert sum(made.balances()) == 10_000 + bond
