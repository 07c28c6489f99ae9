"""Which engagements wait for a party: whose turn it is, asked of the database for lists."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from pacts.models import Dispute, Engagement, Milestone
from settlement.models import Escrow

# Reasons for which an escrow waits for the buyer's word, and for the builder's next delivery.
TO_ACCEPT = ("awaiting_acceptance", "control_withholds")
REVISABLE = ("curing", "not_proved", "extended")
LIVE = (Engagement.State.PROPOSED, Engagement.State.ACTIVE)


def waiting_for(rows: QuerySet[Engagement], *, party_id: str) -> QuerySet[Engagement]:
    """Those of `rows` in which it is this party's turn."""
    escrow = Escrow.objects.filter(milestone=OuterRef("pk"))
    open_ = Milestone.objects.filter(engagement=OuterRef("pk"), cancelled_at=None)
    unfunded = open_.filter(~Exists(escrow.exclude(state=Escrow.State.UNFUNDED)))
    buyer = Q(buyer=party_id) & (
        Exists(unfunded) | Exists(open_.filter(_not_frozen(), escrow__reason__in=TO_ACCEPT))
    )
    builder = Q(builder=party_id) & Exists(
        open_.filter(_not_frozen(), escrow__reason__in=REVISABLE)
    )
    owed = Dispute.objects.filter(state=Dispute.State.OPENED, answered_at=None)
    answer = Exists(
        open_.filter(
            Exists(owed.filter(milestone=OuterRef("pk")).exclude(opened_by=party_id)),
            escrow__state=Escrow.State.FROZEN,
        )
    )
    unsigned = Q(buyer=party_id, buyer_signature=None) | Q(builder=party_id, builder_signature=None)
    sides = Q(buyer=party_id) | Q(builder=party_id)
    return rows.filter(sides).filter(
        Q(unsigned, state=Engagement.State.PROPOSED)
        | Q(buyer | builder | answer, state=Engagement.State.ACTIVE)
    )


def live(rows: QuerySet[Engagement]) -> QuerySet[Engagement]:
    """Those of `rows` that are not over."""
    return rows.filter(state__in=LIVE)


def over(rows: QuerySet[Engagement]) -> QuerySet[Engagement]:
    """Those of `rows` in which nothing happens any more."""
    return rows.exclude(state__in=LIVE)


def _not_frozen() -> Q:
    return ~Q(escrow__state=Escrow.State.FROZEN)
