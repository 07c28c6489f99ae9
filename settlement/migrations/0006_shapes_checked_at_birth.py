"""Rules about what never changes are looked at once, when a row is written.

A CHECK is read from its text and planned again by every statement that writes to its table, and
every posting updates accounts; a foreign key locks, and so writes, the row it points at. An account
changes in nothing but its balance, and a transfer in nothing at all: triggers on INSERT keep the
same rules under the same names.
"""

import django.db.models.deletion
from django.db import migrations, models

ACCOUNTS = """
CREATE FUNCTION settlement_check_account() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE broken text := CASE
  WHEN NEW.kind NOT IN ('party', 'escrow', 'payout', 'bond', 'fees', 'rail')
    THEN 'account_kind_known'
  WHEN (NEW.kind = 'party') <> (NEW.owner_id IS NOT NULL) THEN 'account_owner_is_a_party'
  WHEN NEW.kind <> 'rail' AND NEW.floor IS NULL THEN 'account_has_a_floor'
END;
BEGIN
  IF broken IS NULL THEN RETURN NEW; END IF;
  RAISE EXCEPTION 'an account of kind % breaks the rule %', NEW.kind, broken
    USING ERRCODE = 'check_violation', CONSTRAINT = broken;
END $$;
CREATE TRIGGER well_formed BEFORE INSERT ON settlement_account
  FOR EACH ROW EXECUTE FUNCTION settlement_check_account();
"""

# The hold is looked for before the row is written, so a transfer cannot resolve itself; what is
# found cannot go away, because transfers are append-only.
TRANSFERS = """
CREATE FUNCTION settlement_check_transfer() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE ends text := CASE
  WHEN NEW.kind IN ('deposit', 'hold', 'payout_hold', 'bond_hold') THEN ''
  WHEN NEW.kind IN ('release', 'refund', 'split') THEN 'hold'
  WHEN NEW.kind IN ('payout_paid', 'payout_returned') THEN 'payout_hold'
  WHEN NEW.kind IN ('bond_returned', 'bond_slashed') THEN 'bond_hold'
END;
BEGIN
  IF NEW.resolves_id IS NULL THEN
    IF ends = '' THEN RETURN NEW; END IF;
  ELSIF ends <> '' THEN
    PERFORM 1 FROM settlement_transfer WHERE id = NEW.resolves_id AND kind = ends;
    IF FOUND THEN RETURN NEW; END IF;
  END IF;
  RAISE EXCEPTION 'a % resolves %: it needs % to resolve', NEW.kind,
    coalesce('transfer ' || NEW.resolves_id, 'nothing'),
    CASE ends WHEN '' THEN 'nothing' ELSE 'a ' || coalesce(ends, 'known kind') END
    USING ERRCODE = 'check_violation', CONSTRAINT = 'transfer_resolves_a_hold';
END $$;
CREATE TRIGGER resolves_a_hold BEFORE INSERT ON settlement_transfer
  FOR EACH ROW EXECUTE FUNCTION settlement_check_transfer();
"""

BACK = """
DROP TRIGGER well_formed ON settlement_account;
DROP FUNCTION settlement_check_account();
DROP TRIGGER resolves_a_hold ON settlement_transfer;
DROP FUNCTION settlement_check_transfer();
"""


class Migration(migrations.Migration):
    dependencies = [("settlement", "0005_fewer_looks_per_posting")]
    operations = [
        migrations.RunSQL(ACCOUNTS + TRANSFERS, BACK),
        migrations.RemoveConstraint(model_name="account", name="account_has_a_floor"),
        migrations.RemoveConstraint(model_name="account", name="account_kind_known"),
        migrations.RemoveConstraint(model_name="account", name="account_owner_is_a_party"),
        migrations.RemoveConstraint(model_name="transfer", name="transfer_resolves_a_hold"),
        migrations.AlterField(
            model_name="transfer",
            name="resolves",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="resolutions",
                to="settlement.transfer",
            ),
        ),
    ]
