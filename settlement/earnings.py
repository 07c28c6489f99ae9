"""What a builder earned, by agent, by month and by hire, read off the ledger's own entries.

A hire pays through the transfer that resolved its escrow, or through a metered budget's draws. Each
such transfer has one entry on the builder's account (`released`), one on the platform's (`fee`) and
one on the buyer's (`refunded`), where they are not zero; the figures here are sums of those entries
and nothing else. `checks` holds them against the rows that told the parties (escrows and meters):
both must say the same, to the unit.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Sum, When
from django.db.models.functions import TruncMonth

from pacts.models import Engagement, Party
from settlement.fees import apportion, bands_of
from settlement.models import FINAL, Account, Entry, Escrow, Meter, MeterMovement
from settlement.shares import WHOLE

_RESOLVED = "transfer__resolved_escrow__milestone__engagement"
_METERED = "transfer__meter_movement__meter__engagement"
_AGENT = "agent_version__agent"
SIDES = ("released", "fee", "refunded")
_PAYING = (
    MeterMovement.Kind.DRAW,
    MeterMovement.Kind.HOLDBACK,
    MeterMovement.Kind.RETURN,
)
OPEN = (Escrow.State.HELD, Escrow.State.WITHHELD, Escrow.State.FROZEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Earned:
    """One group in one currency, in minor units. `key` is an agent's id, a hire's, or empty;
    `name` says it for people, `month` is its first day where months are asked for."""

    currency: str
    released: int
    fee: int
    refunded: int
    key: str = ""
    name: str = ""
    month: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """An escrow that is not decided: `amount` is set aside, `net` what of it comes to the builder
    if everything is earned, and `by` the latest moment at which something is decided about it."""

    escrow: Escrow
    agent: str
    engagement_id: str
    currency: str
    amount: int
    net: int
    state: str
    by: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """A metered hire that runs: what it paid so far, what waits for its end or for a decision."""

    meter: Meter
    agent: str
    currency: str
    paid: int
    held_back: int
    withheld: int
    available: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One currency: what the ledger's entries add up to, and what escrows and meters told."""

    currency: str
    booked: tuple[int, int, int]
    told: tuple[int, int, int]

    @property
    def holds(self) -> bool:
        return self.booked == self.told


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """Everything a party earned, by month, agent and currency: read once, added up as asked."""

    lines: tuple[Earned, ...]

    @property
    def totals(self) -> list[Earned]:
        """One line a currency."""
        return self._added(lambda one: replace(one, key="", name="", month=None))

    @property
    def by_agent(self) -> list[Earned]:
        """By agent and currency, by name."""
        found = self._added(lambda one: replace(one, month=None))
        return sorted(found, key=lambda one: (one.name, one.currency))

    @property
    def by_month(self) -> list[Earned]:
        """By the month (UTC) in which it was booked, newest first."""
        found = self._added(lambda one: replace(one, key="", name=""))
        return sorted(found, key=lambda one: (one.month or date.min, one.currency), reverse=True)

    def _added(self, blurred: Callable[[Earned], Earned]) -> list[Earned]:
        groups: dict[Earned, list[Earned]] = defaultdict(list)
        for one in self.lines:
            groups[replace(blurred(one), released=0, fee=0, refunded=0)].append(one)
        found = [
            replace(
                group,
                released=sum(one.released for one in added),
                fee=sum(one.fee for one in added),
                refunded=sum(one.refunded for one in added),
            )
            for group, added in groups.items()
        ]
        return sorted(found, key=lambda one: one.currency)


def books_of(party: Party) -> Books:
    """What the party earned so far; as many lines as its agents had months."""
    named = {"month": "", "key": f"{_AGENT}__pk", "name": f"{_AGENT}__name"}
    return Books(lines=tuple(_grouped(_entries(party), party, named)))


def hires(party: Party) -> QuerySet[Engagement]:
    """The party's hires of which something was decided or drawn, the newest first."""
    decided = Escrow.objects.filter(milestone__engagement=OuterRef("pk"), resolution__isnull=False)
    drawn = MeterMovement.objects.filter(meter__engagement=OuterRef("pk"), kind__in=_PAYING)
    rows = Engagement.objects.filter(Exists(decided) | Exists(drawn), builder=party)
    return rows.order_by("-id")


def of_hires(party: Party, engagements: Iterable[Engagement]) -> list[Earned]:
    """What these hires of the party brought, a line each, the newest first."""
    asked = [one.pk for one in engagements]
    entries = [(path, rows.filter(**{f"{path}__in": asked})) for path, rows in _entries(party)]
    found = _grouped(entries, party, {"key": "pk", "name": f"{_AGENT}__name"})
    return sorted(found, key=lambda one: one.key, reverse=True)


def _grouped(
    found_at: "list[tuple[str, QuerySet[Entry]]]", party: Party, by: Mapping[str, str]
) -> list[Earned]:
    """The sums by currency and by what is named: fields of the engagement, or `month`."""
    groups: dict[tuple[Any, ...], list[int]] = {}
    for path, entries in found_at:
        for row in _sums(party, path, entries, by):
            key = (row["currency"], *(row[f"by_{name}"] for name in by))
            found = groups.setdefault(key, [0, 0, 0])
            for place, side in enumerate(SIDES):
                found[place] += int(row[side])
    return [_earned(key, sums, by) for key, sums in groups.items() if any(sums)]


