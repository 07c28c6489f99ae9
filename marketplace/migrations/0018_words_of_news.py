from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("marketplace", "0017_searches_are_seen"),
    ]

    operations = [
        migrations.AddField(
            model_name="news",
            name="words",
            field=models.JSONField(blank=True, default=list),
        ),
    ]
