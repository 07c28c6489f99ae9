"""Money in and out on pages: every rail that is set up here, refunds, and payouts taken back."""

import json
from typing import Any

import pytest
from django.db import connection
from django.utils.html import escape
from django.utils.timezone import now as clock

from settlement import ledger, payouts, records, tasks
from settlement.models import Deposit, Payout, Receipt, SandboxMovement
from settlement.rails import Answer, Order
from settlement.rails.sandbox import SandboxRail
from tests import cast
from tests.marketplace.market import one_of_everything
from tests.marketplace.pages.browsers import browser_of
from tests.racing import in_parallel
from tests.settlement import hires
from tests.settlement.hires import give

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def alice() -> cast.Actor:
    return cast.alice()


def send(who: cast.Actor, path: str, key: str = "token-of-this-form", **fields: Any) -> Any:
    return browser_of(who).post(path, {"idempotency_key": key} | fields)


def deposited(
    alice: cast.Actor, amount: str = "10.000", currency: str = "KWD", place: str = ""
) -> Deposit:
    fields = {"amount": amount, "currency": currency, "rail": "sandbox", "place": place}
    assert send(alice, "/money/deposits/", key="t" * 20, **fields).status_code == 302
    return Deposit.objects.get()


def held(alice: cast.Actor, currency: str = "KWD") -> int:
    return ledger.balances_of(alice.party).get(currency, 0)


def test_only_rails_that_are_set_up_are_offered_with_what_each_wants_to_know(
    alice: cast.Actor, settings: Any
) -> None:
    page = browser_of(alice).get("/money/").content.decode()
    assert "pretend money" in page
    assert "payment method" not in page
    settings.STRIPE_SECRET_KEY = "sk_test_of_nobody"
    page = browser_of(alice).get("/money/").content.decode()
    for words in ("pretend money", "payment method", "connected account"):
        assert words in page
    settings.SANDBOX_RAIL = False
    assert "pretend money" not in browser_of(alice).get("/money/").content.decode()


def test_a_rail_that_has_no_usual_place_asks_for_one(alice: cast.Actor, settings: Any) -> None:
    settings.STRIPE_SECRET_KEY = "sk_test_of_nobody"
    fields = {"amount": "5", "currency": "EUR", "rail": "stripe"}
    answer = send(alice, "/money/deposits/", **fields)
    assert "Stripe needs to know where the money is" in answer.content.decode()
    assert send(alice, "/money/deposits/", place="pm_card_visa", **fields).status_code == 302
    made = Deposit.objects.get()
    assert (made.rail, made.source, made.state) == ("stripe", "pm_card_visa", "pending")


def test_without_any_rail_the_page_says_so(alice: cast.Actor, settings: Any) -> None:
    settings.SANDBOX_RAIL = False
    assert "No way to move money" in browser_of(alice).get("/money/").content.decode()


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [("1500", "JPY", 1_500), ("1.5", "EUR", 150), ("1.005", "KWD", 1_005), ("0.000001", "USDC", 1)],
)
def test_every_kind_of_currency_comes_in_to_its_last_decimal(
    alice: cast.Actor, amount: str, currency: str, minor: int
) -> None:
    deposited(alice, amount, currency)
    assert held(alice, currency) == minor


def test_a_part_of_a_deposit_goes_back_to_where_it_came_from(alice: cast.Actor) -> None:
    made = deposited(alice)
    assert 'data-test="refund"' in browser_of(alice).get("/money/").content.decode()
    for _ in range(2):
        send(alice, f"/money/deposits/{made.id}/refund/", amount="4.000")
    sent = Payout.objects.get()
    assert (sent.amount, sent.refund_of, sent.destination) == (4_000, made, "sandbox:ok")
    assert (held(alice), payouts.refundable(made)) == (6_000, 6_000)


@pytest.mark.parametrize("amount", ["", "0", "-1", "10.001", "1.0005", "all"])
def test_what_cannot_go_back_moves_nothing_and_says_why(alice: cast.Actor, amount: str) -> None:
    made = deposited(alice)
    path = f"/money/deposits/{made.id}/refund/"
    answer = browser_of(alice).post(
        path, {"idempotency_key": "t" * 18, "amount": amount}, follow=True
    )
    assert 'role="alert"' in answer.content.decode() or "flash" in answer.content.decode()
    assert not Payout.objects.exists()
    assert held(alice) == 10_000


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    """Every order the sandbox gets: its kind, and whether a transaction was open around it."""
    seen: list[tuple[str, bool]] = []
    does = SandboxRail._do

    def watched(rail: SandboxRail, order: Order) -> Answer:
        seen.append((order.kind, connection.in_atomic_block))
        return does(rail, order)

    monkeypatch.setattr(SandboxRail, "_do", watched)
    return seen


