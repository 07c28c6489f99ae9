"""What metered hires write to the evidence log, in the transaction that makes it true."""

from collections.abc import Mapping
from datetime import UTC, datetime

from reputation import evidence
from settlement.models import Meter, MeterWindow


def funded(*, meter: Meter, amount: int, kind: str, transfer: int, now: datetime) -> None:
    """The buyer put money in."""
    facts = {"amount": amount, "funded": meter.funded, "currency": meter.currency, "kind": kind}
    _append("funded", meter, facts, now, f"{meter.pk}:{transfer}")


def paused(*, meter: Meter, side: str, resumed: bool, now: datetime) -> None:
    """A side paused it, or let it go on."""
    _append("resumed" if resumed else "paused", meter, {"by": side}, now)


def frozen(*, meter: Meter, now: datetime) -> None:
    """A critical clause was breached, so nothing more is paid."""
    facts: dict[str, object] = {
        "clause": meter.breached_clause,
        "rest": meter.balance,
        "currency": meter.currency,
        "breach_evidence": meter.breach_evidence,
    }
    if meter.frozen_until:
        facts["until"] = _instant(meter.frozen_until)
    _append("frozen", meter, facts, now, f"{meter.pk}:{meter.breach_evidence}")


def waived(*, meter: Meter, clause: str, now: datetime) -> None:
    """The buyer goes on in spite of the breach."""
    _append("waived", meter, {"clause": clause}, now)


def withheld(*, window: MeterWindow, now: datetime) -> None:
    """A window is undetermined, and its money waits."""
    assert window.decide_by_at is not None, "what waits has a deadline"
    facts = {
        "window": window.number,
        "rule": window.rule,
        "amount": window.covered,
        "currency": window.meter.currency,
        "until": _instant(window.decide_by_at),
    }
    key = f"meter.withheld:{window.pk}"
    evidence.append(
        kind="meter.withheld", subjects=_of(window), facts=facts, at=now, dedupe_key=key
    )


def settled(*, window: MeterWindow, statement: str, now: datetime) -> str:
    """A window came to its price; returns the evidence id. `statement` is a digest."""
    facts: dict[str, object] = {
        "window": window.number,
        "outcome": window.outcome,
        "reason": window.reason,
        "calls": window.calls,
        "verified": window.verified,
        "currency": window.meter.currency,
        "earned": window.earned,
        "paid": window.paid,
        "fee": window.fee,
        "held_back": window.held_back,
    }
    if window.award_bps is not None:
        facts["award_bps"] = window.award_bps
    return evidence.append(
        kind="meter.settled",
        subjects=_of(window),
        facts=facts,
        digests={"statement": statement},
        at=now,
        dedupe_key=f"meter.settled:{window.pk}",
    ).id


def closing(*, meter: Meter, now: datetime) -> None:
    """No more calls count."""
    _append("closing", meter, {"reason": meter.closing_reason}, now, meter.pk)


def ended(*, meter: Meter, now: datetime) -> None:
    """All of it is settled."""
    facts = {
        "reason": meter.closing_reason,
        "currency": meter.currency,
        "funded": meter.funded,
        "paid": meter.paid,
        "fees": meter.fees,
        "returned": meter.returned,
    }
    _append("ended", meter, facts, now, meter.pk)


def _append(
    step: str, meter: Meter, facts: Mapping[str, object], now: datetime, key: str | None = None
) -> None:
    evidence.append(
        kind=f"meter.{step}",
        subjects=_subjects(meter),
        facts=facts,
        at=now,
        dedupe_key=f"meter.{step}:{key}" if key else None,
    )


def _of(window: MeterWindow) -> dict[str, str]:
    return _subjects(window.meter) | {"stream": window.stream_id}


def _subjects(meter: Meter) -> dict[str, str]:
    engagement = meter.engagement
    return {
        "meter": meter.pk,
        "engagement": engagement.pk,
        "buyer": engagement.buyer_id,
        "builder": engagement.builder_id,
        "agent": meter.agent_id,
        "agent_version": engagement.agent_version_id,
    }


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
