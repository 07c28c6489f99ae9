"""The audit's questions about metered budgets: recomputed from the entries, as all of its are."""

RULES: dict[str, str] = {
    "every metered budget says what the entries of its account say": """
        SELECT 'meter ' || m.id,
               'says ' || m.funded || ' funded, ' || m.paid || ' paid, ' || m.fees || ' fees, '
               || m.returned || ' returned; the entries say ' || coalesce(e.funded, 0) || ', '
               || coalesce(e.paid, 0) || ', ' || coalesce(e.fees, 0) || ', '
               || coalesce(e.returned, 0)
          FROM settlement_meter m
          JOIN pacts_engagement g ON g.id = m.engagement_id
          LEFT JOIN LATERAL (
            SELECT sum(o.amount) FILTER (WHERE t.kind = 'meter_funded' AND a.id = m.account_id)
                     AS funded,
                   sum(o.amount) FILTER (WHERE t.kind IN ('meter_drawn', 'meter_holdback')
                                           AND a.owner_id = g.builder_id) AS paid,
                   sum(o.amount) FILTER (WHERE t.kind IN ('meter_drawn', 'meter_holdback')
                                           AND a.kind = 'fees') AS fees,
                   sum(o.amount) FILTER (WHERE t.kind = 'meter_returned'
                                           AND a.owner_id = g.buyer_id) AS returned,
                   sum(o.amount) FILTER (WHERE a.id = m.account_id) AS balance
              FROM (SELECT DISTINCT transfer_id FROM settlement_entry
                     WHERE account_id = m.account_id) x
              JOIN settlement_transfer t ON t.id = x.transfer_id
              JOIN settlement_entry o ON o.transfer_id = t.id
              JOIN settlement_account a ON a.id = o.account_id) e ON true
         WHERE (coalesce(e.funded, 0), coalesce(e.paid, 0), coalesce(e.fees, 0),
                coalesce(e.returned, 0)) IS DISTINCT FROM
               (m.funded::numeric, m.paid::numeric, m.fees::numeric, m.returned::numeric)
            OR coalesce(e.balance, 0) <> m.funded - m.paid - m.fees - m.returned
         ORDER BY m.id LIMIT 1""",
    "what a metered budget keeps back and withholds is what its windows say": """
        SELECT 'meter ' || m.id, 'holds back ' || m.held_back || ' and withholds ' || m.withheld
               || '; its windows say ' || coalesce(w.kept, 0) || ' and ' || coalesce(w.waits, 0)
          FROM settlement_meter m
          LEFT JOIN (SELECT meter_id, sum(held_back) AS kept,
                            sum(covered) FILTER (WHERE state = 'withheld') AS waits
                       FROM settlement_meterwindow GROUP BY meter_id) w ON w.meter_id = m.id
         WHERE (m.state <> 'ended' AND m.held_back <> coalesce(w.kept, 0))
            OR m.withheld <> coalesce(w.waits, 0)
         ORDER BY m.id LIMIT 1""",
    "every window of a metered budget was paid what it earned, once": """
        SELECT 'window ' || w.id, 'earned ' || w.earned || ', paid ' || w.paid || ', fee ' || w.fee
               || ', held back ' || w.held_back || '; the entries say ' || coalesce(e.paid, 0)
               || ' and ' || coalesce(e.fees, 0)
          FROM settlement_meterwindow w
          JOIN settlement_meter m ON m.id = w.meter_id
          JOIN pacts_engagement g ON g.id = m.engagement_id
          LEFT JOIN LATERAL (
            SELECT sum(o.amount) FILTER (WHERE a.owner_id = g.builder_id) AS paid,
                   sum(o.amount) FILTER (WHERE a.kind = 'fees') AS fees
              FROM settlement_entry o JOIN settlement_account a ON a.id = o.account_id
             WHERE o.transfer_id = w.transfer_id) e ON true
         WHERE (w.paid, w.fee) IS DISTINCT FROM (coalesce(e.paid, 0), coalesce(e.fees, 0))
            OR (w.state = 'settled' AND w.earned <> w.paid + w.fee + w.held_back)
         ORDER BY w.id LIMIT 1""",
    "every draw of a metered budget is one window's, and every movement has its row": """
        SELECT 'transfer ' || t.id, t.kind || ' ' || t.idempotency_key || ' stands alone'
          FROM settlement_transfer t
          LEFT JOIN settlement_metermovement v ON v.transfer_id = t.id
          LEFT JOIN settlement_meterwindow w ON w.transfer_id = t.id
         WHERE t.kind LIKE 'meter\\_%'
           AND (v.id IS NULL OR (t.kind = 'meter_drawn' AND w.id IS NULL))
         ORDER BY t.id LIMIT 1""",
    "every settled window has a signed statement and one record in the log": """
        SELECT 'window ' || w.id, 'was settled without one of them'
          FROM settlement_meterwindow w
          LEFT JOIN settlement_meterstatement s ON s.window_id = w.id
          LEFT JOIN reputation_evidence v ON v.dedupe_key = 'meter.settled:' || w.id
         WHERE w.state = 'settled' AND (s.id IS NULL OR v.id IS NULL)
         ORDER BY w.id LIMIT 1""",
}

OVERDUE = """
    SELECT 'meter ' || id, 'was due at ' || next_action_at FROM settlement_meter
     WHERE next_action_at < %s ORDER BY next_action_at LIMIT 1"""
