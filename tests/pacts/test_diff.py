from typing import Any

import pytest

from pacts.diff import diff, weakens
from pacts.terms import PactTerms, parse
from tests.pacts.pacts_of_bob import clause, pact


def with_clause(**changes: Any) -> PactTerms:
    return parse(pact(clause(**changes)))


OLD = with_clause()


@pytest.mark.parametrize(
    ("changes", "direction"),
    [
        ({"promise_bps": 9600}, "stricter"),
        ({"promise_bps": 9400}, "weaker"),
        ({"floor_bps": 8500}, "weaker"),
        ({"promise_bps": 9600, "floor_bps": 8500}, "changed"),
        ({"critical": True}, "stricter"),
        ({"consequence": "reduce"}, "weaker"),
        ({"on_undetermined": "release"}, "weaker"),
        ({"on_undetermined": "withhold"}, "stricter"),
        ({"on_undetermined": "human_review"}, "changed"),
        ({"window": {"kind": "milestone"}}, "changed"),
        ({"params": {"field": "other"}}, "changed"),
        ({"title": "Right"}, "reworded"),
        ({"title": "Right", "promise_bps": 9600}, "stricter"),
    ],
)
def test_a_changed_clause_goes_one_way_or_none(changes: dict[str, Any], direction: str) -> None:
    [change] = diff(old=OLD, new=with_clause(**changes))
    assert (change.key, change.direction) == ("accuracy", direction)
    assert set(change.fields) == set(changes)


def test_equal_pacts_differ_in_nothing() -> None:
    assert diff(old=OLD, new=with_clause()) == []
    assert not weakens(old=OLD, new=with_clause())


def test_added_and_removed_clauses_are_named() -> None:
    two = parse(pact(clause(), clause(key="speed")))
    assert [(c.key, c.direction) for c in diff(old=OLD, new=two)] == [("speed", "added")]
    assert [(c.key, c.direction) for c in diff(old=two, new=OLD)] == [("speed", "removed")]


def test_the_pact_s_own_terms_count_too() -> None:
    [change] = diff(old=OLD, new=parse(pact(on_breach="prorate")))
    assert (change.key, change.fields) == ("", {"on_breach": ("refund", "prorate")})


def test_only_a_version_that_owes_no_less_inherits_unmarked() -> None:
    assert not weakens(old=OLD, new=with_clause(promise_bps=9600, title="Right"))
    assert not weakens(old=OLD, new=parse(pact(clause(), clause(key="speed"))))
    assert weakens(old=OLD, new=with_clause(promise_bps=9400))
    assert weakens(old=OLD, new=with_clause(params={"field": "other"}))
    assert weakens(old=parse(pact(clause(), clause(key="speed"))), new=OLD)
