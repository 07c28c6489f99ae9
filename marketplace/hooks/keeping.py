"""Hooks made, given new secrets and ended by the party they belong to."""

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet

from marketplace.hooks.messages import SECRET_PREFIX
from marketplace.models import Delivery, Hook, HookSecret
from marketplace.notices.topics import TOPICS
from pacts.egress import parse_url
from pacts.models import Engagement, Party, User
from reputation import evidence
from reputation.hints import hint
from reputation.identifiers import new_id

MOST_HOOKS = 20
BOTH_VALID_FOR = timedelta(hours=24)  # an old secret and the new one, while receivers change


class HookRefused(ValueError):
    """The hook cannot be had like this; the message says what to change."""


class HookIsOff(Exception):
    """Nothing is sent to this hook any more; make a new one."""


@dataclass(frozen=True, slots=True)
class MadeHook:
    """A hook and, this once, its secret in clear."""

    hook: Hook
    secret: str


def make_hook(
    *,
    party: Party,
    by: User,
    url: str,
    topics: Sequence[str] = (),
    engagement: Engagement | None = None,
    now: datetime,
) -> MadeHook:
    """Tell this address what happens, from now on. Raises HookRefused, EgressRefused."""
    parsed = parse_url(url)
    if parsed.scheme != "https" and not settings.EGRESS_ALLOW_LOOPBACK:
        raise HookRefused("what is told is private: give an https:// address")
    unknown = sorted(set(topics) - set(TOPICS))
    if unknown:
        raise HookRefused(f"there is no topic {unknown[0]!r}; choose of {', '.join(TOPICS)}")
    with transaction.atomic():
        Party.objects.select_for_update(no_key=True).get(pk=party.pk)
        if Hook.objects.filter(party=party, off_at=None).count() >= MOST_HOOKS:
            raise HookRefused(f"a party has at most {MOST_HOOKS} hooks; end one first")
        hook = Hook.objects.create(
            party=party,
            url=url,
            topics=sorted(set(topics)),
            engagement=engagement,
            made_by=by,
            made_at=now,
        )
        return MadeHook(hook, _new_secret(hook, now))


def rotate_secret(*, hook: Hook, now: datetime) -> MadeHook:
    """A new secret; for a day deliveries carry both signatures, then only the new one's.

    Raises HookIsOff.
    """
    _refuse_off(hook)
    with transaction.atomic():
        Hook.objects.select_for_update(no_key=True).get(pk=hook.pk)
        secret = _new_secret(hook, now)
        newest = HookSecret.objects.filter(hook=hook).order_by("-pk")[0]
        older = HookSecret.objects.filter(hook=hook, retires_at=None).exclude(pk=newest.pk)
        older.update(retires_at=now + BOTH_VALID_FOR)
    return MadeHook(hook, secret)


def secrets_of(hook: Hook, *, now: datetime) -> list[str]:
    """The secrets in force, the newest first."""
    rows = HookSecret.objects.filter(Q(retires_at=None) | Q(retires_at__gte=now), hook=hook)
    return [one.secret for one in rows.order_by("-pk")]


def end_hook(*, hook: Hook, because: str, now: datetime) -> bool:
    """Nothing is sent to it any more; whether it was still on. What waited for it has ended."""
    with transaction.atomic():
        ended = Hook.objects.filter(pk=hook.pk, off_at=None).update(off_at=now, off_because=because)
        if not ended:
            return False
        Delivery.objects.filter(hook=hook, state=Delivery.State.WAITING).update(
            state=Delivery.State.GIVEN_UP, due_at=None, ended_at=now
        )
        if because != Hook.Off.BY_PARTY:
            evidence.append(
                kind="hook.disabled",
                subjects={"hook": hook.pk, "party": hook.party_id},
                facts={"reason": because},
                at=now,
            )
    hook.refresh_from_db()
    return True


def try_hook(*, hook: Hook, now: datetime) -> Delivery:
    """Send it a test message. Raises HookIsOff."""
    _refuse_off(hook)
    return _queue_again(hook, None, new_id("nws"), now)


def repeat(*, delivery: Delivery, now: datetime) -> Delivery:
    """Send the same message again, under its own id, so that a receiver may count it once.

    Raises HookIsOff.
    """
    _refuse_off(delivery.hook)
    return _queue_again(delivery.hook, delivery.news_id, delivery.message_id, now)


def hooks_of(party: Party | str) -> QuerySet[Hook]:
    """A party's hooks, those that are on first."""
    rows = Hook.objects.filter(party=party)
    return rows.order_by(F("off_at").asc(nulls_first=True), "-pk")


def _queue_again(hook: Hook, news_id: str | None, message_id: str, now: datetime) -> Delivery:
    with transaction.atomic():
        made = Delivery.objects.create(
            hook=hook, news_id=news_id, message_id=message_id, due_at=now, queued_at=now
        )
        transaction.on_commit(lambda: hint("marketplace.tasks.deliver"))
    return made


def _new_secret(hook: Hook, now: datetime) -> str:
    secret = SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()
    HookSecret.objects.create(hook=hook, secret=secret, made_at=now)
    return secret


def _refuse_off(hook: Hook) -> None:
    if hook.off_at is not None:
        raise HookIsOff("this webhook is off; make a new one")
