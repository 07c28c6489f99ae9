"""The rail's books against ours: every kind of difference is found, and only a person ends one."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from reputation.clock import database_now
from settlement import ledger
from settlement.deposits import request_deposit
from settlement.models import (
    Deposit,
    Difference,
    DifferenceResolution,
    Payout,
    Reconciliation,
    SandboxMovement,
)
from settlement.money import Money
from settlement.payouts import process_payout, request_payout
from settlement.rails import RailUnreachable
from settlement.rails.sandbox import SandboxRail
from settlement.reconciliation import (
    DifferenceAlreadyResolved,
    ResolutionRefused,
    open_differences,
    reconcile,
    resolve,
)
from tests import cast
from tests.racing import in_parallel
from tests.settlement.hires import give

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)


@pytest.fixture
def alice() -> cast.Actor:
    return cast.alice()


def deposit(actor: cast.Actor, word: str = "ok", key: str = "d") -> Deposit:
    return request_deposit(
        party=actor.party,
        money=Money(1_000, "USD"),
        source=f"sandbox:{word}",
        idempotency_key=key,
        now=database_now(),
    )


def payout(actor: cast.Actor, word: str = "ok", **more: Any) -> Payout:
    asked: dict[str, Any] = {"cooldown": timedelta(0)} | more
    made = request_payout(
        party=actor.party,
        money=Money(400, "USD"),
        destination=f"sandbox:{word}",
        idempotency_key="p",
        now=database_now(),
        **asked,
    )
    return process_payout(payout_id=made.pk)


def run(days: int = 1, later: timedelta = timedelta(0)) -> Reconciliation:
    now = database_now()
    return reconcile(
        rail="sandbox", since=now - days * DAY, until=now + timedelta(seconds=1), now=now + later
    )


def kinds() -> list[str]:
    return sorted(Difference.objects.values_list("kind", flat=True))


def movement(**changes: Any) -> None:
    SandboxMovement.objects.update(**changes)


def held(actor: cast.Actor) -> int:
    return ledger.balances_of(actor.party).get("USD", 0)


def test_two_books_that_agree_have_no_difference(alice: cast.Actor) -> None:
    deposit(alice)
    deposit(alice, "decline", key="declined")
    payout(alice)
    done = run()
    assert (done.movements, done.matched, done.found, done.healed) == (3, 3, 0, 0)
    assert done.totals == {"USD": {"rail": "600", "ledger": "600"}}


def test_money_that_came_without_a_deposit_of_ours_is_missing_here(alice: cast.Actor) -> None:
    deposit(alice)
    movement(reference="dep_of_nobody")
    run()
    assert kinds() == ["missing_here", "missing_there"]


def test_what_was_declined_there_and_unknown_here_is_nobodys_business() -> None:
    SandboxMovement.objects.create(
        kind="deposit", reference="x", place="p", amount=5, currency="USD", state="failed"
    )
    assert run().found == 0


def test_a_payout_the_rail_never_made_is_missing_there(alice: cast.Actor) -> None:
    deposit(alice)
    made = payout(alice)
    SandboxMovement.objects.filter(kind="payout").delete()
    run()
    found = Difference.objects.get()
    assert (found.kind, found.subject) == ("missing_there", made.pk)
    assert (found.ours, found.theirs) == ("USD 400 paid", "nothing")


@pytest.mark.parametrize(
    ("changes", "kind", "theirs"),
    [
        ({"amount": 999}, "amount", "USD 999 succeeded"),
        ({"currency": "EUR"}, "currency", "EUR 1000 succeeded"),
        ({"state": "failed"}, "state", "USD 1000 failed"),
        ({"state": "pending"}, "state", "USD 1000 pending"),
    ],
)
def test_what_the_rail_says_differently_is_said(
    alice: cast.Actor, changes: dict[str, Any], kind: str, theirs: str
) -> None:
    made = deposit(alice)
    movement(**changes)
    run()
    found = Difference.objects.get()
    assert (found.kind, found.subject, found.theirs) == (kind, made.pk, theirs)
    assert found.ours == "USD 1000 succeeded"
    assert held(alice) == 1_000  # reported, never corrected


def test_a_declined_deposit_that_the_rail_took_after_all_differs(alice: cast.Actor) -> None:
    deposit(alice, "decline")
    movement(state="succeeded")
    run()
    assert kinds() == ["state"]
    assert held(alice) == 0


def test_a_rail_that_charged_twice_is_found_out(alice: cast.Actor) -> None:
    made = deposit(alice, "duplicate")
    assert held(alice) == 1_000
    run()
    found = Difference.objects.get()
    assert (found.kind, found.subject) == ("duplicated", made.pk)
    assert found.rail_reference not in ("", made.rail_reference)


def test_a_movement_on_the_clearing_account_without_a_deposit_is_unexplained(
    alice: cast.Actor,
) -> None:
    give(alice, 500)
    done = run()
    assert kinds() == ["ledger"]
    assert done.totals == {"USD": {"rail": "0", "ledger": "500"}}


def test_a_movement_for_a_payout_in_its_cooldown_is_a_difference_and_not_healed(
    alice: cast.Actor,
) -> None:
    deposit(alice)
    made = payout(alice, cooldown=DAY)
    SandboxMovement.objects.create(
        kind="payout",
        reference=made.pk,
        place="sandbox:ok",
        amount=400,
        currency="USD",
        state="succeeded",
    )
    assert run().healed == 0
    assert kinds() == ["state"]


@pytest.mark.parametrize("word", ["lost-answer", "lost-webhook"])
def test_a_lost_answer_ends_by_what_the_rails_books_prove(alice: cast.Actor, word: str) -> None:
    made = deposit(alice, word)
    movement(state="succeeded")
    assert (made.state, run().healed, held(alice)) == ("pending", 1, 1_000)
    assert kinds() == []


def test_an_order_without_an_answer_is_somebodys_business_after_a_day(alice: cast.Actor) -> None:
    deposit(alice, "lost-request")
    assert run().found == 0
    run(later=DAY + timedelta(minutes=1))
    assert kinds() == ["missing_there"]


def test_a_movement_on_the_other_side_of_midnight_is_not_missing(alice: cast.Actor) -> None:
    deposit(alice)
    moment = database_now() + timedelta(hours=1)
    movement(made_at=moment)  # the rail's clock is ahead of ours
    assert run().found == 0
    now = database_now()
    done = reconcile(rail="sandbox", since=now + timedelta(minutes=1), until=now + DAY, now=now)
    assert (done.movements, done.matched, done.found) == (1, 1, 0)


def test_the_same_difference_seen_again_is_one_row(alice: cast.Actor) -> None:
    deposit(alice)
    movement(amount=999)
    in_parallel(3, run)
    run()
    assert kinds() == ["amount"]
    movement(amount=998)
    run()
    assert kinds() == ["amount", "amount"]


def test_a_rail_that_cannot_be_asked_leaves_no_half_a_report(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def silent(*_: Any, **__: Any) -> Any:
        raise RailUnreachable("no answer")

    monkeypatch.setattr(SandboxRail, "reconcile", silent)
    with pytest.raises(RailUnreachable):
        run()
    with pytest.raises(CommandError, match="no answer"):
        call_command("reconcile", "sandbox")
    assert not Reconciliation.objects.exists()


def test_a_person_resolves_once_with_a_reason_and_that_stands(alice: cast.Actor) -> None:
    deposit(alice)
    movement(amount=999)
    run()
    found, carol, now = Difference.objects.get(), cast.carol().user, database_now()
    for empty in ("", "  \n", "x" * 1_001, "a\x00b"):
        with pytest.raises(ResolutionRefused):
            resolve(difference=found, by=carol, reason=empty, now=now)
    results = in_parallel(
        4, lambda: resolve(difference=found, by=carol, reason="The bank's fee of 0.01.", now=now)
    )
    assert sum(isinstance(one, DifferenceResolution) for one in results) == 1
    assert sum(isinstance(one, DifferenceAlreadyResolved) for one in results) == 3
    run()
    assert not open_differences().exists()
    assert held(alice) == 1_000


@pytest.mark.parametrize(
    ("table", "edit"),
    [
        ("difference", "id = id"),
        ("differenceresolution", "reason = 'a better one'"),
        ("reconciliation", "id = id"),
    ],
)
def test_nothing_of_it_is_edited_afterwards(alice: cast.Actor, table: str, edit: str) -> None:
    deposit(alice)
    movement(amount=999)
    run()
    resolve(
        difference=Difference.objects.get(),
        by=cast.carol().user,
        reason="The bank's fee.",
        now=database_now(),
    )
    with pytest.raises(DatabaseError), transaction.atomic():
        connection.cursor().execute(f"DELETE FROM settlement_{table}")
    with pytest.raises(DatabaseError), transaction.atomic():
        connection.cursor().execute(f"UPDATE settlement_{table} SET {edit}")


def test_the_command_names_each_difference_and_fails_until_it_is_resolved(
    alice: cast.Actor,
) -> None:
    deposit(alice)
    movement(amount=999)
    later = (database_now() + timedelta(minutes=1)).isoformat()
    out = StringIO()
    with pytest.raises(CommandError, match="1 differences wait"):
        call_command("reconcile", "sandbox", f"--until={later}", stdout=out)
    assert "we say USD 1000 succeeded, the rail says USD 999 succeeded" in out.getvalue()
    found = Difference.objects.get()
    resolve(difference=found, by=cast.carol().user, reason="Known.", now=database_now())
    call_command("reconcile", "sandbox", f"--until={later}", stdout=out)
    with pytest.raises(CommandError, match="choose one of sandbox"):
        call_command("reconcile", "barter")
