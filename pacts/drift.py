"""Change found while calls come in: outcomes against the promise, inputs against what they were.

Outcomes: the e-SR detector of STATISTICS §5. Per bet j of the clause's own breach grid (promise and
floor: half the weight is on a fall to the floor) M_j ← (M_j + 1) · (1 + f_j · (m − x) / (1 − m)),
started at 0; the alarm goes when Σ w_j M_j ≥ A. While every
conditional mean is at least m the expected run until an alarm is at least A calls, and an alarm
within T calls has at most the probability T / A, independent or not. Source: Shin, Ramdas and
Rinaldo, "E-detectors: a nonparametric framework for sequential change detection" (2024).

Inputs: the same detector over conformal p-values (Vovk, Petej, Nouretdinov, Ahlberg, Carlsson and
Gammerman, "Retrain or not retrain: conformal test martingales for change-point detection", 2021).
A call's trait is a category; its p-value says how unusual the category is among all seen so far,
ties broken by a ticket drawn from the call's id. As long as calls are exchangeable the p-values are
independent and uniform, whatever the categories are, and any density on [0, 1] is a fair bet.
"""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from reputation.confidence import breach_grid

WARN, ACT = 10_000.0, 60_000.0
Level = Literal["", "warn", "act"]
MOST_CATEGORIES = 64
OTHER = "other"
# Densities ε · p^(ε−1) that pay for unusual categories (ends at 0) and for usual ones (at 1).
POWERS = (0.1, 0.3, 0.5, 0.7)
SMALLEST_P = 1e-9


class Detector:
    """Σ w_j M_j over bets whose payoffs are given; starts anew once it called for action."""

    def __init__(self, weights: tuple[float, ...], sums: list[float] | None = None) -> None:
        self.weights = weights
        self.sums = sums or [0.0] * len(weights)

    def bet(self, factors: list[float]) -> None:
        self.sums = [(m + 1) * each for m, each in zip(self.sums, factors, strict=True)]

    @property
    def level(self) -> float:
        return math.fsum(w * m for w, m in zip(self.weights, self.sums, strict=True))

    @property
    def alarm(self) -> Level:
        return "act" if self.level >= ACT else "warn" if self.level >= WARN else ""

    def restart(self) -> None:
        self.sums = [0.0] * len(self.weights)


class OutcomeDrift(Detector):
    """e-SR against "the rate is at least `promise`", over values in [0, 1]. Sums of another grid
    than the present one are not gone on with."""

    def __init__(self, promise: float, floor: float, sums: list[float] | None = None) -> None:
        grid = breach_grid(promise=promise, floor=floor)
        sums = sums if sums and len(sums) == len(grid) else None
        super().__init__(tuple(weight for _, weight in grid), sums)
        self.promise = promise
        self._fractions = [fraction for fraction, _ in grid]

    def add(self, value: float, *, weight: float = 1.0) -> None:
        """One value; `weight` as in `pacts.live`. Raises nothing."""
        edge = weight * (self.promise - value) / (1 - self.promise)
        self.bet([1 + fraction * edge for fraction in self._fractions])


class TraitDrift(Detector):
    """Change in the mix of one trait's categories, at every look."""

    def __init__(self, counts: dict[str, int] | None = None, sums: list[float] | None = None):
        bets = 2 * len(POWERS)
        super().__init__((1 / bets,) * bets, sums)
        self.counts = counts or {}

    def add(self, category: str, *, ticket: float) -> float:
        """One call's category with a ticket in [0, 1]; returns its p-value."""
        if category not in self.counts and len(self.counts) >= MOST_CATEGORIES:
            category = OTHER
        self.counts[category] = self.counts.get(category, 0) + 1
        p = self._p_value(self.counts[category], ticket)
        self.bet([_density(e, p) for e in POWERS] + [_density(e, 1 - p) for e in POWERS])
        return p

    def _p_value(self, own: int, ticket: float) -> float:
        rarer = sum(count for count in self.counts.values() if count < own)
        ties = sum(count for count in self.counts.values() if count == own)
        return (rarer + ticket * ties) / sum(self.counts.values())


def _density(power: float, p: float) -> float:
    return power * float(max(p, SMALLEST_P) ** (power - 1))


def ticket_of(call_id: bytes, trait: str) -> float:
    """A number in [0, 1) that a call's id decides, another for each trait."""
    drawn = hashlib.sha256(call_id + trait.encode()).digest()
    return int.from_bytes(drawn[:7], "big") / 2.0**56


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """A detector's word at one call: what changed, and how loud it says so."""

    what: str
    clause: str
    level: Literal["warn", "act"]
    place: int


class Watch:
    """All detectors of one stream; `to_json` is what is stored between batches."""

    def __init__(
        self, promises: Mapping[str, tuple[float, float]], stored: Mapping[str, Any]
    ) -> None:
        """`promises`: promise and floor by clause key, each strictly between 0 and 1."""
        outcomes, traits = stored.get("outcomes", {}), stored.get("traits", {})
        self.outcomes = {
            key: OutcomeDrift(promise, floor, outcomes.get(key))
            for key, (promise, floor) in promises.items()
        }
        self.traits = {
            name: TraitDrift(dict(one["counts"]), one["sums"]) for name, one in traits.items()
        }
        self._said: dict[str, str] = dict(stored.get("said", {}))

    def outcome(self, clause: str, value: float, *, weight: float, place: int) -> Alarm | None:
        """One deciding observation; an alarm where this call raised one."""
        detector = self.outcomes.get(clause)
        if detector is None:
            return None
        detector.add(value, weight=weight)
        return self._heard(detector, "outcome", clause, place)

    def trait(self, name: str, category: str, *, call_id: bytes, place: int) -> Alarm | None:
        """One call's trait; an alarm where this call raised one."""
        detector = self.traits.setdefault(name, TraitDrift())
        detector.add(category, ticket=ticket_of(call_id, name))
        return self._heard(detector, name, "", place)

    def _heard(self, detector: Detector, what: str, clause: str, place: int) -> Alarm | None:
        """Each level is said once until the detector starts anew."""
        level, key = detector.alarm, f"{what}:{clause}"
        if not level or self._said.get(key) == level:
            return None
        self._said[key] = level
        if level == "act":
            detector.restart()
            del self._said[key]
        return Alarm(what=what, clause=clause, level=level, place=place)

    def to_json(self) -> dict[str, Any]:
        return {
            "outcomes": {key: one.sums for key, one in self.outcomes.items()},
            "traits": {
                name: {"counts": one.counts, "sums": one.sums} for name, one in self.traits.items()
            },
            "said": self._said,
        }
