"""How a need ends: one offer is picked, none is in time, nobody offered, or it is withdrawn."""

from datetime import datetime

from django.db import transaction

from pacts.models import Engagement, Need, Party, SealedOffer
from pacts.needs.posting import NeedRefused
from reputation import evidence


def withdraw_need(*, need: Need, buyer: Party, now: datetime) -> Need:
    """Take a need back before its offers are opened; they are then never opened.

    Raises `NeedRefused`.
    """
    with transaction.atomic():
        need = held(need)
        if need.buyer_id != buyer.id:
            raise NeedRefused("only the party that posted a need withdraws it")
        if need.state != Need.State.OPEN or now > need.offers_until:
            raise NeedRefused("its offers are open, or about to be; choose one, or let it end")
        close(need, Need.Ending.WITHDRAWN, now=now)
    return need


def held(need: Need) -> Need:
    """The need's row, locked; the caller is in a transaction."""
    return Need.objects.select_for_update(of=("self",), no_key=True).get(pk=need.pk)


def picked(*, need: Need, one: SealedOffer, engagement: Engagement, now: datetime) -> Need:
    """Close a need with the engagement that its picked offer became; the caller holds the need."""
    need.engagement = engagement
    need.save(update_fields=["engagement"])
    SealedOffer.objects.filter(pk=one.pk).update(outcome=SealedOffer.Outcome.PICKED)
    return close(need, Need.Ending.PICKED, now=now)


def close_unchosen(*, now: datetime, limit: int = 100) -> int:
    """Close what nobody chose in time, strictly after it; returns how many. A need whose offers
    could not be opened until then ends so too."""
    due = Need.objects.exclude(state=Need.State.CLOSED).filter(choose_until__lt=now)
    ids = list(due.order_by("choose_until").values_list("pk", flat=True)[:limit])
    return sum(_close_late(need_id, now) for need_id in ids)


def _close_late(need_id: str, now: datetime) -> bool:
    with transaction.atomic():
        rows = Need.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
        need = (
            rows.filter(pk=need_id, choose_until__lt=now).exclude(state=Need.State.CLOSED).first()
        )
        if need is None:
            return False
        close(need, Need.Ending.NO_PICK, now=now)
    return True


def close(need: Need, ending: Need.Ending, *, now: datetime) -> Need:
    """End it once, and tell every builder whose offer was opened; the caller holds the need."""
    offers = list(need.offers.filter(state="revealed").order_by("placed_at", "pk"))
    for one in offers:
        _end(one, now)
    need.state, need.ended_as, need.closed_at = Need.State.CLOSED, ending, now
    need.save(update_fields=["state", "ended_as", "closed_at"])
    evidence.append(
        kind="need.closed",
        subjects={"need": need.id, "party": need.buyer_id},
        facts={"outcome": str(ending), "offers": len(offers)},
        at=now,
        dedupe_key=f"need.closed:{need.id}",
    )
    return need


def _end(one: SealedOffer, now: datetime) -> None:
    if not one.outcome:
        unfit = SealedOffer.Outcome.UNFIT if one.unfit else SealedOffer.Outcome.PASSED_OVER
        one.outcome = unfit
        one.save(update_fields=["outcome"])
    evidence.append(
        kind="offer.ended",
        subjects={"need": one.need_id, "offer": one.id, "party": one.builder_id},
        facts={"outcome": str(one.outcome)},
        at=now,
    )
