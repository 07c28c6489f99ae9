"""What a protocol adapter takes and gives: one call of one agent, and never an exception."""

from dataclasses import dataclass
from typing import Protocol

from pacts.answers import NOTHING_REPORTED, Facts
from pacts.egress import Egress
from pacts.faults import Blame
from reputation.canonical import JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentReply:
    """What came of one call.

    `output` is the answer's object, None when there is none; then `fault` names whose fault that
    was (`none` otherwise), `error_code` and `error_message` (at most 200 characters) what happened.
    `raw` is the answer's body as received and decoded; `latency_ms` None when nothing was sent.
    `facts` is what the agent reports beside its answer.
    """

    output: dict[str, JsonValue] | None
    raw: bytes
    latency_ms: float | None
    fault: Blame = "none"
    error_code: str = ""
    error_message: str = ""
    facts: Facts = NOTHING_REPORTED


class Adapter(Protocol):
    """A module that speaks one protocol."""

    def call(
        self,
        *,
        endpoint: str,
        call_id: str,
        input: JsonValue,
        egress: Egress,
        deadline_seconds: float | None = None,
    ) -> AgentReply:
        """Ask the agent at `endpoint` for its answer to `input`; never raises, whoever's fault.

        `call_id` names the call to the agent, `deadline_seconds` shortens the policy's deadline.
        """
        ...
