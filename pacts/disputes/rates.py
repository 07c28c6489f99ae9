"""How often a party disputes, how often it is right, and how often an adjudicator is overturned.

Counts of rows; rates are basis points, None where there is nothing to divide by.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Q, QuerySet

from pacts.models import Dispute, Milestone, Party, Ruling, User
from pacts.procedure.limits import RULES, Rules

WHOLE = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyRates:
    """A party on one side. `cases` are milestones that were funded; `filed` those it disputed,
    `against` those the other side did; `won` and `lost` are its own disputes that somebody won.

    `overturned` counts disputes, of either side, that ended with another share than the verdict's,
    among `ruled`.
    """

    cases: int
    filed: int
    against: int
    won: int
    lost: int
    ruled: int
    overturned: int

    @property
    def dispute_bps(self) -> int | None:
        return _rate(self.filed, self.cases)

    @property
    def upheld_bps(self) -> int | None:
        return _rate(self.won, self.won + self.lost)

    @property
    def overturn_bps(self) -> int | None:
        return _rate(self.overturned, self.ruled)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdjudicatorRates:
    """`rulings` of a first look, `appealed` of them, and `overturned`: the appeal awarded another
    share. `declined` are those a second person did not confirm."""

    rulings: int
    appealed: int
    overturned: int
    declined: int

    @property
    def appeal_bps(self) -> int | None:
        return _rate(self.appealed, self.rulings)

    @property
    def overturn_bps(self) -> int | None:
        return _rate(self.overturned, self.appealed)


def of_buyer(party: Party) -> PartyRates:
    """A party's disputes as a buyer."""
    return _of_party(party, "buyer")


def of_builder(party: Party) -> PartyRates:
    """A party's disputes as a builder."""
    return _of_party(party, "builder")


def _of_party(party: Party, side: str) -> PartyRates:
    other = "builder" if side == "buyer" else "buyer"
    cases = Milestone.objects.filter(**{f"engagement__{side}": party}, started_at__isnull=False)
    disputes = _filed(Dispute.objects.filter(milestone__in=cases))
    own = disputes.filter(opened_by=party)
    ruled = disputes.filter(
        outcome__in=[Dispute.Outcome.RULED, Dispute.Outcome.DEFAULTED],
        share_bps__isnull=False,
        measured_bps__isnull=False,
    )
    return PartyRates(
        cases=cases.count(),
        filed=own.count(),
        against=disputes.exclude(opened_by=party).count(),
        won=own.filter(lost_by=other).count(),
        lost=own.filter(lost_by=side).count(),
        ruled=ruled.count(),
        overturned=ruled.exclude(share_bps=F("measured_bps")).count(),
    )


def _filed(rows: QuerySet[Dispute]) -> QuerySet[Dispute]:
    return rows.exclude(opened_by=None)


def of_adjudicator(user: User) -> AdjudicatorRates:
    """A person's first rulings, and what became of them."""
    made = Ruling.objects.filter(adjudicator=user, level=1)
    appealed = made.filter(dispute__level=2).exclude(confirmation__confirmed=False)
    final = appealed.filter(dispute__ruling__level=2)
    return AdjudicatorRates(
        rulings=made.count(),
        appealed=appealed.count(),
        overturned=final.exclude(award_bps=F("dispute__ruling__award_bps")).count(),
        declined=made.filter(confirmation__confirmed=False).count(),
    )


def lost_lately(*, party: Party, now: datetime, rules: Rules = RULES) -> int:
    """How many disputes the party filed, and lost, in the window that limits and deposits see."""
    lost = Q(lost_by="buyer", milestone__engagement__buyer=party) | Q(
        lost_by="builder", milestone__engagement__builder=party
    )
    since = now - rules.lost_window
    return Dispute.objects.filter(lost, opened_by=party, closed_at__gte=since).count()


def _rate(part: int, whole: int) -> int | None:
    return WHOLE * part // whole if whole else None
