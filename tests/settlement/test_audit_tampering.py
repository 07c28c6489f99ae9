"""Somebody switched the guards off and changed one thing: the audit names it and exits non-zero."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from settlement import escrow as escrows
from settlement.audit import audit
from settlement.models import Account, Entry, Transfer
from tests.settlement.hires import START, Hire, funded
from tests.settlement.test_audit import tamper

pytestmark = pytest.mark.django_db


@pytest.fixture
def made() -> Hire:
    """One escrow that split: alice got 6,000 of 10,000 back, and has 20,000 more."""
    hired = funded(money=30_000)
    hired.judge("met", share=4_000)
    escrows.accept(escrow=hired.escrow, by=hired.alice.party, now=START)
    assert audit(now=START) == []
    return hired


def alices(made: Hire) -> Account:
    return Account.objects.get(owner=made.alice.party, kind="party")


def says(rule: str, where: str) -> None:
    """The command exits with 1 and names this row as the first that breaks this rule."""
    told = StringIO()
    with pytest.raises(CommandError) as stopped:
        call_command("audit", stderr=told, no_color=True)
    assert stopped.value.returncode == 1
    assert f"{rule}: {where}: " in told.getvalue()


def test_a_balance_that_was_changed(made: Hire) -> None:
    account = alices(made)
    tamper(f"UPDATE settlement_account SET balance = balance + 1 WHERE id = {account.pk}")
    says("every balance, with its queue, is the sum of its entries", f"account {account.pk}")


def test_an_entry_that_was_changed(made: Hire) -> None:
    entry = Entry.objects.filter(account=alices(made)).order_by("account_version")[1]
    tamper(f"UPDATE settlement_entry SET amount = amount - 5 WHERE id = {entry.pk}")
    says("each balance follows from the one before", f"entry {entry.pk}")
    says("every transfer sums to zero in each currency", f"transfer {entry.transfer_id}")


def test_an_entry_that_was_changed_together_with_its_counterpart(made: Hire) -> None:
    """Sums still agree; the balance stored beside the entry does not."""
    hold = made.escrow.hold_id
    tamper(f"UPDATE settlement_entry SET amount = amount * 2 WHERE transfer_id = {hold}")
    first = Entry.objects.filter(transfer=hold).order_by("pk")[0]
    says("each balance follows from the one before", f"entry {first.pk}")
    says("every escrow was funded with its amount", f"escrow {made.escrow.pk}")


def test_an_entry_that_was_deleted(made: Hire) -> None:
    entry = Entry.objects.filter(account=alices(made)).order_by("account_version")[1]
    follower = Entry.objects.get(account=entry.account_id, account_version=3)
    tamper(f"DELETE FROM settlement_entry WHERE id = {entry.pk}")
    says("versions of an account have no gap", f"entry {follower.pk}")
    says("every transfer sums to zero in each currency", f"transfer {entry.transfer_id}")


def test_the_last_entry_of_an_account_that_was_deleted(made: Hire) -> None:
    """No gap is left behind; the account's own version tells."""
    last = Entry.objects.filter(account=alices(made)).order_by("-account_version")[0]
    tamper(f"DELETE FROM settlement_entry WHERE id = {last.pk}")
    says("every balance, with its queue, is the sum of its entries", f"account {last.account_id}")


def test_a_gap_in_the_versions(made: Hire) -> None:
    entry = Entry.objects.filter(account=alices(made)).order_by("-account_version")[0]
    tamper(f"UPDATE settlement_entry SET account_version = 9 WHERE id = {entry.pk}")
    says("versions of an account have no gap", f"entry {entry.pk}")


def test_a_transfer_that_does_not_balance(made: Hire) -> None:
    fees = Account.objects.get(kind="fees")
    resolution = made.escrow.resolution_id
    tamper(
        "INSERT INTO settlement_entry (transfer_id, account_id, currency, amount) "
        f"VALUES ({resolution}, {fees.pk}, 'USD', 1)"
    )
    says("every transfer sums to zero in each currency", f"transfer {resolution}")
    says("every balance, with its queue, is the sum of its entries", f"account {fees.pk}")


def test_an_escrow_with_two_outcomes(made: Hire) -> None:
    """Only without the unique index can it be stored at all."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE settlement_transfer DROP CONSTRAINT transfer_resolves_once")
    hold = made.escrow.hold_id
    tamper(
        "INSERT INTO settlement_transfer (kind, idempotency_key, request_hash, resolves_id) "
        f"VALUES ('refund', 'again', '', {hold})"
    )
    second = Transfer.objects.get(idempotency_key="again")
    says("no hold is resolved twice", f"transfer {hold}")
    says("no resolved hold leaves its escrow or payout open", f"escrow {made.escrow.pk}")
    says("every transfer has entries", f"transfer {second.pk}")


def test_an_escrow_whose_parts_do_not_add_up(made: Hire) -> None:
    tamper("UPDATE settlement_escrow SET released = released - 1, refunded = refunded + 1")
    says("funded = released + refunded + fees for every settled escrow", f"escrow {made.escrow.pk}")