def test_a_press_never_holds_a_transaction_open_around_a_rail(
    alice: cast.Actor, asked: list[tuple[str, bool]]
) -> None:
    made = deposited(alice)
    send(alice, f"/money/deposits/{made.id}/refund/", amount="4.000")
    send(alice, "/money/payouts/", key="u" * 18, amount="1", currency="KWD", rail="sandbox")
    assert asked == [("deposit", False)]  # the press only wrote down what is to be sent
    tasks.process_payouts()
    assert asked == [("deposit", False), ("refund", False)]


def test_a_refund_pressed_by_many_and_asked_for_again_is_sent_once(
    alice: cast.Actor, asked: list[tuple[str, bool]]
) -> None:
    made = deposited(alice, place="sandbox:lost-answer")
    Deposit.objects.update(next_attempt_at=clock())
    tasks.process_deposits()
    path = f"/money/deposits/{made.id}/refund/"
    in_parallel(4, lambda: send(alice, path, amount="4.000"))
    tasks.process_payouts()
    sent = Payout.objects.get()
    assert (sent.state, held(alice)) == ("processing", 6_000)
    send(alice, path, amount="4.000")
    Payout.objects.update(next_attempt_at=clock())
    tasks.process_payouts()
    assert Payout.objects.get().state == "paid"
    assert [kind for kind, _ in asked].count("refund") == 1
    assert SandboxMovement.objects.filter(kind="refund").count() == 1
    made.refresh_from_db()
    assert (held(alice), payouts.refundable(made)) == (6_000, 6_000)


def test_a_press_that_crashed_leaves_nothing_and_may_be_pressed_again(
    alice: cast.Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = deposited(alice)
    path = f"/money/deposits/{made.id}/refund/"
    with monkeypatch.context() as broken:
        broken.setattr(records, "payout", lambda **_: 1 / 0)
        assert send(alice, path, amount="4.000").status_code == 500
    assert (Payout.objects.count(), held(alice)) == (0, 10_000)
    assert send(alice, path, amount="4.000").status_code == 302
    assert held(alice) == 6_000


def test_a_pending_payout_is_taken_back_on_the_page(alice: cast.Actor) -> None:
    give(alice, 1_000, "EUR")
    send(alice, "/money/payouts/", amount="4", currency="EUR", rail="sandbox")
    made = Payout.objects.get()
    assert (made.state, held(alice, "EUR")) == ("pending", 600)
    assert 'data-test="cancel-payout"' in browser_of(alice).get("/money/").content.decode()
    send(alice, f"/money/payouts/{made.id}/cancellation/", key="u" * 18)
    made.refresh_from_db()
    assert (made.state, held(alice, "EUR")) == ("cancelled", 1_000)


def test_a_receipts_page_shows_every_part_of_what_was_signed() -> None:
    market = one_of_everything()
    page = browser_of(market.alice).get(f"/receipts/{market.ids['receipt']}/").content.decode()
    body = json.loads(Receipt.objects.get().body)
    accounts = [entry["account"] for one in body["transfers"] for entry in one["entries"]]
    shown = [*body["evidence"], *accounts, body["pact"]["digest"], body["agreement"]]
    shown += [body["arithmetic"]["rule"], body["arithmetic"]["fee_rule"]]
    shown += [body["decision"]["sentence"]]
    assert len(body["evidence"]) == 2
    assert [one for one in shown if one not in page] == []
    entries = page.split("receipt-transfers")[1].split("</section>")[0]
    for name in (market.alice.party.name, market.bob.party.name, "Escrow of this work"):
        assert escape(name) in entries


def test_what_belongs_to_somebody_else_is_absent(alice: cast.Actor) -> None:
    made, mallory = deposited(alice), cast.mallory()
    for path in (
        f"/money/deposits/{made.id}/refund/",
        "/money/deposits/dep_0190f3c2a1b27c3d8e4f5a6b7c8d9e0f/refund/",
    ):
        assert send(mallory, path, amount="1").status_code == 404
    assert not Payout.objects.exists()


def test_what_is_set_aside_stands_beside_what_is_free_to_spend() -> None:
    made = hires.funded(price=4_200, money=10_000)
    page = browser_of(made.alice).get("/money/").content.decode()
    aside = page.split('data-test="aside"')[1].split("</li>")[0]
    assert "USD\u00a042.00" in aside
    assert 'data-test="aside"' not in browser_of(made.bob).get("/money/").content.decode()
