"""Two orders side by side: how far they agree, and whom buyers followed."""

import re
from itertools import permutations

import pytest
from django.test import Client
from django.utils.timezone import now as clock
from hypothesis import given
from hypothesis import strategies as st

from marketplace import finding, hiring, screening
from marketplace.models import BenchmarkClaim, HireChoice, Listing
from marketplace.ranks import agreement, midranks
from pacts.engagements import Timers
from pacts.models import Agent
from reputation.models import StandingScore, VersionRecord
from tests import cast
from tests.marketplace.api.programs import program_of

VALUES = st.lists(st.integers(0, 5), min_size=2, max_size=6)


def test_ranks_of_a_textbook_and_ties_share_their_places() -> None:
    assert midranks([10, 20, 20, 5]) == [2, 3.5, 3.5, 1]
    found = agreement(
        [106, 86, 100, 101, 99, 103, 97, 113, 112, 110], [7, 0, 27, 50, 28, 29, 20, 12, 6, 17]
    )
    assert found.rho == pytest.approx(-29 / 165)
    assert 0.5 < (found.p_value or 0) < 0.75


def test_the_p_value_of_few_pairs_counts_every_order() -> None:
    found = agreement([1, 2, 3, 4], [1, 2, 3, 4])
    assert found.rho == pytest.approx(1)
    assert found.p_value == 2 / len(list(permutations(range(4))))
    assert found.says_little


def test_one_value_on_one_side_has_no_correlation() -> None:
    assert agreement([1, 1, 1], [1, 2, 3]).rho is None
    assert agreement([], []).says_little


@given(one=VALUES, data=st.data())
def test_the_correlation_is_symmetric_and_turns_with_the_order(
    one: list[int], data: st.DataObject
) -> None:
    other = data.draw(st.lists(st.integers(0, 5), min_size=len(one), max_size=len(one)))
    there, back = agreement(one, other), agreement(other, one)
    turned = agreement(one, [-value for value in other])
    if there.rho is None:
        assert back.rho is turned.rho is None
        return
    assert -1 - 1e-9 <= there.rho <= 1 + 1e-9
    assert back.rho == pytest.approx(there.rho)
    assert turned.rho == pytest.approx(-there.rho)


# --- as the product reports it -------------------------------------------------------------------


def offered(bob: cast.Actor, name: str, *, claim: int, met: int, rank: int) -> Listing:
    """An agent of bob's with a claim, ten verdicts and a place in the order of standings."""
    version = cast.agent_of(bob, name=name)
    Agent.objects.filter(pk=version.agent_id).update(control_proved_at=clock())
    version.agent.refresh_from_db()
    listing = hiring.open_listing(
        agent_version=version,
        pact_version=cast.pact_of(version, bob),
        price=100,
        currency="EUR",
        timers=Timers(),
        by=bob.user,
        now=clock(),
    )
    hiring.record_claim(
        agent_version=version,
        benchmark="Sums",
        score_bps=claim,
        units=100,
        method="exact match",
        not_measured="words",
        ran_by=BenchmarkClaim.Runner.BUILDER,
        measured_on=clock().date(),
        now=clock(),
    )
    VersionRecord.objects.update_or_create(
        agent_id=version.agent_id,
        version_id=version.id,
        defaults={"met": met, "breached": 10 - met, "verdicts": 10},
    )
    StandingScore.objects.update_or_create(
        version_id=version.id,
        defaults={
            "agent_id": version.agent_id,
            "rank": rank,
            "is_vouched": True,
            "status": "met",
            "units": 100,
            "scored_at": clock(),
        },
    )
    return listing


def hired(alice: cast.Actor, listing: Listing) -> HireChoice:
    engagement = hiring.hire(
        listing=listing,
        buyer=alice.party,
        task_set_version=cast.golden_set(alice, cast.doubling_tasks(20)),
        by=alice.user,
        authority="owner",
        now=clock(),
    )
    return HireChoice.objects.get(engagement=engagement)


