"""Deciding: a person's ruling, a second person's confirmation, one appeal to somebody else."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from django.db import transaction

from pacts.disputes.interests import interest_of
from pacts.disputes.moving import locked, move, own_side, refuse_closed, store, subjects_of
from pacts.disputes.refusals import (
    ConflictOfInterest,
    DisputeClosed,
    DisputeRefused,
    NotAnAdjudicator,
    NotYetRipe,
    RulingIncomplete,
)
from pacts.models import Appeal, Confirmation, Dispute, Party, Ruling, User
from pacts.procedure.clocks import Docket, enter, may_rule
from reputation import evidence

LEAST_REASONS, MOST_REASONS = 20, 8000
WHOLE = 10_000


def rule(
    *,
    dispute: Dispute,
    adjudicator: User,
    award_bps: int,
    clauses: Sequence[str],
    reasons: str,
    now: datetime,
) -> Ruling:
    """Decide the builder's share in basis points, with reasons and the clauses that carry it.

    Above the limit it waits for a second person. The first ruling takes effect when its time to be
    challenged is over; an appeal's at once. Raises `NotAnAdjudicator`, `ConflictOfInterest`,
    `RulingIncomplete`, `NotYetRipe`, `DisputeClosed`.
    """
    _refuse_layman(adjudicator)
    with transaction.atomic():
        row, docket = locked(dispute, now=now)
        _refuse_interest(adjudicator, row)
        refuse_closed(docket)
        _refuse_unripe(docket, now)
        _refuse_incomplete(row, award_bps, clauses, reasons)
        ruling = Ruling(
            dispute=row,
            level=docket.level,
            adjudicator=adjudicator,
            award_bps=award_bps,
            clauses=sorted(set(clauses)),
            reasons=reasons.strip(),
            ruled_at=now,
        )
        ruling.evidence_id = _log_ruling(ruling, row, now)
        ruling.save(force_insert=True)
        if row.needs_second:
            store(
                row,
                replace(enter(docket, "ruled", at=now), awaits_second=True),
                now=now,
                by_silence=False,
            )
        else:
            _stand(row, docket, ruling, now)
    return ruling


def _stand(row: Dispute, docket: Docket, ruling: Ruling, now: datetime) -> None:
    """Nobody needs to agree any more: to the challenge window, or at once if it is the appeal's."""
    row.ruling = ruling
    settled = replace(docket, awaits_second=False)
    move(row, settled, "challenge_window" if ruling.level == 1 else "ruled", now=now)


def _refuse_layman(user: User) -> None:
    if not user.is_adjudicator or not user.is_active:
        raise NotAnAdjudicator("only adjudicators rule on disputes")


def _refuse_interest(user: User, row: Dispute) -> None:
    if why := interest_of(user=user, dispute=row):
        raise ConflictOfInterest(why)


def _refuse_unripe(docket: Docket, now: datetime) -> None:
    if may_rule(docket, now=now):
        return
    if docket.state in ("ruled", "challenge_window"):
        raise DisputeClosed("somebody ruled already")
    raise NotYetRipe(
        "the sides may still be heard; rule once the evidence is locked "
        f"(it is {docket.state.replace('_', ' ')} until {docket.due_at:%Y-%m-%d %H:%M} UTC)"
    )


def _refuse_incomplete(row: Dispute, award_bps: int, clauses: Sequence[str], reasons: str) -> None:
    known = [clause["key"] for clause in row.milestone.engagement.pact_version.terms["clauses"]]
    if not 0 <= award_bps <= WHOLE:
        raise RulingIncomplete("the award is between 0 and 10000 basis points")
    if not clauses or not set(clauses) <= set(known):
        raise RulingIncomplete(f"cite at least one clause of the pact: {', '.join(known)}")
    if len(reasons.strip()) < LEAST_REASONS:
        raise RulingIncomplete("give reasons: at least a sentence that both sides can follow")
    if len(reasons) > MOST_REASONS:
        raise RulingIncomplete(f"reasons have at most {MOST_REASONS} characters")


def _log_ruling(ruling: Ruling, row: Dispute, now: datetime) -> str:
    facts: dict[str, object] = {
        "outcome": "award",
        "builder_share_bps": ruling.award_bps,
        "level": ruling.level,
        "by": "person",
    }
    if row.needs_second:
        facts["awaits_second"] = True
    if row.verdict:
        facts["verdict_evidence"] = row.verdict.evidence_id
    return evidence.append(
        kind="ruling.made",
        subjects=subjects_of(row)
        | {"ruling": ruling.pk, "adjudicator": str(ruling.adjudicator_id)},
        facts=facts,
        private={"reasons": ruling.reasons, "clauses": ruling.clauses},
        at=now,
        dedupe_key=f"ruling.made:{ruling.pk}",
    ).id


