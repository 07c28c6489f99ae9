"""What the log adds up to, in whole numbers. Method `standing-1`.

A verdict counts once money followed it: when an `escrow.settled` names its evidence, and it stands
earlier in the log. Evaluations run by the agent's own side (`independence: self`) never count. Per
dimension the clause with the lowest pass rate speaks for the verdict, because clauses of one
dimension are measured on the same units and a unit may count only once. Counts add up across hires
of one agent version; a new version starts anew.

Everything kept is a whole number, so anybody who folds the same log gets the same bytes; the rates
that people read are computed from them by `reputation.standing`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from functools import cache
from typing import Any, NamedTuple

from reputation.canonical import canonical
from reputation.envelope import instant, moment

METHOD = "standing-1"
VERDICT = "evaluation.concluded"
SETTLEMENT = "escrow.settled"
HALF_LIFE = timedelta(days=14)
LANDMARK = datetime(2025, 1, 1, tzinfo=UTC)
_HOUR = timedelta(hours=1)
_HOURS_PER_HALF_LIFE = HALF_LIFE // _HOUR
_UNIT_BITS = 64

Fact = Mapping[str, Any]


class Key(NamedTuple):
    """What one tally is about."""

    agent_id: str
    version_id: str
    dimension: str


@dataclass(frozen=True, kw_only=True)
class Tally:
    """The counted evidence of one key. Tallies add in any order and grouping.

    `promise_bps` and `floor_bps` are the strictest the version was held to; `decayed_*` are sums of
    `weight`, so only their ratio to `weight(now)` has a meaning.
    """

    verdicts: int
    passes: int
    failures: int
    decayed_passes: int
    decayed_failures: int
    promise_bps: int
    floor_bps: int
    first_at: datetime
    last_at: datetime

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            verdicts=self.verdicts + other.verdicts,
            passes=self.passes + other.passes,
            failures=self.failures + other.failures,
            decayed_passes=self.decayed_passes + other.decayed_passes,
            decayed_failures=self.decayed_failures + other.decayed_failures,
            promise_bps=max(self.promise_bps, other.promise_bps),
            floor_bps=max(self.floor_bps, other.floor_bps),
            first_at=min(self.first_at, other.first_at),
            last_at=max(self.last_at, other.last_at),
        )


@dataclass(frozen=True)
class State:
    """How far the fold has come: verdicts without settlement, by evidence id, and the tallies."""

    unsettled: Mapping[str, Fact] = field(default_factory=dict)
    tallies: Mapping[Key, Tally] = field(default_factory=dict)


def fold(state: State, facts: Iterable[Fact]) -> State:
    """The state after these envelopes, which continue the log in its order; a new state."""
    unsettled, tallies = dict(state.unsettled), dict(state.tallies)
    for fact in facts:
        if fact["kind"] == VERDICT and fact["facts"]["independence"] != "self":
            unsettled[fact["id"]] = fact
        elif fact["kind"] == SETTLEMENT:
            verdict = unsettled.pop(fact["facts"].get("verdict_evidence", ""), None)
            for key, tally in tallies_of(verdict).items() if verdict else ():
                tallies[key] = tallies[key] + tally if key in tallies else tally
    return State(unsettled, tallies)


def tallies_of(verdict: Fact) -> dict[Key, Tally]:
    """What one `evaluation.concluded` adds, by key: nothing for a dimension without units."""
    weakest: dict[str, Mapping[str, Any]] = {}
    for clause in verdict["facts"]["clauses"]:
        rival = weakest.get(clause["dimension"])
        if _units(clause) and (rival is None or _is_weaker(clause, rival)):
            weakest[clause["dimension"]] = clause
    agent, version = verdict["subjects"]["agent"], verdict["subjects"]["agent_version"]
    at = moment(verdict["at"])
    return {Key(agent, version, name): _tally(clause, at) for name, clause in weakest.items()}


def _units(clause: Mapping[str, Any]) -> int:
    return int(clause["passes"] + clause["failures"])


def _is_weaker(clause: Mapping[str, Any], rival: Mapping[str, Any]) -> bool:
    mine, theirs = clause["passes"] * _units(rival), rival["passes"] * _units(clause)
    return bool((mine, -_units(clause), clause["key"]) < (theirs, -_units(rival), rival["key"]))


def _tally(clause: Mapping[str, Any], at: datetime) -> Tally:
    return Tally(
        verdicts=1,
        passes=clause["passes"],
        failures=clause["failures"],
        decayed_passes=clause["passes"] * weight(at),
        decayed_failures=clause["failures"] * weight(at),
        promise_bps=clause["promise_bps"],
        floor_bps=clause["floor_bps"],
        first_at=at,
        last_at=at,
    )


def weight(at: datetime) -> int:
    """floor(2^(64 + h/336)), h the whole hours since 2025-01-01 UTC: doubles every 14 days.

    A unit observed then is worth weight(then) / weight(now) units now. Forward decay (Cormode et
    al., 2009) instead of shrinking old counts: sums stay exact, and no row changes by ageing.
    """
    halvings, hours = divmod((at - LANDMARK) // _HOUR, _HOURS_PER_HALF_LIFE)
    step = _step(hours)
    return step << halvings if halvings >= 0 else max(1, step >> -halvings)


@cache
def _step(hours: int) -> int:
    with localcontext() as context:
        context.prec = 80
        return int(Decimal(2) ** (_UNIT_BITS + Decimal(hours) / _HOURS_PER_HALF_LIFE))


def table(tallies: Mapping[Key, Tally]) -> bytes:
    """The tallies as canonical JSON rows in key order: two folds agree when these bytes do."""
    return canonical([_row(key, tallies[key]) for key in sorted(tallies)])


def _row(key: Key, tally: Tally) -> dict[str, object]:
    return {
        **key._asdict(),
        "method": METHOD,
        "verdicts": tally.verdicts,
        "passes": tally.passes,
        "failures": tally.failures,
        "decayed_passes": str(tally.decayed_passes),
        "decayed_failures": str(tally.decayed_failures),
        "promise_bps": tally.promise_bps,
        "floor_bps": tally.floor_bps,
        "first_at": instant(tally.first_at),
        "last_at": instant(tally.last_at),
    }
