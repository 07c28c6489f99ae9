"""Whoever files a dispute may have to set a deposit aside: a kind of account and three of transfers."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
import reputation.fields
from django.db import migrations, models

KINDS = """
CREATE OR REPLACE FUNCTION settlement_check_account() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE broken text := CASE
  WHEN NEW.kind NOT IN ('party', 'escrow', 'payout', 'bond', 'meter', 'filing', 'fees', 'rail')
    THEN 'account_kind_known'
  WHEN (NEW.kind = 'party') <> (NEW.owner_id IS NOT NULL) THEN 'account_owner_is_a_party'
  WHEN NEW.kind <> 'rail' AND NEW.floor IS NULL THEN 'account_has_a_floor'
END;
BEGIN
  IF broken IS NULL THEN RETURN NEW; END IF;
  RAISE EXCEPTION 'an account of kind % breaks the rule %', NEW.kind, broken
    USING ERRCODE = 'check_violation', CONSTRAINT = broken;
END $$;
CREATE OR REPLACE FUNCTION settlement_check_transfer() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE ends text := CASE
  WHEN NEW.kind IN ('deposit', 'hold', 'payout_hold', 'bond_hold', 'filing_hold', 'meter_funded', 'meter_drawn',
                    'meter_holdback', 'meter_returned') THEN ''
  WHEN NEW.kind IN ('release', 'refund', 'split') THEN 'hold'
  WHEN NEW.kind IN ('payout_paid', 'payout_returned') THEN 'payout_hold'
  WHEN NEW.kind IN ('bond_returned', 'bond_slashed') THEN 'bond_hold'
  WHEN NEW.kind IN ('filing_returned', 'filing_forfeited') THEN 'filing_hold'
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
"""
BEFORE = """
CREATE OR REPLACE FUNCTION settlement_check_account() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE broken text := CASE
  WHEN NEW.kind NOT IN ('party', 'escrow', 'payout', 'bond', 'meter', 'fees', 'rail')
    THEN 'account_kind_known'
  WHEN (NEW.kind = 'party') <> (NEW.owner_id IS NOT NULL) THEN 'account_owner_is_a_party'
  WHEN NEW.kind <> 'rail' AND NEW.floor IS NULL THEN 'account_has_a_floor'
END;
BEGIN
  IF broken IS NULL THEN RETURN NEW; END IF;
  RAISE EXCEPTION 'an account of kind % breaks the rule %', NEW.kind, broken
    USING ERRCODE = 'check_violation', CONSTRAINT = broken;
