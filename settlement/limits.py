"""Keeping what is held on one agent within what its standing carries, whoever funds at once."""

from dataclasses import replace
from datetime import datetime
from itertools import takewhile

from django.db.models import F, QuerySet, Sum

from pacts import policies
from pacts.models import Agent, AgentVersion, Engagement
from reputation import queries, restrictions
from reputation.queries import StoredScore
from reputation.restrictions import Restriction
from reputation.standing import Composite
from settlement.exposure import (
    Carrier,
    Limit,
    Room,
    Steps,
    least_limit,
    limit_of,
    narrowed,
    shared,
    steps_of,
    suspended,
)
from settlement.kinship import kin_of
from settlement.models import Escrow, Meter
from settlement.money import exponent_of
from settlement.refusals import ExposureExceeded

_OPEN = [Escrow.State.HELD, Escrow.State.WITHHELD, Escrow.State.FROZEN]
_METERED = [Meter.State.RUNNING, Meter.State.PAUSED, Meter.State.FROZEN, Meter.State.CLOSING]


def limit_for(*, agent_id: str, version_id: str, currency: str, now: datetime) -> Limit:
    """What this version's standing, and the controls in force, let the agent carry, under the
    policy of now."""
    return room_for(agent_id=agent_id, version_id=version_id, currency=currency, now=now).limit


def steps_at(moment: datetime) -> Steps:
    """The table that the policy of this moment sets."""
    return steps_of(policies.values_at(moment))


def room_for(
    *, agent_id: str, version_id: str, currency: str, now: datetime, steps: Steps | None = None
) -> Room:
    """What the agent may carry beside its builder's others, and what is held against that.

    `steps` is the table of an engagement's own moment; by default that of now.
    """
    steps = steps or steps_at(now)
    beside = _agents_beside(agent_id)
    agents = list(beside)
    held = _held_on(agents, currency)
    narrowing = restrictions.in_force_on(agents=agents, now=now)
    scores = _scores_of(agents)
    exponent = exponent_of(currency)
    own = _carrier(
        held.get(agent_id, 0),
        queries.standing_of(agent_id=agent_id, version_id=version_id, now=now).composite,
        _earlier(scores[agent_id], version_id),
        narrowing.get(agent_id, []),
        exponent,
        steps,
    )
    others = [
        _beside(
            _carrier(
                held.get(other, 0),
                scores[other][0] if scores[other] else None,
                scores[other][1:],
                [one for one in narrowing.get(other, []) if one.by_platform],
                exponent,
                steps,
            ),
            is_kin=beside[other] != beside[agent_id],
            is_suspended=any(
                one.by_platform and one.action == "suspend" for one in narrowing.get(other, [])
            ),
            exponent=exponent,
            steps=steps,
        )
        for other in agents
        if other != agent_id
    ]
    return shared(own, others, exponent=exponent, steps=steps)


def _beside(
    own: Carrier, *, is_kin: bool, is_suspended: bool, exponent: int, steps: Steps
) -> Carrier:
    """What an agent is to its builder's others: suspended, it carries what a breached one does."""
    limit = suspended(own.limit, exponent=exponent, steps=steps) if is_suspended else own.limit
    return replace(own, limit=limit, is_proven=own.is_proven and not is_suspended, is_kin=is_kin)


def _agents_beside(agent_id: str) -> dict[str, str]:
    """This agent and every other of its builder and the builder's kin, in one order: agent id →
    builder."""
    builder = Agent.objects.values_list("builder_id", flat=True).get(pk=agent_id)
    return dict(_agents_of(builder).values_list("pk", "builder_id"))


def _agents_of(builder_id: str) -> QuerySet[Agent]:
    """The agents of a builder and of the parties it is connected with, in one order."""
    kin = kin_of(party_id=builder_id)
    parties = [builder_id, *(one.party_id for one in kin)]
    return Agent.objects.filter(builder_id__in=parties).order_by("pk")


def _held_on(agents: list[str], currency: str) -> dict[str, int]:
    """Agent id → what escrows and metered budgets hold for its work, in minor units."""
    rows = Escrow.objects.filter(agent__in=agents, currency=currency, state__in=_OPEN)
    held = dict(rows.order_by().values_list("agent").annotate(total=Sum("amount")))
    meters = Meter.objects.filter(agent__in=agents, currency=currency, state__in=_METERED)
    left = Sum(F("funded") - F("paid") - F("fees") - F("returned"))
    for agent_id, budget in meters.order_by().values_list("agent").annotate(total=left):
        held[agent_id] = held.get(agent_id, 0) + budget
    return held


def _scores_of(agents: list[str]) -> dict[str, list[StoredScore]]:
    """Agent id → the stored scores of its versions, the newest version first."""
    found: dict[str, list[StoredScore]] = {agent_id: [] for agent_id in agents}
    scores = queries.scores_of(agents=agents)
    newest_first = AgentVersion.objects.filter(pk__in=scores).order_by("-number")
    for version_id in newest_first.values_list("pk", flat=True):
        found[scores[version_id].agent_id].append(scores[version_id])
    return found


