"""A negotiation to begin a test with: alice wants bob's agent on terms of her own."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pacts import negotiations, terms
from pacts.feasibility import Timers
from pacts.models import AgentVersion, PactVersion, Proposal, TaskSetVersion
from pacts.negotiations import Fee, Offer
from pacts.offered import OfferedMilestone, OfferedTerms
from pacts.terms import PactTerms
from tests import cast

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TICK = timedelta(microseconds=1)
STANDS = timedelta(seconds=negotiations.USUAL_SECONDS)
FEE = Fee(bps=500)


def promising(pact: PactTerms, promise_bps: int, *, key: str = "accuracy") -> PactTerms:
    """The same pact with another promise in one clause."""
    data = terms.to_json(pact)
    clauses = data["clauses"]
    assert isinstance(clauses, list)
    for clause in clauses:
        assert isinstance(clause, dict)
        if clause["key"] == key:
            clause["promise_bps"] = promise_bps
    return terms.parse(data)


@dataclass(slots=True)
class Talks:
    """Both sides, what bob offers everybody, and what alice would be judged on."""

    alice: cast.Actor
    bob: cast.Actor
    version: AgentVersion
    published: PactVersion
    tasks: TaskSetVersion
    listed: OfferedTerms

    def terms(self, *, promise: int = 9000, **changes: Any) -> OfferedTerms:
        """The listed terms, changed."""
        price = changes.pop("price", None)
        if price is not None:
            changes["milestones"] = (replace(self.listed.milestones[0], amount=price),)
        changed = replace(self.listed, **changes)
        return replace(changed, pact=promising(changed.pact, promise))

    def offer(self, who: cast.Actor, offered: OfferedTerms, **more: Any) -> Offer:
        return Offer(party=who.party, by=who.user, terms=offered, fee=FEE, **more)

    def begin(self, offered: OfferedTerms | None = None, **more: Any) -> Proposal:
        """alice's first offer at START: 95 % for 80.00."""
        offered = offered or self.terms(promise=9500, price=8_000)
        return negotiations.open_negotiation(
            agent_version=self.version,
            published=self.published,
            currency="EUR",
            listed=self.listed,
            offer=self.offer(self.alice, offered, **more),
            now=START,
        )

    def answer(
        self, last: Proposal, who: cast.Actor, offered: OfferedTerms, *, now: datetime = START
    ) -> Proposal:
        return negotiations.propose(
            negotiation=last.negotiation, offer=self.offer(who, offered), now=now
        )


def talks(*, size: int = 30, url: str = cast.DEAD_END) -> Talks:
    alice, bob = cast.alice(), cast.bob()
    version = cast.agent_of(bob, url)
    published = cast.pact_of(version, bob)
    tasks = cast.golden_set(alice, cast.doubling_tasks(size))
    listed = OfferedTerms(
        pact=terms.parse(published.terms),
        milestones=(OfferedMilestone(title="Numbers", amount=10_000, task_set_version=tasks.id),),
        timers=Timers(),
    )
    return Talks(alice, bob, version, published, tasks, listed)
