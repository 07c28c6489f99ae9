"""What the two sides do in a dispute: open, answer, rest, withdraw; and how it is closed.

Settlement freezes the escrow in the same transaction that opens a dispute here, and closes it in
the one that moves the money (`settlement.escrow`, `settlement.outcomes`).
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from django.db import IntegrityError, connection, transaction

from pacts.disputes import rechecking
from pacts.disputes.moving import (
    locked,
    move,
    note_step,
    own_side,
    refuse_closed,
    side_of,
    subjects_of,
)
from pacts.disputes.rates import lost_lately
from pacts.disputes.refusals import (
    DisputeAlreadyOpen,
    DisputeClosed,
    DisputeRefused,
    NotYetRipe,
    TooManyDisputes,
)
from pacts.models import Dispute, Milestone, Party, User, Verdict
from pacts.procedure import limits
from pacts.procedure.clocks import BEFORE_A_RULING, Docket, Outcome, answer_by, lost_by
from pacts.procedure.limits import RULES, Rules
from reputation import evidence
from reputation.envelope import instant
from reputation.hints import hint

LONGEST_TEXT = 4000


def open_dispute(
    *,
    milestone: Milestone,
    party: Party | None,
    by: User | None,
    ground: Dispute.Ground,
    statement: str,
    now: datetime,
    clauses: Sequence[str] = (),
    deposit: int = 0,
    rules: Rules = RULES,
) -> Dispute:
    """Record the challenge. `party` is None when the pact itself asks for human review.

    `clauses` are the keys of the contested ones; none is all of them. `deposit` is what the caller
    sets aside beside it. Raises `DisputeRefused`, `DisputeAlreadyOpen`, `TooManyDisputes`. The
    caller holds the escrow's lock.
    """
    _refuse_unfit(milestone, party, statement, clauses)
    if party:
        _refuse_too_many(party, now, rules)
    dispute = _row(milestone, party, by, ground, statement, clauses, now, rules)
    try:
        with transaction.atomic():
            dispute.save(force_insert=True)
    except IntegrityError as error:
        raise DisputeAlreadyOpen("this milestone is already in dispute") from error
    _log_opening(dispute, party, deposit, now)
    note_step(dispute)
    if party:
        rechecking.start(dispute, now=now)
    return dispute


def _refuse_unfit(
    milestone: Milestone, party: Party | None, statement: str, clauses: Sequence[str]
) -> None:
    engagement = milestone.engagement
    if party and not side_of(party, engagement):
        raise DisputeRefused("only the buyer and the builder of this engagement can dispute it")
    if not statement.strip():
        raise DisputeRefused("say what is wrong: the other side and the adjudicator will read it")
    if len(statement) > LONGEST_TEXT:
        raise DisputeRefused(f"a statement has at most {LONGEST_TEXT} characters")
    known = [clause["key"] for clause in engagement.pact_version.terms["clauses"]]
    if not set(clauses) <= set(known):
        raise DisputeRefused(f"contest clauses the pact has: {', '.join(known)}")


def _refuse_too_many(party: Party, now: datetime, rules: Rules) -> None:
    """Counted under a lock of the party's own, so that two at once are not both the last."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 7))", [f"disputes:{party.pk}"]
        )
    lost = lost_lately(party=party, now=now, rules=rules)
    most = limits.most_open(lost=lost, rules=rules)
    has = Dispute.objects.filter(opened_by=party).exclude(state=Dispute.State.CLOSED).count()
    if has >= most:
        raise TooManyDisputes(
            f"you have {has} disputes open; after {lost} lost in {rules.lost_window.days} days "
            f"you can have {most} at once. Settle or withdraw one first"
        )


