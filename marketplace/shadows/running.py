"""Shadow runs: calls are copied by a fair draw, put to the candidate, and compared in order.

Rows are the queue. A pair is leased, asked outside any transaction and recorded with its values
alone: the candidate's answers are digested and forgotten, and no user ever sees one.
"""

import hashlib
import secrets
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Max, QuerySet

from marketplace.models import Listing, Shadow, ShadowPair
from marketplace.shadows import asking
from marketplace.shadows.asking import Captured
from marketplace.shadows.paired import METHOD_ID, Compared, Comparison, compare
from pacts.agents import AgentReply
from pacts.calls_examined import Found
from pacts.egress import Egress
from pacts.models import AgentVersion, Call, Engagement, Party, User
from pacts.terms import WHOLE
from reputation import evidence
from reputation.canonical import sha256
from reputation.hints import hint

LEASE = timedelta(seconds=90)
MOST_TRIES = 3
PAUSE = timedelta(seconds=5)
AT_ONCE = 16
READ_AT_ONCE = 500
MOST_CALLS = 10_000


class ShadowRefused(ValueError):
    """The shadow run cannot be had like this; the message says what to change."""


class ShadowEnded(Exception):
    """The shadow run has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What a run may use: so many calls and, where said, so much of what they cost."""

    most_calls: int
    most_cost_micros: int | None = None
    cost_currency: str = ""


def start_shadow(
    *,
    engagement: Engagement,
    candidate: AgentVersion,
    buyer: Party,
    by: User,
    budget: Budget,
    share_bps: int = WHOLE,
    tolerance_bps: int = 200,
    now: datetime,
) -> Shadow:
    """Copy this engagement's calls to a candidate from now on. Raises ShadowRefused."""
    _check(engagement, candidate, buyer, budget, share_bps, tolerance_bps)
    with transaction.atomic():
        Engagement.objects.select_for_update(no_key=True).get(pk=engagement.pk)
        if Shadow.objects.filter(engagement=engagement, state=Shadow.State.RUNNING).exists():
            raise ShadowRefused("one shadow runs beside an engagement at a time; stop it first")
        last = Call.objects.filter(stream__engagement=engagement).aggregate(last=Max("pk"))["last"]
        shadow = Shadow.objects.create(
            buyer=buyer,
            engagement=engagement,
            candidate=candidate,
            share_bps=share_bps,
            most_calls=budget.most_calls,
            most_cost_micros=budget.most_cost_micros,
            cost_currency=budget.cost_currency,
            tolerance_bps=tolerance_bps,
            seed=secrets.token_bytes(32),
            after_call=last or 0,
            started_by=by,
            started_at=now,
        )
        evidence.append(
            kind="shadow.started",
            subjects=_subjects(shadow),
            facts={
                "most_calls": shadow.most_calls,
                "share_bps": shadow.share_bps,
                "tolerance_bps": shadow.tolerance_bps,
            },
            digests={"terms": engagement.pact_version.digest},
            at=now,
        )
    return shadow


def _check(
    engagement: Engagement,
    candidate: AgentVersion,
    buyer: Party,
    budget: Budget,
    share_bps: int,
    tolerance_bps: int,
) -> None:
    if engagement.buyer_id != buyer.pk or engagement.state != Engagement.State.ACTIVE:
        raise ShadowRefused("choose an engagement of yours, as the buyer, that is in force")
    if candidate.pk == engagement.agent_version_id:
        raise ShadowRefused("this version is what is hired; choose another one to compare")
    same_agent = candidate.agent_id == engagement.agent_version.agent_id
    listed = Listing.objects.filter(agent_version=candidate, state=Listing.State.OPEN).exists()
    if not same_agent and not listed:
        raise ShadowRefused("a candidate is on offer in the market, or of the same agent")
    if not 1 <= budget.most_calls <= MOST_CALLS:
        raise ShadowRefused(f"give it 1 to {MOST_CALLS:,} calls")
    if budget.most_cost_micros is not None and len(budget.cost_currency) != 3:
        raise ShadowRefused("a bound on cost names its currency, such as EUR")
    if not 1 <= share_bps <= WHOLE or not 0 <= tolerance_bps < WHOLE:
        raise ShadowRefused("shares are between 0 and 100 %")
    if not asking.clauses_of(engagement.pact_version):
        raise ShadowRefused("no clause of this pact says anything of single calls")


def stop_shadow(*, shadow: Shadow, now: datetime) -> Shadow:
    """End it with what it has found so far. Raises ShadowEnded."""
    with transaction.atomic():
        held = Shadow.objects.select_for_update(of=("self",)).get(pk=shadow.pk)
        if held.state != Shadow.State.RUNNING:
            raise ShadowEnded("this shadow run has ended")
        _end(held, Shadow.State.STOPPED, now)
    return held


