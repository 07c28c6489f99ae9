import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
import reputation.fields
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("pacts", "0021_policy_versions"),
    ]

    operations = [
        migrations.CreateModel(
            name="Need",
            fields=[
                (
                    "id",
                    reputation.fields.PublicIdField(
                        "ned",
                        db_collation="C",
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("title", models.CharField(max_length=120)),
                ("about", models.TextField(blank=True, max_length=4000)),
                ("work", models.SlugField(max_length=40)),
                ("samples", models.JSONField(blank=True, default=list)),
                ("ceiling", models.PositiveBigIntegerField()),
                ("currency", models.CharField(max_length=12)),
                ("starts_on", models.DateField(blank=True, null=True)),
                ("offers_until", models.DateTimeField()),
                ("choose_until", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "Open"), ("revealed", "Revealed"), ("closed", "Closed")],
                        default="open",
                        max_length=10,
                    ),
                ),
                (
                    "ended_as",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("picked", "Picked"),
                            ("no_pick", "No Pick"),
                            ("no_offers", "No Offers"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="",
                        max_length=10,
                    ),
                ),
                ("posted_at", models.DateTimeField()),
                ("revealed_at", models.DateTimeField(blank=True, null=True)),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["-posted_at"],
            },
        ),
        migrations.CreateModel(
            name="SealedOffer",
            fields=[
                (
                    "id",
                    reputation.fields.PublicIdField(
                        "off",
                        db_collation="C",
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("sealed", reputation.fields.SealedTextField()),
                ("commitment", models.CharField(max_length=80)),
                ("sealed_evidence_id", models.CharField(max_length=40)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("standing", "Standing"),
                            ("replaced", "Replaced"),
                            ("withdrawn", "Withdrawn"),
                            ("revealed", "Revealed"),
                        ],
                        default="standing",
                        max_length=10,
                    ),
                ),
                ("placed_at", models.DateTimeField()),
                ("taken_back_at", models.DateTimeField(blank=True, null=True)),
                ("price", models.PositiveBigIntegerField(blank=True, null=True)),
                ("work_seconds", models.PositiveIntegerField(blank=True, null=True)),
                ("note", reputation.fields.SealedTextField(blank=True, default="")),
                ("nonce", models.CharField(blank=True, default="", max_length=80)),
                ("revealed_evidence_id", models.CharField(blank=True, default="", max_length=40)),
                ("unfit", models.CharField(blank=True, default="", max_length=300)),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("picked", "Picked"),
                            ("passed_over", "Passed Over"),
                            ("unfit", "Unfit"),
                        ],
                        default="",
                        max_length=12,
                    ),
                ),
            ],
            options={
                "ordering": ["need", "placed_at"],
            },
        ),
        migrations.AddField(
            model_name="pact",
            name="buyer",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="wishes",
                to="pacts.party",
            ),
        ),
        migrations.AlterField(
            model_name="pact",
            name="agent",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="pacts",
                to="pacts.agent",
            ),
        ),
        migrations.AddConstraint(
            model_name="pact",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("agent__isnull", True), ("buyer__isnull", False)),
                    models.Q(("agent__isnull", False), ("buyer__isnull", True)),
                    _connector="OR",
                ),
                name="pact_of_an_agent_or_of_a_buyer",
            ),
        ),
        migrations.AddField(
            model_name="need",
            name="buyer",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="needs", to="pacts.party"
            ),
        ),
        migrations.AddField(
            model_name="need",
            name="engagement",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="needs",
                to="pacts.engagement",
            ),
        ),
        migrations.AddField(
            model_name="need",
            name="pact_version",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="needs",
                to="pacts.pactversion",
            ),
        ),
        migrations.AddField(
            model_name="need",
            name="posted_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="sealedoffer",
            name="agent_version",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="sealed_offers",
                to="pacts.agentversion",
            ),
        ),
        migrations.AddField(
            model_name="sealedoffer",
            name="builder",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="sealed_offers",
                to="pacts.party",
            ),
        ),
        migrations.AddField(
            model_name="sealedoffer",
            name="need",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="offers", to="pacts.need"
            ),
        ),
        migrations.AddField(
            model_name="sealedoffer",
            name="placed_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddIndex(
            model_name="need",
            index=models.Index(
                condition=models.Q(("state", "open")), fields=["offers_until"], name="need_taking"
            ),
        ),
        migrations.AddIndex(
            model_name="need",
            index=models.Index(
                condition=models.Q(("state", "revealed")),
                fields=["choose_until"],
                name="need_choosing",
            ),
        ),
        migrations.AddIndex(
            model_name="need",
            index=models.Index(fields=["buyer", "-posted_at"], name="need_of_buyer"),
        ),
        migrations.AddConstraint(
            model_name="need",
            constraint=models.CheckConstraint(
                condition=models.Q(("ceiling__gt", 0)), name="need_has_a_ceiling"
            ),
        ),
        migrations.AddConstraint(
            model_name="need",
            constraint=models.CheckConstraint(
                condition=models.Q(("choose_until__gt", models.F("offers_until"))),
                name="need_is_chosen_after_offers",
            ),
        ),
        migrations.AddConstraint(
            model_name="need",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("closed_at__isnull", False),
                        ("state", "closed"),
                        models.Q(("ended_as", ""), _negated=True),
                    ),
                    models.Q(
                        models.Q(("state", "closed"), _negated=True),
                        ("closed_at__isnull", True),
                        ("ended_as", ""),
                    ),
                    _connector="OR",
                ),
                name="need_closed_says_how",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="need",
            trigger=pgtrigger.compiler.Trigger(
                name="terms_are_fixed",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."buyer_id" IS DISTINCT FROM (NEW."buyer_id") OR OLD."title" IS DISTINCT FROM (NEW."title") OR OLD."about" IS DISTINCT FROM (NEW."about") OR OLD."work" IS DISTINCT FROM (NEW."work") OR OLD."pact_version_id" IS DISTINCT FROM (NEW."pact_version_id") OR OLD."samples" IS DISTINCT FROM (NEW."samples") OR OLD."ceiling" IS DISTINCT FROM (NEW."ceiling") OR OLD."currency" IS DISTINCT FROM (NEW."currency") OR OLD."starts_on" IS DISTINCT FROM (NEW."starts_on") OR OLD."offers_until" IS DISTINCT FROM (NEW."offers_until") OR OLD."choose_until" IS DISTINCT FROM (NEW."choose_until") OR OLD."posted_at" IS DISTINCT FROM (NEW."posted_at"))',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="d59006d7aac29387ef14135a18d9f63415cf4cf3",
                    operation="UPDATE",
                    pgid="pgtrigger_terms_are_fixed_09c35",
                    table="pacts_need",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="need",
            trigger=pgtrigger.compiler.Trigger(
                name="closed_is_closed",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.\"state\" = 'closed')",
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="7eac37b4010ab972acb328e8a12962f5b60fc3bf",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_closed_is_closed_e70ce",
                    table="pacts_need",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="need",
            trigger=pgtrigger.compiler.Trigger(
                name="never_emptied",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n    RAISE EXCEPTION '% refused: % is append-only', TG_OP, TG_TABLE_NAME USING ERRCODE = '23001';\n",
                    hash="1872560a52e5b1c897fde45f1900d233a40cf208",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_never_emptied_87de0",
                    table="pacts_need",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="sealedoffer",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "standing")),
                fields=("need", "builder"),
                name="sealed_offer_stands_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="sealedoffer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("agent_version__isnull", False),
                        ("price__isnull", False),
                        ("state", "revealed"),
                    ),
                    models.Q(
                        models.Q(("state", "revealed"), _negated=True),
                        ("agent_version__isnull", True),
                        ("nonce", ""),
                        ("note", ""),
                        ("outcome", ""),
                        ("price__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="sealed_offer_shows_nothing_before",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="sealedoffer",
            trigger=pgtrigger.compiler.Trigger(
                name="sealed_is_sealed",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."need_id" IS DISTINCT FROM (NEW."need_id") OR OLD."builder_id" IS DISTINCT FROM (NEW."builder_id") OR OLD."sealed" IS DISTINCT FROM (NEW."sealed") OR OLD."commitment" IS DISTINCT FROM (NEW."commitment") OR OLD."sealed_evidence_id" IS DISTINCT FROM (NEW."sealed_evidence_id") OR OLD."placed_by_id" IS DISTINCT FROM (NEW."placed_by_id") OR OLD."placed_at" IS DISTINCT FROM (NEW."placed_at"))',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="ddc31fa0f38751f559085a6ef3762ed3e7fbbdd1",
                    operation="UPDATE",
                    pgid="pgtrigger_sealed_is_sealed_5507d",
                    table="pacts_sealedoffer",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="sealedoffer",
            trigger=pgtrigger.compiler.Trigger(
                name="never_emptied",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n    RAISE EXCEPTION '% refused: % is append-only', TG_OP, TG_TABLE_NAME USING ERRCODE = '23001';\n",
                    hash="f374417085b84e1830118e833800a52080d79a6b",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_never_emptied_2df86",
                    table="pacts_sealedoffer",
                    when="BEFORE",
                ),
            ),
        ),
    ]
