"""Ways to rank agents by their jobs: the real standing, and four yardsticks beside it."""

import math
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from reputation.confidence import confidence_sequence
from reputation.fold import State, fold
from reputation.simulation.jobs import Job, facts_of
from reputation.standing import combine, describe
from reputation.tallies import Key

LAST = -1.0  # what nobody knows anything of ranks last


class Method(Protocol):
    """A way to rank. Methods are values: `after` leaves the one it was asked of as it was."""

    name: str

    def after(self, jobs: Sequence[Job]) -> "Method":
        """The method once it has seen these jobs too, which continue its history."""

    def score(self, agent: str, *, now: datetime) -> float:
        """What to rank the agent by, higher first."""


class Earnest:
    """The product's own fold and composite, nothing else."""

    name = "earnest"

    def __init__(self, state: State | None = None) -> None:
        self.state = state or State()

    def after(self, jobs: Sequence[Job]) -> "Earnest":
        return Earnest(fold(self.state, (fact for job in jobs for fact in facts_of(job))))

    def score(self, agent: str, *, now: datetime) -> float:
        key = Key(agent, agent, "accuracy")
        tally = self.state.tallies.get(key)
        if tally is None:
            return LAST
        rank = combine([describe(key, tally, now=now)]).rank
        return LAST if rank is None else float(rank)


class Unweighted(Earnest):
    """The same lower bound over everything measured: what standing would be without its guard."""

    name = "unweighted"

    def after(self, jobs: Sequence[Job]) -> "Unweighted":
        return Unweighted(super().after(jobs).state)

    def score(self, agent: str, *, now: datetime) -> float:
        tally = self.state.tallies.get(Key(agent, agent, "accuracy"))
        if tally is None:
            return LAST
        return confidence_sequence(passes=tally.passes, failures=tally.failures)[0]


class _Counting:
    """Methods that only look at each agent's jobs one by one."""

    name = ""

    def __init__(self, seen: dict[str, list[Job]] | None = None) -> None:
        self.seen = seen or {}

    def _with(self, jobs: Sequence[Job]) -> dict[str, list[Job]]:
        seen = dict(self.seen)
        for job in jobs:
            seen[job.agent.name] = [*seen.get(job.agent.name, []), job]
        return seen

    def stars(self, agent: str) -> list[float]:
        """The ratings a marketplace would show."""
        return [float(job.stars) for job in self.seen.get(agent, [])]


class StarAverage(_Counting):
    """The mean of the stars."""

    name = "stars"

    def after(self, jobs: Sequence[Job]) -> "StarAverage":
        return StarAverage(self._with(jobs))

    def score(self, agent: str, *, now: datetime) -> float:
        stars = self.stars(agent)
        return sum(stars) / len(stars) if stars else LAST


class BayesianStars(_Counting):
    """The mean of the stars and ten of three."""

    name = "bayesian"

    def after(self, jobs: Sequence[Job]) -> "BayesianStars":
        return BayesianStars(self._with(jobs))

    def score(self, agent: str, *, now: datetime) -> float:
        stars = self.stars(agent)
        return (sum(stars) + 30) / (len(stars) + 10) if stars else LAST


class Wilson(_Counting):
    """Wilson's 95 % lower bound of the share of jobs rated four or better (E. B. Wilson, 1927)."""

    name = "wilson"

    def after(self, jobs: Sequence[Job]) -> "Wilson":
        return Wilson(self._with(jobs))

    def score(self, agent: str, *, now: datetime) -> float:
        stars = self.stars(agent)
        if not stars:
            return LAST
        n, z = len(stars), 1.96
        share = sum(star >= 4 for star in stars) / n
        spread = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
        return (share + z * z / (2 * n) - spread) / (1 + z * z / n)


class EigenTrust(_Counting):
    """EigenTrust (Kamvar et al., 2003): trust flows from the first ten buyers along good jobs."""

    name = "eigentrust"
    _DAMPING, _ROUNDS, _TRUSTED = 0.15, 20, 10

    def __init__(
        self, seen: dict[str, list[Job]] | None = None, first: tuple[str, ...] = ()
    ) -> None:
        super().__init__(seen)
        self.first = first
        self._trust: dict[str, float] | None = None

    def after(self, jobs: Sequence[Job]) -> "EigenTrust":
        met = dict.fromkeys([*self.first, *(job.buyer for job in jobs)])
        return EigenTrust(self._with(jobs), tuple(met)[: self._TRUSTED])

    def score(self, agent: str, *, now: datetime) -> float:
        if self._trust is None:
            self._trust = self._flow()
        return self._trust.get(agent, LAST)

    def _flow(self) -> dict[str, float]:
        local: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        for agent, jobs in self.seen.items():
            for job in jobs:
                local[job.buyer][agent] += 1 if job.stars >= 4 else -1
        good = {b: {a: v for a, v in row.items() if v > 0} for b, row in local.items()}
        # An agent trusts whoever hired it well, so that trust reaches buyers nobody knew at first.
        back: dict[str, dict[str, float]] = defaultdict(dict)
        for buyer, row in good.items():
            for agent, value in row.items():
                back[agent][buyer] = value
        seed = {buyer: 1 / len(self.first) for buyer in self.first}
        trust = dict(seed)
        for _ in range(self._ROUNDS):
            flowed: dict[str, float] = defaultdict(float)
            for node, value in trust.items():
                row = good.get(node) or back.get(node) or seed
                total = sum(row.values())
                for other, weight in row.items():
                    flowed[other] += (1 - self._DAMPING) * value * weight / total
            for node, value in seed.items():
                flowed[node] += self._DAMPING * value
            trust = dict(flowed)
        return trust


METHODS: tuple[type[Earnest | StarAverage | BayesianStars | Wilson | EigenTrust], ...] = (
    Earnest,
    StarAverage,
    BayesianStars,
    Wilson,
    EigenTrust,
)
