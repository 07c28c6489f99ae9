"""Standings kept up with the log equal the log folded from its start."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reputation import queries, standings
from reputation.fold import State
from reputation.models import Standing, StandingCursor, UnsettledVerdict
from reputation.sequencer import sequence_batch
from reputation.standings import rebuild, recompute, stored, update_standings
from reputation.tallies import VersionKey, table
from tests.reputation.cast import (
    AGENT,
    NOON,
    VERSION,
    at_once,
    changed,
    clause,
    days,
    record,
    settlement,
    taskset,
    verdict,
)

pytestmark = pytest.mark.django_db


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def hire(*clauses: dict[str, Any], **changes: Any) -> None:
    (found,) = record(verdict(*clauses, **changes))
    record(settlement(found.pk))


def catch_up(limit: int = 1000) -> None:
    while sequence_batch():
        pass
    while update_standings(limit=limit):
        pass


def assert_kept_up() -> None:
    again = recompute()
    assert table(stored().tallies) == table(again.tallies)
    assert stored().unsettled.keys() == again.unsettled.keys()


CLAUSES = st.builds(
    clause,
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    dimension=st.sampled_from(["accuracy", "scope"]),
    key=st.sampled_from("ab"),
    floor_bps=st.integers(0, 10_000),
)
STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("judge"),
            st.lists(CLAUSES, max_size=3),
            st.sampled_from(["agv_1", "agv_2"]),
            st.sampled_from(["self", "platform"]),
            st.integers(0, 2000),
        ),
        st.tuples(st.just("settle"), st.integers(0, 20)),
        st.tuples(st.just("other")),
        st.tuples(st.just("sequence"), st.integers(1, 5)),
        st.tuples(st.just("update"), st.integers(1, 5)),
    ),
    max_size=25,
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
def test_kept_up_equals_folded_again_byte_for_byte(steps: list[tuple[Any, ...]]) -> None:
    with undone():
        made: list[str] = []
        for step, *details in steps:
            take(step, details, made)
            assert_kept_up()
        catch_up(limit=2)
        assert_kept_up()
        assert rebuild() == stored()


def take(step: str, details: list[Any], made: list[str]) -> None:
    if step == "judge":
        clauses, version, independence, age = details
        at = NOON - days(age / 24)
        (found,) = record(verdict(*clauses, version=version, independence=independence, at=at))
        made.append(found.pk)
    elif step == "settle":
        record(settlement(made[details[0] % len(made)] if made else None))
    elif step == "other":
        record(taskset())
    elif step == "sequence":
        sequence_batch(limit=details[0])
    else:
        update_standings(limit=details[0])


def test_an_update_that_falls_back_is_made_again_in_full() -> None:
    hire(clause(48, 2))
    sequence_batch()
    with undone():
        assert update_standings() == 2
    assert not Standing.objects.exists()
    assert update_standings() == 2
    assert update_standings() == 0
    assert Standing.objects.get().passes == 48


def test_only_what_is_in_the_log_counts() -> None:
    hire(clause(48, 2))
    assert update_standings() == 0
    assert not Standing.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_updates_that_race_count_each_verdict_once() -> None:
    for _ in range(30):
        hire(clause(3, 1))
    sequence_batch()

    def update() -> int:
        return sum(update_standings(limit=7) for _ in range(12))

    assert sum(at_once(*[update] * 3)) <= 60
    catch_up()
    assert (Standing.objects.get().passes, Standing.objects.get().verdicts) == (90, 30)
    assert StandingCursor.objects.get().next_index == 60
    assert not UnsettledVerdict.objects.exists()


def test_an_update_costs_no_more_after_a_long_history() -> None:
    def queries_of_one_hire() -> int:
        hire(clause(9, 1))
        sequence_batch()
        with CaptureQueriesContext(
            connection,
        ) as seen:
            update_standings()
        return len(seen)

    hire(clause(1, 0))
    catch_up()
    early = queries_of_one_hire()
    for _ in range(50):
        hire(clause(9, 1))
    catch_up()
    assert queries_of_one_hire() <= early


def test_a_rebuild_mends_rows_that_somebody_changed() -> None:
    hire(clause(48, 2))
    catch_up()
    Standing.objects.update(passes=10**9)
    rebuild()
    assert Standing.objects.get().passes == 48
    assert_kept_up()


def test_years_of_evidence_still_fit_exactly() -> None:
    hire(clause(10**12, 10**12), at=NOON + days(365 * 40))
    catch_up()
    assert stored() == recompute()


def test_nothing_folded_is_an_empty_state() -> None:
    assert recompute() == stored() == State()
    assert standings.rebuild() == State()


# --- what others ask ------------------------------------------------------------------------------


def test_an_agent_is_shown_by_the_version_with_the_newest_evidence() -> None:
    hire(clause(48, 2), version="agv_1", at=NOON - days(9))
    hire(clause(30, 0), version="agv_2")
    catch_up()
    shown = partial(queries.standing_of, agent_id="agt_bobs", now=NOON)
    assert shown().version_id == "agv_2"
    assert shown(version_id="agv_1").dimensions["accuracy"].passes == 48
    assert queries.versions_of(agent_id="agt_bobs") == ["agv_2", "agv_1"]


def test_a_version_without_evidence_is_new_and_has_no_number() -> None:
    shown = queries.standing_of(agent_id="agt_x", now=NOON)
    assert (shown.version_id, shown.dimensions, shown.composite.score_bps) == (None, {}, None)
    many = queries.standings_of(versions={"agv_x": "agt_x"}, now=NOON)
    assert many["agv_x"].composite.score_bps is None


def test_many_versions_are_read_in_two_queries() -> None:
    for number in range(5):
        hire(clause(48, 2), version=f"agv_{number}")
    catch_up()
    versions = {f"agv_{number}": "agt_bobs" for number in range(5)}
    with CaptureQueriesContext(connection) as seen:
        found = queries.standings_of(versions=versions, now=NOON)
    assert len(seen) == 2
    assert {one.composite.overall_bps for one in found.values()} == {9600}


def test_a_history_is_read_newest_first_page_by_page() -> None:
    made = [record(taskset("tst_mine"), taskset("tst_other"))[0].pk for _ in range(5)]
    sequence_batch(limit=8)
    page = queries.history_of(subject_id="tst_mine", limit=3)
    assert [one.evidence_id for one in page] == made[:1:-1]
    assert [one.index for one in page] == [None, 6, 4]
    rest = queries.history_of(subject_id="tst_mine", limit=3, before=page[-1].evidence_id)
    assert [one.evidence_id for one in rest] == made[1::-1]
    assert rest[0].envelope["subjects"]["taskset"] == "tst_mine"


def test_the_backlog_says_what_waits_and_for_how_long() -> None:
    record(taskset(), taskset(), taskset())
    sequence_batch(limit=1)
    found = queries.backlog(now=NOON + days(1))
    assert (found.unsequenced, found.oldest_wait, found.unscored) == (2, days(1), 1)
    catch_up()
    assert queries.backlog(now=NOON) == queries.Backlog(0, days(0), 0)


def test_a_standing_is_stale_at_once_and_met_no_more_while_its_numbers_stay() -> None:
    hire(clause(990, 10))
    catch_up()
    version = queries.versions_of(agent_id=AGENT)[0]
    before = queries.standing_of(agent_id=AGENT, version_id=version, now=NOON)
    (told,) = record(changed(at=NOON + days(1)))
    catch_up()
    assert_kept_up()
    after = queries.standing_of(agent_id=AGENT, version_id=version, now=NOON)
    assert (before.composite.status, after.composite.status) == ("met", "undetermined")
    assert before.composite.rank == after.composite.rank
    assert after.changed is not None
    assert after.changed.evidence_id == told.pk
    assert queries.scores_of(agents=[AGENT])[version].status == "undetermined"
    hire(clause(990, 10), at=NOON + days(2))
    catch_up()
    again = queries.standings_of(versions={version: AGENT}, now=NOON + days(2))[version]
    assert (again.changed, again.composite.status) == (None, "met")


def test_the_hired_version_is_folded_although_only_a_fact_names_it() -> None:
    hire(clause(99, 1))
    catch_up()
    record(changed("version.changed", version="agv_2", hired=VERSION, at=NOON + days(1)))
    catch_up()
    assert stored().records == recompute().records
    assert stored().records[VersionKey(AGENT, VERSION)].verdicts == 1