@pytest.mark.django_db
def test_the_product_reports_the_correlation_and_the_share_that_followed_the_benchmark() -> None:
    alice, bob = cast.alice(), cast.bob()
    first = offered(bob, "First", claim=9900, met=1, rank=10)
    offered(bob, "Second", claim=9000, met=5, rank=20)
    third = offered(bob, "Third", claim=8000, met=9, rank=30)
    finding.follow_scores()
    for listing in (first, first, first, third):
        hired(alice, listing)
    screening.count_again(now=clock())
    (found,) = program_of(alice).get("screening").json()
    assert found["agreement"]["rho"] == pytest.approx(-1)
    assert found["agreement"]["n"] == 3
    assert (found["choices"]["disagreed"], found["choices"]["benchmark"]) == (4, 3)
    assert found["choices"]["benchmark_share"] == pytest.approx(0.75)
    page = Client().get("/screening/").content.decode()
    assert "-1.00" in page
    assert re.search(r"<strong[^>]*>3</strong> of 4 \(75 %\) followed the benchmark", page)


@pytest.mark.django_db
def test_a_hire_counts_where_two_had_both_numbers_and_the_orders_disagreed() -> None:
    alice, bob = cast.alice(), cast.bob()
    only = offered(bob, "Only", claim=9900, met=5, rank=10)
    finding.follow_scores()
    alone = hired(alice, only)
    assert (alone.rated, alone.by_benchmark, alone.by_pact) == (1, 1, 1)
    offered(bob, "Agreed", claim=9000, met=5, rank=5)
    unmeasured = offered(bob, "Unmeasured", claim=9950, met=5, rank=1)
    StandingScore.objects.filter(version_id=unmeasured.agent_version_id).update(rank=None)
    finding.follow_scores()
    assert hired(alice, only).rated == 2
    assert hired(alice, unmeasured).by_pact is None
    screening.count_again(now=clock())
    (found,) = screening.screenings()
    assert (found.choices.hires, found.choices.comparable, found.choices.disagreed) == (3, 1, 0)
    assert found.choices.benchmark_share is None


@pytest.mark.django_db
def test_a_kind_is_counted_again_once_something_of_it_changed() -> None:
    bob = cast.bob()
    for number in range(3):
        offered(bob, f"Agent {number}", claim=9000 + number, met=number, rank=number)
    assert screening.count_again(now=clock()) == 1
    (before,) = screening.screenings()
    assert screening.count_again(now=clock()) == 0
    VersionRecord.objects.filter(met=0).update(met=10, breached=0)
    assert screening.count_again(now=clock()) == 1
    (after,) = screening.screenings()
    assert before.agreement.rho == pytest.approx(1)
    assert after.agreement.rho == pytest.approx(-0.5)
    assert after.counted_at > before.counted_at
    VersionRecord.objects.all().update(met=0, breached=0)
    screening.count_again(now=clock())
    assert screening.screenings() == []


@pytest.mark.django_db
def test_of_many_agents_the_first_by_claim_are_shown_and_all_are_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(screening, "MOST_AGENTS", 9)
    bob = cast.bob()
    for number in range(10):
        offered(bob, f"Agent {number}", claim=9000 + number, met=number, rank=number)
    screening.count_again(now=clock())
    (found,) = screening.screenings()
    assert (found.agreement.n, len(found.agents), found.more) == (10, 9, 1)
    assert found.agents[0].name == "Agent 9"
    page = Client().get("/screening/").content.decode()
    assert "Agent 2" in page
    assert "Agent 1" not in page
    one = Client().get("/screening/?work=arithmetic").content.decode()
    assert "Agent 1" in one
    assert "And 1 agent with lower claims." in one
    assert 'data-test="empty"' in Client().get("/screening/?work=other").content.decode()


@given(n=st.integers(201, 400), turn=st.booleans())
def test_the_p_value_of_many_pairs_is_that_of_the_limit(n: int, turn: bool) -> None:
    order = list(range(n))
    assert agreement(order, order[::-1] if turn else order).p_value == pytest.approx(0, abs=1e-30)
    halves = agreement(order, [number % 2 for number in order])
    assert 0.5 < (halves.p_value or 0) <= 1
