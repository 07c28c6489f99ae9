"""What happens to an escrow's money, as a pure function of the facts and the time.

`decide` does not read the escrow's state: the state is a projection of the decision, so a lost,
doubled or late look changes nothing. Every holding decision says until when, and its deadline lies
ahead; every final one divides the whole amount. Time alone ends every escrow (tests prove it).

The boundary rule, as published: at exactly a deadline the action is still allowed, strictly after
it is not. So `now <= deadline` waits and `now > deadline` acts.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from pacts.procedure.clocks import FULL, Docket, look
from settlement.bonds import is_slashed
from settlement.fees import Division, FeeBand, apportion
from settlement.reasons import REASONS, Fault, Reason, Timeout, attribute
from settlement.shares import WHOLE

Outcome = Literal["met", "breached", "undetermined"]
HoldingState = Literal["held", "withheld", "frozen"]
FinalState = Literal["released", "refunded", "split"]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictFacts:
    """A verdict that may move money: an independent one. `measured` is false if nobody judged.

    `is_late` says that the evaluation's window had passed; `breached_critical` that the breach was
    of a critical clause.
    """

    outcome: Outcome
    earned_share_bps: int
    undetermined_rule: str
    concluded_at: datetime
    measured: bool = True
    is_late: bool = False
    breached_critical: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFacts:
    """One delivery: when its evaluation is due, and what it concluded, if it did."""

    evaluation_due_at: datetime
    verdict: VerdictFacts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything a decision rests on. Amount in minor units, periods as agreed before funding.

    `deliveries` are in order; `undetermined_rule` is the pact's rule where no verdict names one;
    `agreed_share_bps` is the builder's share that both sides agreed on. While a control withholds,
    `control_hold` is for how long at the most silence pays nothing.
    """

    amount: int
    fee_bps: int
    submit_by_at: datetime
    acceptance: timedelta
    cure: timedelta
    extension: timedelta
    review: timedelta
    on_breach: Literal["refund", "prorate"]
    undetermined_rule: str
    deliveries: tuple[DeliveryFacts, ...] = ()
    dispute: Docket | None = None
    accepted_at: datetime | None = None
    given_back_at: datetime | None = None
    agreed_share_bps: int | None = None
    fee_bands: tuple[FeeBand, ...] = ()
    bond: int = 0
    control_hold: timedelta | None = None

    @property
    def last_verdict(self) -> VerdictFacts | None:
        """What the last delivery was found to be; None while, or because, nobody said so."""
        return self.deliveries[-1].verdict if self.deliveries else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """Money stays; look again strictly after `until`."""

    until: datetime
    code: str

    state: HoldingState = "held"

    @property
    def reason(self) -> Reason:
        return REASONS[self.code]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait(Holding):
    """For a delivery, a verdict or the buyer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extend(Holding):
    """One more window for evidence, as the pact says of an undetermined verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Withhold(Holding):
    """The verdict stands against release."""

    state: HoldingState = "withheld"


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze(Holding):
    """A dispute is open."""

    state: HoldingState = "frozen"


@dataclass(frozen=True, slots=True, kw_only=True)
class AskHuman(Holding):
    """A person must be asked: open a review."""

    state: HoldingState = "frozen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Final:
    """Money moves: `share_bps` of the amount was earned; the division is exact.

    `timeout` and `fault` say which deadline led here and who let it pass, or broke the promise.
    """

    share_bps: int
    code: str
    division: Division
    timeout: Timeout = ""
    fault: Fault = ""
    slashes_bond: bool = False

    @property
    def reason(self) -> Reason:
        return REASONS[self.code]

    @property
    def state(self) -> FinalState:
        """Follows the money, after rounding: a share that rounds to nothing is a refund."""
        if self.division.earned == 0:
            return "refunded"
        return "split" if self.division.refunded else "released"


class Release(Final):
    """All of it was earned."""


class Refund(Final):
    """None of it was earned."""


class Split(Final):
    """A part was earned; the fee is taken from that part alone."""


