"""Carrying out final decisions, one or a hundred at a time: the same few statements for all.

Order matters: engagements are locked, disputes are closed (which says whose a deposit is), money
is posted, bonds and deposits end, escrows are stored, receipts are signed over what is stored,
evidence names the receipts, a ruling becomes a precedent. All of it is one transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from pacts import disputes
from pacts.disputes import precedents
from pacts.models import Dispute
from pacts.procedure import clocks
from settlement import engagements, filings, ledger, receipts, records
from settlement.casefiles import Case
from settlement.decisions import Final, unchallenged
from settlement.ledger import Place, Posted, Posting, Side
from settlement.models import Account, Bond, Escrow, FilingDeposit, Transfer

_KINDS = {
    "released": Transfer.Kind.RELEASE,
    "refunded": Transfer.Kind.REFUND,
    "split": Transfer.Kind.SPLIT,
}


class EscrowChanged(RuntimeError):
    """Somebody changed the escrow in spite of its lock."""


@dataclass(slots=True)
class Outcome:
    """One case, how it ends, and what else its escrow will store."""

    case: Case
    decision: Final
    changes: dict[str, Any] = field(default_factory=dict)


def conclude(outcomes: Sequence[Outcome], *, now: datetime) -> None:
    """End these escrows, whose locks the caller holds. Raises what `ledger.post_batch` raises."""
    touched = engagements.locked([outcome.case.engagement.pk for outcome in outcomes])
    closed = _close_disputes(outcomes, now)
    deposits = filings.held_for([dispute.pk for dispute in closed])
    posted = _post(outcomes, closed, deposits)
    _end_bonds(outcomes, posted, now)
    for dispute in closed:
        if deposit := deposits.get(dispute.pk):
            transfer_id = posted[f"filing:{dispute.pk}:end"].transfer_id
            filings.end(deposit, dispute, transfer_id=transfer_id, now=now)
    _store_all(outcomes, posted, now)
    settled = [(outcome.case, outcome.decision) for outcome in outcomes]
    issued = receipts.issue_all(settled=settled, now=now)
    records.settled(settled=settled, issued=issued, now=now)
    for dispute in closed:
        precedents.publish(dispute=dispute, now=now)
    engagements.close_finished(touched, now=now)


# How a dispute is closed that is open when its money moves.
_CLOSED_BY: dict[str, clocks.Outcome] = {
    "ruled": "ruled",
    "appeal_unheard": "ruled",
    "unanswered_by_buyer": "defaulted",
    "unanswered_by_builder": "defaulted",
    "dispute_unruled": "unruled",
    "agreed": "settled",
}


def _close_disputes(outcomes: Sequence[Outcome], now: datetime) -> list[Dispute]:
    """Those that are open still: by a ruling that stands, a silence, or an agreement."""
    closed = []
    for outcome in outcomes:
        case, decision = outcome.case, outcome.decision
        if case.dispute is None or not case.dispute.is_open:
            continue
        disputes.close(
            dispute=case.dispute,
            docket=clocks.look(case.dispute.docket, now=now),
            outcome=_CLOSED_BY[decision.code],
            share_bps=decision.share_bps,
            measured_bps=unchallenged(case.facts),
            now=now,
        )
        closed.append(case.dispute)
    return closed


def store(escrow: Escrow, changes: dict[str, Any]) -> None:
    """Compare and set: the lock makes it sure, the version makes it impossible otherwise."""
    if all(getattr(escrow, name) == value for name, value in changes.items()):
        return
    stored = Escrow.objects.filter(pk=escrow.pk, version=escrow.version).update(
        **changes, version=escrow.version + 1
    )
    if not stored:
        raise EscrowChanged(f"{escrow.pk} changed while it was locked")
    _show(escrow, changes)


def _show(escrow: Escrow, changes: dict[str, Any]) -> None:
    for name, value in changes.items():
        setattr(escrow, name, value)
    escrow.version += 1


def _post(
    outcomes: Sequence[Outcome],
    closed: Sequence[Dispute],
    deposits: Mapping[str, FilingDeposit],
) -> dict[str, Posted]:
    """Every movement of these outcomes in one statement; by its key."""
    ending = [(deposits[one.pk], one) for one in closed if one.pk in deposits]
    places = [place for one in outcomes for place in _places(one.case, one.decision)]
    accounts = ledger.accounts_at([*places, *(filings.place_of(*one) for one in ending)])
    postings = [_posting(one.case, one.decision, accounts) for one in outcomes]
    postings += [
        _bond_posting(one.case, bond, one.decision, accounts)
        for one in outcomes
        if (bond := one.case.bond)
    ]
    postings += [filings.posting_of(*one, accounts[filings.place_of(*one)]) for one in ending]
    if len(postings) == 1:
        return {postings[0].key: ledger.post(postings[0])}
    keys = [posting.key for posting in postings]
    return dict(zip(keys, ledger.post_batch(postings), strict=True))


def _places(case: Case, decision: Final) -> list[Place]:
    currency, engagement, division = case.escrow.currency, case.engagement, decision.division
    places = []
    if division.released or case.bond:
        places.append(Place(Account.Kind.PARTY, currency, engagement.builder_id))
    if division.refunded or case.bond:
        places.append(Place(Account.Kind.PARTY, currency, engagement.buyer_id))
    if division.fee:
        places.append(Place(Account.Kind.FEES, currency))
    return places


def _posting(case: Case, decision: Final, accounts: dict[Place, Account]) -> Posting:
    escrow, engagement, division = case.escrow, case.engagement, decision.division
    shares = [
        (division.released, Place(Account.Kind.PARTY, escrow.currency, engagement.builder_id)),
        (division.fee, Place(Account.Kind.FEES, escrow.currency)),
        (division.refunded, Place(Account.Kind.PARTY, escrow.currency, engagement.buyer_id)),
    ]
    return Posting(
        kind=_KINDS[decision.state],
        key=f"settle:{escrow.pk}",
        sides=(
            Side(escrow.account, -escrow.amount),
            *(Side(accounts[place], amount) for amount, place in shares if amount),
        ),
        resolves=escrow.hold_id,
    )


def _bond_posting(
    case: Case, bond: Bond, decision: Final, accounts: dict[Place, Account]
) -> Posting:
    slashed, engagement = decision.slashes_bond, case.engagement
    owner = engagement.buyer_id if slashed else engagement.builder_id
    target = accounts[Place(Account.Kind.PARTY, case.escrow.currency, owner)]
    return Posting(
        kind=Transfer.Kind.BOND_SLASHED if slashed else Transfer.Kind.BOND_RETURNED,
        key=f"bond:{bond.pk}:end",
        sides=ledger.move(source=bond.account, target=target, amount=bond.amount),
        resolves=bond.hold_id,
    )


def _end_bonds(outcomes: Sequence[Outcome], posted: dict[str, Posted], now: datetime) -> None:
    for outcome in outcomes:
        if bond := outcome.case.bond:
            slashed = outcome.decision.slashes_bond
            bond.state = Bond.State.SLASHED if slashed else Bond.State.RETURNED
            bond.resolution_id = posted[f"bond:{bond.pk}:end"].transfer_id
            bond.ended_at = now
            bond.save(update_fields=["state", "resolution", "ended_at"])


# One statement for all; a row that changed in spite of its lock is missing from the answer.
_STORE = """
    UPDATE settlement_escrow e
       SET state = u.state, resolution_id = u.resolution, reason = u.reason,
           verdict_id = u.verdict, timeout = u.timeout, fault = u.fault,
           earned_share_bps = u.share, released = u.released, refunded = u.refunded, fee = u.fee,
           accepted_at = u.accepted_at, given_back_at = u.given_back_at,
           agreed_at = u.agreed_at, agreed_share_bps = u.agreed_share,
           next_action_at = NULL, settled_at = %s, version = e.version + 1
      FROM unnest(
           %s::text[], %s::int[], %s::text[], %s::bigint[], %s::text[], %s::text[], %s::text[],
           %s::text[], %s::int[], %s::bigint[], %s::bigint[], %s::bigint[],
           %s::timestamptz[], %s::timestamptz[], %s::timestamptz[], %s::int[])
        AS u (id, version, state, resolution, reason, verdict, timeout, fault, share, released,
              refunded, fee, accepted_at, given_back_at, agreed_at, agreed_share)
     WHERE e.id = u.id AND e.version = u.version
