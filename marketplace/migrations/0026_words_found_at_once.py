"""Words go into their indexes at once.

By default a GIN index keeps what changed in a list that every search reads through until a vacuum
comes: a few thousand changed offers made a search with a slip several times slower.
"""

import django.contrib.postgres.indexes
from django.db import migrations

AT_ONCE = """
ALTER INDEX entry_by_text SET (fastupdate = off);
ALTER INDEX IF EXISTS entry_by_trigrams SET (fastupdate = off);
SELECT gin_clean_pending_list(to_regclass(name))
  FROM unnest(ARRAY['entry_by_text', 'entry_by_trigrams']) AS name
 WHERE to_regclass(name) IS NOT NULL"""
LATER = """
ALTER INDEX entry_by_text RESET (fastupdate);
ALTER INDEX IF EXISTS entry_by_trigrams RESET (fastupdate)"""


class Migration(migrations.Migration):
    dependencies = [
        ("marketplace", "0025_marks_of_archives"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(AT_ONCE, LATER)],
            state_operations=[
                migrations.RemoveIndex(model_name="searchentry", name="entry_by_text"),
                migrations.AddIndex(
                    model_name="searchentry",
                    index=django.contrib.postgres.indexes.GinIndex(
                        fastupdate=False, fields=["document"], name="entry_by_text"
                    ),
                ),
            ],
        ),
    ]
