"""A case on one page: what both sides and the desk see of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext as _

from marketplace import cases, policy
from marketplace.acting import Acting
from marketplace.cases import Award
from marketplace.labels import said
from marketplace.pages import engagement_view
from marketplace.pages.agent_view import pact_text
from marketplace.pages.cancellations import Parting, partings_of
from marketplace.pages.promises import answer_span
from marketplace.pages.wording import percent, span
from marketplace.visible import made_visible
from pacts import disputes
from pacts.disputes import precedents, rates
from pacts.models import (
    Deliverable,
    Dispute,
    Exhibit,
    Milestone,
    Party,
    Precedent,
    User,
)
from pacts.procedure import clocks, limits
from pacts.procedure.clocks import BEFORE_A_RULING, Docket
from settlement import desk, filings

MOST_TRIALS = 12
SHOWN_BYTES = 6_000
# What the calculator shows beside the share that was asked for.
LADDER = (0, 2_500, 5_000, 7_500, 10_000)


@dataclass(frozen=True, slots=True)
class Item:
    """An item of evidence; `text` is shown escaped, None for what is only downloaded."""

    exhibit: Exhibit
    side: str
    text: str | None
    is_long: bool


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of the timeline."""

    at: datetime
    what: str
    by_silence: bool = False
    link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class May:
    """What the visitor may do now, by the state; the role is asked separately."""

    answer: bool = False
    withdraw: bool = False
    rest: bool = False
    add: bool = False
    appeal: bool = False
    take: bool = False
    recuse: bool = False
    rule: bool = False
    confirm: bool = False
    conflict: str = ""


def may(found: Dispute, acting: Acting | None, *, now: datetime) -> May:
    """What this visitor may do in this case now."""
    if acting is None:
        return May()
    docket = cases.docket_of(found, now=now)
    side = _side(found, acting.party)
    return May(
        **_side_may(found, docket, side, now),
        **_desk_may(found, docket, acting.user, now),
    )


def _side(found: Dispute, party: Party | None) -> str:
    engagement = found.milestone.engagement
    sides = {engagement.buyer_id: "buyer", engagement.builder_id: "builder"}
    return sides.get(party.pk, "") if party else ""


def _side_may(found: Dispute, docket: Docket, side: str, now: datetime) -> dict[str, Any]:
    if not side or not docket.is_open:
        return {}
    engagement = found.milestone.engagement
    own = engagement.buyer_id if side == "buyer" else engagement.builder_id
    filed = own == found.opened_by_id
    rested = found.buyer_rested_at if side == "buyer" else found.builder_rested_at
    before = docket.state in BEFORE_A_RULING
    reviewed = found.ground == Dispute.Ground.HUMAN_REVIEW
    return {
        "answer": before and not filed and not found.answered_at and not reviewed,
        "withdraw": before and filed,
        "rest": docket.state in ("negotiating", "evidence_open", "appealed") and not rested,
        "add": clocks.takes_exhibits(docket, now=now),
        "appeal": docket.state == "challenge_window" and found.level == 1,
    }


def _desk_may(found: Dispute, docket: Docket, user: User, now: datetime) -> dict[str, Any]:
    if not user.is_adjudicator or not docket.is_open:
        return {}
    if conflict := desk.interest_of(user=user, dispute=found):
        return {"conflict": conflict}
    waiting = disputes.waiting_ruling(found) if found.awaits_second else None
    return {
        "take": found.assigned_to_id != user.pk,
        "recuse": True,
        "rule": clocks.may_rule(docket, now=now) and not waiting,
        "confirm": waiting is not None and waiting.adjudicator_id != user.pk,
    }


def context_of(
    found: Dispute, acting: Acting | None, *, now: datetime, share_bps: int
) -> dict[str, Any]:
    """Everything a case's page shows that does not come from a form."""
    engagement = found.milestone.engagement
    docket, user = cases.docket_of(found, now=now), acting.user if acting else None
    is_desk = bool(user and user.is_adjudicator)
    side = _side(found, acting.party if acting else None)
    work = _work(found, now)
    return {
        "dispute": found,
        "engagement": engagement,
        "escrow": getattr(found.milestone, "escrow", None),
        "state": Dispute.State(docket.state),
        "is_open": docket.is_open,
        "side": side,
        "is_desk": is_desk,
        "is_buyer": side == "buyer",
        "clocks": [
            (one, cases.award_of(found, one.share_bps) if one.share_bps is not None else None)
            for one in cases.clocks_of(found, now=now)
        ],
        "work": work,
        "pact": pact_text(engagement.pact_version),
        "contested": found.clauses or [],
        "rulings": list(
            found.rulings.select_related("adjudicator", "confirmation").order_by("ruled_at")
        ),
        "waiting": disputes.waiting_ruling(found),
        "appeal": getattr(found, "appeal", None),
        "items": items_of(found),
        "timeline": timeline_of(found),
        "parting": _parting(found, acting) if docket.is_open else None,
        "awards": ladder(found, share_bps),
        "award": cases.award_of(found, share_bps),
        "share_bps": share_bps,
        "deposit": getattr(found, "deposit", None),
        "similar": precedents.similar(found) if is_desk else [],
        "failures": _failures(found) if is_desk or side == "buyer" else [],
        "rates": _rates(found) if is_desk else [],
        "may": may(found, acting, now=now),
    }


