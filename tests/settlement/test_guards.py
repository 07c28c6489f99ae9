"""What the database refuses to a superuser's careless SQL, with no Python in between."""

import pytest
from django.db import DatabaseError, connection, transaction

from settlement import escrow as escrows
from settlement import ledger
from settlement.models import Account, Entry, Escrow, Receipt, Transfer
from tests.settlement.hires import START, Hire, funded

LEDGER_TABLES = ["settlement_entry", "settlement_transfer", "settlement_currency"]
pytestmark = pytest.mark.django_db


def run(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def refused(sql: str, rule: str) -> None:
    """Run it as the superuser these tests are; it must fail, for this reason."""
    run("SET CONSTRAINTS ALL IMMEDIATE")  # what the fixtures did is not to blame
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        run(sql)
    diagnostics = getattr(caught.value.__cause__, "diag", None)
    assert rule in f"{getattr(diagnostics, 'constraint_name', '')} {caught.value}"


@pytest.fixture
def made() -> Hire:
    return funded(money=30_000)


@pytest.fixture
def settled(made: Hire) -> Hire:
    escrows.give_back(escrow=made.escrow, by=made.bob.party, now=START)
    return made


def test_the_tests_really_are_a_superuser() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (True,)


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize("table", [*LEDGER_TABLES, "settlement_receipt"])
@pytest.mark.parametrize(
    "sql", ["DELETE FROM {}", "TRUNCATE {} CASCADE", "DELETE FROM {} WHERE false"]
)
def test_history_is_not_deleted(table: str, sql: str) -> None:
    refused(sql.format(table), "append")


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE settlement_entry SET amount = amount + 1",
        "UPDATE settlement_entry SET balance_after = 0",
        "UPDATE settlement_transfer SET kind = 'deposit'",
        "UPDATE settlement_transfer SET request_hash = ''",
        "UPDATE settlement_currency SET exponent = 0",
    ],
)
def test_history_is_not_edited(sql: str) -> None:
    refused(sql, "ledger_append_only")


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE settlement_account SET balance = balance + 1",
        "UPDATE settlement_account SET version = 0",
        "UPDATE settlement_account SET floor = NULL",
        "UPDATE settlement_account SET owner_id = NULL",
        "UPDATE settlement_queuedcredit SET amount = 5",
        "INSERT INTO settlement_queuedcredit (account_id, amount) VALUES (1, 5)",
        "INSERT INTO settlement_account (kind, subject, currency_id, balance) "
        "VALUES ('escrow', 'mallory', 'USD', 5)",
    ],
)
def test_balances_move_only_through_entries(sql: str) -> None:
    refused(sql, "balance_moves_by_entries")


@pytest.mark.usefixtures("made")
def test_accounts_and_queues_are_not_removed() -> None:
    refused("DELETE FROM settlement_account", "ledger_append_only")
    refused("TRUNCATE settlement_account CASCADE", "ledger_append_only")
    refused("TRUNCATE settlement_queuedcredit", "ledger_append_only")


def test_deleting_queued_credits_is_folding_them(made: Hire) -> None:
    world = ledger.rail_account(rail="sandbox", currency="USD")
    before = ledger.balance_of(world)
    run("DELETE FROM settlement_queuedcredit")
    world.refresh_from_db()
    assert world.balance == before == -30_000


