"""Windows of calls become money: counted, judged, priced, paid or left to wait, each once.

Whoever calls this holds the meter's lock. A window is settled when every deciding clause has
concluded it; once the time to judge the last ones has passed, as undetermined through the
platform's fault. The row of a window is unique for ever, and so is the key of its transfer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from pacts.conclusions import CombinedVerdict, combine
from pacts.models import CallStream, ClauseWindow, User, WaitingCall
from pacts.statistics import ClauseCounts, ClauseVerdict
from pacts.terms import Clause
from reputation.canonical import sha256
from settlement import metering_postings, metering_records, metering_statements
from settlement.metering import (
    Counted,
    Judged,
    Payment,
    Reckoning,
    Span,
    judge,
    part_run,
    reckon,
)
from settlement.metering_cases import MeterCase
from settlement.metering_counts import Counts, counts_of
from settlement.models import MeterWindow
from settlement.shares import WHOLE

PARTS_PER_BILLION = 10**9
Rows = Mapping[str, ClauseWindow]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """One window before it is settled."""

    stream: CallStream
    number: int
    rows: Rows
    counted: Counted
    next_call: int
    measured: bool


def settle_windows(case: MeterCase, *, now: datetime, overdue: bool) -> int:
    """Settle every window that is concluded, or all of them where they are `overdue`; how many."""
    return sum(_settle_stream(case, stream, now, overdue) for stream in case.streams())


def is_unsettled(case: MeterCase) -> bool:
    """Whether calls that count wait to be checked, or windows to be concluded and settled."""
    streams = case.streams()
    waiting = WaitingCall.objects.filter(stream__in=streams)
    if case.meter.closing_at:
        waiting = waiting.filter(received_at__lte=case.meter.closing_at)
    return waiting.exists() or any(_numbers(case, stream) for stream in streams)


def open_prices(case: MeterCase, *, now: datetime) -> list[Fraction]:
    """The exact prices of windows that are not settled yet, if they are met."""
    prices = []
    for stream in case.streams():
        counts = _counts(case, stream)
        for number in _numbers(case, stream):
            counted = counts.windows.get(number, Counted())
            prices.append(case.tariff.base(counted, _part(case, stream, number, counted, now)))
    return prices


def _numbers(case: MeterCase, stream: CallStream) -> dict[int, dict[str, ClauseWindow]]:
    """Windows without a row of their own in money, by number, in order."""
    last = _last(case, stream)
    rows = ClauseWindow.objects.filter(
        stream=stream, clause__in=case.keys, number__gt=last.number if last else 0
    )
    found: dict[int, dict[str, ClauseWindow]] = {}
    for row in rows.order_by("number", "clause"):
        found.setdefault(row.number, {})[row.clause] = row
    return found


def _last(case: MeterCase, stream: CallStream) -> MeterWindow | None:
    return MeterWindow.objects.filter(meter=case.meter, stream=stream).order_by("-number").first()


def _counts(case: MeterCase, stream: CallStream) -> Counts:
    last, funded_at = _last(case, stream), case.meter.funded_at
    assert funded_at is not None, "only what is funded counts calls"
    return counts_of(
        stream_id=stream.pk,
        keys=case.keys,
        since=last.next_call if last else 0,
        funded_at=funded_at,
        idle=case.idle(),
    )


def _settle_stream(case: MeterCase, stream: CallStream, now: datetime, overdue: bool) -> int:
    numbers = _numbers(case, stream)
    ready = [n for n, rows in numbers.items() if overdue or _is_concluded(rows)]
    if not overdue:  # in order: nothing is settled past a window that is still open
        still_open = min((n for n in numbers if n not in ready), default=None)
        ready = [n for n in ready if still_open is None or n < still_open]
    if not ready:
        return 0
    counts = _counts(case, stream)
    for number in ready:
        rows = numbers[number]
        found = _Found(
            stream=stream,
            number=number,
            rows=rows,
            counted=counts.windows.get(number, Counted()),
            next_call=counts.next_call(settled=number),
            measured=_is_concluded(rows),
        )
        _settle(case, found, now)
    return len(ready)


def _is_concluded(rows: Rows) -> bool:
    return all(row.concluded_at for row in rows.values())


def _settle(case: MeterCase, found: _Found, now: datetime) -> None:
    meter = case.meter
    combined = _combined(case, found)
    judged = judge(
        outcome=combined.status,
        earned_share_bps=combined.earned_share_bps,
        rule=combined.rule or "",
        vetoed=bool(combined.vetoed_by),
        on_breach=case.pact.on_breach,
        measured=found.measured,
    )
    price = _price(case, found, judged, now)
    window = _row(case, found, combined, judged, price, now)
    if judged.waits and price.covered:
        meter.withheld += price.covered
        window.state = MeterWindow.State.WITHHELD
        window.decide_by_at = now + case.waits(judged.waits)
        window.save(force_insert=True)
        metering_records.withheld(window=window, now=now)
    else:
        _pay(case, window, price, now, is_new=True)
    _look_back(case, window, now)


def _price(case: MeterCase, found: _Found, judged: Judged, now: datetime) -> Reckoning:
    part = _part(case, found.stream, found.number, found.counted, now)
    base = case.tariff.base(found.counted, part)
    return reckon(
        exact=base * judged.share_bps / WHOLE,
        award_bps=WHOLE,
        available=case.meter.available,
        paid_before=case.meter.paid + case.meter.fees,
        tariff=case.tariff,
    )


def _part(
    case: MeterCase, stream: CallStream, number: int, counted: Counted, now: datetime
) -> Fraction:
    """Which part of the window was run: of its calls, or of its days."""
    size = case.window.size or 1
    if case.window.kind == "calls":
        return min(Fraction(1), Fraction(counted.calls - counted.outside, size))
    began = stream.engagement.signed_at or stream.opened_at
    start = began + timedelta(days=size) * (number - 1)
    end = start + timedelta(days=size)
    spans = [*case.idle()]
    if case.meter.funded_at:
        spans.append(Span(start, max(start, case.meter.funded_at)))
    if now < end:
        spans.append(Span(max(now, case.meter.closing_at or now), None))
    return part_run(start=start, end=end, pauses=_apart(spans))


def _apart(spans: Sequence[Span]) -> list[Span]:
    """The same times without overlaps."""
    found: list[Span] = []
    for span in sorted(spans, key=lambda one: one.start):
        last = found[-1] if found else None
        if last is None or (last.end is not None and span.start > last.end):
            found.append(span)
        elif last.end is not None:
            end = None if span.end is None else max(last.end, span.end)
            found[-1] = Span(last.start, end)
    return found


def _combined(case: MeterCase, found: _Found) -> CombinedVerdict:
    verdicts = [_verdict(clause, found.rows.get(clause.key)) for clause in case.clauses]
    return combine(clauses=case.clauses, verdicts=verdicts)


def _verdict(clause: Clause, row: ClauseWindow | None) -> ClauseVerdict:
    """What a window's row came to. One that never concluded is undetermined, but for a breach."""
    if row is None:
        row = ClauseWindow(clause=clause.key, reason="No call was held against this clause.")
    done = row.concluded_at is not None or row.latched_at is not None
    return ClauseVerdict(
        key=clause.key,
        status=row.status if done else "undetermined",  # type: ignore[arg-type]
        live=row.live,  # type: ignore[arg-type]
        marginal=row.marginal,
        reason=row.reason,
        counts=ClauseCounts(
            passes=row.weighted_passes,
            failures=row.weighted_failures,
            errors=row.errors,
            nulls=row.nulls,
            skipped=row.skipped,
            not_applicable=row.not_applicable,
        ),
        estimate=row.estimate,
        low=row.low,
        high=row.high,
        ln_e_met=row.ln_e_met,
        ln_e_breach=row.ln_e_breach,
        first_crossing=row.breached_at or row.met_at,
        method=row.method,
    )


