"""A clause over production calls, one window at a time. Pure; what it knows fits in a row.

Windows tumble and evidence starts afresh in each (`pacts.windows` spreads the risk). A breach
latches at the call that shows it. A met is said once the window is closed, or covered: at least
seven days old (or the window's whole length, where that is shorter) with at least half of the
calls the pact expects.

Sampling. A call that was kept with probability π bets w = π₀ / π of what a call kept with the
smallest probability π₀ bets; a call that was not kept bets nothing. With ξ saying whether it was
kept, the payoff ξ · w · (x − m) has mean π₀ · (E[x] − m) given the past: the Horvitz–Thompson
estimate of what the census would have paid, scaled by π₀. So each bet is a non-negative
supermartingale under its hypothesis about *all* calls, kept or not, and Ville's inequality holds
at every look, whatever the probabilities depend on, as long as they are told truly. With one rate
throughout, w is 1 and these are the plain e-processes of `reputation.confidence`. π₀ is known
before the call: one that was kept with less than every call before lowers π₀ and itself bets
nothing. Rates shown to people weigh each call by 1 / π (Hájek); their intervals rest on counts
weighted by w, which by concavity of the logarithm are wider than need be and never too narrow.

Juries and people. A clause that a panel decides hears a call with a probability that the pact names
and that is the same for every call, drawn by a seed nobody knows while calls come in: the payoff of
a call that was kept and then drawn is scaled by that constant more, and the weights are the same.

A census (`realized`) counts every call: where calls were left out, it stays undetermined.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Literal

from pacts.checks import CHECKS
from pacts.checks.judged import HEARD_BPS
from pacts.scales import PLAIN
from pacts.statistics import ClauseCounts, ClauseVerdict, Tally, scale_of
from pacts.terms import WHOLE, Clause, Volume
from pacts.windows import FIRST, clause_in_window
from reputation.confidence import Evidence

Outcome = Literal["pass", "fail", "error", "null", "skipped", "not_applicable"]

COVERED_AFTER = timedelta(days=7)
COVERED_SHARE = 0.5


@dataclass(slots=True, kw_only=True)
class WindowState:
    """What one window knows, as it is stored. `plain_*` count zeros and ones of full weight,
    `weighted_*` are sums of w · x and w · (1 − x); `met_bets` and `breach_bets` are log wealths of
    everything else, one for each bet of the grids. `seen` are the weights of the values of a check
    with a scale of its own. `met_at` and `breached_at` count deciding units.
    """

    number: int = FIRST
    units: int = 0
    plain_passes: int = 0
    plain_failures: int = 0
    weighted_passes: float = 0.0
    weighted_failures: float = 0.0
    errors: int = 0
    nulls: int = 0
    skipped: int = 0
    not_applicable: int = 0
    met_bets: list[float] = field(default_factory=list)
    breach_bets: list[float] = field(default_factory=list)
    seen: dict[str, float] = field(default_factory=dict)
    met_at: int | None = None
    breached_at: int | None = None


class _Weighed(Evidence):
    """Both e-processes, where a value may bet less than all."""

    weight = 1.0

    def add(self, value: float) -> None:
        if self.weight == 1:
            super().add(value)
            return
        self._met.add(self.weight * (value - self.floor) / self.floor)
        self._breach.add(self.weight * (self.promise - value) / (1 - self.promise))

    def resume(self, state: WindowState) -> None:
        self.passes, self.failures = state.plain_passes, state.plain_failures
        if state.met_bets:
            self._met._scored = list(state.met_bets)
            self._breach._scored = list(state.breach_bets)

    @property
    def bets(self) -> tuple[list[float], list[float]]:
        return list(self._met._scored), list(self._breach._scored)


class LiveWindow(Tally):
    """One window of one clause, resumed from what was stored."""

    def __init__(self, clause: Clause, state: WindowState) -> None:
        super().__init__(clause_in_window(clause, state.number))
        self.number = state.number
        self.weighted_passes, self.weighted_failures = (
            state.weighted_passes,
            state.weighted_failures,
        )
        self.units, self.errors, self.nulls = state.units, state.errors, state.nulls
        self.skipped, self.not_applicable = state.skipped, state.not_applicable
        self._weights = {float(value): weight for value, weight in state.seen.items()}
        if self._looks is not None:
            plain = self._looks.evidence
            self._weighed = _Weighed(promise=plain.promise, floor=plain.floor)
            self._weighed.resume(state)
            self._looks.evidence = self._weighed
            self._looks.units = state.units
            self._looks.met_at, self._looks.breached_at = state.met_at, state.breached_at

    def take(self, outcome: Outcome, value: float | None, *, weight: float) -> None:
        """One call's observation. A weight of 0 is a call that only lowered the smallest rate."""
        if outcome in ("pass", "fail"):
            assert value is not None
            self._decide(value, weight)
        else:
            name = {"error": "errors", "null": "nulls"}.get(outcome, outcome)
            setattr(self, name, getattr(self, name) + 1)

    def _decide(self, value: float, weight: float) -> None:
        if weight == 0:
            self.skipped += 1
            return
        if self._looks is not None:
            self._weighed.weight = weight
        self.add(value)
        if self._scale != PLAIN:
            value = round(value, 9)
            self._weights[value] = self._weights.get(value, 0.0) + weight
        self.weighted_passes += weight * value
        self.weighted_failures += weight * (1 - value)

    def rescale(self, factor: float) -> None:
        """The smallest rate fell to `factor` of itself: earlier calls now stand for less."""
        self.weighted_passes *= factor
        self.weighted_failures *= factor
        self._weights = {value: weight * factor for value, weight in self._weights.items()}

    @property
    def counts(self) -> ClauseCounts:
        passes, failures = self._figures()
        return ClauseCounts(
            passes=_whole(passes),
            failures=_whole(failures),
            errors=self.errors,
            nulls=self.nulls,
            skipped=self.skipped,
            not_applicable=self.not_applicable,
        )

    def _figures(self) -> tuple[float, float]:
        """What was seen on the scale of people."""
        passes, failures = self.weighted_passes, self.weighted_failures
        if self._scale == PLAIN:
            return passes, failures
        total = passes + failures
        figure = self._scale.outward(passes / total) if total else 0.0
        kept = total * min(1.0, max(0.0, figure))
        return kept, total - kept

    @property
    def breached_at(self) -> int | None:
        """The deciding unit at which a breach latched, if it was the first line crossed."""
        looks = self._looks
        return looks.breached_at if looks is not None and looks.breached_first else None

    def state(self) -> WindowState:
        """What to store."""
        found = WindowState(
            number=self.number,
            units=self.units,
            weighted_passes=self.weighted_passes,
            weighted_failures=self.weighted_failures,
            errors=self.errors,
            nulls=self.nulls,
            skipped=self.skipped,
            not_applicable=self.not_applicable,
            seen={repr(value): weight for value, weight in self._weights.items()},
        )
        if self._looks is not None:
            found.plain_passes, found.plain_failures = self._weighed.passes, self._weighed.failures
            found.met_bets, found.breach_bets = self._weighed.bets
            found.met_at, found.breached_at = self._looks.met_at, self._looks.breached_at
        return found

    def judged(self, *, closed: bool, sampled: bool = False) -> ClauseVerdict:
        """The verdict as it stands; `closed` also for a window that is covered. `sampled` says
        that calls were left out."""
        if self._looks is None:
            return self._census(closed, sampled)
        self._seen = Counter(self._weights)  # weights count as calls do
        return self.verdict(closed=closed)

    def _census(self, closed: bool, sampled: bool) -> ClauseVerdict:
        plain = Tally(self.clause)
        plain.units = self.units
        plain._parts = Fraction(_whole(self.weighted_passes))
        plain.errors, plain.nulls = self.errors, self.nulls
        plain.skipped, plain.not_applicable = self.skipped, self.not_applicable
        found = plain.verdict(closed=closed and not sampled)
        if not sampled:
            return found
        return replace(
            found,
            status="undetermined",
            live="undetermined",
            reason="This clause counts every call, and calls were left out by sampling.",
        )


