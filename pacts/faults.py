"""What can go wrong with a call, and whose fault it was: that decides who is charged for it."""

from typing import ClassVar, Literal

Fault = Literal["agent", "platform", "buyer"]
Blame = Literal["none", "agent", "platform", "buyer"]


class EgressError(Exception):
    """A call without a usable answer. `code` is for programs, the message for people, and `fault`
    names who answers for it. `latency_ms` is how long it took to find out, if anything was sent."""

    fault: ClassVar[Fault] = "agent"

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.latency_ms: float | None = None


class EgressRefused(EgressError):
    """Our own rule forbids the address; nothing was sent. Whoever gave the address answers."""


class AgentUnreachable(EgressError):
    """There is no such host, or it takes no connection."""


class AgentTimedOut(EgressError):
    """No whole answer before the deadline."""


class AgentMisbehaved(EgressError):
    """It answered, but not so that anybody could use it. Codes: redirect, malformed_http,
    headers_too_large, too_large, too_large_decoded, encoding, broken_off."""


class OutageHere(EgressError):
    """The platform could not make the call: its resolver, its routes, its files."""

    fault: ClassVar[Fault] = "platform"


class RequestTooLarge(EgressError):
    """What the buyer wants sent is more than may be sent."""

    fault: ClassVar[Fault] = "buyer"
