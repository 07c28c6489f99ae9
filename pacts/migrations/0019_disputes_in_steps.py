"""A dispute goes step by step; those of before are put where their clocks are by now."""

import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
import reputation.fields
from django.conf import settings
from django.db import migrations, models

# Nothing is known of what would have been paid without them, so no side is said to have lost.
MOVED = """
UPDATE pacts_dispute d
   SET state = CASE WHEN d.state <> 'open' THEN 'closed'
                    WHEN d.answered_at IS NULL AND d.ground <> 'human_review' THEN 'opened'
                    ELSE 'under_review' END,
       outcome = CASE WHEN d.state = 'open' THEN '' ELSE d.state END,
       entered_at = coalesce(d.closed_at, d.answered_at, d.opened_at),
       due_at = CASE WHEN d.state <> 'open' THEN d.closed_at
                     WHEN d.answered_at IS NULL AND d.ground <> 'human_review' THEN d.answer_by_at
                     ELSE d.backstop_at END,
       ruling_id = r.id,
       share_bps = r.award_bps
  FROM pacts_dispute o LEFT JOIN pacts_ruling r ON r.dispute_id = o.id
 WHERE o.id = d.id;
SET CONSTRAINTS ALL IMMEDIATE;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('pacts', '0018_calls_of_a_stream'),
    ]

    operations = [
        migrations.CreateModel(
            name='Appeal',
            fields=[
                ('id', reputation.fields.PublicIdField('apl', db_collation='C', editable=False, max_length=40, primary_key=True, serialize=False)),
                ('statement', reputation.fields.SealedTextField(max_length=4000)),
                ('appealed_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='Confirmation',
            fields=[
                ('id', reputation.fields.PublicIdField('cnf', db_collation='C', editable=False, max_length=40, primary_key=True, serialize=False)),
                ('confirmed', models.BooleanField()),
                ('reasons', reputation.fields.SealedTextField(blank=True, max_length=4000)),
                ('decided_at', models.DateTimeField()),
                ('evidence_id', models.CharField(max_length=48)),
            ],
        ),
        migrations.CreateModel(
            name='DisputeStep',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('opened', 'Opened'), ('negotiating', 'Negotiating'), ('evidence_open', 'Evidence Open'), ('evidence_locked', 'Evidence Locked'), ('under_review', 'Under Review'), ('ruled', 'Ruled'), ('challenge_window', 'Challenge Window'), ('appealed', 'Appealed'), ('closed', 'Closed')], max_length=16)),
                ('entered_at', models.DateTimeField()),
                ('due_at', models.DateTimeField()),
                ('by_silence', models.BooleanField(default=False)),
            ],
            options={
                'ordering': ['dispute', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='Exhibit',
            fields=[
                ('id', reputation.fields.PublicIdField('exh', db_collation='C', editable=False, max_length=40, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('text/plain', 'Text'), ('application/json', 'Json'), ('text/csv', 'Csv'), ('image/png', 'Png'), ('image/jpeg', 'Jpeg'), ('application/pdf', 'Pdf')], max_length=20)),
                ('title', reputation.fields.SealedTextField(max_length=200)),
                ('size', models.PositiveIntegerField()),
                ('digest', models.CharField(max_length=80)),
                ('sealed', models.BinaryField()),
                ('added_at', models.DateTimeField()),
                ('evidence_id', models.CharField(max_length=48)),
            ],
            options={
                'ordering': ['added_at', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='Precedent',
            fields=[
                ('id', reputation.fields.PublicIdField('prc', db_collation='C', editable=False, max_length=40, primary_key=True, serialize=False)),
                ('ground', models.CharField(choices=[('non_delivery', 'Non Delivery'), ('performance', 'Performance'), ('scope', 'Scope'), ('invalid_input', 'Invalid Input'), ('amount', 'Amount'), ('misrepresentation', 'Misrepresentation'), ('human_review', 'Human Review')], max_length=20)),
                ('work', models.CharField(blank=True, max_length=40)),
                ('clause_kinds', models.JSONField(default=list)),
                ('award_bps', models.PositiveIntegerField()),
                ('measured_bps', models.PositiveIntegerField(null=True)),
                ('track', models.CharField(choices=[('full', 'Full'), ('small', 'Small')], max_length=5)),
                ('by_rule', models.BooleanField()),
                ('level', models.PositiveSmallIntegerField()),
                ('reasons', models.TextField(max_length=9000)),
                ('reviewed_at', models.DateTimeField(blank=True, null=True)),
                ('published_at', models.DateTimeField()),
                ('words', models.TextField()),
                ('search', models.GeneratedField(db_persist=True, expression=django.contrib.postgres.search.SearchVector('words', 'reasons', config='english'), output_field=django.contrib.postgres.search.SearchVectorField())),
            ],
            options={
                'ordering': ['-published_at'],
            },
        ),
        migrations.CreateModel(
            name='Recusal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', reputation.fields.SealedTextField(blank=True, max_length=1000)),
                ('recused_at', models.DateTimeField()),
            ],
        ),
        migrations.AlterModelOptions(
            name='ruling',
            options={'ordering': ['ruled_at']},
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='dispute',
            name='closed_is_frozen',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='dispute',
            name='closed_stays',
        ),
        migrations.RemoveConstraint(
            model_name='dispute',
            name='dispute_one_open',
        ),
        migrations.AddField(
            model_name='dispute',
            name='assigned_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='dispute',
            name='assigned_to',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='cases', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='dispute',
            name='awaits_second',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='dispute',
            name='builder_rested_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='dispute',
            name='buyer_rested_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='dispute',
            name='clauses',
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.AddField(
            model_name='dispute',
            name='due_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='dispute',
            name='entered_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='dispute',
            name='level',
            field=models.PositiveSmallIntegerField(default=1),
        ),
        migrations.AddField(
            model_name='dispute',
            name='lost_by',
            field=models.CharField(blank=True, default='', max_length=8),
        ),
        migrations.AddField(
            model_name='dispute',
            name='measured_bps',
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='dispute',
            name='needs_second',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='dispute',
            name='outcome',
            field=models.CharField(blank=True, choices=[('ruled', 'Ruled'), ('withdrawn', 'Withdrawn'), ('settled', 'Settled'), ('defaulted', 'Defaulted'), ('unruled', 'Unruled')], default='', max_length=10),
        ),
        migrations.AddField(
            model_name='dispute',
            name='periods',
            field=models.JSONField(default=dict),
        ),
        migrations.AddField(
            model_name='dispute',
            name='recheck',
            field=models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='disputed_by', to='pacts.evaluation'),
        ),
        migrations.AddField(
            model_name='dispute',
            name='rechecked_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='dispute',
            name='ruling',
            field=models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='pacts.ruling'),
        ),
        migrations.AddField(
            model_name='dispute',
            name='share_bps',
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='dispute',
            name='track',
            field=models.CharField(choices=[('full', 'Full'), ('small', 'Small')], default='full', max_length=5),
        ),
        migrations.AddField(
            model_name='dispute',
            name='verdict',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='disputes', to='pacts.verdict'),
        ),
        migrations.AddField(
            model_name='ruling',
            name='by_rule',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='ruling',
            name='level',
            field=models.PositiveSmallIntegerField(default=1),
        ),
        migrations.AlterField(
            model_name='dispute',
            name='state',
            field=models.CharField(choices=[('opened', 'Opened'), ('negotiating', 'Negotiating'), ('evidence_open', 'Evidence Open'), ('evidence_locked', 'Evidence Locked'), ('under_review', 'Under Review'), ('ruled', 'Ruled'), ('challenge_window', 'Challenge Window'), ('appealed', 'Appealed'), ('closed', 'Closed')], default='opened', max_length=16),
        ),
        migrations.AlterField(
            model_name='ruling',
            name='adjudicator',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='rulings', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AlterField(
            model_name='ruling',
            name='dispute',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='rulings', to='pacts.dispute'),
        ),
        migrations.RunSQL(MOVED, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name='dispute', name='due_at', field=models.DateTimeField()
        ),
        migrations.AlterField(
            model_name='dispute', name='entered_at', field=models.DateTimeField()
        ),
        migrations.AddIndex(
            model_name='dispute',
            index=models.Index(condition=models.Q(('state', 'closed'), _negated=True), fields=['due_at'], name='dispute_due'),
        ),
        migrations.AddIndex(
            model_name='dispute',
            index=models.Index(condition=models.Q(('recheck__isnull', False), ('rechecked_at__isnull', True)), fields=['recheck'], name='dispute_to_recheck'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='dispute',
            trigger=pgtrigger.compiler.Trigger(name='closed_is_frozen', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."state" = \'closed\')', func="\n        IF to_jsonb(NEW) - ARRAY['statement', 'answer'] = to_jsonb(OLD) - ARRAY['statement', 'answer'] AND NEW.statement IN ('', OLD.statement) AND NEW.answer IN ('', OLD.answer) THEN\n            RETURN NEW;\n        END IF;\n        RAISE EXCEPTION '% refused: % keeps what happened', TG_OP, TG_TABLE_NAME\n        USING ERRCODE = '23001';\n    ", hash='3c2dac4f529f5ad204e5a68f962bff57070b8c45', operation='UPDATE', pgid='pgtrigger_closed_is_frozen_8b6a4', table='pacts_dispute', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='dispute',
            trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='0e1a98ccf5867581227d1ec42975eb8a507b68b4', operation='DELETE', pgid='pgtrigger_never_deleted_75f7a', table='pacts_dispute', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='ruling',
            trigger=pgtrigger.compiler.Trigger(name='without_interest', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE this_case text; this_level int; author text;', func="this_case := NEW.dispute_id; this_level := NEW.level;\n    IF NEW.adjudicator_id IS NOT NULL AND (EXISTS (\n        SELECT FROM pacts_dispute d\n          JOIN pacts_milestone m ON m.id = d.milestone_id\n          JOIN pacts_engagement e ON e.id = m.engagement_id\n          JOIN pacts_tasksetversion v ON v.id = m.task_set_version_id\n          JOIN pacts_taskset t ON t.id = v.task_set_id\n          JOIN pacts_member x\n            ON x.party_id IN (e.buyer_id, e.builder_id, e.evaluator_id, t.owner_id)\n         WHERE d.id = this_case AND x.user_id = NEW.adjudicator_id\n    ) OR EXISTS (\n        SELECT FROM pacts_recusal r\n         WHERE r.dispute_id = this_case AND r.adjudicator_id = NEW.adjudicator_id\n    ) OR EXISTS (\n        SELECT FROM pacts_ruling r LEFT JOIN pacts_confirmation c ON c.ruling_id = r.id\n         WHERE r.dispute_id = this_case AND r.level < this_level\n           AND NEW.adjudicator_id IN (r.adjudicator_id, c.adjudicator_id))) THEN\n        RAISE EXCEPTION 'adjudicator % has an interest in dispute %', NEW.adjudicator_id, this_case\n            USING ERRCODE = '23514', CONSTRAINT = 'ruling_without_interest';\n    END IF;\n    RETURN NEW;\n", hash='b1c2fbec146b5002b9f7ff7a73764def252fecf9', operation='INSERT', pgid='pgtrigger_without_interest_7d38e', table='pacts_ruling', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='dispute',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'closed'), _negated=True), fields=('milestone',), name='dispute_one_open'),
        ),
        migrations.AddConstraint(
            model_name='dispute',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('closed_at__isnull', False), ('state', 'closed'), models.Q(('outcome', ''), _negated=True)), models.Q(models.Q(('state', 'closed'), _negated=True), ('closed_at__isnull', True), ('outcome', '')), _connector='OR'), name='dispute_closed_by_an_outcome'),
        ),
        migrations.AddConstraint(
            model_name='dispute',
            constraint=models.CheckConstraint(condition=models.Q(('level__in', [1, 2])), name='dispute_one_appeal'),
        ),
        migrations.AddConstraint(
            model_name='ruling',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('adjudicator__isnull', True), ('by_rule', True), ('level', 1)), models.Q(('adjudicator__isnull', False), ('by_rule', False)), _connector='OR'), name='ruling_by_a_rule_or_a_person'),
        ),
        migrations.AddField(
            model_name='appeal',
            name='by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='appeal',
            name='dispute',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='appeal', to='pacts.dispute'),
        ),
        migrations.AddField(
            model_name='appeal',
            name='party',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='appeals', to='pacts.party'),
        ),
        migrations.AddField(
            model_name='confirmation',
            name='adjudicator',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='confirmations', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='confirmation',
            name='ruling',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='confirmation', to='pacts.ruling'),
        ),
        migrations.AddField(
            model_name='disputestep',
            name='dispute',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='steps', to='pacts.dispute'),
        ),
        migrations.AddField(
            model_name='exhibit',
            name='by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='exhibit',
            name='dispute',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='exhibits', to='pacts.dispute'),
        ),
        migrations.AddField(
            model_name='exhibit',
            name='party',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='exhibits', to='pacts.party'),
        ),
        migrations.AddField(
            model_name='precedent',
            name='dispute',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='precedent', to='pacts.dispute'),
        ),
        migrations.AddField(
            model_name='precedent',
            name='reviewed_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='recusal',
            name='adjudicator',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='recusals', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='recusal',
            name='dispute',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='recusals', to='pacts.dispute'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='appeal',
            trigger=pgtrigger.compiler.Trigger(name='texts_erased_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n        IF to_jsonb(NEW) - ARRAY['statement'] = to_jsonb(OLD) - ARRAY['statement'] AND NEW.statement IN ('', OLD.statement) THEN\n            RETURN NEW;\n        END IF;\n        RAISE EXCEPTION '% refused: % keeps what happened', TG_OP, TG_TABLE_NAME\n        USING ERRCODE = '23001';\n    ", hash='d223b9a5ec4caa03dfe353940eb441de8d9552d6', operation='UPDATE', pgid='pgtrigger_texts_erased_only_167ee', table='pacts_appeal', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='appeal',
            trigger=pgtrigger.compiler.Trigger(name='never_removed', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    RAISE EXCEPTION '% refused: % is append-only', TG_OP, TG_TABLE_NAME USING ERRCODE = '23001';\n", hash='dad558f442cc1230f2835ca30e4caffcf569d5ab', level='STATEMENT', operation='DELETE OR TRUNCATE', pgid='pgtrigger_never_removed_0a321', table='pacts_appeal', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='confirmation',
            trigger=pgtrigger.compiler.Trigger(name='texts_erased_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n        IF to_jsonb(NEW) - ARRAY['reasons'] = to_jsonb(OLD) - ARRAY['reasons'] AND NEW.reasons IN ('', OLD.reasons) THEN\n            RETURN NEW;\n        END IF;\n        RAISE EXCEPTION '% refused: % keeps what happened', TG_OP, TG_TABLE_NAME\n        USING ERRCODE = '23001';\n    ", hash='4e3bd7ef36ea6f5a26efa2bb48d50911961d6f8c', operation='UPDATE', pgid='pgtrigger_texts_erased_only_6bc28', table='pacts_confirmation', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='confirmation',
            trigger=pgtrigger.compiler.Trigger(name='never_removed', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    RAISE EXCEPTION '% refused: % is append-only', TG_OP, TG_TABLE_NAME USING ERRCODE = '23001';\n", hash='d2542c2e6cc8e9ad4cd9f6de7904a06239987e0d', level='STATEMENT', operation='DELETE OR TRUNCATE', pgid='pgtrigger_never_removed_94f63', table='pacts_confirmation', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='confirmation',
            trigger=pgtrigger.compiler.Trigger(name='without_interest', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE this_case text; this_level int; author text;', func="SELECT r.dispute_id, r.level, r.adjudicator_id INTO this_case, this_level, author FROM pacts_ruling r WHERE r.id = NEW.ruling_id;\n    IF NEW.adjudicator_id IS NOT NULL AND (EXISTS (\n        SELECT FROM pacts_dispute d\n          JOIN pacts_milestone m ON m.id = d.milestone_id\n          JOIN pacts_engagement e ON e.id = m.engagement_id\n          JOIN pacts_tasksetversion v ON v.id = m.task_set_version_id\n          JOIN pacts_taskset t ON t.id = v.task_set_id\n          JOIN pacts_member x\n            ON x.party_id IN (e.buyer_id, e.builder_id, e.evaluator_id, t.owner_id)\n         WHERE d.id = this_case AND x.user_id = NEW.adjudicator_id\n    ) OR EXISTS (\n        SELECT FROM pacts_recusal r\n         WHERE r.dispute_id = this_case AND r.adjudicator_id = NEW.adjudicator_id\n    ) OR NEW.adjudicator_id = author OR EXISTS (\n        SELECT FROM pacts_ruling r LEFT JOIN pacts_confirmation c ON c.ruling_id = r.id\n         WHERE r.dispute_id = this_case AND r.level < this_level\n           AND NEW.adjudicator_id IN (r.adjudicator_id, c.adjudicator_id))) THEN\n        RAISE EXCEPTION 'adjudicator % has an interest in dispute %', NEW.adjudicator_id, this_case\n            USING ERRCODE = '23514', CONSTRAINT = 'ruling_without_interest';\n    END IF;\n    RETURN NEW;\n", hash='26421e855a5c729e5430f2687f0e8201d5e3b3b3', operation='INSERT', pgid='pgtrigger_without_interest_79a9b', table='pacts_confirmation', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='disputestep',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    RAISE EXCEPTION '% refused: % is append-only', TG_OP, TG_TABLE_NAME USING ERRCODE = '23001';\n", hash='8d3e30890f100147482e2679ff6424502705d24f', level='STATEMENT', operation='UPDATE OR DELETE OR TRUNCATE', pgid='pgtrigger_append_only_c04b7', table='pacts_disputestep', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='exhibit',
            trigger=pgtrigger.compiler.Trigger(name='texts_erased_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n        IF to_jsonb(NEW) - ARRAY['title', 'sealed'] = to_jsonb(OLD) - ARRAY['title', 'sealed'] AND NEW.title IN ('', OLD.title) AND NEW.sealed IN ('', OLD.sealed) THEN\n            RETURN NEW;\n        END IF;\n        RAISE EXCEPTION '% refused: % keeps what happened', TG_OP, TG_TABLE_NAME\n        USING ERRCODE = '23001';\n    ", hash='ea650b462e56fafe92fa973091c7e548d6272081', operation='UPDATE', pgid='pgtrigger_texts_erased_only_7a2a2', table='pacts_exhibit', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='exhibit',
            trigger=pgtrigger.compiler.Trigger(name='never_removed', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    RAISE EXCEPTION '% refused: % is append-only', TG_OP, TG_TABLE_NAME USING ERRCODE = '23001';\n", hash='62a689c1f9ea109acb4b938a043bcbaa50ca5bef', level='STATEMENT', operation='DELETE OR TRUNCATE', pgid='pgtrigger_never_removed_46729', table='pacts_exhibit', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='precedent',
            index=django.contrib.postgres.indexes.GinIndex(fields=['search'], name='precedent_search'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='precedent',
            trigger=pgtrigger.compiler.Trigger(name='facts_are_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."dispute_id" IS DISTINCT FROM (NEW."dispute_id") OR OLD."ground" IS DISTINCT FROM (NEW."ground") OR OLD."work" IS DISTINCT FROM (NEW."work") OR OLD."clause_kinds" IS DISTINCT FROM (NEW."clause_kinds") OR OLD."award_bps" IS DISTINCT FROM (NEW."award_bps") OR OLD."measured_bps" IS DISTINCT FROM (NEW."measured_bps") OR OLD."track" IS DISTINCT FROM (NEW."track") OR OLD."by_rule" IS DISTINCT FROM (NEW."by_rule") OR OLD."level" IS DISTINCT FROM (NEW."level") OR OLD."published_at" IS DISTINCT FROM (NEW."published_at") OR OLD."words" IS DISTINCT FROM (NEW."words"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='f095aa0f0ae31aee746aa5b418a56a2595a1b5b1', operation='UPDATE', pgid='pgtrigger_facts_are_fixed_a9555', table='pacts_precedent', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='precedent',
            trigger=pgtrigger.compiler.Trigger(name='never_removed', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    RAISE EXCEPTION '% refused: % is append-only', TG_OP, TG_TABLE_NAME USING ERRCODE = '23001';\n", hash='12647940186a69d41cfb803dc13454bcc50a8e8e', level='STATEMENT', operation='DELETE OR TRUNCATE', pgid='pgtrigger_never_removed_baa29', table='pacts_precedent', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='recusal',
            constraint=models.UniqueConstraint(fields=('dispute', 'adjudicator'), name='recusal_once'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='recusal',
            trigger=pgtrigger.compiler.Trigger(name='texts_erased_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n        IF to_jsonb(NEW) - ARRAY['reason'] = to_jsonb(OLD) - ARRAY['reason'] AND NEW.reason IN ('', OLD.reason) THEN\n            RETURN NEW;\n        END IF;\n        RAISE EXCEPTION '% refused: % keeps what happened', TG_OP, TG_TABLE_NAME\n        USING ERRCODE = '23001';\n    ", hash='a1ded4be19452fff882ed45ee3e1b9965e43aad0', operation='UPDATE', pgid='pgtrigger_texts_erased_only_d3762', table='pacts_recusal', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='recusal',
            trigger=pgtrigger.compiler.Trigger(name='never_removed', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    RAISE EXCEPTION '% refused: % is append-only', TG_OP, TG_TABLE_NAME USING ERRCODE = '23001';\n", hash='1baae2773ee2f9b84557153d8e8026a7541ea7f9', level='STATEMENT', operation='DELETE OR TRUNCATE', pgid='pgtrigger_never_removed_13c63', table='pacts_recusal', when='BEFORE')),
        ),
    ]
