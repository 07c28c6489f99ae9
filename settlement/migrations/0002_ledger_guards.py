"""What the database itself keeps of the ledger, against everybody, and the functions that post.

Plain triggers, not pgtrigger's: those can be switched off by a session setting, and the one on
entries runs for every side of every transfer. Errors carry the name of the rule as CONSTRAINT;
`settlement.ledger` turns it into a named error.
"""

from django.db import migrations

APPEND_ONLY = """
CREATE FUNCTION settlement_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% refused: % is append-only', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'restrict_violation', CONSTRAINT = 'ledger_append_only';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON settlement_entry
  FOR EACH STATEMENT EXECUTE FUNCTION settlement_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON settlement_transfer
  FOR EACH STATEMENT EXECUTE FUNCTION settlement_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON settlement_currency
  FOR EACH STATEMENT EXECUTE FUNCTION settlement_append_only();
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON settlement_account
  FOR EACH STATEMENT EXECUTE FUNCTION settlement_append_only();
"""

# At trigger depth 0 the statement came from outside; from a ledger trigger the depth is 1 or more.
BALANCES = """
CREATE FUNCTION settlement_balances_move_by_entries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% of % refused: balances move only through entries', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'restrict_violation', CONSTRAINT = 'balance_moves_by_entries';
END $$;
CREATE TRIGGER moves_by_entries BEFORE UPDATE ON settlement_account
  FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0)
  EXECUTE FUNCTION settlement_balances_move_by_entries();
CREATE TRIGGER opens_empty BEFORE INSERT ON settlement_account
  FOR EACH ROW WHEN (NEW.balance <> 0 OR NEW.version <> 0)
  EXECUTE FUNCTION settlement_balances_move_by_entries();
CREATE TRIGGER moves_by_entries BEFORE INSERT OR UPDATE ON settlement_queuedcredit
  FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0)
  EXECUTE FUNCTION settlement_balances_move_by_entries();
CREATE TRIGGER keeps_queue BEFORE TRUNCATE ON settlement_queuedcredit
  FOR EACH STATEMENT EXECUTE FUNCTION settlement_append_only();

CREATE FUNCTION settlement_fold_queue() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE settlement_account SET balance = balance + folded.total
    FROM (SELECT account_id, sum(amount) AS total FROM taken GROUP BY account_id) AS folded
   WHERE id = folded.account_id;
  RETURN NULL;
END $$;
CREATE TRIGGER fold AFTER DELETE ON settlement_queuedcredit REFERENCING OLD TABLE AS taken
  FOR EACH STATEMENT EXECUTE FUNCTION settlement_fold_queue();

-- The account is locked before its queue: a roll-up and a debit then wait, and cannot deadlock.
CREATE FUNCTION settlement_roll_up(target bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE folded bigint;
BEGIN
  PERFORM 1 FROM settlement_account WHERE id = target FOR NO KEY UPDATE;
  DELETE FROM settlement_queuedcredit WHERE account_id = target;
  GET DIAGNOSTICS folded = ROW_COUNT;
  RETURN folded;
END $$;
"""

