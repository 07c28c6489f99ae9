"""An honest market that runs for some months: the ground on which attacks are tried.

Buyers differ in how often they hire; half of the time they take one of the best-ranked agents and
else any, so that newcomers get work. A buyer's tasks pass with the agent's true quality, with some
spread between buyers. The platform hides its own tasks among every buyer's.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from reputation.simulation.jobs import Agent, Job
from reputation.simulation.methods import Earnest

OPENING = datetime(2026, 1, 1, tzinfo=UTC)
TASKS = (20, 60)
CANARIES = 5
SPREAD = 0.03  # standard deviation of a buyer's tasks around the agent's quality
TARGET = 0.95
WEEK = 7  # days between two looks at the ranking


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large the market is, and how long it runs."""

    agents: int = 40
    buyers: int = 150
    days: int = 119
    jobs_a_day: int = 25


FULL = Size()
QUICK = Size(agents=24, buyers=90, days=84, jobs_a_day=20)


@dataclass(slots=True)
class Market:
    """What has happened so far. `now` is the day it stands at."""

    random: Random
    agents: list[Agent]
    buyers: list[str]
    now: datetime
    jobs: list[Job] = field(default_factory=list)
    numbers: int = 0

    def job(
        self,
        agent: Agent,
        buyer: str,
        *,
        tasks: int | None = None,
        canaries: int = CANARIES,
        own_rate: float | None = None,
        canary_rate: float | None = None,
        stars: int | None = None,
        ends: str = "paid",
    ) -> Job:
        """One hire now. Rates other than the agent's quality are somebody's preparation."""
        self.numbers += 1
        tasks = tasks or self.random.randint(*TASKS)
        natural = min(1.0, max(0.0, self.random.gauss(agent.quality, SPREAD)))
        passes = self.draw(tasks, natural if own_rate is None else own_rate)
        known = agent.quality if canary_rate is None else canary_rate
        seen = self.draw(canaries, known)
        return Job(
            number=self.numbers,
            at=self.now,
            buyer=buyer,
            agent=agent,
            passes=passes,
            failures=tasks - passes,
            canary_passes=seen,
            canary_failures=canaries - seen,
            stars=stars or stars_for(passes / tasks),
            ends=ends,
        )

    def draw(self, tries: int, rate: float) -> int:
        """How many of so many succeed."""
        return sum(self.random.random() < rate for _ in range(tries))

    def anybody(self) -> str:
        """A buyer, the busier the likelier."""
        weights = [1 / place for place in range(1, len(self.buyers) + 1)]
        return self.random.choices(self.buyers, weights)[0]

    def day(self, best: list[Agent], *, jobs: int) -> list[Job]:
        """One more day of honest hires; `best` are the agents as they are ranked."""
        made = []
        for _ in range(jobs):
            pool = best[: max(3, len(best) // 4)] if self.random.random() < 0.5 else best
            made.append(self.job(self.random.choice(pool), self.anybody()))
        self.jobs += made
        self.now += timedelta(days=1)
        return made


def stars_for(rate: float) -> int:
    """What an honest buyer says of work with this share of right answers."""
    return 1 + sum(rate >= least for least in (0.5, 0.7, 0.85, 0.95))


def grown(*, seed: int, size: Size) -> tuple[Market, Earnest]:
    """A market that has run for its days, and the standing it came to."""
    random = Random(seed)  # noqa: S311  a simulation: it must replay
    agents = [
        Agent(
            name=f"agt_{number:02d}",
            builder=f"pty_builder{number % (size.agents // 2):02d}",
            quality=TARGET if number < 3 else random.uniform(0.4, 0.99),
        )
        for number in range(size.agents)
    ]
    market = Market(
        random=random,
        agents=agents,
        buyers=[f"pty_buyer{number:03d}" for number in range(size.buyers)],
        now=OPENING,
    )
    standing = Earnest()
    for _ in range(0, size.days, WEEK):
        best = sorted(agents, key=lambda one: -standing.score(one.name, now=market.now))
        made = [job for _ in range(WEEK) for job in market.day(best, jobs=size.jobs_a_day)]
        standing = standing.after(made)
    return market, standing
