from django.db import migrations, models

NEWEST = """
UPDATE reputation_standingscore AS score
   SET measured_at = newest.at
  FROM (SELECT version_id, max(last_evidence_at) AS at
          FROM reputation_standing GROUP BY version_id) AS newest
 WHERE newest.version_id = score.version_id"""


class Migration(migrations.Migration):
    dependencies = [("reputation", "0012_control_metric_frozen")]

    operations = [
        migrations.AddField(
            model_name="standingscore",
            name="measured_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.RunSQL(NEWEST, migrations.RunSQL.noop),
    ]
