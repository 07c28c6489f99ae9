"""Gaming standing: every attack against every method, and the bars the product is held to."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from statistics import median, quantiles

from reputation.simulation.attacks import (
    FLOOD,
    HALF,
    PLANS,
    YARDSTICK_PLANS,
    Plan,
    Stage,
    cost_of,
    one_task,
    slandered,
)
from reputation.simulation.jobs import Agent, Job
from reputation.simulation.market import FULL, QUICK, TARGET, Market, Size, grown
from reputation.simulation.methods import METHODS, Earnest, Method, StarAverage
from reputation.standing import VOUCHED

MOST_OF_YARDSTICKS = 150.0
VISIBLE = "a number of its own, vouched for, above the median offer"
_PACE = timedelta(hours=12)
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How much is simulated: markets, tries of each attack per market, newcomers per market."""

    seeds: tuple[int, ...] = (1, 2, 3, 4, 5)
    tries: int = 5
    newcomers: int = 20
    most: float = 2_000.0  # star averages, where the search gives up
    size: Size = FULL


SHORT = Run(seeds=(1, 2), tries=3, newcomers=6, most=600.0, size=QUICK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What came out, in the units of the bars. Costs are multiples of the star average's."""

    overtake_blind: float
    overtake_leaked: float
    rank_correlation: float
    newcomer_jobs: float
    whitewash_gain: float


@dataclass(slots=True, kw_only=True)
class Ground:
    """One grown market with the method under test on it, and a yardstick's price."""

    seed: int
    market: Market
    method: Method
    stars: float

    @property
    def target(self) -> Agent:
        """Of the agents with the target's quality the one that is easiest to overtake."""
        equals = [one for one in self.market.agents if one.quality == TARGET]
        return min(equals, key=lambda one: self.score(one.name))

    def score(self, name: str) -> float:
        return self.method.score(name, now=self.market.now)

    def best(self) -> list[Agent]:
        return sorted(self.market.agents, key=lambda one: -self.score(one.name))

    def reseed(self, what: str) -> None:
        """Every experiment draws from a stream of its own, so that each can be replayed alone."""
        self.market.random = Random(f"{self.seed}:{what}")  # noqa: S311


def run(plan: Run, say: Say, *, method: type[Method] = Earnest) -> Findings:
    """Grow the markets, try everything, say what happened."""
    found = [_on(seed, plan, say, method) for seed in plan.seeds]
    return Findings(
        overtake_blind=min(one.overtake_blind for one in found),
        overtake_leaked=min(one.overtake_leaked for one in found),
        rank_correlation=min(one.rank_correlation for one in found),
        newcomer_jobs=max(one.newcomer_jobs for one in found),
        whitewash_gain=max(one.whitewash_gain for one in found),
    )


def yardsticks(plan: Run, say: Say) -> None:
    """The same questions to every method, on the first market."""
    market, _ = grown(seed=plan.seeds[0], size=plan.size)
    say(f"\nside by side, market of seed {plan.seeds[0]} (costs in star averages; > gave up)")
    say("method       blind    leaked   correlation  exit scam  whitewash  bad-mouthing (hires)")
    stars = _star_cost(market, plan.seeds[0])
    for kind in METHODS:
        ground = Ground(
            seed=plan.seeds[0], market=market, method=kind().after(market.jobs), stars=stars
        )
        costs = [
            _cheapest(ground, YARDSTICK_PLANS, leaked=leaked, tries=1, most=MOST_OF_YARDSTICKS)
            for leaked in (False, True)
        ]
        say(
            f"{kind.name:<11}  {_shown(costs[0]):<7}  {_shown(costs[1]):<7}  "
            f"{correlation(ground):11.2f}  {exit_scam(ground):9.2f}  "
            f"{whitewash_gain(ground):+9.2f}  {slander(ground)}"
        )


def _shown(cost: float) -> str:
    return f">{cost:.0f}x" if cost >= MOST_OF_YARDSTICKS else f"{cost:.0f}x"


def _on(seed: int, plan: Run, say: Say, method: type[Method]) -> Findings:
    market, _ = grown(seed=seed, size=plan.size)
    ground = Ground(
        seed=seed,
        market=market,
        method=method().after(market.jobs),
        stars=_star_cost(market, seed),
    )
    say(f"\nseed {seed}: {len(market.jobs)} hires of {len(market.agents)} agents")
    say(f"  the star average is overtaken for {ground.stars:.3f}")
    blind = _cheapest(ground, PLANS, leaked=False, tries=plan.tries, most=plan.most, say=say)
    leaked = _cheapest(ground, PLANS, leaked=True, tries=plan.tries, most=plan.most, say=say)
    found = Findings(
        overtake_blind=blind,
        overtake_leaked=leaked,
        rank_correlation=correlation(ground),
        newcomer_jobs=newcomer(ground, plan.newcomers),
        whitewash_gain=whitewash_gain(ground),
    )
    say(
        f"  correlation under attack {found.rank_correlation:.3f}; newcomer visible after "
        f"{found.newcomer_jobs:.0f} jobs (9 of 10); whitewash {found.whitewash_gain:+.3f}; "
        f"exit scam ranks above {exit_scam(ground):.0%}; bad-mouthing takes {slander(ground)} hires"
    )
    return found


def _star_cost(market: Market, seed: int) -> float:
    """What overtaking costs under the star average: the unit of all costs."""
    stars = StarAverage().after(market.jobs)
    ground = Ground(seed=seed, market=market, method=stars, stars=0)
    cost = cost_of(one_task, _stage(ground, leaked=False), stars, target=ground.target, budget=1e3)
    if cost is None:
        raise ArithmeticError("the star average withstood every attack: it is no yardstick here")
    return cost


def _cheapest(
    ground: Ground,
    plans: dict[str, Plan],
    *,
    leaked: bool,
    tries: int,
    most: float,
    say: Say | None = None,
) -> float:
    """The least median cost of any plan; `most` when none gets there."""
    costs = {
        name: median(_tries(ground, name, plan, leaked=leaked, tries=tries, most=most))
        for name, plan in plans.items()
    }
    if say:
        say(f"  hidden tasks {'leaked' if leaked else 'blind'}:")
        for name, cost in sorted(costs.items(), key=lambda one: one[1]):
            say(f"    {name:<32} {f'{cost:.0f}x' if cost < most else f'not for {most:.0f}x'}")
    return min(costs.values())


def _tries(
    ground: Ground, name: str, plan: Plan, *, leaked: bool, tries: int, most: float
) -> Iterator[float]:
    for number in range(tries):
        ground.reseed(f"{name}:{leaked}:{number}")
        cost = cost_of(
            plan,
            _stage(ground, leaked=leaked),
            ground.method,
            target=ground.target,
            budget=most * ground.stars,
        )
        yield most if cost is None else cost / ground.stars


def _stage(ground: Ground, *, leaked: bool) -> Stage:
    return Stage(
        market=ground.market,
        leaked=leaked,
        established=ground.best()[:12],
        agent=Agent(name="agt_evil", builder="pty_evil", quality=HALF),
    )


def correlation(ground: Ground) -> float:
    """Spearman's rank correlation of score and true quality, while the market is under attack.

    Three agents of half quality deal with thirty sybils each, and thirty others slander each of
    the best; the hidden tasks have leaked.
    """
    ground.reseed("correlation")
    stage, jobs = _stage(ground, leaked=True), list[Job]()
    evil = [Agent(name=f"agt_evil{n}", builder=f"pty_evil{n}", quality=HALF) for n in range(3)]
    for place, (bad, good) in enumerate(zip(evil, ground.best(), strict=False)):
        for number in range(FLOOD):
            jobs.append(stage.staged(bad, f"pty_sybil{place}-{number}").job)
            jobs.append(slandered(ground.market, good, f"pty_rude{place}-{number}"))
    method, now = ground.method.after(jobs), ground.market.now
    agents = [*ground.market.agents, *evil]
    return _spearman(
        [method.score(one.name, now=now) for one in agents], [one.quality for one in agents]
    )


def newcomer(ground: Ground, newcomers: int) -> float:
    """After how many honest jobs nine of ten newcomers as good as the target are visible."""
    ground.reseed("newcomer")
    market, now = ground.market, ground.market.now
    scores = sorted(ground.score(one.name) for one in market.agents)
    middle, needed = scores[len(scores) // 2], []
    for number in range(newcomers):
        agent = Agent(name=f"agt_new{number}", builder=f"pty_new{number}", quality=TARGET)
        method, jobs = ground.method, 0
        while method.score(agent.name, now=now) < max(middle, VOUCHED) and jobs < 60:
            method = method.after([market.job(agent, market.anybody())])
            jobs += 1
        needed.append(jobs)
    return quantiles(needed, n=10)[-1] if len(needed) > 1 else float(needed[0])


def whitewash_gain(ground: Ground) -> float:
    """What a fresh identity is worth to agents that stay as they are: share of agents ranked above.

    Agents with thirty hires behind them, bad ones and one that just ran an exit scam, go on for
    thirty more under the old name and under a new one; the largest mean difference.
    """
    pasts = {"bad": (0.1, 0.1), "half": (HALF, HALF), "fair": (0.7, 0.7), "scam": (TARGET, 0.1)}
    return max(_gain(ground, name, *rates) for name, rates in pasts.items())


def _gain(ground: Ground, name: str, before: float, after: float) -> float:
    ground.reseed(f"whitewash:{name}")
    old = Agent(name="agt_old", builder="pty_old", quality=before)
    method = ground.method.after(_hires(ground.market, old, 30, until=-15))
    method = method.after(_hires(ground.market, _as(old, quality=after), 15, until=0))
    future = _hires(ground.market, _as(old, quality=after), 30, until=30)
    places = {}
    for identity in (old, Agent(name="agt_fresh", builder="pty_fresh", quality=after)):
        going, seen = method, [0.0]
        for job in future:
            going = going.after([replace(job, agent=identity)])
            seen.append(_place(ground, going, identity.name, at=job.at))
        places[identity.name] = sum(seen) / len(seen)
    return places["agt_fresh"] - places["agt_old"]


def exit_scam(ground: Ground) -> float:
    """Above how many agents one still ranks that was excellent for 60 hires and then cheats 30."""
    ground.reseed("exit scam")
    agent = Agent(name="agt_scam", builder="pty_scam", quality=TARGET)
    method = ground.method.after(_hires(ground.market, agent, 60, until=0))
    jobs = _hires(ground.market, _as(agent, quality=0.05), 30, until=30)
    return _place(ground, method.after(jobs), agent.name, at=jobs[-1].at)


def slander(ground: Ground) -> str:
    """How many hires by new buyers push the target below an agent of at most 85 %."""
    ground.reseed("slander")
    market, method, target = ground.market, ground.method, ground.target
    lesser = max(ground.score(one.name) for one in market.agents if one.quality <= 0.85)
    for number in range(1, 301):
        method = method.after([slandered(market, target, f"pty_rude{number}")])
        if method.score(target.name, now=market.now) < lesser:
            return str(number)
    return ">300"


def _hires(market: Market, agent: Agent, many: int, *, until: int) -> list[Job]:
    """So many hires, two a day, the last one `until` half-days from now."""
    jobs = [market.job(agent, market.anybody()) for _ in range(many)]
    first = market.now + (until - many) * _PACE
    return [_at(job, first + number * _PACE) for number, job in enumerate(jobs, 1)]


def _at(job: Job, at: datetime) -> Job:
    return replace(job, at=at)


def _as(agent: Agent, *, quality: float) -> Agent:
    return Agent(name=agent.name, builder=agent.builder, quality=quality)


def _place(ground: Ground, method: Method, name: str, *, at: datetime) -> float:
    """Above what share of the market it ranks at a later time, the others staying as they are."""
    mine = method.score(name, now=at)
    below = sum(
        method.score(one.name, now=ground.market.now) < mine for one in ground.market.agents
    )
    return below / len(ground.market.agents)


def _spearman(left: Sequence[float], right: Sequence[float]) -> float:
    a, b = _ranks(left), _ranks(right)
    mean = (len(a) + 1) / 2
    top = sum((x - mean) * (y - mean) for x, y in zip(a, b, strict=True))
    return float(top / (sum((x - mean) ** 2 for x in a) * sum((y - mean) ** 2 for y in b)) ** 0.5)


def _ranks(values: Sequence[float]) -> list[float]:
    """Places from 1, equals sharing their mean."""
    ordered = sorted(values)
    return [ordered.index(one) + (ordered.count(one) + 1) / 2 for one in values]
