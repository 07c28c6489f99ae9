"""What was said in calls is kept as long as the buyer wants, and goes when somebody asks."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from pacts.models import CallContent, CallHearing, CallPolicy, Engagement, Party, User
from reputation import evidence
from reputation.hints import hint

LONGEST_DAYS = 365


class KeepingRefused(ValueError):
    """The policy or the erasure cannot be had; the message says why."""


def set_policy(
    *, engagement: Engagement, by: Party, user: User, keeps: str, keep_days: int, now: datetime
) -> CallPolicy:
    """From now on contents are kept like this; what is kept already goes no later than it would
    now. Raises KeepingRefused."""
    if engagement.buyer_id != by.pk:
        raise KeepingRefused("the calls are the buyer's; only the buyer says how they are kept")
    if not 1 <= keep_days <= LONGEST_DAYS:
        raise KeepingRefused(f"keep contents for 1 to {LONGEST_DAYS} days, or only digests")
    with transaction.atomic():
        policy, _ = CallPolicy.objects.update_or_create(
            engagement=engagement,
            defaults={"keeps": keeps, "keep_days": keep_days, "set_by": user, "set_at": now},
        )
        digests = keeps == CallPolicy.Keeps.DIGESTS
        until = now + timedelta(days=0 if digests else keep_days)
        _contents(engagement).filter(kept_until__gt=until).update(kept_until=until)
    return policy


def erase_contents(
    *,
    engagement: Engagement,
    by: Party,
    reason: str,
    now: datetime,
    calls: Sequence[int] | None = None,
) -> int:
    """Erase the contents of these calls, or of all; how many went. Digests, observations and
    windows stay. Calls that wait to be checked keep theirs until then, and lose them with it; what
    a jury or people were to read counts for nobody then. Raises KeepingRefused."""
    if engagement.buyer_id != by.pk:
        raise KeepingRefused("the calls are the buyer's; only the buyer erases what was said")
    with transaction.atomic():
        rows = _contents(engagement)
        if calls is not None:
            rows = rows.filter(call_id__in=calls)
        rows.filter(call__waiting__isnull=False).update(kept_until=now)
        gone, _ = rows.filter(call__waiting__isnull=True).delete()
        transaction.on_commit(lambda: hint("pacts.tasks.close_hearings"))
        evidence.append(
            kind="calls.erased",
            subjects={"engagement": engagement.pk, "party": by.pk},
            facts={"reason": reason, "contents": gone},
            at=now,
        )
    return gone


def forget_contents(*, now: datetime, limit: int = 5_000) -> int:
    """Delete contents whose time is over and that nobody waits for; how many went."""
    over = CallContent.objects.filter(kept_until__lt=now, call__waiting__isnull=True).exclude(
        Exists(CallHearing.objects.filter(call=OuterRef("pk"), closed_at=None))
    )
    ids = list(over.values_list("pk", flat=True)[:limit])
    gone, _ = CallContent.objects.filter(pk__in=ids).delete()
    return gone


def _contents(engagement: Engagement) -> QuerySet[CallContent]:
    return CallContent.objects.filter(call__stream__engagement=engagement)
