"""What whoever files a dispute sets aside, and what becomes of it.

A clean record files for nothing; who lost disputes lately sets a share of the amount aside
(`pacts.procedure.limits`). It goes to the other side if the dispute is lost, and back otherwise.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from pacts.disputes import lost_lately
from pacts.models import Dispute, Milestone, Party
from pacts.procedure import limits
from pacts.procedure.limits import RULES, Rules
from reputation import evidence
from settlement import ledger
from settlement.ledger import Place, Posting
from settlement.models import Account, FilingDeposit, Transfer
from settlement.money import Money
from settlement.refusals import DepositNotCovered


def due_for(*, party: Party, milestone: Milestone, now: datetime, rules: Rules = RULES) -> int:
    """What this party would set aside for disputing this milestone now, in minor units."""
    lost = lost_lately(party=party, now=now, rules=rules)
    return limits.deposit(amount=milestone.amount, lost=lost, rules=rules)


def hold(*, dispute: Dispute, party: Party, amount: int, now: datetime) -> FilingDeposit | None:
    """Set it aside, in the transaction that opens the dispute. Raises DepositNotCovered."""
    if not amount:
        return None
    currency = dispute.milestone.engagement.currency
    account = ledger.open_account(kind=Account.Kind.FILING, currency=currency, subject=dispute.pk)
    own = ledger.party_account(party=party, currency=currency)
    posting = Posting(
        kind=Transfer.Kind.FILING_HOLD,
        key=f"filing:{dispute.pk}",
        sides=ledger.move(source=own, target=account, amount=amount),
    )
    try:
        with transaction.atomic():
            posted = ledger.post(posting)
    except ledger.InsufficientFunds:
        raise DepositNotCovered(
            f"after the disputes you lost, this one needs a deposit of {Money(amount, currency)}; "
            "it returns to you unless you lose this one too. Deposit it first"
        ) from None
    return FilingDeposit.objects.create(
        dispute=dispute,
        party=party,
        currency=currency,
        amount=amount,
        account=account,
        hold_id=posted.transfer_id,
        held_at=now,
    )


def held_for(disputes: Sequence[str]) -> dict[str, FilingDeposit]:
    """Deposits still held, by dispute."""
    if not disputes:
        return {}
    rows = FilingDeposit.objects.filter(dispute__in=disputes, state=FilingDeposit.State.HELD)
    return {row.dispute_id: row for row in rows.select_related("account")}


def is_forfeited(deposit: FilingDeposit, dispute: Dispute) -> bool:
    """Whether the side that filed is the side the closed dispute went against."""
    engagement = dispute.milestone.engagement
    filed_by = "buyer" if deposit.party_id == engagement.buyer_id else "builder"
    return dispute.lost_by == filed_by


def place_of(deposit: FilingDeposit, dispute: Dispute) -> Place:
    """Whose it is now."""
    owner = deposit.party_id
    if is_forfeited(deposit, dispute):
        engagement = dispute.milestone.engagement
        sides = {engagement.buyer_id, engagement.builder_id}
        (owner,) = sides - {deposit.party_id}
    return Place(Account.Kind.PARTY, deposit.currency, owner)


def posting_of(deposit: FilingDeposit, dispute: Dispute, target: Account) -> Posting:
    """The movement that ends it."""
    forfeited = is_forfeited(deposit, dispute)
    return Posting(
        kind=Transfer.Kind.FILING_FORFEITED if forfeited else Transfer.Kind.FILING_RETURNED,
        key=f"filing:{deposit.dispute_id}:end",
        sides=ledger.move(source=deposit.account, target=target, amount=deposit.amount),
        resolves=deposit.hold_id,
    )


def end(deposit: FilingDeposit, dispute: Dispute, *, transfer_id: int, now: datetime) -> None:
    """Store the end beside the transfer that made it."""
    forfeited = is_forfeited(deposit, dispute)
    deposit.state = FilingDeposit.State.FORFEITED if forfeited else FilingDeposit.State.RETURNED
    deposit.resolution_id, deposit.ended_at = transfer_id, now
    deposit.save(update_fields=["state", "resolution", "ended_at"])
    evidence.append(
        kind="filing.ended",
        subjects={
            "dispute": dispute.pk,
            "party": deposit.party_id,
            "engagement": dispute.milestone.engagement_id,
        },
        facts={
            "outcome": deposit.state,
            "deposit": deposit.amount,
            "currency": deposit.currency,
        },
        at=now,
        dedupe_key=f"filing.ended:{dispute.pk}",
    )


def return_ended(*, now: datetime, limit: int = 100) -> int:
    """End deposits of disputes that closed without money moving: those taken back."""
    late = FilingDeposit.objects.filter(
        state=FilingDeposit.State.HELD, dispute__state=Dispute.State.CLOSED
    )
    return sum(_return(deposit_id, now) for deposit_id in late.values_list("pk", flat=True)[:limit])


def _return(deposit_id: str, now: datetime) -> bool:
    with transaction.atomic():
        deposit = (
            FilingDeposit.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
            .select_related("account", "dispute__milestone__engagement")
            .filter(pk=deposit_id, state=FilingDeposit.State.HELD)
            .first()
        )
        if deposit is None or deposit.dispute.is_open:
            return False
        place = place_of(deposit, deposit.dispute)
        target = ledger.accounts_at([place])[place]
        posted = ledger.post(posting_of(deposit, deposit.dispute, target))
        end(deposit, deposit.dispute, transfer_id=posted.transfer_id, now=now)
    return True