def _row(
    case: MeterCase,
    found: _Found,
    combined: CombinedVerdict,
    judged: Judged,
    price: Reckoning,
    now: datetime,
) -> MeterWindow:
    counted, last = found.counted, _last(case, found.stream)
    spent = {one["key"]: one["alpha_spent_so_far_ppb"] for one in (last.clauses if last else [])}
    return MeterWindow(
        meter=case.meter,
        stream=found.stream,
        number=found.number,
        outcome=combined.status,
        rule=combined.rule or "",
        reason=judged.code if price.due else _nothing(judged),
        clauses=[
            _clause(clause, verdict, found.rows.get(clause.key), spent.get(clause.key, 0))
            for clause, verdict in zip(case.clauses, combined.clauses, strict=True)
        ],
        calls=counted.calls,
        verified=counted.verified,
        failed=counted.failed,
        platform_faults=counted.platform,
        buyer_faults=counted.buyer,
        unchecked=counted.unchecked,
        outside=counted.outside,
        share_bps=judged.share_bps,
        exact=str(price.exact),
        due=price.due,
        covered=price.covered,
        paid_before=case.meter.paid + case.meter.fees,
        next_call=found.next_call,
        concluded_at=now,
    )


def _nothing(judged: Judged) -> str:
    return judged.code if judged.code == "window_breached" else "window_nothing_due"


