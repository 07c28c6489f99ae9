"""A dispute as both faces show it: who may see it, its clocks, its queue, what an award is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.db import transaction
from django.db.models import (
    Case,
    DurationField,
    FloatField,
    Func,
    IntegerField,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Now

from marketplace import policy
from marketplace.acting import Acting
from marketplace.models import AgreementReport
from pacts import disputes
from pacts.disputes import precedents
from pacts.judges import agreement
from pacts.models import Dispute, Exhibit, Milestone, Party, Precedent, User
from pacts.procedure import clocks
from pacts.procedure.clocks import BEFORE_A_RULING, SILENCES, Docket, takes_exhibits
from reputation.canonical import sha256
from settlement import bonds, desk, escrow, fees
from settlement.fees import Division, bands_of
from settlement.models import Escrow

Whose = Literal["buyer", "builder", "both sides", "the platform", "an adjudicator"]

_TITLES = {
    "opened": "Answer",
    "negotiating": "Negotiation",
    "evidence_open": "Evidence",
    "evidence_locked": "Second check of the stored answers",
    "under_review": "Ruling",
    "ruled": "Confirmation by a second person",
    "challenge_window": "Challenge of the ruling",
    "appealed": "Ruling on the appeal",
}
_WHOSE: dict[str, Whose] = {
    "negotiating": "both sides",
    "evidence_open": "both sides",
    "evidence_locked": "the platform",
    "under_review": "an adjudicator",
    "ruled": "an adjudicator",
    "challenge_window": "both sides",
    "appealed": "an adjudicator",
}
WHOLE = 10_000
LARGEST_FILE = 8_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """One deadline: `silence` says what happens when it passes and nobody acted."""

    name: str
    what: str
    whose: Whose
    due_at: datetime
    silence: str
    share_bps: int | None = None  # what the builder then has; None where no money moves yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Award:
    """What a share comes to, in minor units; `bond_to` is "" where none was staked."""

    share_bps: int
    division: Division
    currency: str
    bond: int
    bond_to: Literal["", "buyer", "builder"]


def rows() -> QuerySet[Dispute]:
    """Disputes with what every face shows of them."""
    return Dispute.objects.select_related(
        *("opened_by", "ruling__adjudicator", "assigned_to", "verdict", "milestone__escrow"),
        *("milestone__engagement__buyer", "milestone__engagement__builder"),
        *("milestone__engagement__agent_version__agent", "milestone__engagement__pact_version"),
    )


def seen_by(acting: Acting | None) -> QuerySet[Dispute]:
    """All of them for adjudicators, those of one's engagements for a party."""
    if acting is None:
        return Dispute.objects.none()
    if acting.user.is_adjudicator:
        return rows()
    return of_party(acting.party)


def of_party(party: Party | None) -> QuerySet[Dispute]:
    """The disputes of a party's engagements, on either side."""
    sides = Q(milestone__engagement__buyer=party) | Q(milestone__engagement__builder=party)
    return rows().filter(sides) if party else rows().none()


def docket_of(dispute: Dispute, *, now: datetime) -> Docket:
    """Where it stands now, whether or not a sweep has stored that yet."""
    return clocks.look(dispute.docket, now=now)


def clocks_of(dispute: Dispute, *, now: datetime) -> list[Clock]:
    """Every deadline ahead, the nearest first; none once it is closed."""
    docket = docket_of(dispute, now=now)
    if not docket.is_open:
        return []
    found = [_own_clock(docket), *_beside(docket)]
    if docket.state in BEFORE_A_RULING and docket.due_at < docket.backstop_at:
        found.append(
            Clock(
                name="backstop",
                what="Backstop",
                whose="an adjudicator",
                due_at=docket.backstop_at,
                silence=SILENCES["under_review"].meaning,
                share_bps=0,
            )
        )
    return sorted(found, key=lambda one: one.due_at)


def _own_clock(docket: Docket) -> Clock:
    whose = docket.owing or "both sides" if docket.state == "opened" else _WHOSE[docket.state]
    return Clock(
        name=docket.state,
        what=_TITLES[docket.state],
        whose=whose,
        due_at=docket.due_at,
        silence=SILENCES[docket.state].meaning,
        share_bps=_if_silent(docket),
    )


def _if_silent(docket: Docket) -> int | None:
    """The builder's share if nobody acts until this state's deadline, as settlement decides it."""
    match docket.state:
        case "opened":
            return 0 if docket.owing == "builder" else WHOLE
        case "challenge_window" | "appealed":
            return docket.award_bps
        case "ruled" if docket.level > 1:
            return docket.award_bps
        case "ruled" | "under_review":
            return 0
    return None


def _beside(docket: Docket) -> list[Clock]:
    """The desk's own target, and until when an appeal takes evidence."""
    found = []
    if docket.state == "under_review" and clocks.rule_by(docket) < docket.due_at:
        found.append(
            Clock(
                name="rule_by",
                what="The desk should have ruled",
                whose="an adjudicator",
                due_at=clocks.rule_by(docket),
                silence="The case is overdue and moves to the head of the queue.",
            )
        )
    if docket.state == "appealed":
        found.append(
            Clock(
                name="appeal_evidence",
                what="Evidence on appeal",
                whose="both sides",
                due_at=docket.entered_at + docket.periods.appeal_evidence,
                silence="The appeal is ruled on what is there.",
            )
        )
    return found


