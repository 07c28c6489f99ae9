"""A captured call put to another version, and what the checks say of both answers."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from marketplace.routing.calling import calls_say, reported_of
from pacts import terms
from pacts.agents import PROTOCOLS, AgentReply
from pacts.agents.protocol import failure
from pacts.calls_examined import Found, Reported, examine_call
from pacts.egress import Egress
from pacts.models import AgentVersion, Call, CallContent, PactVersion
from pacts.terms import Clause


class ContentsGone(Exception):
    """What was said in this call is not kept any more."""


@dataclass(frozen=True, slots=True)
class Captured:
    """One call with what was kept of it. `has_input` is False where only digests came."""

    call: Call
    content: dict[str, Any]

    @property
    def has_input(self) -> bool:
        return "input" in self.content


def captured(call: Call) -> Captured:
    """The call with its contents. Raises ContentsGone."""
    kept = CallContent.objects.filter(call=call).first()
    content: dict[str, Any] = json.loads(bytes(kept.body)) if kept else {}
    if "input" not in content:
        raise ContentsGone("what was said in this call is not kept any more, or never came here")
    return Captured(call, content)


def clauses_of(pact: PactVersion) -> list[Clause]:
    """The clauses of a pact that single calls are held against."""
    return [one for one in terms.parse(pact.terms).clauses if calls_say(one)]


def before(clauses: Sequence[Clause], one: Captured) -> list[Found]:
    """What the checks say of the answer that was given then."""
    call = one.call
    read, written = call.input_tokens, call.output_tokens
    usage = None if read is None or written is None else (read, written)
    reported = Reported(
        clock=call.clock,
        latency_us=call.latency_us,
        fault=call.fault,
        error=call.error,
        answered=bool(call.output_digest) or "output" in one.content,
        usage=usage,
        cost=None if call.cost_micros is None else (call.cost_micros, call.cost_currency),
        content=one.content,
    )
    return examine_call(clauses, reported)


def ask(version: AgentVersion, one: Captured, *, call_id: str, egress: Egress) -> AgentReply:
    """The other version's answer to the same input. HTTP only; never raises."""
    try:
        return PROTOCOLS[version.protocol].call(
            endpoint=version.endpoint,
            call_id=call_id,
            input=one.content["input"],
            egress=egress,
            deadline_seconds=version.deadline_ms / 1000,
            declared=version.declared,
        )
    except Exception as error:
        return failure("platform", "adapter_broke", type(error).__name__)


def after(clauses: Sequence[Clause], one: Captured, reply: AgentReply) -> list[Found]:
    """What the same checks say of the new answer."""
    reported = reported_of(reply, one.content["input"])
    scope = {"in_scope": one.content["in_scope"]} if "in_scope" in one.content else {}
    labels = {"labels": one.content["labels"]} if "labels" in one.content else {}
    return examine_call(
        clauses,
        Reported(
            clock=reported.clock,
            latency_us=reported.latency_us,
            fault=reported.fault,
            error=reported.error,
            answered=reported.answered,
            usage=reported.usage,
            cost=reported.cost,
            content={**reported.content, **scope, **labels},
        ),
    )


def both_decided(first: Sequence[Found], second: Sequence[Found]) -> dict[str, tuple[float, float]]:
    """Clause → (then, now) where both answers decided it."""
    later = {one.clause: one.value for one in second if _decides(one)}
    return {
        one.clause: (one.value, now)
        for one in first
        if _decides(one) and one.value is not None
        if (now := later.get(one.clause)) is not None
    }


def _decides(one: Found) -> bool:
    return one.outcome in ("pass", "fail") and one.value is not None
