"""The terms of a metered hire: a budget drawn down for production calls, window by window. Pure.

The pact says what is promised and when a window is met; these terms say what a window or a call
costs, whose word counts, what is kept back, and how long it runs. Both sides sign them as a part
of one agreement.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from pacts.currencies import LARGEST
from pacts.feasibility import DAY, LONGEST_TIMER
from pacts.live import decided_at_once
from pacts.terms import WHOLE, Clause, PactTerms, Window

Basis = Literal["call", "window"]
Side = Literal["buyer", "builder"]
Counted = Literal["buyer", "platform"]

MOST_CALLS_PER_PRICE = 1_000_000
MOST_HELD_BACK_BPS = 5_000
# What is not said by the numbers, named in the agreement: a window's price is rounded to the
# nearest minor unit, a half to the builder; a critical breach freezes the rest and, unless the
# buyer waives it in the cure period, all that was not paid yet returns to the buyer, the holdback
# too; what stopped before its window was over costs its part.
RULES = ("half-up-1", "critical-breach-returns-the-rest-1", "partial-window-by-its-part-1")


class MeteringRefused(ValueError):
    """These terms cannot be metered; the message says why and what to change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeteringTerms:
    """What both sides agree on. `budget` and `price` in minor units.

    With the basis `call` the price is for `per` verified calls; with `window` for a whole window
    of the pact. `holdback_bps` of what a window earned waits until the end and `cooling_seconds`
    more. It runs for `runs_seconds` from its funding. `counts` says whose reports count, and
    `pausers` which sides may pause.
    """

    budget: int
    price: int
    basis: Basis = "call"
    per: int = 1
    holdback_bps: int = 0
    cooling_seconds: int = 3 * DAY
    runs_seconds: int = 30 * DAY
    counts: Counted = "buyer"
    pausers: tuple[Side, ...] = ("buyer", "builder")

    def to_json(self) -> dict[str, Any]:
        """As the agreement holds it."""
        return asdict(self) | {"pausers": list(self.pausers), "rules": list(RULES)}


def agreed_text(metering: MeteringTerms, pact: PactTerms) -> dict[str, Any]:
    """What both sides sign of it: the terms, the window and the clauses that decide it, and the
    critical ones, any of which stops the money. Raises MeteringRefused."""
    return metering.to_json() | {
        "window": window_of(pact).to_json(),
        "clauses": [clause.key for clause in deciding(pact)],
        "critical": [clause.key for clause in pact.clauses if clause.critical],
    }


def metering_of(data: Mapping[str, Any]) -> MeteringTerms:
    """Terms as an engagement stores them, which were checked when they were agreed."""
    fields = {name: data[name] for name in MeteringTerms.__slots__}
    return MeteringTerms(**fields | {"pausers": tuple(data["pausers"])})


def refuse_unfit(metering: MeteringTerms, pact: PactTerms) -> None:
    """Raises MeteringRefused for numbers out of bounds and for a pact that cannot be metered."""
    if wrong := _unfit(metering):
        raise MeteringRefused(wrong)
    window_of(pact)


def _unfit(metering: MeteringTerms) -> str | None:
    problems = {
        f"a budget is between 1 and {LARGEST} minor units": not 1 <= metering.budget <= LARGEST,
        "a price is above zero and within the budget": not 1 <= metering.price <= metering.budget,
        f"the basis is one of {', '.join(get_args(Basis))}": metering.basis not in get_args(Basis),
        f"a price is for 1 to {MOST_CALLS_PER_PRICE} calls": not (
            1 <= metering.per <= MOST_CALLS_PER_PRICE
        ),
        "a price for a window is not also for a number of calls": (
            metering.basis == "window" and metering.per != 1
        ),
        f"between 0 and {MOST_HELD_BACK_BPS} basis points are held back": not (
            0 <= metering.holdback_bps <= MOST_HELD_BACK_BPS
        ),
        "a budget runs for a second to a year": not 1 <= metering.runs_seconds <= LONGEST_TIMER,
        "a holdback cools for at most a year": not 0 <= metering.cooling_seconds <= LONGEST_TIMER,
        "the reports of the buyer or of the platform count": (
            metering.counts not in get_args(Counted)
        ),
        "only the two sides pause, each named once": (
            not set(metering.pausers) <= set(get_args(Side))
            or len(set(metering.pausers)) < len(metering.pausers)
        ),
    }
    return next((problem for problem, holds in problems.items() if holds), None)


def deciding(pact: PactTerms) -> tuple[Clause, ...]:
    """The clauses that single calls are held against."""
    return tuple(c for c in pact.clauses if c.unit == "call" and decided_at_once(c))


def window_of(pact: PactTerms) -> Window:
    """The window that every deciding clause shares: what is settled at a time.

    Raises MeteringRefused where a clause with a part of the price says nothing of single calls,
    where windows differ, or where each window takes the whole risk anew.
    """
    clauses = deciding(pact)
    named = {clause.key for clause in clauses}
    silent = [c.key for c in pact.clauses if c.key not in named and c.weight_bps]
    if not clauses or silent or sum(c.weight_bps for c in clauses) != WHOLE:
        raise MeteringRefused(
            "this pact cannot be metered: "
            + (f"{_listed(silent)} says" if silent else "it says")
            + " nothing of single calls, so no call could earn that part of the price; ask the "
            "builder for a version whose weighted clauses are checked on every call"
        )
    _refuse_other_windows(clauses)
    window = clauses[0].window
    assert window is not None, "a clause without a window was refused"
    return window


def _refuse_other_windows(clauses: Sequence[Clause]) -> None:
    first = clauses[0].window
    for clause in clauses:
        if clause.window is None or clause.window.kind == "milestone":
            raise MeteringRefused(
                f"{clause.key} is judged once per milestone; a metered hire is settled per window: "
                "ask the builder for a version with windows of calls or days"
            )
        if clause.window != first:
            raise MeteringRefused(
                f"{clauses[0].key} and {clause.key} have different windows; a metered hire settles "
                "all clauses together: ask the builder for a version with one window for all"
            )
        if clause.estimand == "propensity" and clause.risk_over != "lifetime":
            raise MeteringRefused(
                f"{clause.key} takes its whole risk anew in each window, so sooner or later a kept "
                "promise would stop the money; ask the builder for `risk_over: lifetime`"
            )


def _listed(keys: Sequence[str]) -> str:
    return ", ".join(keys)
