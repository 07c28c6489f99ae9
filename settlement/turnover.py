"""What an agent's settled hires came to in money, and what its builder staked on them.

Figures beside a standing and in no number of it: money moved says that somebody paid, not that the
work was good.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, Sum

from settlement.models import FINAL, Bond, Escrow

_OPEN = (Escrow.State.HELD, Escrow.State.WITHHELD, Escrow.State.FROZEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turnover:
    """One agent in one currency, in minor units.

    `settled` is what buyers set aside for the `hires` that had their outcome: it went to the
    builder (`earned`, the platform's fee included) or back (`returned`). `held` is in escrow now.
    Bonds: `staked` now, and `slashed`, which went to buyers.
    """

    currency: str
    hires: int = 0
    settled: int = 0
    earned: int = 0
    returned: int = 0
    held: int = 0
    staked: int = 0
    slashed: int = 0


def turnover_of(*, agent_id: str) -> list[Turnover]:
    """Every currency the agent's escrows were in, by its code; in two queries."""
    escrows = Escrow.objects.filter(milestone__engagement__agent_version__agent=agent_id)
    done, open_now = Q(state__in=FINAL), Q(state__in=_OPEN)
    rows = escrows.exclude(state=Escrow.State.UNFUNDED).order_by("currency").values("currency")
    sums = rows.annotate(
        hires=Count("pk", filter=done),
        settled=Sum("amount", filter=done, default=0),
        paid=Sum("released", filter=done, default=0),
        fees=Sum("fee", filter=done, default=0),
        returned=Sum("refunded", filter=done, default=0),
        held=Sum("amount", filter=open_now, default=0),
    )
    bonds = {
        row["escrow__currency"]: row
        for row in Bond.objects.filter(escrow__in=escrows)
        .order_by()
        .values("escrow__currency")
        .annotate(
            staked=Sum("amount", filter=Q(state=Bond.State.HELD), default=0),
            slashed=Sum("amount", filter=Q(state=Bond.State.SLASHED), default=0),
        )
    }
    return [_turnover(row, bonds.get(row["currency"], {})) for row in sums]


def _turnover(row: Mapping[str, Any], bonds: Mapping[str, Any]) -> Turnover:
    return Turnover(
        currency=row["currency"],
        hires=row["hires"],
        settled=int(row["settled"]),
        earned=int(row["paid"] + row["fees"]),
        returned=int(row["returned"]),
        held=int(row["held"]),
        staked=int(bonds.get("staked", 0)),
        slashed=int(bonds.get("slashed", 0)),
    )