def _row(
    milestone: Milestone,
    party: Party | None,
    by: User | None,
    ground: Dispute.Ground,
    statement: str,
    clauses: Sequence[str],
    now: datetime,
    rules: Rules,
) -> Dispute:
    amount, currency = milestone.amount, milestone.engagement.currency
    track = limits.track(amount=amount, currency=currency, rules=rules)
    periods = rules.small if track == "small" else rules.full
    answer_by_at, backstop_at = answer_by(now, periods), now + periods.backstop
    evidence_by_at = min(now + periods.evidence, backstop_at)
    return Dispute(
        milestone=milestone,
        opened_by=party,
        opened_by_user=by,
        ground=ground,
        clauses=sorted(set(clauses)),
        statement=statement.strip(),
        track=track,
        periods=periods.seconds(),
        needs_second=limits.needs_second(amount=amount, currency=currency, rules=rules),
        state=Dispute.State.OPENED if party else Dispute.State.EVIDENCE_OPEN,
        entered_at=now,
        due_at=answer_by_at if party else evidence_by_at,
        opened_at=now,
        answer_by_at=answer_by_at,
        backstop_at=backstop_at,
        verdict=_contested(milestone),
    )


def _contested(milestone: Milestone) -> Verdict | None:
    return (
        Verdict.objects.filter(evaluation__deliverable__milestone=milestone)
        .select_related("evaluation")
        .order_by("-concluded_at")
        .first()
    )


def _log_opening(dispute: Dispute, party: Party | None, deposit: int, now: datetime) -> None:
    engagement = dispute.milestone.engagement
    facts: dict[str, object] = {"ground": dispute.ground, "track": dispute.track}
    if party:
        facts |= {"side": side_of(party, engagement), "answer_by": instant(dispute.answer_by_at)}
    if dispute.clauses:
        facts["clauses"] = len(dispute.clauses)
    if deposit:
        facts |= {"deposit": deposit, "currency": engagement.currency}
    evidence.append(
        kind="dispute.opened",
        subjects=subjects_of(dispute) | {"party": party.pk if party else engagement.buyer_id},
        facts=facts,
        private={"statement": dispute.statement},
        at=now,
        dedupe_key=f"dispute.opened:{dispute.pk}",
    )


def answer_dispute(*, dispute: Dispute, party: Party, answer: str, now: datetime) -> Dispute:
    """The other side's answer, once and in time. Raises `DisputeRefused`, `DisputeClosed`."""
    with transaction.atomic():
        row, docket = locked(dispute, now=now)
        side = own_side(party, row)
        if party.pk == row.opened_by_id:
            raise DisputeRefused("you opened this dispute; the other side answers it")
        if not answer.strip():
            raise DisputeRefused("an answer needs words")
        if len(answer) > LONGEST_TEXT:
            raise DisputeRefused(f"an answer has at most {LONGEST_TEXT} characters")
        if row.ground == Dispute.Ground.HUMAN_REVIEW:
            raise DisputeRefused(
                "the pact asked for this review: nobody owes an answer. Add evidence instead"
            )
        if not docket.is_open and docket.outcome == "defaulted":
            raise DisputeClosed("the time to answer has passed, so silence has decided this")
        if row.answered_at or docket.state not in BEFORE_A_RULING:
            raise DisputeClosed("this dispute was answered or ruled on already")
        row.answer, row.answered_at = answer.strip(), now
        if docket.state == "opened":
            move(
                row,
                docket,
                "negotiating" if docket.periods.negotiation else "evidence_open",
                now=now,
            )
        else:
            row.save(update_fields=["answer", "answered_at"])
        evidence.append(
            kind="dispute.answered",
            subjects=subjects_of(row) | {"party": party.pk},
            facts={"side": side},
            private={"answer": row.answer},
            at=now,
            dedupe_key=f"dispute.answered:{row.pk}",
        )
    return row


def rest(*, dispute: Dispute, party: Party, now: datetime) -> Dispute:
    """One side has nothing to add; once both have said so, the case goes on at once.

    Saying it again changes nothing. Raises `DisputeRefused`, `NotYetRipe`, `DisputeClosed`.
    """
    with transaction.atomic():
        row, docket = locked(dispute, now=now)
        side = own_side(party, row)
        refuse_closed(docket)
        if docket.state == "opened":
            raise NotYetRipe("the other side has not answered yet")
        if docket.state not in ("negotiating", "evidence_open", "appealed"):
            raise DisputeClosed("nothing can be added any more; there is nothing to rest")
        name = f"{side}_rested_at"
        if getattr(row, name) is None:
            setattr(row, name, now)
            row.save(update_fields=[name])
            if row.buyer_rested_at and row.builder_rested_at and docket.state != "appealed":
                _go_on(row, replace(docket, rested=True), now)
    return row


