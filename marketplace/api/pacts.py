"""Pacts: drafted, linted, published, frozen."""

from datetime import datetime
from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api.fields import IdField, ObjectField
from marketplace.api.nouns import Lists, Makes, Noun, Reads
from pacts import lint, publishing, terms
from pacts.models import Agent, Pact, PactVersion


class PactVersionSerializer(serializers.ModelSerializer[PactVersion]):
    pact = serializers.CharField(source="pact_id")
    agent = serializers.CharField(source="pact.agent_id")
    terms = ObjectField()
    signature = serializers.CharField(source="signature_id", allow_null=True)

    class Meta:
        model = PactVersion
        fields = [
            "id",
            "pact",
            "agent",
            "number",
            "terms",
            "digest",
            "signature",
            "published_at",
            "created_at",
        ]


class PactSerializer(serializers.ModelSerializer[Pact]):
    agent = serializers.CharField(source="agent_id")

    class Meta:
        model = Pact
        fields = ["id", "agent", "title", "created_at"]


class DraftSerializer(serializers.Serializer[PactVersion]):
    agent = IdField()
    terms = ObjectField(help_text="The pact in the language earnest-pact/1.")


class TermsSerializer(serializers.Serializer[PactVersion]):
    terms = ObjectField(help_text="The pact in the language earnest-pact/1.")


class FindingSerializer(serializers.Serializer[lint.Finding]):
    """One thing the linter says, in the builder's words."""

    code = serializers.CharField()
    path = serializers.CharField()
    severity = serializers.CharField()
    message = serializers.CharField()
    remedy = serializers.CharField()


class LintSerializer(serializers.Serializer[Any]):
    publishable = serializers.BooleanField()
    findings = FindingSerializer(many=True)


class PactFilter(django_filters.FilterSet):
    agent = django_filters.CharFilter(field_name="agent_id")


class OfPacts(Noun):
    """Published pacts are everybody's; a draft is its builder's alone."""

    def pacts(self) -> QuerySet[Pact]:
        seen = Q(versions__published_at__isnull=False) | Q(agent__builder_id=self.own)
        return Pact.objects.filter(seen).distinct()

    def versions(self) -> QuerySet[PactVersion]:
        seen = Q(published_at__isnull=False) | Q(pact__agent__builder_id=self.own)
        return PactVersion.objects.filter(seen).select_related("pact")

    def own_version(self) -> PactVersion:
        rows = self.versions().filter(pact__agent__builder_id=self.own)
        return self.find(rows, pk=self.kwargs["id"])


class Pacts(OfPacts, Lists, Makes):
    """Pacts. A POST drafts the next version of the pact of an agent of one's own."""

    gives = PactSerializer
    makes = PactVersionSerializer
    takes = DraftSerializer
    filterset_class = PactFilter

    def get_queryset(self) -> QuerySet[Pact]:
        return self.pacts()

    def create(self, given: dict[str, Any], now: datetime) -> PactVersion:
        agent = self.find(Agent.objects.filter(builder_id=self.own), pk=given["agent"])
        return publishing.draft_pact(agent=agent, data=given["terms"])


class OnePact(OfPacts, Reads):
    """One agent's pact, whatever its versions."""

    gives = PactSerializer

    def get_queryset(self) -> QuerySet[Pact]:
        return self.pacts()


class PactVersions(OfPacts, Lists):
    """The versions of a pact; those published never change."""

    gives = PactVersionSerializer
    queryset = PactVersion.objects.none()

    def get_queryset(self) -> QuerySet[PactVersion]:
        pact = self.find(self.pacts(), pk=self.kwargs["id"])
        return self.versions().filter(pact=pact)


class OnePactVersion(OfPacts, Reads):
    """One version. PUT replaces the text of a draft."""

    gives = PactVersionSerializer
    takes = TermsSerializer

    def get_queryset(self) -> QuerySet[PactVersion]:
        return self.versions()

    def put(self, request: Request, id: str) -> Response:
        changed = publishing.change_draft(version=self.own_version(), data=self.given()["terms"])
        return Response(self.shown(changed))


class PactLint(OfPacts):
    """What the linter says of a version; nothing with an error is published."""

    gives = LintSerializer

    def get(self, request: Request, id: str) -> Response:
        version = self.find(self.versions(), pk=id)
        found = list(lint.lint(terms.parse(version.terms)))
        publishable = not any(finding.severity == "error" for finding in found)
        return Response(self.shown({"publishable": publishable, "findings": found}))


class Publication(OfPacts, Makes):
    """Publishing a draft: linted, signed for the builder, frozen."""

    gives = PactVersionSerializer

    def create(self, given: dict[str, Any], now: datetime) -> PactVersion:
        return publishing.publish_pact(
            version=self.own_version(), by=self.user, authority=self.authority, now=now
        )
