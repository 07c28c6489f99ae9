import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
import reputation.fields
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("marketplace", "0014_saved_searches"),
        ("pacts", "0022_needs_and_sealed_offers"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Archive",
            fields=[
                (
                    "id",
                    reputation.fields.PublicIdField(
                        "arc",
                        db_collation="C",
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("asked_at", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("packing", "Packing"),
                            ("ready", "Ready"),
                            ("failed", "Failed"),
                            ("expired", "Expired"),
                        ],
                        default="queued",
                        max_length=8,
                    ),
                ),
                ("attempt", models.PositiveSmallIntegerField(default=0)),
                ("lease_expires_at", models.DateTimeField(blank=True, null=True)),
                ("ready_at", models.DateTimeField(blank=True, null=True)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("size", models.PositiveBigIntegerField(default=0)),
                ("digest", models.CharField(blank=True, default="", max_length=80)),
                ("counts", models.JSONField(blank=True, default=dict)),
                (
                    "asked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "party",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="archives",
                        to="pacts.party",
                    ),
                ),
            ],
            options={
                "ordering": ["-asked_at"],
            },
        ),
        migrations.CreateModel(
            name="ArchivePiece",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("attempt", models.PositiveSmallIntegerField()),
                ("position", models.PositiveIntegerField()),
                ("body", models.BinaryField()),
                (
                    "archive",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="pieces",
                        to="marketplace.archive",
                    ),
                ),
            ],
            options={
                "ordering": ["archive", "position"],
            },
        ),
        migrations.CreateModel(
            name="TaskSheet",
            fields=[
                (
                    "id",
                    reputation.fields.PublicIdField(
                        "sht",
                        db_collation="C",
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.CharField(max_length=120)),
                ("work", models.SlugField(max_length=40)),
                ("columns", models.JSONField(default=list)),
                ("size", models.PositiveIntegerField(default=0)),
                ("text", reputation.fields.SealedTextField(blank=True, default="")),
                ("rows", reputation.fields.SealedTextField(blank=True, default="")),
                ("problems", reputation.fields.SealedTextField(blank=True, default="")),
                ("brought_at", models.DateTimeField(db_index=True)),
                (
                    "brought_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "party",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="task_sheets",
                        to="pacts.party",
                    ),
                ),
                (
                    "task_set_version",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="pacts.tasksetversion",
                    ),
                ),
            ],
            options={
                "ordering": ["-brought_at"],
            },
        ),
        migrations.CreateModel(
            name="Tryout",
            fields=[
                (
                    "id",
                    reputation.fields.PublicIdField(
                        "try",
                        db_collation="C",
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("paid", models.BooleanField(default=False)),
                ("started_at", models.DateTimeField()),
                (
                    "pact_version",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tryouts",
                        to="pacts.pactversion",
                    ),
                ),
                (
                    "party",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tryouts",
                        to="pacts.party",
                    ),
                ),
                (
                    "started_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "task_set_version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tryouts",
                        to="pacts.tasksetversion",
                    ),
                ),
            ],
            options={
                "ordering": ["-started_at"],
            },
        ),
        migrations.CreateModel(
            name="TryoutAgent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("position", models.PositiveSmallIntegerField()),
                (
                    "engagement",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tryout",
                        to="pacts.engagement",
                    ),
                ),
                (
                    "evaluation",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tryout",
                        to="pacts.evaluation",
                    ),
                ),
                (
                    "listing",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="marketplace.listing",
                    ),
                ),
                (
                    "tryout",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="agents",
                        to="marketplace.tryout",
                    ),
                ),
            ],
            options={
                "ordering": ["tryout", "position"],
            },
        ),
        migrations.AddIndex(
            model_name="archive",
            index=models.Index(
                condition=models.Q(("state__in", ["queued", "packing"])),
                fields=["asked_at"],
                name="archive_waiting",
            ),
        ),
        migrations.AddConstraint(
            model_name="archive",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["queued", "packing"])),
                fields=("party",),
                name="archive_one_at_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="archivepiece",
            constraint=models.UniqueConstraint(
                fields=("archive", "attempt", "position"), name="archive_piece_once"
            ),
        ),
        migrations.AddIndex(
            model_name="tryout",
            index=models.Index(fields=["party", "-started_at"], name="tryout_of_party"),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="tryout",
            trigger=pgtrigger.compiler.Trigger(
                name="never_emptied",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n    RAISE EXCEPTION '% refused: % is append-only', TG_OP, TG_TABLE_NAME USING ERRCODE = '23001';\n",
                    hash="7549b8db9ffd0b23e756e3b5b389a2123521037e",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_never_emptied_7cc98",
                    table="marketplace_tryout",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="tryoutagent",
            constraint=models.UniqueConstraint(
                fields=("tryout", "position"), name="tryout_position_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="tryoutagent",
            constraint=models.UniqueConstraint(
                fields=("tryout", "listing"), name="tryout_agent_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="tryoutagent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("engagement__isnull", True), ("evaluation__isnull", False)),
                    models.Q(("engagement__isnull", False), ("evaluation__isnull", True)),
                    _connector="OR",
                ),
                name="tryout_agent_has_a_run",
            ),
        ),
    ]
