"""What the two sides do to an escrow: fund, accept, revise, dispute, give back.

Every door locks the escrow first, so the sweep and every other door wait for it. Whether a user
may act for a party is decided before (`marketplace.access`); here the party's side is checked.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction

from pacts import disputes, engagements, terms
from pacts.judges.calibrating import refuse_distrusted
from pacts.models import AgentVersion, Deliverable, Dispute, Engagement, Milestone, Party, User
from pacts.procedure.limits import RULES, Rules
from settlement import casefiles, filings, ledger, limits, records
from settlement.casefiles import Case
from settlement.decisions import Decision, Final, decide
from settlement.idempotency import check_key
from settlement.ledger import Place, Posting
from settlement.models import Account, Bond, Escrow, Transfer
from settlement.money import Money
from settlement.refusals import (
    BondNotCovered,
    DeadlinePassed,
    DepositNotCovered,
    EngagementNotInForce,
    EscrowAlreadyFunded,
    EscrowAlreadySettled,
    EscrowFrozen,
    EscrowNotFunded,
    EscrowRefused,
    ExposureExceeded,
    NotYourSide,
    NoVerdictYet,
    RevisionNotDue,
)
from settlement.retries import retried
from settlement.settlements import advance

__all__ = [
    "BondNotCovered",
    "DeadlinePassed",
    "DepositNotCovered",
    "EngagementNotInForce",
    "EscrowAlreadyFunded",
    "EscrowAlreadySettled",
    "EscrowFrozen",
    "EscrowNotFunded",
    "EscrowRefused",
    "ExposureExceeded",
    "NoVerdictYet",
    "NotYourSide",
    "RevisionNotDue",
    "accept",
    "dispute",
    "fund",
    "give_back",
    "locked_case",
    "open_escrow",
    "revise",
]


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
            fee_bands=engagement.fee_bands,
            agent_id=engagement.agent_version.agent_id,
        )
        Escrow.objects.bulk_create([new], ignore_conflicts=True)
    return Escrow.objects.get(milestone=milestone)


@retried
def fund(*, milestone: Milestone, by: Party, idempotency_key: str, now: datetime) -> Escrow:
    """Move the price from the buyer's balance into the escrow and start the work.

    A bond that was agreed moves from the builder's balance in the same statement. The same key
    again returns the escrow as it is. Raises InsufficientFunds, BondNotCovered, ExposureExceeded,
    EscrowAlreadyFunded, EngagementNotInForce, DeadlinePassed, NotYourSide, IdempotencyKeyReused,
    IdempotencyKeyMalformed, JuryNotTrusted, and `pacts.engagements.MilestoneEnded`.
    """
    key = f"fund:{by.pk}:{check_key(idempotency_key)}"
    opened = open_escrow(milestone=milestone)
    with transaction.atomic():
        escrow = (
            Escrow.objects.select_for_update(of=("self",), no_key=True)
            .select_related("account")
            .get(pk=opened.pk)
        )
        _refuse_other_side(by, milestone.engagement.buyer_id)
        if escrow.hold_id:
            return _replayed(escrow, key)
        # Read again under its lock: the caller's may be older than a signature or a cancellation.
        engagement = (
            Engagement.objects.select_for_update(of=("self",), no_key=True)
            .select_related("buyer", "builder", "agent_version", "pact_version")
            .get(pk=milestone.engagement_id)
        )
        _refuse_unfundable(engagement, now)
        # What was trusted at signing may have gone stale since, or drifted.
        refuse_distrusted(terms.parse(engagement.pact_version.terms), now=now)
        limits.refuse_overexposed(amount=escrow.amount, engagement=engagement, now=now)
        posted = _hold(escrow, milestone, engagement, key)
        _mark_funded(escrow, milestone, posted, now)
        advance(casefiles.locked(Escrow.objects.filter(pk=escrow.pk), now=now), now=now)
    return Escrow.objects.get(pk=opened.pk)


def _replayed(escrow: Escrow, key: str) -> Escrow:
    if escrow.hold and escrow.hold.idempotency_key == key:
        return escrow
    raise EscrowAlreadyFunded("this escrow is funded already")


def _refuse_unfundable(engagement: Engagement, now: datetime) -> None:
    if engagement.state != Engagement.State.ACTIVE:
        raise EngagementNotInForce("both sides sign the engagement before it is funded")
    if engagement.fund_by_at and now > engagement.fund_by_at:
        raise DeadlinePassed("the time to fund this engagement has passed; hire again")


@dataclass(frozen=True, slots=True)
class _Holds:
    """What was posted: the escrow's hold, and the bond's with its account, if one was agreed."""

    escrow: int
    bond: int | None
    bond_account: Account | None


def _hold(escrow: Escrow, milestone: Milestone, engagement: Engagement, key: str) -> _Holds:
    buyer = Place(Account.Kind.PARTY, escrow.currency, engagement.buyer_id)
    builder = Place(Account.Kind.PARTY, escrow.currency, engagement.builder_id)
    accounts = ledger.accounts_at([buyer, builder] if milestone.bond else [buyer])
    price = Posting(
        kind=Transfer.Kind.HOLD,
        key=key,
        sides=ledger.move(source=accounts[buyer], target=escrow.account, amount=escrow.amount),
    )
    if not milestone.bond:
        return _Holds(ledger.post(price).transfer_id, None, None)
    account = ledger.open_account(
        kind=Account.Kind.BOND, currency=escrow.currency, subject=milestone.pk
    )
    staked = Posting(
        kind=Transfer.Kind.BOND_HOLD,
        key=f"bond:{milestone.pk}",
        sides=ledger.move(source=accounts[builder], target=account, amount=milestone.bond),
    )
    try:
        with transaction.atomic():
            held, bonded = ledger.post_batch([price, staked])
    except ledger.InsufficientFunds:
        _say_if_uncovered(accounts[builder], milestone.bond)
        raise
    return _Holds(held.transfer_id, bonded.transfer_id, account)


def _say_if_uncovered(builder: Account, bond: int) -> None:
    """Whose balance was short? Read after the refusal, so no account is locked out of order."""
    balance = ledger.balance_of(builder)
    if balance < bond:
        raise BondNotCovered(
            f"the builder agreed to stake {Money(bond, builder.currency_id)} and holds "
            f"{Money(balance, builder.currency_id)}; it must deposit the rest first"
        )


def _mark_funded(escrow: Escrow, milestone: Milestone, held: _Holds, now: datetime) -> None:
    evidence_id = records.funded(escrow=escrow, milestone=milestone, now=now)
    engagements.start_milestone(milestone=milestone, now=now)
    if held.bond and held.bond_account:
        Bond.objects.create(
            escrow=escrow,
            amount=milestone.bond,
            account=held.bond_account,
            hold_id=held.bond,
            held_at=now,
        )
    Escrow.objects.filter(pk=escrow.pk, version=escrow.version).update(
        state=Escrow.State.HELD,
        hold_id=held.escrow,
        funded_at=now,
        funded_evidence_id=evidence_id,
        submit_by_at=milestone.submit_by_at,
        next_action_at=milestone.submit_by_at,
        version=escrow.version + 1,
    )


@retried
def accept(*, escrow: Escrow, by: Party, now: datetime) -> Escrow:
    """The buyer accepts at once: a met verdict pays its earned share, any other pays in full.

    Accepting again changes nothing. If silence or the cure period decided first, that stands.
    Raises NotYourSide, NoVerdictYet, EscrowFrozen, EscrowNotFunded, EscrowAlreadySettled.
    """
    with locked_case(escrow, now) as case:
        _refuse_other_side(by, case.engagement.buyer_id)
        if case.escrow.accepted_at:
            return case.escrow
        refuse_settled(case)
        _refuse_frozen(case)
        _refuse_unjudged(case)
        if isinstance(decide(facts=case.facts, now=now), Final):
            advance([case], now=now)
        else:
            accepted = replace(case, facts=replace(case.facts, accepted_at=now))
            advance([accepted], now=now, changes={"accepted_at": now})
    return case.escrow


@retried
def give_back(*, escrow: Escrow, by: Party, now: datetime) -> Escrow:
    """The builder returns the whole amount to the buyer, whatever the verdict; again is no change.

    Raises NotYourSide, EscrowFrozen, EscrowNotFunded, EscrowAlreadySettled.
    """
    with locked_case(escrow, now) as case:
        _refuse_other_side(by, case.engagement.builder_id)
        if case.escrow.given_back_at:
            return case.escrow
        refuse_settled(case)
        _refuse_frozen(case)
        returned = replace(case, facts=replace(case.facts, given_back_at=now))
        advance([returned], now=now, changes={"given_back_at": now})
    return case.escrow


@retried
def revise(*, escrow: Escrow, by: Party, agent_version: AgentVersion, now: datetime) -> Deliverable:
    """The builder delivers once more in the cure period (or the extension), up to its very end.

    Raises NotYourSide, RevisionNotDue, DeadlinePassed, EscrowFrozen, EscrowAlreadySettled,
    EscrowNotFunded, and `pacts.engagements.RevisionRefused`.
    """
    with locked_case(escrow, now) as case:
        _refuse_other_side(by, case.engagement.builder_id)
        decision = _holding(case, now)
        if decision.code not in ("curing", "not_proved", "extended"):
            raise RevisionNotDue("a revision follows a breach, or a verdict that lacks proof")
        deliverable = engagements.deliver_revision(
            milestone=case.milestone, agent_version=agent_version, now=now
        )
        advance(casefiles.locked(Escrow.objects.filter(pk=case.escrow.pk), now=now), now=now)
    return deliverable


@retried
def dispute(
    *,
    escrow: Escrow,
    party: Party,
    by: User | None,
    ground: Dispute.Ground,
    statement: str,
    now: datetime,
    clauses: Sequence[str] = (),
    rules: Rules = RULES,
) -> Dispute:
    """Either side challenges the verdict while the money waits; the escrow freezes at once.

    `clauses` are the keys of the contested ones; none is all of them. Who lost disputes lately
    sets a deposit aside. Raises NoVerdictYet, DeadlinePassed, EscrowFrozen, EscrowAlreadySettled,
    EscrowNotFunded, DepositNotCovered, and `pacts.disputes.DisputeRefused`.
    """
    with locked_case(escrow, now) as case:
        _holding(case, now)
        _refuse_unjudged(case)
        deposit = filings.due_for(party=party, milestone=case.milestone, now=now, rules=rules)
        opened = disputes.open_dispute(
            milestone=case.milestone,
            party=party,
            by=by,
            ground=ground,
            statement=statement,
            clauses=clauses,
            deposit=deposit,
            rules=rules,
            now=now,
        )
        filings.hold(dispute=opened, party=party, amount=deposit, now=now)
        advance(casefiles.locked(Escrow.objects.filter(pk=case.escrow.pk), now=now), now=now)
    return opened


def why_undisputable(*, escrow: Escrow, now: datetime) -> str | None:
    """Why neither side may dispute as things stand, by the rule that `dispute` itself asks; None
    where it would be taken. Only looks: nothing is locked, written or waited for."""
    try:
        _refuse_unfunded(escrow)
        [case] = casefiles.seen(Escrow.objects.filter(pk=escrow.pk), now=now)
        _holding(case, now)
        _refuse_unjudged(case)
    except EscrowRefused as refusal:
        return str(refusal)
    return None


@contextmanager
def locked_case(escrow: Escrow, now: datetime) -> Iterator[Case]:
    """The case of a funded escrow under its lock, in a transaction. Raises EscrowNotFunded."""
    with transaction.atomic():
        _refuse_unfunded(escrow)
        yield casefiles.locked(Escrow.objects.filter(pk=escrow.pk), now=now)[0]


def _refuse_unfunded(escrow: Escrow) -> None:
    if Escrow.objects.get(pk=escrow.pk).state == Escrow.State.UNFUNDED:
        raise EscrowNotFunded("this escrow is not funded yet")


def _holding(case: Case, now: datetime) -> Decision:
    """What the money waits for, after refusing whatever can no longer be changed."""
    refuse_settled(case)
    _refuse_frozen(case)
    decision = decide(facts=case.facts, now=now)
    if isinstance(decision, Final):
        raise DeadlinePassed("the window for this has closed; the outcome follows")
    return decision


def refuse_settled(case: Case) -> None:
    """Raises EscrowAlreadySettled."""
    if case.escrow.is_final:
        raise EscrowAlreadySettled(f"this escrow was {case.escrow.state} already")


def _refuse_unjudged(case: Case) -> None:
    if not case.facts.deliveries or case.facts.deliveries[-1].verdict is None:
        raise NoVerdictYet("there is no verdict on the last delivery yet")


def _refuse_frozen(case: Case) -> None:
    if case.dispute and case.dispute.is_open:
        raise EscrowFrozen("a dispute is open; the ruling decides")


def _refuse_other_side(by: Party, expected_id: str) -> None:
    if by.pk != expected_id:
        raise NotYourSide("only the other side of this engagement can do that")
