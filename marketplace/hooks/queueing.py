"""Which hooks are told a piece of news, as rows that wait to be delivered."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction

from marketplace.models import Delivery, Hook, News
from reputation.hints import hint


def queue(
    news: Sequence[News], *, engagements: Mapping[int | None, Mapping[str, str]], now: datetime
) -> int:
    """Queue each news for the hooks of its party, in the caller's transaction; how many.

    `engagements` gives the subjects of the news by index: a hook of one engagement hears of no
    other.
    """
    hooks: dict[str, list[Hook]] = defaultdict(list)
    parties = {one.party_id for one in news if one.party_id is not None}
    for hook in Hook.objects.filter(party__in=parties, off_at=None):
        hooks[hook.party_id].append(hook)
    rows = [
        Delivery(hook=hook, news=one, message_id=one.pk, due_at=now, queued_at=now)
        for one in news
        for hook in hooks.get(one.party_id or "", ())
        if _hears(hook, one, engagements[one.index])
    ]
    Delivery.objects.bulk_create(rows)
    if rows:
        transaction.on_commit(lambda: hint("marketplace.tasks.deliver"))
    return len(rows)


def _hears(hook: Hook, news: News, subjects: Mapping[str, str]) -> bool:
    if hook.topics and news.topic not in hook.topics:
        return False
    return hook.engagement_id in (None, subjects.get("engagement"))
