"""What people wrote is sealed at rest, and may be emptied where it was append-only before."""

import pgtrigger.compiler
import pgtrigger.migrations
import reputation.fields
from django.db import migrations


def seal_all(apps, schema_editor):
    from reputation.fields import seal_column

    seal_column(apps.get_model("reputation", "ControlReview"), schema_editor, 'note')
    seal_column(apps.get_model("reputation", "Override"), schema_editor, 'reason')


class Migration(migrations.Migration):

    dependencies = [
        ('reputation', '0008_checkpoint_tail'),
    ]

    operations = [
        migrations.RunPython(seal_all, migrations.RunPython.noop),
        pgtrigger.migrations.RemoveTrigger(
            model_name='controlreview',
            name='append_only',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='override',
            name='append_only',
        ),
        migrations.RemoveConstraint(
            model_name='override',
            name='override_has_a_reason',
        ),
        migrations.AlterField(
            model_name='controlreview',
            name='note',
            field=reputation.fields.SealedTextField(blank=True, max_length=2000),
        ),
        migrations.AlterField(
            model_name='override',
            name='reason',
            field=reputation.fields.SealedTextField(max_length=2000),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='controlreview',
            trigger=pgtrigger.compiler.Trigger(name='texts_erased_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n        IF to_jsonb(NEW) - ARRAY['note'] = to_jsonb(OLD) - ARRAY['note'] AND NEW.note IN ('', OLD.note) THEN\n            RETURN NEW;\n        END IF;\n        RAISE EXCEPTION '% refused: % keeps what happened', TG_OP, TG_TABLE_NAME\n        USING ERRCODE = '23001';\n    ", hash='e94633f67d09c858277542d6f80f048c8279d950', operation='UPDATE', pgid='pgtrigger_texts_erased_only_00033', table='reputation_controlreview', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='controlreview',
            trigger=pgtrigger.compiler.Trigger(name='never_removed', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    RAISE EXCEPTION '% refused: % is append-only', TG_OP, TG_TABLE_NAME USING ERRCODE = '23001';\n", hash='69b8a48f9a83bf1cfadab9687d0e35c9818ed80c', level='STATEMENT', operation='DELETE OR TRUNCATE', pgid='pgtrigger_never_removed_4749c', table='reputation_controlreview', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='override',
            trigger=pgtrigger.compiler.Trigger(name='has_a_reason', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."reason" = \'\')', func="RAISE EXCEPTION 'pgtrigger: Cannot insert rows from % table', TG_TABLE_NAME;", hash='2097f67662737897f91e33cdfb84c06c59756e72', operation='INSERT', pgid='pgtrigger_has_a_reason_3f45d', table='reputation_override', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='override',
            trigger=pgtrigger.compiler.Trigger(name='texts_erased_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n        IF to_jsonb(NEW) - ARRAY['reason'] = to_jsonb(OLD) - ARRAY['reason'] AND NEW.reason IN ('', OLD.reason) THEN\n            RETURN NEW;\n        END IF;\n        RAISE EXCEPTION '% refused: % keeps what happened', TG_OP, TG_TABLE_NAME\n        USING ERRCODE = '23001';\n    ", hash='81ccfe780b0ee7121588feb8af892a94dc0c6c9a', operation='UPDATE', pgid='pgtrigger_texts_erased_only_47657', table='reputation_override', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='override',
            trigger=pgtrigger.compiler.Trigger(name='never_removed', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    RAISE EXCEPTION '% refused: % is append-only', TG_OP, TG_TABLE_NAME USING ERRCODE = '23001';\n", hash='d02205e7d962108187e9012381880a66203e2a4a', level='STATEMENT', operation='DELETE OR TRUNCATE', pgid='pgtrigger_never_removed_a989e', table='reputation_override', when='BEFORE')),
        ),
    ]
