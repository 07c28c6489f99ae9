"""Needs: posted, offered on under seal, opened together, picked from."""

from datetime import datetime
from typing import Any

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from marketplace import needing, picking
from marketplace.api.engagements import EngagementSerializer
from marketplace.api.fields import AmountField, IdField, ObjectField, WholeField
from marketplace.api.nouns import Lists, Makes, Noun, Reads
from pacts import needs as law
from pacts.models import (
    AgentVersion,
    Engagement,
    Need,
    PactVersion,
    SealedOffer,
    TaskSetVersion,
)
from pacts.needs.posting import MOST_SAMPLES
from pacts.tables import TaskDraft


class SampleSerializer(serializers.Serializer[Any]):
    input = ObjectField()
    expected = ObjectField(allow_null=True, default=None)


class NeedSerializer(serializers.ModelSerializer[Need]):
    """A need; amounts are minor units. `offers_until` is the last moment an offer counts."""

    buyer = serializers.CharField(source="buyer_id")
    pact_version = serializers.CharField(source="pact_version_id")
    engagement = serializers.SerializerMethodField()
    samples = SampleSerializer(many=True)
    ceiling = serializers.CharField()
    ended_as = serializers.CharField(help_text="Empty while it lasts.")

    class Meta:
        model = Need
        fields = [
            *("id", "buyer", "title", "about", "work", "pact_version", "samples", "ceiling"),
            *("currency", "starts_on", "offers_until", "choose_until", "state", "ended_as"),
            *("engagement", "posted_at", "revealed_at", "closed_at"),
        ]

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_engagement(self, need: Need) -> str | None:
        """For its two sides alone."""
        acting = self.context["view"].own if "view" in self.context else ""
        hired = need.engagement
        return hired.id if hired and acting in (hired.buyer_id, hired.builder_id) else None


class NewNeedSerializer(serializers.Serializer[Need]):
    title = serializers.CharField(max_length=120)
    about = serializers.CharField(max_length=4000, allow_blank=True, default="")
    work = serializers.SlugField(max_length=40)
    pact_version = IdField(help_text="A pact the party asks for: POST /asked-pacts.")
    samples = SampleSerializer(many=True, default=list)
    ceiling = AmountField()
    currency = serializers.CharField(max_length=12)
    starts_on = serializers.DateField(allow_null=True, default=None)
    offers_until = serializers.DateTimeField()
    choose_until = serializers.DateTimeField()

    def validate_samples(self, value: list[dict[str, Any]]) -> list[TaskDraft]:
        if len(value) > MOST_SAMPLES:
            raise serializers.ValidationError(f"Show at most {MOST_SAMPLES}.")
        return [TaskDraft(one["input"], one["expected"]) for one in value]


class SealedOfferSerializer(serializers.ModelSerializer[SealedOffer]):
    """An offer as its builder wrote it, or as it was opened. `document` is what the commitment is
    the digest of (canonical JSON, SHA-256); its `note` is the digest of `salt`, a line feed and the
    note."""

    need = serializers.CharField(source="need_id")
    document = serializers.SerializerMethodField()
    note = serializers.SerializerMethodField()
    salt = serializers.SerializerMethodField()
    outcome = serializers.CharField(help_text="Empty until the buyer has chosen.")

    class Meta:
        model = SealedOffer
        fields = [
            *("id", "need", "state", "commitment", "document", "note", "salt", "placed_at"),
            *("sealed_evidence_id", "revealed_evidence_id", "unfit", "outcome"),
        ]

    @extend_schema_field({"type": "object", "additionalProperties": True})
    def get_document(self, one: SealedOffer) -> dict[str, Any]:
        found: dict[str, Any] = law.opened_for_its_builder(one)["document"]
        return found

    def get_note(self, one: SealedOffer) -> str:
        return str(law.opened_for_its_builder(one)["note"])

    def get_salt(self, one: SealedOffer) -> str:
        return str(law.opened_for_its_builder(one)["salt"])


class NewOfferSerializer(serializers.Serializer[SealedOffer]):
    agent_version = IdField()
    price = AmountField()
    work_seconds = WholeField(min_value=1, max_value=366 * 86_400)
    note = serializers.CharField(max_length=4000, allow_blank=True, default="")


class PickSerializer(serializers.Serializer[Any]):
    offer = IdField()
    task_set_version = IdField()


