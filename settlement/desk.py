"""The desk's doors: nobody takes, decides or confirms a case they are connected with.

What a person is, was and did is `pacts.disputes`' question; who is behind which party, and who is
paid where, is known here (`settlement.kinship`).
"""

from collections.abc import Sequence
from datetime import datetime

from pacts import disputes
from pacts.disputes import ConflictOfInterest, recuse
from pacts.models import Confirmation, Dispute, Ruling, User
from settlement.kinship import kin_of

__all__ = ["assign", "confirm", "interest_of", "recuse", "refuse_tied", "rule"]

_KIN = (
    "a party you act for, or acted for, is connected with one of the parties (by a person, an "
    "account or a host); somebody else must rule"
)


def interest_of(*, user: User, dispute: Dispute) -> str:
    """Why this user cannot decide the case, in words; "" if nothing speaks against it.

    It does not say by what the parties are connected: that may be somebody's secret.
    """
    return disputes.interest_of(user=user, dispute=dispute) or _of_kin(
        user, disputes.sides_of(dispute)
    )


def refuse_tied(*, user: User, sides: set[str]) -> None:
    """Refuse whoever is connected with one of these parties (ids), by anything known here. Raises
    ConflictOfInterest."""
    if why := disputes.tie_of(user=user, sides=sides) or _of_kin(user, sides):
        raise ConflictOfInterest(why)


def _of_kin(user: User, sides: set[str]) -> str:
    own = disputes.parties_of(user)
    if not own:
        return ""
    towards = any(one.party_id in own for side in sides for one in kin_of(party_id=side))
    away = any(one.party_id in sides for party in own for one in kin_of(party_id=party))
    return _KIN if towards or away else ""


def _refuse_kin(user: User, dispute: Dispute) -> None:
    if disputes.has_interest(user=user, dispute=dispute):
        return  # the door behind says why
    if why := _of_kin(user, disputes.sides_of(dispute)):
        raise ConflictOfInterest(why)


def assign(*, dispute: Dispute, adjudicator: User, now: datetime) -> Dispute:
    """As `pacts.disputes.assign`, and refuses whoever is connected with a side."""
    _refuse_kin(adjudicator, dispute)
    return disputes.assign(dispute=dispute, adjudicator=adjudicator, now=now)


def rule(
    *,
    dispute: Dispute,
    adjudicator: User,
    award_bps: int,
    clauses: Sequence[str],
    reasons: str,
    now: datetime,
) -> Ruling:
    """As `pacts.disputes.rule`, and refuses whoever is connected with a side."""
    _refuse_kin(adjudicator, dispute)
    return disputes.rule(
        dispute=dispute,
        adjudicator=adjudicator,
        award_bps=award_bps,
        clauses=clauses,
        reasons=reasons,
        now=now,
    )


def confirm(
    *, dispute: Dispute, adjudicator: User, confirmed: bool, now: datetime, reasons: str = ""
) -> Confirmation:
    """As `pacts.disputes.confirm`, and refuses whoever is connected with a side."""
    _refuse_kin(adjudicator, dispute)
    return disputes.confirm(
        dispute=dispute, adjudicator=adjudicator, confirmed=confirmed, reasons=reasons, now=now
    )
