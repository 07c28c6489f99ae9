"""Every kind of difference between a rail's books and ours, on each rail there is."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

import pytest

from reputation.clock import database_now
from settlement import ledger
from settlement.audit import audit
from settlement.deposits import process_deposit, request_deposit
from settlement.models import (
    Deposit,
    Difference,
    Payout,
    Reconciliation,
    SandboxMovement,
    Transfer,
)
from settlement.money import Money
from settlement.payouts import process_payout, request_payout, request_refund
from settlement.reconciliation import reconcile, resolve
from tests import cast
from tests.settlement.hires import give
from tests.settlement.stripe_fake import KEY, Fake, stripe_on_loopback

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)


class Books(Protocol):
    """A rail's own books, as somebody there may change them behind our back."""

    rail: str
    source: str
    lost_answer: str
    destination: str

    def arm(self) -> None:
        """Let the answer to the next request be lost."""

    def add(self, kind: str, *, reference: str, amount: int, rail_reference: str = "") -> None:
        """A movement that nobody of ours asked for."""

    def change(self, kind: str, **to: Any) -> None:
        """Rewrite amount, currency or state of the one movement of this kind."""

    def forget(self, kind: str) -> None:
        """Strike the movements of this kind."""

    def count(self, kind: str) -> int:
        """How many movements of this kind they hold."""


class Sandbox:
    rail, source, destination = "sandbox", "sandbox:ok", "sandbox:ok"
    lost_answer = "sandbox:lost-answer"

    def arm(self) -> None:
        """The place itself says so."""

    def add(self, kind: str, *, reference: str, amount: int, rail_reference: str = "") -> None:
        copy = SandboxMovement.objects.filter(reference=reference).count()
        SandboxMovement.objects.create(
            kind=kind,
            reference=reference,
            place="sandbox:ok",
            amount=amount,
            currency="USD",
            state="succeeded",
            copy=copy,
        )

    def change(self, kind: str, **to: Any) -> None:
        SandboxMovement.objects.filter(kind=kind).update(**to)

    def forget(self, kind: str) -> None:
        SandboxMovement.objects.filter(kind=kind).delete()

    def count(self, kind: str) -> int:
        return SandboxMovement.objects.filter(kind=kind).count()


@dataclass
class Stripe:
    fake: Fake
    rail, source, destination = "stripe", "pm_card_visa", "acct_1"
    lost_answer = "pm_card_visa"

    NOUNS = {"deposit": "payment_intents", "payout": "transfers", "refund": "refunds"}
    STATES = {"succeeded": "succeeded", "failed": "canceled", "pending": "processing"}

    def arm(self) -> None:
        self.fake.faults = ["drop-after"]

    def add(self, kind: str, *, reference: str, amount: int, rail_reference: str = "") -> None:
        self.fake.add(
            self.NOUNS[kind],
            amount=amount,
            currency="usd",
            status="succeeded",
            reversed=False,
            metadata={"reference": reference},
            payment_intent=rail_reference,
        )

    def change(self, kind: str, **to: Any) -> None:
        if "currency" in to:
            to["currency"] = to["currency"].lower()
        if "state" in to:
            state = to.pop("state")
            to |= {"status": self.STATES[state], "reversed": state == "failed"}
        for row in self.fake.books[self.NOUNS[kind]]:
            row.update(to)

    def forget(self, kind: str) -> None:
        self.fake.books[self.NOUNS[kind]].clear()

    def count(self, kind: str) -> int:
        return len(self.fake.books[self.NOUNS[kind]])


@pytest.fixture(params=["sandbox", "stripe"])
def books(request: pytest.FixtureRequest, settings: Any) -> Iterator[Books]:
    if request.param == "sandbox":
        yield Sandbox()
        return
    with stripe_on_loopback() as fake:
        settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE = KEY, fake.url
        yield Stripe(fake)


@pytest.fixture
def alice() -> cast.Actor:
    return cast.alice()


def deposit(actor: cast.Actor, books: Books, source: str = "") -> Deposit:
    made = request_deposit(
        party=actor.party,
        money=Money(1_000, "USD"),
        rail=books.rail,
        source=source or books.source,
        idempotency_key="d",
        now=database_now(),
    )
    return process_deposit(deposit_id=made.pk)


def payout(actor: cast.Actor, books: Books) -> Payout:
    made = request_payout(
        party=actor.party,
        money=Money(400, "USD"),
        rail=books.rail,
        destination=books.destination,
        idempotency_key="p",
        now=database_now(),
        cooldown=timedelta(0),
    )
    return process_payout(payout_id=made.pk)


def run(books: Books, later: timedelta = timedelta(0)) -> Reconciliation:
    now = database_now()
    return reconcile(
        rail=books.rail, since=now - DAY, until=now + timedelta(seconds=2), now=now + later
    )


def held(actor: cast.Actor) -> int:
    return ledger.balances_of(actor.party).get("USD", 0)


def only() -> Difference:
    return Difference.objects.get()


def test_books_that_agree_have_no_difference(alice: cast.Actor, books: Books) -> None:
    deposit(alice, books)
    payout(alice, books)
    done = run(books)
    assert (done.movements, done.matched, done.found) == (2, 2, 0)
    assert done.totals == {"USD": {"rail": "600", "ledger": "600"}}


