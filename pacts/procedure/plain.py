"""What the rule decides of a dispute alone: whether the pact is plain, and what follows. Pure.

It is plain where the ground contests a measurement (performance, amount), and the same checks over
the same stored answers say something: every contested clause is decided by a fixed rule, and none
by a jury or by people. Then what they say now is what was promised to decide, whether it confirms
the verdict or corrects it. Everything else is a person's.
"""

from collections.abc import Mapping
from dataclasses import dataclass

WHOLE = 10_000
MEASURED_GROUNDS = frozenset({"performance", "amount"})
# Opinions: the same answer may be read otherwise by somebody else.
OF_OPINION = frozenset({"judged", "judged_anchored", "reviewed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One verdict: `clauses` are (outcome, passes, failures) by key."""

    outcome: str
    earned_share_bps: int
    clauses: Mapping[str, tuple[str, int, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A ruling by rule: the builder's share, the clauses that carry it, and why."""

    award_bps: int
    clauses: tuple[str, ...]
    reasons: str
    confirms: bool


def decide_plainly(
    *,
    ground: str,
    contested: tuple[str, ...],
    checks: Mapping[str, str],
    original: Reading,
    again: Reading,
    on_breach: str,
) -> Finding | None:
    """The finding where the pact is plain; None where a person must decide.

    `checks` are the clauses' kinds (`exact/1`) by key, `contested` the keys in question (none is
    all), `on_breach` the pact's consequence: `refund` or `prorate`.
    """
    keys = contested or tuple(checks)
    if ground not in MEASURED_GROUNDS or not keys:
        return None
    if any(_kind(checks.get(key, "judged")) in OF_OPINION for key in keys):
        return None
    if again.outcome not in ("met", "breached") or not set(keys) <= again.clauses.keys():
        return None
    if any(again.clauses[key][0] == "undetermined" for key in keys):
        return None
    award = _award(again, on_breach)
    confirms = (original.outcome, _award(original, on_breach)) == (again.outcome, award)
    return Finding(
        award_bps=award,
        clauses=keys,
        reasons=_reasons(keys, checks, again, award, confirms),
        confirms=confirms,
    )


def _kind(check: str) -> str:
    return check.split("/")[0]


def _award(reading: Reading, on_breach: str) -> int:
    """What the pact pays for this reading, as settlement would without a dispute."""
    if reading.outcome == "breached" and on_breach != "prorate":
        return 0
    return reading.earned_share_bps


def _reasons(
    keys: tuple[str, ...], checks: Mapping[str, str], again: Reading, award: int, confirms: bool
) -> str:
    counted = "; ".join(
        f"{key} ({checks[key]}): {outcome}, {passes} of {passes + failures} passed"
        for key in keys
        for outcome, passes, failures in [again.clauses[key]]
    )
    follows = "That confirms the verdict." if confirms else "That corrects the verdict."
    return (
        "The same checks were made again over the stored answers. They follow a fixed rule, so "
        f"the pact itself decides. {counted}. The pact is {again.outcome}. {follows} The builder "
        f"is awarded {award / 100:.2f} %."
    )