def _entries(party: Party) -> list[tuple[str, QuerySet[Entry]]]:
    """Every entry of the transfers by which the party's hires ended, and of those by which budgets
    paid; each with the way to its engagement."""
    rows = Entry.objects.order_by()
    metered = {
        f"{_METERED}__builder": party,
        "transfer__meter_movement__kind__in": _PAYING,
    }
    return [
        (_RESOLVED, rows.filter(**{f"{_RESOLVED}__builder": party})),
        (_METERED, rows.filter(**metered)),
    ]


def _sums(
    party: Party, path: str, entries: QuerySet[Entry], by: Mapping[str, str]
) -> Iterable[Mapping[str, Any]]:
    own = Q(account__kind=Account.Kind.PARTY, account__owner=party)
    sides = {
        "released": own,
        "fee": Q(account__kind=Account.Kind.FEES),
        "refunded": Q(account__kind=Account.Kind.PARTY) & ~Q(account__owner=party),
    }
    named: dict[str, Any] = {
        f"by_{name}": TruncMonth("transfer__posted_at", tzinfo=UTC)
        if name == "month"
        else F(f"{path}__{place}")
        for name, place in by.items()
    }
    sums = {
        side: Sum(Case(When(where, then=F("amount")), default=0)) for side, where in sides.items()
    }
    rows: Iterable[Mapping[str, Any]] = (
        entries.annotate(**named).values("currency", *named).annotate(**sums)
    )
    return rows


def _earned(key: tuple[Any, ...], sums: Sequence[int], by: Iterable[str]) -> Earned:
    currency, *values = key
    said = dict(zip(by, values, strict=True))
    if isinstance(said.get("month"), datetime):
        said["month"] = said["month"].date()
    return Earned(currency=currency, released=sums[0], fee=sums[1], refunded=sums[2], **said)


def checks(party: Party, books: Books) -> list[Check]:
    """The entries held against the escrows and meters of the party's hires, per currency."""
    booked = {one.currency: (one.released, one.fee, one.refunded) for one in books.totals}
    told = _told(party)
    return [
        Check(
            currency=code,
            booked=booked.get(code, (0, 0, 0)),
            told=told.get(code, (0, 0, 0)),
        )
        for code in sorted({*booked, *told})
    ]


def _told(party: Party) -> dict[str, tuple[int, int, int]]:
    escrows = Escrow.objects.filter(milestone__engagement__builder=party, state__in=FINAL)
    meters = Meter.objects.filter(engagement__builder=party)
    named = (
        (escrows, ("released", "fee", "refunded")),
        (meters, ("paid", "fees", "returned")),
    )
    told: dict[str, tuple[int, int, int]] = {}
    for rows, columns in named:
        sums = {f"sum_{name}": Sum(name) for name in columns}
        found: Iterable[Any] = rows.order_by().values("currency").annotate(**sums)
        for row in found:
            before = told.get(row["currency"], (0, 0, 0))
            added = [int(row[f"sum_{name}"] or 0) for name in columns]
            told[row["currency"]] = (
                before[0] + added[0],
                before[1] + added[1],
                before[2] + added[2],
            )
    return {code: sums for code, sums in told.items() if any(sums)}


def undecided(party: Party) -> QuerySet[Escrow]:
    """Escrows of the party's hires that are not decided, the next decision first."""
    held = Escrow.objects.filter(milestone__engagement__builder=party, state__in=OPEN)
    rows = held.select_related("milestone__engagement__agent_version__agent")
    return rows.order_by("next_action_at", "id")


def expected(escrows: Iterable[Escrow]) -> list[Expected]:
    """What comes of escrows of `undecided`, in their order."""
    return [_expected(row) for row in escrows]


def _expected(escrow: Escrow) -> Expected:
    engagement = escrow.milestone.engagement
    whole = apportion(
        amount=escrow.amount,
        share_bps=WHOLE,
        fee_bps=escrow.fee_bps,
        fee_bands=bands_of(escrow.fee_bands),
    )
    return Expected(
        escrow=escrow,
        agent=engagement.agent_version.agent.name,
        engagement_id=engagement.id,
        currency=escrow.currency,
        amount=escrow.amount,
        net=whole.released,
        state=escrow.state,
        by=escrow.next_action_at,
    )


def budgets(party: Party, *, limit: int) -> list[Budget]:
    """The newest metered hires of the party that hold money, the newest first."""
    running = Meter.objects.filter(engagement__builder=party).exclude(
        state__in=[Meter.State.UNFUNDED, Meter.State.ENDED]
    )
    return [
        Budget(
            meter=meter,
            agent=meter.agent.name,
            currency=meter.currency,
            paid=meter.paid,
            held_back=meter.held_back,
            withheld=meter.withheld,
            available=meter.available,
        )
        for meter in running.select_related("agent").order_by("-id")[:limit]
    ]
