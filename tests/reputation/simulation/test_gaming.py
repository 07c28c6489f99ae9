"""The simulation can fail: a weak way to score misses the bars, and every run replays."""

from reputation.simulation.attacks import PLANS, Stage, cost_of, many_sybils, slandered
from reputation.simulation.gaming import Findings, Run, run
from reputation.simulation.jobs import Agent, facts_of
from reputation.simulation.market import OPENING, Size, grown
from reputation.simulation.methods import Earnest, Unweighted
from reputation.standing import VOUCHED

TINY = Run(
    seeds=(3,),
    tries=1,
    newcomers=2,
    most=120.0,
    size=Size(agents=8, buyers=40, days=28, jobs_a_day=10),
)


def quiet(line: str) -> None:
    """Nobody reads it here."""


def tried(method: type[Earnest]) -> Findings:
    return run(TINY, quiet, method=method)


def test_without_buyers_weights_the_bars_are_missed_by_far() -> None:
    found = tried(Unweighted)
    assert found.overtake_leaked < 20
    assert found.overtake_blind < 400


def test_a_seed_gives_the_same_figures_again() -> None:
    assert tried(Unweighted) == tried(Unweighted)


def test_the_simulation_scores_with_the_products_own_fold() -> None:
    market, standing = grown(seed=1, size=Size(agents=4, buyers=10, days=7, jobs_a_day=3))
    assert market.now > OPENING
    kinds = [fact["kind"] for fact in facts_of(market.jobs[0])]
    assert kinds == ["evaluation.started", "evaluation.concluded", "escrow.settled"]
    counted = sum(tally.verdicts for tally in standing.state.tallies.values())
    assert counted == len(market.jobs) == 21


def test_sybils_without_a_record_stay_below_every_vouched_agent() -> None:
    market, _ = grown(seed=1, size=Size(agents=4, buyers=10, days=7, jobs_a_day=3))
    evil = Agent(name="agt_evil", builder="pty_evil", quality=0.5)
    stage = Stage(market=market, leaked=True, established=[], agent=evil)
    steps = [step for step, _ in zip(many_sybils(stage), range(50), strict=False)]
    score = Earnest().after([step.job for step in steps]).score("agt_evil", now=market.now)
    assert 0 < score < VOUCHED
    assert sum(step.cost for step in steps) > 50 * 0.05


def test_a_budget_that_does_not_suffice_is_said() -> None:
    market, standing = grown(seed=1, size=Size(agents=4, buyers=10, days=7, jobs_a_day=3))
    evil = Agent(name="agt_evil", builder="pty_evil", quality=0.5)
    stage = Stage(market=market, leaked=False, established=[], agent=evil)
    plan = PLANS["one sybil"]
    assert cost_of(plan, stage, standing, target=market.agents[0], budget=0.1) is None


def test_bad_mouthing_by_one_stranger_moves_a_vouched_agent_hardly() -> None:
    market, standing = grown(seed=1, size=Size(agents=4, buyers=60, days=35, jobs_a_day=12))
    good = max(market.agents, key=lambda one: standing.score(one.name, now=market.now))
    before = standing.score(good.name, now=market.now)
    after = standing.after([slandered(market, good, "pty_rude")]).score(good.name, now=market.now)
    assert before - after < 500