def _earlier(scores: list[StoredScore], version_id: str) -> list[StoredScore]:
    return [one for one in scores if one.version_id != version_id]


def _carrier(
    held: int,
    standing: Composite | StoredScore | None,
    earlier: list[StoredScore],
    narrowing: list[Restriction],
    exponent: int,
    steps: Steps,
) -> Carrier:
    """By this standing; while it is not vouched for, by a breach of the versions before it."""
    is_vouched = standing is not None and standing.is_vouched
    before = [] if is_vouched else list(takewhile(lambda one: not _is_kept(one), earlier))
    is_breached = any(one.status == "breached" for one in (standing, *before) if one is not None)
    limit = limit_of(
        units=standing.vouched_units if isinstance(standing, Composite) else 0,
        # What only unknown buyers say carries no more than nothing does: it is cheap to stage.
        lower_bps=standing.score_bps if standing is not None and is_vouched else None,
        is_breached=is_breached,
        exponent=exponent,
        steps=steps,
    )
    narrow = restrictions.narrowest(narrowing)
    if narrow is not None and narrow.limit is not None:
        limit = narrowed(limit, to=narrow.limit, because=narrow.sentence, exponent=exponent)
    is_narrowed = any(one.limit is not None and one.by_platform for one in narrowing)
    return Carrier(
        held=held, limit=limit, is_proven=is_vouched and not is_breached and not is_narrowed
    )


def _is_kept(score: StoredScore) -> bool:
    return score.is_vouched and score.status != "breached"


def refuse_overexposed(
    *, amount: int, engagement: Engagement, now: datetime, agreed_at: datetime | None = None
) -> None:
    """Refuse to hold `amount` more, beyond the limit. The rows of the builder's agents order who
    funds at once. The table is that of the engagement's proposal: a policy changed since then takes
    nothing back from what was signed. What is agreed later (`agreed_at`) is held against the table
    of that moment.

    The caller is in the transaction that funds. Raises ExposureExceeded with the arithmetic.
    """
    agent_id, currency = engagement.agent_version.agent_id, engagement.currency
    beside = _agents_of(engagement.builder_id)
    agents = list(beside.select_for_update(no_key=True).values_list("pk", flat=True))
    held = sum(_held_on(agents, currency).values())
    narrowing = restrictions.in_force_on(agents=agents, now=now)
    steps = steps_at(agreed_at or engagement.proposed_at)
    if not narrowing and held + amount <= least_limit(exponent_of(currency), steps):
        return
    room = room_for(
        agent_id=agent_id,
        version_id=engagement.agent_version_id,
        currency=currency,
        now=now,
        steps=steps,
    )
    after = room.held + amount
    if after > room.limit.amount:
        raise ExposureExceeded(
            f"{currency} {_shown(room.held, currency)} held on {_whom(room)} + "
            f"{_shown(amount, currency)} = {_shown(after, currency)}, more than the "
            f"{_shown(room.limit.amount, currency)} it may carry ({room.limit.because}); "
            f"fund this when work in progress has settled{_way_out(room)}"
        )


def _whom(room: Room) -> str:
    if room.sharing == 1:
        return "this agent"
    whose = "of the builder and of parties connected with it," if room.kin else "of the builder"
    return f"this agent and {room.sharing - 1} others {whose} without evidence of their own"


def _way_out(room: Room) -> str:
    if room.sharing == 1:
        return ""
    return "; they share one limit until credible buyers vouch for 20 units of an agent's own"


def refuse_unbearable(*, engagement: Engagement, now: datetime) -> None:
    """Refuse to sign what could not be funded: a milestone beyond the agent's limit, or a first
    one (or a metered budget) that does not fit beside what is held. Funding looks again, under the
    agent's lock.

    Raises ExposureExceeded with the arithmetic.
    """
    agent_id, currency = engagement.agent_version.agent_id, engagement.currency
    amounts = [milestone.amount for milestone in engagement.milestones.all()]
    what = "one milestone"
    if not amounts:
        amounts, what = [engagement.meter.terms["budget"]], "a metered budget"
    room = room_for(
        agent_id=agent_id,
        version_id=engagement.agent_version_id,
        currency=currency,
        now=now,
        steps=steps_at(engagement.proposed_at),
    )
    if max(max(amounts), room.held + amounts[0]) > room.limit.amount:
        raise ExposureExceeded(
            f"{currency} {_shown(max(amounts), currency)} for {what}, with "
            f"{_shown(room.held, currency)} held on {_whom(room)} already, is more than the "
            f"{_shown(room.limit.amount, currency)} it may carry ({room.limit.because}); "
            f"hire when work in progress has settled, or agree on less{_way_out(room)}"
        )


def _shown(amount: int, currency: str) -> str:
    exponent = exponent_of(currency)
    whole, part = divmod(amount, 10**exponent)
    return f"{whole:,}.{part:0{exponent}d}" if exponent else f"{whole:,}"