def _clause(
    clause: Clause, verdict: ClauseVerdict, row: ClauseWindow | None, spent: int
) -> dict[str, object]:
    """One clause's line: counts rounded down to whole units, and the alpha this window spent."""
    share = row.risk_share if row else 0.0
    spends = round(clause.alpha_bps * share * PARTS_PER_BILLION / WHOLE)
    return {
        "key": clause.key,
        "title": clause.title,
        "outcome": verdict.status,
        "critical": clause.critical,
        "weight_bps": clause.weight_bps,
        "promise_bps": clause.promise_bps,
        "floor_bps": clause.floor_bps,
        "passes": int(verdict.counts.passes),
        "failures": int(verdict.counts.failures),
        "errors": verdict.counts.errors,
        "nulls": verdict.counts.nulls,
        "skipped": verdict.counts.skipped,
        "not_applicable": verdict.counts.not_applicable,
        "alpha_bps": clause.alpha_bps,
        "alpha_spent_ppb": spends,
        "alpha_spent_so_far_ppb": spent + spends,
        "reason": verdict.reason,
        "evidence": (row.evidence_id or row.breach_evidence) if row else "",
    }


def _look_back(case: MeterCase, window: MeterWindow, now: datetime) -> None:
    """One more window was the time for proof: what it says of the window before it."""
    waiting = MeterWindow.objects.filter(
        meter=case.meter,
        stream=window.stream_id,
        number__lt=window.number,
        state=MeterWindow.State.WITHHELD,
        rule="extend",
    )
    for one in waiting.order_by("number"):
        proved = window.outcome == "met"
        decide_window(
            case,
            one,
            award_bps=WHOLE if proved else 0,
            code="window_proved" if proved else "window_not_proved",
            now=now,
        )


def decide_late(case: MeterCase, *, now: datetime) -> None:
    """Windows whose time to wait is over cost nothing."""
    late = MeterWindow.objects.filter(
        meter=case.meter, state=MeterWindow.State.WITHHELD, decide_by_at__lt=now
    )
    for window in late.order_by("pk"):
        code = "window_unruled" if window.rule == "human_review" else "window_not_proved"
        decide_window(case, window, award_bps=0, code=code, now=now)


def decide_window(
    case: MeterCase,
    window: MeterWindow,
    *,
    award_bps: int,
    code: str,
    now: datetime,
    by: User | None = None,
    reasons: str = "",
) -> None:
    """A window that waited gets `award_bps` of what was kept for it; the caller holds the lock."""
    window.meter = case.meter
    case.meter.withheld -= window.covered
    window.award_bps, window.reason = award_bps, code
    window.decided_by, window.decision = by, reasons
    price = reckon(
        exact=Fraction(window.covered),
        award_bps=award_bps,
        available=window.covered,
        paid_before=case.meter.paid + case.meter.fees,
        tariff=case.tariff,
    )
    _pay(case, window, price, now, is_new=False)


def _pay(
    case: MeterCase, window: MeterWindow, price: Reckoning, now: datetime, *, is_new: bool
) -> None:
    """Settle the row for good: its transfer, its statement, its evidence."""
    meter = case.meter
    window.paid_before = meter.paid + meter.fees
    window.state, window.settled_at = MeterWindow.State.SETTLED, now
    window.earned, window.held_back = price.earned, price.held_back
    window.paid, window.fee = price.paid, price.fee
    meter.held_back += price.held_back
    if price.paid + price.fee:
        payment = Payment(price.paid, price.fee)
        window.transfer_id = metering_postings.draw(meter=meter, window=window, payment=payment)
    statement = metering_statements.draft(case=case, window=window, now=now)
    digest = sha256(statement.body.encode())
    window.evidence_id = metering_records.settled(window=window, statement=digest, now=now)
    window.save(force_insert=is_new)
    statement.save(force_insert=True)
    metering_postings.note_draw(meter=meter, window=window, now=now)
