"""A pact in sentences: what is promised, when it counts as broken, what the money then does."""

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from marketplace.labels import inside
from marketplace.pages.nouns import many, one
from marketplace.pages.wording import amount, count, joined, percent, plural, span
from pacts.feasibility import Timers
from pacts.procedure.clocks import FULL, Periods
from pacts.sample_sizes import calls_to_verdict
from pacts.terms import Clause, PactTerms
from reputation.confidence import RateOutOfRange

_WHAT_UNDETERMINED = {
    "release": _lazy("this clause earns its whole part"),
    "prorate": _lazy("this clause earns the measured share of its part"),
    "withhold": _lazy("this clause earns nothing until there is proof"),
    "extend": _lazy("there is one more window for evidence"),
    "human_review": _lazy("a person decides"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClauseText:
    """One clause as a reader meets it. Rates in basis points."""

    key: str
    title: str
    dimension: str
    check: str
    promise: int
    floor: int
    weight: int
    critical: bool
    promised: str
    if_breached: str
    if_undetermined: str
    proof: str
    care: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a hire costs and how long everything may take; minor units, clocks in seconds.

    `bond` is what the builder stakes on each milestone; `fee_bands` are (above, basis points).
    """

    price: int
    currency: str
    fee_bps: int
    work_seconds: int
    evaluation_seconds: int
    acceptance_seconds: int
    cure_seconds: int
    max_revisions: int
    funding_seconds: int = Timers().funding_seconds
    fee_bands: tuple[tuple[int, int], ...] = ()
    bond: int = 0
    answering: Periods = FULL  # what the disputes of a hire at this price may take


def clause_texts(terms: PactTerms) -> list[ClauseText]:
    """Every clause of a pact, in its order."""
    return [_clause_text(clause) for clause in terms.clauses]


def _clause_text(clause: Clause) -> ClauseText:
    tries = (
        _(" Each task is tried %(repeats)s times.") % {"repeats": clause.repeats}
        if clause.repeats > 1
        else ""
    )
    return ClauseText(
        key=clause.key,
        title=clause.title,
        dimension=clause.dimension,
        check=clause.check,
        promise=clause.promise_bps,
        floor=clause.floor_bps,
        weight=clause.weight_bps,
        critical=clause.critical,
        promised=(
            _(
                "At least %(promise)s of %(units)s pass. Under %(floor)s nobody would call it "
                "kept.%(tries)s"
            )
            % {
                "promise": percent(clause.promise_bps),
                "units": many(clause.unit),
                "floor": percent(clause.floor_bps),
                "tries": tries,
            }
        ),
        if_breached=_if_breached(clause),
        if_undetermined=_("If it stays open, %(what_undetermined)s.")
        % {"what_undetermined": _WHAT_UNDETERMINED[clause.on_undetermined]},
        proof=_proof(clause),
        care=_care(clause),
    )


def _if_breached(clause: Clause) -> str:
    if clause.critical or clause.consequence != "reduce":
        return _("If it is broken, nothing of the price is earned, whatever the other clauses say.")
    return _("If it is broken, its %(weight)s of the price is not earned.") % {
        "weight": percent(clause.weight_bps)
    }


def _proof(clause: Clause) -> str:
    """How much evidence a verdict takes; a census needs no sample size."""
    if clause.estimand == "realized":
        return _("Every %(unit)s counts exactly; there is nothing to estimate.") % {
            "unit": one(clause.unit)
        }
    try:
        needed = calls_to_verdict(
            promise=clause.promise, floor=clause.floor, alpha=clause.alpha, beta=clause.beta
        )
    except RateOutOfRange:
        return _("This rate cannot be shown by counting.")
    units = plural(needed.perfect, clause.unit)
    if needed.on_promise is None:
        return _("A faultless agent needs %(units)s to prove it.") % {"units": units}
    return _(
        "A faultless agent needs %(units)s to prove it, one exactly on its promise "
        "about %(on_promise)s."
    ) % {"units": units, "on_promise": count(needed.on_promise)}


def _care(clause: Clause) -> str:
    if clause.owner is None or clause.review_cadence_days is None:
        return ""
    days = plural(clause.review_cadence_days, "day")
    return _("The %(owner)s answers for it and reviews it every %(days)s.") % {
        "owner": inside(clause.owner),
        "days": days,
    }


def fee_sentence(offer: Offer) -> str:
    """What the platform takes, and out of whose part."""
    if not offer.fee_bands:
        return _("The platform’s fee is %(fee)s of what is earned.") % {
            "fee": percent(offer.fee_bps)
        }
    bands = [
        _("%(bps)s of what lies above %(above)s")
        % {"bps": percent(bps), "above": amount(above, offer.currency)}
        for above, bps in offer.fee_bands
    ]
    return _("Of what is earned on a milestone the platform’s fee is %(bands)s.") % {
        "bands": joined(bands)
    }


# The boundary rule, wherever clocks are shown.
BOUNDARY = _lazy(
    "At exactly a deadline the action is still allowed; strictly after it, it is "
    "not. The database’s clock decides, and whatever is due then happens by itself."
)


def timer_sentences(offer: Offer) -> list[str]:
    """Every clock of an offer, one sentence each."""
    return [
        _("The work must be handed over within %(work)s of funding.")
        % {"work": span(offer.work_seconds)},
        _(
            "The verdict follows within %(evaluation)s more; if it does not, that is the "
            "platform’s fault and never the agent’s."
        )
        % {"evaluation": span(offer.evaluation_seconds)},
        _("After the verdict you have %(acceptance)s to accept or dispute; silence accepts.")
        % {"acceptance": span(offer.acceptance_seconds)},
        _("After a breach the builder has %(cure)s and %(max_revisions)s to do better.")
        % {
            "cure": span(offer.cure_seconds),
            "max_revisions": plural(offer.max_revisions, "revision"),
        }
        if offer.max_revisions
        else _("After a breach there is no second delivery."),
        _("Whoever is disputed has %(answering)s to answer; who stays silent loses.")
        % {"answering": answer_span(offer.answering)},
        _("A dispute is ruled on within %(backstop)s, or the money returns to you.")
        % {"backstop": span(offer.answering.backstop.total_seconds())},
        _("Signed, you have %(funding)s to fund it; otherwise it lapses.")
        % {"funding": span(offer.funding_seconds)},
    ]


def answer_span(periods: Periods) -> str:
    """How long the other side has to answer, in words."""
    if periods.business_days:
        return plural(periods.answer.days, "business day")
    return span(periods.answer.total_seconds())
