"""The answer an earlier run kept, read again: for a fixed check, and for a verifier offline."""

from dataclasses import dataclass
from typing import cast

from pacts.agents.protocol import Adapter, AgentReply, Declared, failure
from pacts.faults import Blame


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAnswer:
    """What a trial's row kept. `body` is the raw answer, None when it was erased or never kept."""

    fault: str
    error_code: str
    error_message: str
    latency_us: int | None
    body: bytes | None

    @property
    def latency_ms(self) -> float | None:
        return None if self.latency_us is None else self.latency_us / 1000

    def reply(self, adapter: Adapter, declared: Declared) -> AgentReply:
        """The reply as it came. Without its body there is nothing to check again, which is held
        against nobody."""
        if self.fault == "none":
            if self.body is None:
                return failure("platform", "answer_erased", "the raw answer is no longer kept")
            return adapter.read(raw=self.body, latency_ms=self.latency_ms, declared=declared)
        return AgentReply(
            output=None,
            raw=self.body or b"",
            latency_ms=self.latency_ms,
            fault=cast(Blame, self.fault),
            error_code=self.error_code,
            error_message=self.error_message,
        )
