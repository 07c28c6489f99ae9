"""A year of 100 calls a day as STATISTICS.md tells it: what windows of 30 days breach, and what
the ways would that look at the last 3,000 calls at every call. Ours exact, the others drawn."""

import math
import random
from collections.abc import Callable, Sequence

import pytest

from pacts.sample_sizes import Risks
from pacts.windows import risk_of_window
from tests.pacts.test_specified_tables import Z95, fates, moving, wilson

pytestmark = pytest.mark.slow
MONTH, YEAR = 3_000, 36_500
RATES = (0.95, 0.955, 0.96, 0.97)
SIMULATED = 4_000  # runs at most behind a figure of STATISTICS.md: fewer would excuse more


def within(share: float, years: float, *, most: float) -> float:
    """Four standard errors of a share seen in so many years, and a rounding to three places."""
    return min(most, 4 * math.sqrt(share * (1 - share) / years) + 0.0005)


def breached_in_a_window(rate: float, alpha: float) -> float:
    risks = Risks(promise=0.95, floor=0.95, alpha=alpha)
    [fate] = fates(rate, moving(risks.breaches, lambda units, failures: False), (MONTH,))
    return fate.breached


def breached_in_a_year(rate: float, *, spent: bool) -> float:
    kept = 1.0
    for window in range(1, 13):
        alpha = risk_of_window(0.05, window=window, spent_over_lifetime=spent)
        kept *= 1 - breached_in_a_window(rate, alpha)
    return 1 - kept


@pytest.mark.parametrize(
    ("rate", "each", "spent"),
    [(0.95, 0.275, 0.019), (0.955, 0.132, 0.005), (0.96, 0.077, 0.003), (0.97, 0.029, 0.0)],
)
def test_windows_of_a_month_breach_as_seldom_as_specified(
    rate: float, each: float, spent: float
) -> None:
    every = 1 - (1 - breached_in_a_window(rate, 0.05)) ** 12
    assert each == pytest.approx(every, abs=within(every, SIMULATED, most=0.025))
    exact = breached_in_a_year(rate, spent=True)
    assert spent == pytest.approx(exact, abs=within(exact, SIMULATED, most=0.008))


Cuts = Sequence[int]  # by calls of the window, from 1: the failures that are a breach


def cuts_of(breaks: Callable[[int, int], bool], *, least: int = 1) -> Cuts:
    """A rule that asks for more failures the more calls there are."""
    cuts, cut = [], 0
    for calls in range(1, MONTH + 1):
        while cut <= calls and not breaks(calls, cut):
            cut += 1
        cuts.append(cut if calls >= least else MONTH + 1)
    return cuts


def seen_in_a_year(rate: float, ways: Sequence[Cuts], chance: random.Random) -> list[bool]:
    """Whether each way saw a breach in the last month's calls, at any call of one drawn year."""
    seen, last, failures = [False] * len(ways), [0] * MONTH, 0
    for call in range(YEAR):
        failed = int(chance.random() >= rate)
        failures += failed - last[call % MONTH]
        last[call % MONTH] = failed
        calls = min(call, MONTH - 1)
        for way, cuts in enumerate(ways):
            if failures >= cuts[calls]:
                seen[way] = True
    return seen


def test_looking_at_the_last_month_at_every_call_breaches_as_often_as_specified_drawn() -> None:
    usual = Risks(promise=0.95, floor=0.95)
    ways = [
        cuts_of(lambda calls, failures: wilson(calls, failures, Z95)[1] < 0.95, least=30),
        cuts_of(lambda calls, failures: 1 - failures / calls < 0.95, least=MONTH),
        cuts_of(usual.breaches),
    ]
    specified = {
        0.95: (0.844, 1.0, 0.123),
        0.955: (0.185, 0.976, 0.013),
        0.96: (0.080, 0.221, 0.009),
        0.97: (0.018, 0.0, 0.003),
    }
    chance, years = random.Random(20), 200
    drawn_twice = 1 / (1 / years + 1 / SIMULATED)  # here, and where it was specified
    for rate in RATES:
        drawn = [seen_in_a_year(rate, ways, chance) for _ in range(years)]
        shares = [sum(column) / years for column in zip(*drawn, strict=True)]
        for share, told in zip(shares, specified[rate], strict=True):
            assert share == pytest.approx(told, abs=within(told, drawn_twice, most=0.09)), rate
