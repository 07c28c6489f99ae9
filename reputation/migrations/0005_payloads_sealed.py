"""Salt and payload of private evidence go under one seal, so that erased ones leave no trace."""

from django.db import migrations, models


def seal_all(apps, schema_editor):
    from reputation import strongbox

    payloads = apps.get_model("reputation", "EvidencePayload")
    schema_editor.execute("ALTER TABLE reputation_evidencepayload DISABLE TRIGGER USER")
    for row in payloads.objects.iterator():
        row.sealed = strongbox.seal(
            purpose="evidence payloads/1", secret=bytes(row.salt) + bytes(row.payload)
        )
        row.save(update_fields=["sealed"])
    schema_editor.execute("ALTER TABLE reputation_evidencepayload ENABLE TRIGGER USER")


class Migration(migrations.Migration):
    dependencies = [("reputation", "0004_standing_hard_to_game")]

    operations = [
        migrations.AddField("evidencepayload", "sealed", models.BinaryField(null=True)),
        migrations.RunPython(seal_all, migrations.RunPython.noop),
        migrations.AlterField("evidencepayload", "sealed", models.BinaryField()),
        migrations.RemoveConstraint("evidencepayload", "payload_salt_is_32_bytes"),
        migrations.RemoveField("evidencepayload", "salt"),
        migrations.RemoveField("evidencepayload", "payload"),
    ]
