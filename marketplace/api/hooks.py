"""Webhooks out: made, tried, given new secrets, ended; and every delivery with its tries."""

from datetime import datetime
from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api.fields import IdField
from marketplace.api.nouns import Lists, Makes, Noun, Reads
from marketplace.hooks import keeping
from marketplace.hooks.keeping import MadeHook
from marketplace.models import Delivery, DeliveryAttempt, Hook
from marketplace.notices.topics import TOPICS
from pacts.models import Engagement
from reputation.clock import database_now

_TOPICS = serializers.ListField(
    child=serializers.ChoiceField(choices=[(key, one.title) for key, one in TOPICS.items()]),
    required=False,
    max_length=len(TOPICS),
    help_text="Empty: every topic.",
)


class HookSerializer(serializers.ModelSerializer[Hook]):
    topics = serializers.ListField(child=serializers.CharField())
    engagement = serializers.CharField(source="engagement_id", allow_null=True)
    off_because = serializers.CharField(help_text="gone, failing or by_party; empty while it is on")

    class Meta:
        model = Hook
        fields = [
            *("id", "url", "topics", "engagement", "made_at", "off_at", "off_because"),
            "failing_since",
        ]


class NewHookSerializer(serializers.Serializer[Hook]):
    url = serializers.CharField(max_length=2000)
    topics = _TOPICS
    engagement = IdField(required=False, default="", help_text="Only what names it.")


class HookSecretSerializer(serializers.Serializer[MadeHook]):
    """The secret is shown this once: `whsec_` and base64, as Standard Webhooks has it."""

    hook = HookSerializer()
    secret = serializers.CharField()


class OfHooks(Noun):
    """The hooks of the acting party."""

    def hooks(self) -> QuerySet[Hook]:
        return keeping.hooks_of(self.own)

    def hook(self) -> Hook:
        return self.find(self.hooks(), pk=self.kwargs["id"])


class Hooks(OfHooks, Lists, Makes):
    """Where the party's programs are told what happens. Deliveries follow Standard Webhooks."""

    gives = HookSerializer
    takes = NewHookSerializer
    makes = HookSecretSerializer
    replays = False  # the answer holds a secret

    def get_queryset(self) -> QuerySet[Hook]:
        return Hook.objects.filter(party=self.own)

    def create(self, given: dict[str, Any], now: datetime) -> MadeHook:
        own = Q(buyer_id=self.own) | Q(builder_id=self.own)
        named = given.pop("engagement")
        engagement = self.find(Engagement.objects.filter(own), pk=named) if named else None
        return keeping.make_hook(
            party=self.party, by=self.user, engagement=engagement, now=now, **given
        )


class OneHook(OfHooks, Reads):
    """One hook. DELETE ends it; its deliveries stay on record."""

    gives = HookSerializer

    def get_queryset(self) -> QuerySet[Hook]:
        return self.hooks()

    def delete(self, request: Request, id: str) -> Response:
        hook = self.hook()
        keeping.end_hook(hook=hook, because=Hook.Off.BY_PARTY, now=database_now())
        return Response(self.shown(hook), status.HTTP_200_OK)


class HookSecrets(OfHooks, Makes):
    """A new secret. For a day deliveries carry a signature of both."""

    gives = HookSecretSerializer
    replays = False

    def create(self, given: dict[str, Any], now: datetime) -> MadeHook:
        return keeping.rotate_secret(hook=self.hook(), now=now)


class DeliveryAttemptSerializer(serializers.ModelSerializer[DeliveryAttempt]):
    class Meta:
        model = DeliveryAttempt
        fields = ["number", "at", "status", "problem", "latency_ms"]


class DeliverySerializer(serializers.ModelSerializer[Delivery]):
    hook = serializers.CharField(source="hook_id")
    kind = serializers.SerializerMethodField()
    tries = DeliveryAttemptSerializer(many=True)

    class Meta:
        model = Delivery
        fields = [
            *("id", "hook", "message_id", "kind", "state", "attempts", "due_at"),
            *("queued_at", "ended_at", "tries"),
        ]

    def get_kind(self, delivery: Delivery) -> str:
        return delivery.news.kind if delivery.news else "hook.tried"


class HookTrial(OfHooks, Makes):
    """A test message."""

    gives = DeliverySerializer

    def create(self, given: dict[str, Any], now: datetime) -> Delivery:
        return keeping.try_hook(hook=self.hook(), now=now)


class DeliveryFilter(django_filters.FilterSet):
    hook = django_filters.CharFilter(field_name="hook_id")
    state = django_filters.ChoiceFilter(choices=Delivery.State.choices)


class OfDeliveries(Noun):
    """Deliveries to the hooks of the acting party."""

    def get_queryset(self) -> QuerySet[Delivery]:
        rows = Delivery.objects.filter(hook__party=self.own).select_related("news", "hook")
        return rows.prefetch_related("tries")


class Deliveries(OfDeliveries, Lists):
    """Every delivery with its tries, the newest first."""

    gives = DeliverySerializer
    filterset_class = DeliveryFilter


class OneDelivery(OfDeliveries, Reads):
    """One delivery."""

    gives = DeliverySerializer


class DeliveryRepetition(OfDeliveries, Makes):
    """The same message again, under its own id."""

    gives = DeliverySerializer

    def create(self, given: dict[str, Any], now: datetime) -> Delivery:
        found = self.find(self.get_queryset(), pk=self.kwargs["id"])
        return keeping.repeat(delivery=found, now=now)
