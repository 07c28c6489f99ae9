"""Whose turn it is in each engagement of a list: the short form of `turns`, from a list's own rows.

It answers the same question in the same words, without what follows from silence: a list of
twenty-five engagements takes no more queries than a list of one.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from marketplace.awaited import REVISABLE, TO_ACCEPT
from marketplace.pages.turns import Turn
from pacts.models import Dispute, Engagement, Milestone, Party
from settlement.models import Escrow

_ORDER = {"you": 0, "they": 1, "others": 2}
# What the buyer reads, and what the builder reads.
_WORDS: Mapping[str, tuple[object, object]] = {
    "fund": (_lazy("Set the money aside; then the work starts."), _lazy("The buyer funds it.")),
    "accept": (
        _lazy("Accept the verdict, or dispute it."),
        _lazy("The buyer accepts the verdict or disputes it."),
    ),
    "revise": (
        _lazy("The builder delivers a revision, or disputes. You may accept anyway."),
        _lazy("Deliver a revision, dispute the verdict, or return the money."),
    ),
}


def waits_of(engagement: Engagement, *, party: Party) -> Turn | None:
    """Who acts next and until when; None for what is over and for a metered hire."""
    if engagement.state == Engagement.State.PROPOSED:
        return _unsigned(engagement, party)
    if engagement.state != Engagement.State.ACTIVE:
        return None
    turns = list(_of_milestones(engagement, party))
    far = max((one.until for one in turns if one.until), default=engagement.proposed_at)
    return min(turns, key=lambda one: (_ORDER[one.whose], one.until or far), default=None)


def _unsigned(engagement: Engagement, party: Party) -> Turn:
    is_buyer = party.pk == engagement.buyer_id
    own = engagement.buyer_signature_id if is_buyer else engagement.builder_signature_id
    return Turn(
        whose="they" if own else "you",
        what=_("The other side signs.") if own else _("Read what you sign, and sign."),
        until=engagement.offer_expires_at,
    )


def _of_milestones(engagement: Engagement, party: Party) -> Iterator[Turn]:
    for milestone in engagement.milestones.all():
        escrow = getattr(milestone, "escrow", None)
        if milestone.cancelled_at or (escrow is not None and escrow.is_final):
            continue
        if escrow is None or escrow.state == Escrow.State.UNFUNDED:
            yield _turn("fund", engagement, party, engagement.fund_by_at)
        elif escrow.state == Escrow.State.FROZEN:
            yield _disputed(milestone, escrow, party)
        elif escrow.reason in TO_ACCEPT:
            yield _turn("accept", engagement, party, escrow.next_action_at)
        elif escrow.reason in REVISABLE:
            yield _turn("revise", engagement, party, escrow.next_action_at)
        else:
            what = _("The agent works, and the platform evaluates every answer.")
            yield Turn(whose="others", what=what, until=escrow.next_action_at)


def _turn(what: str, engagement: Engagement, party: Party, until: datetime | None) -> Turn:
    is_buyer = party.pk == engagement.buyer_id
    mine = is_buyer is (what != "revise")
    words = _WORDS[what][0 if is_buyer else 1]
    return Turn(whose="you" if mine else "they", what=str(words), until=until)


def _disputed(milestone: Milestone, escrow: Escrow, party: Party) -> Turn:
    dispute = next(iter(milestone.disputes.all()), None)
    if dispute and dispute.state == Dispute.State.OPENED and not dispute.answered_at:
        mine = dispute.opened_by_id == party.pk
        what = (
            _("The other side answers your dispute.")
            if mine
            else _("Answer the dispute, with what you know of the case.")
        )
        return Turn(whose="they" if mine else "you", what=what, until=escrow.next_action_at)
    what = _("A dispute is open. The case says what is next, and until when.")
    return Turn(whose="others", what=what, until=escrow.next_action_at)
