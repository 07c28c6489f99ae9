"""The same rules with fewer looks: a queued credit is written by the statement that finds its
account, and a batch whose keys are all new reads nothing back."""

from django.db import migrations

ENTRIES = """
CREATE OR REPLACE FUNCTION settlement_apply_entry() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE hot record;
BEGIN
  UPDATE settlement_account SET balance = balance + NEW.amount, version = version + 1
   WHERE id = NEW.account_id AND currency_id = NEW.currency AND NOT deferred
  RETURNING balance, version INTO NEW.balance_after, NEW.account_version;
  IF FOUND THEN RETURN NEW; END IF;

  NEW.balance_after := NULL;
  NEW.account_version := NULL;
  INSERT INTO settlement_queuedcredit (account_id, amount)
  SELECT id, NEW.amount FROM settlement_account
   WHERE id = NEW.account_id AND currency_id = NEW.currency
     AND deferred AND (NEW.amount > 0 OR floor IS NULL);
  IF FOUND THEN RETURN NEW; END IF;

  SELECT currency_id, floor INTO hot FROM settlement_account WHERE id = NEW.account_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no account %', NEW.account_id
      USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'entry_account_exists';
  ELSIF hot.currency_id <> NEW.currency THEN
    RAISE EXCEPTION 'account % keeps %, not %', NEW.account_id, hot.currency_id, NEW.currency
      USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_currency_matches';
  END IF;
  PERFORM settlement_roll_up(NEW.account_id);
  UPDATE settlement_account SET balance = balance + NEW.amount, version = version + 1
   WHERE id = NEW.account_id
  RETURNING balance, version INTO NEW.balance_after, NEW.account_version;
  RETURN NEW;
END $$;
"""

POSTING = """
CREATE OR REPLACE FUNCTION settlement_post_batch(
  kinds text[], keys text[], hashes bytea[], holds bigint[],
  places bigint[], accounts bigint[], currencies text[], amounts bigint[]
) RETURNS TABLE (posted bigint, replayed boolean) LANGUAGE plpgsql AS $$
DECLARE fresh bigint[]; fresh_keys text[]; reused text;
BEGIN
  WITH asked AS (
    SELECT * FROM unnest(kinds, keys, hashes, holds)
      WITH ORDINALITY AS a (kind, key, hash, hold, place)
  ), made AS (
    INSERT INTO settlement_transfer (kind, idempotency_key, request_hash, resolves_id)
    SELECT kind, key, hash, hold FROM asked ORDER BY key
    ON CONFLICT (idempotency_key) DO NOTHING RETURNING id, idempotency_key
  ), moved AS (
    INSERT INTO settlement_entry (transfer_id, account_id, currency, amount)
    SELECT made.id, side.account, side.currency, side.amount
      FROM unnest(places, accounts, currencies, amounts)
        AS side (place, account, currency, amount)
      JOIN asked USING (place) JOIN made ON made.idempotency_key = asked.key
     ORDER BY side.account, side.place
  )
  SELECT coalesce(array_agg(made.id), '{}'), array_agg(made.idempotency_key)
    INTO fresh, fresh_keys FROM made;

  IF cardinality(fresh) = cardinality(keys) THEN
    RETURN QUERY SELECT m.id, false
      FROM unnest(keys) WITH ORDINALITY AS a (key, place)
      JOIN unnest(fresh, fresh_keys) AS m (id, key) ON m.key = a.key ORDER BY a.place;
    RETURN;
  END IF;
  SELECT a.key INTO reused FROM unnest(keys, hashes) AS a (key, hash)
    JOIN settlement_transfer t ON t.idempotency_key = a.key AND t.request_hash <> a.hash LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'the key % was used for another request', reused
      USING ERRCODE = 'unique_violation', CONSTRAINT = 'transfer_key_same_request';
  END IF;
  RETURN QUERY SELECT t.id, t.id <> ALL (fresh)
    FROM unnest(keys) WITH ORDINALITY AS a (key, place)
    JOIN settlement_transfer t ON t.idempotency_key = a.key ORDER BY a.place;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("settlement", "0004_rails_and_reconciliation")]
    # Both functions keep their signatures; going back keeps these bodies, which mean the same.
    operations = [migrations.RunSQL(ENTRIES + POSTING, migrations.RunSQL.noop)]
