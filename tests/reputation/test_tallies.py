"""What counts, and how much."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reputation.ageing import LANDMARK, weight
from reputation.fold import State, fold
from reputation.tallies import Key, table, tallies_of
from tests.reputation.cast import AGENT, NOON, VERSION, clause, days, fact, settlement, verdict

ACCURACY = Key(AGENT, VERSION, "accuracy")


def settled(*clauses: dict[str, Any], **changes: Any) -> list[dict[str, Any]]:
    found = fact(verdict(*clauses, **changes))
    return [found, fact(settlement(found["id"]))]


def counted(facts: list[dict[str, Any]]) -> dict[Key, tuple[int, int]]:
    tallies = fold(State(), facts).tallies
    return {key: (tally.passes, tally.failures) for key, tally in tallies.items()}


def test_a_settled_verdict_counts() -> None:
    assert counted(settled(clause(48, 2))) == {ACCURACY: (48, 2)}


def test_a_verdict_that_moved_no_money_does_not_count() -> None:
    assert counted([fact(verdict(clause(48, 2)))]) == {}


def test_a_verdict_that_a_ruling_replaced_does_not_count() -> None:
    assert counted([fact(verdict(clause(48, 2))), fact(settlement(None))]) == {}


def test_an_evaluation_by_the_agents_own_side_never_counts() -> None:
    assert counted(settled(clause(500, 0), independence="self")) == {}


def test_a_verdict_that_two_settlements_name_counts_once() -> None:
    facts = settled(clause(48, 2))
    assert counted([*facts, fact(settlement(facts[0]["id"]))]) == {ACCURACY: (48, 2)}


def test_a_settlement_ahead_of_its_verdict_counts_nothing() -> None:
    assert counted(settled(clause(48, 2))[::-1]) == {}


def test_hires_of_one_version_add_up() -> None:
    assert counted(settled(clause(48, 2)) + settled(clause(10, 5))) == {ACCURACY: (58, 7)}


def test_a_new_version_starts_anew() -> None:
    facts = settled(clause(48, 2)) + settled(clause(1, 0), version="agv_bobs2")
    assert counted(facts) == {ACCURACY: (48, 2), Key(AGENT, "agv_bobs2", "accuracy"): (1, 0)}


def test_the_weakest_clause_speaks_for_its_dimension() -> None:
    facts = settled(clause(50, 0, key="a"), clause(40, 10, key="b"), clause(9, 1, key="c"))
    assert counted(facts) == {ACCURACY: (40, 10)}


def test_among_equal_rates_the_clause_with_more_units_speaks() -> None:
    assert counted(settled(clause(4, 1, key="a"), clause(40, 10, key="b"))) == {ACCURACY: (40, 10)}


def test_errors_and_nulls_cost_the_agent_nothing() -> None:
    facts = settled(clause(0, 0, errors=50), clause(30, 0, dimension="scope", nulls=20))
    assert counted(facts) == {Key(AGENT, VERSION, "scope"): (30, 0)}


def test_the_strictest_promise_is_remembered() -> None:
    facts = settled(clause(9, 0, promise_bps=9900, floor_bps=9000))
    facts += settled(clause(9, 0, promise_bps=9500, floor_bps=9400))
    tally = fold(State(), facts).tallies[ACCURACY]
    assert (tally.promise_bps, tally.floor_bps) == (9900, 9400)


def test_the_age_of_evidence_is_that_of_its_verdict() -> None:
    old = fact(verdict(clause(1, 0), at=NOON - days(3)))
    tally = fold(State(), [old, fact(settlement(old["id"], at=NOON))]).tallies[ACCURACY]
    assert tally.first_at == tally.last_at == NOON - days(3)


def test_folding_leaves_the_state_it_started_from() -> None:
    facts = settled(clause(48, 2))
    before = fold(State(), facts[:1])
    fold(before, facts[1:])
    assert list(before.unsettled) == [facts[0]["id"]]
    assert before.tallies == {}


CLAUSES = st.builds(
    clause,
    st.integers(0, 50),
    st.integers(0, 50),
    dimension=st.sampled_from(["accuracy", "scope", "latency"]),
    key=st.sampled_from("abc"),
)


@given(verdicts=st.lists(st.lists(CLAUSES, max_size=4), max_size=5), cut=st.integers(0, 10))
def test_a_log_may_be_folded_in_pieces(verdicts: list[list[dict[str, Any]]], cut: int) -> None:
    facts = [one for clauses in verdicts for one in settled(*clauses)]
    whole = fold(State(), facts)
    assert fold(fold(State(), facts[:cut]), facts[cut:]) == whole


@given(clauses=st.lists(CLAUSES, max_size=5), data=st.data())
def test_the_order_of_clauses_does_not_matter(clauses: list[dict[str, Any]], data: Any) -> None:
    mixed = data.draw(st.permutations(clauses))
    assert tallies_of(fact(verdict(*mixed))) == tallies_of(fact(verdict(*clauses)))


def test_the_table_has_one_row_per_key_in_key_order() -> None:
    facts = settled(clause(3, 0, dimension="scope"), clause(1, 1), at=LANDMARK)
    rows = json.loads(table(fold(State(), facts).tallies))
    assert [row["dimension"] for row in rows] == ["accuracy", "scope"]
    assert (rows[0]["decayed_passes"], rows[1]["decayed_passes"]) == (str(2**64), str(3 * 2**64))


# --- the weight of age --------------------------------------------------------------------------


def test_a_weight_is_the_whole_part_of_its_power_of_two() -> None:
    for hours in range(336):
        found, power = weight(LANDMARK + days(hours / 24)), 2 ** (64 * 336 + hours)
        assert found**336 <= power < (found + 1) ** 336


@pytest.mark.parametrize("at", [NOON, datetime(2038, 1, 19, 3, tzinfo=UTC)])
def test_evidence_is_worth_half_after_two_weeks(at: datetime) -> None:
    assert weight(at + days(14)) == 2 * weight(at)


def test_a_weight_never_falls_and_never_vanishes() -> None:
    dates = [LANDMARK + days(day) for day in range(-3000, 3000, 37)]
    weights = [weight(at) for at in dates]
    assert weights == sorted(weights)
    assert weights[0] == 1


def test_within_an_hour_all_evidence_weighs_the_same() -> None:
    assert weight(NOON) == weight(NOON.replace(minute=59, second=59))
