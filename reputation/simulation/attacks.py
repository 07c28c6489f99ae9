"""What attackers do, and what it costs them.

The cost of a staged hire is what does not come back: the platform's fee on the price (the price
itself goes from the attacker to the attacker) and the calls of the tasks, hidden ones included. A
hire of an honest builder costs its whole price. Identities cost nothing, and nobody is caught: the
attacker knows every rule and constant of the method, and starts when it likes. On tasks it brings
itself its agent is always right; on hidden ones it is as good as it is, unless they leaked.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count, islice

from reputation.credibility import ESTABLISHED, FULL_TIES, MOST_UNITS
from reputation.simulation.jobs import Agent, Job
from reputation.simulation.market import CANARIES, Market
from reputation.simulation.methods import Method

PRICE = 1.00
FEE = 0.05
CALL = 0.001
HONEST_PRICE = 20.00
HALF = 0.50  # the attacker's true quality
FLOOD = 30  # sybils of one attack on the market at large


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One hire of an attack and what it cost."""

    job: Job
    cost: float


Plan = Callable[["Stage"], Iterator[Step]]


@dataclass(slots=True)
class Stage:
    """The attacker on the market: where it hires, and what it knows of the hidden tasks."""

    market: Market
    leaked: bool
    established: list[Agent]  # honest agents of established builders, to buy credibility from
    agent: Agent

    def staged(
        self, agent: Agent, buyer: str, *, tasks: int = MOST_UNITS, ends: str = "paid"
    ) -> Step:
        """The attacker hires itself, on tasks it knows."""
        job = self.market.job(
            agent,
            buyer,
            tasks=tasks,
            own_rate=1.0,
            canary_rate=1.0 if self.leaked else None,
            stars=5,
            ends=ends,
        )
        return Step(job=job, cost=PRICE * FEE + (tasks + CANARIES) * CALL)

    def bought(self, agent: Agent, buyer: str) -> Step:
        """A sybil hires an honest builder for real, for the record alone."""
        return Step(job=self.market.job(agent, buyer), cost=HONEST_PRICE)


def sybil() -> Iterator[str]:
    """Buyers nobody has seen."""
    return (f"pty_sybil{number}" for number in count())


def one_task(stage: Stage) -> Iterator[Step]:
    """Self-dealing at its cheapest: hires of a single task, each by a new buyer."""
    return (stage.staged(stage.agent, buyer, tasks=1) for buyer in sybil())


def many_sybils(stage: Stage) -> Iterator[Step]:
    """New buyers without a record, each with as many tasks as can count."""
    return (stage.staged(stage.agent, buyer) for buyer in sybil())


def one_sybil(stage: Stage) -> Iterator[Step]:
    """One buyer that hires again and again."""
    return (stage.staged(stage.agent, "pty_sybil0") for _ in count())


def ring_of(builders: int) -> Plan:
    """Sybils hire the attacker's own builders until those are established, then for the record.

    What they earn so they spend on the agent, each once.
    """

    def plan(stage: Stage) -> Iterator[Step]:
        ring = [
            Agent(name=f"agt_ring{n}", builder=f"pty_ring{n}", quality=HALF)
            for n in range(builders)
        ]
        for number, buyer in enumerate(sybil()):
            for agent in ring:
                yield stage.staged(agent, buyer, tasks=1)
            if number >= ESTABLISHED:
                yield stage.staged(stage.agent, buyer)

    return plan


def ring_with_retries(builders: int, *, credible: int) -> Plan:
    """The same ring, but a fresh agent whenever all credible sybils have hired the last one.

    With hidden tasks this waits for luck: a fresh agent has no failures on record.
    """

    def plan(stage: Stage) -> Iterator[Step]:
        ring = [
            Agent(name=f"agt_ring{n}", builder=f"pty_ring{n}", quality=HALF)
            for n in range(builders)
        ]
        buyers = list(islice(sybil(), ESTABLISHED + credible))
        for buyer in buyers:
            for agent in ring:
                yield stage.staged(agent, buyer, tasks=1)
        for number in count():
            stage.agent = Agent(name=f"agt_evil{number}", builder="pty_evil", quality=HALF)
            for buyer in buyers[ESTABLISHED:]:
                yield stage.staged(stage.agent, buyer)

    return plan


def record_of(builders: int) -> Plan:
    """Every sybil buys a real record from honest builders, then hires the attacker's agent."""

    def plan(stage: Stage) -> Iterator[Step]:
        for buyer in sybil():
            for agent in stage.established[:builders]:
                yield stage.bought(agent, buyer)
            yield stage.staged(stage.agent, buyer)

    return plan


def dropped(stage: Stage) -> Iterator[Step]:
    """Selective disclosure: what the hidden tasks found is disputed and settled by agreement."""
    for buyer in sybil():
        step = stage.staged(stage.agent, buyer)
        if step.job.canary_failures:
            step = replace(step, job=replace(step.job, ends="agreed"))
        yield step


PLANS: dict[str, Plan] = {
    "self-dealing, one task each": one_task,
    "one sybil": one_sybil,
    "sybils": many_sybils,
    **{f"ring of {n}": ring_of(n) for n in (1, 2, 3, 4, 5, 7, FULL_TIES)},
    "ring of 10 with retries": ring_with_retries(FULL_TIES, credible=4),
    "ring of 5 with retries": ring_with_retries(5, credible=15),
    **{f"records bought from {n}": record_of(n) for n in (1, 3, 5, FULL_TIES)},
    "selective disclosure": dropped,
}


YARDSTICK_PLANS = {
    name: PLANS[name] for name in ("self-dealing, one task each", "sybils", "ring of 4")
}


def slandered(market: Market, agent: Agent, buyer: str) -> Job:
    """Bad-mouthing: a hire on tasks nobody can do, and one star. A refund makes it free."""
    return market.job(agent, buyer, tasks=MOST_UNITS, own_rate=0.0, stars=1)


def cost_of(
    plan: Plan, stage: Stage, method: Method, *, target: Agent, budget: float
) -> float | None:
    """What it costs until the agent ranks above the target; None if the budget does not do it."""
    spent, now = 0.0, stage.market.now
    goal = method.score(target.name, now=now)
    pending: list[Job] = []
    for step in plan(stage):
        spent += step.cost
        if spent > budget:
            return None
        pending.append(step.job)
        if step.job.agent.name == stage.agent.name:
            method, pending = method.after(pending), []
            if method.score(stage.agent.name, now=now) > goal:
                return spent
    return None
