"""What may be held on one agent follows its standing, whoever funds at once."""

from datetime import timedelta
from typing import Any

import pytest

from reputation.models import Standing
from reputation.tallies import METHOD, weight
from settlement import escrow as escrows
from settlement.exposure import BREACHED, LEAST, NEWCOMER, STEPS, limit_of
from settlement.limits import exposure_of
from settlement.models import Escrow
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
    assert limit(10**6, 9_999, breached=True) == BREACHED == LEAST


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
    agent_id = made.engagement.agent_version.agent_id
    assert exposure_of(agent_id=agent_id, currency="USD") == NEWCOMER
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
