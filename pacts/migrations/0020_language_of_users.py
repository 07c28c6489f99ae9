from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("pacts", "0019_disputes_in_steps"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="language",
            field=models.CharField(blank=True, max_length=8),
        ),
    ]
