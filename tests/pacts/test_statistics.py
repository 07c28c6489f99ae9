from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pacts.conclusions import NoClauses, VerdictsDoNotMatch, combine
from pacts.statistics import ClauseCounts, ClauseVerdict, judge_clause, judge_counts
from pacts.terms import Clause, clause_from_json
from reputation.confidence import ValueOutOfRange
from tests.pacts.pacts_of_bob import clause as clause_data

SCORES = [0.9, 1, 0.75, 0.6, 1, 1, 0.8, 0.85, 0.95, 0.7] * 5


def clause(**changes: Any) -> Clause:
    return clause_from_json(clause_data(**changes))


def judge(passes: int, failures: int, **changes: Any) -> ClauseVerdict:
    """Failures spread evenly among the passes, so that no early streak decides."""
    n = passes + failures
    failed = {(2 * i + 1) * n // (2 * failures) for i in range(failures)} if failures else set()
    return judge_clause(
        clause=clause(**changes), values=[0.0 if i in failed else 1.0 for i in range(n)]
    )


@pytest.mark.parametrize(
    ("promise", "floor", "passes", "failures", "status"),
    [
        (9500, 9500, 100, 0, "met"),
        (9500, 9500, 95, 5, "undetermined"),
        (9500, 9500, 180, 20, "undetermined"),
        (9500, 9500, 160, 40, "breached"),
        (9500, 9000, 48, 0, "met"),
        (9500, 9000, 45, 0, "undetermined"),
        (9500, 9000, 46, 0, "met"),
        (9500, 9000, 95, 5, "undetermined"),
        (9500, 9000, 180, 20, "breached"),
        (9500, 9000, 285, 15, "met"),
        (9500, 9000, 930, 70, "met"),
        (9500, 9000, 0, 3, "breached"),
        (9900, 9800, 190, 10, "breached"),
        (9900, 9800, 990, 10, "undetermined"),
        (8000, 7000, 160, 40, "met"),
    ],
)
def test_counts_give_the_specified_live_status(
    promise: int, floor: int, passes: int, failures: int, status: str
) -> None:
    judged = clause(promise_bps=promise, floor_bps=floor)
    counts = ClauseCounts(passes=passes, failures=failures)
    assert judge_counts(clause=judged, counts=counts) == status


def test_scores_latch_a_breach_at_the_specified_unit() -> None:
    verdict = judge_clause(clause=clause(floor_bps=9500), values=SCORES)
    assert (verdict.status, verdict.first_crossing) == ("breached", 14)
    assert verdict.ln_e_breach == pytest.approx(16.883784, abs=1e-6)


def test_nothing_seen_is_undetermined() -> None:
    verdict = judge_clause(clause=clause(), values=[])
    assert (verdict.status, verdict.estimate, verdict.low) == ("undetermined", None, None)


def test_a_breach_latches_and_no_later_success_undoes_it() -> None:
    verdict = judge_clause(clause=clause(), values=[0.0] * 3 + [1.0] * 500)
    assert verdict.status == "breached"
    assert verdict.first_crossing == 3


def test_a_breach_needs_no_minimum_count_and_no_closed_window() -> None:
    verdict = judge_clause(clause=clause(min_count=100), values=[0.0] * 3, closed=False)
    assert verdict.status == "breached"


def test_a_met_waits_for_the_window_to_close() -> None:
    assert judge_clause(clause=clause(), values=[1.0] * 60, closed=False).status == "undetermined"
    assert judge_clause(clause=clause(), values=[1.0] * 60).status == "met"


def test_a_met_that_the_whole_window_no_longer_shows_is_not_paid() -> None:
    verdict = judge_clause(clause=clause(), values=[1.0] * 50 + [0.0] * 5)
    assert verdict.first_crossing == 46
    assert verdict.status == "undetermined"


def test_an_agent_that_collapses_after_being_met_is_breached() -> None:
    verdict = judge_clause(clause=clause(), values=[1.0] * 50 + [0.0] * 40)
    assert verdict.status == "breached"
    assert verdict.marginal


def test_in_the_overlap_the_first_crossing_decides() -> None:
    met_first = judge_clause(clause=clause(), values=[1.0] * 1000 + [1.0] * 855 + [0.0] * 145)
    assert met_first.marginal
    assert met_first.status == "met"
    breached_first = judge_clause(clause=clause(), values=[0.0] * 145 + [1.0] * 1855)
    assert breached_first.marginal
    assert breached_first.status == "breached"


def test_too_few_units_keep_a_met_undetermined() -> None:
    assert judge(60, 0, min_count=100).status == "undetermined"
    assert judge(100, 0, min_count=100).status == "met"


def test_errors_above_the_budget_leave_it_undetermined_even_where_it_looks_broken() -> None:
    within = judge_clause(clause=clause(), values=[1.0] * 98, errors=2)
    beyond = judge_clause(clause=clause(), values=[1.0] * 98, errors=3)
    broken = judge_clause(clause=clause(), values=[0.0] * 10, errors=1)
    assert (within.status, beyond.status, broken.status) == ("met", "undetermined", "undetermined")
    assert beyond.live == "met"


def test_more_than_two_percent_null_units_leave_it_undetermined() -> None:
    assert judge_clause(clause=clause(), values=[1.0] * 98, nulls=2).status == "met"
    assert judge_clause(clause=clause(), values=[1.0] * 97, nulls=3).status == "undetermined"


@pytest.mark.parametrize(
    ("passes", "failures", "status"), [(95, 5, "met"), (94, 6, "breached"), (100, 0, "met")]
)
def test_a_census_compares_exactly(passes: int, failures: int, status: str) -> None:
    verdict = judge(passes, failures, estimand="realized", window={"kind": "milestone"})
    assert verdict.status == status
    assert verdict.ln_e_met is None


def test_a_census_breaks_as_soon_as_no_remaining_call_could_save_it() -> None:
    judged = clause(estimand="realized", window={"kind": "calls", "n": 100})
    five = judge_clause(clause=judged, values=[0.0] * 5, closed=False)
    six = judge_clause(clause=judged, values=[0.0] * 6, closed=False)
    assert (five.status, six.status) == ("undetermined", "breached")


def test_a_census_of_too_few_is_undetermined() -> None:
    assert judge(9, 0, estimand="realized", min_count=10).status == "undetermined"


def test_a_census_may_promise_everything() -> None:
    everything = {"estimand": "realized", "promise_bps": 10_000, "floor_bps": 10_000}
    assert judge(50, 0, **everything).status == "met"
    assert judge(49, 1, **everything).status == "breached"


@pytest.mark.parametrize("value", [float("nan"), -0.1, 1.0001, float("inf")])
def test_a_value_outside_the_unit_interval_is_refused(value: float) -> None:
    for estimand in ("propensity", "realized"):
        with pytest.raises(ValueOutOfRange):
            judge_clause(clause=clause(estimand=estimand), values=[value])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 120), st.integers(0, 60))
