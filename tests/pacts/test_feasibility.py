"""What cannot be agreed: clocks that do not fit, prices that are none, fees that are no fees."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from hypothesis import given
from hypothesis import strategies as st

from pacts import engagements
from pacts.currencies import LARGEST, CurrencyUnknown
from pacts.engagements import EngagementRefused, MilestoneDraft, Timers
from pacts.feasibility import DAY, longest_path
from pacts.models import Engagement, Milestone
from pacts.procedure.limits import LONGEST_SECONDS
from tests import cast
from tests.pacts.test_engagements import offer, sign

seconds = st.integers(1, 366 * DAY)


@pytest.fixture
def alice() -> cast.Actor:
    return cast.alice()


@pytest.fixture
def bob() -> cast.Actor:
    return cast.bob()


@pytest.fixture(autouse=True)
def _loopback_agents(settings: Any) -> None:
    settings.EGRESS_ALLOW_LOOPBACK = True


@given(seconds, seconds, seconds, seconds, st.integers(0, 10))
def test_the_longest_path_covers_submission_evaluation_and_acceptance(
    work: int, evaluation: int, acceptance: int, cure: int, revisions: int
) -> None:
    timers = Timers(work, evaluation, acceptance, cure)
    path = longest_path(timers=timers, max_revisions=revisions, dispute_seconds=30 * DAY)
    assert path.seconds >= work + evaluation + acceptance
    assert path.seconds >= (work + evaluation) * (revisions + 1) + cure * revisions + 30 * DAY
    assert str(path).count("+") == 3


@pytest.mark.django_db
def test_a_path_longer_than_a_card_holds_is_refused_with_the_arithmetic(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    timers = Timers(DAY, DAY, 3 * DAY, 20 * DAY)
    with pytest.raises(
        EngagementRefused,
        match=r"work and evaluation 2 d \+ 3 × a revision 22 d \+ the last window 20 d "
        r"\+ a dispute 39 d = 127 d, but .* 90 d",
    ):
        offer(alice, bob, timers=timers, max_revisions=3, longest_hold_seconds=90 * DAY)


@pytest.mark.django_db
def test_a_path_of_exactly_the_longest_hold_is_agreed(alice: cast.Actor, bob: cast.Actor) -> None:
    path = longest_path(timers=Timers(), max_revisions=1, dispute_seconds=LONGEST_SECONDS)
    assert offer(alice, bob, longest_hold_seconds=path.seconds).state == "proposed"


@pytest.mark.django_db
@pytest.mark.parametrize("timers", [Timers(acceptance_seconds=-1), Timers(367 * DAY)])
def test_clocks_that_run_backwards_or_for_ever_are_refused(
    alice: cast.Actor, bob: cast.Actor, timers: Timers
) -> None:
    with pytest.raises(EngagementRefused):
        offer(alice, bob, timers=timers)


@pytest.mark.django_db
@pytest.mark.parametrize("currency", ["usd", "XXX", "", "EURO", "€"])
def test_a_currency_the_ledger_does_not_keep_is_refused(
    alice: cast.Actor, bob: cast.Actor, currency: str
) -> None:
    with pytest.raises(CurrencyUnknown):
        offer(alice, bob, currency=currency)
    assert not Engagement.objects.exists()


@pytest.mark.django_db
def test_prices_are_bounded_one_by_one_and_together(alice: cast.Actor, bob: cast.Actor) -> None:
    tasks = cast.golden_set(alice, cast.doubling_tasks(30))
    for amounts in ([0], [-1], [LARGEST + 1], [LARGEST, 1], [1] * 51):
        drafts = [MilestoneDraft("Part", amount, tasks) for amount in amounts]
        with pytest.raises(EngagementRefused):
            offer(alice, bob, milestones=drafts, version=cast.agent_of(bob, name=f"A{amounts[:2]}"))
    bad = MilestoneDraft("Part", 1, tasks, bond=-1)
    with pytest.raises(EngagementRefused, match="bond"):
        offer(alice, bob, milestones=[bad], version=cast.agent_of(bob, name="B"))


@pytest.mark.django_db
@pytest.mark.parametrize(
    "bands",
    [[(1, 500)], [(0, 400)], [(0, 500), (0, 300)], [(0, 500), (9, 10_001)], [(0, 500), (5, -1)]],
)
def test_fee_bands_begin_at_nothing_rise_and_are_rates(
    alice: cast.Actor, bob: cast.Actor, bands: list[tuple[int, int]]
) -> None:
    with pytest.raises(EngagementRefused):
        offer(alice, bob, fee_bands=bands)


@pytest.mark.django_db
def test_bands_and_bonds_are_part_of_the_digest_both_sides_sign(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    tasks = cast.golden_set(alice, cast.doubling_tasks(30))
    engagement = offer(
        alice,
        bob,
        milestones=[MilestoneDraft("Part", 100, tasks, bond=7)],
        fee_bands=[(0, 500), (1_000, 300)],
    )
    text = engagements.agreement(engagement, list(engagement.milestones.all()))
    assert text["fee_bands"] == [{"above": 0, "fee_bps": 500}, {"above": 1_000, "fee_bps": 300}]
    assert text["fee_rule"] == "marginal-bands-1"
    assert text["milestones"][0]["bond"] == 7
    assert text["bond_rule"].startswith("slashed-on-critical-breach")


@pytest.mark.django_db
def test_an_agreement_from_before_bands_bonds_and_funding_windows_keeps_its_digest(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    engagement = offer(alice, bob)
    engagement.funding_seconds = None
    text = engagements.agreement(engagement, list(engagement.milestones.all()))
    assert not {"fee_bands", "fee_rule", "bond_rule"} & text.keys()
    assert set(text["timers"]) == {
        "work_seconds",
        "evaluation_seconds",
        "acceptance_seconds",
        "cure_seconds",
    }
    assert set(text["milestones"][0]) == {"title", "amount", "task_set_version"}


@pytest.mark.django_db
def test_the_database_refuses_to_change_what_was_agreed(alice: cast.Actor, bob: cast.Actor) -> None:
    offer(alice, bob)
    for rows, change in (
        (Engagement.objects.all(), {"fee_bps": 1}),
        (Engagement.objects.all(), {"cure_seconds": 1}),
        (Milestone.objects.all(), {"amount": 1}),
        (Milestone.objects.all(), {"bond": 1}),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            rows.update(**change)


@pytest.mark.django_db
def test_the_time_to_fund_begins_with_the_second_signature(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    engagement = sign(offer(alice, bob), alice)
    assert engagement.fund_by_at is None
    engagement = sign(engagement, bob)
    assert engagement.signed_at
    assert engagement.fund_by_at == engagement.signed_at + timedelta(days=3)
