"""What a number of a standing, or of a buyer's record, is made of: the evidence, piece by piece."""

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api.nouns import Noun
from pacts.models import Agent, Party
from reputation import contributions, queries
from reputation.clock import database_now
from reputation.contributions import Contribution, NumberUnknown

PER_PAGE = 200


class ContributionSerializer(serializers.Serializer[Contribution]):
    """One piece of evidence. `adds` is what it added; in minor units where there is a currency."""

    evidence = serializers.CharField(source="evidence_id")
    cause = serializers.CharField(source="cause_id", help_text="By which it began to count.")
    kind = serializers.CharField()
    at = serializers.DateTimeField()
    adds = serializers.DictField(child=serializers.IntegerField())
    currency = serializers.CharField(allow_blank=True)
    buyer_weight_permille = serializers.IntegerField(source="permille", allow_null=True)


class ContributionsSerializer(serializers.Serializer[Any]):
    """Newest first. `next` is the `before` of the page that follows, null at the end."""

    about = serializers.CharField()
    agent_version = serializers.CharField(allow_null=True, required=False)
    results = ContributionSerializer(many=True)
    next = serializers.CharField(allow_null=True)


ASKED = (
    OpenApiParameter("about", str, description="Which number; the first there is."),
    OpenApiParameter("before", str, description="The `next` of the page before."),
)
VERSION = OpenApiParameter("agent_version", str, description="Else that of `/signals`.")


class _MadeOf(Noun):
    """`?about=` names a number; what it adds up from."""

    gives = ContributionsSerializer
    first: ClassVar[str]

    def answer(self, found: list[Contribution], **more: Any) -> Response:
        page = found[:PER_PAGE]
        content = {
            "about": self.wanted["about"],
            "results": page,
            "next": page[-1].place if len(found) > PER_PAGE else None,
        }
        return Response(self.shown(content | more))

    @property
    def wanted(self) -> dict[str, Any]:
        given = self.request.query_params
        about, before = given.get("about") or self.first, given.get("before", "")
        return {"about": about, "before": before, "limit": PER_PAGE + 1}


class StandingEvidence(_MadeOf):
    """What one number of an agent's version is made of: a dimension by its name, or `everything`,
    `compliance`, `disputes`, `claim`, `evaluations`, `money`, `bond`."""

    first = contributions.OF_AGENTS[0]

    @extend_schema(parameters=[*ASKED, VERSION])
    def get(self, request: Request, id: str) -> Response:
        agent = self.find(Agent.objects.all(), pk=id)
        named = request.query_params.get("agent_version")
        version = self.find(agent.versions.all(), pk=named).id if named else None
        if version is None:
            version = queries.standing_of(agent_id=agent.id, now=database_now()).version_id
        found = contributions.of_agent(agent_id=agent.id, version_id=version or "", **self.wanted)
        return self.answer(found, agent_version=version)


class BuyerEvidence(_MadeOf):
    """What one number of a buyer's record is made of: `hires`, `disputes`, `rulings`, `silences` or
    `builders`."""

    first = contributions.OF_BUYERS[0]

    @extend_schema(parameters=[*ASKED])
    def get(self, request: Request, id: str) -> Response:
        party = self.find(Party.objects.all(), pk=id)
        try:
            return self.answer(contributions.of_buyer(buyer_id=party.pk, **self.wanted))
        except NumberUnknown as error:
            raise ValidationError({"about": [str(error)]}) from error
