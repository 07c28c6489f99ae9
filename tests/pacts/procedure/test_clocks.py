"""A dispute's clocks: every silence, every deadline to the microsecond, and always an end."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pacts.procedure.clocks import (
    BEFORE_A_RULING,
    DAY,
    FULL,
    HOUR,
    SILENCES,
    SMALL,
    Docket,
    Periods,
    State,
    answer_by,
    enter,
    look,
    lost_by,
    may_rule,
    rule_by,
    takes_exhibits,
)

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TICK = timedelta(microseconds=1)


def opened(periods: Periods = FULL) -> Docket:
    return Docket(
        state="opened",
        entered_at=MONDAY,
        due_at=answer_by(MONDAY, periods),
        backstop_at=MONDAY + periods.backstop,
        periods=periods,
        owing="builder",
    )


def at(state: State, **changes: object) -> Docket:
    """A docket that has just entered this state."""
    made = opened() if state == "opened" else enter(opened(), state, at=MONDAY)
    return replace(made, **changes)  # type: ignore[arg-type]


SILENT = [
    (at("opened"), "closed", "defaulted", "respondent"),
    (at("negotiating"), "evidence_open", "", ""),
    (at("evidence_open"), "under_review", "", ""),
    (at("evidence_locked", rechecking=True), "under_review", "", "platform"),
    (at("under_review"), "closed", "unruled", "adjudicator"),
    (at("ruled", awaits_second=True), "closed", "unruled", "adjudicator"),
    (at("challenge_window", award_bps=4_000), "closed", "ruled", ""),
    (at("appealed", level=2, award_bps=4_000), "closed", "ruled", "adjudicator"),
    (
        replace(at("appealed", level=2, award_bps=4_000), state="ruled", awaits_second=True),
        *("closed", "ruled", "adjudicator"),
    ),
]


@pytest.mark.parametrize(("docket", "then", "outcome", "fault"), SILENT)
def test_until_and_at_the_deadline_nothing_happens_and_a_microsecond_later_silence_acts(
    docket: Docket, then: str, outcome: str, fault: str
) -> None:
    assert look(docket, now=docket.due_at - TICK) == docket
    assert look(docket, now=docket.due_at) == docket
    moved = look(docket, now=docket.due_at + TICK)
    assert (moved.state, moved.outcome, moved.fault) == (then, outcome, fault)
    assert moved.entered_at == docket.due_at


def test_every_state_that_waits_has_a_row_in_the_table_of_silences() -> None:
    assert {docket.state for docket, *_ in SILENT} == set(SILENCES)
    assert all(silence.meaning.endswith(".") for silence in SILENCES.values())


def test_periods_follow_each_other_from_deadline_to_deadline_however_late_somebody_looks() -> None:
    answered = enter(opened(), "negotiating", at=MONDAY)
    late = look(answered, now=MONDAY + 29 * DAY)
    assert (late.state, late.due_at) == ("under_review", MONDAY + 30 * DAY)
    assert late.entered_at == MONDAY + FULL.negotiation + FULL.evidence


@pytest.mark.parametrize(
    ("day", "days"), [(0, 7), (1, 7), (4, 7), (5, 6), (6, 5)], ids=["mon", "tue", "fri", "sat", "s"]
)
def test_five_business_days_skip_the_weekend(day: int, days: int) -> None:
    start = MONDAY + day * DAY
    assert answer_by(start, FULL) == start + days * DAY


def test_small_claims_count_hours() -> None:
    assert answer_by(MONDAY + 4 * DAY, SMALL) == MONDAY + 4 * DAY + 48 * HOUR
    assert SMALL.longest < FULL.longest / 2


def test_both_sides_at_rest_go_on_at_once_and_one_side_waits() -> None:
    waiting = at("evidence_open")
    assert look(waiting, now=MONDAY).state == "evidence_open"
    assert look(replace(waiting, rested=True), now=MONDAY).state == "under_review"
    checking = replace(waiting, rested=True, rechecking=True)
    assert look(checking, now=MONDAY).state == "evidence_locked"


def test_an_appeals_ruling_takes_effect_at_once_and_a_first_one_waits_to_be_challenged() -> None:
    final = replace(at("ruled", award_bps=7), level=2)
    assert look(final, now=MONDAY).outcome == "ruled"
    assert look(at("challenge_window"), now=MONDAY).is_open


def test_evidence_is_taken_until_it_locks_and_once_more_at_the_beginning_of_an_appeal() -> None:
    for state in SILENCES:
        takes = takes_exhibits(at(state), now=MONDAY)
        assert takes == (state in ("opened", "negotiating", "evidence_open", "appealed"))
    appealed = at("appealed")
    end = MONDAY + FULL.appeal_evidence
    assert takes_exhibits(appealed, now=end)
    assert not takes_exhibits(appealed, now=end + TICK)
    assert may_rule(appealed, now=end + TICK)
    assert not may_rule(appealed, now=end)
    assert may_rule(replace(appealed, rested=True), now=MONDAY)


def test_a_person_rules_under_review_and_in_no_other_state_before_an_appeal() -> None:
    ripe = {state for state in SILENCES if may_rule(at(state), now=MONDAY)}
    assert ripe == {"under_review"}
    assert rule_by(at("under_review")) == MONDAY + FULL.review


@pytest.mark.parametrize(
    ("outcome", "share", "measured", "filed", "loser"),
    [
        ("ruled", 4_000, 10_000, "buyer", "builder"),
        ("ruled", 10_000, 10_000, "buyer", "buyer"),
        ("ruled", 10_000, 0, "builder", "buyer"),
        ("ruled", 0, 0, "builder", "builder"),
        ("ruled", 0, None, "builder", ""),
        ("defaulted", 0, 10_000, "buyer", "builder"),
        ("settled", 0, 10_000, "buyer", ""),
        ("withdrawn", None, None, "buyer", ""),
        ("unruled", 0, 10_000, "buyer", ""),
    ],
)
def test_whoever_the_outcome_went_against_lost(
    outcome: str, share: int | None, measured: int | None, filed: str, loser: str
) -> None:
    docket = at("closed", outcome=outcome)
    told = lost_by(docket, share_bps=share, measured_bps=measured, filed_by=filed)  # type: ignore[arg-type]
    assert told == loser


states = st.sampled_from([*SILENCES])
dockets = st.builds(
    at,
    states,
    rested=st.booleans(),
    rechecking=st.booleans(),
    awaits_second=st.booleans(),
    level=st.sampled_from([1, 2]),
    award_bps=st.sampled_from([0, 5_000]),
    periods=st.sampled_from([FULL, SMALL]),
)
spans = st.integers(0, 60 * 86_400 * 10**6).map(lambda micros: timedelta(microseconds=micros))


@given(dockets, spans, spans)
def test_looking_in_between_changes_nothing(
    docket: Docket, first: timedelta, more: timedelta
) -> None:
    between = look(docket, now=MONDAY + first)
    once = look(docket, now=MONDAY + first + more)
    assert look(between, now=MONDAY + first + more) == once


@given(dockets)
def test_time_alone_closes_every_dispute_within_its_longest(docket: Docket) -> None:
    end = look(docket, now=MONDAY + FULL.longest + TICK)
    assert not end.is_open
    assert end.outcome in ("ruled", "defaulted", "unruled")


@given(dockets, spans)
def test_an_open_docket_is_due_in_the_future(docket: Docket, passed: timedelta) -> None:
    now = MONDAY + passed
    seen = look(docket, now=now)
    assert not seen.is_open or seen.due_at >= now


@given(spans)
def test_before_a_ruling_nothing_waits_past_the_backstop(passed: timedelta) -> None:
    for state in BEFORE_A_RULING:
        seen = look(enter(opened(), state, at=MONDAY), now=MONDAY + passed)
        assert not seen.is_open or seen.due_at <= seen.backstop_at


def test_periods_come_back_from_a_row_as_they_were() -> None:
    for periods in (FULL, SMALL):
        assert Periods.of(periods.seconds()) == periods
