"""A worker's shift on one rehearsal: lease it, call the agent, look at the answers, keep them.

No transaction is open while the agent is called. A worker that dies loses its lease; cases without
an answer are asked again.
"""

import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from pacts import adversity, terms
from pacts.agents import PROTOCOLS, AgentReply
from pacts.agents.protocol import failure
from pacts.egress import Egress
from pacts.examination import examine
from pacts.models import AgentVersion, Rehearsal, RehearsedCase
from pacts.pacing import book_calls
from pacts.plans import plan_for
from pacts.probes import Attack
from pacts.runner import LONGEST_WAIT_SECONDS
from pacts.strict_json import MalformedJson, parse_json
from pacts.variants import Subject, VariantPlan
from reputation.clock import database_now

LEASE = timedelta(seconds=90)
SHIFT_SECONDS = 15.0
WIDTH = 4
LONGEST_CALL_SECONDS = 30.0
LONGEST_KEPT = 20_000  # characters of an answer


def rehearse(
    *,
    rehearsal_id: str,
    egress: Egress,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> bool:
    """Work on a run until its cases are done or the shift is over; whether to go on at once.

    Nothing happens where another worker is at it. A run that has to wait for long goes to the
    sweep, which finds it when the wait is over.
    """
    rehearsal = _claim(rehearsal_id, database_now())
    if rehearsal is None:
        return False
    examiner, started = _Examiner(rehearsal), clock()
    while clock() - started < SHIFT_SECONDS:
        cases = _next(rehearsal)
        if not cases:
            _finish(rehearsal, database_now())
            return False
        allowed, wait = (len(cases), 0.0)
        if not rehearsal.pasted:
            allowed, wait = book_calls(rehearsal=rehearsal, wanted=len(cases))
        if allowed:
            _record(rehearsal, _looked(examiner, cases[:allowed], egress))
        elif wait > LONGEST_WAIT_SECONDS:
            _leave(rehearsal, until=database_now() + timedelta(seconds=wait))
            return False
        else:
            pause(wait)
    _leave(rehearsal)
    return True


def waiting(*, now: datetime, limit: int) -> list[str]:
    """Runs that nobody is at; those whose time is over end here, with what they have."""
    free = Q(lease_expires_at=None) | Q(lease_expires_at__lte=now)
    rows = Rehearsal.objects.filter(free, state=Rehearsal.State.RUNNING)
    rows.filter(deadline_at__lt=now).update(state=Rehearsal.State.STOPPED, finished_at=now)
    found = rows.filter(deadline_at__gte=now).order_by("started_at")
    return list(found.values_list("pk", flat=True)[:limit])


def _claim(rehearsal_id: str, now: datetime) -> Rehearsal | None:
    with transaction.atomic():
        free = Q(lease_expires_at=None) | Q(lease_expires_at__lte=now)
        claimed = Rehearsal.objects.filter(
            free, pk=rehearsal_id, state=Rehearsal.State.RUNNING
        ).update(lease_expires_at=now + LEASE, calling=0)
    if not claimed:
        return None
    return Rehearsal.objects.select_related("agent_version").get(pk=rehearsal_id)


def _leave(rehearsal: Rehearsal, until: datetime | None = None) -> None:
    """Give the lease back; with `until`, nobody takes it before."""
    Rehearsal.objects.filter(pk=rehearsal.pk).update(lease_expires_at=until, calling=0)


def _next(rehearsal: Rehearsal) -> list[RehearsedCase]:
    queued = rehearsal.cases.filter(state=RehearsedCase.State.QUEUED).order_by("position")
    if rehearsal.pasted:
        return list(queued)
    return list(queued[: min(WIDTH, rehearsal.agent_version.max_concurrency)])


def _looked(
    examiner: "_Examiner", cases: Sequence[RehearsedCase], egress: Egress
) -> list[RehearsedCase]:
    version, pasted = examiner.rehearsal.agent_version, examiner.rehearsal.pasted
    if pasted:
        return [examiner.look(case, _pasted(case.answer)) for case in cases]
    with ThreadPoolExecutor(WIDTH) as pool:
        asked = [(case, json.loads(case.input)) for case in cases]
        replies = list(pool.map(lambda one: _call(version, one[0], one[1], egress), asked))
    return [examiner.look(case, reply) for case, reply in zip(cases, replies, strict=True)]


def _call(version: AgentVersion, case: RehearsedCase, input: Any, egress: Egress) -> AgentReply:
    """One call; HTTP only, in a thread. Never raises."""
    try:
        return PROTOCOLS[version.protocol].call(
            endpoint=version.endpoint,
            call_id=f"{case.rehearsal_id}.{case.position}",
            input=input,
            egress=egress,
            deadline_seconds=min(LONGEST_CALL_SECONDS, version.deadline_ms / 1000),
            declared=version.declared,
        )
    except Exception as error:
        return failure("platform", "adapter_broke", type(error).__name__)


def _pasted(text: str) -> AgentReply:
    """A brought answer: the output alone, or as the platform's own protocol has it."""
    raw = text.encode()
    try:
        value = parse_json(raw)
    except MalformedJson as error:
        return failure("agent", error.code, str(error), raw=raw)
    if isinstance(value, dict) and isinstance(value.get("output"), dict):
        return PROTOCOLS["earnest-json/1"].read(raw=raw, latency_ms=None)
    if not isinstance(value, dict):
        return failure("agent", "no_output", "the answer is no JSON object", raw=raw)
    return AgentReply(output=value, raw=raw, latency_ms=None)


class _Examiner:
    """What is looked at in every answer of one run."""

    def __init__(self, rehearsal: Rehearsal) -> None:
        self.rehearsal = rehearsal
        self.clauses: tuple[terms.Clause, ...] = ()
        if rehearsal.terms is not None:
            self.clauses = terms.parse(rehearsal.terms).clauses
        self.plan: VariantPlan = plan_for(self.clauses)

    def look(self, case: RehearsedCase, reply: AgentReply) -> RehearsedCase:
        """The case with its answer and what was seen in it; not yet saved."""
        case.state = RehearsedCase.State.DONE
        case.fault = "" if reply.fault == "none" else reply.fault
        case.error = (reply.error_message or reply.error_code)[:200] if case.fault else ""
        case.answer = reply.raw.decode("utf-8", "replace").replace("\x00", "\ufffd")[:LONGEST_KEPT]
        case.latency_us = None if reply.latency_ms is None else round(reply.latency_ms * 1000)
        if case.key:
            self._grade(case, reply)
        elif self.clauses:
            case.answers = json.dumps(self._said(case, reply), ensure_ascii=False)
        return case

    def _grade(self, case: RehearsedCase, reply: AgentReply) -> None:
        attack = Attack(**json.loads(case.expected)) if case.expected else None
        found = adversity.grade(adversity.adversity(case.key), reply, attack=attack)
        case.outcome, case.reason = found.outcome, found.reason[:400]

    def _said(self, case: RehearsedCase, reply: AgentReply) -> list[dict[str, Any]]:
        seen = [c for c in self.clauses if self.plan.sees(c.key, case.variant)]
        if self.rehearsal.pasted:
            seen = [c for c in seen if c.check not in UNTIMED]
        answers = examine(
            clauses=seen,
            input=json.loads(case.input),
            expected=json.loads(case.expected) if case.expected else None,
            in_scope=case.in_scope,
            reply=reply,
            attack=self._attack(case),
        )
        return [{"clause": key} | _shown(asdict(answer)) for key, answer in answers]

    def _attack(self, case: RehearsedCase) -> Attack | None:
        """What a clause's variation planted: made again from the plain task, name and seed."""
        if not case.variant:
            return None
        plain = RehearsedCase.objects.filter(rehearsal=self.rehearsal, task=case.task, variant="")
        first = plain.order_by("position")[0]
        subject = Subject(position=case.task, input=json.loads(first.input))
        return self.plan.asked(subject, variant=case.variant, seed=self.rehearsal.seed).attack


UNTIMED = ("latency", "availability")  # nothing was called, so nothing was timed


def _shown(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: answer[name] for name in ("outcome", "value", "reason", "fault")}


def _record(rehearsal: Rehearsal, cases: list[RehearsedCase]) -> None:
    columns = ("state", "fault", "error", "answer", "answers", "latency_us", "outcome", "reason")
    with transaction.atomic():
        held = Rehearsal.objects.filter(pk=rehearsal.pk, state=Rehearsal.State.RUNNING)
        if held.update(lease_expires_at=database_now() + LEASE, calling=0):
            RehearsedCase.objects.bulk_update(cases, columns)


def _finish(rehearsal: Rehearsal, now: datetime) -> None:
    Rehearsal.objects.filter(pk=rehearsal.pk, state=Rehearsal.State.RUNNING).update(
        state=Rehearsal.State.DONE, finished_at=now, lease_expires_at=None, calling=0
    )
