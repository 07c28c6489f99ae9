from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("marketplace", "0018_words_of_news")]

    operations = [
        migrations.AddIndex(
            model_name="searchentry",
            index=models.Index(
                condition=models.Q(("claim_bps__isnull", False)),
                fields=["work", "-claim_bps"],
                name="entry_claimed",
            ),
        ),
        migrations.AddIndex(
            model_name="listing",
            index=models.Index(fields=["price", "id"], name="listing_by_price"),
        ),
        migrations.AddIndex(
            model_name="listing",
            index=models.Index(fields=["opened_at", "id"], name="listing_by_age"),
        ),
    ]
