"""A stream's calls from some id on: the same index as before, one column longer."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("pacts", "0017_reviews_without_buyers")]

    operations = [
        migrations.AlterField(
            model_name="call",
            name="stream",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="calls",
                to="pacts.callstream",
            ),
        ),
        migrations.AddIndex(
            model_name="call",
            index=models.Index(fields=["stream", "id"], name="call_of_stream"),
        ),
    ]
