"""Why somebody cannot decide a case: by what they are, were, or did before."""

from django.db.models import Q

from pacts.models import (
    Dispute,
    Engagement,
    Member,
    PastMember,
    Recusal,
    Ruling,
    Signature,
    User,
)

_DEALT = (Engagement.State.ACTIVE, Engagement.State.CLOSED)


def interest_of(*, user: User, dispute: Dispute) -> str:
    """Why this user cannot decide the case, in words; "" if nothing speaks against it.

    The database refuses the same (`ruling_without_interest`). What connects parties beyond this,
    `settlement.desk` looks at as well.
    """
    if tie := tie_of(user=user, sides=sides_of(dispute)):
        return tie
    if Recusal.objects.filter(dispute=dispute, adjudicator=user).exists():
        return "you stepped back from this case"
    if dispute.level > 1 and _had_a_part(user, dispute):
        return "you had a part in the first ruling; an appeal is decided by somebody else"
    return ""


def tie_of(*, user: User, sides: set[str]) -> str:
    """Why this user decides nothing between these parties (ids), in words; "" if they can."""
    if Member.objects.filter(user=user, party_id__in=sides).exists():
        return "you act for one of the parties; somebody else must rule"
    own = parties_of(user)
    if own & sides:
        return "you acted for one of the parties before; somebody else must rule"
    dealt = Q(buyer_id__in=own, builder_id__in=sides) | Q(builder_id__in=own, buyer_id__in=sides)
    if own and Engagement.objects.filter(dealt, state__in=_DEALT).exists():
        return (
            "a party you act for, or acted for, hired or worked for one of the parties before; "
            "somebody else must rule"
        )
    return ""


def has_interest(*, user: User, dispute: Dispute) -> bool:
    """Whether anything keeps the user from deciding the case."""
    return bool(interest_of(user=user, dispute=dispute))


def sides_of(dispute: Dispute) -> set[str]:
    """Ids of everybody with a part in the hire: both sides, the third party that judges it, the
    owner of the tasks."""
    engagement = dispute.milestone.engagement
    owner_id = dispute.milestone.task_set_version.task_set.owner_id
    sides = (engagement.buyer_id, engagement.builder_id, engagement.evaluator_id, owner_id)
    return {one for one in sides if one}


def parties_of(user: User) -> set[str]:
    """Ids of the parties the user acts for, acted for, or ever signed for."""
    rows = (
        Member.objects.filter(user=user).values_list("party_id"),
        PastMember.objects.filter(user=user).values_list("party_id"),
        Signature.objects.filter(signed_by=user).values_list("party_id"),
    )
    return {party_id for (party_id,) in rows[0].union(*rows[1:])}


def _had_a_part(user: User, dispute: Dispute) -> bool:
    first = Ruling.objects.filter(dispute=dispute, level=1)
    return (
        first.filter(adjudicator=user).exists()
        or first.filter(confirmation__adjudicator=user).exists()
    )