def test_the_live_status_of_a_stream_is_that_of_its_counts(passes: int, failures: int) -> None:
    verdict = judge(passes, failures)
    if not verdict.marginal:
        counts = ClauseCounts(passes=passes, failures=failures)
        assert judge_counts(clause=clause(), counts=counts) == verdict.live


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0, 1), max_size=40), st.floats(0, 1))
def test_one_more_perfect_unit_never_lowers_the_evidence_for_met(
    values: list[float], last: float
) -> None:
    judged = clause()
    before = judge_clause(clause=judged, values=[*values, last])
    after = judge_clause(clause=judged, values=[*values, 1.0])
    assert before.ln_e_met is not None
    assert after.ln_e_met is not None
    assert after.ln_e_met >= before.ln_e_met - 1e-9


MET, BREACHED, OPEN = (60, 0), (0, 10), (10, 0)


def combined(*parts: tuple[tuple[int, int], dict[str, Any]]) -> Any:
    clauses = [clause(key=f"c{i}", **changes) for i, (_, changes) in enumerate(parts)]
    verdicts = [
        judge_clause(clause=each, values=[1.0] * passes + [0.0] * failures)
        for each, ((passes, failures), _) in zip(clauses, parts, strict=True)
    ]
    return combine(clauses=clauses, verdicts=verdicts)


def test_all_met_earns_all() -> None:
    verdict = combined((MET, {"weight_bps": 6000}), (MET, {"weight_bps": 4000}))
    assert (verdict.status, verdict.earned_share_bps, verdict.rule) == ("met", 10_000, None)


def test_a_breached_reduce_clause_costs_its_weight() -> None:
    verdict = combined(
        (MET, {"weight_bps": 6000}),
        (BREACHED, {"weight_bps": 4000, "consequence": "reduce"}),
    )
    assert (verdict.status, verdict.earned_share_bps) == ("breached", 6000)
    assert verdict.vetoed_by == ()


@pytest.mark.parametrize(
    "grave", [{"consequence": "withhold"}, {"critical": True, "consequence": "reduce"}]
)
def test_a_critical_or_withholding_breach_takes_everything(grave: dict[str, Any]) -> None:
    verdict = combined((MET, {"weight_bps": 9900}), (BREACHED, {"weight_bps": 100, **grave}))
    assert (verdict.earned_share_bps, verdict.vetoed_by) == (0, ("c1",))


@pytest.mark.parametrize(
    ("rule", "share"),
    [("release", 10_000), ("prorate", 10_000), ("withhold", 6000), ("extend", 6000)],
)
def test_an_undetermined_clause_earns_by_its_rule(rule: str, share: int) -> None:
    verdict = combined(
        (MET, {"weight_bps": 6000}), (OPEN, {"weight_bps": 4000, "on_undetermined": rule})
    )
    assert (verdict.status, verdict.earned_share_bps) == ("undetermined", share)
    assert verdict.rule == rule


def test_prorating_rounds_down_and_never_exceeds_the_weight() -> None:
    # 9 of 10 against a promise of 95 %: 3333 x 0.9 / 0.95 = 3157.57…
    verdict = combined(
        (MET, {"weight_bps": 6667}), ((9, 1), {"weight_bps": 3333, "on_undetermined": "prorate"})
    )
    assert verdict.earned_share_bps == 6667 + 3157


def test_prorating_nothing_seen_earns_nothing() -> None:
    verdict = combined(((0, 0), {"on_undetermined": "prorate"}))
    assert (verdict.earned_share_bps, verdict.rule) == (0, "prorate")


def test_the_strictest_undetermined_rule_is_named() -> None:
    rules = ["release", "human_review", "extend", "withhold", "prorate"]
    parts = [(OPEN, {"weight_bps": 2000, "on_undetermined": rule}) for rule in rules]
    assert combined(*parts).rule == "human_review"
    assert combined(*parts[2:]).rule == "extend"
    assert combined(*parts[3:]).rule == "withhold"


def test_a_pact_without_clauses_is_never_met() -> None:
    with pytest.raises(NoClauses):
        combine(clauses=[], verdicts=[])


def test_verdicts_of_other_clauses_are_refused() -> None:
    verdict = judge(60, 0)
    with pytest.raises(VerdictsDoNotMatch):
        combine(clauses=[clause(key="other")], verdicts=[verdict])
    with pytest.raises(VerdictsDoNotMatch):
        combine(clauses=[clause()], verdicts=[])
