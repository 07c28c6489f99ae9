"""A pact in sentences: what is promised, when it counts as broken, what the money then does."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from marketplace.pages.nouns import many, one
from marketplace.pages.wording import amount, count, day_and_time, joined, percent, plural, span
from pacts.feasibility import Timers
from pacts.procedure.clocks import FULL, Periods
from pacts.sample_sizes import calls_to_verdict
from pacts.terms import WHOLE, Clause, PactTerms
from reputation.confidence import RateOutOfRange
from settlement.fees import FeeBand, apportion

UNDETERMINED = {
    "release": _lazy("the full price is paid unless you dispute"),
    "prorate": _lazy("the measured share is paid and the rest returns to you, unless you dispute"),
    "withhold": _lazy("the money is withheld, and returns to you unless proof arrives in time"),
    "extend": _lazy(
        "there is one more window for evidence, and without proof the money returns to you"
    ),
    "human_review": _lazy("the money waits for a person without interest in the case to decide"),
}
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


@dataclass(frozen=True, slots=True)
class Happening:
    """One way a hire can go: what must happen, what the money does, and by when at the latest."""

    name: str
    tone: str  # met, breached, undetermined or plain
    sentence: str
    detail: str


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
        "owner": clause.owner,
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


def happenings(*, offer: Offer, terms: PactTerms, now: datetime) -> list[Happening]:
    """What can happen if the hire is signed and funded at `now`, with dates and amounts."""
    judged = now + timedelta(seconds=offer.work_seconds + offer.evaluation_seconds)
    accepted = judged + timedelta(seconds=offer.acceptance_seconds)
    cured = judged + timedelta(seconds=offer.cure_seconds)
    return [
        _met(offer, accepted),
        _silence(offer, accepted),
        _breached(offer, terms, cured),
        _undetermined(terms),
        _expired(offer, now),
        _disputed(offer.answering),
        *_bonded(offer),
    ]


def _whole(offer: Offer) -> str:
    return amount(offer.price, offer.currency)


def _met(offer: Offer, accepted: datetime) -> Happening:
    paid = apportion(
        amount=offer.price,
        share_bps=WHOLE,
        fee_bps=offer.fee_bps,
        fee_bands=tuple(FeeBand(above, bps) for above, bps in offer.fee_bands),
    )
    return Happening(
        _("The pact is met"),
        "met",
        _("The builder receives %(released)s and the platform %(fee)s, out of your %(offer)s.")
        % {
            "released": amount(paid.released, offer.currency),
            "fee": amount(paid.fee, offer.currency),
            "offer": _whole(offer),
        },
        _("At once when you accept, and at the latest on %(accepted)s.")
        % {"accepted": day_and_time(accepted)},
    )


def _silence(offer: Offer, accepted: datetime) -> Happening:
    return Happening(
        _("You say nothing"),
        "plain",
        _("A met verdict counts as accepted %(acceptance)s after it was given.")
        % {"acceptance": span(offer.acceptance_seconds)},
        _("That is %(accepted)s at the latest. Until then you may dispute it.")
        % {"accepted": day_and_time(accepted)},
    )


def _breached(offer: Offer, terms: PactTerms, cured: datetime) -> Happening:
    end = (
        _("the whole %(offer)s returns to you, without a fee") % {"offer": _whole(offer)}
        if terms.on_breach == "refund"
        else _("the measured share is paid and the rest of the %(offer)s returns to you")
        % {"offer": _whole(offer)}
    )
    chance = (
        _("the builder may hand over %(max_revisions)s within %(cure)s; if none is met, %(end)s")
        % {
            "max_revisions": plural(offer.max_revisions, "revision"),
            "cure": span(offer.cure_seconds),
            "end": end,
        }
        if offer.max_revisions
        else _("%(end)s %(cure)s later") % {"end": end, "cure": span(offer.cure_seconds)}
    )
    return Happening(
        _("The pact is breached"),
        "breached",
        _("Your money is withheld at once. Then %(chance)s.") % {"chance": chance},
        _("For the first delivery that ends on %(cured)s at the latest.")
        % {"cured": day_and_time(cured)},
    )


def _undetermined(terms: PactTerms) -> Happening:
    rules = dict.fromkeys(clause.on_undetermined for clause in terms.clauses)
    sentences = [UNDETERMINED[rule] for rule in rules]
    return Happening(
        _("The evidence does not decide"),
        "undetermined",
        _("By this pact, %(sentences)s.") % {"sentences": sentences[0]}
        if len(sentences) == 1
        else _("It depends on the clause left open: %(rules)s.")
        % {"rules": joined(_per_rule(terms, list(rules)))},
        _("Of several open clauses the strictest rule holds."),
    )


def _per_rule(terms: PactTerms, rules: Sequence[str]) -> list[str]:
    return [
        _("for %(clauses)s %(end)s")
        % {
            "clauses": joined([_quoted(c) for c in terms.clauses if c.on_undetermined == rule]),
            "end": UNDETERMINED[rule],
        }
        for rule in rules
    ]


def answer_span(periods: Periods) -> str:
    """How long the other side has to answer, in words."""
    if periods.business_days:
        return plural(periods.answer.days, "business day")
    return span(periods.answer.total_seconds())


def _quoted(clause: Clause) -> str:
    return f"“{clause.key}”"


def _expired(offer: Offer, now: datetime) -> Happening:
    due = now + timedelta(seconds=offer.work_seconds)
    return Happening(
        _("Nothing is delivered"),
        "plain",
        _("The whole %(offer)s returns to you, without a fee.") % {"offer": _whole(offer)},
        _("On %(due)s if you fund it now. Unfunded, nothing starts and nothing is owed.")
        % {"due": day_and_time(due)},
    )


def _disputed(periods: Periods) -> Happening:
    return Happening(
        _("Either side disputes"),
        "plain",
        _(
            "The money is frozen. The other side answers, and an adjudicator without "
            "interest in the case rules, with reasons."
        ),
        _(
            "Who gives no answer within %(periods)s loses. If nobody rules within "
            "%(backstop)s, what is unresolved returns to you."
        )
        % {"periods": answer_span(periods), "backstop": span(periods.backstop.total_seconds())},
    )


def _bonded(offer: Offer) -> list[Happening]:
    if not offer.bond:
        return []
    staked = amount(offer.bond, offer.currency)
    return [
        Happening(
            _("The builder stakes a bond"),
            "plain",
            _(
                "%(staked)s of the builder’s own money is set aside with each milestone you "
                "fund. It is yours if a critical clause stays breached or a ruling awards the "
                "builder nothing."
            )
            % {"staked": staked},
            _(
                "Whatever else ends the work returns it to the builder, at the same moment. "
                "Without that money in its balance nothing is funded."
            ),
        )
    ]
