"""Several agents at once: all begin or none does, one that is down keeps nobody waiting."""

import json
import threading
from typing import Any

import pytest
from django.db import connection
from django.utils.timezone import now as clock

from marketplace.models import Listing, Tryout
from marketplace.pages import press
from marketplace.tryouts import boards, starting
from pacts import asking
from pacts.models import Engagement, Evaluation, PactVersion
from reputation.models import Evidence
from settlement import ledger
from settlement.ledger import InsufficientFunds
from settlement.models import Escrow
from tests import cast
from tests.marketplace.market import _give
from tests.marketplace.pages.browsers import browser_of, token_in
from tests.marketplace.tryouts.offers import finish, offered
from tests.pacts.runs import wrong_from

pytestmark = pytest.mark.django_db
RUNS = pytest.mark.django_db(transaction=True)


def wish_of(alice: cast.Actor) -> PactVersion:
    return asking.ask(
        buyer=alice.party,
        data=cast.pact_terms(title="What alice asks for"),
        by=alice.user,
        authority="member:owner",
        now=clock(),
    )


def begun(alice: cast.Actor, listings: list[Listing], **more: Any) -> Tryout:
    return starting.start(
        party=alice.party,
        listings=listings,
        task_set_version=cast.golden_set(alice, cast.doubling_tasks(40)),
        by=alice.user,
        now=clock(),
        **more,
    )


@RUNS
def test_each_is_tried_on_the_same_tasks_and_what_one_does_keeps_no_other_waiting() -> None:
    alice, bob = cast.alice(), cast.bob()
    with cast.agent_service(cast.echo) as good, cast.agent_service(wrong_from(5)) as bad:
        listings = [offered(bob, "Good", good), offered(bob, "Bad", bad), offered(bob, "Down")]
        made = begun(alice, listings, pact_version=wish_of(alice), full_run=True)
        finish(made)
    seats = boards.seats_of(made)
    assert [seat.name for seat in seats] == ["Good", "Bad", "Down"]
    assert [seat.verdict and seat.verdict.outcome for seat in seats] == ["met", *["breached"] * 2]
    assert [seat.faults for seat in seats] == [0, 0, 40], "no answer is a fault of its own"
    assert len({seat.run.pact_version_id for seat in seats if seat.run}) == 1
    marked = boards.marks_of(made, starting.runs_of(made), 3)
    assert [one.said for one in marked[:6]] == [
        *[("right", "right", "fault")] * 5,
        ("right", "wrong", "fault"),
    ]
    assert all(one.differs for one in marked)
    [row] = boards.rows_of(marked[7:8], starting.runs_of(made), 3)
    assert [cell.output and "15" in cell.output for cell in row.cells] == [False, True, None]
    assert row.cells[1].reasons[0][0] == "accuracy"
    assert row.cells[2].error


@RUNS
def test_a_run_under_a_pact_of_the_buyers_says_nothing_of_what_the_agent_promised() -> None:
    alice, bob = cast.alice(), cast.bob()
    with cast.agent_service(wrong_from(0)) as url:
        made = begun(alice, [offered(bob, "Bad", url)], pact_version=wish_of(alice))
        finish(made)
    run = Evaluation.objects.get()
    assert run.purpose == "trial"
    assert run.pact_version.pact.agent is None
    told = Evidence.objects.get(kind="evaluation.concluded")
    assert "milestone" not in json.loads(told.envelope)["subjects"], (
        "nothing without a milestone ever counts for a standing"
    )


def test_somebody_elses_pact_holds_nobody() -> None:
    alice, bob, mallory = cast.alice(), cast.bob(), cast.mallory()
    listing = offered(bob, "Good")
    with pytest.raises(starting.TryoutRefused, match="a pact of your own"):
        begun(mallory, [listing], pact_version=wish_of(alice))
    assert not Tryout.objects.exists()


def test_one_that_cannot_be_tried_stops_all_and_is_named() -> None:
    alice, bob = cast.alice(), cast.bob()
    listings = [offered(bob, "Good"), offered(bob, "Paused")]
    Listing.objects.filter(pk=listings[1].pk).update(state=Listing.State.PAUSED)
    with pytest.raises(starting.TryoutRefused, match="Paused: this agent is not offered"):
        begun(alice, listings)
    assert not Evaluation.objects.exists()
    assert not Tryout.objects.exists()


@pytest.mark.parametrize("count", [0, 5])
def test_one_to_four_agents_are_tried_at_once(count: int) -> None:
    alice, bob = cast.alice(), cast.bob()
    listings = [offered(bob, f"Agent {n}") for n in range(count)]
    with pytest.raises(starting.TryoutRefused, match="one to 4 agents"):
        begun(alice, listings)


def test_one_is_called_off_or_all_and_a_second_press_says_so() -> None:
    alice, bob = cast.alice(), cast.bob()
    made = begun(alice, [offered(bob, f"Agent {n}") for n in range(3)])
    assert starting.call_off(made=made, party=alice.party, position=1, now=clock()) == 1
    states = [seat.state for seat in boards.seats_of(made)]
    assert states == ["running", "called_off", "running"]
    assert starting.call_off(made=made, party=alice.party, now=clock()) == 2
    with pytest.raises(starting.TryoutOver):
        starting.call_off(made=made, party=alice.party, now=clock())


def test_a_paid_one_hires_each_and_sets_the_money_aside() -> None:
    alice, bob = cast.alice(), cast.bob()
    listings = [offered(bob, "One"), offered(bob, "Two", price=5_000)]
    _give(alice, 40_000)
    made = paid(alice, listings)
    assert made.paid
    assert sorted(Escrow.objects.values_list("amount", flat=True)) == [5_000, 10_000]
    assert [seat.state for seat in boards.seats_of(made)] == ["running", "running"]
    assert {run.purpose for run in starting.runs_of(made).values()} == {"milestone"}
    with pytest.raises(starting.TryoutOver):
        starting.call_off(made=made, party=alice.party, now=clock())


def paid(alice: cast.Actor, listings: list[Listing]) -> Tryout:
    return starting.hire_all(
        party=alice.party,
        listings=listings,
        task_set_version=cast.golden_set(alice, cast.doubling_tasks(5)),
        by=alice.user,
        authority="member:owner",
        idempotency_key="once",
        now=clock(),
    )


def test_too_little_money_hires_nobody() -> None:
    alice, bob = cast.alice(), cast.bob()
    listings = [offered(bob, "One"), offered(bob, "Two")]
    _give(alice, 15_000)
    with pytest.raises(InsufficientFunds):
        paid(alice, listings)
    assert not Engagement.objects.exists()
    assert not Escrow.objects.exists()
    assert ledger.balances_of(alice.party)["EUR"] == 15_000


@RUNS
def test_pressing_twice_at_once_starts_one() -> None:
    alice, bob = cast.alice(), cast.bob()
    listing = offered(bob, "Good")
    tasks = cast.golden_set(alice, cast.doubling_tasks(3))
    page = browser_of(alice).get(f"/tryouts/new/?agent={listing.agent.slug}&set={tasks.id}")
    sent = {
        "agent": listing.agent.slug,
        "set": tasks.id,
        "currency": "EUR",
        press.FIELD: token_in(page),
    }
    browsers, places = [browser_of(alice) for _ in range(3)], []

    def press_it(client: Any) -> None:
        places.append(client.post("/tryouts/new/", sent)["Location"])
        connection.close()

    threads = [threading.Thread(target=press_it, args=(one,)) for one in browsers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Tryout.objects.count() == Evaluation.objects.count() == 1
    assert len(places) == 3
    assert len(set(places)) == 1
