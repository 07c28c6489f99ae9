"""The log is told once: to the people of both sides, as each of them wants to hear it."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils.timezone import now as clock

from marketplace.models import Mail, News, NewsCursor, Notice
from marketplace.notices import choices, mailing, telling
from marketplace.notices.phrases import in_english
from marketplace.notices.topics import TOLD, TOPICS, path_of, words_of
from pacts.models import Member
from reputation.kinds import KINDS
from tests import cast
from tests.marketplace.api.programs import colleague
from tests.marketplace.consequences.lately import breach, broken_hire, critical, told
from tests.pacts.live.hired import hire
from tests.racing import in_parallel

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> cast.Actor:
    return cast.alice()


@pytest.fixture
def bob() -> cast.Actor:
    return cast.bob()


def about(user: Any, kind: str) -> list[Notice]:
    return list(telling.notices_of(user).filter(news__kind=kind))


def test_a_breach_reaches_every_member_of_both_sides_and_nobody_else(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    viewer, mallory = colleague(alice.party, Member.Role.VIEWER), cast.mallory()
    engagement = broken_hire(alice, bob)
    for actor in (alice, bob, viewer):
        (notice,) = about(actor.user, "window.breached")
        assert notice.news.title == "Doubler broke the critical clause “form” on production calls"
        assert notice.news.path == f"/engagements/{engagement.pk}/calls/"
        assert notice.news.grave
    assert telling.unread_of(mallory.user) == 0


def test_reading_the_log_again_tells_nothing_again(alice: cast.Actor, bob: cast.Actor) -> None:
    broken_hire(alice, bob)
    before = (News.objects.count(), Notice.objects.count(), Mail.objects.count())
    assert told() > 0  # what the incident itself logged
    assert told() == 0
    NewsCursor.objects.all()
    after = (News.objects.count(), Notice.objects.count(), Mail.objects.count())
    assert after[1:] == before[1:]


@pytest.mark.django_db(transaction=True)
def test_two_who_read_the_log_at_once_tell_it_once() -> None:
    alice, bob = cast.alice(), cast.bob()
    engagement = hire(critical(), alice=alice, bob=bob)
    told()
    from tests.pacts.live.hired import report, wrong

    report(alice, [wrong(engagement) for _ in range(4)])
    from reputation import sequencer

    sequencer.sequence_batch(limit=1000)
    in_parallel(4, lambda: telling.tell(now=clock()))
    assert len(about(alice.user, "window.breached")) == 1


def test_who_wants_no_notice_in_the_app_gets_none_and_still_a_mail(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    choices.choose(user=alice.user, topic="violation", channel="app", wanted=False, now=clock())
    broken_hire(alice, bob)
    assert about(alice.user, "window.breached") == []
    assert Mail.objects.filter(user=alice.user, news__kind="window.breached").exists()


def test_a_topic_or_channel_that_does_not_exist_is_refused(alice: cast.Actor) -> None:
    for topic, channel in (("weather", "app"), ("violation", "pigeon")):
        with pytest.raises(choices.ChoiceRefused):
            choices.choose(user=alice.user, topic=topic, channel=channel, wanted=True, now=clock())


def test_everything_that_waits_for_a_person_goes_as_one_mail(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    engagement = hire(critical("form"), critical("shape"), alice=alice, bob=bob)
    told()
    Mail.objects.all().delete()
    breach(alice, engagement)
    assert mailing.send_due(now=clock()) == 2
    hers = [one for one in mail.outbox if one.to == ["alice@example.org"]]
    assert len(hers) == 1
    assert hers[0].subject.endswith("and 1 more")
    assert f"/engagements/{engagement.pk}/calls/" in str(hers[0].body)
    assert mailing.send_due(now=clock()) == 0


def test_a_mail_that_could_not_be_sent_goes_later(
    alice: cast.Actor, bob: cast.Actor, settings: Any
) -> None:
    broken_hire(alice, bob)
    now = clock()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", 9, 1
    assert mailing.send_due(now=now) == 0
    waiting = Mail.objects.filter(user=alice.user)
    assert all(one.problem and one.due_at and one.due_at > now for one in waiting)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert mailing.send_due(now=now) == 0, "not before its pause is over"
    assert mailing.send_due(now=now + timedelta(seconds=11)) == 2


def test_a_mail_is_given_up_after_the_last_pause(alice: cast.Actor, bob: cast.Actor) -> None:
    broken_hire(alice, bob)
    rows = Mail.objects.filter(user=alice.user)
    rows.update(attempts=len(mailing.PAUSES) + 1)
    mailing._put_off(list(rows), "away", clock())
    assert set(rows.values_list("due_at", flat=True)) == {None}


def test_one_click_ends_the_mails_of_one_topic_without_signing_in(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    broken_hire(alice, bob)
    mailing.send_due(now=clock())
    hers = next(one for one in mail.outbox if one.to == ["alice@example.org"])
    link = hers.extra_headers["List-Unsubscribe"].strip("<>")
    assert hers.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    path = re.sub(r"^https?://[^/]+", "", link)
    stranger = Client(enforce_csrf_checks=True)
    assert stranger.get(path).status_code == 200
    assert choices.choices_of(alice.user)[("violation", "mail")], "looking at it ends nothing"
    assert stranger.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert not choices.choices_of(alice.user)[("violation", "mail")]
    assert choices.choices_of(alice.user)[("dispute", "mail")]
    assert choices.choices_of(bob.user)[("violation", "mail")]


def test_a_link_that_was_tampered_with_ends_nothing(alice: cast.Actor) -> None:
    token = choices.off_token(user=alice.user, topic="violation")
    for forged in (token[:-2] + "zz", "x", token.replace(":", ";")):
        assert Client().post(f"/notices/off/{forged}/").status_code in (404, 400, 422)
    assert choices.choices_of(alice.user)[("violation", "mail")]


def test_a_name_from_a_stranger_begins_no_header(alice: cast.Actor, bob: cast.Actor) -> None:
    version = cast.agent_of(bob, name="Eve\r\nBcc: all@example.org")
    engagement = hire(critical(), alice=alice, bob=bob, version=version)
    breach(alice, engagement)
    mailing.send_due(now=clock())
    assert all("\n" not in one.subject for one in mail.outbox)
    assert {to for one in mail.outbox for to in one.to} == {
        "alice@example.org",
        "bob@example.org",
    }


def test_reading_is_each_persons_own(alice: cast.Actor, bob: cast.Actor) -> None:
    broken_hire(alice, bob)
    first = telling.notices_of(alice.user)[0]
    assert telling.mark_read(user=bob.user, now=clock(), notices=[first.pk]) == 0
    unread = telling.unread_of(alice.user)
    assert telling.mark_read(user=alice.user, now=clock(), notices=[first.pk]) == 1
    assert telling.unread_of(alice.user) == unread - 1


@pytest.mark.parametrize("kind", sorted(TOLD))
def test_whatever_is_told_exists_and_has_words(kind: str) -> None:
    assert kind in KINDS
    one = TOLD[kind]
    assert one.topic in TOPICS
    assert in_english(words_of(one, {}, ""))
    assert path_of(one, {}) == "/evidence/" or "{" not in one.path
    one.grave({})
