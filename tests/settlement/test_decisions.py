"""The pure decision: total, exact at boundaries, and never without an end."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pacts.procedure.clocks import FULL, SILENCES, SMALL, Docket
from settlement.decisions import (
    AskHuman,
    DeliveryFacts,
    Extend,
    Facts,
    Final,
    Freeze,
    Holding,
    Refund,
    Release,
    Split,
    VerdictFacts,
    Wait,
    Withhold,
    decide,
    with_review,
)
from settlement.reasons import REASONS

T0 = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TICK = timedelta(microseconds=1)
HOUR = timedelta(hours=1)
RULES = ("release", "prorate", "withhold", "extend", "human_review", "", "something new")


def facts(**changes: object) -> Facts:
    made = Facts(
        amount=10_000,
        fee_bps=500,
        submit_by_at=T0 + HOUR,
        acceptance=24 * HOUR,
        cure=12 * HOUR,
        extension=2 * HOUR,
        review=720 * HOUR,
        on_breach="refund",
        undetermined_rule="human_review",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def docket(state: str, **changes: object) -> Docket:
    """One that is due at T0."""
    made = Docket(state="opened", entered_at=T0 - HOUR, due_at=T0, backstop_at=T0)
    return replace(made, state=state, **changes)  # type: ignore[arg-type]


def judged(outcome: str, *, share: int = 10_000, rule: str = "") -> DeliveryFacts:
    verdict = VerdictFacts(
        outcome=outcome,  # type: ignore[arg-type]
        earned_share_bps=share,
        undetermined_rule=rule,
        concluded_at=T0,
    )
    return DeliveryFacts(evaluation_due_at=T0 + HOUR, verdict=verdict)


bps = st.integers(0, 10_000)
moments = st.integers(-(10**6), 10**7).map(lambda seconds: T0 + timedelta(seconds=seconds))
periods = st.integers(0, 10**6).map(lambda seconds: timedelta(seconds=seconds))
verdicts = st.builds(
    VerdictFacts,
    outcome=st.sampled_from(["met", "breached", "undetermined"]),
    earned_share_bps=bps,
    undetermined_rule=st.sampled_from(RULES),
    concluded_at=moments,
    measured=st.booleans(),
)
deliveries = st.builds(DeliveryFacts, evaluation_due_at=moments, verdict=st.none() | verdicts)
disputes = st.builds(
    Docket,
    state=st.sampled_from([*SILENCES, "closed"]),
    entered_at=moments,
    due_at=moments,
    backstop_at=moments,
    periods=st.sampled_from([FULL, SMALL]),
    outcome=st.sampled_from(["ruled", "withdrawn", "settled", "defaulted", "unruled"]),
    owing=st.sampled_from(["buyer", "builder"]),
    rested=st.booleans(),
    rechecking=st.booleans(),
    awaits_second=st.booleans(),
    level=st.sampled_from([1, 2]),
    is_review=st.booleans(),
    award_bps=bps,
)
any_facts = st.builds(
    Facts,
    amount=st.integers(1, 10**15 - 1),
    fee_bps=bps,
    submit_by_at=moments,
    acceptance=periods,
    cure=periods,
    extension=periods,
    review=periods,
    on_breach=st.sampled_from(["refund", "prorate"]),
    undetermined_rule=st.sampled_from(RULES),
    deliveries=st.lists(deliveries, max_size=3).map(tuple),
    dispute=st.none() | disputes,
    accepted_at=st.none() | moments,
    given_back_at=st.none() | moments,
)


@given(any_facts, moments)
def test_time_alone_leads_every_case_to_one_end_in_a_few_looks(case: Facts, now: datetime) -> None:
    for looks in count():
        decision = decide(facts=case, now=now)
        if isinstance(decision, Final):
            parts = decision.division
            assert parts.released + parts.refunded + parts.fee == case.amount
            return
        assert decision.until >= now, "a deadline that has passed would be looked at for ever"
        if isinstance(decision, AskHuman):
            case = with_review(case, opened_at=now, backstop_at=decision.until)
        now = decision.until + TICK
        assert looks < 10


@given(any_facts, moments)
def test_every_decision_has_words_for_people(case: Facts, now: datetime) -> None:
    decision = decide(facts=case, now=now)
    assert decision.code in REASONS
    assert decision.reason.sentence.endswith(".")


@given(any_facts, moments)
def test_an_end_once_reached_stays_the_same_however_late_it_is_looked_at(
    case: Facts, now: datetime
) -> None:
    decision = decide(facts=case, now=now)
    if isinstance(decision, Final):
        assert decide(facts=case, now=now + timedelta(days=999)) == decision


@pytest.mark.parametrize(
    ("case", "deadline", "before", "after"),
    [
        (facts(), T0 + HOUR, Wait, Refund),
        (facts(deliveries=(DeliveryFacts(evaluation_due_at=T0),)), T0, Wait, AskHuman),
        (facts(deliveries=(judged("met"),)), T0 + 24 * HOUR, Wait, Release),
        (facts(deliveries=(judged("met", share=4_000),)), T0 + 24 * HOUR, Wait, Split),
        (facts(deliveries=(judged("breached"),)), T0 + 12 * HOUR, Withhold, Refund),
        (
            facts(deliveries=(judged("breached", share=4_000),), on_breach="prorate"),
            T0 + 12 * HOUR,
            Withhold,
            Split,
        ),
        (
            facts(deliveries=(judged("undetermined", rule="withhold"),)),
            T0 + 12 * HOUR,
            Withhold,
            Refund,
        ),
        (facts(deliveries=(judged("undetermined", rule="extend"),)), T0 + 2 * HOUR, Extend, Refund),
        (facts(dispute=docket("under_review")), T0, Freeze, Refund),
        (facts(dispute=docket("opened", owing="buyer")), T0, Freeze, Release),
        (facts(dispute=docket("challenge_window", award_bps=5_000)), T0, Freeze, Split),
        (facts(dispute=docket("appealed", award_bps=0, level=2)), T0, Freeze, Refund),
    ],
)
def test_the_deadline_itself_still_waits_and_a_microsecond_later_acts(
    case: Facts, deadline: datetime, before: type[Holding], after: type[Holding | Final]
) -> None:
    for moment in (deadline - TICK, deadline):
        decision = decide(facts=case, now=moment)
        assert type(decision) is before
        assert isinstance(decision, Holding)
        assert decision.until == deadline
    assert type(decide(facts=case, now=deadline + TICK)) is after


def test_an_evaluation_nobody_judged_is_the_platforms_fault_and_pays_no_unmeasured_share() -> None:
    case = facts(deliveries=(DeliveryFacts(evaluation_due_at=T0),), undetermined_rule="prorate")
    decision = decide(facts=case, now=T0 + TICK)
    assert isinstance(decision, AskHuman)
    assert decision.reason.fault != "builder"


def test_a_rule_nobody_knows_asks_a_person() -> None:
    case = facts(deliveries=(judged("undetermined", rule="flip a coin"),))
    assert isinstance(decide(facts=case, now=T0), AskHuman)


def test_nothing_delivered_is_the_builders_fault() -> None:
    decision = decide(facts=facts(), now=T0 + HOUR + TICK)
    assert (decision.code, decision.reason.fault) == ("nothing_delivered", "builder")


def test_a_ruling_outranks_the_verdict_and_acceptance() -> None:
    dispute = docket("ruled", award_bps=0)
    case = facts(deliveries=(judged("met"),), accepted_at=T0, dispute=dispute)
    assert isinstance(decide(facts=case, now=T0), Refund)


def test_while_a_revision_is_evaluated_the_money_stays_withheld() -> None:
    case = facts(deliveries=(judged("breached"), DeliveryFacts(evaluation_due_at=T0 + 99 * HOUR)))
    decision = decide(facts=case, now=T0 + 98 * HOUR)
    assert isinstance(decision, Withhold)
    assert decision.code == "revision_under_evaluation"


def test_a_share_that_rounds_to_nothing_is_a_refund_and_to_everything_a_release() -> None:
    for share, state in ((1, "refunded"), (9_999, "released")):
        case = facts(amount=1, deliveries=(judged("met", share=share),), accepted_at=T0)
        decision = decide(facts=case, now=T0)
        assert isinstance(decision, Final)
        assert decision.state == state
