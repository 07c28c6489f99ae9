"""Production calls that juries and people read: drawn with a known probability, weighed by it."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils.timezone import now as clock

from pacts import calls_kept, live_draws, live_hearings, live_windows, reviews, runner
from pacts.checks.judged_anchored import audited_range
from pacts.judges.prompt import Message
from pacts.judges.sampling import commitment, is_call_drawn
from pacts.models import (
    Call,
    CallContent,
    CallHearing,
    CallObservation,
    Engagement,
    Judgement,
    ReviewBatch,
    ReviewItem,
    ReviewLabel,
)
from reputation.models import Evidence
from tests import cast
from tests.pacts.judges import panel
from tests.pacts.live.hired import called, check, hire, record, report, stream_of, take, window_of

pytestmark = pytest.mark.django_db
RUBRIC = "The answer is one word in small letters and answers the question."


@pytest.fixture(autouse=True)
def _loopback_agents(settings: Any) -> None:
    settings.EGRESS_ALLOW_LOOPBACK = True
    runner.egress.cache_clear()


@pytest.fixture
def alice() -> cast.Actor:
    return cast.alice()


@pytest.fixture
def bob() -> cast.Actor:
    return cast.bob()


@pytest.fixture
def carol() -> cast.Actor:
    return cast.carol()


def read_by_people(bps: int = 10_000, **changes: Any) -> dict[str, Any]:
    params = {"rubric": RUBRIC, "review_bps": bps}
    return called("read", check="reviewed", params=params, **changes)


def anchored(carol: cast.Actor, *, heard: int, read: int, jurors: int = 1) -> dict[str, Any]:
    jury = panel.jury_of(carol, jurors=jurors, rubric=RUBRIC)
    params = {"jury": jury.digest, "rule": "majority", "review_bps": read, "call_bps": heard}
    return called("judged", check="judged_anchored", params=params)


def lenient(messages: Sequence[Message]) -> str:
    """A juror that finds everything good."""
    return panel.verdict_of("pass", str(panel.data_in(messages)["answer"]["label"]))


def hear() -> set[str]:
    return panel.hear(panel.scripted(lambda model, messages: lenient(messages)))


def strictly(item: ReviewItem) -> Any:
    answer = reviews.blinded(item).answer
    assert isinstance(answer, dict)
    return "pass" if str(answer["label"]).islower() else "fail"


def close(now: Any = None) -> int:
    moment = now or clock()
    streams = live_hearings.due(now=moment)
    return sum(live_hearings.close_hearings(stream_id=one, now=moment) for one in streams)


def test_what_people_say_of_a_call_is_an_observation_in_its_window(
    alice: cast.Actor, bob: cast.Actor, carol: cast.Actor
) -> None:
    engagement = hire(read_by_people(), alice=alice, bob=bob)
    report(alice, [record(engagement), record(engagement, output={"label": "NO"})])
    assert not CallObservation.objects.exists()
    assert close() == 0
    assert panel.label_all(carol, strictly) == 2
    assert close() == 2
    found = CallObservation.objects.order_by("place").values_list("outcome", "place", "weight")
    assert list(found) == [("pass", 1, 1.0), ("fail", 2, 1.0)]
    assert window_of(engagement, "read").units == 2
    assert close() == 0


def test_reviewers_read_calls_blind(alice: cast.Actor, bob: cast.Actor, carol: cast.Actor) -> None:
    engagement = hire(read_by_people(), alice=alice, bob=bob)
    report(alice, [record(engagement)])
    seen = reviews.blinded(reviews.queue_for(carol.user).get())
    assert (seen.question, seen.answer) == (RUBRIC, {"label": "fine"})
    told = json.dumps([seen.question, seen.task, seen.answer])
    assert not any(name in told for name in (alice.party.pk, bob.party.pk, engagement.pk))


def test_neither_side_finds_its_own_calls_nor_could_it_label_them(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    engagement = hire(read_by_people(), alice=alice, bob=bob)
    report(alice, [record(engagement)])
    item = ReviewItem.objects.get()
    for actor in (alice, bob):
        assert not reviews.queue_for(actor.user).exists()
        with pytest.raises(IntegrityError), transaction.atomic():
            ReviewLabel.objects.create(
                item=item, reviewer=actor.user, said="pass", labelled_at=clock()
            )


def test_the_draw_is_committed_to_before_a_call_is_stored_and_opened_when_none_comes_any_more(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    engagement = hire(read_by_people(bps=5_000), alice=alice, bob=bob)
    take(alice, [record(engagement) for _ in range(60)])
    told = Evidence.objects.get(kind=live_draws.COMMITTED).read()
    assert told["facts"] == {"clause": "read", "drawn_bps": 5_000, "read_bps": 10_000}
    check()
    drawn = set(CallHearing.objects.values_list("call__call_id", flat=True))
    assert 10 < len(drawn) < 50
    assert live_draws.due(now=clock()) == []
    Engagement.objects.filter(pk=engagement.pk).update(state="closed")
    close(clock() + timedelta(days=8))
    (stream,) = live_draws.due(now=clock())
    live_draws.open_seed(stream_id=stream, now=clock())
    live_draws.open_seed(stream_id=stream, now=clock())
    seed = bytes.fromhex(Evidence.objects.get(kind=live_draws.OPENED).read()["facts"]["seed"])
    assert commitment(seed) == told["digests"]["commitment"]
    again = {
        one
        for one in Call.objects.values_list("call_id", flat=True)
        if is_call_drawn(seed=seed, call_id=one.bytes, draw="heard:read", probability_bps=5_000)
    }
    assert again == drawn


@pytest.mark.django_db(transaction=True)
def test_a_jury_hears_its_share_and_people_correct_it(
    alice: cast.Actor, bob: cast.Actor, carol: cast.Actor
) -> None:
    engagement = hire(anchored(carol, heard=10_000, read=5_000), alice=alice, bob=bob)
    wrong = {"output": {"label": "NO"}}
    report(alice, [record(engagement, **(wrong if n % 4 == 0 else {})) for n in range(80)])
    assert Judgement.objects.count() == CallHearing.objects.count() == 80
    hear()
    read = panel.label_all(carol, strictly)
    assert 20 < read < 60
    assert close() == 80
    window, scale = window_of(engagement, "judged"), audited_range(0.5)
    values = CallObservation.objects.values_list("value", flat=True)
    figures = [scale.outward(value) for value in values if value is not None]
    # The jury passed every answer; z corrects it by what people said, each weighed by 1 / π.
    assert sum(figures) / 80 == pytest.approx(1 - _failed() / 0.5 / 80)
    assert window.estimate == pytest.approx(sum(figures) / 80)
    assert window.low is not None
    assert window.high is not None
    assert window.low <= 0.75 <= window.high


def _failed() -> int:
    return ReviewLabel.objects.filter(said="fail").count()


def test_the_probability_of_each_call_is_recorded_and_its_weight_follows_the_smallest_rate(
    alice: cast.Actor, bob: cast.Actor, carol: cast.Actor
) -> None:
    engagement = hire(read_by_people(), alice=alice, bob=bob)
    report(alice, [record(engagement, sample_rate=0.5), record(engagement)])
    found = CallHearing.objects.order_by("place").values_list("probability", flat=True)
    assert list(found) == [0.5, 1.0]
    panel.label_all(carol, strictly)
    close()
    weights = CallObservation.objects.order_by("place").values_list("weight", flat=True)
    assert list(weights) == [1.0, 0.5]
    assert ReviewBatch.objects.get().probability_bps == 10_000


def test_what_nobody_read_in_time_is_the_platforms_error_and_no_verdict(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    engagement = hire(read_by_people(), alice=alice, bob=bob)
    report(alice, [record(engagement)])
    until = CallHearing.objects.get().until
    assert close(until) == 0
    assert close(until + timedelta(microseconds=1)) == 1
    window = window_of(engagement, "read")
    assert (window.errors, window.units, window.status) == (1, 0, "undetermined")


def test_a_failed_or_declined_call_needs_no_reader(alice: cast.Actor, bob: cast.Actor) -> None:
    engagement = hire(read_by_people(), alice=alice, bob=bob)
    failed = record(engagement, fault="agent", output=None)
    outside = record(engagement, in_scope=False)
    digest = record(engagement, output=None, output_digest="sha256:" + "0" * 64)
    report(alice, [failed, outside, digest])
    found = CallObservation.objects.order_by("place").values_list("outcome", flat=True)
    assert list(found) == ["fail", "not_applicable", "skipped"]
    assert not CallHearing.objects.exists()


def test_contents_stay_for_whoever_reads_them_and_not_longer(
    alice: cast.Actor, bob: cast.Actor, carol: cast.Actor
) -> None:
    engagement = hire(read_by_people(), alice=alice, bob=bob)
    calls_kept.set_policy(
        engagement=engagement,
        by=alice.party,
        user=alice.user,
        keeps="digests",
        keep_days=30,
        now=clock(),
    )
    report(alice, [record(engagement)])
    later = clock() + timedelta(hours=1)
    assert calls_kept.forget_contents(now=later) == 0
    panel.label_all(carol, strictly)
    close()
    assert calls_kept.forget_contents(now=later) == 1
    assert not CallContent.objects.exists()


def test_what_was_erased_before_it_was_read_counts_for_nobody(
    alice: cast.Actor, bob: cast.Actor, carol: cast.Actor
) -> None:
    engagement = hire(read_by_people(), alice=alice, bob=bob)
    report(alice, [record(engagement)])
    calls_kept.erase_contents(
        engagement=engagement, by=alice.party, reason="requested", now=clock()
    )
    assert close() == 1
    assert (window_of(engagement, "read").nulls, reviews.queue_for(carol.user).count()) == (1, 0)


def test_a_window_waits_for_those_who_are_still_to_be_heard(
    alice: cast.Actor, bob: cast.Actor, carol: cast.Actor
) -> None:
    days: dict[str, Any] = {"window": {"kind": "days", "n": 1}}
    both = (read_by_people(**days), called("form", **days))
    engagement = hire(*both, alice=alice, bob=bob)
    report(alice, [record(engagement)])
    panel.label_all(carol, strictly)
    close()
    report(alice, [record(engagement)])
    end = window_of(engagement, "read").closes_at
    assert end is not None
    later = end + timedelta(hours=1)
    for stream in live_windows.due(now=later):
        live_windows.close_windows(stream_id=stream, now=later)
    assert window_of(engagement, "form").concluded_at is not None
    assert window_of(engagement, "read").concluded_at is None
    panel.label_all(carol, strictly)
    close(later)
    (stream,) = live_windows.due(now=later)
    live_windows.close_windows(stream_id=stream, now=later)
    window = window_of(engagement, "read")
    assert (window.units, window.concluded_at) == (2, later)


def test_an_id_made_up_by_the_caller_does_not_decide_the_draw(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    engagement = hire(read_by_people(bps=5_000), alice=alice, bob=bob)
    report(alice, [record(engagement)])
    seed = bytes(stream_of(engagement).seed)
    ids = [bytes([n]) * 16 for n in range(200)]
    draws = [
        {one for one in ids if is_call_drawn(seed=s, call_id=one, draw=d, probability_bps=5_000)}
        for s, d in ((seed, "heard:a"), (seed, "heard:b"), (b"0" * 32, "heard:a"))
    ]
    assert len({frozenset(one) for one in draws}) == 3
    assert all(60 < len(one) < 140 for one in draws)
