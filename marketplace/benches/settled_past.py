"""Papers for a bench's past: engagement, escrow, receipt and evidence of every cycle of it.

What settling would have left beside the entries of `history.write_past`, so that an audit of it
looks at everything: the log is hashed and its heads are signed by the product's own code, receipts
embed those heads. Only the receipts' signatures are noise; an audit does not read them.
"""

import json
from datetime import datetime

from django.db import connection, transaction
from django.utils.timezone import now as clock

from marketplace.benches.history import AMOUNT, CURRENCY, FEE, open_market, write_past
from reputation import checkpoints, tiles
from reputation.canonical import canonical
from settlement import keys, receipts

__all__ = ["open_market", "write_papers", "write_past"]

CHUNK = 20_000  # escrows that share a head

PAID = f"""
CREATE TEMPORARY TABLE paid AS
SELECT row_number() OVER (ORDER BY r.id) - 1 AS place, r.id AS resolution, r.resolves_id AS hold,
       substr(r.idempotency_key, 8) AS escrow, r.posted_at, held.account_id AS account,
       substr(place.subject, 5) AS milestone, buyer.owner_id AS buyer, builder.owner_id AS builder,
       md5(buyer.owner_id || builder.owner_id) AS pair
  FROM settlement_transfer r
  JOIN settlement_entry held ON held.transfer_id = r.resolves_id AND held.amount > 0
  JOIN settlement_entry spent ON spent.transfer_id = r.resolves_id AND spent.amount < 0
  JOIN settlement_entry earned ON earned.transfer_id = r.id AND earned.amount = {AMOUNT - FEE}
  JOIN settlement_account place ON place.id = held.account_id
  JOIN settlement_account buyer ON buyer.id = spent.account_id
  JOIN settlement_account builder ON builder.id = earned.account_id
 WHERE r.resolves_id IS NOT NULL;
CREATE UNIQUE INDEX ON paid (place);
ANALYZE paid"""  # noqa: S608 - numbers of our own

WORK = f"""
INSERT INTO pacts_engagement
  (id, buyer_id, builder_id, agent_version_id, pact_version_id, currency, fee_bps, fee_bands,
   work_seconds, evaluation_seconds, acceptance_seconds, cure_seconds, max_revisions, digest,
   buyer_signature_id, builder_signature_id, state, proposed_by_id, proposed_at, offer_expires_at)
SELECT DISTINCT ON (pair) 'eng_' || pair, buyer, builder, 'bench', 'bench', '{CURRENCY}', 500,
       '[]'::jsonb, 3600, 3600, 3600, 3600, 1, 'sha256:' || pair || pair,
       'bench', 'bench', 'closed', 1, posted_at, posted_at
  FROM paid ORDER BY pair;
INSERT INTO pacts_milestone
  (id, engagement_id, position, title, amount, bond, task_set_version_id, started_at, submit_by_at)
SELECT 'mst_' || milestone, 'eng_' || pair, row_number() OVER (PARTITION BY pair ORDER BY place),
       'All of it', {AMOUNT}, 0, 'bench', posted_at, posted_at FROM paid;
INSERT INTO settlement_escrow
  (id, milestone_id, state, currency, amount, fee_bps, fee_bands, account_id, hold_id,
   resolution_id, funded_at, funded_evidence_id, accepted_at, submit_by_at, reason, timeout, fault,
   earned_share_bps, released, refunded, fee, settled_at, version)
SELECT escrow, 'mst_' || milestone, 'released', '{CURRENCY}', {AMOUNT}, 500, '[]'::jsonb, account,
       hold, resolution, posted_at, 'evd_' || md5(escrow), posted_at, posted_at, 'accepted', '', '',
       10000, {AMOUNT - FEE}, 0, {FEE}, posted_at, 3 FROM paid"""  # noqa: S608

LOGGED = """
WITH made AS (
  INSERT INTO reputation_evidence (id, kind, envelope, leaf_hash, dedupe_key, recorded_at)
  SELECT id, 'escrow.settled', envelope,
         sha256('\\x00'::bytea || convert_to(envelope, 'UTF8')), 'escrow.settled:' || escrow, now()
    FROM (SELECT place, escrow, 'evd_' || md5('settled' || escrow) AS id,
                 replace(replace(%(envelope)s, '{id}', md5('settled' || escrow)),
                         '{subject}', md5(escrow)) AS envelope
            FROM paid WHERE place >= %(first)s AND place < %(last)s) AS facts
  RETURNING id, leaf_hash, dedupe_key
)
INSERT INTO reputation_logentry (index, evidence_id, leaf_hash, sequenced_at)
SELECT place, made.id, leaf_hash, now() FROM made
  JOIN paid ON paid.escrow = substr(dedupe_key, 16) ORDER BY place"""

