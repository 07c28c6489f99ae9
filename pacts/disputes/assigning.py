"""Who at the desk has a case, and who stepped back from one."""

from datetime import datetime

from django.db import transaction

from pacts.disputes.interests import interest_of
from pacts.disputes.moving import locked, refuse_closed, subjects_of
from pacts.disputes.refusals import ConflictOfInterest, NotAnAdjudicator
from pacts.models import Dispute, Recusal, User
from reputation import evidence

LONGEST_REASON = 1000


def assign(*, dispute: Dispute, adjudicator: User, now: datetime) -> Dispute:
    """Give the case to an adjudicator without interest; whoever had it has it no more.

    Raises `NotAnAdjudicator`, `ConflictOfInterest`, `DisputeClosed`.
    """
    if not adjudicator.is_adjudicator or not adjudicator.is_active:
        raise NotAnAdjudicator("only adjudicators take cases")
    with transaction.atomic():
        row, docket = locked(dispute, now=now)
        refuse_closed(docket)
        if why := interest_of(user=adjudicator, dispute=row):
            raise ConflictOfInterest(why)
        if row.assigned_to_id == adjudicator.pk:
            return row
        row.assigned_to, row.assigned_at = adjudicator, now
        row.save(update_fields=["assigned_to", "assigned_at"])
        evidence.append(
            kind="adjudicator.assigned",
            subjects=subjects_of(row) | {"adjudicator": adjudicator.pk},
            at=now,
        )
    return row


def recuse(*, dispute: Dispute, adjudicator: User, now: datetime, reason: str = "") -> Recusal:
    """Step back from a case, for good. Again changes nothing. Raises `NotAnAdjudicator`."""
    if not adjudicator.is_adjudicator:
        raise NotAnAdjudicator("only adjudicators step back from cases")
    with transaction.atomic():
        row, docket = locked(dispute, now=now)
        refuse_closed(docket)
        made, new = Recusal.objects.get_or_create(
            dispute=row,
            adjudicator=adjudicator,
            defaults={"reason": reason.strip()[:LONGEST_REASON], "recused_at": now},
        )
        if row.assigned_to_id == adjudicator.pk:
            row.assigned_to = row.assigned_at = None
            row.save(update_fields=["assigned_to", "assigned_at"])
        if new:
            evidence.append(
                kind="adjudicator.recused",
                subjects=subjects_of(row) | {"adjudicator": adjudicator.pk},
                private={"reason": made.reason} if made.reason else None,
                at=now,
                dedupe_key=f"adjudicator.recused:{row.pk}:{adjudicator.pk}",
            )
    return made
