"""How the API shows metered hires, their windows and statements, and what it takes for them."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from marketplace.api.fields import AmountField, IdField, WholeField
from marketplace.metered_view import Standing, standing_of
from pacts.feasibility import DAY
from pacts.metering import MOST_CALLS_PER_PRICE, MOST_HELD_BACK_BPS, MeteringTerms
from reputation.clock import database_now
from settlement import meters
from settlement.metering import Runway
from settlement.metering_reasons import sentence_of
from settlement.models import Meter, MeterStatement, MeterWindow


class MeteringSerializer(serializers.Serializer[MeteringTerms]):
    """What was agreed beside the pact: see the fields. `window`, `clauses` and `critical` are the
    pact's: what is settled at a time, what decides it, and what stops the money."""

    budget = AmountField()
    price = AmountField()
    basis = serializers.ChoiceField(choices=["call", "window"])
    per = serializers.IntegerField()
    holdback_bps = serializers.IntegerField()
    cooling_seconds = serializers.IntegerField()
    runs_seconds = serializers.IntegerField()
    counts = serializers.ChoiceField(choices=["buyer", "platform"])
    pausers = serializers.ListField(child=serializers.ChoiceField(choices=["buyer", "builder"]))
    window = serializers.DictField()
    clauses = serializers.ListField(child=serializers.CharField())
    critical = serializers.ListField(child=serializers.CharField())
    rules = serializers.ListField(child=serializers.CharField())


class RunwaySerializer(serializers.Serializer[Runway]):
    """What is left: minor units, calls, windows, seconds at the present rate; null is unknown."""

    accrued = AmountField(help_text="What windows that are not settled yet cost, if they are met.")
    free = AmountField()
    calls = serializers.IntegerField(allow_null=True)
    windows = serializers.IntegerField(allow_null=True)
    seconds = serializers.IntegerField(allow_null=True)


class MeterSerializer(serializers.ModelSerializer[Meter]):
    """`funded` is `paid`, `fees`, `returned` and what is left: `held_back`, `withheld` and
    `available`."""

    engagement = serializers.CharField(source="engagement_id")
    agent = serializers.CharField(source="agent_id")
    terms = MeteringSerializer()
    sentence = serializers.SerializerMethodField()
    funded = AmountField()
    paid = AmountField()
    fees = AmountField()
    returned = AmountField()
    held_back = AmountField()
    withheld = AmountField()
    available = AmountField()
    authorised = serializers.SerializerMethodField(
        help_text="Whether a call received now would be paid for. Send none while it is false."
    )
    runway = serializers.SerializerMethodField()

    class Meta:
        model = Meter
        fields = [
            *("id", "engagement", "agent", "state", "reason", "sentence", "terms", "currency"),
            *("fee_bps", "funded", "paid", "fees", "returned", "held_back", "withheld"),
            *("available", "authorised", "runway", "funded_at", "expires_at", "breached_clause"),
            *("breach_evidence", "frozen_until", "closing_at", "closing_reason"),
            *("next_action_at", "ended_at"),
        ]

    def get_sentence(self, meter: Meter) -> str:
        return sentence_of(meter.closing_reason or meter.reason)

    def get_authorised(self, meter: Meter) -> bool:
        return self._standing(meter).authorised

    @extend_schema_field(RunwaySerializer())
    def get_runway(self, meter: Meter) -> Any:
        return RunwaySerializer(self._standing(meter).runway).data

    def _standing(self, meter: Meter) -> Standing:
        found: Standing | None = getattr(meter, "_standing", None)
        if found is None:
            found = standing_of(meter, party=None, now=database_now())
            meter._standing = found  # type: ignore[attr-defined]
        return found


class MeterWindowSerializer(serializers.ModelSerializer[MeterWindow]):
    """`calls` are `verified` and the excluded: `failed` (the builder's), faults of the platform
    and the buyer, `unchecked`, and `outside` of the times that count."""

    meter = serializers.CharField(source="meter_id")
    stream = serializers.CharField(source="stream_id")
    currency = serializers.CharField(source="meter.currency")
    sentence = serializers.SerializerMethodField()
    due = AmountField()
    covered = AmountField()
    earned = AmountField()
    paid = AmountField()
    fee = AmountField()
    held_back = AmountField()
    statement = serializers.SerializerMethodField()

    class Meta:
        model = MeterWindow
        fields = [
            *("id", "meter", "stream", "number", "state", "outcome", "rule", "reason"),
            *("sentence", "clauses", "calls", "verified", "failed", "platform_faults"),
            *("buyer_faults", "unchecked", "outside", "share_bps", "exact", "currency", "due"),
            *("covered", "earned", "paid", "fee", "held_back", "award_bps", "concluded_at"),
            *("decide_by_at", "settled_at", "statement"),
        ]

    def get_sentence(self, window: MeterWindow) -> str:
        return sentence_of(window.reason)

    def get_statement(self, window: MeterWindow) -> str | None:
        found = getattr(window, "statement", None)
        return found.pk if found else None


class MeterStatementSerializer(serializers.ModelSerializer[MeterStatement]):
    """`body` is the signed text, to the byte; `signature` is over its digest, as with receipts."""

    meter = serializers.CharField(source="window.meter_id")
    window = serializers.CharField(source="window_id")
    public_key = serializers.SerializerMethodField()
    signature = serializers.SerializerMethodField()

    class Meta:
        model = MeterStatement
        fields = ["id", "meter", "window", "issued_at", "body", "public_key", "signature"]

    def get_public_key(self, statement: MeterStatement) -> str:
        return bytes(statement.key.public_key).hex()

    def get_signature(self, statement: MeterStatement) -> str:
        return bytes(statement.signature).hex()


class MeteredHireSerializer(serializers.Serializer[Meter]):
    """The agent, pact and clocks are the listing's; what it costs is offered here, and the builder
    signs for itself."""

    listing = IdField()
    budget = AmountField()
    price = AmountField(help_text="Minor units for `per` verified calls, or for a whole window.")
    basis = serializers.ChoiceField(choices=["call", "window"], default="call")
    per = WholeField(min_value=1, max_value=MOST_CALLS_PER_PRICE, default=1)
    holdback_bps = WholeField(min_value=0, max_value=MOST_HELD_BACK_BPS, default=0)
    cooling_seconds = WholeField(min_value=0, max_value=366 * DAY, default=3 * DAY)
    runs_seconds = WholeField(min_value=1, max_value=366 * DAY, default=30 * DAY)
    counts = serializers.ChoiceField(
        choices=["buyer", "platform"],
        default="buyer",
        help_text="Whose reports are paid for: the buyer's guard, or calls the platform made.",
    )
    pausers = serializers.ListField(
        child=serializers.ChoiceField(choices=["buyer", "builder"]),
        max_length=2,
        default=["buyer", "builder"],
    )


class TopUpSerializer(serializers.Serializer[Meter]):
    amount = AmountField()


class WindowRulingSerializer(serializers.Serializer[MeterWindow]):
    award_bps = WholeField(min_value=0, max_value=10_000, help_text="The builder's share.")
    reasons = serializers.CharField(min_length=meters.LEAST_REASONS, max_length=meters.MOST_REASONS)
