"""A process dies between any two effects of a deposit, a payout or a refund: it happens once."""

from datetime import timedelta
from typing import Any

import pytest

from reputation.clock import database_now
from settlement import attempts, deposits, ledger, payouts, records
from settlement.audit import audit
from settlement.models import Deposit, Payout, SandboxMovement
from settlement.money import Money
from settlement.rails.sandbox import SandboxRail
from settlement.tasks import process_deposits, process_payouts
from tests import cast
from tests.settlement.hires import give

pytestmark = pytest.mark.django_db(transaction=True)


class Crash(BaseException):
    """The process is gone: nothing of ours catches this."""


# Where it dies: (what is running, before or after it).
POINTS = [
    (attempts, "begin", "before"),
    (attempts, "begin", "after"),  # in the transaction that claims
    (attempts, "ask", "before"),  # claimed, the rail was not asked
    (SandboxRail, "_do", "after"),  # the rail did it, its answer never came
    (attempts, "ask", "after"),  # answered, nothing recorded
    (attempts, "finish", "after"),  # in the transaction that records
    (ledger, "post", "after"),  # posted, not committed
]
IN_THE_LOG = [(records, "deposited", "after"), (records, "payout", "after")]


def crash_once(monkeypatch: pytest.MonkeyPatch, where: Any, name: str, when: str) -> None:
    real = getattr(where, name)
    died: list[bool] = []

    def dying(*given: Any, **named: Any) -> Any:
        first = not died
        died.append(True)
        if first and when == "before":
            raise Crash
        answer = real(*given, **named)
        if first:
            raise Crash
        return answer

    monkeypatch.setattr(where, name, dying)


def later(*rows: Deposit | Payout) -> None:
    """The leases are over."""
    for row in rows:
        type(row).objects.filter(pk=row.pk, next_attempt_at__isnull=False).update(
            next_attempt_at=database_now()
        )


def until_done(row: Deposit | Payout, sweep: Any) -> None:
    for _ in range(3):
        later(row)
        sweep()
        row.refresh_from_db()


@pytest.mark.parametrize(("where", "name", "when"), [*POINTS, IN_THE_LOG[0]])
def test_a_deposit_is_credited_once_wherever_its_process_dies(
    monkeypatch: pytest.MonkeyPatch, where: Any, name: str, when: str
) -> None:
    alice = cast.alice()
    made = Deposit.objects.create(
        party=alice.party,
        rail="sandbox",
        source="sandbox:ok",
        amount=1_000,
        currency="USD",
        idempotency_key="d",
        requested_at=database_now(),
        next_attempt_at=database_now(),
    )
    crash_once(monkeypatch, where, name, when)
    with pytest.raises(Crash):
        deposits.process_deposit(deposit_id=made.pk)
    until_done(made, process_deposits)
    assert made.state == "succeeded"
    assert ledger.balances_of(alice.party) == {"USD": 1_000}
    assert SandboxMovement.objects.count() == 1
    assert audit(now=database_now()) == []


@pytest.mark.parametrize("word", ["ok", "decline"])
@pytest.mark.parametrize(("where", "name", "when"), POINTS)
def test_a_payout_is_paid_or_returned_once_wherever_its_process_dies(
    monkeypatch: pytest.MonkeyPatch, where: Any, name: str, when: str, word: str
) -> None:
    alice = cast.alice()
    give(alice, 1_000)
    made = payouts.request_payout(
        party=alice.party,
        money=Money(400, "USD"),
        idempotency_key="p",
        now=database_now(),
        destination=f"sandbox:{word}",
        cooldown=timedelta(0),
    )
    crash_once(monkeypatch, where, name, when)
    with pytest.raises(Crash):
        payouts.process_payout(payout_id=made.pk)
    until_done(made, process_payouts)
    assert made.state == ("paid" if word == "ok" else "failed")
    assert ledger.balances_of(alice.party) == {"USD": 600 if word == "ok" else 1_000}
    assert SandboxMovement.objects.count() == 1
    assert audit(now=database_now()) == []


def test_a_crash_while_a_payout_is_asked_for_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alice = cast.alice()
    give(alice, 1_000)
    crash_once(monkeypatch, records, "payout", "after")
    ask: dict[str, Any] = {
        "party": alice.party,
        "money": Money(400, "USD"),
        "idempotency_key": "p",
        "now": database_now(),
    }
    with pytest.raises(Crash):
        payouts.request_payout(**ask)
    assert ledger.balances_of(alice.party) == {"USD": 1_000}
    assert payouts.request_payout(**ask).state == "pending"
    assert ledger.balances_of(alice.party) == {"USD": 600}