class NeedFilter(django_filters.FilterSet):
    work = django_filters.CharFilter()
    currency = django_filters.CharFilter()
    state = django_filters.ChoiceFilter(choices=Need.State.choices)
    buyer = django_filters.CharFilter(field_name="buyer_id")


class OfNeeds(Noun):
    """Those that take offers, one's own, and those one offered on."""

    def needs(self) -> QuerySet[Need]:
        return needing.seen_by(self.acting.party if self.acting else None)

    def need(self) -> Need:
        return self.find(self.needs(), pk=self.kwargs["id"])

    def own_need(self) -> Need:
        return self.find(self.needs().filter(buyer_id=self.own), pk=self.kwargs["id"])

    def other_need(self) -> Need:
        return self.find(self.needs().exclude(buyer_id=self.own), pk=self.kwargs["id"])


class Needs(OfNeeds, Lists, Makes):
    """Needs. A POST asks every builder for sealed offers under a pact of the party's own."""

    gives = NeedSerializer
    takes = NewNeedSerializer
    filterset_class = NeedFilter
    ordering_fields = ("id", "offers_until")

    def get_queryset(self) -> QuerySet[Need]:
        return self.needs()

    def create(self, given: dict[str, Any], now: datetime) -> Need:
        own = PactVersion.objects.filter(pact__buyer_id=self.own).select_related("pact")
        pact = self.find(own, pk=given.pop("pact_version"))
        draft = law.NeedDraft(pact_version=pact, **given)
        return law.post(buyer=self.party, draft=draft, by=self.user, now=now)


class OneNeed(OfNeeds, Reads):
    """One need."""

    gives = NeedSerializer

    def get_queryset(self) -> QuerySet[Need]:
        return self.needs()


class NeedWithdrawal(OfNeeds, Makes):
    """Take a need back before its offers are opened; they are then never opened."""

    gives = NeedSerializer

    def create(self, given: dict[str, Any], now: datetime) -> Need:
        return law.withdraw_need(need=self.own_need(), buyer=self.party, now=now)


class NeedOffers(OfNeeds, Lists, Makes):
    """One's own offers on a need; for its buyer every offer, once all are opened. A POST seals one,
    in the place of an earlier one; it can be sent until the deadline."""

    gives = SealedOfferSerializer
    takes = NewOfferSerializer
    queryset = SealedOffer.objects.none()

    def get_queryset(self) -> QuerySet[SealedOffer]:
        return needing.offers_seen_by(self.party).filter(need=self.need())

    def create(self, given: dict[str, Any], now: datetime) -> SealedOffer:
        own = AgentVersion.objects.filter(agent__builder_id=self.own).select_related("agent")
        return law.offer(
            need=self.other_need(),
            builder=self.party,
            agent_version=self.find(own, pk=given["agent_version"]),
            price=given["price"],
            work_seconds=given["work_seconds"],
            note=given["note"],
            by=self.user,
            now=now,
        )


class NeedOfferWithdrawal(OfNeeds, Makes):
    """Take one's own offer back; it is never opened."""

    gives = SealedOfferSerializer

    def create(self, given: dict[str, Any], now: datetime) -> SealedOffer:
        return law.take_back(need=self.other_need(), builder=self.party, now=now)


class NeedPick(OfNeeds, Makes):
    """Pick an opened offer: an engagement under the need's pact at the offer's price, signed for
    the buyer; the builder signs it as any other."""

    gives = EngagementSerializer
    takes = PickSerializer

    def create(self, given: dict[str, Any], now: datetime) -> Engagement:
        sets = TaskSetVersion.objects.filter(task_set__owner_id=self.own, task_set__canaries=False)
        return picking.pick(
            need=self.own_need(),
            offer_id=given["offer"],
            buyer=self.party,
            task_set_version=self.find(
                sets.select_related("task_set"), pk=given["task_set_version"]
            ),
            by=self.user,
            authority=self.authority,
            now=now,
        )


class OneSealedOffer(Reads):
    """One offer: for its builder at any time, for the need's buyer once all are opened. Before
    that it is, for the buyer too, as if it did not exist."""

    gives = SealedOfferSerializer

    def get_queryset(self) -> QuerySet[SealedOffer]:
        return needing.offers_seen_by(self.party)
