"""What may be held on one agent follows its standing, whoever funds at once."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pacts import registry
from pacts.models import AgentVersion
from reputation.models import Standing, StandingScore
from reputation.tallies import METHOD, weight
from settlement import escrow as escrows
from settlement.exposure import (
    BREACHED,
    NEWCOMER,
    STEPS,
    Carrier,
    Limit,
    Steps,
    limit_of,
    shared,
)
from settlement.limits import room_for
from settlement.models import Escrow
from tests import cast
from tests.racing import in_parallel
from tests.settlement.hires import START, Hire, hire

HALF = NEWCOMER // 2


def limit(units: int, lower: int | None, *, breached: bool = False, exponent: int = 2) -> int:
    found = limit_of(units=units, lower_bps=lower, is_breached=breached, exponent=exponent)
    return found.amount


def test_the_table_rises_with_units_and_lower_bound_and_both_are_needed() -> None:
    assert limit(0, None) == NEWCOMER
    for step in STEPS:
        assert limit(step.least_units, step.least_lower_bps) == step.limit
        assert limit(step.least_units - 1, step.least_lower_bps) < step.limit
        assert limit(step.least_units, step.least_lower_bps - 1) < step.limit
    assert sorted(step.limit for step in STEPS) == [step.limit for step in STEPS]


def test_a_breached_agent_carries_the_least_however_many_units_it_has() -> None:
    assert limit(10**6, 9_999, breached=True) == BREACHED == Steps().least


@pytest.mark.parametrize(("exponent", "factor"), [(0, 1), (2, 1), (3, 10), (6, 10_000)])
def test_more_decimals_mean_more_minor_units(exponent: int, factor: int) -> None:
    assert limit(0, None, exponent=exponent) == NEWCOMER * factor


def fund_all(made: Hire) -> list[object]:
    milestones = iter(list(made.engagement.milestones.all()))

    def act() -> Escrow:
        milestone = next(milestones)
        return escrows.fund(
            milestone=milestone, by=made.alice.party, idempotency_key=milestone.pk, now=START
        )

    return in_parallel(made.engagement.milestones.count(), act)


@pytest.mark.django_db(transaction=True)
def test_six_who_fund_at_once_do_not_get_past_the_limit() -> None:
    made = hire(prices=[HALF] * 6, money=6 * HALF)
    results = fund_all(made)
    refused = [one for one in results if isinstance(one, escrows.ExposureExceeded)]
    assert len(refused) == 4
    version = made.engagement.agent_version
    room = room_for(agent_id=version.agent_id, version_id=version.pk, currency="USD", now=START)
    assert room.held == room.limit.amount == NEWCOMER
    assert made.balances()[0] == 4 * HALF


@pytest.mark.django_db
def test_the_refusal_shows_the_arithmetic_and_leaves_nothing_behind() -> None:
    made = hire(prices=[NEWCOMER, 1], money=NEWCOMER + 1)
    first, second = made.engagement.milestones.all()
    made.fund()
    made.milestone = second
    with pytest.raises(
        escrows.ExposureExceeded,
        match=r"USD 25,000\.00 held on this agent \+ 0\.01 = 25,000\.01, more than the 25,000\.00",
    ):
        made.fund(key="second")
    assert made.balances()[0] == 1
    made.milestone = first
    escrows.give_back(escrow=made.escrow, by=made.bob.party, now=START)
    made.milestone = second
    assert made.fund(key="second").state == "held"


@pytest.mark.django_db
def test_a_standing_in_the_log_raises_the_limit() -> None:
    made = hire(price=2 * NEWCOMER)
    version = made.engagement.agent_version
    with pytest.raises(escrows.ExposureExceeded):
        made.fund()
    Standing.objects.create(
        agent_id=version.agent_id,
        version_id=version.pk,
        dimension="accuracy",
        **_counts(passes=990, failures=10),
    )
    assert made.fund().state == "held"


@pytest.mark.django_db
def test_a_standing_that_only_unknown_buyers_vouch_for_raises_nothing() -> None:
    made = hire(price=2 * NEWCOMER)
    version = made.engagement.agent_version
    counts = _counts(passes=990, failures=10) | {"credited_passes": 0, "credited_failures": 0}
    Standing.objects.create(
        agent_id=version.agent_id, version_id=version.pk, dimension="accuracy", **counts
    )
    with pytest.raises(escrows.ExposureExceeded):
        made.fund()


# --- a new name carries nothing that an old one lost ----------------------------------------------

Agents = list[tuple[str, int]]  # what it is, and how much somebody wants to hold on it
TO_HOLD = st.lists(
    st.tuples(st.sampled_from(["breached", "narrowed", "new", "proven"]), st.integers(1, NEWCOMER)),
    max_size=8,
)
CARRIES = {
    "breached": Limit(BREACHED, "breached"),
    "narrowed": Limit(1_000, "narrowed"),
    "new": Limit(NEWCOMER, "new"),
    "proven": Limit(5_000_000, "proven"),
}


def held_after(wishes: Agents) -> dict[str, int]:
    """Each agent takes all it is given room for, one after another: kind → held on that kind."""
    carriers = [
        Carrier(held=0, limit=CARRIES[kind], is_proven=kind == "proven") for kind, _ in wishes
    ]
    for number, (_, wish) in enumerate(wishes):
        beside = carriers[:number] + carriers[number + 1 :]
        room = shared(carriers[number], beside, exponent=2)
        taken = min(wish, max(0, room.limit.amount - room.held))
        carriers[number] = replace(carriers[number], held=taken)
    held = dict.fromkeys(CARRIES, 0)
    for (kind, _), carrier in zip(wishes, carriers, strict=True):
        held[kind] += carrier.held
    return held


@given(wishes=TO_HOLD, more=st.integers(1, 5))
@settings(max_examples=200)
def test_registering_more_agents_never_adds_to_what_a_breached_builder_may_hold(
    wishes: Agents, more: int
) -> None:
    wishes = [("breached", BREACHED), *wishes]
    worst = min(CARRIES[kind].amount for kind, _ in wishes if kind != "proven")
    after = held_after([*wishes, *[("new", NEWCOMER)] * more])
    assert after["breached"] + after["narrowed"] + after["new"] <= worst
    assert after["proven"] == held_after(wishes)["proven"]


@given(wishes=TO_HOLD)
def test_agents_of_a_builder_with_nothing_against_it_carry_by_themselves(wishes: Agents) -> None:
    honest = [(kind, wish) for kind, wish in wishes if kind in ("new", "proven")]
    assert sum(held_after(honest).values()) == sum(wish for _, wish in honest)


def breach(version: AgentVersion) -> None:
    StandingScore.objects.create(
        version_id=version.pk,
        agent_id=version.agent_id,
        rank=3_000,
        score_bps=3_000,
        is_vouched=False,
        status="breached",
        units=200,
        scored_at=START,
    )


@pytest.mark.django_db
def test_a_new_agent_of_a_breached_builder_carries_what_is_left_of_the_breached_one() -> None:
    made = hire(prices=[BREACHED, 1], money=BREACHED + 1)
    breach(cast.agent_of(made.bob, name="Old name"))
    made.fund()
    _, made.milestone = made.engagement.milestones.all()
    with pytest.raises(
        escrows.ExposureExceeded,
        match=r"2,500\.00 held on this agent and 1 others of the builder without evidence of their "
        r"own \+ 0\.01 = 2,500\.01, more than the 2,500\.00 it may carry \(a dimension of its "
        r"standing is breached, on another agent of this builder\).*20 units of an agent's own",
    ):
        made.fund(key="second")
    assert made.balances()[0] == 1


@pytest.mark.django_db
def test_a_new_version_of_a_breached_agent_carries_no_more_than_the_old_one() -> None:
    made = hire(price=BREACHED + 1)
    old = made.engagement.agent_version
    breach(old)
    new = registry.add_version(
        agent=old.agent,
        endpoint=old.endpoint,
        protocol=old.protocol,
        declared={"model": "other"},
        max_concurrency=old.max_concurrency,
        deadline_ms=old.deadline_ms,
        now=START,
    )
    room = room_for(agent_id=old.agent_id, version_id=new.pk, currency="USD", now=START)
    assert room.limit.amount == BREACHED
    stranger = cast.agent_of(cast.mallory(), name="Nobody's")
    free = room_for(agent_id=stranger.agent_id, version_id=stranger.pk, currency="USD", now=START)
    assert free.limit.amount == NEWCOMER


@pytest.mark.django_db
def test_an_agent_that_credible_buyers_vouch_for_carries_by_itself_beside_a_breached_one() -> None:
    made = hire(price=2 * NEWCOMER)
    version = made.engagement.agent_version
    breach(cast.agent_of(made.bob, name="Old name"))
    Standing.objects.create(
        agent_id=version.agent_id,
        version_id=version.pk,
        dimension="accuracy",
        **_counts(passes=990, failures=10),
    )
    assert made.fund().state == "held"


def _counts(*, passes: int, failures: int) -> dict[str, Any]:
    scale = weight(START)
    return {
        "method": METHOD,
        "passes": passes,
        "failures": failures,
        "verdicts": 1,
        "credited_passes": passes * scale * 1000,
        "credited_failures": failures * scale * 1000,
        "decayed_passes": passes * scale,
        "decayed_failures": failures * scale,
        "promise_bps": 9_000,
        "floor_bps": 8_000,
        "first_evidence_at": START - timedelta(days=1),
        "last_evidence_at": START,
    }
