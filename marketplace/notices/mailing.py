"""Mails out: everything that waits for one person goes as one message, from rows, with retry.

A mail is leased, sent outside any transaction and marked. A worker that dies in between leaves
the lease to run out; the message then goes again under the same Message-ID. Each carries RFC 8058
headers: one click, without signing in, ends that topic's mails.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import formatdate
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext, ngettext

from marketplace.models import Mail, News
from marketplace.notices import saying
from marketplace.notices.choices import off_token
from marketplace.notices.topics import TOPICS
from marketplace.speech import language_of
from pacts.models import User

LEASE = timedelta(minutes=2)
PAUSES = tuple(
    timedelta(seconds=seconds) for seconds in (10, 60, 300, 1_800, 7_200, 21_600, 43_200)
)
MOST_IN_ONE = 40


@dataclass(frozen=True, slots=True)
class Waiting:
    """One person's mails, leased."""

    user: User
    mails: Sequence[Mail]


def send_due(*, now: datetime, limit: int = 50) -> int:
    """Send what waits to up to `limit` people; how many got a message."""
    sent = 0
    for _ in range(limit):
        waiting = _lease(now)
        if waiting is None:
            break
        sent += _send(waiting, now)
    return sent


def _lease(now: datetime) -> Waiting | None:
    """The person who has waited longest, with everything that waits for them."""
    with transaction.atomic():
        rows = Mail.objects.filter(due_at__lte=now, user__is_active=True)
        due = rows.select_for_update(skip_locked=True, of=("self",))
        first = due.order_by("due_at", "pk").first()
        if first is None:
            return None
        mine = due.filter(user_id=first.user_id).select_related("user", *saying.DRAWN)
        mails = list(mine.order_by("news__index", "pk")[:MOST_IN_ONE])
        ids = [one.pk for one in mails]
        for one in mails:
            one.attempts += 1
        Mail.objects.bulk_update(mails, ["attempts"])
        Mail.objects.filter(pk__in=ids).update(due_at=now + LEASE)
    return Waiting(mails[0].user, mails)


def _send(waiting: Waiting, now: datetime) -> bool:
    try:
        message_to(waiting.user, waiting.mails, now).send()
    except Exception as error:  # whatever ails the mail server, the rows wait
        _put_off(waiting.mails, f"{type(error).__name__}: {error}"[:200], now)
        return False
    ids = [one.pk for one in waiting.mails]
    Mail.objects.filter(pk__in=ids).update(due_at=None, sent_at=now, problem="")
    return True


def _put_off(mails: Sequence[Mail], problem: str, now: datetime) -> None:
    for one in mails:
        over = one.attempts > len(PAUSES)
        one.due_at = None if over else now + PAUSES[one.attempts - 1]
        one.problem = problem
    Mail.objects.bulk_update(mails, ["due_at", "problem"])


def message_to(user: User, mails: Sequence[Mail], now: datetime) -> EmailMultiAlternatives:
    """What a person is sent about these news, in the person's language; the subject is the
    gravest of them."""
    news = [one.news for one in mails]
    first = next((one for one in news if one.grave), news[0])
    links = {one.topic: _off_link(user, one.topic) for one in news}
    with translation.override(language_of(user)):
        subject, text, html = _written(news, first, links)
    named = sha256(f"{user.pk}:{[one.pk for one in mails]}".encode()).hexdigest()[:32]
    host = settings.PUBLIC_URL.partition("://")[2].partition("/")[0].partition(":")[0]
    message = EmailMultiAlternatives(
        subject=subject,
        body=text,
        to=[user.email],
        headers={
            "Message-ID": f"<{named}@{host or 'earnest'}>",
            "Date": formatdate(now.timestamp()),
            "Auto-Submitted": "auto-generated",
            "Content-Language": language_of(user),
            "List-Unsubscribe": f"<{links[first.topic]}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
    )
    message.attach_alternative(html, "text/html")
    return message


def _written(news: Sequence[News], first: News, links: dict[str, str]) -> tuple[str, str, str]:
    """Subject, text and HTML in the language of the moment."""
    more = len(news) - 1
    subject = _one_line(saying.title(first))
    if more:
        subject += ngettext(" and %(count)s more", " and %(count)s more", more) % {"count": more}
    items = [
        {
            "title": saying.title(one),
            "party": one.party.name if one.party else "",
            "address": f"{settings.PUBLIC_URL}{one.path}",
            "grave": one.grave,
        }
        for one in news
    ]
    ends = [{"topic": gettext(TOPICS[topic].title), "address": url} for topic, url in links.items()]
    said = {
        "subject": subject,
        "language": translation.get_language(),
        "items": items,
        "ends": ends,
        "choices": f"{settings.PUBLIC_URL}/notices/choices/",
    }
    html = render_to_string("notices/mail.html", said)
    return subject, _as_text(said), html


def _as_text(said: dict[str, Any]) -> str:
    lines = [
        one["title"] + (f" ({one['party']})" if one["party"] else "") + f"\n{one['address']}\n"
        for one in said["items"]
    ]
    no_more = gettext("No more mails about “%(topic)s”")
    ends = [f"{no_more % {'topic': one['topic']}}: {one['address']}" for one in said["ends"]]
    choose = f"{gettext('Everything you hear of')}: {said['choices']}"
    return "\n".join([*lines, "-- ", *ends, choose, ""])


def _off_link(user: User, topic: str) -> str:
    return f"{settings.PUBLIC_URL}/notices/off/{off_token(user=user, topic=topic)}/"


def _one_line(text: str) -> str:
    """An agent's name comes from a stranger: no header may be begun with it."""
    return " ".join(text.split())