def _go_on(row: Dispute, docket: Docket, now: datetime) -> None:
    moved = move(row, docket, "evidence_locked", now=now)
    if not moved.rechecking:
        move(row, moved, "under_review", now=now)


def withdraw(*, dispute: Dispute, party: Party, now: datetime) -> Dispute:
    """The side that opened the dispute takes it back, until somebody ruled.

    Raises `DisputeRefused`, `DisputeClosed`.
    """
    with transaction.atomic():
        row, docket = locked(dispute, now=now)
        if row.opened_by_id is None or row.opened_by_id != party.pk:
            raise DisputeRefused("only the side that opened the dispute can withdraw it")
        refuse_closed(docket)
        if docket.state not in BEFORE_A_RULING:
            raise DisputeClosed("somebody ruled already; the ruling stands, or appeal it")
        close(dispute=row, docket=docket, outcome="withdrawn", now=now)
    return row


def close(
    *,
    dispute: Dispute,
    docket: Docket,
    outcome: Outcome,
    now: datetime,
    share_bps: int | None = None,
    measured_bps: int | None = None,
) -> None:
    """End it, once. The caller holds its lock, and moves what money there is to move.

    `share_bps` is what the builder gets, `measured_bps` what it would have got without a dispute.
    Raises `DisputeClosed`.
    """
    if not dispute.is_open:
        raise DisputeClosed("this dispute already ended")
    ended = replace(docket, state="closed", outcome=outcome)
    filed_by = side_of(dispute.opened_by, dispute.milestone.engagement)
    dispute.outcome, dispute.share_bps, dispute.measured_bps = outcome, share_bps, measured_bps
    dispute.lost_by = lost_by(
        ended, share_bps=share_bps, measured_bps=measured_bps, filed_by=filed_by
    )
    dispute.closed_at = now
    dispute.state, dispute.entered_at, dispute.due_at = Dispute.State.CLOSED, now, now
    dispute.awaits_second = False
    dispute.save(
        update_fields=[
            *("outcome", "share_bps", "measured_bps", "lost_by", "closed_at", "state"),
            *("entered_at", "due_at", "awaits_second"),
        ]
    )
    note_step(dispute, by_silence=outcome in ("defaulted", "unruled"))
    _log_end(dispute, ended, now)
    transaction.on_commit(lambda: hint("pacts.dispute_closed"))


def _log_end(dispute: Dispute, docket: Docket, now: datetime) -> None:
    if docket.outcome == "defaulted":
        engagement = dispute.milestone.engagement
        silent = engagement.buyer_id if docket.owing == "buyer" else engagement.builder_id
        evidence.append(
            kind="dispute.defaulted",
            subjects=subjects_of(dispute) | {"party": silent},
            facts={"side": docket.owing},
            at=now,
            dedupe_key=f"dispute.defaulted:{dispute.pk}",
        )
    evidence.append(
        kind="dispute.closed",
        subjects=subjects_of(dispute),
        facts=_facts_of_end(dispute, docket),
        at=now,
        dedupe_key=f"dispute.closed:{dispute.pk}",
    )


def _facts_of_end(dispute: Dispute, docket: Docket) -> dict[str, object]:
    fault = docket.owing if docket.fault == "respondent" else docket.fault
    found: dict[str, object | None] = {
        "outcome": docket.outcome,
        "builder_share_bps": dispute.share_bps,
        "measured_bps": dispute.measured_bps,
        "lost_by": dispute.lost_by or None,
        "fault": fault or None,
    }
    if docket.outcome == "ruled":
        ruling, verdict = dispute.ruling, dispute.verdict
        found["ruling_evidence"] = ruling.evidence_id if ruling else None
        found["verdict_evidence"] = verdict.evidence_id if verdict else None
    return {name: value for name, value in found.items() if value is not None}
