"""What people noted is sealed at rest, and may be emptied where it was append-only before."""

import pgtrigger.compiler
import pgtrigger.migrations
import reputation.fields
from django.db import migrations, models


def seal_all(apps, schema_editor):
    from reputation.fields import seal_column

    seal_column(apps.get_model("settlement", "DifferenceResolution"), schema_editor, "reason")


class Migration(migrations.Migration):

    dependencies = [
        ('settlement', '0008_accounts_paid'),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name='differenceresolution',
            name='append_only',
        ),
        migrations.RemoveConstraint(
            model_name='differenceresolution',
            name='resolution_has_a_reason',
        ),
        migrations.AlterField(
            model_name='differenceresolution',
            name='reason',
            field=models.TextField(blank=True),
        ),
        migrations.RunPython(seal_all, migrations.RunPython.noop),
        migrations.AlterField(
            model_name='differenceresolution',
            name='reason',
            field=reputation.fields.SealedTextField(max_length=1000),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='differenceresolution',
            trigger=pgtrigger.compiler.Trigger(name='has_a_reason', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."reason" = \'\')', func="RAISE EXCEPTION 'pgtrigger: Cannot insert rows from % table', TG_TABLE_NAME;", hash='07c1943c1d1bda5cb0aade234ed8cacb87cadf6c', operation='INSERT', pgid='pgtrigger_has_a_reason_ae6bd', table='settlement_differenceresolution', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='differenceresolution',
            trigger=pgtrigger.compiler.Trigger(name='texts_erased_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n        IF to_jsonb(NEW) - ARRAY['reason'] = to_jsonb(OLD) - ARRAY['reason'] AND NEW.reason IN ('', OLD.reason) THEN\n            RETURN NEW;\n        END IF;\n        RAISE EXCEPTION '% refused: % keeps what happened', TG_OP, TG_TABLE_NAME\n        USING ERRCODE = '23001';\n    ", hash='0e72a82d7e3686c53710f5f18e3b74bad87f645c', operation='UPDATE', pgid='pgtrigger_texts_erased_only_36b10', table='settlement_differenceresolution', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='differenceresolution',
            trigger=pgtrigger.compiler.Trigger(name='never_removed', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    RAISE EXCEPTION '% refused: % is append-only', TG_OP, TG_TABLE_NAME USING ERRCODE = '23001';\n", hash='bbb90bec0479de4efad6c5c5d8f2124f44d3aff3', level='STATEMENT', operation='DELETE OR TRUNCATE', pgid='pgtrigger_never_removed_bbb07', table='settlement_differenceresolution', when='BEFORE')),
        ),
    ]
