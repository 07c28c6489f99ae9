"""What a guard is told when it is made, checked at once: what is wrong says what to do."""

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pacts.guard.clauses import Clause, ClauseRefused, clauses_of, known
from pacts.guard.records import MOST_BYTES, MOST_CALLS, Fault
from pacts.guard.spool import Fsync
from pacts.guard.uploading import Server

Mode = Literal["observe", "block", "sample"]
Content = Literal["full", "digests", "none"]
Undecided = Literal["open", "closed"]


class GuardMisconfigured(ValueError):
    """The guard cannot be made like this; the message says what to change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything a guard may be told; see the README for each. Sizes are bytes, times seconds.

    `pact` are the terms (`GET /api/v1/pacts/{id}`) or a list of clauses, checked here as well.
    `when_undecided` is only for `block`, and must be chosen there: what happens to an answer on
    which a critical clause could not be decided. `instead` gets the breach and gives the answer
    that is returned in place of the blocked one; without it `PactBreached` is raised. `blame` says
    of an exception whose fault it was. `sample_rate` is only for `sample`.
    """

    agent_version: str | None = None
    engagement: str | None = None
    base_url: str | None = None
    api_key: str | None = None
    pact: object = ()
    mode: Mode = "observe"
    sample_rate: float = 1.0
    when_undecided: Undecided | None = None
    instead: Callable[[Any], Any] | None = None
    content: Content = "full"
    digest_key: bytes = b""
    redact: Mapping[str, Any] = field(default_factory=dict)
    keep: tuple[str, ...] = ()
    blame: Callable[[BaseException], Fault] | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    tracer: Any = None
    spool: str | os.PathLike[str] | None = "auto"
    fsync: Fsync = "interval"
    spool_bytes: int = 256 * 1024 * 1024
    memory_bytes: int = 32 * 1024 * 1024
    most_pending: int = 10_000
    batch_calls: int = 500
    batch_bytes: int = 1024 * 1024
    linger_seconds: float = 0.05
    request_seconds: float = 10.0
    first_pause: float = 0.5
    exit_seconds: float = 3.0

    def __post_init__(self) -> None:
        self._check_names()
        self._check_mode()
        if self.content not in ("full", "digests", "none"):
            raise GuardMisconfigured("content is full, digests or none")
        if not 1 <= self.batch_calls <= MOST_CALLS or not 1 <= self.batch_bytes <= MOST_BYTES // 2:
            raise GuardMisconfigured(
                f"a batch has 1 to {MOST_CALLS} calls and at most {MOST_BYTES // 2} bytes"
            )
        if min(self.memory_bytes, self.spool_bytes, self.most_pending) < 1:
            raise GuardMisconfigured("every bound is at least 1")

    def _check_names(self) -> None:
        if not (self.agent_version or self.engagement):
            raise GuardMisconfigured("say what is called: pass agent_version or engagement")

    def _check_mode(self) -> None:
        if self.mode not in ("observe", "block", "sample"):
            raise GuardMisconfigured("mode is observe, block or sample")
        if not 0 < self.sample_rate <= 1:
            raise GuardMisconfigured("sample_rate is above 0 and at most 1")
        if self.sample_rate < 1 and self.mode != "sample":
            raise GuardMisconfigured('a sample_rate below 1 needs mode="sample"')
        if self.mode == "block" and self.when_undecided not in ("open", "closed"):
            raise GuardMisconfigured(
                'block needs when_undecided="open" (an answer nobody could check is returned) '
                'or "closed" (it is not)'
            )

    def clauses(self) -> tuple[Clause, ...]:
        """The clauses, ready. Raises GuardMisconfigured."""
        try:
            found = clauses_of(self.pact)
        except ClauseRefused as error:
            raise GuardMisconfigured(str(error)) from error
        foreign = [clause for clause in found if clause.critical and not known(clause)]
        if self.mode == "block" and self.when_undecided == "closed" and foreign:
            raise GuardMisconfigured(
                f"{foreign[0].key} ({foreign[0].check}) is critical and only the server can check "
                'it, so every answer would be held back; choose when_undecided="open"'
            )
        if self.mode == "block" and not any(clause.critical for clause in found):
            raise GuardMisconfigured("block holds critical clauses, and the pact given has none")
        return found

    def server(self) -> Server | None:
        """Where records go; None where no address is given and none is in EARNEST_URL: then they
        are checked and counted only. Raises GuardMisconfigured."""
        base = self.base_url or os.environ.get("EARNEST_URL", "")
        if not base:
            return None
        try:
            return Server(base, self.api_key or os.environ.get("EARNEST_API_KEY", ""))
        except ValueError as error:
            raise GuardMisconfigured(str(error)) from error

    def spool_folder(self) -> Path | None:
        """One folder per server and agent, so that nothing is sent in another's name."""
        if self.spool is None:
            return None
        if self.spool != "auto":
            return Path(self.spool)
        state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
        base = self.base_url or os.environ.get("EARNEST_URL", "")
        owner = "\n".join((base, self.agent_version or "", self.engagement or ""))
        return Path(state) / "earnest-guard" / hashlib.sha256(owner.encode()).hexdigest()[:16]
