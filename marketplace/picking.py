"""Picking an opened offer: it becomes an engagement under the need's pact, at the offer's price."""

from dataclasses import replace
from datetime import datetime

from django.db import transaction

from marketplace import hiring, policy
from pacts import engagements, needs
from pacts.engagements import MilestoneDraft, Timers
from pacts.models import Engagement, Need, Party, SealedOffer, TaskSetVersion, User
from pacts.needs import NeedRefused
from pacts.needs.closing import held
from settlement import engagements as signing


class PickRefused(ValueError):
    """This offer cannot be picked; the message says why."""


def pick(
    *,
    need: Need,
    offer_id: str,
    buyer: Party,
    task_set_version: TaskSetVersion,
    by: User,
    authority: str,
    now: datetime,
) -> Engagement:
    """Propose and sign for the buyer; the builder signs as for any hire. Every other offer of the
    need is passed over in the same moment. At exactly the last moment it is still possible.

    Raises `PickRefused`, `NeedRefused`, `hiring.ListingClosed`, and what
    `pacts.engagements.propose` and signing raise.
    """
    with transaction.atomic():
        need = held(need)
        one = _pickable(need, offer_id, buyer, now)
        assert one.agent_version is not None, "an opened offer says of which agent it is"
        assert one.price is not None, "an opened offer has a price"
        terms = policy.at(now)
        engagement = engagements.propose(
            buyer=buyer,
            agent_version=one.agent_version,
            pact_version=need.pact_version,
            currency=need.currency,
            fee_bps=terms.fee_bps,
            fee_bands=terms.fee_bands_in(need.currency),
            milestones=[MilestoneDraft(need.title, one.price, task_set_version)],
            timers=replace(
                Timers(),
                work_seconds=one.work_seconds or Timers().work_seconds,
                funding_seconds=terms.funding_seconds,
            ),
            longest_hold_seconds=hiring.longest_hold_seconds(),
            by=by,
            now=now,
        )
        engagement = signing.sign(
            engagement=engagement, party=buyer, by=by, authority=authority, now=now
        )
        needs.picked(need=need, one=one, engagement=engagement, now=now)
    return engagement


def _pickable(need: Need, offer_id: str, buyer: Party, now: datetime) -> SealedOffer:
    if need.buyer_id != buyer.id:
        raise NeedRefused("only the party that posted a need picks an offer")
    if need.state == Need.State.OPEN:
        raise PickRefused("the offers are still sealed; they are opened together at the deadline")
    if need.state == Need.State.CLOSED or now > need.choose_until:
        raise PickRefused("this need has ended; post it again to ask for new offers")
    related = ("agent_version__agent__builder",)
    rows = SealedOffer.objects.select_related(*related).filter(need=need, state="revealed")
    one = rows.filter(pk=offer_id).first()
    if one is None:
        raise PickRefused("there is no such offer here")
    if one.unfit:
        raise PickRefused(f"nothing can come of this offer: {one.unfit}")
    assert one.agent_version is not None, "an opened offer says of which agent it is"
    if stops := needs.unfit_now(one.agent_version, now=now):
        raise PickRefused(f"this agent takes no hires at the moment: {stops}")
    hiring.refuse_suspended(one.agent_version.agent_id)
    return one
