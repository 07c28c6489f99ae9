"""News that are in no log: only the people of one party hear of them, through the same channels."""

from datetime import datetime

from django.db import transaction

from marketplace.models import Mail, News, Notice
from marketplace.notices.choices import APP, MAIL, choices_of_all
from marketplace.notices.phrases import Words, in_english, kept
from pacts.models import Member
from reputation.hints import hint


def tell(
    *,
    party_id: str,
    kind: str,
    topic: str,
    words: Words,
    path: str,
    now: datetime,
    grave: bool = False,
) -> None:
    """Tell every member of a party who wants to hear of the topic.

    The caller is in the transaction of what happened, so it is told exactly if it happened.
    """
    rows = Member.objects.filter(party=party_id, user__is_active=True).order_by("pk")
    users = list(rows.values_list("user_id", flat=True))
    if not users:
        return
    news = News.objects.create(
        kind=kind,
        topic=topic,
        grave=grave,
        title=in_english(words),
        words=kept(words),
        path=path,
        told_at=now,
    )
    choices = choices_of_all(set(users))
    Notice.objects.bulk_create(
        [Notice(news=news, user_id=user) for user in users if choices[user][(topic, APP)]]
    )
    mails = [
        Mail(news=news, user_id=user, due_at=now) for user in users if choices[user][(topic, MAIL)]
    ]
    Mail.objects.bulk_create(mails)
    if mails:
        transaction.on_commit(lambda: hint("marketplace.tasks.send_mails"))