def shadows_of(buyer: Party | str) -> QuerySet[Shadow]:
    """A buyer's shadow runs, the newest first."""
    rows = Shadow.objects.filter(buyer=buyer)
    return rows.select_related("engagement__agent_version__agent", "candidate__agent")


def uuid_of(call: str) -> UUID:
    """The call behind a public id `cll_…`; one that nothing has, where it is none."""
    try:
        return UUID(call.partition("_")[2])
    except ValueError:
        return UUID(int=0)


# --- the workers' part ---------------------------------------------------------------------------


def run_shadows(*, egress: Egress, now: datetime) -> int:
    """Copy what came in, ask about what waits, look at what is known; how many pairs were asked."""
    for shadow_id in Shadow.objects.filter(state=Shadow.State.RUNNING).values_list("pk", flat=True):
        _draw(shadow_id, now)
    asked = _ask_due(egress, now)
    for shadow_id in Shadow.objects.filter(state=Shadow.State.RUNNING).values_list("pk", flat=True):
        look(shadow_id=shadow_id, now=now)
    return asked


def is_drawn(*, seed: bytes, call_id: bytes, share_bps: int) -> bool:
    """Whether a call is copied: decided by the seed and the call's id, so by nothing it says."""
    drawn = hashlib.sha256(seed + call_id).digest()
    return int.from_bytes(drawn[:8], "big") * WHOLE < share_bps << 64


def _draw(shadow_id: str, now: datetime) -> None:
    """Pairs for calls that came since the last look, as far as the budget goes."""
    with transaction.atomic():
        held = Shadow.objects.select_for_update(skip_locked=True).filter(pk=shadow_id).first()
        if held is None or held.state != Shadow.State.RUNNING:
            return
        place = ShadowPair.objects.filter(shadow=held).aggregate(last=Max("place"))["last"] or 0
        calls = list(
            Call.objects.filter(
                stream__engagement=held.engagement_id,
                stream__agent_version=held.engagement.agent_version_id,
                pk__gt=held.after_call,
            ).order_by("pk")[:READ_AT_ONCE]
        )
        if not calls:
            return
        seed, room = bytes(held.seed), held.most_calls - place
        drawn = [
            one
            for one in calls
            if is_drawn(seed=seed, call_id=one.call_id.bytes, share_bps=held.share_bps)
        ][:room]
        ShadowPair.objects.bulk_create(
            [
                ShadowPair(shadow=held, call=one, place=number, due_at=now)
                for number, one in enumerate(drawn, start=place + 1)
            ]
        )
        Shadow.objects.filter(pk=held.pk).update(after_call=calls[-1].pk)


@dataclass(frozen=True, slots=True)
class _Flight:
    pair: ShadowPair
    captured: Captured | None


def _ask_due(egress: Egress, now: datetime) -> int:
    flights = [_Flight(pair, _captured(pair)) for pair in _lease(now)]
    going = [one for one in flights if one.captured is not None]
    if going:
        with ThreadPoolExecutor(min(8, len(going)), thread_name_prefix="shadow") as pool:
            replies = list(pool.map(lambda one: _fly(one, egress), going))
        for one, reply in zip(going, replies, strict=True):
            _record(one, reply, now)
    for one in flights:
        if one.captured is None:
            _null(one.pair, "its contents are gone")
    return len(flights)


def _lease(now: datetime) -> Sequence[ShadowPair]:
    with transaction.atomic():
        due = ShadowPair.objects.select_for_update(skip_locked=True, of=("self",)).filter(
            state=ShadowPair.State.WAITING,
            due_at__lte=now,
            shadow__state=Shadow.State.RUNNING,
        )
        pairs = list(
            due.select_related(
                "call", "shadow__candidate", "shadow__engagement__pact_version"
            ).order_by("due_at", "pk")[:AT_ONCE]
        )
        for pair in pairs:
            pair.attempts, pair.due_at = pair.attempts + 1, now + LEASE
        ShadowPair.objects.bulk_update(pairs, ["attempts", "due_at"])
    return pairs


def _captured(pair: ShadowPair) -> Captured | None:
    try:
        return asking.captured(pair.call)
    except asking.ContentsGone:
        return None


def _fly(one: _Flight, egress: Egress) -> AgentReply:
    assert one.captured is not None
    return asking.ask(
        one.pair.shadow.candidate,
        one.captured,
        call_id=f"{one.pair.shadow_id}.{one.pair.place}",  # the same on a retry
        egress=egress,
    )


