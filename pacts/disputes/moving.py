"""Moving a dispute from step to step: the row under its lock, each step on record."""

from datetime import datetime

from django.db import transaction

from pacts.disputes.refusals import DisputeClosed, DisputeRefused
from pacts.models import Dispute, DisputeStep, Engagement, Party
from pacts.procedure.clocks import Docket, Side, enter, steps
from reputation import evidence
from reputation.envelope import instant
from reputation.hints import hint

_RELATED = (
    *("milestone__engagement__pact_version", "milestone__engagement__agent_version__agent"),
    *("milestone__task_set_version__task_set", "ruling", "verdict__evaluation"),
)


def locked(dispute: Dispute, *, now: datetime) -> tuple[Dispute, Docket]:
    """The row under its lock, with every step stored that time has taken by now.

    The docket may be closed while the row is not yet: what silence ends, settlement closes in the
    transaction that moves the money. The caller is in a transaction.
    """
    row = (
        Dispute.objects.select_for_update(of=("self",), no_key=True)
        .select_related(*_RELATED)
        .get(pk=dispute.pk)
    )
    return row, advance(row, now=now)


def advance(dispute: Dispute, *, now: datetime) -> Docket:
    """Store the steps time has taken, and return where the case stands. The caller holds its lock.

    An end is returned and not stored.
    """
    docket = dispute.docket
    for moved, by_silence in steps(docket, now=now):
        docket = moved
        if not docket.is_open:
            break
        store(dispute, docket, now=now, by_silence=by_silence)
    return docket


def advance_due(*, now: datetime, limit: int = 200) -> int:
    """Store the steps of disputes whose deadline passed; returns how many were looked at."""
    late = Dispute.objects.exclude(state=Dispute.State.CLOSED).filter(due_at__lt=now)
    wanted = list(late.order_by("due_at").values_list("pk", flat=True)[:limit])
    for dispute_id in wanted:
        with transaction.atomic():
            found = (
                Dispute.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
                .select_related(*_RELATED)
                .filter(pk=dispute_id)
                .exclude(state=Dispute.State.CLOSED)
                .first()
            )
            if found:
                advance(found, now=now)
    return len(wanted)


def move(dispute: Dispute, docket: Docket, state: str, *, now: datetime) -> Docket:
    """Somebody acted: enter this state now."""
    moved = enter(docket, state, at=now)  # type: ignore[arg-type]
    store(dispute, moved, now=now, by_silence=False)
    return moved


def store(dispute: Dispute, docket: Docket, *, now: datetime, by_silence: bool) -> None:
    """Write where the case stands, and that it went there, into the row, its steps and the log."""
    dispute.state = docket.state
    dispute.entered_at, dispute.due_at = docket.entered_at, docket.due_at
    dispute.level, dispute.awaits_second = docket.level, docket.awaits_second
    dispute.save(
        update_fields=[
            *("state", "entered_at", "due_at", "level", "awaits_second", "ruling"),
            *("buyer_rested_at", "builder_rested_at", "answered_at", "answer"),
        ]
    )
    note_step(dispute, by_silence=by_silence)
    facts: dict[str, object] = {"state": docket.state, "due": instant(docket.due_at)}
    if by_silence:
        facts["by_silence"] = True
    evidence.append(
        kind="dispute.advanced",
        subjects=subjects_of(dispute),
        facts=facts,
        at=now,
    )
    transaction.on_commit(lambda: hint("pacts.dispute_moved"))


def note_step(dispute: Dispute, *, by_silence: bool = False) -> None:
    """The timeline's row for where the dispute is now."""
    DisputeStep.objects.create(
        dispute=dispute,
        state=dispute.state,
        entered_at=dispute.entered_at,
        due_at=dispute.due_at,
        by_silence=by_silence,
    )


def side_of(party: Party | None, engagement: Engagement) -> Side:
    """Which side of the engagement a party is; "" for none of them."""
    if party is None:
        return ""
    sides: dict[str, Side] = {engagement.buyer_id: "buyer", engagement.builder_id: "builder"}
    return sides.get(party.pk, "")


def own_side(party: Party, dispute: Dispute) -> Side:
    """As `side_of`. Raises DisputeRefused for a stranger."""
    side = side_of(party, dispute.milestone.engagement)
    if not side:
        raise DisputeRefused("only the buyer and the builder of this engagement act in its dispute")
    return side


def refuse_closed(docket: Docket) -> None:
    """Raises DisputeClosed."""
    if docket.is_open:
        return
    if docket.outcome == "defaulted":
        raise DisputeClosed("nobody answered in time, so silence has decided this dispute")
    raise DisputeClosed("this dispute is closed")


def subjects_of(dispute: Dispute) -> dict[str, str]:
    """Whom evidence about a dispute names."""
    engagement = dispute.milestone.engagement
    return {
        "dispute": dispute.pk,
        "engagement": engagement.pk,
        "milestone": dispute.milestone_id,
        "agent": engagement.agent_version.agent_id,
        "agent_version": engagement.agent_version_id,
    }