def new_transfer(resolves: int | None = None) -> int:
    """A transfer without entries, made by hand in this transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO settlement_transfer (kind, idempotency_key, request_hash, resolves_id) "
            "VALUES (%s, 'by hand', '', %s) RETURNING id",
            ["refund" if resolves else "hold", resolves],
        )
        return int(cursor.fetchone()[0])


def entries(transfer: int, *sides: tuple[int, str, int]) -> str:
    rows = ", ".join(f"({transfer}, {account}, '{code}', {n})" for account, code, n in sides)
    return f"INSERT INTO settlement_entry (transfer_id, account_id, currency, amount) VALUES {rows}"


def wallets(made: Hire) -> tuple[int, int]:
    buyer = ledger.party_account(party=made.alice.party, currency="USD")
    builder = ledger.party_account(party=made.bob.party, currency="USD")
    return buyer.pk, builder.pk


def test_an_unbalanced_insert_is_refused(made: Hire) -> None:
    buyer, builder = wallets(made)
    transfer = new_transfer()
    refused(entries(transfer, (builder, "USD", 5)), "transfer_sums_to_zero")
    refused(entries(transfer, (buyer, "USD", -4), (builder, "USD", 5)), "transfer_sums_to_zero")


def test_an_entry_needs_an_account_of_its_currency(made: Hire) -> None:
    buyer, builder = wallets(made)
    transfer = new_transfer()
    refused(entries(transfer, (buyer, "EUR", -5), (builder, "EUR", 5)), "entry_currency_matches")
    refused(entries(transfer, (0, "USD", -5), (builder, "USD", 5)), "entry_account_exists")
    refused(entries(transfer, (buyer, "USD", 0)), "entry_moves_something")


def test_no_balance_falls_below_its_floor(made: Hire) -> None:
    buyer, builder = wallets(made)
    sides = entries(new_transfer(), (builder, "USD", -1), (buyer, "USD", 1))
    refused(sides, "account_floor")


@pytest.mark.django_db(transaction=True)
def test_a_transfer_of_an_earlier_transaction_is_closed() -> None:
    made = funded(money=30_000)
    buyer, builder = wallets(made)
    hold = made.escrow.hold_id
    assert hold
    refused(entries(hold, (buyer, "USD", -5), (builder, "USD", 5)), "transfer_open")
    refused(entries(10**9, (buyer, "USD", -5), (builder, "USD", 5)), "transfer_open")


@pytest.mark.parametrize(
    ("kind", "resolves"),
    [
        ("release", None),
        ("hold", "the hold"),
        ("payout_paid", "the hold"),
        ("bond_slashed", "the hold"),
        ("refund", "the deposit"),
        ("refund", 10**9),
        ("gift", None),
        ("gift", "the hold"),
    ],
)
def test_a_transfer_resolves_a_hold_of_its_own_kind_or_nothing(
    made: Hire, kind: str, resolves: int | str | None
) -> None:
    deposit = Transfer.objects.filter(kind="deposit").first()
    assert deposit
    named = {"the hold": made.escrow.hold_id, "the deposit": deposit.pk}
    hold = named.get(str(resolves), resolves)
    refused(
        "INSERT INTO settlement_transfer (kind, idempotency_key, request_hash, resolves_id) "
        f"VALUES ('{kind}', 'by hand', '', {hold or 'NULL'})",
        "transfer_resolves_a_hold",
    )


@pytest.mark.parametrize(
    ("columns", "values", "rule"),
    [
        ("kind, subject", "'purse', ''", "account_kind_known"),
        ("kind, subject", "'party', 'nobody'", "account_owner_is_a_party"),
        ("kind, owner_id", "'fees', '{owner}'", "account_owner_is_a_party"),
        ("kind, subject, floor", "'escrow', 'x', NULL", "account_has_a_floor"),
    ],
)
def test_an_account_is_well_formed_from_its_birth(
    made: Hire, columns: str, values: str, rule: str
) -> None:
    missing = "" if "subject" in columns else ", subject"
    empty = ", ''" if missing else ""
    refused(
        f"INSERT INTO settlement_account ({columns}{missing}, currency_id) "
        f"VALUES ({values.format(owner=made.alice.party.pk)}{empty}, 'USD')",
        rule,
    )


def test_a_hold_is_resolved_once_whoever_asks(settled: Hire) -> None:
    hold = settled.escrow.hold_id
    refused(
        "INSERT INTO settlement_transfer (kind, idempotency_key, request_hash, resolves_id) "
        f"VALUES ('release', 'by hand', '', {hold})",
        "transfer_resolves_once",
    )


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE settlement_escrow SET state = 'held', version = version + 1",
        "UPDATE settlement_escrow SET released = amount, refunded = 0, version = version + 1",
        "UPDATE settlement_escrow SET settled_at = now(), version = version + 1",
    ],
)
def test_a_settled_escrow_is_frozen(sql: str) -> None:
    refused(sql, "escrow_settled_is_frozen")


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize(
    ("sql", "rule"),
    [
        ("DELETE FROM settlement_escrow", "escrow_never_deleted"),
        ("TRUNCATE settlement_escrow CASCADE", "append-only"),
        ("UPDATE settlement_escrow SET state = 'withheld'", "escrow_version_follows"),
        (
            "UPDATE settlement_escrow SET amount = 1, version = version + 1",
            "escrow_terms_are_fixed",
        ),
        (
            "UPDATE settlement_escrow SET next_action_at = NULL, version = version + 1",
            "escrow_open_has_a_next_action",
        ),
        (
            "UPDATE settlement_escrow SET state = 'released', version = version + 1",
            "escrow_final_by_a_resolution",
        ),
    ],
)
def test_an_escrow_changes_only_as_its_rules_say(sql: str, rule: str) -> None:
    refused(sql, rule)


def test_an_outcome_without_the_money_moved_is_not_stored(made: Hire) -> None:
    fake = new_transfer(resolves=made.escrow.hold_id)
    refused(
        f"UPDATE settlement_escrow SET state = 'refunded', resolution_id = {fake}, released = 0, "
        "refunded = amount, fee = 0, settled_at = now(), next_action_at = NULL, "
        "version = version + 1",
        "escrow_resolution_empties_it",
    )


def test_the_orm_is_refused_too(settled: Hire) -> None:
    for act in (
        lambda: Entry.objects.all().delete(),
        lambda: Transfer.objects.update(kind="hold"),
        lambda: Account.objects.update(balance=1),
        lambda: Escrow.objects.update(state="held"),
        lambda: Receipt.objects.update(body="{}"),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            act()