def _record(one: _Flight, reply: AgentReply, now: datetime) -> None:
    pair, captured = one.pair, one.captured
    assert captured is not None
    if reply.fault == "platform" and pair.attempts < MOST_TRIES:
        ShadowPair.objects.filter(pk=pair.pk).update(due_at=now + PAUSE)
        return
    clauses = asking.clauses_of(pair.shadow.engagement.pact_version)
    second: Sequence[Found] = asking.after(clauses, captured, reply)
    values = asking.both_decided(asking.before(clauses, captured), second)
    done = bool(values) and reply.fault not in ("platform", "buyer")
    ShadowPair.objects.filter(pk=pair.pk, state=ShadowPair.State.WAITING).update(
        state=ShadowPair.State.DONE if done else ShadowPair.State.NULL,
        due_at=None,
        values={key: list(both) for key, both in values.items()} if done else {},
        fault=reply.fault,
        error=(reply.error_message or reply.error_code)[:200],
        output_digest=sha256(reply.raw) if reply.raw else "",
        latency_us=None if reply.latency_ms is None else round(reply.latency_ms * 1000),
        cost_micros=_cost(pair.shadow, reply),
    )


def _cost(shadow: Shadow, reply: AgentReply) -> int:
    cost = reply.facts.cost
    return cost.micros if cost is not None and cost.currency == shadow.cost_currency else 0


def _null(pair: ShadowPair, why: str) -> None:
    ShadowPair.objects.filter(pk=pair.pk, state=ShadowPair.State.WAITING).update(
        state=ShadowPair.State.NULL, due_at=None, error=why
    )


def look(*, shadow_id: str, now: datetime) -> Shadow | None:
    """Compare the pairs up to the first that still waits; end the run where that decides, or
    where the budget is used up."""
    with transaction.atomic():
        held = Shadow.objects.select_for_update(skip_locked=True).filter(pk=shadow_id).first()
        if held is None or held.state != Shadow.State.RUNNING:
            return None
        pairs = list(ShadowPair.objects.filter(shadow=held).order_by("place"))
        known = _prefix(pairs)
        found = comparison_of(held, known)
        held.outcome, held.findings = found.outcome, [asdict(one) for one in found.findings]
        held.spent_micros = sum(one.cost_micros for one in pairs)
        used = len(known) == len(pairs) and len(pairs) >= held.most_calls
        dear = held.most_cost_micros is not None and held.spent_micros >= held.most_cost_micros
        if found.outcome != "undetermined" or used or dear:
            _end(held, Shadow.State.CONCLUDED, now)
        else:
            held.save(update_fields=["outcome", "findings", "spent_micros"])
    return held


def _prefix(pairs: Sequence[ShadowPair]) -> list[ShadowPair]:
    """Up to the first gap: what comes back fast must not be looked at first."""
    known: list[ShadowPair] = []
    for pair in pairs:
        if pair.state == ShadowPair.State.WAITING:
            break
        known.append(pair)
    return known


def comparison_of(shadow: Shadow, pairs: Sequence[ShadowPair]) -> Comparison:
    """What these pairs say, recomputed from their values."""
    clauses = asking.clauses_of(shadow.engagement.pact_version)
    return compare(
        [
            {key: (both[0], both[1]) for key, both in pair.values.items()}
            for pair in pairs
            if pair.state == ShadowPair.State.DONE
        ],
        [
            Compared(clause=one.key, weight_bps=one.weight_bps, critical=one.critical)
            for one in clauses
        ],
        tolerance=shadow.tolerance_bps / WHOLE,
        alpha=shadow.alpha_bps / WHOLE,
    )


def _end(shadow: Shadow, state: Shadow.State, now: datetime) -> None:
    pairs = ShadowPair.objects.filter(shadow=shadow)
    done = pairs.filter(state=ShadowPair.State.DONE).count()
    nulls = pairs.filter(state=ShadowPair.State.NULL).count()
    shadow.state, shadow.ended_at = state, now
    shadow.evidence_id = evidence.append(
        kind="shadow.concluded",
        subjects=_subjects(shadow),
        facts={"outcome": shadow.outcome, "pairs": done, "nulls": nulls, "method": METHOD_ID},
        digests={"terms": shadow.engagement.pact_version.digest},
        at=now,
    ).pk
    shadow.save()
    transaction.on_commit(lambda: hint("reputation.tasks.sequence_evidence"))


def _subjects(shadow: Shadow) -> dict[str, str]:
    return {
        "shadow": shadow.pk,
        "engagement": shadow.engagement_id,
        "agent": shadow.candidate.agent_id,
        "agent_version": shadow.candidate_id,
        "buyer": shadow.buyer_id,
    }
