"""Who answers from a host, found by the host."""

import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('pacts', '0011_private_texts_sealed'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='agentversion',
            index=models.Index(models.Func(django.db.models.functions.text.Lower('endpoint'), models.Value('/'), models.Value(3), function='split_part'), name='agent_version_host'),
        ),
    ]