Decision = Holding | Final
_CENTURY = timedelta(days=36_525)


def decide(*, facts: Facts, now: datetime) -> Decision:
    """The one outcome or the one thing to wait for. Total: every set of facts has a decision."""
    if facts.given_back_at:
        return _pay(facts, 0, "given_back")
    if facts.agreed_share_bps is not None:
        return _pay(facts, facts.agreed_share_bps, "agreed")
    return _disputed(facts, now) or _delivered(facts, now)


def _pay(facts: Facts, share_bps: int, code: str) -> Final:
    verdict = facts.last_verdict
    late = bool(facts.deliveries) and (verdict is None or verdict.is_late)
    timeout, fault = attribute(code, evaluation_was_late=late)
    slashes = is_slashed(
        code=code,
        share_bps=share_bps,
        breached_critical=verdict is not None and verdict.breached_critical,
    )
    kind = Refund if share_bps == 0 else Release if share_bps == WHOLE else Split
    return kind(
        share_bps=share_bps,
        code=code,
        division=apportion(
            amount=facts.amount,
            share_bps=share_bps,
            fee_bps=facts.fee_bps,
            fee_bands=facts.fee_bands,
        ),
        timeout=timeout,
        fault=fault,
        slashes_bond=facts.bond > 0 and slashes,
    )


def _disputed(facts: Facts, now: datetime) -> Decision | None:
    """What the last dispute says of the money by now; None if nothing. Its clocks are the pacts'
    own (`pacts.procedure.clocks`), so that no two places can read a silence differently.
    """
    if facts.dispute is None:
        return None
    docket = look(facts.dispute, now=now)
    if docket.is_open:
        return Freeze(until=docket.due_at, code=_waiting_for(docket))
    if docket.outcome == "ruled":
        unheard = docket.level > 1 and docket.fault == "adjudicator"
        return _pay(facts, docket.award_bps or 0, "appeal_unheard" if unheard else "ruled")
    if docket.outcome == "defaulted":
        lost = docket.owing == "builder"
        return _pay(facts, 0 if lost else WHOLE, f"unanswered_by_{docket.owing}")
    if docket.outcome == "unruled":
        return _pay(facts, 0, "dispute_unruled")
    return _pay(facts, 0, "review_withdrawn") if docket.is_review else None


def _waiting_for(docket: Docket) -> str:
    if docket.state in ("ruled", "challenge_window", "appealed"):
        return _AFTER_A_RULING[docket.state]
    return "human_review" if docket.is_review else "disputed"


_AFTER_A_RULING = {
    "ruled": "ruling_unconfirmed",
    "challenge_window": "ruling_challengeable",
    "appealed": "appealed",
}


def _delivered(facts: Facts, now: datetime) -> Decision:
    if not facts.deliveries:
        if now > facts.submit_by_at:
            return _pay(facts, 0, "nothing_delivered")
        return Wait(until=facts.submit_by_at, code="awaiting_delivery")
    last = facts.deliveries[-1]
    if last.verdict:
        return _JUDGED[last.verdict.outcome](facts, last.verdict, now)
    if now > last.evaluation_due_at:
        return _undetermined(facts, _unjudged(facts, last.evaluation_due_at), now)
    if any(_breached(delivery) for delivery in facts.deliveries):
        return Withhold(until=last.evaluation_due_at, code="revision_under_evaluation")
    return Wait(until=last.evaluation_due_at, code="under_evaluation")


def _breached(delivery: DeliveryFacts) -> bool:
    return delivery.verdict is not None and delivery.verdict.outcome == "breached"


def _unjudged(facts: Facts, due_at: datetime) -> VerdictFacts:
    """An evaluation that missed its window is the platform's fault, never the builder's."""
    return VerdictFacts(
        outcome="undetermined",
        earned_share_bps=0,
        undetermined_rule=facts.undetermined_rule,
        concluded_at=due_at,
        measured=False,
    )


def _met(facts: Facts, verdict: VerdictFacts, now: datetime) -> Decision:
    return _pay_after_acceptance(facts, verdict, now, verdict.earned_share_bps, "silence")


