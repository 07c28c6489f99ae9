"""API keys: made, listed and revoked by the party's owners."""

from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace import keys
from marketplace.api.nouns import Lists, Makes, Reads
from marketplace.models import ApiKey
from pacts.models import Engagement
from reputation.clock import database_now


class KeySerializer(serializers.ModelSerializer[ApiKey]):
    user = serializers.CharField(source="user_id", read_only=True)
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=ApiKey.Scope.choices))
    engagement = serializers.CharField(
        source="engagement_id",
        allow_null=True,
        required=False,
        help_text="Reports this engagement's calls, and does nothing else.",
    )

    class Meta:
        model = ApiKey
        fields = [
            "id",
            "name",
            "user",
            "scopes",
            "engagement",
            "created_at",
            "expires_at",
            "last_used_at",
            "revoked_at",
        ]
        read_only_fields = ["id", "created_at", "last_used_at", "revoked_at"]


class IssuedKeySerializer(KeySerializer):
    """A new key with its secret, which is shown this once."""

    secret = serializers.CharField(read_only=True)

    class Meta(KeySerializer.Meta):
        fields = [*KeySerializer.Meta.fields, "secret"]


class Keys(Lists, Makes):
    """Keys that act for the party as the user who made them; the secret is shown once."""

    gives = KeySerializer
    makes = IssuedKeySerializer
    takes = KeySerializer
    replays = False  # an answer that is kept would keep the secret

    def get_queryset(self) -> QuerySet[ApiKey]:
        return ApiKey.objects.filter(party_id=self.own)

    def create(self, given: dict[str, Any], now: datetime) -> ApiKey:
        named = given.pop("engagement_id", None)
        own = Q(buyer_id=self.own) | Q(builder_id=self.own)
        found = self.find(Engagement.objects.filter(own), pk=named) if named else None
        issued = keys.issue_key(
            party=self.party, user=self.user, now=now, engagement=found, **given
        )
        issued.key.secret = issued.secret  # type: ignore[attr-defined]
        return issued.key


class OneKey(Reads):
    """One key. DELETE revokes it at once; what it did stays on record."""

    gives = KeySerializer

    def get_queryset(self) -> QuerySet[ApiKey]:
        return ApiKey.objects.filter(party_id=self.own)

    def delete(self, request: Request, id: str) -> Response:
        key = self.find(self.get_queryset(), pk=id)
        return Response(self.shown(keys.revoke_key(key=key, now=database_now())))


class KeyRotation(Makes):
    """A successor that may do what the key may. The key works on for a day, or to its own end."""

    gives = IssuedKeySerializer
    replays = False  # an answer that is kept would keep the secret

    def create(self, given: dict[str, Any], now: datetime) -> ApiKey:
        key = self.find(ApiKey.objects.filter(party_id=self.own), pk=self.kwargs["id"])
        issued = keys.rotate_key(key=key, by=self.user, now=now)
        issued.key.secret = issued.secret  # type: ignore[attr-defined]
        return issued.key
