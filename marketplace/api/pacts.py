"""Pacts: drafted, linted, published, frozen."""

from datetime import datetime
from typing import Any, ClassVar

import django_filters
from django.db.models import Q, QuerySet
from django.http import HttpResponse, JsonResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    extend_schema,
    extend_schema_field,
)
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api.fields import IdField, ObjectField
from marketplace.api.nouns import Lists, Makes, Noun, Reads
from pacts import lint, publishing, terms, texts
from pacts.diff import Change, diff, weakens
from pacts.models import Agent, Pact, PactVersion
from pacts.pact_schema import pact_schema
from pacts.templates_library import Template, UnknownTemplate, library, template_called


class PactVersionSerializer(serializers.ModelSerializer[PactVersion]):
    pact = serializers.CharField(source="pact_id")
    agent = serializers.CharField(
        source="pact.agent_id", allow_null=True, help_text="Null: what a buyer asks of any agent."
    )
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
    agent = serializers.CharField(source="agent_id", allow_null=True)

    class Meta:
        model = Pact
        fields = ["id", "agent", "title", "created_at"]


class WordingSerializer(serializers.Serializer[Any]):
    """A pact in exactly one of its forms; `terms` holds what was read."""

    sources: ClassVar[tuple[str, ...]] = ("terms", "text")
    terms = ObjectField(required=False, help_text="The pact in the language earnest-pact/1.")
    text = serializers.CharField(
        required=False,
        max_length=texts.MOST_BYTES,
        trim_whitespace=False,
        help_text="The same as YAML or JSON text; mistakes are named with line and column.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        given = [name for name in self.sources if name in attrs]
        if len(given) != 1:
            names = " or ".join(self.sources)
            raise serializers.ValidationError(f"Give exactly one of {names}.")
        if "text" in attrs:
            attrs["source"] = texts.read(attrs["text"])
            attrs["terms"] = attrs["source"].value
        return attrs


class DraftSerializer(WordingSerializer):
    sources = ("terms", "text", "template", "version")
    agent = IdField()
    template = serializers.SlugField(
        required=False, max_length=40, help_text="The slug of a template to fork."
    )
    version = IdField(required=False, help_text="A published pact version to fork.")


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


class PactReviewSerializer(LintSerializer):
    """What the linter says of a text; `problem` when it cannot be read, with its place."""

    problem = serializers.CharField(allow_null=True)
    line = serializers.IntegerField(allow_null=True)
    column = serializers.IntegerField(allow_null=True)
    digest = serializers.CharField(allow_null=True)


class ChangeSerializer(serializers.Serializer[Change]):
    """One clause's change; `fields` gives (old, new) by name. The pact's own have the key “”."""

    key = serializers.CharField(allow_blank=True)
    direction = serializers.CharField()
    changed = ObjectField(source="fields")


class PactDifferenceSerializer(serializers.Serializer[Any]):
    old = serializers.CharField()
    new = serializers.CharField()
    weakens = serializers.BooleanField()
    changes = ChangeSerializer(many=True)


class TemplateSerializer(serializers.Serializer[Template]):
    slug = serializers.CharField()
    name = serializers.CharField()
    work = serializers.CharField()
    about = serializers.CharField()
    tasks = serializers.CharField()
    terms = serializers.SerializerMethodField()

    @extend_schema_field({"type": "object", "additionalProperties": True})
    def get_terms(self, template: Template) -> dict[str, Any]:
        return terms.to_json(template.terms)


class PactFilter(django_filters.FilterSet):
    agent = django_filters.CharFilter(field_name="agent_id")


class OfPacts(Noun):
    """Published pacts are everybody's; a draft is its builder's alone. What a buyer asks is its
    own, and everybody's once it posts a need under it."""

    def pacts(self) -> QuerySet[Pact]:
        seen = Q(versions__published_at__isnull=False, agent__isnull=False)
        seen |= Q(agent__builder_id=self.own) | Q(buyer_id=self.own)
        seen |= Q(versions__needs__isnull=False) | Q(agreed_with_id=self.own)
        return Pact.objects.filter(seen).distinct()

    def versions(self) -> QuerySet[PactVersion]:
        seen = Q(published_at__isnull=False, pact__agent__isnull=False)
        seen |= Q(pact__agent__builder_id=self.own) | Q(pact__buyer_id=self.own)
        seen |= Q(needs__isnull=False) | Q(pact__agreed_with_id=self.own)
        return PactVersion.objects.filter(seen).select_related("pact").distinct()

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
        return publishing.draft_pact(agent=agent, data=self._wording(given))

    def _wording(self, given: dict[str, Any]) -> Any:
        if "template" in given:
            return terms.to_json(template_called(given["template"]).terms)
        if "version" in given:
            return self.find(self.versions(), pk=given["version"]).terms
        return _placed(given)


def _placed(given: dict[str, Any]) -> Any:
    """The terms of a body; a mistake in a text is refused with its line and column."""
    if "text" in given:
        texts.read_terms(given["text"])
    return given["terms"]


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
    takes = WordingSerializer

    def get_queryset(self) -> QuerySet[PactVersion]:
        return self.versions()

    def put(self, request: Request, id: str) -> Response:
        changed = publishing.change_draft(version=self.own_version(), data=_placed(self.given()))
        return Response(self.shown(changed))


class PactLint(OfPacts):
    """What the linter says of a version; nothing with an error is published."""

    gives = LintSerializer

    def get(self, request: Request, id: str) -> Response:
        version = self.find(self.versions(), pk=id)
        found = list(lint.lint(terms.parse(version.terms)))
        publishable = not any(finding.severity == "error" for finding in found)
        return Response(self.shown({"publishable": publishable, "findings": found}))


class PactReviews(OfPacts, Makes):
    """What the linter says of a text that is not kept: for editors, while somebody types."""

    gives = PactReviewSerializer
    takes = WordingSerializer
    replays = False

    def create(self, given: dict[str, Any], now: datetime) -> dict[str, Any]:
        source: texts.Source | None = given.get("source")
        try:
            parsed = terms.parse(given["terms"])
        except terms.TermsError as error:
            place = source.place(error.path) if source else None
            return _unread(texts.TextRefused(error, place))
        found = lint.lint(parsed)
        green = not any(finding.severity == "error" for finding in found)
        read = {"problem": None, "line": None, "column": None, "digest": terms.digest(parsed)}
        return {"publishable": green, "findings": found, **read}


def _unread(error: texts.TextRefused) -> dict[str, Any]:
    place = {"line": error.line, "column": error.column}
    return {"publishable": False, "findings": [], "problem": str(error), "digest": None, **place}


class PactText(OfPacts):
    """A version as YAML, for editors and repositories."""

    gives = PactVersionSerializer

    @extend_schema(responses={(200, "application/yaml"): OpenApiTypes.OBJECT})
    def get(self, request: Request, id: str) -> HttpResponse:
        version = self.find(self.versions(), pk=id)
        text = texts.write_yaml(terms.parse(version.terms))
        return HttpResponse(text, content_type="application/yaml")


class PactDifference(OfPacts):
    """What a version changes of another (`?against=`), by default of the one published before."""

    gives = PactDifferenceSerializer

    @extend_schema(parameters=[OpenApiParameter("against", str, description="A version's id.")])
    def get(self, request: Request, id: str) -> Response:
        version = self.find(self.versions().select_related("pact"), pk=id)
        against = request.query_params.get("against")
        if against is None:
            other = publishing.last_published(version.pact, before=version.number) or version
        else:
            other = self.find(self.versions(), pk=against)
        old, new = terms.parse(other.terms), terms.parse(version.terms)
        shown = {"old": other.id, "new": version.id, "weakens": weakens(old=old, new=new)}
        return Response(self.shown({**shown, "changes": diff(old=old, new=new)}))


class PactTemplates(Noun):
    """Pacts to fork: POST one's slug to /pacts as `template`."""

    gives = TemplateSerializer

    @extend_schema(responses=TemplateSerializer(many=True))
    def get(self, request: Request) -> Response:
        return Response(self.get_serializer(library(), many=True).data)


class OnePactTemplate(Noun):
    """One pact to fork."""

    gives = TemplateSerializer

    def get(self, request: Request, id: str) -> Response:
        try:
            return Response(self.shown(template_called(id)))
        except UnknownTemplate as error:
            raise NotFound(str(error)) from error


class PactSchema(Noun):
    """The pact language as a JSON Schema (2020-12)."""

    gives = PactSerializer

    @extend_schema(responses={(200, "application/schema+json"): OpenApiTypes.OBJECT})
    def get(self, request: Request) -> HttpResponse:
        return JsonResponse(pact_schema(), content_type="application/schema+json")


class Publication(OfPacts, Makes):
    """Publishing a draft: linted, signed for the builder, frozen."""

    gives = PactVersionSerializer

    def create(self, given: dict[str, Any], now: datetime) -> PactVersion:
        return publishing.publish_pact(
            version=self.own_version(), by=self.user, authority=self.authority, now=now
        )