@pytest.mark.parametrize("kind", ["deposit", "payout", "refund"])
def test_a_movement_of_theirs_that_we_never_ordered_is_missing_here(
    alice: cast.Actor, books: Books, kind: str
) -> None:
    books.add(kind, reference="of_nobody", amount=70)
    run(books)
    assert (only().kind, only().ours, only().theirs) == (
        "missing_here",
        "nothing",
        "USD 70 succeeded",
    )
    assert held(alice) == 0


def test_a_payout_they_never_made_is_missing_there(alice: cast.Actor, books: Books) -> None:
    give(alice, 1_000)
    made = payout(alice, books)
    books.forget("payout")
    run(books)
    found = Difference.objects.get(subject=made.pk)
    assert (found.kind, found.theirs) == ("missing_there", "nothing")
    assert held(alice) == 600


@pytest.mark.parametrize("kind", ["deposit", "payout"])
@pytest.mark.parametrize(
    ("to", "says"),
    [
        ({"amount": 399}, ("amount", "USD 399 succeeded")),
        ({"currency": "EUR"}, ("currency", "EUR {} succeeded")),
        ({"state": "failed"}, ("state", "USD {} failed")),
    ],
)
def test_what_they_say_differently_is_reported_and_moves_nothing(
    alice: cast.Actor, books: Books, kind: str, to: dict[str, Any], says: tuple[str, str]
) -> None:
    deposit(alice, books)
    made = payout(alice, books)
    before = held(alice)
    books.change(kind, **to)
    run(books)
    amount = 1_000 if kind == "deposit" else made.amount
    assert (only().kind, only().theirs) == (says[0], says[1].format(amount))
    assert held(alice) == before


def test_an_order_they_carried_out_twice_is_found(alice: cast.Actor, books: Books) -> None:
    made = deposit(alice, books)
    books.add("deposit", reference=made.pk, amount=1_000)
    run(books)
    assert (only().kind, only().subject) == ("duplicated", made.pk)
    assert only().rail_reference not in ("", made.rail_reference)
    assert held(alice) == 1_000


def test_money_on_the_clearing_account_that_no_order_explains_is_found(
    alice: cast.Actor, books: Books
) -> None:
    world = ledger.rail_account(rail=books.rail, currency="USD")
    account = ledger.party_account(party=alice.party, currency="USD")
    sides = ledger.move(source=world, target=account, amount=500)
    ledger.post(ledger.Posting(kind=Transfer.Kind.DEPOSIT, key="by-hand", sides=sides))
    done = run(books)
    assert (only().kind, only().theirs) == ("ledger", "nothing")
    assert done.totals == {"USD": {"rail": "0", "ledger": "500"}}


def test_a_lost_answer_is_ended_by_their_books_and_paid_once(
    alice: cast.Actor, books: Books
) -> None:
    books.arm()
    made = deposit(alice, books, books.lost_answer)
    assert (made.state, held(alice)) == ("pending", 0)
    assert (run(books).healed, held(alice), books.count("deposit")) == (1, 1_000, 1)
    assert run(books).healed == 0
    assert not Difference.objects.exists()
    assert [one for one in audit(now=database_now()) if "deposit" in one.rule] == []


def test_an_answer_that_stays_away_is_somebodys_business_after_a_day(
    alice: cast.Actor, books: Books
) -> None:
    books.arm()
    made = deposit(alice, books, books.lost_answer)
    books.forget("deposit")
    assert run(books).found == 0
    run(books, later=DAY + timedelta(minutes=1))
    assert (only().kind, only().subject, held(alice)) == ("missing_there", made.pk, 0)


def test_an_order_they_named_and_then_forgot_is_never_sent_again(
    alice: cast.Actor, books: Books
) -> None:
    made = deposit(alice, books, {"sandbox": "sandbox:slow"}.get(books.rail, "pm_usBankAccount"))
    assert (made.state, bool(made.rail_reference)) == ("pending", True)
    books.forget("deposit")
    Deposit.objects.filter(pk=made.pk).update(next_attempt_at=database_now())
    assert process_deposit(deposit_id=made.pk).state == "pending"
    assert (books.count("deposit"), held(alice)) == (0, 0)
    assert [one.outcome for one in made.attempts.order_by("number")] == ["pending", "unknown"]
    run(books, later=DAY + timedelta(minutes=1))
    assert (only().kind, only().subject) == ("missing_there", made.pk)


def test_a_refund_of_theirs_is_held_against_ours(alice: cast.Actor, books: Books) -> None:
    paid = deposit(alice, books)
    back = request_refund(
        deposit=paid,
        by=alice.party,
        money=Money(400, "USD"),
        idempotency_key="r",
        now=database_now(),
    )
    assert process_payout(payout_id=back.pk).state == "paid"
    assert run(books).found == 0
    books.change("refund", amount=300)
    run(books)
    assert (only().kind, only().subject) == ("amount", back.pk)


def test_a_person_settles_a_difference_with_a_reason(alice: cast.Actor, books: Books) -> None:
    deposit(alice, books)
    books.change("deposit", amount=999)
    run(books)
    resolve(difference=only(), by=cast.carol().user, reason="Their fee.", now=database_now())
    run(books)
    assert only().resolution.reason == "Their fee."
