"""Production calls come in: counted once, refused one by one, belonging to whom they concern."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.utils.timezone import now as clock

from pacts import calls, calls_checking, registry
from pacts.models import Call, CallContent, CallObservation, CallStream, WaitingCall
from reputation.models import Evidence
from tests import cast
from tests.pacts.live.hired import check, hire, record, stream_of, take, wrong
from tests.racing import in_parallel

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


def test_a_batch_becomes_calls_that_wait(alice: cast.Actor, bob: cast.Actor) -> None:
    engagement = hire(alice=alice, bob=bob)
    taken = take(alice, [record(engagement) for _ in range(3)])
    assert (taken.accepted, taken.duplicates, taken.refused) == (3, 0, [])
    assert WaitingCall.objects.count() == 3


def test_the_same_record_again_counts_once(alice: cast.Actor, bob: cast.Actor) -> None:
    engagement = hire(alice=alice, bob=bob)
    one = record(engagement)
    take(alice, [one])
    taken = take(alice, [one, one, record(engagement)])
    assert (taken.accepted, taken.duplicates) == (1, 2)
    assert Call.objects.count() == 2


def test_another_record_under_the_same_id_is_refused_and_the_rest_counts(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    engagement = hire(alice=alice, bob=bob)
    one = record(engagement)
    take(alice, [one])
    taken = take(alice, [one | {"output": {"label": "other"}}, record(engagement)])
    assert taken.accepted == 1
    assert [(each.code, each.index) for each in taken.refused] == [("conflict", 0)]


def test_two_records_under_one_id_in_one_batch_count_the_first(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    engagement = hire(alice=alice, bob=bob)
    one = record(engagement)
    taken = take(alice, [one, one | {"latency_ms": 99.0}])
    assert (taken.accepted, [each.code for each in taken.refused]) == (1, ["conflict"])


@pytest.mark.parametrize(
    "change",
    [
        {"call_id": "not-a-uuid"},
        {"sample_rate": 0},
        {"latency_ms": -1},
        {"fault": "nobody"},
        {"more": 1},
        {"started_at": "2999-01-01T00:00:00Z"},
    ],
)
def test_a_malformed_record_is_told_and_its_neighbours_count(
    alice: cast.Actor, bob: cast.Actor, change: dict[str, Any]
) -> None:
    engagement = hire(alice=alice, bob=bob)
    taken = take(alice, [record(engagement, **change), record(engagement)])
    assert taken.accepted == 1
    assert [each.code for each in taken.refused] == ["malformed"]


def test_a_foreign_engagement_is_refused_as_an_absent_one(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    engagement, mallory = hire(alice=alice, bob=bob), cast.mallory()
    foreign = take(mallory, [record(engagement)]).refused[0]
    absent = take(mallory, [record("eng_0190f3c2a1b27c3d8e4f5a6b7c8d9e0f")]).refused[0]
    assert (foreign.code, foreign.problem) == (absent.code, absent.problem)
    assert not Call.objects.exists()


def test_a_key_of_one_engagement_reports_on_no_other(alice: cast.Actor, bob: cast.Actor) -> None:
    first = hire(alice=alice, bob=bob)
    second = hire(alice=alice, bob=bob, version=first.agent_version)
    taken = take(alice, [record(second)], engagement=first.pk)
    assert [each.code for each in taken.refused] == ["unknown"]


def test_an_agent_version_alone_suffices_where_it_names_one_engagement(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    engagement = hire(alice=alice, bob=bob)
    one = record(engagement) | {"agent_version": engagement.agent_version_id}
    del one["engagement"]
    assert take(alice, [one]).accepted == 1
    hire(alice=alice, bob=bob, version=engagement.agent_version)
    again = record(engagement) | {"agent_version": engagement.agent_version_id}
    del again["engagement"]
    assert "name the engagement" in take(alice, [again]).refused[0].problem


def test_both_sides_may_report_and_their_words_stay_apart(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    engagement = hire(alice=alice, bob=bob)
    one = record(engagement)
    take(alice, [one])
    take(bob, [one])
    found = CallStream.objects.values_list("independence", "reporter")
    assert set(found) == {("buyer", alice.party.pk), ("self", bob.party.pk)}


def test_a_version_that_was_not_hired_is_logged_at_once(alice: cast.Actor, bob: cast.Actor) -> None:
    engagement = hire(alice=alice, bob=bob)
    hired = engagement.agent_version
    other = registry.add_version(
        agent=hired.agent,
        endpoint=hired.endpoint + "/next",
        protocol=hired.protocol,
        declared={},
        max_concurrency=4,
        deadline_ms=1000,
        now=clock(),
    )
    take(alice, [record(engagement, agent_version=other.pk)])
    assert Evidence.objects.filter(kind="version.changed").count() == 1


@pytest.mark.django_db(transaction=True)
def test_what_races_for_one_id_counts_once(alice: cast.Actor, bob: cast.Actor) -> None:
    engagement = hire(alice=alice, bob=bob)
    records = [record(engagement) for _ in range(50)]
    found = in_parallel(4, lambda: take(alice, records))
    assert sum(each.accepted for each in found) == 50
    assert sum(each.duplicates for each in found) == 150
    assert not any(each.refused for each in found)


@pytest.mark.django_db(transaction=True)
def test_workers_that_race_check_every_call_once(alice: cast.Actor, bob: cast.Actor) -> None:
    engagement = hire(alice=alice, bob=bob)
    take(alice, [record(engagement) for _ in range(60)])
    in_parallel(4, lambda: calls_checking.check_calls(now=clock(), limit=15))
    check()
    places = sorted(CallObservation.objects.values_list("place", flat=True))
    assert places == list(range(1, 61))
    assert not WaitingCall.objects.exists()
    assert stream_of(engagement).counted == 60


def test_a_call_is_never_edited(alice: cast.Actor, bob: cast.Actor) -> None:
    take(alice, [record(hire(alice=alice, bob=bob))])
    with pytest.raises(IntegrityError), connection.cursor() as cursor:
        cursor.execute("UPDATE pacts_call SET latency_us = 1")


def test_contents_stay_for_thirty_days_unless_the_buyer_says_otherwise(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    now = clock()
    take(alice, [record(hire(alice=alice, bob=bob))], now)
    assert CallContent.objects.get().kept_until == now + timedelta(days=30)


def test_a_wrong_answer_fails_its_clause(alice: cast.Actor, bob: cast.Actor) -> None:
    engagement = hire(alice=alice, bob=bob)
    take(alice, [record(engagement), wrong(engagement)])
    check()
    assert list(CallObservation.objects.order_by("place").values_list("outcome", "value")) == [
        ("pass", 1.0),
        ("fail", 0.0),
    ]


def test_a_call_ahead_of_the_clock_by_minutes_still_counts(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    engagement, now = hire(alice=alice, bob=bob), clock()
    early = (now + calls.AHEAD).isoformat().replace("+00:00", "Z")
    late = (now + calls.AHEAD + timedelta(seconds=1)).isoformat().replace("+00:00", "Z")
    taken = take(
        alice, [record(engagement, started_at=early), record(engagement, started_at=late)], now
    )
    assert (taken.accepted, len(taken.refused)) == (1, 1)
