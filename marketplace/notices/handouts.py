"""News handed out: who of the people they are for sees them in the app, and who gets a mail."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from marketplace.models import Mail, News, Notice
from marketplace.notices.choices import APP, MAIL, choices_of_all
from reputation.hints import hint

Told = tuple[News, Sequence[str]]  # news, and the ids of the users they are for


def hand_out(told: Sequence[Told], *, now: datetime) -> None:
    """Write the notices and mails of these news, as each of the people wants to hear of them.

    News that are not written yet are written where somebody wants them. The caller is in the
    transaction of what happened, so it is told exactly if it happened.
    """
    choices = choices_of_all({user for _, users in told for user in users})
    wanted = {
        channel: [
            (news, user)
            for news, users in told
            for user in users
            if choices[user][(news.topic, channel)]
        ]
        for channel in (APP, MAIL)
    }
    heard = {id(news) for pairs in wanted.values() for news, _ in pairs}
    News.objects.bulk_create([news for news, _ in told if news._state.adding and id(news) in heard])
    Notice.objects.bulk_create([Notice(news=news, user_id=user) for news, user in wanted[APP]])
    mails = [Mail(news=news, user_id=user, due_at=now) for news, user in wanted[MAIL]]
    Mail.objects.bulk_create(mails)
    if mails:
        transaction.on_commit(lambda: hint("marketplace.tasks.send_mails"))