def waiting_ruling(dispute: Dispute) -> Ruling | None:
    """The ruling that waits for a second person, if one does."""
    if not dispute.awaits_second:
        return None
    return dispute.rulings.filter(confirmation=None, by_rule=False).order_by("-ruled_at").first()


def confirm(
    *, dispute: Dispute, adjudicator: User, confirmed: bool, now: datetime, reasons: str = ""
) -> Confirmation:
    """A second person confirms the ruling that waits, or declines it: then it is void, and somebody
    rules anew before the same backstop.

    Declining needs reasons. Raises `NotAnAdjudicator`, `ConflictOfInterest`, `RulingIncomplete`,
    `DisputeClosed`.
    """
    _refuse_layman(adjudicator)
    with transaction.atomic():
        row, docket = locked(dispute, now=now)
        refuse_closed(docket)
        ruling = waiting_ruling(row)
        if ruling is None:
            raise DisputeClosed("no ruling of this dispute waits for a second person")
        if ruling.adjudicator_id == adjudicator.pk:
            raise ConflictOfInterest("you made this ruling; a second person confirms it")
        _refuse_interest(adjudicator, row)
        if not confirmed and len(reasons.strip()) < LEAST_REASONS:
            raise RulingIncomplete("say why you decline: whoever rules next needs it")
        made = _confirmation(ruling, row, adjudicator, confirmed, reasons, now)
        if confirmed:
            _stand(row, docket, ruling, now)
        else:
            _back(row, docket, now)
    return made


def _back(row: Dispute, docket: Docket, now: datetime) -> None:
    """To where a ruling can be made; the deadline behind it stays as it was."""
    again = replace(docket, awaits_second=False)
    if docket.level == 1:
        move(row, again, "under_review", now=now)
        return
    appealed_at = row.appeal.appealed_at
    store(
        row,
        replace(again, state="appealed", entered_at=appealed_at, due_at=docket.due_at),
        now=now,
        by_silence=False,
    )


def _confirmation(
    ruling: Ruling, row: Dispute, user: User, confirmed: bool, reasons: str, now: datetime
) -> Confirmation:
    logged = evidence.append(
        kind="ruling.reviewed",
        subjects=subjects_of(row) | {"ruling": ruling.pk, "adjudicator": user.pk},
        facts={"confirmed": confirmed, "ruling_evidence": ruling.evidence_id},
        private={"reasons": reasons.strip()} if reasons.strip() else None,
        at=now,
        dedupe_key=f"ruling.reviewed:{ruling.pk}",
    )
    return Confirmation.objects.create(
        ruling=ruling,
        adjudicator=user,
        confirmed=confirmed,
        reasons=reasons.strip(),
        decided_at=now,
        evidence_id=logged.id,
    )


def appeal(
    *, dispute: Dispute, party: Party, by: User | None, statement: str, now: datetime
) -> Appeal:
    """Either side asks, once and before the money moves, that somebody else looks again.

    At exactly the end of the window it may. Raises `DisputeRefused`, `DisputeClosed`,
    `NotYetRipe`.
    """
    with transaction.atomic():
        row, docket = locked(dispute, now=now)
        side = own_side(party, row)
        refuse_closed(docket)
        if row.level > 1:
            raise DisputeClosed("this dispute was appealed already; there is one appeal")
        if docket.state != "challenge_window":
            raise NotYetRipe("there is no ruling to appeal yet")
        if len(statement.strip()) < LEAST_REASONS:
            raise DisputeRefused("say what the ruling got wrong: somebody else will read it")
        made = Appeal.objects.create(
            dispute=row, party=party, by=by, statement=statement.strip(), appealed_at=now
        )
        row.buyer_rested_at = row.builder_rested_at = None
        row.assigned_to = row.assigned_at = None
        row.save(update_fields=["assigned_to", "assigned_at"])
        move(row, replace(docket, level=2, rested=False), "appealed", now=now)
        evidence.append(
            kind="dispute.appealed",
            subjects=subjects_of(row) | {"appeal": made.pk, "party": party.pk},
            facts={"side": side},
            private={"statement": made.statement},
            at=now,
            dedupe_key=f"dispute.appealed:{row.pk}",
        )
    return made
