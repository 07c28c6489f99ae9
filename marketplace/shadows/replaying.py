"""One captured call again, against the version on offer: both answers, the same checks."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from marketplace.models import Listing, Replay
from marketplace.shadows import asking
from pacts.agents import AgentReply
from pacts.calls_examined import Found
from pacts.egress import Egress
from pacts.models import AgentVersion, Call, CallContent, Party, User
from reputation import evidence
from reputation.canonical import JsonValue, sha256
from reputation.hints import hint

LEASE = timedelta(seconds=90)
MOST_TRIES = 3
PAUSE = timedelta(seconds=3)
MOST_WAITING = 50


class ReplayRefused(ValueError):
    """The call cannot be replayed; the message says why."""


def replay(
    *, call: Call, buyer: Party, by: User, version: AgentVersion | None = None, now: datetime
) -> Replay:
    """Put the call to the current version of its agent, or to another of its versions.

    Raises ReplayRefused.
    """
    engagement = call.stream.engagement
    if engagement.buyer_id != buyer.pk:
        raise ReplayRefused("what was said in a call is the buyer's to use again")
    chosen = version or current_version(call)
    if chosen.agent_id != engagement.agent_version.agent_id:
        raise ReplayRefused("a call is replayed by a version of the agent that answered it")
    try:
        asking.captured(call)
    except asking.ContentsGone as gone:
        raise ReplayRefused(str(gone)) from gone
    waiting = Replay.objects.filter(buyer=buyer, state=Replay.State.WAITING).count()
    if waiting >= MOST_WAITING:
        raise ReplayRefused(f"{waiting} replays wait already; look at them first")
    with transaction.atomic():
        made = Replay.objects.create(
            call=call, agent_version=chosen, buyer=buyer, asked_by=by, asked_at=now, due_at=now
        )
        transaction.on_commit(lambda: hint("marketplace.tasks.run_replays"))
    return made


def current_version(call: Call) -> AgentVersion:
    """The version on offer, or the newest where none is."""
    agent = call.stream.agent_version.agent_id
    listing = Listing.objects.select_related("agent_version").filter(agent=agent).first()
    if listing is not None:
        return listing.agent_version
    return AgentVersion.objects.filter(agent=agent).order_by("-number")[0]


def replays_of(buyer: Party | str) -> QuerySet[Replay]:
    """A buyer's replays, the newest first."""
    rows = Replay.objects.filter(buyer=buyer)
    return rows.select_related(
        "call__stream__engagement__agent_version__agent", "agent_version__agent"
    )


def run_replays(*, egress: Egress, now: datetime, limit: int = 20) -> int:
    """Make the calls that wait, one after the other; how many."""
    for done in range(limit):
        leased = _lease(now)
        if leased is None:
            return done
        _run(leased, egress, now)
    return limit


def _lease(now: datetime) -> Replay | None:
    with transaction.atomic():
        due = Replay.objects.select_for_update(skip_locked=True, of=("self",)).filter(
            state=Replay.State.WAITING, due_at__lte=now
        )
        found = (
            due.select_related("call__stream__engagement__pact_version", "agent_version")
            .order_by("due_at", "pk")
            .first()
        )
        if found is not None:
            found.attempts, found.due_at = found.attempts + 1, now + LEASE
            found.save(update_fields=["attempts", "due_at"])
    return found


def _run(one: Replay, egress: Egress, now: datetime) -> None:
    try:
        then = asking.captured(one.call)
    except asking.ContentsGone as gone:
        _fail(one, str(gone), now)
        return
    call_id = f"{one.pk}.1"  # the same on a retry
    reply = asking.ask(one.agent_version, then, call_id=call_id, egress=egress)
    if reply.fault in ("platform", "buyer"):
        if reply.fault == "platform" and one.attempts < MOST_TRIES:
            Replay.objects.filter(pk=one.pk).update(due_at=now + PAUSE)
        else:
            _fail(one, reply.error_message or reply.error_code, now)
        return
    clauses = asking.clauses_of(one.call.stream.engagement.pact_version)
    first, second = asking.before(clauses, then), asking.after(clauses, then, reply)
    _store(one, reply, first, second, then.content["input"], now)


def _store(
    one: Replay,
    reply: AgentReply,
    first: Sequence[Found],
    second: Sequence[Found],
    input: JsonValue,
    now: datetime,
) -> None:
    both = asking.both_decided(first, second)
    changed = sum(then != after for then, after in both.values())
    digest = sha256(_text(reply.output)) if reply.output is not None else ""
    with transaction.atomic():
        held = Replay.objects.select_for_update(of=("self",)).get(pk=one.pk)
        if held.state != Replay.State.WAITING:
            return
        held.state, held.due_at, held.done_at = Replay.State.DONE, None, now
        held.answer = json.dumps(reply.output, ensure_ascii=False) if reply.output else ""
        held.findings = _findings(first, second)
        held.fault, held.error = reply.fault, (reply.error_message or reply.error_code)[:200]
        held.output_digest = digest
        held.latency_us = None if reply.latency_ms is None else round(reply.latency_ms * 1000)
        held.evidence_id = _log(one, len(both), changed, input, digest, now)
        held.save()


def _log(
    one: Replay, clauses: int, changed: int, input: JsonValue, digest: str, now: datetime
) -> str:
    engagement = one.call.stream.engagement
    return evidence.append(
        kind="call.replayed",
        subjects={
            "replay": one.pk,
            "engagement": engagement.pk,
            "agent": one.agent_version.agent_id,
            "agent_version": one.agent_version_id,
            "buyer": one.buyer_id,
        },
        facts={"clauses": clauses, "changed": changed},
        digests={
            "input": sha256(_text(input)),
            "fingerprint": one.agent_version.fingerprint,
            "terms": engagement.pact_version.digest,
        }
        | ({"output": digest} if digest else {}),
        at=now,
    ).pk


def _findings(first: Sequence[Found], second: Sequence[Found]) -> list[dict[str, JsonValue]]:
    """Side by side, clause by clause."""
    return [
        {
            "clause": then.clause,
            "check_version": then.version,
            "before": [then.outcome, then.value, then.reason[:240]],
            "after": [now.outcome, now.value, now.reason[:240]],
        }
        for then, now in zip(first, second, strict=True)
    ]


def _fail(one: Replay, why: str, now: datetime) -> None:
    Replay.objects.filter(pk=one.pk, state=Replay.State.WAITING).update(
        state=Replay.State.FAILED, due_at=None, done_at=now, error=why[:200]
    )


def forget_answers(*, limit: int = 1_000) -> int:
    """What a replay was answered goes when the call's own contents have gone; how many went."""
    kept = CallContent.objects.filter(call=OuterRef("call"))
    over = Replay.objects.exclude(answer="").exclude(Exists(kept))
    ids = list(over.values_list("pk", flat=True)[:limit])
    return Replay.objects.filter(pk__in=ids).update(answer="", findings=[])


def side_by_side(one: Replay) -> tuple[dict[str, Any], Any]:
    """What was said then, and now; empty where it is not kept any more."""
    try:
        then = asking.captured(one.call).content
    except asking.ContentsGone:
        return {}, None
    return then, json.loads(one.answer) if one.answer else None


def _text(value: JsonValue) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
