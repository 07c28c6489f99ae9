"""What a protocol adapter takes and gives: one call of one agent, and never an exception."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from pacts.answers import NOTHING_REPORTED, Facts
from pacts.egress import Egress, EgressError, Reply
from pacts.faults import Blame, Fault
from reputation.canonical import JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentReply:
    """What came of one call.

    `output` is the answer's object, None when there is none; then `fault` names whose fault that
    was (`none` otherwise), `error_code` and `error_message` (at most 200 characters) what happened.
    `raw` is the answer's body as received and decoded; `latency_ms` None when nothing was sent.
    `facts` is what the agent reports beside its answer, `reported` what it says of itself: model,
    fingerprint, input_tokens, output_tokens, where it does.
    """

    output: dict[str, JsonValue] | None
    raw: bytes
    latency_ms: float | None
    fault: Blame = "none"
    error_code: str = ""
    error_message: str = ""
    facts: Facts = NOTHING_REPORTED
    reported: Mapping[str, JsonValue] = field(default_factory=dict)


Declared = Mapping[str, JsonValue]
NOTHING_DECLARED: Declared = {}


class Adapter(Protocol):
    """A module that speaks one protocol. TITLE is its name for people."""

    PROTOCOL: str
    TITLE: str

    def call(
        self,
        *,
        endpoint: str,
        call_id: str,
        input: JsonValue,
        egress: Egress,
        deadline_seconds: float | None = None,
        declared: Declared = NOTHING_DECLARED,
    ) -> AgentReply:
        """Ask the agent at `endpoint` for its answer to `input`; never raises, whoever's fault.

        `call_id` names the call to the agent, `deadline_seconds` shortens the policy's deadline,
        `declared` is what the builder declared of the version.
        """
        ...

    def read(
        self, *, raw: bytes, latency_ms: float | None, declared: Declared = NOTHING_DECLARED
    ) -> AgentReply:
        """What a kept answer says: the same as when it came. Never raises."""
        ...


def failure(
    fault: Fault, code: str, message: str, *, latency_ms: float | None = None, raw: bytes = b""
) -> AgentReply:
    """A reply without an answer, and whose fault that is."""
    return AgentReply(
        output=None,
        raw=raw,
        latency_ms=latency_ms,
        fault=fault,
        error_code=code,
        error_message=message[:200],
    )


def ask(send: Callable[[], Reply]) -> Reply | AgentReply:
    """One request: its reply of status 200, or what went wrong and whose fault it was."""
    try:
        reply = send()
    except EgressError as error:
        return failure(error.fault, error.code, str(error), latency_ms=error.latency_ms)
    except Exception as error:
        return failure("platform", "egress_broke", f"the call broke here: {type(error).__name__}")
    if reply.status != 200:
        return failure(
            "agent",
            f"http_{reply.status}",
            f"it answered {reply.status}, not 200",
            latency_ms=reply.latency_ms,
            raw=reply.body,
        )
    return reply


def said_of_itself(report: Mapping[str, JsonValue], facts: Facts) -> dict[str, JsonValue]:
    """`AgentReply.reported` from what stands beside an output in the platform's own form."""
    named: dict[str, JsonValue] = {
        name: value[:200]
        for name in ("model", "fingerprint")
        if isinstance(value := report.get(name), str)
    }
    return {**named, **counts(facts)}


def counts(facts: Facts) -> dict[str, JsonValue]:
    """Reported tokens as `AgentReply.reported` carries them."""
    if facts.usage is None:
        return {}
    return {
        "input_tokens": facts.usage.input_tokens,
        "output_tokens": facts.usage.output_tokens,
    }
