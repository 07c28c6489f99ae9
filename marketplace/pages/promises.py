"""A pact in sentences: what is promised, when it counts as broken, what the money then does."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from marketplace.pages.wording import amount, day_and_time, joined, percent, plural, span
from pacts.feasibility import Timers
from pacts.procedure.clocks import FULL, Periods
from pacts.sample_sizes import calls_to_verdict
from pacts.terms import WHOLE, Clause, PactTerms
from reputation.confidence import RateOutOfRange
from settlement.fees import FeeBand, apportion

UNDETERMINED = {
    "release": "the full price is paid unless you dispute",
    "prorate": "the measured share is paid and the rest returns to you, unless you dispute",
    "withhold": "the money is withheld, and returns to you unless proof arrives in time",
    "extend": "there is one more window for evidence, and without proof the money returns to you",
    "human_review": "the money waits for a person without interest in the case to decide",
}
_WHAT_UNDETERMINED = {
    "release": "this clause earns its whole part",
    "prorate": "this clause earns the measured share of its part",
    "withhold": "this clause earns nothing until there is proof",
    "extend": "there is one more window for evidence",
    "human_review": "a person decides",
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
    tries = f" Each task is tried {clause.repeats} times." if clause.repeats > 1 else ""
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
            f"At least {percent(clause.promise_bps)} of {clause.unit}s pass. "
            f"Under {percent(clause.floor_bps)} nobody would call it kept.{tries}"
        ),
        if_breached=_if_breached(clause),
        if_undetermined=f"If it stays open, {_WHAT_UNDETERMINED[clause.on_undetermined]}.",
        proof=_proof(clause),
        care=_care(clause),
    )


def _if_breached(clause: Clause) -> str:
    if clause.critical or clause.consequence != "reduce":
        return "If it is broken, nothing of the price is earned, whatever the other clauses say."
    return f"If it is broken, its {percent(clause.weight_bps)} of the price is not earned."


def _proof(clause: Clause) -> str:
    """How much evidence a verdict takes; a census needs no sample size."""
    if clause.estimand == "realized":
        return f"Every {clause.unit} counts exactly; there is nothing to estimate."
    try:
        needed = calls_to_verdict(
            promise=clause.promise, floor=clause.floor, alpha=clause.alpha, beta=clause.beta
        )
    except RateOutOfRange:
        return "This rate cannot be shown by counting."
    units = plural(needed.perfect, clause.unit)
    if needed.on_promise is None:
        return f"A faultless agent needs {units} to prove it."
    return (
        f"A faultless agent needs {units} to prove it, "
        f"one exactly on its promise about {needed.on_promise:,}."
    )


def _care(clause: Clause) -> str:
    if clause.owner is None or clause.review_cadence_days is None:
        return ""
    days = plural(clause.review_cadence_days, "day")
    return f"The {clause.owner} answers for it and reviews it every {days}."


def fee_sentence(offer: Offer) -> str:
    """What the platform takes, and out of whose part."""
    if not offer.fee_bands:
        return f"The platform’s fee is {percent(offer.fee_bps)} of what is earned."
    bands = [
        f"{percent(bps)} of what lies above {amount(above, offer.currency)}"
        for above, bps in offer.fee_bands
    ]
    return f"Of what is earned on a milestone the platform’s fee is {joined(bands)}."


# The boundary rule, wherever clocks are shown.
BOUNDARY = (
    "At exactly a deadline the action is still allowed; strictly after it, it is not. "
    "The database’s clock decides, and whatever is due then happens by itself."
)


def timer_sentences(offer: Offer) -> list[str]:
    """Every clock of an offer, one sentence each."""
    return [
        f"The work must be handed over within {span(offer.work_seconds)} of funding.",
        f"The verdict follows within {span(offer.evaluation_seconds)} more; "
        "if it does not, that is the platform’s fault and never the agent’s.",
        f"After the verdict you have {span(offer.acceptance_seconds)} to accept or dispute; "
        "silence accepts.",
        f"After a breach the builder has {span(offer.cure_seconds)} and "
        f"{plural(offer.max_revisions, 'revision')} to do better."
        if offer.max_revisions
        else "After a breach there is no second delivery.",
        f"Whoever is disputed has {answer_span(offer.answering)} to answer; "
        "who stays silent loses.",
        f"A dispute is ruled on within {span(offer.answering.backstop.total_seconds())}, or the "
        "money returns to you.",
        f"Signed, you have {span(offer.funding_seconds)} to fund it; otherwise it lapses.",
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
        "The pact is met",
        "met",
        f"The builder receives {amount(paid.released, offer.currency)} and the platform "
        f"{amount(paid.fee, offer.currency)}, out of your {_whole(offer)}.",
        f"At once when you accept, and at the latest on {day_and_time(accepted)}.",
    )


def _silence(offer: Offer, accepted: datetime) -> Happening:
    return Happening(
        "You say nothing",
        "plain",
        f"A met verdict counts as accepted {span(offer.acceptance_seconds)} after it was given.",
        f"That is {day_and_time(accepted)} at the latest. Until then you may dispute it.",
    )


def _breached(offer: Offer, terms: PactTerms, cured: datetime) -> Happening:
    end = (
        f"the whole {_whole(offer)} returns to you, without a fee"
        if terms.on_breach == "refund"
        else f"the measured share is paid and the rest of the {_whole(offer)} returns to you"
    )
    chance = (
        f"the builder may hand over {plural(offer.max_revisions, 'revision')} within "
        f"{span(offer.cure_seconds)}; if none is met, {end}"
        if offer.max_revisions
        else f"{end} {span(offer.cure_seconds)} later"
    )
    return Happening(
        "The pact is breached",
        "breached",
        f"Your money is withheld at once. Then {chance}.",
        f"For the first delivery that ends on {day_and_time(cured)} at the latest.",
    )


def _undetermined(terms: PactTerms) -> Happening:
    rules = dict.fromkeys(clause.on_undetermined for clause in terms.clauses)
    sentences = [UNDETERMINED[rule] for rule in rules]
    return Happening(
        "The evidence does not decide",
        "undetermined",
        f"By this pact, {sentences[0]}."
        if len(sentences) == 1
        else "It depends on the clause left open: " + joined(_per_rule(terms, list(rules))) + ".",
        "Of several open clauses the strictest rule holds.",
    )


def _per_rule(terms: PactTerms, rules: Sequence[str]) -> list[str]:
    return [
        f"for {joined([_quoted(c) for c in terms.clauses if c.on_undetermined == rule])} "
        f"{UNDETERMINED[rule]}"
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
        "Nothing is delivered",
        "plain",
        f"The whole {_whole(offer)} returns to you, without a fee.",
        f"On {day_and_time(due)} if you fund it now. Unfunded, nothing starts and nothing is owed.",
    )


def _disputed(periods: Periods) -> Happening:
    return Happening(
        "Either side disputes",
        "plain",
        "The money is frozen. The other side answers, and an adjudicator without interest in the "
        "case rules, with reasons.",
        f"Who gives no answer within {answer_span(periods)} loses. If nobody rules within "
        f"{span(periods.backstop.total_seconds())}, what is unresolved returns to you.",
    )


def _bonded(offer: Offer) -> list[Happening]:
    if not offer.bond:
        return []
    staked = amount(offer.bond, offer.currency)
    return [
        Happening(
            "The builder stakes a bond",
            "plain",
            f"{staked} of the builder’s own money is set aside with each milestone you fund. It is "
            "yours if a critical clause stays breached or a ruling awards the builder nothing.",
            "Whatever else ends the work returns it to the builder, at the same moment. Without "
            "that money in its balance nothing is funded.",
        )
    ]
