"""What people noted is sealed at rest, and may be emptied where it was append-only before."""

import reputation.fields
from django.db import migrations, models


def seal_all(apps, schema_editor):
    from reputation.fields import seal_column

    seal_column(apps.get_model("marketplace", "ReplayedRequest"), schema_editor, "body")


class Migration(migrations.Migration):

    dependencies = [
        ('marketplace', '0009_consequences'),
    ]

    operations = [
        migrations.AlterField(
            model_name='replayedrequest',
            name='body',
            field=models.TextField(blank=True),
        ),
        migrations.RunPython(seal_all, migrations.RunPython.noop),
        migrations.AlterField(
            model_name='replayedrequest',
            name='body',
            field=reputation.fields.SealedTextField(),
        ),
        migrations.CreateModel(
            name='ErasureRequest',
            fields=[
                ('id', reputation.fields.PublicIdField('ers', db_collation='C', editable=False, max_length=40, primary_key=True, serialize=False)),
                ('subject_id', models.CharField(db_collation='C', max_length=40)),
                ('reason', models.CharField(max_length=40)),
                ('asked_at', models.DateTimeField()),
                ('waits_until', models.DateTimeField(blank=True, null=True)),
                ('done_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'ordering': ['asked_at', 'id'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('done_at__isnull', True)), fields=('subject_id',), name='erasure_one_open')],
            },
        ),
    ]
