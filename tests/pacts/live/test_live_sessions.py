"""Clauses that count sessions: one unit for each, once it has ended."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now as clock

from pacts import live_sessions, live_windows
from pacts.models import CallObservation, CallSession, Deliverable, Engagement, Milestone
from tests import cast
from tests.pacts.live.hired import called, check, hire, record, report, take, window_of, wrong

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> cast.Actor:
    return cast.alice()


@pytest.fixture
def engagement(alice: cast.Actor) -> Engagement:
    return hire(called(unit="session"), alice=alice, bob=cast.bob())


def said(engagement: Engagement, session: str, *, last: bool = False, **changes: Any) -> Any:
    labels = {"session": session, **({"session_end": "yes"} if last else {})}
    return record(engagement, labels=labels, **changes)


def end_idle(now: Any) -> int:
    streams = live_sessions.due(now=now)
    return sum(live_sessions.end_sessions(stream_id=one, now=now) for one in streams)


def test_a_session_is_one_unit_with_the_mean_of_its_calls(
    alice: cast.Actor, engagement: Engagement
) -> None:
    bad: dict[str, Any] = {"output": {"label": "NO 1"}}
    report(alice, [said(engagement, "a"), said(engagement, "b"), said(engagement, "a", **bad)])
    assert not CallObservation.objects.exists()
    report(alice, [said(engagement, "a", last=True), said(engagement, "b", last=True)])
    found = CallObservation.objects.order_by("place").values_list("value", "outcome", "reason")
    assert list(found) == [
        (pytest.approx(2 / 3), "pass", "2 of 3 calls of the session"),
        (1.0, "pass", "2 of 2 calls of the session"),
    ]
    assert window_of(engagement).units == 2


def test_silence_ends_a_session_and_not_a_moment_earlier(
    alice: cast.Actor, engagement: Engagement
) -> None:
    now = clock()
    report(alice, [said(engagement, "a")], now)
    assert end_idle(now + live_sessions.IDLE) == 0
    assert end_idle(now + live_sessions.IDLE + timedelta(microseconds=1)) == 1
    assert end_idle(now + timedelta(days=3)) == 0
    assert window_of(engagement).units == 1


def test_a_session_that_waits_to_be_checked_is_not_idle(
    alice: cast.Actor, engagement: Engagement
) -> None:
    now = clock()
    report(alice, [said(engagement, "a")], now)
    take(alice, [said(engagement, "a")], now + timedelta(minutes=29))
    assert end_idle(now + timedelta(minutes=31)) == 0
    check(now + timedelta(minutes=31))
    assert end_idle(now + timedelta(minutes=31)) == 0
    assert CallSession.objects.get().calls == 2


def test_whoever_comes_back_begins_another_session(
    alice: cast.Actor, engagement: Engagement
) -> None:
    report(alice, [said(engagement, "a", last=True), said(engagement, "a", last=True)])
    assert [row.calls for row in CallSession.objects.all()] == [1, 1]
    assert window_of(engagement).units == 2


def test_a_session_without_end_is_cut_after_a_day(
    alice: cast.Actor, engagement: Engagement
) -> None:
    began = clock()
    for hour in range(26):
        report(alice, [said(engagement, "a")], began + timedelta(hours=hour) * 0.99)
    assert list(CallSession.objects.values_list("calls", flat=True).order_by("pk")) == [26]
    report(alice, [said(engagement, "a")], began + timedelta(hours=26))
    assert CallSession.objects.filter(ended_at=None).count() <= 1
    assert window_of(engagement).units == 1


def test_a_call_without_a_session_is_one_of_its_own(
    alice: cast.Actor, engagement: Engagement
) -> None:
    report(alice, [record(engagement), wrong(engagement)])
    assert sorted(CallObservation.objects.values_list("outcome", flat=True)) == ["fail", "pass"]


def test_a_session_of_which_calls_were_left_out_is_skipped(
    alice: cast.Actor, engagement: Engagement
) -> None:
    report(alice, [said(engagement, "a"), said(engagement, "a", sample_rate=0.5, last=True)])
    assert CallObservation.objects.get().outcome == "skipped"
    assert window_of(engagement).units == 0


def test_the_end_of_the_engagement_ends_its_sessions_before_its_windows(
    alice: cast.Actor, engagement: Engagement
) -> None:
    report(alice, [said(engagement, "a")])
    Engagement.objects.filter(pk=engagement.pk).update(state="closed")
    assert end_idle(clock()) == 1
    for stream in live_windows.due(now=clock()):
        live_windows.close_windows(stream_id=stream, now=clock())
    window = window_of(engagement)
    assert (window.units, window.concluded_at is not None) == (1, True)


def test_clauses_about_calls_and_about_sessions_count_side_by_side(alice: cast.Actor) -> None:
    engagement = hire(called("one"), called("all", unit="session"), alice=alice, bob=cast.bob())
    report(alice, [said(engagement, "a"), said(engagement, "a", last=True)])
    assert (window_of(engagement, "one").units, window_of(engagement, "all").units) == (2, 1)


def test_a_milestones_window_closes_when_its_work_is_handed_over(alice: cast.Actor) -> None:
    engagement = hire(called(window={"kind": "milestone"}), alice=alice, bob=cast.bob())
    milestone, now = Milestone.objects.get(engagement=engagement), clock()
    Milestone.objects.filter(pk=milestone.pk).update(started_at=now)
    report(alice, [record(engagement)])
    assert live_windows.due(now=now + timedelta(days=1)) == []
    Deliverable.objects.create(
        milestone=milestone,
        number=0,
        agent_version=engagement.agent_version,
        requested_at=now,
        delivered_at=now,
    )
    (stream,) = live_windows.due(now=now)
    assert live_windows.close_windows(stream_id=stream, now=now) == 1
    assert live_windows.due(now=now) == []
    report(alice, [wrong(engagement)])
    assert (window_of(engagement).units, window_of(engagement, number=2).units) == (1, 1)
