"""One request of a route: agents are asked in turn until one answers, each call on the record.

No transaction is open while an agent is called. Every try is a production call by the platform's
own clock, with its fault. A try that the route itself cut short, before the agent's own deadline
was over, is charged to nobody.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.db import transaction

from marketplace.models import Route, RoutedCall, RouteEntry
from marketplace.routing.choosing import (
    SMALLEST_TURN,
    Candidate,
    Choice,
    Order,
    choose,
    turn_seconds,
    why_first,
)
from marketplace.routing.keeping import RouteClosed, candidates, entries_of
from marketplace.routing.standing_by import left_alone, noticed
from pacts import calls, terms
from pacts.agents import PROTOCOLS, AgentReply
from pacts.agents.protocol import failure
from pacts.calls_backlog import make_room
from pacts.calls_examined import Reported, examine_call
from pacts.egress import Egress
from pacts.live import decided_at_once
from pacts.models import Call, CallStream
from reputation import evidence
from reputation.canonical import JsonValue
from reputation.hints import hint
from reputation.identifiers import new_id

log = logging.getLogger(__name__)

_NEEDED = frozenset(
    {
        *("call_id", "engagement", "agent_version", "started_at", "latency_ms"),
        *("input", "output", "fault", "error", "labels"),
    }
)
_TOO_LATE = ("timeout", "connect_timeout")


class NobodyAnswers(Exception):
    """No agent of the route could answer; the message says why, agent by agent."""


class InputRefused(ValueError):
    """What was sent cannot be put to an agent; nobody else would take it either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One agent asked: its reply, under which call id, and since when."""

    entry: RouteEntry
    call_id: str
    started_at: datetime
    reply: AgentReply
    cut: bool
    held_back: tuple[str, ...] = ()

    @property
    def answered(self) -> bool:
        return self.reply.output is not None and not self.held_back

    def told(self) -> dict[str, JsonValue]:
        """As the routed call keeps it."""
        return {
            "engagement": self.entry.engagement_id,
            "call_id": self.call_id,
            "fault": self.reply.fault,
            "error": self.reply.error_code or ("held_back" if self.held_back else ""),
            "latency_ms": self.reply.latency_ms,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What a route answers, who said it and why that agent was asked."""

    routed: RoutedCall
    said: Try
    why: str


