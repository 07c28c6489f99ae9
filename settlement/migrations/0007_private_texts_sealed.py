"""What people wrote is sealed at rest, and may be emptied where it was append-only before."""

import pgtrigger.compiler
import pgtrigger.migrations
import reputation.fields
from django.db import migrations


def seal_all(apps, schema_editor):
    from reputation.fields import seal_column

    seal_column(apps.get_model("settlement", "Cancellation"), schema_editor, 'note')


class Migration(migrations.Migration):

    dependencies = [
        ('settlement', '0006_shapes_checked_at_birth'),
    ]

    operations = [
        migrations.RunPython(seal_all, migrations.RunPython.noop),
        pgtrigger.migrations.RemoveTrigger(
            model_name='cancellation',
            name='closed_is_frozen',
        ),
        migrations.AlterField(
            model_name='cancellation',
            name='note',
            field=reputation.fields.SealedTextField(blank=True, max_length=1000),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='cancellation',
            trigger=pgtrigger.compiler.Trigger(name='closed_is_frozen', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NOT (OLD."state" = \'open\'))', func="\n        IF to_jsonb(NEW) - ARRAY['note'] = to_jsonb(OLD) - ARRAY['note'] AND NEW.note IN ('', OLD.note) THEN\n            RETURN NEW;\n        END IF;\n        RAISE EXCEPTION '% refused: % keeps what happened', TG_OP, TG_TABLE_NAME\n        USING ERRCODE = '23001';\n    ", hash='033517ea5f089e0fdc1963f30310d978379a7aef', operation='UPDATE', pgid='pgtrigger_closed_is_frozen_70c03', table='settlement_cancellation', when='BEFORE')),
        ),
    ]
