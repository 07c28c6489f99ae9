"""What the two sides do to a metered budget: propose, fund, top up, pause, waive, end, decide.

Every door locks the meter first, so the sweep and every other door wait for it. Whether a user may
act for a party is decided before (`marketplace.access`); here the party's side is checked.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from pacts import terms
from pacts.disputes import NotAnAdjudicator, RulingIncomplete
from pacts.judges.calibrating import refuse_distrusted
from pacts.metered_hires import propose_metered
from pacts.metering import MeteringTerms, agreed_text
from pacts.models import Engagement, Party, User
from settlement import desk, ledger, limits, metering_looks, metering_postings, metering_records
from settlement.idempotency import check_key
from settlement.metering_cases import MeterCase, locked
from settlement.metering_windows import decide_window
from settlement.models import Account, Meter, MeterMovement, MeterPause, MeterWindow
from settlement.money import LARGEST
from settlement.refusals import (
    DeadlinePassed,
    EngagementNotInForce,
    EscrowAlreadyFunded,
    EscrowRefused,
    NotYourSide,
)
from settlement.retries import retried
from settlement.shares import WHOLE

LEAST_REASONS = 20
MOST_REASONS = 2_000
_State = Meter.State
_Waits = MeterWindow.State.WITHHELD


class MeterRefused(EscrowRefused):
    """The budget does not allow this now; the message says why."""


class WindowNotWaiting(EscrowRefused):
    """This window was settled, or never waited for that."""


def propose(*, metering: MeteringTerms, **hire: Any) -> Meter:
    """An unsigned metered engagement with its budget, which nothing is in yet.

    `hire` is what `pacts.metered_hires.propose_metered` takes beside the terms; raises as it does.
    """
    with transaction.atomic():
        engagement = propose_metered(metering=metering, **hire)
        account = ledger.open_account(
            kind=Account.Kind.METER, currency=engagement.currency, subject=engagement.pk
        )
        return Meter.objects.create(
            engagement=engagement,
            terms=agreed_text(metering, terms.parse(engagement.pact_version.terms)),
            agent_id=engagement.agent_version.agent_id,
            account=account,
            currency=engagement.currency,
            fee_bps=engagement.fee_bps,
            fee_bands=engagement.fee_bands,
        )


@retried
def fund(*, meter: Meter, by: Party, idempotency_key: str, now: datetime) -> Meter:
    """Set the agreed budget aside; from now on calls count. The same key again changes nothing.

    Raises InsufficientFunds, ExposureExceeded, EscrowAlreadyFunded, EngagementNotInForce,
    DeadlinePassed, NotYourSide, JuryNotTrusted, IdempotencyKeyReused, IdempotencyKeyMalformed.
    """
    key = f"meter-fund:{by.pk}:{check_key(idempotency_key)}"
    with _held(meter) as case:
        found = case.meter
        _refuse_other_side(by, case.engagement.buyer_id)
        if found.state != _State.UNFUNDED:
            if found.movements.filter(transfer__idempotency_key=key).exists():
                return found
            raise EscrowAlreadyFunded("this budget is funded already; top it up instead")
        engagement = _fundable(case, now)
        refuse_distrusted(terms.parse(engagement.pact_version.terms), now=now)
        amount = case.terms.budget
        limits.refuse_overexposed(amount=amount, engagement=engagement, now=now)
        _put_in(case, amount, MeterMovement.Kind.FUNDING, key, now)
        found.funded_at = found.breaches_seen_to = now
        found.expires_at = now + timedelta(seconds=case.terms.runs_seconds)
        Engagement.objects.filter(pk=engagement.pk).update(fund_by_at=None)
        metering_looks.advance(case, now=now)
    return found


def _fundable(case: MeterCase, now: datetime) -> Engagement:
    """The engagement under its lock: read again, for it may have ended since."""
    engagement = (
        Engagement.objects.select_for_update(of=("self",), no_key=True)
        .select_related("buyer", "builder", "agent_version", "pact_version")
        .get(pk=case.meter.engagement_id)
    )
    if engagement.state != Engagement.State.ACTIVE:
        raise EngagementNotInForce("both sides sign the engagement before it is funded")
    if engagement.fund_by_at and now > engagement.fund_by_at:
        raise DeadlinePassed("the time to fund this engagement has passed; hire again")
    return engagement


def _put_in(
    case: MeterCase, amount: int, kind: MeterMovement.Kind, key: str, now: datetime
) -> bool:
    if not metering_postings.fund(meter=case.meter, amount=amount, kind=kind, key=key, now=now):
        return False
    transfer = case.meter.movements.order_by("-pk")[0].transfer_id
    metering_records.funded(meter=case.meter, amount=amount, kind=kind, transfer=transfer, now=now)
    return True


@retried
def top_up(*, meter: Meter, by: Party, amount: int, idempotency_key: str, now: datetime) -> Meter:
    """Add to the budget while it runs or is paused, at any time; a key adds once.

    Raises MeterRefused, InsufficientFunds, ExposureExceeded, NotYourSide, DeadlinePassed,
    JuryNotTrusted, IdempotencyKeyReused, IdempotencyKeyMalformed.
    """
    key = f"meter-top-up:{by.pk}:{check_key(idempotency_key)}"
    with _held(meter) as case:
        _refuse_other_side(by, case.engagement.buyer_id)
        if case.meter.movements.filter(transfer__idempotency_key=key, amount=amount).exists():
            return case.meter
        _refuse_unless(case, now, _State.RUNNING, _State.PAUSED)
        if not 0 < amount <= LARGEST - case.meter.funded:
            raise MeterRefused(f"add at least 1 minor unit, and at most {LARGEST} in all")
        refuse_distrusted(terms.parse(case.engagement.pact_version.terms), now=now)
        limits.refuse_overexposed(amount=amount, engagement=case.engagement, now=now, agreed_at=now)
        _put_in(case, amount, MeterMovement.Kind.TOP_UP, key, now)
        metering_looks.advance(case, now=now)
    return case.meter


@retried
def pause(*, meter: Meter, by: Party, user: User | None, now: datetime) -> Meter:
    """Calls received from now on cost nothing until this side lets it go on.

    Pausing one's own pause changes nothing. Raises MeterRefused, NotYourSide, DeadlinePassed.
    """
    with _held(meter) as case:
        side = _side(case, by)
        if side not in case.terms.pausers:
            raise MeterRefused("the terms do not let this side pause; it may end it instead")
        if _open_pause(case) == side:
            return case.meter
        _refuse_unless(case, now, _State.RUNNING)
        metering_looks.begin_pause(case, cause=MeterPause.Cause(side), at=now, by=user)
        metering_records.paused(meter=case.meter, side=side, resumed=False, now=now)
        metering_looks.advance(case, now=now)
    return case.meter


@retried
def resume(*, meter: Meter, by: Party, now: datetime) -> Meter:
    """Calls count again; only the side that paused lets it go on.

    Resuming what runs changes nothing. Raises MeterRefused, NotYourSide, DeadlinePassed.
    """
    with _held(meter) as case:
        side = _side(case, by)
        if case.meter.state == _State.RUNNING:
            return case.meter
        _refuse_unless(case, now, _State.PAUSED)
        if _open_pause(case) != side:
            raise MeterRefused("the other side paused this, and lets it go on")
        metering_looks.end_pause(case, at=now)
        metering_records.paused(meter=case.meter, side=side, resumed=True, now=now)
        metering_looks.advance(case, now=now)
    return case.meter


@retried
def waive(*, meter: Meter, by: Party, now: datetime) -> Meter:
    """The buyer goes on in spite of a critical breach, up to the very end of the cure period.

    The window that broke still costs nothing. Raises MeterRefused, NotYourSide, DeadlinePassed.
    """
    with _held(meter) as case:
        _refuse_other_side(by, case.engagement.buyer_id)
        _refuse_unless(case, now, _State.FROZEN)
        found = case.meter
        metering_records.waived(meter=found, clause=found.breached_clause, now=now)
        found.breached_clause = found.breach_evidence = ""
        found.breaches_seen_to, found.frozen_until = now, None
        metering_looks.end_pause(case, at=now)
        metering_looks.advance(case, now=now)
    return case.meter


@retried
def end(*, meter: Meter, by: Party, now: datetime) -> Meter:
    """Either side ends it: calls up to now are settled, the rest returns to the buyer.

    Ending what is ending changes nothing. Raises MeterRefused, NotYourSide.
    """
    with _held(meter) as case:
        side = _side(case, by)
        if case.meter.state in (_State.CLOSING, _State.ENDED):
            return case.meter
        if case.meter.state == _State.UNFUNDED:
            raise MeterRefused("nothing was set aside; unfunded, it lapses by itself")
        metering_looks.advance(case, now=now)
        if case.meter.closing_at is None:
            metering_looks.close(case, code=f"meter_ended_by_{side}", at=now, now=now)
            metering_looks.advance(case, now=now)
    return case.meter


@retried
def accept_window(*, window: MeterWindow, by: Party, now: datetime) -> MeterWindow:
    """The buyer pays a window in full that the pact lets wait; again is no change.

    Raises WindowNotWaiting, NotYourSide.
    """
    with _held(window.meter) as case:
        _refuse_other_side(by, case.engagement.buyer_id)
        found = _window(window)
        if found.reason == "window_accepted":
            return found
        _refuse_decided(found, now)
        decide_window(case, found, award_bps=WHOLE, code="window_accepted", now=now)
        metering_looks.advance(case, now=now)
    return found


@retried
def rule_window(
    *, window: MeterWindow, adjudicator: User, award_bps: int, reasons: str, now: datetime
) -> MeterWindow:
    """A person decides, where the pact asks for one: the builder's share of what the window costs.

    Raises NotAnAdjudicator, ConflictOfInterest, RulingIncomplete, WindowNotWaiting.
    """
    if not adjudicator.is_adjudicator:
        raise NotAnAdjudicator("only adjudicators rule")
    if not 0 <= award_bps <= WHOLE:
        raise RulingIncomplete("the award is between 0 and 10000 basis points")
    if not LEAST_REASONS <= len(reasons.strip()) <= MOST_REASONS:
        raise RulingIncomplete("give reasons: a sentence that both sides can follow, or a few")
    with _held(window.meter) as case:
        sides = {case.engagement.buyer_id, case.engagement.builder_id}
        desk.refuse_tied(user=adjudicator, sides=sides)
        found = _window(window)
        _refuse_decided(found, now)
        if found.rule != "human_review":
            raise WindowNotWaiting("the pact does not ask a person about this window")
        decide_window(
            case,
            found,
            award_bps=award_bps,
            code="window_ruled",
            by=adjudicator,
            reasons=reasons.strip(),
            now=now,
        )
        metering_looks.advance(case, now=now)
    return found


@contextmanager
def _held(meter: Meter) -> Iterator[MeterCase]:
    with transaction.atomic():
        case = locked(meter_id=meter.pk)
        assert case is not None, "nothing was skipped"
        yield case


def _window(window: MeterWindow) -> MeterWindow:
    return MeterWindow.objects.select_related("stream").get(pk=window.pk)


def _refuse_decided(window: MeterWindow, now: datetime) -> None:
    if window.state != _Waits:
        raise WindowNotWaiting("this window is settled already")
    if window.decide_by_at and now > window.decide_by_at:
        raise WindowNotWaiting("the time to decide this window has passed")


def _refuse_unless(case: MeterCase, now: datetime, *states: Meter.State) -> None:
    """Raises MeterRefused for another state, DeadlinePassed for what is over but not yet noticed.

    What happened up to now counts first: a breach nobody looked at yet stops this too.
    """
    if case.meter.state in metering_looks.OPEN:
        moment = case.meter.frozen_until or case.meter.expires_at
        if case.meter.closing_at is None and moment and now > moment:
            raise DeadlinePassed("the time for this has passed; the end follows by itself")
        metering_looks.advance(case, now=now)
    if case.meter.state not in states:
        wanted = " or ".join(states)
        raise MeterRefused(f"this budget is {case.meter.state}; for this it must be {wanted}")


def _open_pause(case: MeterCase) -> str:
    return next((pause.cause for pause in case.pauses if pause.ended_at is None), "")


def _side(case: MeterCase, by: Party) -> str:
    if by.pk == case.engagement.buyer_id:
        return "buyer"
    if by.pk == case.engagement.builder_id:
        return "builder"
    raise NotYourSide("only the two sides of this engagement can do that")


def _refuse_other_side(by: Party, expected_id: str) -> None:
    if by.pk != expected_id:
        raise NotYourSide("only the other side of this engagement can do that")
