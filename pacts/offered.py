"""What one side offers the other before both sign: a pact, prices, tasks and clocks as one value.

Pure. The buyer's money and the builder's promises stand beside each other here, so that two offers
can be told apart field by field (`pacts.offered_changes`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pacts import terms
from pacts.feasibility import Timers
from pacts.terms import PactTerms
from reputation.canonical import canonical

FORMAT = "earnest-offer/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedMilestone:
    """A milestone as it is offered; `amount` and the builder's `bond` in minor units."""

    title: str
    amount: int
    task_set_version: str
    bond: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedTerms:
    """Everything that may be talked about. Parties, agent version, currency and fee stand."""

    pact: PactTerms
    milestones: tuple[OfferedMilestone, ...]
    timers: Timers
    max_revisions: int = 1

    @property
    def total(self) -> int:
        """All milestones together, in minor units."""
        return sum(one.amount for one in self.milestones)

    @property
    def task_set_versions(self) -> list[str]:
        """The task sets in use, each once, in the milestones' order."""
        return list(dict.fromkeys(one.task_set_version for one in self.milestones))

    def to_json(self) -> dict[str, Any]:
        """As a proposal keeps it; `offered_of` reads it back equal."""
        return {
            "format": FORMAT,
            "pact": terms.to_json(self.pact),
            "milestones": [asdict(one) for one in self.milestones],
            "timers": asdict(self.timers),
            "max_revisions": self.max_revisions,
        }


def offered_of(data: Mapping[str, Any]) -> OfferedTerms:
    """Terms as a proposal keeps them, which were checked when they were made."""
    return OfferedTerms(
        pact=terms.parse(data["pact"]),
        milestones=tuple(OfferedMilestone(**one) for one in data["milestones"]),
        timers=Timers(**data["timers"]),
        max_revisions=data["max_revisions"],
    )


def same(one: OfferedTerms, other: OfferedTerms) -> bool:
    """Whether two offers say the same, byte for byte."""
    return canonical(one.to_json()) == canonical(other.to_json())


def foreign_task_sets(new: OfferedTerms, *, known: Sequence[str]) -> list[str]:
    """Task sets a builder names that were not on the table: its own choice would judge itself."""
    return [one for one in new.task_set_versions if one not in known]