END $$;
CREATE OR REPLACE FUNCTION settlement_check_transfer() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE ends text := CASE
  WHEN NEW.kind IN ('deposit', 'hold', 'payout_hold', 'bond_hold', 'meter_funded', 'meter_drawn',
                    'meter_holdback', 'meter_returned') THEN ''
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
"""


class Migration(migrations.Migration):

    dependencies = [
        ('pacts', '0019_disputes_in_steps'),
        ('settlement', '0010_metering'),
    ]

    operations = [
        migrations.RunSQL(KINDS, BEFORE),
        migrations.AlterField(
            model_name='account',
            name='kind',
            field=models.CharField(choices=[('party', 'Party'), ('escrow', 'Escrow'), ('payout', 'Payout'), ('bond', 'Bond'), ('filing', 'Filing'), ('meter', 'Meter'), ('fees', 'Fees'), ('rail', 'Rail')], max_length=8),
        ),
        migrations.AlterField(
            model_name='transfer',
            name='kind',
            field=models.CharField(choices=[('deposit', 'Deposit'), ('hold', 'Hold'), ('release', 'Release'), ('refund', 'Refund'), ('split', 'Split'), ('payout_hold', 'Payout Hold'), ('payout_paid', 'Payout Paid'), ('payout_returned', 'Payout Returned'), ('bond_hold', 'Bond Hold'), ('bond_returned', 'Bond Returned'), ('bond_slashed', 'Bond Slashed'), ('filing_hold', 'Filing Hold'), ('filing_returned', 'Filing Returned'), ('filing_forfeited', 'Filing Forfeited'), ('meter_funded', 'Meter Funded'), ('meter_drawn', 'Meter Drawn'), ('meter_holdback', 'Meter Holdback'), ('meter_returned', 'Meter Returned')], max_length=16),
        ),
        migrations.CreateModel(
            name='FilingDeposit',
            fields=[
                ('id', reputation.fields.PublicIdField('fil', db_collation='C', editable=False, max_length=40, primary_key=True, serialize=False)),
                ('currency', models.CharField(max_length=12)),
                ('amount', models.PositiveBigIntegerField()),
                ('state', models.CharField(choices=[('held', 'Held'), ('returned', 'Returned'), ('forfeited', 'Forfeited')], default='held', max_length=10)),
                ('held_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('account', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='filing', to='settlement.account')),
                ('dispute', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='deposit', to='pacts.dispute')),
                ('hold', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='held_filing', to='settlement.transfer')),
                ('party', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='filing_deposits', to='pacts.party')),
                ('resolution', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='resolved_filing', to='settlement.transfer')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('state', 'held')), fields=['dispute'], name='filing_held')],
                'constraints': [models.CheckConstraint(condition=models.Q(('amount__gt', 0)), name='filing_of_something'), models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', True), ('resolution__isnull', True), ('state', 'held')), models.Q(('ended_at__isnull', False), ('resolution__isnull', False), ('state__in', ['returned', 'forfeited'])), _connector='OR'), name='filing_ended_by_a_resolution')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='filingdeposit',
            trigger=pgtrigger.compiler.Trigger(name='guard', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    IF TG_OP = 'DELETE' THEN\n        RAISE EXCEPTION 'filing deposit % is never deleted', OLD.id\n            USING ERRCODE = '23001', CONSTRAINT = 'filing_never_deleted';\n    ELSIF OLD.resolution_id IS NOT NULL THEN\n        RAISE EXCEPTION 'filing deposit % had its outcome', OLD.id\n            USING ERRCODE = '23001', CONSTRAINT = 'filing_ended_is_frozen';\n    ELSIF (NEW.dispute_id, NEW.party_id, NEW.account_id, NEW.hold_id, NEW.amount, NEW.currency)\n          IS DISTINCT FROM\n          (OLD.dispute_id, OLD.party_id, OLD.account_id, OLD.hold_id, OLD.amount, OLD.currency) THEN\n        RAISE EXCEPTION 'the terms of filing deposit % are fixed', OLD.id\n            USING ERRCODE = '23001', CONSTRAINT = 'filing_terms_are_fixed';\n    ELSIF NEW.resolution_id IS NOT NULL AND NOT EXISTS (\n        SELECT FROM settlement_transfer t JOIN settlement_account a ON a.id = NEW.account_id\n         WHERE t.id = NEW.resolution_id AND t.resolves_id = NEW.hold_id AND a.balance = 0\n           AND t.kind = 'filing_' || NEW.state\n    ) THEN\n        RAISE EXCEPTION 'filing deposit % is not % by transfer %',\n            OLD.id, NEW.state, NEW.resolution_id\n            USING ERRCODE = '23514', CONSTRAINT = 'filing_resolution_empties_it';\n    END IF;\n    RETURN NEW;\n", hash='f3bedb843b3b156c8dca144f4c174b037a79beef', operation='UPDATE OR DELETE', pgid='pgtrigger_guard_ca587', table='settlement_filingdeposit', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='filingdeposit',
            trigger=pgtrigger.compiler.Trigger(name='never_emptied', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    RAISE EXCEPTION '% refused: % is append-only', TG_OP, TG_TABLE_NAME USING ERRCODE = '23001';\n", hash='f5aa1c9c609dc14e88aaa9b711c16ec7866a2f34', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_emptied_f5866', table='settlement_filingdeposit', when='BEFORE')),
        ),
    ]