RECEIVED = """
INSERT INTO settlement_receipt (id, escrow_id, body, key_id, signature, issued_at)
SELECT 'rcp_' || md5(escrow), escrow,
       replace(replace(%(body)s, '{id}', md5(escrow)), '{pair}', pair),
       %(key)s, decode(repeat(md5(escrow), 4), 'hex'), posted_at
  FROM paid WHERE place >= %(first)s AND place < %(last)s"""


def write_papers() -> int:
    """All of that for every settled hold there is; how many escrows."""
    key = keys.key_in_use().pk
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for statement in f"{PAID};{WORK}".split(";\n"):
            cursor.execute(statement)
        cursor.execute("SELECT count(*) FROM paid")
        (count,) = cursor.fetchone()
    for first in range(0, count, CHUNK):
        _settle({"first": first, "last": first + CHUNK}, key, clock())
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")
    return int(count)


def _settle(part: dict[str, int], key: str, now: datetime) -> None:
    """Evidence into the log, a head over it, and receipts that embed the head."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(LOGGED, {**part, "envelope": _envelope(now)})
        cursor.execute("SET LOCAL session_replication_role = origin")
        tiles.build()
        head = checkpoints.sign_now(now=now)
        cursor.execute("SET LOCAL session_replication_role = replica")
        body = _body(head.size, checkpoints.text_of(head), now)
        cursor.execute(RECEIVED, {**part, "body": body, "key": key})


def _envelope(now: datetime) -> str:
    """As `envelope.seal` writes one of this kind: some 700 bytes."""
    names = ("agent", "agent_version", "buyer", "builder", "engagement", "escrow", "milestone")
    facts = {"amount": AMOUNT, "currency": CURRENCY, "fee": FEE, "released": AMOUNT - FEE}
    return canonical(
        {
            "id": "evd_{id}",
            "kind": "escrow.settled",
            "at": now.isoformat(),
            "subjects": {name: f"{name[:3]}_{{subject}}" for name in names},
            "facts": {**facts, "refunded": 0, "outcome": "released", "reason": "accepted"},
            "digests": {"receipt": "sha256:{subject}{subject}"},
        }
    ).decode()


def _body(size: int, checkpoint: str, now: datetime) -> str:
    """A receipt of the usual length: two signatures a side, one verdict of three clauses."""
    mark, moment = "{id}", now.isoformat()
    signature = {"party": "pty_{pair}", "purpose": "agreement", "digest": f"sha256:{mark * 2}"}
    signature |= {"public_key": mark * 2, "signature": mark * 4, "signed_at": moment}
    clause = {"key": "accuracy", "title": "Right answers", "outcome": "met", "critical": True}
    clause |= {"passes": 196, "failures": 4, "errors": 0, "promise_bps": 9_500, "reason": ""}
    entries = [{"account": f"party:pty_{mark}", "amount": amount} for amount in (-AMOUNT, AMOUNT)]
    transfer = {"kind": "release", "key": f"settle:esc_{mark}", "posted_at": moment}
    return json.dumps(
        {
            "format": receipts.FORMAT,
            "id": f"rcp_{mark}",
            "issued_at": moment,
            "escrow": f"esc_{mark}",
            "engagement": "eng_{pair}",
            "pact": {"version": f"pcv_{mark}", "digest": f"sha256:{mark * 2}"},
            "signatures": [signature] * 4,
            "verdict": {"id": f"vdt_{mark}", "outcome": "met", "clauses": [clause] * 3},
            "arithmetic": {"amount": AMOUNT, "released": AMOUNT - FEE, "fee": FEE, "refunded": 0},
            "transfers": [{**transfer, "entries": entries}] * 2,
            "evidence": [f"evd_{mark}"] * 2,
            "log": {"size": size, "checkpoint": checkpoint},
        },
        separators=(",", ":"),
        sort_keys=True,
    )
