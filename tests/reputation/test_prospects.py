"""What would move a standing: always what the fold itself would say, and nothing else."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reputation.credibility import Buyer
from reputation.fold import State, fold
from reputation.prospects import (
    MOST_HIRES,
    UNITS,
    Prospect,
    Prospects,
    Rates,
    Subject,
    prospects,
    view,
)
from reputation.standing import Composite, combine, standing
from tests.reputation.cast import (
    AGENT,
    ALICE,
    BOB,
    NOON,
    VERSION,
    changed,
    clause,
    days,
    fact,
    settlement,
    verdict,
)

SUBJECT = Subject(agent_id=AGENT, version_id=VERSION, builder_id=BOB, promised={})
NOTHING = ("own_run", "claim", "incident")


def hired(
    *counts: tuple[str, int, int],
    buyer: str = ALICE,
    milestone: str = "mst_1",
    at: Any = NOON,
    **more: Any,
) -> list[Any]:
    clauses = [clause(kept, failed, dimension=name) for name, kept, failed in counts]
    found = fact(verdict(*clauses, milestone=milestone, at=at, **more))
    settled = settlement(found["id"], milestone=milestone, buyer=buyer, builder=BOB, at=at)
    return [found, fact(settled)]


def known(*buyers: str, facts: list[Any]) -> State:
    """The state after these facts, with buyers whose word counts in full."""
    begun = State(buyers={one: Buyer(hires=10, ties=10) for one in buyers})
    return fold(begun, facts)


def of(found: Prospects, kind: str, dimension: str = "") -> Prospect:
    return next(p for p in found.found if (p.kind, p.dimension) == (kind, dimension))


def two_dimensions() -> State:
    """Vouched by four buyers; accuracy is weaker than safety."""
    buyers = [f"pty_known{n}" for n in range(4)]
    facts = [
        one
        for buyer in buyers
        for one in hired(("accuracy", 14, 6), ("safety", 20, 0), buyer=buyer, milestone=buyer)
    ]
    return known(*buyers, facts=facts)


def test_the_present_view_is_the_standing_itself() -> None:
    facts = hired(("accuracy", 40, 10), ("safety", 30, 0))
    found = view(fold(State(), facts), SUBJECT, now=NOON)
    own = standing(facts, now=NOON)[VERSION]
    assert found.dimensions == own
    assert found.composite == combine(own.values())


def test_a_supposed_hire_moves_it_exactly_as_the_same_hire_does_when_it_happens() -> None:
    state = two_dimensions()
    supposed = of(prospects(state, SUBJECT, now=NOON), "hire_unknown")
    really = hired(("accuracy", UNITS, 0), ("safety", UNITS, 0), buyer="pty_new", milestone="mst_2")
    happened = view(fold(state, really), SUBJECT, now=NOON)
    for name, one in happened.dimensions.items():
        assert supposed.after.dimensions[name].lower_bps == one.lower_bps
        assert supposed.after.dimensions[name].upper_bps == one.upper_bps
    assert supposed.after.composite.score_bps == happened.composite.score_bps
    assert supposed.permille == 20


def test_the_weakest_dimension_is_what_work_on_one_dimension_moves_most() -> None:
    found = prospects(two_dimensions(), SUBJECT, now=NOON)
    accuracy, safety = (of(found, "dimension", name) for name in ("accuracy", "safety"))
    assert accuracy.lower_gains["accuracy"] > 0
    assert accuracy.lower_gains["safety"] == 0
    assert safety.lower_gains["accuracy"] == 0
    assert accuracy.order > safety.order


def test_another_established_buyer_moves_more_than_the_same_buyer_again() -> None:
    found = prospects(two_dimensions(), SUBJECT, now=NOON)
    again, other = of(found, "hire_again"), of(found, "hire_established")
    assert again.permille == other.permille == 1000
    assert other.gain_bps > again.gain_bps


def test_ten_fresh_names_move_less_than_one_buyer_with_a_record() -> None:
    found = prospects(two_dimensions(), SUBJECT, now=NOON)
    assert found.now.composite.is_vouched
    names, one = of(found, "fresh_names"), of(found, "hire_established")
    assert names.hires == 10
    assert names.credited_units == pytest.approx(2)
    assert one.credited_units == pytest.approx(10)
    assert names.gain_bps < one.gain_bps
    assert names in found.no_ways


def test_fresh_names_lift_no_provisional_standing_among_the_vouched() -> None:
    provisional = fold(State(), hired(("accuracy", 40, 0)))
    names = of(prospects(provisional, SUBJECT, now=NOON), "fresh_names")
    assert names.gain_bps > 0
    assert not names.becomes_vouched
    assert not names.after.composite.is_vouched


@pytest.mark.parametrize("kind", NOTHING)
def test_runs_of_ones_own_claims_and_closed_incidents_move_nothing(kind: str) -> None:
    found = of(prospects(two_dimensions(), SUBJECT, now=NOON), kind)
    assert found.gain_bps == 0
    assert found.after.dimensions == found.before.dimensions


def test_waiting_alone_never_raises_a_lower_bound() -> None:
    found = prospects(two_dimensions(), SUBJECT, now=NOON)
    waits = [one for one in found.found if one.kind == "wait"]
    assert sorted(one.days for one in waits) == [14, 28]
    for one in waits:
        assert set(one.lower_gains) == {"accuracy", "safety"}
        assert all(gain <= 0 for gain in one.lower_gains.values())


def test_an_old_breach_weighs_less_when_the_same_hire_comes_later() -> None:
    state = known("pty_known", facts=hired(("accuracy", 20, 30), buyer="pty_known"))
    found = prospects(state, SUBJECT, now=NOON)
    now, later = of(found, "hire_established"), of(found, "wait_then_hire")
    accuracy = "accuracy"
    estimates = [p.after.dimensions[accuracy].estimate_bps or 0 for p in (now, later)]
    assert estimates[1] > estimates[0]


def test_without_a_failure_there_is_no_breach_to_wait_for() -> None:
    state = fold(State(), hired(("accuracy", 40, 0)))
    found = prospects(state, SUBJECT, now=NOON)
    assert all(one.kind != "wait_then_hire" for one in found.found)


def test_hidden_tasks_are_supposed_only_where_they_cap_and_then_lift_the_cap() -> None:
    flattering = hired(("accuracy", 200, 0), buyer="pty_known", canaries=(10, 5))
    capped = known("pty_known", facts=flattering)
    found = prospects(capped, SUBJECT, now=NOON)
    lifted = of(found, "hidden_tasks").after.dimensions["accuracy"]
    assert lifted.canary_upper_bps > found.now.dimensions["accuracy"].canary_upper_bps
    free = prospects(two_dimensions(), SUBJECT, now=NOON)
    assert all(one.kind != "hidden_tasks" for one in free.found)


def test_a_stale_standing_is_freed_by_a_verdict_reached_after_the_change() -> None:
    facts = hired(("accuracy", 900, 0), buyer="pty_known")
    change = fact(changed(at=NOON + days(1)))
    state = known("pty_known", facts=[*facts, change])
    then = NOON + days(2)
    unchanged = view(known("pty_known", facts=facts), SUBJECT, now=then)
    assert unchanged.composite.status == "met"
    found = prospects(state, SUBJECT, now=then)
    assert found.now.composite.status == "undetermined"
    record = fold(state, []).records
    assert any(one.is_stale for one in record.values())
    freed = of(found, "hire_established").after.composite
    assert freed.status == "met"
    assert freed.score_bps is not None


def test_an_agent_nobody_has_hired_is_told_what_its_pact_promises_it() -> None:
    promised = {"accuracy": Rates(9500, 9000)}
    fresh = replace(SUBJECT, promised=promised)
    found = prospects(State(), fresh, now=NOON)
    assert found.now.composite.score_bps is None
    first = found.ways[0]
    assert first.kind in ("hire_established", "hire_unknown")
    assert first.becomes_vouched is False  # 20 tasks of one buyer are credited as ten
    assert first.after.composite.score_bps is not None
    assert prospects(State(), SUBJECT, now=NOON).hires_to_met is None


def after_hires(count: int, held: Rates) -> Composite:
    """What that many hires come to, each by another established buyer, every task kept."""
    buyers = [f"pty_known{number}" for number in range(count)]
    kept = clause(UNITS, 0, promise_bps=held.promise_bps, floor_bps=held.floor_bps)
    facts = []
    for buyer in buyers:
        found = fact(verdict(kept, milestone=buyer))
        settled = settlement(found["id"], milestone=buyer, buyer=buyer, builder=BOB, at=NOON)
        facts += [found, fact(settled)]
    return view(known(*buyers, facts=facts), SUBJECT, now=NOON).composite


@pytest.mark.parametrize("held", [Rates(8000, 6000), Rates(9000, 8000), Rates(9500, 9000)])
def test_the_number_of_hires_until_met_is_the_least_that_the_fold_says(held: Rates) -> None:
    subject = replace(SUBJECT, promised={"accuracy": held})
    hires = prospects(State(), subject, now=NOON).hires_to_met
    assert hires is not None
    assert 1 <= hires <= MOST_HIRES
    assert after_hires(hires, held).status == "met"
    assert after_hires(hires - 1, held).status == "undetermined"


def test_who_failed_nearly_always_is_not_told_a_number_of_hires_it_will_not_reach() -> None:
    hopeless = known("pty_known", facts=hired(("accuracy", 10, 990), buyer="pty_known"))
    assert prospects(hopeless, SUBJECT, now=NOON).hires_to_met is None


counts = st.tuples(st.integers(0, 60), st.integers(0, 60)).filter(lambda c: sum(c) > 0)


@settings(max_examples=25, deadline=None)
@given(accuracy=counts, safety=counts, age=st.integers(0, 60))
def test_whatever_happened_they_come_ranked_and_the_state_stays_as_it_was(
    accuracy: tuple[int, int], safety: tuple[int, int], age: int
) -> None:
    facts = hired(("accuracy", *accuracy), ("safety", *safety), buyer="pty_known")
    state = known("pty_known", facts=facts)
    kept = replace(state, tallies=dict(state.tallies), shares=dict(state.shares))
    found = prospects(state, SUBJECT, now=NOON + days(age))
    assert state == kept
    orders = [one.order for one in found.found]
    assert orders == sorted(orders, reverse=True)
    for one in found.found:
        if one.kind in NOTHING:
            assert one.order == (0, 0)
        for dimension in one.after.dimensions.values():
            if dimension.lower_bps is not None:
                assert dimension.lower_bps <= (dimension.upper_bps or 0)
