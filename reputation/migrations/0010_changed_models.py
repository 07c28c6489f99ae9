from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('reputation', '0009_private_texts_sealed'),
    ]

    operations = [
        # A cache of the log, and what it holds per version has grown: folded anew.
        migrations.RunSQL(
            '; '.join(
                f'DELETE FROM reputation_{table}'  # noqa: S608  names of ours, above
                for table in (
                    'standing', 'unsettledverdict', 'standingcursor', 'buyershare',
                    'buyerstanding', 'buyertie', 'builderreach', 'versionrecord', 'openrun',
                    'unruleddispute', 'standingscore', 'standingpoint',
                )
            ),
            migrations.RunSQL.noop,
        ),
        migrations.AddField(
            model_name='versionrecord',
            name='changed_at',
            field=models.CharField(blank=True, default='', max_length=32),
        ),
        migrations.AddField(
            model_name='versionrecord',
            name='changed_evidence',
            field=models.CharField(blank=True, db_collation='C', default='', max_length=40),
        ),
    ]
