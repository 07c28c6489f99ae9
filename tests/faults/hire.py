"""A hire by two programs with a key each, told so that a fault can be put into its middle."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from tests.cast import pact_terms
from tests.faults.agent import SlowAgent, slow_agent
from tests.faults.stack import Stack

PRICE = 10_000
RESUMES_WITHIN_SECONDS = 30.0
FINISHED = ("done", "null")


@dataclass(slots=True)
class Hire:
    """One engagement of one milestone whose evaluation has begun."""

    stack: Stack
    agent: SlowAgent
    tasks: int
    milestone: str
    evaluation: str
    agent_version: str

    def finished(self) -> int:
        """Trials that have their answer; 0 while the database is away."""
        question = """SELECT count(*) FROM pacts_trial
                       WHERE evaluation_id = %s AND state IN ('done', 'null')"""
        return sum(count for (count,) in self.stack.rows(question, self.evaluation))

    def reach_the_middle(self) -> int:
        """Wait until a part of the trials is in, and not all; how many were."""
        self.stack.wait("the middle", lambda: self.finished() >= self.tasks // 5)
        count = self.finished()
        assert count < self.tasks, "the evaluation was over before its middle"
        return count

    def must_resume(self, after: int) -> float:
        """Wait until the work that lost its worker goes on; within the bar."""
        return self.stack.wait(
            "the orphaned work to resume",
            lambda: self.finished() > after,
            seconds=RESUMES_WITHIN_SECONDS,
        )

    def conclude(self) -> dict[str, Any]:
        """Wait for the verdict, accept it, wait for the standing; the settled escrow."""
        path = f"evaluations/{self.evaluation}/verdict"
        self.stack.wait("the verdict", self._judged)
        verdict = self.stack.get("bob", path)
        assert (verdict["outcome"], verdict["earned_share_bps"]) == ("met", 10_000), verdict
        accepted = self.stack.insist("alice", f"milestones/{self.milestone}/acceptance")
        escrow: dict[str, Any] = accepted["escrow"]
        self.stack.wait("the standing", self._stands)
        return escrow

    def _judged(self) -> list[tuple[Any, ...]]:
        question = "SELECT 1 FROM pacts_verdict WHERE evaluation_id = %s"
        return self.stack.rows(question, self.evaluation)

    def _stands(self) -> list[tuple[Any, ...]]:
        question = "SELECT 1 FROM reputation_standing WHERE version_id = %s"
        return self.stack.rows(question, self.agent_version)

    def trials(self) -> list[tuple[int, str, str, int]]:
        """Position, state, fault and observations of every trial."""
        return self.stack.rows(
            """SELECT t.position, t.state, t.fault, count(o.id) FROM pacts_trial t
                 LEFT JOIN pacts_observation o ON o.trial_id = t.id
                WHERE t.evaluation_id = %s GROUP BY t.id ORDER BY t.position""",
            self.evaluation,
        )


def everything_is_sequenced(stack: Stack) -> bool:
    """Whether no evidence waits for its place, nor any entry of the log for the standings."""
    return stack.rows(
        """SELECT (SELECT count(*) FROM reputation_evidencequeue),
                  (SELECT max(next_index) FROM reputation_standingcursor)
                  = (SELECT count(*) FROM reputation_logentry)"""
    ) == [(0, True)]


@contextmanager
def hired(
    stack: Stack, *, tasks: int = 40, seconds: float = 0.2, price: int = PRICE
) -> Iterator[Hire]:
    """An agent that needs `seconds` for an answer, hired for `tasks` tasks, its price in escrow."""
    with slow_agent(seconds) as agent:
        registered = stack.post(
            "bob",
            "agents",
            {
                "name": f"Doubler {uuid4().hex[:8]}",
                "work": "arithmetic",
                "endpoint": agent.url,
                "max_concurrency": 4,
            },
        )
        listing = list_agent(stack, agent, registered, price)
        deposit = {"amount": str(price), "currency": "EUR"}
        assert stack.post("alice", "deposits", deposit)["amount"] == str(price)
        engagement = stack.post(
            "alice",
            "engagements",
            {"listing": listing, "task_set_version": golden_set(stack, tasks)},
        )
        milestone = engagement["milestones"][0]["id"]
        funded = stack.post("alice", f"milestones/{milestone}/funding")
        evaluation = funded["deliverables"][0]["evaluation"]
        version = registered["latest_version"]
        yield Hire(stack, agent, tasks, milestone, evaluation, version)


def list_agent(
    stack: Stack, agent: SlowAgent, registered: dict[str, Any], price: int = PRICE
) -> str:
    """bob proves control of the endpoint, publishes a pact and lists the agent; the listing."""
    proof = f"agents/{registered['id']}/control-proof"
    agent.control_token = stack.get("bob", proof)["token"]
    assert stack.ask("bob", "PUT", proof).status == 200
    draft = stack.post("bob", "pacts", {"agent": registered["id"], "terms": pact_terms()})
    pact = stack.post("bob", f"pact-versions/{draft['id']}/publication")
    offer = {
        "agent_version": registered["latest_version"],
        "pact_version": pact["id"],
        "price": str(price),
        "currency": "EUR",
    }
    return str(stack.post("bob", "listings", offer)["id"])


def golden_set(stack: Stack, count: int) -> str:
    tasks = [{"input": {"number": n}, "expected": {"answer": 2 * n}} for n in range(count)]
    body = {"name": f"Numbers {uuid4().hex[:8]}", "work": "arithmetic", "tasks": tasks}
    made = stack.post("alice", "task-sets", body)
    versions = stack.get("alice", f"task-sets/{made['id']}/versions")
    return str(versions["results"][0]["id"])
