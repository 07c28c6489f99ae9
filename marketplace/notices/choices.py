"""What a person wants to hear of, through which channel; and the link in a mail that ends it."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.core import signing

from marketplace.models import NoticeChoice
from marketplace.notices.topics import TOPICS
from pacts.models import User

SALT = "earnest.notices.off/1"
APP, MAIL = NoticeChoice.Channel.APP, NoticeChoice.Channel.MAIL

Choices = Mapping[tuple[str, str], bool]  # (topic, channel) → wanted


class ChoiceRefused(ValueError):
    """There is no such topic or channel, or the link was not made here."""


def choices_of(user: User) -> dict[tuple[str, str], bool]:
    """What a person hears of: every topic and channel, with the defaults."""
    return choices_of_all([user.pk])[user.pk]


def choices_of_all(users: Iterable[str]) -> dict[str, dict[tuple[str, str], bool]]:
    """The same for many, in one query."""
    found = {user: _defaults() for user in users}
    for row in NoticeChoice.objects.filter(user__in=found):
        if row.topic in TOPICS:
            found[row.user_id][(row.topic, row.channel)] = row.wanted
    return found


def _defaults() -> dict[tuple[str, str], bool]:
    app = {(topic, APP.value): True for topic in TOPICS}
    return app | {(topic, MAIL.value): one.mail for topic, one in TOPICS.items()}


def choose(*, user: User, topic: str, channel: str, wanted: bool, now: datetime) -> None:
    """From now on. Raises ChoiceRefused."""
    if topic not in TOPICS or channel not in NoticeChoice.Channel.values:
        raise ChoiceRefused(f"choose a topic of {', '.join(TOPICS)} and the channel app or mail")
    NoticeChoice.objects.update_or_create(
        user=user,
        topic=topic,
        channel=channel,
        defaults={"wanted": wanted, "chosen_at": now},
    )


def off_token(*, user: User, topic: str) -> str:
    """What the link in a mail carries: whoever holds it may end this topic's mails, no more."""
    return signing.dumps([user.pk, topic], salt=SALT, compress=True)


def read_off_token(token: str) -> tuple[User, str]:
    """Whose mails about what. Raises ChoiceRefused."""
    try:
        user_id, topic = signing.loads(token, salt=SALT)
    except (signing.BadSignature, ValueError, TypeError):
        raise ChoiceRefused("this link was not made here; sign in to choose your notices") from None
    user = User.objects.filter(pk=user_id).first()
    if user is None or topic not in TOPICS:
        raise ChoiceRefused("this link is about nobody who hears from us")
    return user, topic
