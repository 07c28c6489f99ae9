"""A worker's shift on one evaluation: take trials from the queue, call the agent, check, record.

No transaction is open while the agent is called, and no thread but the runner's own touches the
database. What lands together is recorded together, so a fast agent costs few commits.
"""

import time
from collections.abc import Callable
from concurrent.futures import ALL_COMPLETED, FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import lru_cache

from django.conf import settings

from pacts import terms, trials
from pacts.agents import PROTOCOLS, AgentReply
from pacts.checks import CHECKS, Answer, Call
from pacts.egress import Egress, EgressPolicy
from pacts.models import AgentVersion, Evaluation
from pacts.trials import Claim, Finished
from reputation.canonical import canonical, sha256

HEARTBEAT_SECONDS = 4.0
SHIFT_SECONDS = 20.0  # a runner stops claiming after this and leaves the rest to a fresh message
LINGER_SECONDS = 0.01  # wait this long for others to land with the first


@lru_cache(maxsize=1)
def egress() -> Egress:
    """The one way out, with the limits of this installation; its connections are kept alive."""
    return Egress(
        policy=EgressPolicy(
            allow_loopback=settings.EGRESS_ALLOW_LOOPBACK,
            deadline_seconds=settings.EGRESS_DEADLINE_SECONDS,
        )
    )


@dataclass(slots=True)
class Runner:
    """One shift. `run` works until nothing can be claimed or the shift is over."""

    evaluation: Evaluation
    egress: Egress
    clock: Callable[[], float] = time.monotonic
    flights: dict[Future[AgentReply], Claim] = field(default_factory=dict)
    parsed: terms.PactTerms = field(init=False)
    version: AgentVersion = field(init=False)

    def __post_init__(self) -> None:
        self.parsed = terms.parse(self.evaluation.pact_version.terms)
        self.version = self.evaluation.agent_version

    def run(self) -> bool:
        """True when the shift ended before the queue did."""
        started = beat = self.clock()
        with ThreadPoolExecutor(trials.WIDTH) as pool:
            self._take_off(pool, trials.claim(self.evaluation, limit=trials.WIDTH))
            while self.flights:
                landed = self._await_landing()
                room = trials.WIDTH - len(self.flights)
                over = self.clock() - started > SHIFT_SECONDS
                taken = trials.turn(self.evaluation, finished=landed, limit=0 if over else room)
                self._take_off(pool, taken)
                if self.clock() - beat > HEARTBEAT_SECONDS:
                    trials.renew(list(self.flights.values()))
                    beat = self.clock()
        return self.clock() - started > SHIFT_SECONDS

    def _take_off(self, pool: ThreadPoolExecutor, claims: list[Claim]) -> None:
        for claim in claims:
            self.flights[pool.submit(self.call, claim)] = claim

    def _await_landing(self) -> list[Finished]:
        wait(self.flights, timeout=1.0, return_when=FIRST_COMPLETED)
        landed, _ = wait(self.flights, timeout=LINGER_SECONDS, return_when=ALL_COMPLETED)
        return [self.check(self.flights.pop(future), future.result()) for future in landed]

    def call(self, claim: Claim) -> AgentReply:
        """One call of the agent. Runs in a thread: HTTP only."""
        return PROTOCOLS[self.version.protocol].call(
            endpoint=self.version.endpoint,
            call_id=f"{self.evaluation.id}.{claim.position}",  # the same on a retry
            input=claim.input,
            egress=self.egress,
            deadline_seconds=self.version.deadline_ms / 1000,
        )

    def check(self, claim: Claim, reply: AgentReply) -> Finished:
        """What every clause's check says of the reply."""
        call = Call(
            input=claim.input,
            expected=claim.expected,
            in_scope=claim.in_scope,
            output=reply.output,
            raw_bytes=len(reply.raw),
            latency_ms=reply.latency_ms,
            fault=reply.fault,
            error=reply.error_message or reply.error_code,
            facts=reply.facts,
        )
        return Finished(
            claim=claim,
            input_digest=sha256(canonical(claim.input)),
            raw=reply.raw,
            fault=reply.fault,
            error_code=reply.error_code,
            error_message=reply.error_message,
            latency_us=None if reply.latency_ms is None else int(reply.latency_ms * 1000),
            answers=[(clause.key, self._answer(clause, call)) for clause in self.parsed.clauses],
        )

    def _answer(self, clause: terms.Clause, call: Call) -> Answer:
        return CHECKS[clause.check].answer(clause.params, call)
