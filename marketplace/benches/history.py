"""A market for the bench, and a long past for it, written by set-based SQL.

The past is made with triggers off (`session_replication_role = replica`), or ten million entries
would take an hour. It is what posting would have left: every balance, version and sum is right, and
`manage.py audit` finds nothing in it but escrow rows that were never written.
"""

from django.db import connection, transaction

from settlement import ledger
from settlement.ledger import Posting, Side
from settlement.models import Account, Transfer

CURRENCY = "USD"
AMOUNT, FEE = 10_000, 500
PARTIES = 10_000  # as many buyers, and as many builders
ESCROWS = 2_000
PLAIN_FEES = 1_000
MONEY = 10**12
CHUNK = 1_000
ENTRIES_PER_CYCLE = 5


MARKET = f"""
WITH parties AS (
  INSERT INTO pacts_party (id, name, kind, about, created_at)
  SELECT 'pty_' || md5(n::text), 'Bench ' || n, 'organisation', '', now()
    FROM generate_series(1, {2 * PARTIES}) AS n RETURNING id
), plain AS (
  INSERT INTO settlement_account (kind, owner_id, subject, currency_id)
  SELECT 'party', id, '', %s FROM parties
)
INSERT INTO settlement_account (kind, subject, currency_id)
SELECT CASE WHEN n > {ESCROWS} THEN 'fees' ELSE 'escrow' END, 'bench ' || n, %s
  FROM generate_series(1, {ESCROWS + PLAIN_FEES}) AS n"""  # noqa: S608 - numbers of our own


def open_market() -> None:
    """Parties with accounts and money, escrow accounts, fee accounts."""
    with transaction.atomic():
        ledger.fee_account(currency=CURRENCY)
        with connection.cursor() as cursor:
            cursor.execute(MARKET, [CURRENCY] * 2)
        _pay_in()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _pay_in() -> None:
    world = ledger.rail_account(rail="bench", currency=CURRENCY)
    buyers = list(Account.objects.filter(kind="party").order_by("pk")[:PARTIES])
    for start in range(0, PARTIES, CHUNK):
        paid = buyers[start : start + CHUNK]
        sides = [Side(world, -MONEY * len(paid)), *(Side(buyer, MONEY) for buyer in paid)]
        key = f"deposit:bench:{start}"
        ledger.post(Posting(kind=Transfer.Kind.DEPOSIT, key=key, sides=tuple(sides)))


# Cycle i, counted from 0, is between buyer i % n and builder n - 1 - i % n, the (i / n + 1)-th of
# both; its escrow has an account of its own, as in life.
PAST = """
SET LOCAL session_replication_role = replica;
CREATE TEMPORARY TABLE who ON COMMIT DROP AS
  SELECT row_number() OVER (ORDER BY id) - 1 AS place, id, owner_id, balance, version
    FROM settlement_account WHERE kind = 'party';
CREATE UNIQUE INDEX ON who (place) INCLUDE (id, owner_id, balance, version);
CREATE TEMPORARY TABLE first ON COMMIT DROP AS SELECT
  nextval('settlement_account_id_seq') AS account,
  nextval('settlement_transfer_id_seq') AS transfer,
  nextval('settlement_entry_id_seq') AS entry,
  (SELECT id FROM settlement_account WHERE kind = 'fees' AND deferred) AS fees;
CREATE TEMPORARY TABLE past ON COMMIT DROP AS
  SELECT i, first.account + i AS escrow, first.transfer + 2 * i AS hold, first.fees,
         first.entry + 5 * i AS entry, i / {parties} + 1 AS turn,
         buyer.id AS buyer, buyer.owner_id AS buyer_party, buyer.balance, buyer.version,
         builder.id AS builder
    FROM first, generate_series(0, {cycles} - 1) AS i
    JOIN who AS buyer ON buyer.place = i % {parties}
    JOIN who AS builder ON builder.place = 2 * {parties} - 1 - i % {parties}
   ORDER BY i;

INSERT INTO settlement_account (id, kind, subject, currency_id, floor, deferred, balance, version)
SELECT escrow, 'escrow', 'mst_' || md5(escrow::text), '{currency}', 0, false, 0, 2 FROM past;

INSERT INTO settlement_transfer (id, kind, idempotency_key, request_hash, resolves_id, posted_at)
SELECT hold + step, kind, key, decode(md5(key) || md5(key), 'hex'), resolves,
       now() - interval '1 second' * ({cycles} - i)
  FROM past CROSS JOIN LATERAL (VALUES
    (0, 'hold', 'fund:' || buyer_party || ':' || md5(hold::text), NULL),
    (1, 'release', 'settle:esc_' || md5(escrow::text), hold)
  ) AS made (step, kind, key, resolves);

INSERT INTO settlement_entry
  (id, transfer_id, account_id, currency, amount, balance_after, account_version)
SELECT entry + step, hold + later, account, '{currency}', side.amount, after, side.version
  FROM past CROSS JOIN LATERAL (VALUES
    (0, 0, buyer, -{amount}, balance - {amount} * turn, version + turn),
    (1, 0, escrow, {amount}, {amount}, 1),
    (2, 1, escrow, -{amount}, 0, 2),
    (3, 1, builder, {amount} - {fee}, ({amount} - {fee}) * turn, turn),
    (4, 1, fees, {fee}, NULL, NULL)
  ) AS side (step, later, account, amount, after, version);

UPDATE settlement_account AS a
   SET balance = a.balance + moved.amount, version = a.version + moved.turns
  FROM (SELECT buyer AS id, -{amount} * count(*) AS amount, count(*) AS turns
          FROM past GROUP BY buyer
        UNION ALL SELECT builder, ({amount} - {fee}) * count(*), count(*) FROM past GROUP BY builder
        UNION ALL SELECT fees, {fee} * count(*), 0 FROM past GROUP BY fees) AS moved
 WHERE a.id = moved.id;
SELECT setval('settlement_account_id_seq', (SELECT max(id) FROM settlement_account));
SELECT setval('settlement_transfer_id_seq', (SELECT max(id) FROM settlement_transfer));
SELECT setval('settlement_entry_id_seq', (SELECT max(id) FROM settlement_entry));
"""


def write_past(entries: int) -> int:
    """A past of about that many entries on an open market; how many there are now."""
    script = PAST.format(
        cycles=entries // ENTRIES_PER_CYCLE,
        parties=PARTIES,
        currency=CURRENCY,
        amount=AMOUNT,
        fee=FEE,
    )
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in script.split(";\n"):
            if statement.strip():
                cursor.execute(statement)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")  # or a measured pass would pay for it
        cursor.execute("SELECT count(*) FROM settlement_entry")
        (count,) = cursor.fetchone()
    return int(count)
