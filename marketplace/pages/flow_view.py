"""The picture of one milestone's money: set aside, evaluated, and where it went or can go."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from marketplace.pages.engagement_view import Work
from marketplace.pages.wording import amount
from settlement.fees import apportion, bands_of
from settlement.shares import WHOLE


@dataclass(frozen=True, slots=True)
class Step:
    """One place: `state` is done, now, ahead, or never (the money did not go there)."""

    key: str
    name: str
    state: str
    amount: str = ""
    aside: str = ""


@dataclass(frozen=True, slots=True)
class Flow:
    """The steps in order, and where the money is."""

    at: str
    steps: list[Step]


def flow_of(work: Work, *, currency: str) -> Flow:
    """Where the money of a milestone is now, and each place it can go to."""
    at = _place(work)
    return Flow(
        at,
        [
            _set_aside(work, at, currency),
            _evaluated(work, at),
            *_stopped(work, at),
            *_ends(work, at, currency),
        ],
    )


def _place(work: Work) -> str:
    """`unfunded`, `evaluating`, `judged`, `withheld`, `frozen` or `ended`."""
    if work.escrow is None or work.state == "unfunded":
        return "unfunded"
    if work.escrow.is_final:
        return "ended"
    if work.state == "frozen":
        return "frozen"
    if work.is_running:
        return "evaluating"
    return "withheld" if work.state == "withheld" else "judged" if work.verdict else "evaluating"


def _set_aside(work: Work, at: str, currency: str) -> Step:
    name = _("To be set aside") if at == "unfunded" else _("Set aside")
    state = "now" if at == "unfunded" else "done"
    return Step("set_aside", name, state, amount(work.milestone.amount, currency))


def _evaluated(work: Work, at: str) -> Step:
    if at == "evaluating":
        return Step("evaluated", _("Being evaluated"), "now")
    if work.verdict:
        verdict = {
            "met": _("met"),
            "breached": _("breached"),
            "undetermined": _("undetermined"),
        }[work.verdict.outcome]
        return Step("evaluated", _("Evaluated"), "now" if at == "judged" else "done", aside=verdict)
    return Step("evaluated", _("Evaluated"), "never" if at == "ended" else "ahead")


def _stopped(work: Work, at: str) -> list[Step]:
    """Withheld or frozen, where the money waits before it can go anywhere."""
    if at == "withheld":
        return [Step("withheld", _("Withheld"), "now")]
    if at == "frozen":
        return [Step("frozen", _("Frozen by a dispute"), "now")]
    return []


def _ends(work: Work, at: str, currency: str) -> list[Step]:
    escrow = work.escrow
    if escrow is not None and at == "ended":
        released, fee, refunded = escrow.released, escrow.fee, escrow.refunded
        paid = "done" if released or fee else "never"
        returned = "done" if refunded else "never"
    else:
        engagement = work.milestone.engagement
        whole = apportion(
            amount=work.milestone.amount,
            share_bps=WHOLE,
            fee_bps=engagement.fee_bps,
            fee_bands=bands_of(engagement.fee_bands),
        )
        released, fee, refunded = whole.released, whole.fee, work.milestone.amount
        paid = returned = "ahead"
    aside = _("fee %(fee)s") % {"fee": amount(fee, currency)} if fee and paid != "never" else ""
    up_to = _("up to %(sum)s")
    return [
        Step(
            "released",
            _("To the builder"),
            paid,
            _sum(released, currency, paid, up_to),
            aside,
        ),
        Step(
            "returned",
            _("Back to the buyer"),
            returned,
            _sum(refunded, currency, returned, up_to),
        ),
    ]


def _sum(minor: int | None, currency: str, state: str, up_to: str) -> str:
    if state == "never":
        return ""
    shown = amount(minor, currency)
    return shown if state == "done" else up_to % {"sum": shown}