def why_not_live(clause: Clause) -> str | None:
    """Why a clause says nothing of production calls; None when it does."""
    check = CHECKS.get(clause.check)
    if check is None:
        return "its check is not known here"
    if check.gathers or check.needs_repeats or check.varies(clause.params):
        return "it compares tries of one task, and every production call is a task of its own"
    if check.asks_panel:
        return "a jury reads calls, and it counts sessions" if clause.unit == "session" else None
    if clause.repeats > 1 or scale_of(clause) != PLAIN:
        return "it needs several tries of each task"
    return None


def asks_panel(clause: Clause) -> bool:
    """Whether a jury or people decide it, on a sample of the calls."""
    return clause.check in CHECKS and CHECKS[clause.check].asks_panel


def decided_at_once(clause: Clause) -> bool:
    """Whether each call has its observation as soon as it is checked."""
    return why_not_live(clause) is None and clause.unit != "session" and not asks_panel(clause)


def drawn_bps(clause: Clause) -> int:
    """How likely a call is drawn for this clause, in basis points: all for those without a panel;
    `call_bps` for a jury, `review_bps` for people alone."""
    if not asks_panel(clause):
        return WHOLE
    named = clause.params.get("call_bps" if "jury" in clause.params else "review_bps", HEARD_BPS)
    return named if isinstance(named, int) else HEARD_BPS