def _pay_after_acceptance(
    facts: Facts, verdict: VerdictFacts, now: datetime, share_bps: int, code: str
) -> Decision:
    until = verdict.concluded_at + facts.acceptance
    if facts.accepted_at:
        return _pay(facts, share_bps, "accepted")
    if now <= until:
        return Wait(until=until, code="awaiting_acceptance")
    if facts.control_hold and now <= until + facts.control_hold:
        return Withhold(until=until + facts.control_hold, code="control_withholds")
    return _pay(facts, share_bps, code)


def _breach(facts: Facts, verdict: VerdictFacts, now: datetime) -> Decision:
    until = verdict.concluded_at + facts.cure
    if facts.accepted_at:
        return _pay(facts, WHOLE, "accepted_anyway")
    if now <= until:
        return Withhold(until=until, code="curing")
    if facts.on_breach == "prorate":
        return _pay(facts, verdict.earned_share_bps, "breach_prorated")
    return _pay(facts, 0, "breach_not_cured")


def _undetermined(facts: Facts, verdict: VerdictFacts, now: datetime) -> Decision:
    rule = verdict.undetermined_rule or facts.undetermined_rule
    if rule == "prorate" and not verdict.measured:
        rule = "human_review"  # no share was measured, so there is none to pay
    return _RULES.get(rule, _ask)(facts, verdict, now)


def _pay_in_full(facts: Facts, verdict: VerdictFacts, now: datetime) -> Decision:
    return _pay_after_acceptance(facts, verdict, now, WHOLE, "undetermined_released")


def _prorate(facts: Facts, verdict: VerdictFacts, now: datetime) -> Decision:
    share = verdict.earned_share_bps
    return _pay_after_acceptance(facts, verdict, now, share, "undetermined_prorated")


def _keep_back(facts: Facts, verdict: VerdictFacts, now: datetime) -> Decision:
    return _until_proved(
        facts, now, Withhold(until=verdict.concluded_at + facts.cure, code="not_proved")
    )


def _extend(facts: Facts, verdict: VerdictFacts, now: datetime) -> Decision:
    return _until_proved(
        facts, now, Extend(until=verdict.concluded_at + facts.extension, code="extended")
    )


def _until_proved(facts: Facts, now: datetime, holding: Holding) -> Decision:
    if facts.accepted_at:
        return _pay(facts, WHOLE, "accepted_anyway")
    return holding if now <= holding.until else _pay(facts, 0, "still_not_proved")


def _ask(facts: Facts, verdict: VerdictFacts, now: datetime) -> Decision:
    if facts.accepted_at:
        return _pay(facts, WHOLE, "accepted_anyway")
    return AskHuman(until=now + facts.review, code="human_review")


_Judge = Callable[[Facts, VerdictFacts, datetime], Decision]
_JUDGED: dict[Outcome, _Judge] = {"met": _met, "breached": _breach, "undetermined": _undetermined}
# What the pact says of an undetermined verdict. A rule nobody knows asks a person.
_RULES: dict[str, _Judge] = {
    "release": _pay_in_full,
    "prorate": _prorate,
    "withhold": _keep_back,
    "extend": _extend,
    "human_review": _ask,
}


def with_review(facts: Facts, *, opened_at: datetime, backstop_at: datetime) -> Facts:
    """The same facts once the review that `AskHuman` asks for is open."""
    review = Docket(
        state="evidence_open",
        entered_at=opened_at,
        due_at=min(opened_at + FULL.evidence, backstop_at),
        backstop_at=backstop_at,
        is_review=True,
    )
    return replace(facts, dispute=review)


def unchallenged(facts: Facts) -> int | None:
    """The builder's share in basis points if nobody had disputed; None if a person must say."""
    alone = replace(facts, dispute=None, agreed_share_bps=None, given_back_at=None)
    found = decide(facts=alone, now=facts.submit_by_at + _CENTURY)
    return found.share_bps if isinstance(found, Final) else None
