"""A worker's shift on one evaluation: take trials from the queue, call the agent, check, record.

No transaction is open while the agent is called, and no thread but the runner's own touches the
database. What lands together is recorded together, so a fast agent costs few commits.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import lru_cache
from queue import Empty, SimpleQueue

from django.conf import settings
from django.db import transaction

from pacts import recording, stopping, terms, trials
from pacts.agents import PROTOCOLS, AgentReply
from pacts.agents.protocol import failure
from pacts.egress import Egress, EgressPolicy
from pacts.examination import examine
from pacts.models import AgentVersion, Evaluation
from pacts.plans import plan_for
from pacts.recording import Finished
from pacts.trials import Claim
from pacts.variants import Subject, VariantPlan
from reputation.canonical import NotCanonical, canonical

HEARTBEAT_SECONDS = 4.0
SHIFT_SECONDS = 20.0  # a runner stops claiming after this and leaves the rest to a fresh message
LINGER_SECONDS = 0.01  # wait this long for others to land with the first
LONGEST_WAIT_SECONDS = 5.0  # for a rate or a pause; beyond it the sweep calls a fresh runner


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
    pause: Callable[[float], None] = time.sleep
    flights: dict[int, Claim] = field(default_factory=dict)  # by trial
    landed: "SimpleQueue[tuple[Claim, AgentReply]]" = field(default_factory=SimpleQueue)
    parsed: terms.PactTerms = field(init=False)
    version: AgentVersion = field(init=False)
    plan: VariantPlan = field(init=False)
    watch: stopping.Watch | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.parsed = terms.parse(self.evaluation.pact_version.terms)
        self.version = self.evaluation.agent_version
        self.plan = plan_for(self.parsed.clauses)
        if not self.evaluation.full_run:
            self.watch = stopping.Watch(self.evaluation, self.parsed)

    def run(self) -> bool:
        """True when the shift ended before the queue did."""
        started = beat = self.clock()
        landed: list[Finished] = []
        with ThreadPoolExecutor(trials.WIDTH) as pool:
            while True:
                over = self.clock() - started > SHIFT_SECONDS
                wait = self._turn(
                    pool, landed, room=0 if over else trials.WIDTH - len(self.flights)
                )
                if not self.flights:
                    if wait is None or wait > LONGEST_WAIT_SECONDS:
                        return over
                    self.pause(max(wait, LINGER_SECONDS))
                landed = self._await_landing()
                if self.clock() - beat > HEARTBEAT_SECONDS:
                    trials.renew(list(self.flights.values()))
                    beat = self.clock()

    def _turn(self, pool: ThreadPoolExecutor, landed: list[Finished], *, room: int) -> float | None:
        """Record what landed and claim what there is room for, in one transaction; how long to
        wait where there was nothing to claim."""
        if self.watch and landed:  # a run that may stop is looked at before more is claimed
            recording.record(self.evaluation, landed)
            landed = []
            if self.watch.look():
                stopping.stop(self.evaluation)
        with transaction.atomic():
            recording.record(self.evaluation, landed)
            taken = trials.claim(self.evaluation, limit=room) if room else trials.Taken()
        for claim in map(self._varied, taken.claims):
            self.flights[claim.trial_id] = claim
            pool.submit(self._fly, claim)
        return taken.wait

    def _varied(self, claim: Claim) -> Claim:
        """The claim with what the agent is asked in it: the task, or a variant of it."""
        if not claim.variant:
            return claim
        subject = Subject(
            position=claim.task_position,
            input=claim.input,
            expected=claim.expected,
            paraphrases=claim.paraphrases,
        )
        asked = self.plan.asked(subject, variant=claim.variant, seed=self.evaluation.seed)
        return replace(claim, input=asked.input, attack=asked.attack)

    def _fly(self, claim: Claim) -> None:
        self.landed.put((claim, self.call(claim)))

    def _await_landing(self) -> list[Finished]:
        """What landed: with the first, whatever lands within a moment of it."""
        found = []
        timeout = 1.0
        until = self.clock() + LINGER_SECONDS
        while self.flights:
            try:
                claim, reply = self.landed.get(timeout=timeout)
            except Empty:
                break
            del self.flights[claim.trial_id]
            found.append(self.check(claim, reply))
            if len(found) == 1:
                until = self.clock() + LINGER_SECONDS
            timeout = max(0.0, until - self.clock())
        return found

    def call(self, claim: Claim) -> AgentReply:
        """One call of the agent, or what it answered in an earlier run. HTTP only: runs in a
        thread. Never raises, whoever's fault it was."""
        adapter = PROTOCOLS[self.version.protocol]
        if claim.stored is not None:
            return claim.stored.reply(adapter, self.version.declared)
        try:
            return adapter.call(
                endpoint=self.version.endpoint,
                call_id=f"{self.evaluation.id}.{claim.position}",  # the same on a retry
                input=claim.input,
                egress=self.egress,
                deadline_seconds=self.version.deadline_ms / 1000,
                declared=self.version.declared,
            )
        except Exception as error:  # a runner that lost a call would wait for it for ever
            return failure("platform", "adapter_broke", type(error).__name__)

    def check(self, claim: Claim, reply: AgentReply) -> Finished:
        """What every clause's check says of the reply."""
        reply = _whole_microseconds(reply)
        return Finished(
            claim=claim,
            input=_canonical(claim),
            raw=reply.raw,
            fault=reply.fault,
            error_code=reply.error_code,
            error_message=reply.error_message,
            latency_us=None if reply.latency_ms is None else round(reply.latency_ms * 1000),
            answers=examine(
                clauses=self._looking(claim.variant),
                input=claim.input,
                expected=claim.expected,
                in_scope=claim.in_scope,
                reply=reply,
                attack=claim.attack,
            ),
            cost_micros=self._cost(reply),
            reported=dict(reply.reported) or None,
            retries=any(clause.on_error == "rerun" for clause in self.parsed.clauses),
        )

    def _looking(self, variant: str) -> tuple[terms.Clause, ...]:
        """The clauses that look at a trial of this variant."""
        if not self.plan.variations:
            return self.parsed.clauses
        return tuple(c for c in self.parsed.clauses if self.plan.sees(c.key, variant))

    def _cost(self, reply: AgentReply) -> int:
        """What the call cost in the budget's currency; what is not said counts as set aside."""
        cost, evaluation = reply.facts.cost, self.evaluation
        if evaluation.rerun_of_id is not None:
            return 0
        if cost is not None and cost.currency == (evaluation.cost_currency or cost.currency):
            return cost.micros
        return evaluation.call_cost_micros if reply.latency_ms is not None else 0


def _whole_microseconds(reply: AgentReply) -> AgentReply:
    """Latency as the row keeps it, so that whoever checks again later sees the same."""
    if reply.latency_ms is None:
        return reply
    return replace(reply, latency_ms=round(reply.latency_ms * 1000) / 1000)


def _canonical(claim: Claim) -> bytes:
    """The input's canonical bytes; none where it has none, which the call has answered for."""
    try:
        return canonical(claim.input)
    except NotCanonical:
        return b""