def items_of(found: Dispute) -> list[Item]:
    """The evidence both sides brought, in order."""
    return [_item(found, one) for one in found.exhibits.select_related("party")]


def _item(found: Dispute, exhibit: Exhibit) -> Item:
    text = disputes.text_of(exhibit)
    shown = made_visible(text[:SHOWN_BYTES]) if text is not None else None
    is_long = text is not None and len(text) > SHOWN_BYTES
    return Item(exhibit, _side(found, exhibit.party), shown, is_long)


def timeline_of(found: Dispute) -> list[Moment]:
    """Steps, evidence and rulings in the order they happened."""
    moments = [
        Moment(step.entered_at, said(Dispute.State(step.state).label), step.by_silence)
        for step in found.steps.all()
    ]
    moments += [
        Moment(
            one.added_at,
            _("Evidence: %(value)s") % {"value": one.title or _("erased")},
            link=one.evidence_id,
        )
        for one in found.exhibits.defer("sealed")
    ]
    moments += [
        Moment(
            one.ruled_at,
            (_("Ruling for %(award)s by rule") if one.by_rule else _("Ruling for %(award)s"))
            % {"award": percent(one.award_bps)},
            link=one.evidence_id,
        )
        for one in found.rulings.all()
    ]
    return sorted(moments, key=lambda one: one.at)


def ladder(found: Dispute, share_bps: int) -> list[Award]:
    """Awards at usual shares, and at what the verdict itself would pay."""
    measured = found.verdict.earned_share_bps if found.verdict else None
    shares = sorted({*LADDER, share_bps, *([measured] if measured is not None else [])})
    return [award for share in shares if (award := cases.award_of(found, share))]


def _parting(found: Dispute, acting: Acting | None) -> Parting | None:
    if acting is None or acting.party is None or not _side(found, acting.party):
        return None
    partings = partings_of(found.milestone.engagement, [found.milestone], acting.party)
    return partings[0] if partings else None


def _work(found: Dispute, now: datetime) -> engagement_view.Work:
    deliveries = Deliverable.objects.select_related(
        "evaluation__verdict", "agent_version__agent"
    ).prefetch_related("evaluation__verdict__clauses")
    rows = Milestone.objects.select_related("escrow", "task_set_version").prefetch_related(
        Prefetch("deliverables", deliveries), "disputes"
    )
    engagement = found.milestone.engagement
    milestone = rows.get(pk=found.milestone_id)
    return engagement_view.work_of(
        milestone, engagement=engagement, party=engagement.buyer, now=now
    )


def _failures(found: Dispute) -> Sequence[Any]:
    trials = engagement_view.failing_trials(found.milestone)[:MOST_TRIALS]
    return engagement_view.failures(list(trials))


def _rates(found: Dispute) -> list[tuple[str, rates.PartyRates]]:
    engagement = found.milestone.engagement
    return [
        (engagement.buyer.name, rates.of_buyer(engagement.buyer)),
        (engagement.builder.name, rates.of_builder(engagement.builder)),
    ]


@dataclass(frozen=True, slots=True)
class Filing:
    """What filing means, before it is done."""

    track: str
    answer: str
    deposit: int
    amount: int
    over_at: datetime  # if everything takes as long as it may
    currency: str
    needs_second: bool
    clocks: list[tuple[str, str, str]]


def filing_of(milestone: Milestone, party: Party, *, now: datetime) -> Filing:
    """The path a dispute of this milestone would take, its periods and its deposit."""
    rules = policy.rules_for(milestone.engagement)
    currency = milestone.engagement.currency
    track = limits.track(amount=milestone.amount, currency=currency, rules=rules)
    periods = rules.small if track == "small" else rules.full
    named = [
        (_("The other side answers"), answer_span(periods), clocks.SILENCES["opened"].meaning),
        (
            _("Negotiation"),
            span(periods.negotiation.total_seconds()) if periods.negotiation else "none",
            clocks.SILENCES["negotiating"].meaning,
        ),
        (
            _("Evidence"),
            span(periods.evidence.total_seconds()),
            clocks.SILENCES["evidence_open"].meaning,
        ),
        (
            _("Ruling, at the latest"),
            span(periods.backstop.total_seconds()),
            clocks.SILENCES["under_review"].meaning,
        ),
        (
            _("Time to challenge it"),
            span(periods.challenge.total_seconds()),
            clocks.SILENCES["challenge_window"].meaning,
        ),
        (_("Appeal"), span(periods.appeal.total_seconds()), clocks.SILENCES["appealed"].meaning),
    ]
    return Filing(
        track=track,
        answer=answer_span(periods),
        deposit=filings.due_for(party=party, milestone=milestone, now=now, rules=rules),
        amount=milestone.amount,
        over_at=now + periods.longest,
        currency=currency,
        needs_second=limits.needs_second(amount=milestone.amount, currency=currency, rules=rules),
        clocks=named,
    )


def found_precedents(query: str, ground: str, work: str) -> QuerySet[Precedent]:
    """Precedents by words, ground and kind of work."""
    known = {value for value, _ in Dispute.Ground.choices}
    return precedents.search(query=query[:200], ground=ground if ground in known else "", work=work)
