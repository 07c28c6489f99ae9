"""What people wrote is sealed at rest, and may be emptied where it was append-only before."""

import pgtrigger.compiler
import pgtrigger.migrations
import reputation.fields
from django.db import migrations


def seal_all(apps, schema_editor):
    from reputation.fields import seal_column

    seal_column(apps.get_model("pacts", "Dispute"), schema_editor, 'statement', 'answer')
    seal_column(apps.get_model("pacts", "Ruling"), schema_editor, 'reasons')


class Migration(migrations.Migration):

    dependencies = [
        ('pacts', '0010_calls'),
    ]

    operations = [
        migrations.RunPython(seal_all, migrations.RunPython.noop),
        pgtrigger.migrations.RemoveTrigger(
            model_name='dispute',
            name='closed_is_frozen',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='ruling',
            name='append_only',
        ),
        migrations.AlterField(
            model_name='dispute',
            name='answer',
            field=reputation.fields.SealedTextField(blank=True, max_length=4000),
        ),
        migrations.AlterField(
            model_name='dispute',
            name='statement',
            field=reputation.fields.SealedTextField(max_length=4000),
        ),
        migrations.AlterField(
            model_name='ruling',
            name='reasons',
            field=reputation.fields.SealedTextField(max_length=8000),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='dispute',
            trigger=pgtrigger.compiler.Trigger(name='closed_is_frozen', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."state" IN (\'ruled\', \'withdrawn\', \'settled\', \'defaulted\', \'unruled\'))', func="\n        IF to_jsonb(NEW) - ARRAY['statement', 'answer'] = to_jsonb(OLD) - ARRAY['statement', 'answer'] AND NEW.statement IN ('', OLD.statement) AND NEW.answer IN ('', OLD.answer) THEN\n            RETURN NEW;\n        END IF;\n        RAISE EXCEPTION '% refused: % keeps what happened', TG_OP, TG_TABLE_NAME\n        USING ERRCODE = '23001';\n    ", hash='f3398a36c6821aec533167db22436980b756cae6', operation='UPDATE', pgid='pgtrigger_closed_is_frozen_8b6a4', table='pacts_dispute', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='dispute',
            trigger=pgtrigger.compiler.Trigger(name='closed_stays', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."state" IN (\'ruled\', \'withdrawn\', \'settled\', \'defaulted\', \'unruled\'))', func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='8c7bdc7eb6f3249261968ccc0a7f343f0d74f94d', operation='DELETE', pgid='pgtrigger_closed_stays_0437d', table='pacts_dispute', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='ruling',
            trigger=pgtrigger.compiler.Trigger(name='texts_erased_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n        IF to_jsonb(NEW) - ARRAY['reasons'] = to_jsonb(OLD) - ARRAY['reasons'] AND NEW.reasons IN ('', OLD.reasons) THEN\n            RETURN NEW;\n        END IF;\n        RAISE EXCEPTION '% refused: % keeps what happened', TG_OP, TG_TABLE_NAME\n        USING ERRCODE = '23001';\n    ", hash='7090af3fefead2f07b4db0646c1d278db8ac829c', operation='UPDATE', pgid='pgtrigger_texts_erased_only_770bd', table='pacts_ruling', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='ruling',
            trigger=pgtrigger.compiler.Trigger(name='never_removed', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    RAISE EXCEPTION '% refused: % is append-only', TG_OP, TG_TABLE_NAME USING ERRCODE = '23001';\n", hash='c39cfbf4d0f2d559e1fd5d1dde19e8bc0cba5551', level='STATEMENT', operation='DELETE OR TRUNCATE', pgid='pgtrigger_never_removed_dc1d0', table='pacts_ruling', when='BEFORE')),
        ),
    ]
