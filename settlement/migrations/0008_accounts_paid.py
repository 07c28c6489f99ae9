"""Who was paid to an account, found by the account."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('pacts', '0012_hosts_of_agents'),
        ('settlement', '0007_private_texts_sealed'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='payout',
            index=models.Index(fields=['destination'], name='payout_to'),
        ),
    ]
