"""What the two sides do to an escrow: fund, accept, revise, dispute, give back.

Every door locks the escrow first, so the sweep and every other door wait for it. Whether a user
may act for a party is decided before (`marketplace.access`); here the party's side is checked.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from django.db import transaction

from pacts import disputes, engagements
from pacts.models import AgentVersion, Deliverable, Dispute, Engagement, Milestone, Party, User
from settlement import casefiles, ledger, records
from settlement.casefiles import Case
from settlement.decisions import Decision, Final, decide
from settlement.idempotency import check_key
from settlement.ledger import Posting
from settlement.models import Account, Escrow, Transfer
from settlement.settlements import advance


class EscrowRefused(Exception):
    """The escrow does not allow this now; the message says why."""


class EscrowAlreadyFunded(EscrowRefused):
    """Another request funded it."""


class EscrowNotFunded(EscrowRefused):
    """There is no money in it yet."""


class EscrowAlreadySettled(EscrowRefused):
    """It reached its one outcome."""


class EscrowFrozen(EscrowRefused):
    """A dispute or review is open."""


class EngagementNotInForce(EscrowRefused):
    """Both sides must have signed."""


class NoVerdictYet(EscrowRefused):
    """There is nothing to accept or to dispute yet."""


class DeadlinePassed(EscrowRefused):
    """The window for this closed."""


class RevisionNotDue(EscrowRefused):
    """A revision is delivered after a breach or for want of proof, in the period for it."""


class NotYourSide(PermissionError):
    """This belongs to the other side of the engagement."""


def open_escrow(*, milestone: Milestone) -> Escrow:
    """The milestone's escrow with its own account, unfunded at first."""
    found = Escrow.objects.filter(milestone=milestone).first()
    if found:
        return found
    engagement = milestone.engagement
    with transaction.atomic():
        account = ledger.open_account(
            kind=Account.Kind.ESCROW, currency=engagement.currency, subject=milestone.pk
        )
        new = Escrow(
            milestone=milestone,
            account=account,
            currency=engagement.currency,
            amount=milestone.amount,
            fee_bps=engagement.fee_bps,
        )
        Escrow.objects.bulk_create([new], ignore_conflicts=True)
    return Escrow.objects.get(milestone=milestone)


def fund(*, milestone: Milestone, by: Party, idempotency_key: str, now: datetime) -> Escrow:
    """Move the price from the buyer's balance into the escrow and start the work.

    The same key again returns the escrow as it is. Raises InsufficientFunds, EscrowAlreadyFunded,
    EngagementNotInForce, NotYourSide, IdempotencyKeyReused,
    IdempotencyKeyMalformed.
    """
    key = f"fund:{by.pk}:{check_key(idempotency_key)}"
    opened = open_escrow(milestone=milestone)
    with transaction.atomic():
        escrow = Escrow.objects.select_for_update(of=("self",), no_key=True).get(pk=opened.pk)
        engagement = milestone.engagement
        _refuse_other_side(by, engagement.buyer_id)
        if escrow.hold_id:
            return _replayed(escrow, key)
        # Read again under the lock: the caller's engagement may be older than the last signature.
        engagement.refresh_from_db(fields=["state"])
        if engagement.state != Engagement.State.ACTIVE:
            raise EngagementNotInForce("both sides sign the engagement before it is funded")
        posted = _hold(escrow, by, key)
        _mark_funded(escrow, milestone, posted.transfer_id, now)
        advance(casefiles.locked(Escrow.objects.filter(pk=escrow.pk), now=now), now=now)
    return Escrow.objects.get(pk=opened.pk)


def _replayed(escrow: Escrow, key: str) -> Escrow:
    if escrow.hold and escrow.hold.idempotency_key == key:
        return escrow
    raise EscrowAlreadyFunded("this escrow is funded already")


def _hold(escrow: Escrow, buyer: Party, key: str) -> ledger.Posted:
    source = ledger.party_account(party=buyer, currency=escrow.currency)
    sides = ledger.move(source=source, target=escrow.account, amount=escrow.amount)
    return ledger.post(Posting(kind=Transfer.Kind.HOLD, key=key, sides=sides))


def _mark_funded(escrow: Escrow, milestone: Milestone, hold_id: int, now: datetime) -> None:
    evidence_id = records.funded(escrow=escrow, milestone=milestone, now=now)
    engagements.start_milestone(milestone=milestone, now=now)
    Escrow.objects.filter(pk=escrow.pk, version=escrow.version).update(
        state=Escrow.State.HELD,
        hold_id=hold_id,
        funded_at=now,
        funded_evidence_id=evidence_id,
        submit_by_at=milestone.submit_by_at,
        next_action_at=milestone.submit_by_at,
        version=escrow.version + 1,
    )


