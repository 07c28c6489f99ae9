"""The audit: recompute everything from the entries, with code that posting does not share.

Each rule is one question in SQL that finds its first bad row; no rule trusts a stored balance. The
questions are read in one snapshot, so a market at work balances too.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction

from settlement import metering_audit

GRACE = timedelta(seconds=60)  # what a sweep may need after a deadline


@dataclass(frozen=True, slots=True)
class Finding:
    """A broken rule and the first row that breaks it, such as `entry 17`."""

    rule: str
    where: str
    detail: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.where}: {self.detail}"


# Each question selects (where, detail) of the first bad row. Every entry is summed as numeric, so
# that no tampered amount can overflow the audit itself.
RULES: dict[str, str] = {
    "every transfer sums to zero in each currency": """
        SELECT 'transfer ' || transfer_id, 'adds up to ' || sum(amount) || ' ' || currency
          FROM settlement_entry GROUP BY transfer_id, currency HAVING sum(amount) <> 0
         ORDER BY transfer_id LIMIT 1""",
    "every transfer has entries": """
        SELECT 'transfer ' || t.id, t.kind || ' moves nothing' FROM settlement_transfer t
         WHERE NOT EXISTS (SELECT FROM settlement_entry e WHERE e.transfer_id = t.id)
         ORDER BY t.id LIMIT 1""",
    "every entry belongs to a transfer and an account of its currency": """
        SELECT 'entry ' || e.id, 'transfer ' || e.transfer_id || ', account ' || e.account_id
          FROM settlement_entry e
          LEFT JOIN settlement_transfer t ON t.id = e.transfer_id
          LEFT JOIN settlement_account a ON a.id = e.account_id AND a.currency_id = e.currency
         WHERE t.id IS NULL OR a.id IS NULL ORDER BY e.id LIMIT 1""",
    "versions of an account have no gap": """
        SELECT 'entry ' || id, 'is version ' || account_version || ', not ' || expected FROM (
            SELECT id, account_version,
                   row_number() OVER (PARTITION BY account_id ORDER BY account_version) AS expected
              FROM settlement_entry WHERE account_version IS NOT NULL
        ) AS numbered WHERE account_version <> expected ORDER BY id LIMIT 1""",
    "each balance follows from the one before": """
        SELECT 'entry ' || id, 'says ' || balance_after || ', the entries say ' || folded FROM (
            SELECT e.id, e.balance_after,
                   sum(e.amount) OVER (PARTITION BY e.account_id ORDER BY e.account_version)
                     AS folded
              FROM settlement_entry e
              JOIN settlement_account a ON a.id = e.account_id AND NOT a.deferred
        ) AS running WHERE balance_after IS DISTINCT FROM folded ORDER BY id LIMIT 1""",
    "every balance, with its queue, is the sum of its entries": """
        SELECT 'account ' || a.id,
               'holds ' || a.balance + coalesce(q.total, 0) || ', the entries say '
               || coalesce(e.total, 0)
          FROM settlement_account a
          LEFT JOIN (SELECT account_id, sum(amount) AS total, max(account_version) AS version
                       FROM settlement_entry GROUP BY account_id) e ON e.account_id = a.id
          LEFT JOIN (SELECT account_id, sum(amount) AS total
                       FROM settlement_queuedcredit GROUP BY account_id) q ON q.account_id = a.id
         WHERE a.balance + coalesce(q.total, 0) <> coalesce(e.total, 0)
            OR a.version <> coalesce(e.version, 0)
         ORDER BY a.id LIMIT 1""",
    "no account is below its floor": """
        SELECT 'account ' || id, 'holds ' || balance || ' and may not fall below ' || floor
          FROM settlement_account WHERE balance < floor ORDER BY id LIMIT 1""",
    "what is inside is deposits minus payouts, per currency": """
        SELECT 'currency ' || e.currency,
               'accounts hold ' || sum(e.amount) FILTER (WHERE a.kind <> 'rail')
               || ', ' || -sum(e.amount) FILTER (WHERE a.kind = 'rail') || ' came in'
          FROM settlement_entry e JOIN settlement_account a ON a.id = e.account_id
         GROUP BY e.currency HAVING sum(e.amount) <> 0 ORDER BY e.currency LIMIT 1""",
    "a resolution empties exactly the hold it resolves": """
        SELECT 'transfer ' || r.id, 'resolves transfer ' || r.resolves_id || ' with other amounts'
          FROM settlement_transfer r
         WHERE r.resolves_id IS NOT NULL AND (
               EXISTS (SELECT account_id, amount FROM settlement_entry
                        WHERE transfer_id = r.resolves_id AND amount > 0
                       EXCEPT SELECT account_id, -amount FROM settlement_entry
                        WHERE transfer_id = r.id)
            OR EXISTS (SELECT account_id, -amount FROM settlement_entry
                        WHERE transfer_id = r.id AND amount < 0
                       EXCEPT SELECT account_id, amount FROM settlement_entry
                        WHERE transfer_id = r.resolves_id))
         ORDER BY r.id LIMIT 1""",
    "no hold is resolved twice": """
        SELECT 'transfer ' || resolves_id, 'is resolved ' || count(*) || ' times'
          FROM settlement_transfer WHERE resolves_id IS NOT NULL
         GROUP BY resolves_id HAVING count(*) > 1 ORDER BY resolves_id LIMIT 1""",
    "every escrow was funded with its amount": """
        SELECT 'escrow ' || s.id, 'of ' || s.amount || ' holds ' || coalesce(e.total, 0)
          FROM settlement_escrow s
          LEFT JOIN LATERAL (
            SELECT sum(amount) AS total FROM settlement_entry
             WHERE transfer_id = s.hold_id AND account_id = s.account_id) e ON true
         WHERE s.hold_id IS NOT NULL AND e.total IS DISTINCT FROM s.amount
         ORDER BY s.id LIMIT 1""",
    "funded = released + refunded + fees for every settled escrow": """
        SELECT 'escrow ' || s.id, 'says released ' || s.released || ', refunded ' || s.refunded
               || ', fee ' || s.fee || '; the entries say otherwise'
          FROM settlement_escrow s
          JOIN pacts_milestone m ON m.id = s.milestone_id
          JOIN pacts_engagement g ON g.id = m.engagement_id
          LEFT JOIN LATERAL (
            SELECT coalesce(sum(e.amount) FILTER (WHERE a.owner_id = g.builder_id), 0) AS builder,
                   coalesce(sum(e.amount) FILTER (WHERE a.owner_id = g.buyer_id), 0) AS buyer,
                   coalesce(sum(e.amount) FILTER (WHERE a.kind = 'fees'), 0) AS fees
              FROM settlement_entry e JOIN settlement_account a ON a.id = e.account_id
             WHERE e.transfer_id = s.resolution_id) paid ON true
         WHERE s.state IN ('released', 'refunded', 'split') AND (
               (paid.builder, paid.buyer, paid.fees) IS DISTINCT FROM
               (s.released::numeric, s.refunded::numeric, s.fee::numeric)
            OR paid.builder + paid.buyer + paid.fees <> s.amount)
         ORDER BY s.id LIMIT 1""",
    "every settled escrow has a resolution, a receipt and one record in the log": """
        SELECT 'escrow ' || s.id, 'was ' || s.state || ' without one of them'
          FROM settlement_escrow s
          LEFT JOIN settlement_transfer t ON t.id = s.resolution_id AND t.resolves_id = s.hold_id
          LEFT JOIN settlement_receipt r ON r.escrow_id = s.id
          LEFT JOIN reputation_evidence v ON v.dedupe_key = 'escrow.settled:' || s.id
         WHERE s.state IN ('released', 'refunded', 'split')
           AND (t.id IS NULL OR r.id IS NULL OR v.id IS NULL)
         ORDER BY s.id LIMIT 1""",
    "no resolved hold leaves its escrow or payout open": """
        SELECT coalesce('escrow ' || s.id, 'bond ' || b.id, 'payout ' || p.id,
                        'filing deposit ' || f.id, 'transfer ' || t.id),
               'its hold is resolved by transfer ' || t.id
          FROM settlement_transfer t
          LEFT JOIN settlement_escrow s ON s.hold_id = t.resolves_id
          LEFT JOIN settlement_bond b ON b.hold_id = t.resolves_id
          LEFT JOIN settlement_payout p ON p.hold_id = t.resolves_id
          LEFT JOIN settlement_filingdeposit f ON f.hold_id = t.resolves_id
         WHERE t.resolves_id IS NOT NULL
           AND t.id IS DISTINCT FROM
               coalesce(s.resolution_id, b.resolution_id, p.resolution_id, f.resolution_id)
         ORDER BY t.id LIMIT 1""",
    "every bond was staked in full, and ended with its escrow where the entries say": """
        SELECT 'bond ' || b.id, 'of ' || b.amount || ' is ' || b.state || '; the entries say '
               || coalesce(held.total, 0) || ' staked, ' || coalesce(paid.total, 0) || ' paid'
          FROM settlement_bond b
          JOIN settlement_escrow s ON s.id = b.escrow_id
          JOIN pacts_milestone m ON m.id = s.milestone_id
          JOIN pacts_engagement g ON g.id = m.engagement_id
          LEFT JOIN LATERAL (
            SELECT sum(e.amount) AS total FROM settlement_entry e
             WHERE e.transfer_id = b.hold_id AND e.account_id = b.account_id) held ON true
          LEFT JOIN LATERAL (
            SELECT sum(e.amount) AS total
              FROM settlement_entry e JOIN settlement_account a ON a.id = e.account_id
             WHERE e.transfer_id = b.resolution_id
               AND a.owner_id = CASE b.state WHEN 'slashed' THEN g.buyer_id
                                             ELSE g.builder_id END) paid ON true
         WHERE held.total IS DISTINCT FROM b.amount::numeric
            OR (b.state = 'held') <> (s.state IN ('held', 'withheld', 'frozen'))
            OR (b.state <> 'held' AND paid.total IS DISTINCT FROM b.amount::numeric)
         ORDER BY b.id LIMIT 1""",
    "an agreed bond is staked while its milestone is at work": """
        SELECT 'milestone ' || m.id, 'staked ' || coalesce(b.amount, 0) || ' of ' || m.bond
          FROM pacts_milestone m
          JOIN settlement_escrow s ON s.milestone_id = m.id AND s.hold_id IS NOT NULL
          LEFT JOIN settlement_bond b ON b.escrow_id = s.id
         WHERE m.bond <> coalesce(b.amount, 0) ORDER BY m.id LIMIT 1""",
    "every filing deposit was held in full, and ended with its dispute where the entries say": """
        SELECT 'filing deposit ' || f.id, 'of ' || f.amount || ' is ' || f.state
               || '; the entries say ' || coalesce(held.total, 0) || ' held, '
               || coalesce(paid.total, 0) || ' paid'
          FROM settlement_filingdeposit f
          JOIN pacts_dispute d ON d.id = f.dispute_id
          JOIN pacts_milestone m ON m.id = d.milestone_id
          JOIN pacts_engagement g ON g.id = m.engagement_id
          LEFT JOIN LATERAL (
            SELECT sum(e.amount) AS total FROM settlement_entry e
             WHERE e.transfer_id = f.hold_id AND e.account_id = f.account_id) held ON true
          LEFT JOIN LATERAL (
            SELECT sum(e.amount) AS total
              FROM settlement_entry e JOIN settlement_account a ON a.id = e.account_id
             WHERE e.transfer_id = f.resolution_id
               AND a.owner_id = CASE WHEN f.state = 'returned' THEN f.party_id
                                     WHEN f.party_id = g.buyer_id THEN g.builder_id
                                     ELSE g.buyer_id END) paid ON true
         WHERE held.total IS DISTINCT FROM f.amount::numeric
            OR (f.state = 'held' AND d.state = 'closed' AND d.outcome <> 'withdrawn')
            OR (f.state <> 'held' AND (d.state <> 'closed'
                OR paid.total IS DISTINCT FROM f.amount::numeric))
            OR (f.state = 'forfeited') <>
               (d.lost_by = CASE WHEN f.party_id = g.buyer_id THEN 'buyer' ELSE 'builder' END)
               AND f.state <> 'held'
         ORDER BY f.id LIMIT 1""",
    "a closed dispute has one record in the log, and none is open once its money moved": """
        SELECT 'dispute ' || d.id, 'is ' || d.state || '; its escrow is ' || s.state
          FROM pacts_dispute d
          JOIN settlement_escrow s ON s.milestone_id = d.milestone_id
          LEFT JOIN reputation_evidence v ON v.dedupe_key = 'dispute.closed:' || d.id
         WHERE (d.state <> 'closed' AND s.state IN ('released', 'refunded', 'split'))
            OR (d.state = 'closed') <> (v.id IS NOT NULL)
               AND (d.state <> 'closed' OR d.periods <> '{}')
         ORDER BY d.id LIMIT 1""",
    "every deposit that succeeded was credited in full": """
        SELECT 'deposit ' || d.id, 'of ' || d.amount || ' credited ' || coalesce(e.amount, 0)
          FROM settlement_deposit d
          LEFT JOIN (settlement_entry e JOIN settlement_account a ON a.id = e.account_id)
            ON e.transfer_id = d.transfer_id AND a.owner_id = d.party_id
         WHERE d.state = 'succeeded' AND e.amount IS DISTINCT FROM d.amount
         ORDER BY d.id LIMIT 1""",
}

OVERDUE = """
    SELECT 'escrow ' || id, 'was due at ' || next_action_at FROM settlement_escrow
     WHERE next_action_at < %s ORDER BY next_action_at LIMIT 1"""


def audit(*, now: datetime) -> list[Finding]:
    """Every broken rule with its first bad row, in the order of the rules; [] if all is well.

    Opens a transaction of its own unless there is one; needs some seconds per million entries.
    """
    findings = []
    with transaction.atomic(), connection.cursor() as cursor:
        if len(connection.savepoint_ids) == 0:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        for rule, question in (RULES | metering_audit.RULES).items():
            cursor.execute(question)
            findings += [Finding(rule, where, detail) for where, detail in cursor.fetchall()]
        cursor.execute(OVERDUE, [now - GRACE])
        rule = "no escrow stays past its deadline"
        findings += [Finding(rule, where, detail) for where, detail in cursor.fetchall()]
        cursor.execute(metering_audit.OVERDUE, [now - GRACE])
        rule = "no metered budget stays past its moment"
        findings += [Finding(rule, where, detail) for where, detail in cursor.fetchall()]
    return findings
