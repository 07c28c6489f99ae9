"""The part of the stored standings that a version's prospects are computed from."""

from collections.abc import Mapping
from datetime import datetime

from django.db.models import Q

from reputation.fold import State
from reputation.prospects import Prospects, Rates, Subject, prospects
from reputation.shelves import BUILDERS, BUYERS, RECORDS, SHARES, TALLIES, TIES


def prospects_of(
    *,
    agent_id: str,
    version_id: str,
    builder_id: str,
    promised: Mapping[str, Rates],
    now: datetime,
) -> Prospects:
    """What would move a version's standing, from the rows as they are; `promised` is what its pact
    holds each dimension to, for dimensions that nobody has measured yet."""
    subject = Subject(
        agent_id=agent_id, version_id=version_id, builder_id=builder_id, promised=promised
    )
    return prospects(_state_of(version_id, builder_id), subject, now=now)


def _state_of(version_id: str, builder_id: str) -> State:
    shares = SHARES.find(Q(version_id=version_id))
    buyers = {key.buyer_id for key in shares}
    return State(
        tallies=TALLIES.find(Q(version_id=version_id)),
        shares=shares,
        buyers=BUYERS.find(Q(pk__in=buyers)),
        ties=TIES.find(Q(buyer_id__in=buyers, builder_id=builder_id)),
        builders=BUILDERS.find(Q(pk=builder_id)),
        records=RECORDS.find(Q(version_id=version_id)),
    )
