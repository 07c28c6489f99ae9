"""What happens in a simulated market, and the log entries it leaves."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reputation.envelope import instant
from reputation.tallies import Fact

PROMISE_BPS, FLOOR_BPS = 9000, 8000


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """Who is hired. `quality` is the true rate on tasks nobody prepared."""

    name: str
    builder: str
    quality: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One settled hire: the buyer's own tasks, and the platform's hidden among them.

    `ends`: how the escrow ended. `paid` named the verdict; `agreed` dropped it, because both sides
    settled a dispute about it; `pulled` ended before the verdict, which came afterwards.
    `stars` is what the buyer would say, 1 to 5: with a staged hire, whatever helps.
    """

    number: int
    at: datetime
    buyer: str
    agent: Agent
    passes: int
    failures: int
    canary_passes: int
    canary_failures: int
    stars: int
    ends: str = "paid"

    @property
    def rate(self) -> float:
        """Share of everything that was tried, hidden tasks included."""
        passes = self.passes + self.canary_passes
        return passes / (passes + self.failures + self.canary_failures)


def facts_of(job: Job) -> Iterator[Fact]:
    """The envelopes the platform would log for it, in their order."""
    started, concluded, settled = _started(job), _concluded(job), _settled(job)
    yield started
    yield from (settled, concluded) if job.ends == "pulled" else (concluded, settled)


def _fact(job: Job, kind: str, subjects: dict[str, str], facts: dict[str, Any]) -> Fact:
    return {
        "id": f"evd_{job.number:09d}_{kind}",
        "kind": kind,
        "at": instant(job.at),
        "subjects": {"milestone": f"mst_{job.number}", **subjects},
        "facts": facts,
    }


def _who(job: Job) -> dict[str, str]:
    name = job.agent.name
    return {"evaluation": f"evl_{job.number}", "agent": name, "agent_version": name}


def _started(job: Job) -> Fact:
    tasks = job.passes + job.failures
    facts = {"tasks": tasks, "independence": "platform"}
    return _fact(job, "evaluation.started", _who(job), facts)


def _concluded(job: Job) -> Fact:
    share = job.passes / (job.passes + job.failures)
    outcome = "met" if share >= FLOOR_BPS / 10_000 else "breached"
    clause = {
        "key": "accuracy",
        "dimension": "accuracy",
        "outcome": outcome,
        "passes": job.passes,
        "failures": job.failures,
        "errors": 0,
        "nulls": 0,
        "promise_bps": PROMISE_BPS,
        "floor_bps": FLOOR_BPS,
    }
    facts = {
        "outcome": outcome,
        "earned_share_bps": int(10_000 * share),
        "method": "gm-dyadic-1",
        "independence": "platform",
        "clauses": [clause],
        "canaries": job.canary_passes + job.canary_failures,
        "canary_passes": job.canary_passes,
    }
    return _fact(job, "evaluation.concluded", _who(job), facts)


def _settled(job: Job) -> Fact:
    subjects = {"buyer": job.buyer, "builder": job.agent.builder}
    named = f"evd_{job.number:09d}_evaluation.concluded"
    facts = {"outcome": "released"} | ({"verdict_evidence": named} if job.ends == "paid" else {})
    return _fact(job, "escrow.settled", subjects, facts)
