"""The pure decision of a control: where it fires, where it clears, what it never does."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reputation.controls import (
    ACTIONS,
    METRICS,
    Place,
    Reading,
    Surroundings,
    Terms,
    decide,
    default_recovery,
    faults,
)

BELOW = Terms(
    metric="lower_bound",
    threshold=8_000,
    recover_at=8_200,
    scope="platform",
    scope_id="",
    action="escalate",
    cadence_days=30,
)
ABOVE = replace(BELOW, metric="freshness_days", threshold=90, recover_at=80)
AROUND = Surroundings(members=None, largest_limit=500_000_000)


@pytest.mark.parametrize(
    ("terms", "value", "firing", "step"),
    [
        (BELOW, 8_000, False, "stay"),  # at the threshold it is kept
        (BELOW, 7_999, False, "fire"),
        (BELOW, 8_199, True, "stay"),
        (BELOW, 8_200, True, "clear"),
        (ABOVE, 90, False, "stay"),
        (ABOVE, 91, False, "fire"),
        (ABOVE, 81, True, "stay"),
        (ABOVE, 80, True, "clear"),
        (BELOW, None, False, "stay"),
        (BELOW, None, True, "stay"),
    ],
)
def test_it_fires_strictly_past_the_threshold_and_clears_at_the_recovery(
    terms: Terms, value: int | None, firing: bool, step: str
) -> None:
    assert decide(terms=terms, reading=Reading(value), is_firing=firing, forgiven=None) == step


def test_what_a_person_looked_at_does_not_fire_again_until_there_is_new_evidence() -> None:
    seen = Reading(7_000, "50")
    assert decide(terms=BELOW, reading=seen, is_firing=False, forgiven="50") == "stay"
    assert decide(terms=BELOW, reading=seen, is_firing=False, forgiven="49") == "fire"


@given(value=st.integers(0, 10_000), threshold=st.integers(1, 10_000), firing=st.booleans())
@settings(max_examples=200)
def test_one_value_never_both_fires_and_clears(value: int, threshold: int, firing: bool) -> None:
    terms = replace(
        BELOW, threshold=threshold, recover_at=default_recovery("lower_bound", threshold)
    )
    first = decide(terms=terms, reading=Reading(value), is_firing=firing, forgiven=None)
    after = {"fire": True, "clear": False, "stay": firing}[first]
    again = decide(terms=terms, reading=Reading(value), is_firing=after, forgiven=None)
    assert again == "stay"


@pytest.mark.parametrize("metric", sorted(METRICS))
def test_every_metric_has_a_default_recovery_that_can_be_saved(metric: str) -> None:
    shape = METRICS[metric]
    threshold = shape.most if shape.fires == "below" else shape.least
    terms = replace(
        BELOW, metric=metric, threshold=threshold, recover_at=default_recovery(metric, threshold)
    )
    assert faults(terms, AROUND) == []


@pytest.mark.parametrize("metric", sorted(METRICS))
def test_no_metric_can_be_watched_where_nothing_lies_beyond(metric: str) -> None:
    shape = METRICS[metric]
    unreachable = shape.least if shape.fires == "below" else shape.most
    terms = replace(BELOW, metric=metric, threshold=unreachable, recover_at=unreachable)
    assert any("can never fire" in one for one in faults(terms, AROUND))


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_an_action_is_told_what_it_lacks_and_what_is_not_its(action: str) -> None:
    bare = faults(replace(BELOW, action=action), AROUND)
    assert bool(bare) == (action in ("narrow", "withhold"))
    both = faults(replace(BELOW, action=action, limit=1, hold_days=1), AROUND)
    assert both


def test_a_scope_is_held_against_where_an_agent_stands() -> None:
    place = Place(agent_id="agt_1", builder_id="pty_1", category="language")
    inside = [("agent", "agt_1"), ("builder", "pty_1"), ("category", "language"), ("platform", "")]
    assert all(place.is_in(*scope) for scope in inside)
    outside = [("agent", "agt_2"), ("listing", ""), ("category", ""), ("builder", "agt_1")]
    assert not any(place.is_in(*scope) for scope in outside)
