"""Webhooks out: signed, repeated until they arrive, and never a way into the house."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now as clock

from marketplace.hooks import delivering, keeping
from marketplace.hooks.messages import key_of
from marketplace.models import Delivery, DeliveryAttempt, Hook, News
from pacts.egress import EgressRefused
from settlement.rails.rail import WebhookRefused
from settlement.rails.signing import verify
from tests import cast
from tests.marketplace.consequences.lately import (
    Receiver,
    breach,
    broken_hire,
    critical,
    deliver,
    loopback,
    receiver,
    told,
)
from tests.pacts.live.hired import hire
from tests.pacts.strangers import drips, hangs, http, says, stranger

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _loopback(settings: Any) -> None:
    settings.EGRESS_ALLOW_LOOPBACK = True


@pytest.fixture
def alice() -> cast.Actor:
    return cast.alice()


@pytest.fixture
def program() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


def hook_of(actor: cast.Actor, url: str, **more: Any) -> keeping.MadeHook:
    return keeping.make_hook(party=actor.party, by=actor.user, url=url, now=clock(), **more)


def state_of(hook: Hook) -> tuple[str, int]:
    one = Delivery.objects.filter(hook=hook).latest("id")
    return one.state, one.attempts


def test_a_breach_arrives_signed_and_says_what_the_log_says(
    alice: cast.Actor, program: Receiver
) -> None:
    made = hook_of(alice, program.url, topics=["violation"])
    engagement = broken_hire(alice, cast.bob())
    assert deliver() == 1
    headers, body = program.got[0]
    news = News.objects.get(party=alice.party, kind="window.breached")
    assert verify(keys=[key_of(made.secret)], headers=headers, body=body, now=clock()) == news.pk
    said = program.said()
    assert (said["type"], said["index"]) == ("window.breached", news.index)
    assert said["data"]["evidence"]["subjects"]["engagement"] == engagement.pk
    assert said["data"]["grave"] is True
    assert state_of(made.hook) == ("delivered", 1)
    assert deliver() == 0


def test_a_hook_hears_its_topics_and_its_engagement_alone(
    alice: cast.Actor, program: Receiver
) -> None:
    bob = cast.bob()
    one = hire(critical(), alice=alice, bob=bob)
    other = hire(critical(), alice=alice, bob=bob, version=cast.agent_of(bob, name="Other"))
    told()
    hook_of(alice, program.url, engagement=one, topics=["violation"])
    breach(alice, other)
    assert deliver() == 0
    breach(alice, one)
    assert deliver() == 1


def test_an_old_delivery_sent_again_or_another_body_is_refused_by_the_receiver(
    alice: cast.Actor, program: Receiver
) -> None:
    made = hook_of(alice, program.url)
    keeping.try_hook(hook=made.hook, now=clock())
    deliver()
    (headers, body), keys = program.got[0], [key_of(made.secret)]
    verify(keys=keys, headers=headers, body=body, now=clock())
    with pytest.raises(WebhookRefused):
        verify(keys=keys, headers=headers, body=body, now=clock() + timedelta(minutes=6))
    with pytest.raises(WebhookRefused):
        verify(keys=keys, headers=headers, body=body + b" ", now=clock())


def test_while_a_secret_is_changed_both_signatures_stand_and_then_only_the_new_one(
    alice: cast.Actor, program: Receiver
) -> None:
    old = hook_of(alice, program.url)
    new = keeping.rotate_secret(hook=old.hook, now=clock())
    keeping.try_hook(hook=old.hook, now=clock())
    deliver()
    headers, body = program.got[0]
    for secret in (old.secret, new.secret):
        verify(keys=[key_of(secret)], headers=headers, body=body, now=clock())
    later = clock() + keeping.BOTH_VALID_FOR + timedelta(seconds=1)
    assert keeping.secrets_of(old.hook, now=later) == [new.secret]


def test_what_does_not_arrive_is_sent_again_later_under_the_same_id(alice: cast.Actor) -> None:
    now = clock()
    with receiver(lambda n: (500, {}, b"") if n < 3 else (200, {}, b"")) as program:
        made = hook_of(alice, program.url)
        keeping.try_hook(hook=made.hook, now=now)
        deliver(now)
        assert deliver(now) == 0, "not at once"
        deliver(now + timedelta(seconds=6))
        deliver(now + timedelta(seconds=37))
        assert state_of(made.hook) == ("delivered", 3)
        assert len({headers["webhook-id"] for headers, _ in program.got}) == 1
    statuses = DeliveryAttempt.objects.values_list("status", flat=True)
    assert sorted(one or 0 for one in statuses) == [200, 500, 500]


def test_a_receiver_may_ask_for_a_longer_pause_within_an_hour(alice: cast.Actor) -> None:
    now = clock()
    for asked, wait in (("120", 120), ("999999", 3600), ("soon", 5)):
        with receiver(lambda n, asked=asked: (429, {"Retry-After": asked}, b"")) as program:  # type: ignore[misc]
            made = hook_of(alice, program.url)
            keeping.try_hook(hook=made.hook, now=now)
            deliver(now)
            due = Delivery.objects.filter(hook=made.hook).latest("id").due_at
            assert due == now + timedelta(seconds=wait)


def test_gone_ends_a_hook_at_once_and_its_party_is_told(alice: cast.Actor) -> None:
    with receiver(lambda n: (410, {}, b"")) as program:
        made = hook_of(alice, program.url)
        keeping.try_hook(hook=made.hook, now=clock())
        keeping.try_hook(hook=made.hook, now=clock())
        deliver()
    made.hook.refresh_from_db()
    assert made.hook.off_because == "gone"
    assert not Delivery.objects.filter(state="waiting").exists()
    with pytest.raises(keeping.HookIsOff):
        keeping.try_hook(hook=made.hook, now=clock())
    told()
    assert News.objects.filter(party=alice.party, kind="hook.disabled").count() == 1


def test_a_hook_that_answers_nothing_for_days_is_switched_off(alice: cast.Actor) -> None:
    now = clock()
    with receiver(lambda n: (503, {}, b"")) as program:
        made = hook_of(alice, program.url)
        keeping.try_hook(hook=made.hook, now=now)
        deliver(now)
        Delivery.objects.update(due_at=now)
        deliver(now + timedelta(days=5, seconds=1))
    made.hook.refresh_from_db()
    assert made.hook.off_because == "failing"


def test_a_delivery_is_given_up_after_its_last_try(alice: cast.Actor) -> None:
    with receiver(lambda n: (500, {}, b"")) as program:
        made = hook_of(alice, program.url)
        keeping.try_hook(hook=made.hook, now=clock())
        Delivery.objects.update(attempts=len(delivering.PAUSES))
        deliver()
    assert state_of(made.hook) == ("given_up", len(delivering.PAUSES) + 1)


@pytest.mark.parametrize(
    ("script", "says_"),
    [
        (says(http(b"", status="302 Found", headers="Location: http://127.0.0.1:1/\r\n")), "302"),
        (says(http(b"x" * 100_000)), "too large"),
        (drips(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"), "deadline"),
        (hangs, "deadline"),
        (says(b"nonsense\r\n\r\n"), "not HTTP"),
    ],
)
def test_a_receiver_that_redirects_drips_or_floods_has_received_nothing(
    alice: cast.Actor, script: Any, says_: str
) -> None:
    with stranger(script) as server:
        made = hook_of(alice, server.url)
        keeping.try_hook(hook=made.hook, now=clock())
        deliver(seconds=0.3)
        assert server.connections == 1
    assert state_of(made.hook) == ("waiting", 1)
    assert says_ in DeliveryAttempt.objects.get().problem


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://10.0.0.7/",
        "https://[::ffff:127.0.0.1]/",
        "https://localhost/",
    ],
)
def test_no_hook_reaches_into_the_house(alice: cast.Actor, settings: Any, url: str) -> None:
    settings.EGRESS_ALLOW_LOOPBACK = False
    delivering.way_out.cache_clear()
    try:
        made = hook_of(alice, url)
    except (keeping.HookRefused, EgressRefused):
        return
    keeping.try_hook(hook=made.hook, now=clock())
    delivering.deliver_due(egress=delivering.way_out(), now=clock())
    delivering.way_out.cache_clear()
    tried = DeliveryAttempt.objects.get()
    assert tried.status is None
    assert tried.problem


@pytest.mark.parametrize("url", ["", "ftp://a.example/", "https://u:p@a.example/", "//a.example"])
def test_an_address_nobody_may_call_is_no_hook(alice: cast.Actor, url: str) -> None:
    with pytest.raises((keeping.HookRefused, EgressRefused)):
        hook_of(alice, url)


def test_in_production_a_hook_is_told_over_https_only(alice: cast.Actor, settings: Any) -> None:
    settings.EGRESS_ALLOW_LOOPBACK = False
    with pytest.raises(keeping.HookRefused, match="https"):
        hook_of(alice, "http://receiver.example/")


def test_a_slow_receiver_holds_up_nobody_else(alice: cast.Actor) -> None:
    bob = cast.bob()
    with stranger(hangs) as slow, receiver() as quick:
        stuck, fine = hook_of(alice, slow.url), hook_of(bob, quick.url)
        for _ in range(10):
            keeping.try_hook(hook=stuck.hook, now=clock())
        keeping.try_hook(hook=fine.hook, now=clock())
        deliver(seconds=0.3)
        assert state_of(fine.hook) == ("delivered", 1)


def test_a_worker_that_dies_with_a_delivery_leaves_it_to_the_next(
    alice: cast.Actor, program: Receiver
) -> None:
    now = clock()
    made = hook_of(alice, program.url)
    keeping.try_hook(hook=made.hook, now=now)
    assert len(delivering._lease(now)) == 1  # and nothing more is heard of that worker
    assert deliver(now) == 0
    assert deliver(now + delivering.LEASE) == 1
    assert state_of(made.hook) == ("delivered", 2)


def test_a_message_repeated_keeps_its_id(alice: cast.Actor, program: Receiver) -> None:
    made = hook_of(alice, program.url)
    first = keeping.try_hook(hook=made.hook, now=clock())
    deliver()
    keeping.repeat(delivery=first, now=clock())
    deliver()
    assert [headers["webhook-id"] for headers, _ in program.got] == [first.message_id] * 2


def test_a_party_has_so_many_hooks_and_no_more(alice: cast.Actor) -> None:
    for _ in range(keeping.MOST_HOOKS):
        hook_of(alice, "https://receiver.example/")
    with pytest.raises(keeping.HookRefused, match="at most"):
        hook_of(alice, "https://receiver.example/")


def test_a_secret_is_sealed_in_its_row(alice: cast.Actor) -> None:
    from django.db import connection

    made = hook_of(alice, "https://receiver.example/")
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM marketplace_hooksecret")
        assert made.secret not in cursor.fetchone()[0]


def test_the_egress_of_hooks_is_the_one_way_out(alice: cast.Actor) -> None:
    assert loopback().policy.max_wire_bytes
    assert delivering.way_out().policy.max_decoded_bytes == 64 * 1024