def call(
    *,
    route: Route,
    input: JsonValue,
    egress: Egress,
    now: Callable[[], datetime],
    labels: dict[str, str] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Answered:
    """Put one input to the route's agents. Raises RouteClosed, NobodyAnswers, InputRefused,
    TooManyWaiting."""
    if route.closed_at is not None:
        raise RouteClosed("this route is closed; make a new one")
    make_room(now=now())
    entries = {one.engagement_id: one for one in entries_of(route)}
    choice = choose(candidates(list(entries.values()), now=now()), order=cast(Order, route.order))
    started, at = clock(), now()
    tries: list[Try] = []
    for place, candidate in enumerate(choice.asked):
        left = route.deadline_ms / 1000 - (clock() - started)
        if left < SMALLEST_TURN:
            break
        turn = _Turn(route, entries[candidate.engagement], egress, now)
        tries.append(turn.take(input, left, others=len(choice.asked) - place - 1))
        turn.write(input, tries[-1], labels or {})
        if tries[-1].answered or tries[-1].reply.fault == "buyer":
            break
    took = (clock() - started) * 1000
    return _conclude(route, choice, tries, took, at, now())


class _Turn:
    """One agent's turn."""

    def __init__(
        self, route: Route, entry: RouteEntry, egress: Egress, now: Callable[[], datetime]
    ) -> None:
        self.route, self.entry, self.egress, self.now = route, entry, egress, now
        self.version = entry.engagement.agent_version

    def take(self, input: JsonValue, left: float, *, others: int) -> Try:
        """Ask. HTTP only; never raises."""
        own = self.version.deadline_ms / 1000
        seconds = turn_seconds(left=left, own=own, others=others)
        call_id, started = _call_id(), self.now()
        try:
            reply = PROTOCOLS[self.version.protocol].call(
                endpoint=self.version.endpoint,
                call_id=call_id,
                input=input,
                egress=self.egress,
                deadline_seconds=seconds,
                declared=self.version.declared,
            )
        except Exception as error:
            reply = failure("platform", "adapter_broke", type(error).__name__)
        cut = seconds < own and reply.error_code in _TOO_LATE
        if cut:
            reply = failure(
                "platform", "route_moved_on", f"the route waited {seconds:.1f} s of its own time"
            )
        return Try(
            entry=self.entry,
            call_id=call_id,
            started_at=started,
            reply=reply,
            cut=cut,
            held_back=self._broken(input, reply) if self.route.holds_back else (),
        )

    def _broken(self, input: JsonValue, reply: AgentReply) -> tuple[str, ...]:
        """Critical clauses that this answer alone breaks."""
        parsed = terms.parse(self.entry.engagement.pact_version.terms)
        critical = [one for one in parsed.clauses if one.critical and calls_say(one)]
        if reply.output is None or not critical:
            return ()
        found = examine_call(critical, reported_of(reply, input))
        return tuple(one.clause for one in found if one.outcome == "fail")

    def write(self, input: JsonValue, one: Try, labels: dict[str, str]) -> None:
        """Put the call on the record, and what it says of the agent's health on the list."""
        record = record_of(one, input, {**labels, "route": self.route.pk})
        if refused := self._take(record):
            # What an agent says beside its answer may be more than a record takes.
            log.warning("call %s is kept without what was said beside it: %s", *refused)
            self._take({name: value for name, value in record.items() if name in _NEEDED})
        if one.reply.output is not None:
            noticed(self.entry)
        elif one.reply.fault != "buyer":
            left_alone(self.entry, now=self.now())

    def _take(self, record: dict[str, JsonValue]) -> tuple[str, str] | None:
        """Store a record; its id and what is wrong with it, where it is refused."""
        taken = calls.take_calls(
            reporter=self.route.buyer,
            records=[record],
            now=self.now(),
            engagement=self.entry.engagement_id,
            independence=CallStream.Independence.PLATFORM,
            clock=Call.Clock.PLATFORM,
        )
        return (taken.refused[0].call_id, taken.refused[0].problem) if taken.refused else None


def calls_say(clause: terms.Clause) -> bool:
    """Whether a single call says anything of a clause."""
    return decided_at_once(clause)


def reported_of(reply: AgentReply, input: JsonValue) -> Reported:
    """A reply as the checks of production calls look at it."""
    content: dict[str, Any] = {"input": input}
    if reply.output is not None:
        content["output"] = reply.output
    if reply.facts.tool_calls is not None:
        content["tool_calls"] = [
            {"name": one.name, "arguments": one.arguments, "result": one.result}
            for one in reply.facts.tool_calls
        ]
    usage, cost = reply.facts.usage, reply.facts.cost
    return Reported(
        clock=Call.Clock.PLATFORM,
        latency_us=None if reply.latency_ms is None else round(reply.latency_ms * 1000),
        fault=reply.fault,
        error=reply.error_message,
        answered=reply.output is not None,
        usage=(usage.input_tokens, usage.output_tokens) if usage else None,
        cost=(cost.micros, cost.currency) if cost else None,
        content=content,
    )


def record_of(one: Try, input: JsonValue, labels: dict[str, str]) -> dict[str, JsonValue]:
    """A try as `pacts.guard.records` describes a call."""
    reply, engagement = one.reply, one.entry.engagement
    usage, cost, tools = reply.facts.usage, reply.facts.cost, reply.facts.tool_calls
    model = {name: reply.reported.get(name) for name in ("model", "fingerprint")}
    record: dict[str, JsonValue] = {
        "call_id": one.call_id,
        "engagement": engagement.pk,
        "agent_version": engagement.agent_version_id,
        "started_at": one.started_at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "latency_ms": reply.latency_ms,
        "input": input,
        "fault": reply.fault,
        "error": (reply.error_message or reply.error_code)[:200],
        "labels": dict(labels.items()),
        "blocked": bool(one.held_back),
    }
    if reply.output is not None:
        record["output"] = reply.output
    if isinstance(model["model"], str):
        named: dict[str, JsonValue] = {"name": model["model"]}
        if isinstance(model["fingerprint"], str):
            named["fingerprint"] = model["fingerprint"]
        record["model"] = named
    if usage is not None:
        record["usage"] = {
            "input_tokens": usage.input_tokens,
            "output_tokens": usage.output_tokens,
        }
    if cost is not None:
        record["cost"] = {"micros": cost.micros, "currency": cost.currency}
    if tools is not None:
        record["tool_calls"] = [
            {"name": tool.name, "arguments": tool.arguments, "result": tool.result}
            for tool in tools
        ]
    return record


def _call_id() -> str:
    return str(UUID(new_id("cll").partition("_")[2]))


def _conclude(
    route: Route,
    choice: Choice,
    tries: Sequence[Try],
    took: float,
    at: datetime,
    now: datetime,
) -> Answered:
    said = tries[-1] if tries and tries[-1].answered else None
    why = _why(route, choice, tries, said)
    routed = RoutedCall.objects.create(
        route=route,
        engagement_id=said.entry.engagement_id if said else None,
        call_id=UUID(said.call_id) if said else None,
        why=why,
        tries=[one.told() for one in tries],
        latency_ms=took,
        at=at,
    )
    if said is None:
        if tries and tries[-1].reply.fault == "buyer":
            raise InputRefused(tries[-1].reply.error_message or "the input cannot be sent")
        raise NobodyAnswers(why)
    if route.current_id != said.entry.engagement_id:
        _switch(route, said.entry, choice, now)
    return Answered(routed=routed, said=said, why=why)


def _why(route: Route, choice: Choice, tries: Sequence[Try], said: Try | None) -> str:
    if said is None:
        failed = [f"{one.entry.engagement_id}: {_problem(one)}" for one in tries]
        passed = [f"{one.engagement}: {why}" for one, why in choice.passed]
        return ("; ".join(failed + passed) or "the route lists nobody")[:200]
    chosen: Candidate = next(
        one for one in choice.asked if one.engagement == said.entry.engagement_id
    )
    return why_first(chosen, choice, order=cast(Order, route.order), tried=len(tries) - 1)


def _problem(one: Try) -> str:
    if one.held_back:
        return f"its answer broke {', '.join(one.held_back)}"
    return one.reply.error_message or one.reply.error_code or "no answer"


def _switch(route: Route, entry: RouteEntry, choice: Choice, now: datetime) -> None:
    """Somebody else answers than before: evidence, once for each change."""
    before = route.current_id
    left = next((why for one, why in choice.passed if one.engagement == before), "")
    with transaction.atomic():
        moved = Route.objects.filter(pk=route.pk, current=before).update(current=entry.engagement)
        if not moved:  # somebody was faster
            return
        evidence.append(
            kind="route.switched",
            subjects={
                "route": route.pk,
                "engagement": entry.engagement_id,
                "agent": entry.engagement.agent_version.agent_id,
                "buyer": route.buyer_id,
            },
            facts={"why": _token(before, left)} | ({"left": before} if before else {}),
            at=now,
        )
        transaction.on_commit(lambda: hint("reputation.tasks.sequence_evidence"))


def _token(before: str | None, left: str) -> str:
    if before is None:
        return "first"
    if left.startswith("it broke"):
        return "breached"
    if "frozen" in left or "set aside" in left:
        return "money"
    return "controlled" if left else "failed-or-outranked"
