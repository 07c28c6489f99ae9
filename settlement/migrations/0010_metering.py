"""Budgets for production calls, drawn down window by window."""

import django.db.models.deletion
import django.db.models.expressions
import pgtrigger.compiler
import pgtrigger.migrations
import reputation.fields
from django.conf import settings
from django.db import migrations, models


# The two rules of migration 0006 with the meter's account and its four movements. None of them
# resolves a hold: a budget is drawn down many times, its account's floor keeps it from being
# overdrawn, and each window's key keeps it from being paid twice.
RULES = """
CREATE OR REPLACE FUNCTION settlement_check_account() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE broken text := CASE
  WHEN NEW.kind NOT IN ('party', 'escrow', 'payout', 'bond', 'meter', 'fees', 'rail')
    THEN 'account_kind_known'
  WHEN (NEW.kind = 'party') <> (NEW.owner_id IS NOT NULL) THEN 'account_owner_is_a_party'
  WHEN NEW.kind <> 'rail' AND NEW.floor IS NULL THEN 'account_has_a_floor'
END;
BEGIN
  IF broken IS NULL THEN RETURN NEW; END IF;
  RAISE EXCEPTION 'an account of kind % breaks the rule %', NEW.kind, broken
    USING ERRCODE = 'check_violation', CONSTRAINT = broken;
END $$;

CREATE OR REPLACE FUNCTION settlement_check_transfer() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE ends text := CASE
  WHEN NEW.kind IN ('deposit', 'hold', 'payout_hold', 'bond_hold', 'meter_funded', 'meter_drawn',
                    'meter_holdback', 'meter_returned') THEN ''
  WHEN NEW.kind IN ('release', 'refund', 'split') THEN 'hold'
  WHEN NEW.kind IN ('payout_paid', 'payout_returned') THEN 'payout_hold'
  WHEN NEW.kind IN ('bond_returned', 'bond_slashed') THEN 'bond_hold'
END;
BEGIN
  IF NEW.resolves_id IS NULL THEN
    IF ends = '' THEN RETURN NEW; END IF;
  ELSIF ends <> '' THEN
    PERFORM 1 FROM settlement_transfer WHERE id = NEW.resolves_id AND kind = ends;
    IF FOUND THEN RETURN NEW; END IF;
  END IF;
  RAISE EXCEPTION 'a % resolves %: it needs % to resolve', NEW.kind,
    coalesce('transfer ' || NEW.resolves_id, 'nothing'),
    CASE ends WHEN '' THEN 'nothing' ELSE 'a ' || coalesce(ends, 'known kind') END
    USING ERRCODE = 'check_violation', CONSTRAINT = 'transfer_resolves_a_hold';
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("pacts", "0012_hosts_of_agents"),
        ("settlement", "0009_notes_sealed"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL(RULES, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="account",
            name="kind",
            field=models.CharField(
                choices=[
                    ("party", "Party"),
                    ("escrow", "Escrow"),
                    ("payout", "Payout"),
                    ("bond", "Bond"),
                    ("meter", "Meter"),
                    ("fees", "Fees"),
                    ("rail", "Rail"),
                ],
                max_length=8,
            ),
        ),
        migrations.AlterField(
            model_name="transfer",
            name="kind",
            field=models.CharField(
                choices=[
                    ("deposit", "Deposit"),
                    ("hold", "Hold"),
                    ("release", "Release"),
                    ("refund", "Refund"),
                    ("split", "Split"),
                    ("payout_hold", "Payout Hold"),
                    ("payout_paid", "Payout Paid"),
                    ("payout_returned", "Payout Returned"),
                    ("bond_hold", "Bond Hold"),
                    ("bond_returned", "Bond Returned"),
                    ("bond_slashed", "Bond Slashed"),
                    ("meter_funded", "Meter Funded"),
                    ("meter_drawn", "Meter Drawn"),
                    ("meter_holdback", "Meter Holdback"),
                    ("meter_returned", "Meter Returned"),
                ],
                max_length=16,
            ),
        ),
        migrations.CreateModel(
            name="Meter",
            fields=[
                (
                    "id",
                    reputation.fields.PublicIdField(
                        "mtr",
                        db_collation="C",
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("terms", models.JSONField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("unfunded", "Unfunded"),
                            ("running", "Running"),
                            ("paused", "Paused"),
                            ("frozen", "Frozen"),
                            ("closing", "Closing"),
                            ("ended", "Ended"),
                        ],
                        default="unfunded",
                        max_length=8,
                    ),
                ),
                ("reason", models.CharField(default="meter_unfunded", max_length=40)),
                ("currency", models.CharField(max_length=12)),
                ("fee_bps", models.PositiveIntegerField()),
                ("fee_bands", models.JSONField(blank=True, default=list)),
                ("funded", models.PositiveBigIntegerField(default=0)),
                ("paid", models.PositiveBigIntegerField(default=0)),
                ("fees", models.PositiveBigIntegerField(default=0)),
                ("returned", models.PositiveBigIntegerField(default=0)),
                ("held_back", models.PositiveBigIntegerField(default=0)),
                ("withheld", models.PositiveBigIntegerField(default=0)),
                ("funded_at", models.DateTimeField(blank=True, null=True)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("breached_clause", models.CharField(blank=True, max_length=64)),
                ("breach_evidence", models.CharField(blank=True, max_length=48)),
                ("breaches_seen_to", models.DateTimeField(blank=True, null=True)),
                ("frozen_until", models.DateTimeField(blank=True, null=True)),
                ("closing_at", models.DateTimeField(blank=True, null=True)),
                ("closing_reason", models.CharField(blank=True, max_length=40)),
                ("next_action_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("version", models.PositiveIntegerField(default=0)),
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="meter",
                        to="settlement.account",
                    ),
                ),
                (
                    "agent",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="meters",
                        to="pacts.agent",
                    ),
                ),
                (
                    "engagement",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="meter",
                        to="pacts.engagement",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="MeterPause",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "cause",
                    models.CharField(
                        choices=[("buyer", "Buyer"), ("builder", "Builder"), ("breach", "Breach")],
                        max_length=8,
                    ),
                ),
                ("began_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "meter",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="pauses",
                        to="settlement.meter",
                    ),
                ),
            ],
            options={
                "ordering": ["meter", "began_at"],
            },
        ),
        migrations.CreateModel(
            name="MeterWindow",
            fields=[
                (
                    "id",
                    reputation.fields.PublicIdField(
                        "mtw",
                        db_collation="C",
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[("withheld", "Withheld"), ("settled", "Settled")], max_length=8
                    ),
                ),
                ("outcome", models.CharField(max_length=16)),
                ("rule", models.CharField(blank=True, max_length=16)),
                ("reason", models.CharField(max_length=40)),
                ("clauses", models.JSONField()),
                ("calls", models.PositiveBigIntegerField()),
                ("verified", models.PositiveBigIntegerField()),
                ("failed", models.PositiveBigIntegerField()),
                ("platform_faults", models.PositiveBigIntegerField()),
                ("buyer_faults", models.PositiveBigIntegerField()),
                ("unchecked", models.PositiveBigIntegerField()),
                ("outside", models.PositiveBigIntegerField()),
                ("share_bps", models.PositiveIntegerField()),
                ("exact", models.CharField(max_length=80)),
                ("due", models.PositiveBigIntegerField()),
                ("covered", models.PositiveBigIntegerField()),
                ("award_bps", models.PositiveIntegerField(blank=True, null=True)),
                ("earned", models.PositiveBigIntegerField(default=0)),
                ("held_back", models.PositiveBigIntegerField(default=0)),
                ("paid", models.PositiveBigIntegerField(default=0)),
                ("fee", models.PositiveBigIntegerField(default=0)),
                ("paid_before", models.PositiveBigIntegerField()),
                ("next_call", models.BigIntegerField()),
                ("concluded_at", models.DateTimeField()),
                ("decide_by_at", models.DateTimeField(blank=True, null=True)),
                ("decision", reputation.fields.SealedTextField(blank=True, max_length=2000)),
                ("settled_at", models.DateTimeField(blank=True, null=True)),
                ("evidence_id", models.CharField(blank=True, max_length=48)),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "meter",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="windows",
                        to="settlement.meter",
                    ),
                ),
                (
                    "stream",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="pacts.callstream",
                    ),
                ),
                (
                    "transfer",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="meter_window",
                        to="settlement.transfer",
                    ),
                ),
            ],
            options={
                "ordering": ["meter", "stream", "-number"],
            },
        ),
        migrations.CreateModel(
            name="MeterStatement",
            fields=[
                (
                    "id",
                    reputation.fields.PublicIdField(
                        "mts",
                        db_collation="C",
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("body", models.TextField()),
                ("signature", models.BinaryField(max_length=64)),
                ("issued_at", models.DateTimeField()),
                (
                    "key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="statements",
                        to="settlement.platformkey",
                    ),
                ),
                (
                    "window",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="statement",
                        to="settlement.meterwindow",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="MeterMovement",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("funding", "Funding"),
                            ("top_up", "Top Up"),
                            ("draw", "Draw"),
                            ("holdback", "Holdback"),
                            ("return", "Return"),
                        ],
                        max_length=8,
                    ),
                ),
                ("amount", models.PositiveBigIntegerField()),
                ("fee", models.PositiveBigIntegerField(default=0)),
                ("moved_at", models.DateTimeField()),
                (
                    "meter",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="movements",
                        to="settlement.meter",
                    ),
                ),
                (
                    "transfer",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="meter_movement",
                        to="settlement.transfer",
                    ),
                ),
                (
                    "window",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="movement",
                        to="settlement.meterwindow",
                    ),
                ),
            ],
            options={
                "ordering": ["meter", "-id"],
            },
        ),
        migrations.AddIndex(
            model_name="meter",
            index=models.Index(
                condition=models.Q(("next_action_at__isnull", False)),
                fields=["next_action_at"],
                name="meter_due",
            ),
        ),
        migrations.AddIndex(
            model_name="meter",
            index=models.Index(
                condition=models.Q(("state__in", ["running", "paused", "frozen", "closing"])),
                fields=["agent", "currency"],
                name="meter_exposure",
            ),
        ),
        migrations.AddConstraint(
            model_name="meter",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "funded__gte",
                        django.db.models.expressions.CombinedExpression(
                            django.db.models.expressions.CombinedExpression(
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        models.F("paid"), "+", models.F("fees")
                                    ),
                                    "+",
                                    models.F("returned"),
                                ),
                                "+",
                                models.F("held_back"),
                            ),
                            "+",
                            models.F("withheld"),
                        ),
                    )
                ),
                name="meter_spends_what_it_has",
            ),
        ),
        migrations.AddConstraint(
            model_name="meter",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("funded", 0), ("funded_at__isnull", True), ("state", "unfunded")),
                    models.Q(
                        models.Q(("state", "unfunded"), _negated=True),
                        ("funded__gt", 0),
                        ("funded_at__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="meter_funded_has_money",
            ),
        ),
        migrations.AddConstraint(
            model_name="meter",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("ended_at__isnull", False),
                        (
                            "funded",
                            django.db.models.expressions.CombinedExpression(
                                django.db.models.expressions.CombinedExpression(
                                    models.F("paid"), "+", models.F("fees")
                                ),
                                "+",
                                models.F("returned"),
                            ),
                        ),
                        ("held_back", 0),
                        ("next_action_at__isnull", True),
                        ("state", "ended"),
                        ("withheld", 0),
                    ),
                    models.Q(
                        models.Q(("state", "ended"), _negated=True), ("ended_at__isnull", True)
                    ),
                    _connector="OR",
                ),
                name="meter_ended_is_empty",
            ),
        ),
        migrations.AddConstraint(
            model_name="meter",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ["unfunded", "ended"]),
                    ("next_action_at__isnull", False),
                    _connector="OR",
                ),
                name="meter_waits_for_a_moment",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="meter",
            trigger=pgtrigger.compiler.Trigger(
                name="guard",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n    IF TG_OP = 'DELETE' THEN\n        RAISE EXCEPTION 'meter % is never deleted', OLD.id\n            USING ERRCODE = '23001', CONSTRAINT = 'meter_never_deleted';\n    ELSIF OLD.ended_at IS NOT NULL THEN\n        RAISE EXCEPTION 'meter % has ended', OLD.id\n            USING ERRCODE = '23001', CONSTRAINT = 'meter_ended_is_frozen';\n    ELSIF NEW.version <> OLD.version + 1 THEN\n        RAISE EXCEPTION 'meter % changed in between', OLD.id\n            USING ERRCODE = '23001', CONSTRAINT = 'meter_version_follows';\n    ELSIF (NEW.engagement_id, NEW.account_id, NEW.agent_id, NEW.currency, NEW.terms, NEW.fee_bps,\n           NEW.fee_bands) IS DISTINCT FROM\n          (OLD.engagement_id, OLD.account_id, OLD.agent_id, OLD.currency, OLD.terms, OLD.fee_bps,\n           OLD.fee_bands) THEN\n        RAISE EXCEPTION 'the terms of meter % are fixed', OLD.id\n            USING ERRCODE = '23001', CONSTRAINT = 'meter_terms_are_fixed';\n    ELSIF NEW.funded - NEW.paid - NEW.fees - NEW.returned <>\n          (SELECT balance FROM settlement_account WHERE id = NEW.account_id) THEN\n        RAISE EXCEPTION 'meter % does not say what its account holds', OLD.id\n            USING ERRCODE = '23514', CONSTRAINT = 'meter_says_its_balance';\n    END IF;\n    RETURN NEW;\n",
                    hash="8a78f0d6d2f29272d274445b95b65b0d6c28ae82",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_guard_64e37",
                    table="settlement_meter",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="meter",
            trigger=pgtrigger.compiler.Trigger(
                name="never_emptied",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n    RAISE EXCEPTION '% refused: % is append-only', TG_OP, TG_TABLE_NAME USING ERRCODE = '23001';\n",
                    hash="6b454e2538e54c885aea7916fb9d4c5586afd46c",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_never_emptied_1d7f6",
                    table="settlement_meter",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="meterpause",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at__isnull", True)),
                fields=("meter",),
                name="meter_pause_one_open",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="meterpause",
            trigger=pgtrigger.compiler.Trigger(
                name="ended_is_frozen",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."ended_at" IS NOT NULL)',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="f820502e97c82b3176c5a32d1811807adbbcb27d",
                    operation="UPDATE",
                    pgid="pgtrigger_ended_is_frozen_6d5da",
                    table="settlement_meterpause",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="meterpause",
            trigger=pgtrigger.compiler.Trigger(
                name="beginning_is_fixed",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."meter_id" IS DISTINCT FROM (NEW."meter_id") OR OLD."cause" IS DISTINCT FROM (NEW."cause") OR OLD."began_at" IS DISTINCT FROM (NEW."began_at"))',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="dd2ec6f27f020b1ccad0255d03fdc98f00f02f30",
                    operation="UPDATE",
                    pgid="pgtrigger_beginning_is_fixed_8a450",
                    table="settlement_meterpause",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="meterpause",
            trigger=pgtrigger.compiler.Trigger(
                name="no_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="8ce12b3854672036f60c86610d9e243479235ede",
                    operation="DELETE",
                    pgid="pgtrigger_no_delete_d5e78",
                    table="settlement_meterpause",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="meterpause",
            trigger=pgtrigger.compiler.Trigger(
                name="never_emptied",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n    RAISE EXCEPTION '% refused: % is append-only', TG_OP, TG_TABLE_NAME USING ERRCODE = '23001';\n",
                    hash="b4bf6e438de67548ce4b9b11571f26f08b03ca10",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_never_emptied_03e2b",
                    table="settlement_meterpause",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddIndex(
            model_name="meterwindow",
            index=models.Index(
                condition=models.Q(("state", "withheld")),
                fields=["decide_by_at"],
                name="meter_window_waiting",
            ),
        ),
        migrations.AddConstraint(
            model_name="meterwindow",
            constraint=models.UniqueConstraint(
                fields=("meter", "stream", "number"), name="meter_window_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="meterwindow",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "calls",
                        django.db.models.expressions.CombinedExpression(
                            django.db.models.expressions.CombinedExpression(
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        django.db.models.expressions.CombinedExpression(
                                            models.F("verified"), "+", models.F("failed")
                                        ),
                                        "+",
                                        models.F("platform_faults"),
                                    ),
                                    "+",
                                    models.F("buyer_faults"),
                                ),
                                "+",
                                models.F("unchecked"),
                            ),
                            "+",
                            models.F("outside"),
                        ),
                    )
                ),
                name="meter_window_counts_every_call",
            ),
        ),
        migrations.AddConstraint(
            model_name="meterwindow",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("covered__lte", models.F("due")),
                        (
                            "earned",
                            django.db.models.expressions.CombinedExpression(
                                django.db.models.expressions.CombinedExpression(
                                    models.F("paid"), "+", models.F("fee")
                                ),
                                "+",
                                models.F("held_back"),
                            ),
                        ),
                        ("earned__lte", models.F("covered")),
                        ("settled_at__isnull", False),
                        ("state", "settled"),
                    ),
                    models.Q(
                        ("covered__gt", 0),
                        ("decide_by_at__isnull", False),
                        ("earned", 0),
                        ("settled_at__isnull", True),
                        ("state", "withheld"),
                    ),
                    _connector="OR",
                ),
                name="meter_window_adds_up",
            ),
        ),
        migrations.AddConstraint(
            model_name="meterwindow",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state", "withheld"),
                    models.Q(("fee", 0), ("paid", 0)),
                    ("transfer__isnull", False),
                    _connector="OR",
                ),
                name="meter_window_pays_by_a_transfer",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="meterwindow",
            trigger=pgtrigger.compiler.Trigger(
                name="guard",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n    IF TG_OP = 'DELETE' THEN\n        RAISE EXCEPTION 'window % is never deleted', OLD.id USING ERRCODE = '23001';\n    ELSIF OLD.state = 'settled' THEN\n        IF to_jsonb(NEW) - ARRAY['decision'] = to_jsonb(OLD) - ARRAY['decision'] AND NEW.decision IN ('', OLD.decision) THEN\n            RETURN NEW;\n        END IF;\n        RAISE EXCEPTION '% refused: % keeps what happened', TG_OP, TG_TABLE_NAME\n        USING ERRCODE = '23001';\n    ELSIF to_jsonb(NEW) - ARRAY['state', 'reason', 'earned', 'held_back', 'paid', 'fee', 'paid_before', 'transfer_id', 'decided_by_id', 'award_bps', 'decision', 'settled_at', 'evidence_id'] <>\n          to_jsonb(OLD) - ARRAY['state', 'reason', 'earned', 'held_back', 'paid', 'fee', 'paid_before', 'transfer_id', 'decided_by_id', 'award_bps', 'decision', 'settled_at', 'evidence_id'] THEN\n        RAISE EXCEPTION 'what window % counted is fixed', OLD.id USING ERRCODE = '23001';\n    END IF;\n    RETURN NEW;\n",
                    hash="706b00618fabb399a012d6a24be00c856d164b3c",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_guard_236c8",
                    table="settlement_meterwindow",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="meterwindow",
            trigger=pgtrigger.compiler.Trigger(
                name="never_emptied",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n    RAISE EXCEPTION '% refused: % is append-only', TG_OP, TG_TABLE_NAME USING ERRCODE = '23001';\n",
                    hash="cabeb90d021e330552fcbafd01f05238fd17aaa4",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_never_emptied_a9271",
                    table="settlement_meterwindow",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="meterstatement",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n    RAISE EXCEPTION '% refused: % is append-only', TG_OP, TG_TABLE_NAME USING ERRCODE = '23001';\n",
                    hash="406cfd9f37106515d5008e4e9ed7f14220d228a6",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_cf7aa",
                    table="settlement_meterstatement",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="metermovement",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gt", 0), ("fee__lte", models.F("amount"))),
                name="meter_movement_of_something",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="metermovement",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n    RAISE EXCEPTION '% refused: % is append-only', TG_OP, TG_TABLE_NAME USING ERRCODE = '23001';\n",
                    hash="1f9023c3597ccde52bdaad752351a0c503633856",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_append_only_a2b9a",
                    table="settlement_metermovement",
                    when="BEFORE",
                ),
            ),
        ),
    ]
