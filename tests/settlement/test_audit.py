"""The audit finds what the guards were switched off for, and names the first bad row."""

from collections.abc import Callable

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from settlement import escrow as escrows
from settlement import ledger
from settlement.audit import GRACE, audit
from settlement.models import Entry
from tests.settlement.hires import EVALUATED_BY, START, TICK, Hire, funded

pytestmark = pytest.mark.django_db


@pytest.fixture
def made() -> Hire:
    """One settled escrow, alice's money still in the ledger."""
    hired = funded(money=30_000)
    hired.judge("met", share=4_000)
    escrows.accept(escrow=hired.escrow, by=hired.alice.party, now=START)
    return hired


def tamper(sql: str) -> None:
    """As somebody who may switch the triggers off."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(sql)
        cursor.execute("SET LOCAL session_replication_role = origin")


def broken() -> dict[str, str]:
    return {finding.rule: finding.where for finding in audit(now=START)}


@pytest.mark.usefixtures("made")
def test_a_ledger_nobody_touched_holds_every_rule() -> None:
    assert broken() == {}
    ledger.roll_up_all()
    assert broken() == {}
    call_command("audit")


@pytest.mark.usefixtures("made")
def test_one_changed_entry_is_named() -> None:
    entry = Entry.objects.filter(account__kind="party", account_version=1).order_by("pk")[0]
    tamper(f"UPDATE settlement_entry SET amount = amount + 1 WHERE id = {entry.pk}")
    found = broken()
    assert found["every transfer sums to zero in each currency"] == f"transfer {entry.transfer_id}"
    assert found["each balance follows from the one before"] == f"entry {entry.pk}"
    account = f"account {entry.account_id}"
    assert found["every balance, with its queue, is the sum of its entries"] == account
    with pytest.raises(CommandError) as stopped:
        call_command("audit")
    assert stopped.value.returncode == 1


@pytest.mark.parametrize(
    ("sql", "rule"),
    [
        (
            lambda made: f"DELETE FROM settlement_entry WHERE transfer_id = {made.escrow.hold_id}",
            "every transfer has entries",
        ),
        (
            lambda made: "UPDATE settlement_account SET balance = balance + 1 WHERE kind = 'fees'",
            "every balance, with its queue, is the sum of its entries",
        ),
        (
            lambda made: "DELETE FROM settlement_queuedcredit",
            "every balance, with its queue, is the sum of its entries",
        ),
        (
            lambda made: (
                "UPDATE settlement_entry SET account_version = account_version + 5 "
                "WHERE account_version = 2"
            ),
            "versions of an account have no gap",
        ),
        (
            lambda made: "UPDATE settlement_entry SET currency = 'EUR' WHERE amount = -10000",
            "every entry belongs to a transfer and an account of its currency",
        ),
        (
            lambda made: "UPDATE settlement_escrow SET released = released + 1, fee = fee - 1",
            "funded = released + refunded + fees for every settled escrow",
        ),
        (
            lambda made: "DELETE FROM settlement_receipt",
            "every settled escrow has a resolution, a receipt and one record in the log",
        ),
        (
            lambda made: (
                "UPDATE settlement_escrow SET state = 'held', resolution_id = NULL, "
                "settled_at = NULL, released = NULL, next_action_at = now() + interval '1 day'"
            ),
            "no resolved hold leaves its escrow or payout open",
        ),
        (
            lambda made: (
                "UPDATE settlement_entry SET amount = amount * 2 WHERE transfer_id = "
                f"{made.escrow.resolution_id}"
            ),
            "a resolution empties exactly the hold it resolves",
        ),
    ],
)
def test_each_kind_of_tampering_breaks_its_rule(
    made: Hire, sql: Callable[[Hire], str], rule: str
) -> None:
    tamper(sql(made))
    assert rule in broken()


def test_an_escrow_past_its_deadline_is_a_finding_after_a_minute() -> None:
    funded()
    assert audit(now=EVALUATED_BY + GRACE) == []
    (finding,) = audit(now=EVALUATED_BY + GRACE + TICK)
    assert finding.rule == "no escrow stays past its deadline"