"""
_BESIDES = ("accepted_at", "given_back_at", "agreed_at", "agreed_share_bps")


def _store_all(outcomes: Sequence[Outcome], posted: dict[str, Posted], now: datetime) -> None:
    rows = [_row(one, posted[f"settle:{one.case.escrow.pk}"].transfer_id) for one in outcomes]
    columns = [[row[name] for row in rows] for name in rows[0]]
    with connection.cursor() as cursor:
        cursor.execute(_STORE, [now, *columns])
        stored = cursor.rowcount
    if stored != len(outcomes):
        raise EscrowChanged(f"{len(outcomes) - stored} escrows changed while they were locked")
    for outcome, row in zip(outcomes, rows, strict=True):
        changes = {name: value for name, value in row.items() if name not in ("id", "version")}
        _show(outcome.case.escrow, changes | {"next_action_at": None, "settled_at": now})
        outcome.case.escrow.verdict = outcome.case.verdict


def _row(outcome: Outcome, transfer_id: int) -> dict[str, Any]:
    escrow, decision, verdict = outcome.case.escrow, outcome.decision, outcome.case.verdict
    row: dict[str, Any] = {
        "id": escrow.pk,
        "version": escrow.version,
        "state": decision.state,
        "resolution_id": transfer_id,
        "reason": decision.code,
        "verdict_id": verdict.pk if verdict else None,
        "timeout": decision.timeout,
        "fault": decision.fault,
        "earned_share_bps": decision.share_bps,
        "released": decision.division.released,
        "refunded": decision.division.refunded,
        "fee": decision.division.fee,
    }
    return row | {name: outcome.changes.get(name, getattr(escrow, name)) for name in _BESIDES}
