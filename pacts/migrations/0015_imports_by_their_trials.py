from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("pacts", "0014_third_parties"),
    ]

    operations = [
        migrations.AddField(
            model_name="importedrun",
            name="trials_digest",
            field=models.CharField(blank=True, default="", max_length=80),
        ),
        migrations.AddField(
            model_name="importedtrial",
            name="named_ppm",
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AddConstraint(
            model_name="importedrun",
            constraint=models.UniqueConstraint(
                condition=models.Q(("trials_digest", ""), _negated=True),
                fields=("agent_version", "trials_digest"),
                name="imported_trials_once",
            ),
        ),
    ]
