"""What people noted is sealed at rest, and may be emptied where it was append-only before."""

import pgtrigger.compiler
import pgtrigger.migrations
import reputation.fields
from django.db import migrations, models


def seal_all(apps, schema_editor):
    from reputation.fields import seal_column

    seal_column(apps.get_model("pacts", "ReviewLabel"), schema_editor, "note")
    seal_column(apps.get_model("pacts", "TaskSet"), schema_editor, "note")


class Migration(migrations.Migration):

    dependencies = [
        ('pacts', '0012_hosts_of_agents'),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name='reviewlabel',
            name='append_only',
        ),
        migrations.AlterField(
            model_name='reviewlabel',
            name='note',
            field=models.TextField(blank=True),
        ),
        migrations.AlterField(
            model_name='taskset',
            name='note',
            field=models.TextField(blank=True),
        ),
        migrations.RunPython(seal_all, migrations.RunPython.noop),
        migrations.AlterField(
            model_name='reviewlabel',
            name='note',
            field=reputation.fields.SealedTextField(blank=True, max_length=1000),
        ),
        migrations.AlterField(
            model_name='taskset',
            name='note',
            field=reputation.fields.SealedTextField(blank=True, max_length=2000),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='reviewlabel',
            trigger=pgtrigger.compiler.Trigger(name='texts_erased_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n        IF to_jsonb(NEW) - ARRAY['note'] = to_jsonb(OLD) - ARRAY['note'] AND NEW.note IN ('', OLD.note) THEN\n            RETURN NEW;\n        END IF;\n        RAISE EXCEPTION '% refused: % keeps what happened', TG_OP, TG_TABLE_NAME\n        USING ERRCODE = '23001';\n    ", hash='cd7fb9c8590e276f1d3180e1f39dbd57cc2ee013', operation='UPDATE', pgid='pgtrigger_texts_erased_only_d2256', table='pacts_reviewlabel', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='reviewlabel',
            trigger=pgtrigger.compiler.Trigger(name='never_removed', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    RAISE EXCEPTION '% refused: % is append-only', TG_OP, TG_TABLE_NAME USING ERRCODE = '23001';\n", hash='5557c9a8570090d7aba5d7f50b4db165517d32ea', level='STATEMENT', operation='DELETE OR TRUNCATE', pgid='pgtrigger_never_removed_1fe62', table='pacts_reviewlabel', when='BEFORE')),
        ),
    ]
