"""Whose turn it is in an engagement: who acts, what to do, until when, and what happens otherwise.

One line for one engagement: of several milestones the one that waits for the reader comes first,
then the one whose time is up first.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from marketplace import cases, foretelling, labels
from marketplace.pages.engagement_view import Work
from marketplace.pages.wording import amount
from pacts.models import Dispute, Engagement, Party
from pacts.procedure.clocks import SILENCES
from settlement.fees import Division

_Text = str | Promise


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """`whose` is `you`, `they`, `others` (a third party, the platform) or `nobody`."""

    whose: str
    what: str
    until: datetime | None = None
    otherwise: str = ""
    milestone: str = ""

    @property
    def tone(self) -> str:
        return "accent" if self.whose == "you" else ""


def turn_of(
    engagement: Engagement, works: list[Work], *, party: Party, now: datetime
) -> Turn | None:
    """The line at the top; None for a metered hire, whose own page says it."""
    if engagement.state == Engagement.State.PROPOSED:
        return _unsigned(engagement, party)
    if engagement.state in _OVER:
        return Turn(whose="nobody", what=str(_OVER[engagement.state]))
    turns = [one for work in works if (one := _of_work(work, engagement, party, now))]
    if not turns:
        return None
    order = {"you": 0, "they": 1, "others": 2, "nobody": 3}
    far = max((one.until for one in turns if one.until), default=now)
    return min(turns, key=lambda one: (order[one.whose], one.until or far))


_OVER: Mapping[str, _Text] = {
    Engagement.State.CLOSED: _lazy("It is over: every milestone has its outcome."),
    Engagement.State.LAPSED: _lazy("It lapsed. No money moved and nothing is owed."),
    Engagement.State.CANCELLED: _lazy("It was ended by agreement before any money was set aside."),
}


def _unsigned(engagement: Engagement, party: Party) -> Turn:
    own = (
        engagement.buyer_signature_id
        if party.pk == engagement.buyer_id
        else engagement.builder_signature_id
    )
    return Turn(
        whose="they" if own else "you",
        what=_("The other side signs.") if own else _("Read what you sign, and sign."),
        until=engagement.offer_expires_at,
        otherwise=_("Otherwise it lapses; nothing is owed."),
    )


def _of_work(work: Work, engagement: Engagement, party: Party, now: datetime) -> Turn | None:
    is_buyer = party.pk == engagement.buyer_id
    if work.milestone.cancelled_at:
        return None
    if work.escrow is None or work.state == "unfunded":
        return _unfunded(work, engagement, is_buyer)
    if work.escrow.is_final:
        what = _("Settled.") + " " + (str(work.reason.sentence) if work.reason else "")
        return Turn(whose="nobody", what=what, milestone=work.milestone.title)
    if work.state == "frozen" and work.disputes:
        return _disputed(work.disputes[0], party, now)
    found = _WAITING.get(work.escrow.reason, _evaluated)
    return found(work, engagement, is_buyer, now)


def _unfunded(work: Work, engagement: Engagement, is_buyer: bool) -> Turn:
    sum_ = amount(work.milestone.amount, engagement.currency)
    return Turn(
        whose="you" if is_buyer else "they",
        what=_("Set %(sum)s aside; the work starts at once.") % {"sum": sum_}
        if is_buyer
        else _("The buyer sets %(sum)s aside; then the work starts.") % {"sum": sum_},
        until=engagement.fund_by_at,
        otherwise=_("Otherwise it lapses; nothing is owed."),
        milestone=work.milestone.title,
    )


def _evaluated(work: Work, engagement: Engagement, is_buyer: bool, now: datetime) -> Turn:
    last = work.deliveries[-1] if work.deliveries else None
    if last and last.waits and engagement.evaluator:
        what = _("%(evaluator)s begins the evaluation.") % {"evaluator": engagement.evaluator.name}
    else:
        what = _("The agent works, and the platform evaluates every answer.")
    return Turn(
        whose="others",
        what=what,
        until=work.escrow.next_action_at if work.escrow else None,
        otherwise=_(
            "Without a verdict by then it is undetermined, which is never the agent’s fault."
        ),
        milestone=work.milestone.title,
    )


def _accepting(work: Work, engagement: Engagement, is_buyer: bool, now: datetime) -> Turn:
    return Turn(
        whose="you" if is_buyer else "they",
        what=_("Accept the verdict, or dispute it.")
        if is_buyer
        else _("The buyer accepts the verdict or disputes it."),
        until=work.escrow.next_action_at if work.escrow else None,
        otherwise=_("Otherwise silence accepts: %(what)s.") % {"what": _moves(work, engagement)},
        milestone=work.milestone.title,
    )


def _withheld(work: Work, engagement: Engagement, is_buyer: bool, now: datetime) -> Turn:
    return Turn(
        whose="you" if is_buyer else "they",
        what=_("A control holds the payment back. Accept to pay now, or dispute.")
        if is_buyer
        else _("A control holds the payment back. The buyer may accept."),
        until=work.escrow.next_action_at if work.escrow else None,
        otherwise=_("Otherwise silence accepts: %(what)s.") % {"what": _moves(work, engagement)},
        milestone=work.milestone.title,
    )


def _curing(work: Work, engagement: Engagement, is_buyer: bool, now: datetime) -> Turn:
    left = engagement.max_revisions + 1 - len(work.deliveries)
    if is_buyer:
        what = _("The builder delivers a revision, or disputes. You may accept anyway.")
    elif left > 0:
        what = _("Deliver a revision, dispute the verdict, or return the money.")
    else:
        what = _("No revision is left. Dispute the verdict, or return the money.")
    return Turn(
        whose="they" if is_buyer else "you",
        what=what,
        until=work.escrow.next_action_at if work.escrow else None,
        otherwise=_("Otherwise %(what)s.") % {"what": _moves(work, engagement)},
        milestone=work.milestone.title,
    )


_WAITING: Mapping[str, Callable[[Work, Engagement, bool, datetime], Turn]] = {
    "awaiting_acceptance": _accepting,
    "control_withholds": _withheld,
    "curing": _curing,
    "not_proved": _curing,
    "extended": _curing,
}


def _disputed(dispute: Dispute, party: Party, now: datetime) -> Turn:
    docket = cases.docket_of(dispute, now=now)
    mine = dispute.opened_by_id == party.pk
    if docket.state == "opened" and not dispute.answered_at:
        return Turn(
            whose="they" if mine else "you",
            what=_("The other side answers your dispute.")
            if mine
            else _("Answer the dispute, with what you know of the case."),
            until=docket.due_at,
            otherwise=_("Whoever owes the answer and stays silent loses the dispute."),
        )
    return Turn(
        whose="others",
        what=_("A dispute is open. The case says what is next, and until when."),
        until=docket.due_at,
        otherwise=labels.said(SILENCES[docket.state].meaning) if docket.is_open else "",
    )


def _moves(work: Work, engagement: Engagement) -> str:
    """What moves by itself if nobody acts, in one clause."""
    found = foretelling.if_nobody_acts(
        milestone=work.milestone, verdict=work.verdict, escrow=work.escrow
    )
    return moved(found.division, engagement.currency) if found else _("a person decides")


def moved(division: Division, currency: str) -> str:
    """What moves to whom: `EUR 95.00 to the builder, EUR 5.00 to the platform as its fee`."""
    parts = []
    if division.released:
        parts.append(_("%(sum)s to the builder") % {"sum": amount(division.released, currency)})
    if division.fee:
        parts.append(
            _("%(sum)s to the platform as its fee") % {"sum": amount(division.fee, currency)}
        )
    if division.refunded:
        parts.append(_("%(sum)s back to the buyer") % {"sum": amount(division.refunded, currency)})
    return ", ".join(parts)


def accepting_moves(work: Work, currency: str) -> str:
    """What the buyer moves by accepting now, in words; "" where there is nothing to accept."""
    if "accept" not in work.may:
        return ""
    found = foretelling.if_accepted(
        milestone=work.milestone, verdict=work.verdict, escrow=work.escrow
    )
    return moved(found.division, currency) if found else ""
