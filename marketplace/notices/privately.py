"""News that are in no log: only the people of one party hear of them, through the same channels."""

from datetime import datetime

from marketplace.models import News
from marketplace.notices.handouts import hand_out
from marketplace.notices.phrases import Words, in_english, kept
from pacts.models import Member, Party

SOMEBODY = "Somebody"  # in the row, where a name would be; the name is drawn when it is read


def tell(
    *,
    party_id: str,
    kind: str,
    topic: str,
    words: Words,
    path: str,
    now: datetime,
    who: Party | None = None,
    grave: bool = False,
) -> None:
    """Tell every member of a party who wants to hear of the topic. `who` is `{who}` in the words.

    The caller is in the transaction of what happened, so it is told exactly if it happened.
    """
    rows = Member.objects.filter(party=party_id, user__is_active=True).order_by("pk")
    news = News(
        party_id=party_id,
        who=who,
        kind=kind,
        topic=topic,
        grave=grave,
        title=in_english(words, who=SOMEBODY),
        words=kept(words),
        path=path,
        told_at=now,
    )
    hand_out([(news, list(rows.values_list("user_id", flat=True)))], now=now)
