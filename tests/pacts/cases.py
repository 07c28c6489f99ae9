"""A dispute brought to where a test begins: answered, and rested by both sides."""

from datetime import datetime

from pacts import disputes, tasks, verdicts
from pacts.models import Dispute, Ruling, User
from pacts.procedure.clocks import FULL
from tests import cast

CHALLENGE = FULL.challenge


def heard(dispute: Dispute, *, now: datetime) -> Dispute:
    """Answered by whoever owes it, and both sides have nothing to add: a person may rule."""
    dispute = Dispute.objects.get(pk=dispute.pk)
    engagement = dispute.milestone.engagement
    buyer, builder = engagement.buyer, engagement.builder
    if dispute.opened_by_id and not dispute.answered_at:
        other = builder if dispute.opened_by_id == buyer.pk else buyer
        disputes.answer_dispute(dispute=dispute, party=other, answer="It is as agreed.", now=now)
    for side in (buyer, builder):
        disputes.rest(dispute=dispute, party=side, now=now)
    checked_again(dispute, now=now)
    return Dispute.objects.get(pk=dispute.pk)


def checked_again(dispute: Dispute, *, now: datetime) -> None:
    """The workers make the contested run again over its stored answers; the rule looks at it."""
    again = Dispute.objects.get(pk=dispute.pk).recheck
    if again is None:
        return
    while again.trials.filter(state__in=["queued", "running"]).exists():
        tasks.run_trials(again.pk)
    verdicts.conclude(evaluation_id=again.pk, now=now)
    disputes.follow_due(now=now)


def ruled(dispute: Dispute, *, award_bps: int, now: datetime, carol: User | None = None) -> Ruling:
    """Heard, and ruled on by carol: it may be challenged from now on."""
    return disputes.rule(
        dispute=heard(dispute, now=now),
        adjudicator=carol or cast.carol().user,
        award_bps=award_bps,
        clauses=["accuracy"],
        reasons="The answers were compared with the tasks one by one.",
        now=now,
    )