ENTRIES = """
CREATE FUNCTION settlement_apply_entry() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE hot record;
BEGIN
  UPDATE settlement_account SET balance = balance + NEW.amount, version = version + 1
   WHERE id = NEW.account_id AND currency_id = NEW.currency AND NOT deferred
  RETURNING balance, version INTO NEW.balance_after, NEW.account_version;
  IF FOUND THEN RETURN NEW; END IF;

  SELECT currency_id, floor INTO hot FROM settlement_account WHERE id = NEW.account_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no account %', NEW.account_id
      USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'entry_account_exists';
  ELSIF hot.currency_id <> NEW.currency THEN
    RAISE EXCEPTION 'account % keeps %, not %', NEW.account_id, hot.currency_id, NEW.currency
      USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_currency_matches';
  ELSIF NEW.amount < 0 AND hot.floor IS NOT NULL THEN
    PERFORM settlement_roll_up(NEW.account_id);
    UPDATE settlement_account SET balance = balance + NEW.amount, version = version + 1
     WHERE id = NEW.account_id
    RETURNING balance, version INTO NEW.balance_after, NEW.account_version;
    RETURN NEW;
  END IF;
  INSERT INTO settlement_queuedcredit (account_id, amount) VALUES (NEW.account_id, NEW.amount);
  NEW.balance_after := NULL;
  NEW.account_version := NULL;
  RETURN NEW;
END $$;
CREATE TRIGGER apply BEFORE INSERT ON settlement_entry
  FOR EACH ROW EXECUTE FUNCTION settlement_apply_entry();

-- Transaction ids start again after a restore into a new cluster, so the instant must match too.
CREATE FUNCTION settlement_check_entries() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE wrong record;
BEGIN
  SELECT a.transfer_id, sum(a.amount) AS total INTO wrong
    FROM added a LEFT JOIN settlement_transfer t ON t.id = a.transfer_id
   GROUP BY a.transfer_id, a.currency
  HAVING sum(a.amount) <> 0 OR bool_or(
         t.id IS NULL OR t.xid <> pg_current_xact_id()::text::bigint OR t.posted_at <> now())
   LIMIT 1;
  IF NOT FOUND THEN RETURN NULL; END IF;
  IF wrong.total <> 0 THEN
    RAISE EXCEPTION 'the entries of transfer % add up to %', wrong.transfer_id, wrong.total
      USING ERRCODE = 'check_violation', CONSTRAINT = 'transfer_sums_to_zero';
  END IF;
  RAISE EXCEPTION 'transfer % is closed or absent', wrong.transfer_id
    USING ERRCODE = 'check_violation', CONSTRAINT = 'transfer_open';
END $$;
CREATE TRIGGER balanced AFTER INSERT ON settlement_entry REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION settlement_check_entries();
ALTER TABLE settlement_account SET (fillfactor = 50);
"""

# Entries are applied in account order, transfers of a batch claimed in key order: no deadlocks.
POSTING = """
CREATE FUNCTION settlement_post(
  wanted_kind text, wanted_key text, wanted_hash bytea, hold bigint,
  accounts bigint[], currencies text[], amounts bigint[],
  OUT posted bigint, OUT replayed boolean
) LANGUAGE plpgsql AS $$
DECLARE known bytea;
BEGIN
  INSERT INTO settlement_transfer (kind, idempotency_key, request_hash, resolves_id)
  VALUES (wanted_kind, wanted_key, wanted_hash, hold)
  ON CONFLICT (idempotency_key) DO NOTHING RETURNING id INTO posted;
  replayed := posted IS NULL;
  IF NOT replayed THEN
    INSERT INTO settlement_entry (transfer_id, account_id, currency, amount)
    SELECT posted, side.account, side.currency, side.amount
      FROM unnest(accounts, currencies, amounts) AS side (account, currency, amount)
     ORDER BY side.account;
    RETURN;
  END IF;
  SELECT id, request_hash INTO posted, known
    FROM settlement_transfer WHERE idempotency_key = wanted_key;
  IF known <> wanted_hash THEN
    RAISE EXCEPTION 'the key % was used for another request', wanted_key
      USING ERRCODE = 'unique_violation', CONSTRAINT = 'transfer_key_same_request';
  END IF;
END $$;

CREATE FUNCTION settlement_post_batch(
  kinds text[], keys text[], hashes bytea[], holds bigint[],
  places bigint[], accounts bigint[], currencies text[], amounts bigint[]
) RETURNS TABLE (posted bigint, replayed boolean) LANGUAGE plpgsql AS $$
DECLARE fresh bigint[]; reused text;
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
  SELECT coalesce(array_agg(made.id), '{}') INTO fresh FROM made;

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

UNDO = """
DROP FUNCTION IF EXISTS settlement_post(text, text, bytea, bigint, bigint[], text[], bigint[]);
DROP FUNCTION IF EXISTS settlement_post_batch(
  text[], text[], bytea[], bigint[], bigint[], bigint[], text[], bigint[]);
DROP FUNCTION IF EXISTS settlement_check_entries, settlement_apply_entry, settlement_fold_queue,
  settlement_balances_move_by_entries, settlement_append_only CASCADE;
DROP FUNCTION IF EXISTS settlement_roll_up(bigint);
"""


class Migration(migrations.Migration):
    dependencies = [("settlement", "0001_initial")]
    operations = [migrations.RunSQL(APPEND_ONLY + BALANCES + ENTRIES + POSTING, UNDO)]
