"""Windows as rows: latched in order, closed on time, logged, fed by one worker at a time."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError
from django.utils.timezone import now as clock

from pacts import live_windows
from pacts.models import CallObservation, ClauseWindow, DriftAlarm, Engagement
from reputation.models import Evidence
from tests import cast
from tests.pacts.live.hired import called, check, hire, record, report, take, window_of, wrong

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> cast.Actor:
    return cast.alice()


@pytest.fixture
def bob() -> cast.Actor:
    return cast.bob()


@pytest.fixture(autouse=True)
def _loopback_agents(settings: Any) -> None:
    settings.EGRESS_ALLOW_LOOPBACK = True


def test_a_breach_latches_at_once_and_is_evidence(alice: cast.Actor, bob: cast.Actor) -> None:
    engagement = hire(alice=alice, bob=bob)
    report(alice, [wrong(engagement) for _ in range(3)])
    window = window_of(engagement)
    assert (window.status, window.breached_at) == ("breached", 3)
    logged = Evidence.objects.get(kind="window.breached")
    assert logged.pk == window.breach_evidence
    report(alice, [record(engagement) for _ in range(60)])
    assert window_of(engagement).status == "breached"
    assert Evidence.objects.filter(kind="window.breached").count() == 1


def test_a_window_of_calls_closes_with_its_last_and_the_next_starts_afresh(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    engagement = hire(alice=alice, bob=bob)
    report(alice, [record(engagement) for _ in range(401)])
    first, second = window_of(engagement), window_of(engagement, number=2)
    assert (first.status, first.units, second.units) == ("met", 400, 1)
    facts = Evidence.objects.get(kind="window.concluded").read()["facts"]
    assert (facts["calls"], facts["clauses"][0]["outcome"]) == (400, "met")
    with pytest.raises(DatabaseError):
        ClauseWindow.objects.filter(pk=first.pk).update(status="breached")


def test_a_window_of_days_waits_for_calls_that_came_before_its_end(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    terms = called(window={"kind": "days", "n": 1})
    engagement = hire(terms, alice=alice, bob=bob)
    report(alice, [record(engagement)])
    end = window_of(engagement).closes_at
    assert end is not None
    take(alice, [record(engagement)], end - timedelta(microseconds=1))
    assert live_windows.due(now=end + timedelta(hours=1)) == []
    check(end)
    assert live_windows.due(now=end) == []
    (stream,) = live_windows.due(now=end + timedelta(microseconds=1))
    later = end + timedelta(microseconds=1)
    assert live_windows.close_windows(stream_id=stream, now=later) == 1
    assert window_of(engagement).units == 2
    assert live_windows.due(now=later) == []


def test_an_engagement_that_is_over_closes_its_windows(alice: cast.Actor, bob: cast.Actor) -> None:
    engagement = hire(alice=alice, bob=bob)
    report(alice, [record(engagement)])
    Engagement.objects.filter(pk=engagement.pk).update(state="closed")
    for stream in live_windows.due(now=clock()):
        live_windows.close_windows(stream_id=stream, now=clock())
    assert window_of(engagement).concluded_at is not None


def test_counts_are_what_the_observations_sum_to(alice: cast.Actor, bob: cast.Actor) -> None:
    engagement = hire(alice=alice, bob=bob)
    calls = [wrong(engagement) if n % 9 == 0 else record(engagement) for n in range(40)]
    report(alice, calls[:25])
    report(alice, calls[25:])
    seen = CallObservation.objects.order_by("place").values_list("place", "outcome")
    assert [place for place, _ in seen] == list(range(1, 41))
    window = window_of(engagement)
    assert window.plain_failures == sum(outcome == "fail" for _, outcome in seen)
    assert window.plain_passes == sum(outcome == "pass" for _, outcome in seen)


def test_latency_by_the_guards_clock_counts_only_where_the_pact_names_it(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    ours = called("ours", check="latency", params={"limit_ms": 100})
    theirs = called("theirs", check="latency", params={"limit_ms": 100, "clock": "guard"})
    engagement = hire(ours, theirs, alice=alice, bob=bob)
    report(alice, [record(engagement, latency_ms=250.0)])
    found = dict(CallObservation.objects.values_list("clause", "outcome"))
    assert found == {"ours": "skipped", "theirs": "fail"}


def test_the_platforms_own_clock_counts_everywhere(alice: cast.Actor, bob: cast.Actor) -> None:
    ours = called("ours", check="latency", params={"limit_ms": 100})
    theirs = called("theirs", check="latency", params={"limit_ms": 100, "clock": "guard"})
    engagement = hire(ours, theirs, alice=alice, bob=bob)
    take(alice, [record(engagement)], clock="platform", independence="platform")
    check()
    assert set(CallObservation.objects.values_list("outcome", flat=True)) == {"pass"}


def test_a_fault_of_the_platform_is_charged_to_nobody(alice: cast.Actor, bob: cast.Actor) -> None:
    engagement = hire(alice=alice, bob=bob)
    report(alice, [record(engagement, fault="platform", output=None)])
    report(alice, [record(engagement, fault="agent", output=None)])
    window = window_of(engagement)
    assert (window.nulls, window.plain_failures, window.units) == (1, 1, 1)


def test_digests_alone_leave_contents_unjudged_unless_the_guard_checked(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    available = called("there", check="availability", params={})
    engagement = hire(available, called(), alice=alice, bob=bob)
    digest = {"output": None, "output_digest": "sha256:" + "0" * 64}
    local = [{"clause": "form", "check": "regex", "outcome": "fail"}]
    report(alice, [record(engagement, **digest), record(engagement, checks=local, **digest)])
    found = CallObservation.objects.order_by("place").values_list("clause", "outcome")
    assert [outcome for clause, outcome in found if clause == "form"] == ["skipped", "fail"]
    assert {outcome for clause, outcome in found if clause == "there"} == {"pass"}


def test_a_lower_rate_is_remembered_and_weighs_what_follows(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    engagement = hire(alice=alice, bob=bob)
    report(alice, [record(engagement), record(engagement, sample_rate=0.5), record(engagement)])
    weights = CallObservation.objects.order_by("place").values_list("weight", flat=True)
    assert list(weights) == [1.0, 0.0, 0.5]
    assert window_of(engagement).stream.least_rate == 0.5


def test_another_model_is_logged_at_once_and_told_apart_from_the_first(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    engagement = hire(alice=alice, bob=bob)
    report(alice, [record(engagement, model={"name": "m-1", "fingerprint": "fp-1"})] * 1)
    assert not DriftAlarm.objects.exists()
    report(alice, [record(engagement, model={"name": "m-1", "fingerprint": "fp-2"})])
    assert DriftAlarm.objects.get().what == "model"
    assert Evidence.objects.filter(kind="model.changed").count() == 1


def test_outcomes_that_fall_raise_an_alarm_that_is_evidence(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    engagement = hire(alice=alice, bob=bob)
    report(alice, [wrong(engagement) for _ in range(8)])
    assert DriftAlarm.objects.filter(what="outcome", level="act").exists()
    assert Evidence.objects.filter(kind="drift.found").count() == DriftAlarm.objects.count()
