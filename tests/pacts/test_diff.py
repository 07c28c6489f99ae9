from typing import Any

import pytest

from pacts.diff import diff, tally, weakens
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
        ({"severity": "critical"}, "stricter"),
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


LEAK = {"mode": "Leaks an address", "clause": "accuracy"}
MAKES_UP = {"mode": "Makes up a source", "clause": "accuracy"}


@pytest.mark.parametrize(
    ("old", "new", "direction"),
    [
        ({}, {"disqualifying": [LEAK]}, "stricter"),
        ({"disqualifying": [LEAK]}, {}, "weaker"),
        ({"disqualifying": [LEAK]}, {"disqualifying": [MAKES_UP]}, "changed"),
        ({}, {"residual_risks": ["Irony"]}, "weaker"),
        ({"residual_risks": ["Irony"]}, {}, "stricter"),
        ({"residual_risks": ["a", "b"]}, {"residual_risks": ["b", "a"]}, "changed"),
        ({}, {"independence": "third_party"}, "stricter"),
        ({}, {"independence": "self"}, "weaker"),
        ({}, {"on_breach": "prorate"}, "weaker"),
        ({}, {"title": "Renamed", "summary": "Otherwise said"}, "reworded"),
        ({}, {"volume": {"calls_per_day": 9}}, "reworded"),
        ({}, {"scope": {"in": ["Anything"]}}, "changed"),
    ],
)
def test_what_a_pact_says_beside_its_clauses_goes_one_way_or_none(
    old: dict[str, Any], new: dict[str, Any], direction: str
) -> None:
    [change] = diff(old=parse(pact(**old)), new=parse(pact(**new)))
    assert (change.key, change.direction) == ("", direction)


def test_changes_are_tallied_by_direction() -> None:
    two = parse(pact(clause(promise_bps=9400), clause(key="speed")))
    found = tally(diff(old=OLD, new=two))
    assert (found["weaker"], found["added"], found["stricter"]) == (1, 1, 0)


def test_only_a_version_that_owes_no_less_inherits_unmarked() -> None:
    assert not weakens(old=OLD, new=with_clause(promise_bps=9600, title="Right"))
    assert not weakens(old=OLD, new=parse(pact(clause(), clause(key="speed"))))
    assert weakens(old=OLD, new=with_clause(promise_bps=9400))
    assert weakens(old=OLD, new=with_clause(params={"field": "other"}))
    assert weakens(old=parse(pact(clause(), clause(key="speed"))), new=OLD)
