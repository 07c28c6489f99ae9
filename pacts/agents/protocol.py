"""What a protocol adapter takes and gives: one call of one agent, and never an exception."""

from dataclasses import dataclass
from typing import Protocol

from pacts.egress import Egress
from pacts.faults import Fault
from reputation.canonical import JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentReply:
    """What came of one call.

    `output` is the answer's object, None when there is none; then `fault` names whose fault that
    was and `error_code` and `error_message` (at most 200 characters) say what happened. `raw` is
    the answer's body as received and decoded; `latency_ms` is None when nothing was sent.
    """

    output: dict[str, JsonValue] | None
    raw: bytes
    latency_ms: float | None
    fault: Fault | None = None
    error_code: str = ""
    error_message: str = ""


class CallAgent(Protocol):
    """Ask the agent at `endpoint` for its answer to `input`. Never raises for a fault of anybody.

    `call_id` is stable over retries of one trial, so an agent can recognise a repeat.
    """

    def __call__(
        self,
        *,
        endpoint: str,
        call_id: str,
        input: JsonValue,
        egress: Egress,
        deadline_seconds: float | None = None,
    ) -> AgentReply: ...
