"""What settlement does to the engagement around its escrows: sign what can be funded, close it, or
let the unfunded lapse.

An engagement's row is locked after escrows and before accounts. Funding waits for it, so a
milestone is either funded or ended, never both.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import (
    DateTimeField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Value,
)

from pacts import engagements, negotiations
from pacts.models import Engagement, Milestone, Party, Proposal, User
from settlement import limits, records
from settlement.models import FINAL, Escrow
from settlement.retries import retried

_OPEN = [Escrow.State.HELD, Escrow.State.WITHHELD, Escrow.State.FROZEN]


def sign(
    *, engagement: Engagement, party: Party, by: User | None, authority: str, now: datetime
) -> Engagement:
    """Sign for one side, unless the agent may not carry what would be held on it.

    Raises ExposureExceeded, and as `pacts.engagements.sign_engagement`.
    """
    if engagement.state == Engagement.State.PROPOSED:
        limits.refuse_unbearable(engagement=engagement, now=now)
    return engagements.sign_engagement(
        engagement=engagement, party=party, by=by, authority=authority, now=now
    )


@retried
def agree(
    *, proposal: Proposal, party: Party, by: User, authority: str, now: datetime
) -> Engagement:
    """Accept the other side's offer: both sign its digest, and it is in force.

    Whoever offered signs by the offer itself, which stood until now. Raises ExposureExceeded and as
    `pacts.negotiations.accept`; then nothing is signed and the offer stands.
    """
    with transaction.atomic():
        engagement = negotiations.accept(
            proposal=proposal, party=party, by=by, authority=authority, now=now
        )
        offer = engagement.proposal
        sign(engagement=engagement, party=offer.party, by=offer.by, authority=offer.pk, now=now)
        return sign(engagement=engagement, party=party, by=by, authority=authority, now=now)


def locked(engagement_ids: Iterable[str]) -> list[str]:
    """Lock those that are in force, in one order; the caller is in a transaction."""
    rows = Engagement.objects.select_for_update(no_key=True).filter(
        pk__in=set(engagement_ids), state=Engagement.State.ACTIVE
    )
    return list(rows.order_by("pk").values_list("pk", flat=True))


def close_finished(engagement_ids: list[str], *, now: datetime) -> None:
    """Close each whose every milestone has its outcome; the others get a new time to fund in.

    The caller holds their locks, so of two last outcomes at once the later one closes.
    """
    rows = Engagement.objects.filter(pk__in=engagement_ids)
    closed = rows.filter(~Exists(_unfinished())).update(
        state=Engagement.State.CLOSED, closed_at=now
    )
    if closed < len(engagement_ids):
        period = ExpressionWrapper(
            Value(now) + F("funding_seconds") * Value(timedelta(seconds=1)),
            output_field=DateTimeField(),
        )
        rows.filter(state=Engagement.State.ACTIVE).update(fund_by_at=period)


def _unfinished() -> QuerySet[Milestone]:
    return Milestone.objects.filter(
        Q(escrow=None) | ~Q(escrow__state__in=FINAL),
        engagement=OuterRef("pk"),
        cancelled_at=None,
    )


def end_unfunded(engagement: Engagement, *, state: Engagement.State, now: datetime) -> int:
    """End every milestone that was never funded; returns how many.

    The engagement, whose lock the caller holds, gets `state` if none was ever funded, and is
    closed if every one that was has its outcome.
    """
    ended = engagement.milestones.filter(started_at=None, cancelled_at=None).update(
        cancelled_at=now
    )
    if engagement.milestones.exclude(started_at=None).exists():
        close_finished([engagement.pk], now=now)
    else:
        Engagement.objects.filter(pk=engagement.pk).update(state=state, closed_at=now)
    return ended


def lapse_unfunded(*, now: datetime, limit: int = 500) -> int:
    """End what nobody funded in time, while no money is held; returns how many engagements."""
    held = Milestone.objects.filter(engagement=OuterRef("pk"), escrow__state__in=_OPEN)
    late = Engagement.objects.filter(
        ~Exists(held), state=Engagement.State.ACTIVE, fund_by_at__lt=now
    )
    wanted = list(late.order_by("fund_by_at").values_list("pk", flat=True)[:limit])
    return sum(_lapse(engagement_id, now) for engagement_id in wanted)


@retried
def _lapse(engagement_id: str, now: datetime) -> bool:
    with transaction.atomic():
        engagement = (
            Engagement.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
            .select_related("agent_version")
            .filter(pk=engagement_id, state=Engagement.State.ACTIVE, fund_by_at__lt=now)
            .first()
        )
        if engagement is None or engagement.milestones.filter(escrow__state__in=_OPEN).exists():
            return False
        ended = end_unfunded(engagement, state=Engagement.State.LAPSED, now=now)
        records.lapsed(engagement=engagement, milestones=ended, now=now)
    return True