def read_bps(clause: Clause) -> int:
    """How likely people read a call that was drawn for this clause, in basis points."""
    if not asks_panel(clause) or "review_bps" not in clause.params:
        return 0
    named = clause.params["review_bps"]
    return named if "jury" in clause.params and isinstance(named, int) else WHOLE


def window_number(
    clause: Clause, *, place: int, received_at: datetime, began_at: datetime, milestone: int
) -> int:
    """The window, from 1, that the call at `place` (from 1) belongs to; never falls as calls come
    in. `began_at` is when the engagement was signed, `milestone` the number of milestones begun, or
    one more than were handed over.

    Days are told by the platform's clock: when the call was received.
    """
    window = clause.window
    if window is None or by_milestone(clause) or not window.size:
        return max(FIRST, milestone)
    if window.kind == "calls":
        return FIRST + (place - 1) // window.size
    passed = max(timedelta(0), received_at - began_at)
    return FIRST + passed // timedelta(days=window.size)


def by_milestone(clause: Clause) -> bool:
    """Whether its windows end with milestones."""
    return clause.window is None or clause.window.kind == "milestone" or not clause.window.size


def closing_time(clause: Clause, *, number: int, began_at: datetime) -> datetime | None:
    """When a window of days ends; None for the others."""
    if clause.window is None or clause.window.kind != "days" or not clause.window.size:
        return None
    return began_at + timedelta(days=clause.window.size) * number


def covered(
    clause: Clause, *, units: int, opened_at: datetime, now: datetime, volume: Volume | None
) -> bool:
    """Whether enough of a window was seen to call it met before it closes."""
    expected, least = _expected(clause, volume), COVERED_AFTER
    if clause.window and clause.window.kind == "days" and clause.window.size:
        least = min(least, timedelta(days=clause.window.size))
    return bool(expected) and now - opened_at >= least and units >= COVERED_SHARE * expected


def _expected(clause: Clause, volume: Volume | None) -> float:
    """Calls in one window that are drawn for the clause, by the pact; 0 where it does not say."""
    window, share = clause.window, drawn_bps(clause) / WHOLE
    if window is not None and window.kind == "calls":
        return share * (window.size or 0)
    if volume is None:
        return 0
    if window is not None and window.kind == "days":
        return share * (volume.calls_per_day or 0) * (window.size or 0)
    return share * (volume.calls_per_milestone or 0)


def weigh(rates: Sequence[float], *, least: float) -> tuple[list[float], float]:
    """The weights of calls kept with these probabilities, in their order, and the smallest rate
    afterwards. A call below every earlier rate weighs 0. Raises nothing; rates are in (0, 1]."""
    weights = []
    for rate in rates:
        if rate < least:
            least = rate
            weights.append(0.0)
        else:
            weights.append(least / rate)
    return weights, least


def _whole(count: float) -> float:
    rounded = round(count)
    return rounded if math.isclose(count, rounded, rel_tol=0, abs_tol=1e-9) else count
