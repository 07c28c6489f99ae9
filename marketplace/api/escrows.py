"""How escrows and their bonds are written: beside milestones, never by themselves."""

from typing import Any

from rest_framework import serializers

from marketplace.api.fields import AmountField
from settlement.models import Bond, Escrow


class BandSerializer(serializers.Serializer[Any]):
    """A marginal rate for what was earned above `above` minor units, up to the next band."""

    above = AmountField()
    fee_bps = serializers.IntegerField()


class BondSerializer(serializers.ModelSerializer[Bond]):
    """What the builder staked; `state` is held, returned (to it) or slashed (to the buyer)."""

    amount = AmountField()

    class Meta:
        model = Bond
        fields = ["id", "amount", "state", "held_at", "ended_at"]


class EscrowSerializer(serializers.ModelSerializer[Escrow]):
    amount = AmountField()
    released = AmountField(allow_null=True)
    refunded = AmountField(allow_null=True)
    fee = AmountField(allow_null=True)
    verdict = serializers.CharField(source="verdict_id", allow_null=True)
    fee_bands = serializers.ListField(child=BandSerializer())
    bond = BondSerializer(allow_null=True)

    class Meta:
        model = Escrow
        fields = [
            "id",
            "state",
            "amount",
            "currency",
            "fee_bps",
            "fee_bands",
            "reason",
            "timeout",
            "fault",
            "funded_at",
            "accepted_at",
            "agreed_at",
            "agreed_share_bps",
            "submit_by_at",
            "acceptance_ends_at",
            "cure_ends_at",
            "next_action_at",
            "verdict",
            "earned_share_bps",
            "released",
            "refunded",
            "fee",
            "settled_at",
            "bond",
        ]

    def to_representation(self, instance: Escrow) -> dict[str, Any]:
        if not hasattr(instance, "bond"):
            instance.bond = None
        return super().to_representation(instance)
