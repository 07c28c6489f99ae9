"""Keeping what is held on one agent within what its standing carries, whoever funds at once."""

from datetime import datetime

from django.db.models import Sum

from pacts.models import Agent, Engagement
from reputation import queries, restrictions
from reputation.restrictions import Restriction
from settlement.exposure import Limit, least_limit, limit_of, narrowed
from settlement.models import Escrow
from settlement.money import exponent_of
from settlement.refusals import ExposureExceeded

_OPEN = [Escrow.State.HELD, Escrow.State.WITHHELD, Escrow.State.FROZEN]


def exposure_of(*, agent_id: str, currency: str) -> int:
    """Minor units held in open escrows on all versions of this agent."""
    rows = Escrow.objects.filter(agent=agent_id, currency=currency, state__in=_OPEN)
    return int(rows.aggregate(total=Sum("amount"))["total"] or 0)


def limit_for(*, agent_id: str, version_id: str, currency: str, now: datetime) -> Limit:
    """What this version's standing, and the controls in force, let the agent carry."""
    narrowing = restrictions.narrowest(restrictions.in_force(agent_id=agent_id, now=now))
    return _limit(agent_id, version_id, currency, narrowing, now)


def _limit(
    agent_id: str, version_id: str, currency: str, narrowing: Restriction | None, now: datetime
) -> Limit:
    exponent = exponent_of(currency)
    standing = queries.standing_of(agent_id=agent_id, version_id=version_id, now=now).composite
    limit = limit_of(
        units=standing.vouched_units,
        # What only unknown buyers say carries no more than nothing does: it is cheap to stage.
        lower_bps=standing.score_bps if standing.is_vouched else None,
        is_breached=standing.status == "breached",
        exponent=exponent,
    )
    if narrowing is None or narrowing.limit is None:
        return limit
    return narrowed(limit, to=narrowing.limit, because=narrowing.sentence, exponent=exponent)


def refuse_overexposed(*, escrow: Escrow, engagement: Engagement, now: datetime) -> None:
    """Refuse funding beyond the limit. The agent's row orders those who fund at once.

    The caller is in the transaction that funds. Raises ExposureExceeded with the arithmetic.
    """
    agent_id, currency = engagement.agent_version.agent_id, escrow.currency
    Agent.objects.select_for_update(no_key=True).only("pk").get(pk=agent_id)
    held = exposure_of(agent_id=agent_id, currency=currency)
    after = held + escrow.amount
    narrowing = restrictions.narrowest(restrictions.in_force(agent_id=agent_id, now=now))
    if narrowing is None and after <= least_limit(exponent_of(currency)):
        return
    limit = _limit(agent_id, engagement.agent_version_id, currency, narrowing, now)
    if after > limit.amount:
        raise ExposureExceeded(
            f"{currency} {_shown(held, currency)} held on this agent + "
            f"{_shown(escrow.amount, currency)} = {_shown(after, currency)}, more than the "
            f"{_shown(limit.amount, currency)} it may carry ({limit.because}); "
            "fund this when work in progress has settled"
        )


def refuse_unbearable(*, engagement: Engagement, now: datetime) -> None:
    """Refuse to sign what could not be funded: a milestone beyond the agent's limit, or a first
    one that does not fit beside what is held. Funding looks again, under the agent's lock.

    Raises ExposureExceeded with the arithmetic.
    """
    agent_id, currency = engagement.agent_version.agent_id, engagement.currency
    amounts = [milestone.amount for milestone in engagement.milestones.all()]
    held = exposure_of(agent_id=agent_id, currency=currency)
    most = max(max(amounts), held + amounts[0])
    if most <= least_limit(exponent_of(currency)):
        return
    limit = limit_for(
        agent_id=agent_id, version_id=engagement.agent_version_id, currency=currency, now=now
    )
    if most > limit.amount:
        raise ExposureExceeded(
            f"{currency} {_shown(max(amounts), currency)} for one milestone, with "
            f"{_shown(held, currency)} held on this agent already, is more than the "
            f"{_shown(limit.amount, currency)} it may carry ({limit.because}); "
            "hire when work in progress has settled, or agree on less"
        )


def _shown(amount: int, currency: str) -> str:
    exponent = exponent_of(currency)
    whole, part = divmod(amount, 10**exponent)
    return f"{whole:,}.{part:0{exponent}d}" if exponent else f"{whole:,}"