def award_of(dispute: Dispute, share_bps: int) -> Award | None:
    """What a ruling for this share would move, by settlement's own arithmetic; None unfunded."""
    held: Escrow | None = getattr(dispute.milestone, "escrow", None)
    if held is None:
        return None
    bond = held.bond.amount if hasattr(held, "bond") else 0
    slashed = bonds.is_slashed(code="ruled", share_bps=share_bps, breached_critical=False)
    return Award(
        share_bps=share_bps,
        division=fees.apportion(
            amount=held.amount,
            share_bps=share_bps,
            fee_bps=held.fee_bps,
            fee_bands=bands_of(held.fee_bands),
        ),
        currency=held.currency,
        bond=bond,
        bond_to=("buyer" if slashed else "builder") if bond else "",
    )


def queue(*, which: str, user: User, by: str = "deadline") -> QuerySet[Dispute]:
    """The desk's list: `which` is open, ready, mine, unassigned, second or closed.

    What is overdue comes first, then what waits for a person; then by deadline, or by amount.
    """
    found = rows()
    if which == "closed":
        return found.filter(state=Dispute.State.CLOSED).order_by("-closed_at")
    found = found.exclude(state=Dispute.State.CLOSED).annotate(urgency=_urgency())
    if which == "ready":
        found = found.filter(urgency__lte=0)
    elif which == "mine":
        found = found.filter(assigned_to=user)
    elif which == "unassigned":
        found = found.filter(assigned_to=None)
    elif which == "second":
        found = found.filter(awaits_second=True)
    order = ["-milestone__amount", "due_at"] if by == "amount" else ["due_at", "pk"]
    return found.order_by("urgency", *order)


def _urgency() -> Case:
    """-1 overdue, 0 waits for a person, 1 waits for the sides or for time."""
    waits = Q(state__in=[Dispute.State.UNDER_REVIEW, Dispute.State.APPEALED])
    waits |= Q(awaits_second=True)
    review = Func(
        Cast(KeyTextTransform("review", "periods"), FloatField()),
        template="make_interval(secs => %(expressions)s)",
        output_field=DurationField(),
    )
    late = Q(state=Dispute.State.UNDER_REVIEW, entered_at__lt=Now() - review)
    return Case(
        When(late, then=Value(-1)),
        When(waits, then=Value(0)),
        default=Value(1),
        output_field=IntegerField(),
    )


def is_overdue(docket: Docket, *, now: datetime) -> bool:
    """Whether the desk let its own time pass, or a deadline went by that nobody looked at yet."""
    target = clocks.rule_by(docket) if docket.state == "under_review" else docket.due_at
    return now > target


def open_case(
    *,
    milestone: Milestone,
    party: Party,
    by: User,
    ground: str,
    statement: str,
    clauses: Sequence[str],
    now: datetime,
) -> Dispute:
    """File under the rules the engagement was proposed under. Raises as `escrow.dispute`."""
    return escrow.dispute(
        escrow=escrow.open_escrow(milestone=milestone),
        party=party,
        by=by,
        ground=Dispute.Ground(ground),
        statement=statement,
        clauses=clauses,
        rules=policy.rules_for(milestone.engagement),
        now=now,
    )


def add_exhibit(
    *, dispute: Dispute, party: Party, by: User, kind: str, title: str, body: bytes, now: datetime
) -> Exhibit:
    """Add an item of evidence under the same rules. Raises as `disputes.add_exhibit`."""
    return disputes.add_exhibit(
        dispute=dispute,
        party=party,
        by=by,
        kind=kind,
        title=title,
        body=body,
        rules=policy.rules_for(dispute.milestone.engagement),
        now=now,
    )


def may_add(dispute: Dispute, *, now: datetime) -> bool:
    """Whether evidence is still taken."""
    return takes_exhibits(docket_of(dispute, now=now), now=now)


def review_precedent(*, precedent: Precedent, text: str, by: User, now: datetime) -> Precedent:
    """An adjudicator without interest in the case takes more out of what was published.

    Raises `disputes.ConflictOfInterest`, `disputes.PrecedentRefused`.
    """
    with transaction.atomic():
        row = Precedent.objects.select_for_update(of=("self",), no_key=True).get(pk=precedent.pk)
        if desk.interest_of(user=by, dispute=row.dispute):
            raise disputes.ConflictOfInterest("you have a part in this case; somebody else edits")
        return precedents.review(precedent=row, text=text, by=by, now=now)


def load_agreement(
    *, name: str, source: str, data: bytes, by: User, now: datetime
) -> AgreementReport:
    """Read a file of labels and keep what it says. Raises `agreement.AgreementUnreadable`."""
    if len(data) > LARGEST_FILE:
        raise agreement.AgreementUnreadable(
            f"the file has {len(data)} bytes; at most {LARGEST_FILE}"
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise agreement.AgreementUnreadable("the file is not UTF-8 text") from None
    return AgreementReport.objects.create(
        name=name.strip()[:120] or "Labels",
        source=source.strip()[:400],
        digest=sha256(data),
        report=agreement.report(agreement.read(text)),
        loaded_by=by,
        loaded_at=now,
    )