def accept(*, escrow: Escrow, by: Party, now: datetime) -> Escrow:
    """The buyer accepts at once: a met verdict pays its earned share, any other pays in full.

    Accepting again changes nothing. If silence or the cure period decided first, that stands.
    Raises NotYourSide, NoVerdictYet, EscrowFrozen, EscrowNotFunded, EscrowAlreadySettled.
    """
    with _locked(escrow, now) as case:
        _refuse_other_side(by, case.engagement.buyer_id)
        if case.escrow.accepted_at:
            return case.escrow
        _refuse_settled(case)
        _refuse_frozen(case)
        _refuse_unjudged(case)
        if isinstance(decide(facts=case.facts, now=now), Final):
            advance([case], now=now)
        else:
            accepted = replace(case, facts=replace(case.facts, accepted_at=now))
            advance([accepted], now=now, changes={"accepted_at": now})
    return case.escrow


def give_back(*, escrow: Escrow, by: Party, now: datetime) -> Escrow:
    """The builder returns the whole amount to the buyer, whatever the verdict; again is no change.

    Raises NotYourSide, EscrowFrozen, EscrowNotFunded, EscrowAlreadySettled.
    """
    with _locked(escrow, now) as case:
        _refuse_other_side(by, case.engagement.builder_id)
        if case.escrow.given_back_at:
            return case.escrow
        _refuse_settled(case)
        _refuse_frozen(case)
        returned = replace(case, facts=replace(case.facts, given_back_at=now))
        advance([returned], now=now, changes={"given_back_at": now})
    return case.escrow


def revise(*, escrow: Escrow, by: Party, agent_version: AgentVersion, now: datetime) -> Deliverable:
    """The builder delivers once more in the cure period (or the extension), up to its very end.

    Raises NotYourSide, RevisionNotDue, DeadlinePassed, EscrowFrozen, EscrowAlreadySettled,
    EscrowNotFunded, and `pacts.engagements.RevisionRefused`.
    """
    with _locked(escrow, now) as case:
        _refuse_other_side(by, case.engagement.builder_id)
        decision = _holding(case, now)
        if decision.code not in ("curing", "not_proved", "extended"):
            raise RevisionNotDue("a revision follows a breach, or a verdict that lacks proof")
        deliverable = engagements.deliver_revision(
            milestone=case.milestone, agent_version=agent_version, now=now
        )
        advance(casefiles.locked(Escrow.objects.filter(pk=case.escrow.pk), now=now), now=now)
    return deliverable


def dispute(
    *,
    escrow: Escrow,
    party: Party,
    by: User | None,
    ground: Dispute.Ground,
    statement: str,
    now: datetime,
) -> Dispute:
    """Either side challenges the verdict while the money waits; the escrow freezes at once.

    Raises NoVerdictYet, DeadlinePassed, EscrowFrozen, EscrowAlreadySettled, EscrowNotFunded, and
    `pacts.disputes.DisputeRefused`.
    """
    with _locked(escrow, now) as case:
        _holding(case, now)
        _refuse_unjudged(case)
        opened = disputes.open_dispute(
            milestone=case.milestone,
            party=party,
            by=by,
            ground=ground,
            statement=statement,
            now=now,
        )
        advance(casefiles.locked(Escrow.objects.filter(pk=case.escrow.pk), now=now), now=now)
    return opened


@contextmanager
def _locked(escrow: Escrow, now: datetime) -> Iterator[Case]:
    with transaction.atomic():
        found = Escrow.objects.get(pk=escrow.pk)
        if found.state == Escrow.State.UNFUNDED:
            raise EscrowNotFunded("this escrow is not funded yet")
        yield casefiles.locked(Escrow.objects.filter(pk=escrow.pk), now=now)[0]


def _holding(case: Case, now: datetime) -> Decision:
    """What the money waits for, after refusing whatever can no longer be changed."""
    _refuse_settled(case)
    _refuse_frozen(case)
    decision = decide(facts=case.facts, now=now)
    if isinstance(decision, Final):
        raise DeadlinePassed("the window for this has closed; the outcome follows")
    return decision


def _refuse_settled(case: Case) -> None:
    if case.escrow.is_final:
        raise EscrowAlreadySettled(f"this escrow was {case.escrow.state} already")


def _refuse_unjudged(case: Case) -> None:
    if not case.facts.deliveries or case.facts.deliveries[-1].verdict is None:
        raise NoVerdictYet("there is no verdict on the last delivery yet")


def _refuse_frozen(case: Case) -> None:
    if case.dispute and case.dispute.state == Dispute.State.OPEN:
        raise EscrowFrozen("a dispute is open; the ruling decides")


def _refuse_other_side(by: Party, expected_id: str) -> None:
    if by.pk != expected_id:
        raise NotYourSide("only the other side of this engagement can do that")
