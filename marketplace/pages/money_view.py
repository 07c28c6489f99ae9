"""A party's money as pictures: through its balance, and through what was set aside for work."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from marketplace.labels import said
from marketplace.pages.flow_chart import Flow, Sum, flow
from pacts.models import Party
from settlement import flows, statements
from settlement.flows import Moved, SetAside
from settlement.models import Transfer
from settlement.statements import Period

# Kinds that read better from the side of the one whose balance it is.
INTO = {
    "deposit": _lazy("Deposited"),
    "release": _lazy("Earned"),
    "refund": _lazy("Returned"),
    "split": _lazy("Share of a split"),
    "meter_drawn": _lazy("Earned by the call"),
    "meter_returned": _lazy("Budgets returned"),
}
OUT_OF = {
    "hold": _lazy("Set aside for work"),
    "payout_hold": _lazy("Paid out"),
    "meter_funded": _lazy("Budgets for calls"),
    "bond_hold": _lazy("Staked as bonds"),
    "filing_hold": _lazy("Deposits of disputes"),
}


def flows_of(party: Party, *, since: datetime, until: datetime) -> list[Flow]:
    """The pictures of a period, currency by currency; none where nothing moved."""
    window = {"since": since, "until": until}
    periods = statements.period(party=party, **window)
    moves = flows.moved(party=party, **window)
    found = [through_balance(one, moves) for one in periods]
    found += [through_escrow(one) for one in flows.set_aside(party=party, **window)]
    return [one for one in found if one]


def through_balance(period: Period, moves: Iterable[Moved]) -> Flow | None:
    """What was there and what came in, against what went out and what is left."""
    own = [one for one in moves if one.currency == period.currency]
    if not own:
        return None
    came = [Sum(_name(one.kind, INTO), one.amount, "met") for one in own if one.amount > 0]
    went = [Sum(_name(one.kind, OUT_OF), -one.amount) for one in own if one.amount < 0]
    return flow(
        title=_("Your balance"),
        currency=period.currency,
        left=[Sum(_("There before"), period.opening), *came, Sum(_("Owed now"), -period.closing)],
        right=[
            *went,
            Sum(_("Owed before"), -period.opening),
            Sum(_("There now"), period.closing, "accent"),
        ],
    )


def through_escrow(one: SetAside) -> Flow | None:
    """What was set aside, against where it went or that it waits."""
    buys = one.side == "buyer"
    right: Sequence[Sum] = [
        Sum(_("To builders") if buys else _("To you"), one.released, "met"),
        Sum(_("Fees"), one.fees),
        Sum(_("Back to you") if buys else _("Back to buyers"), one.refunded, "breached"),
        Sum(_("Still waiting"), one.waiting, "undetermined"),
    ]
    name = _("Set aside by you") if buys else _("Set aside for your work")
    left = [Sum(name, one.amount, "accent")]
    return flow(title=name, currency=one.currency, left=left, right=right)


def _name(kind: str, names: Mapping[str, object]) -> str:
    return str(names.get(kind) or said(Transfer.Kind(kind).label))
