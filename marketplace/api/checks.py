"""The checks a clause may name, each with its meaning, its parameters and its proof."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api.fields import ObjectField
from marketplace.api.nouns import Noun
from pacts.checks import CHECKS
from pacts.checks.catalogue import published


class FixtureSerializer(serializers.Serializer[Any]):
    """Parameters and a call whose answer is known, with what the check says of it."""

    params = ObjectField()
    call = ObjectField()
    reason = serializers.CharField()


class RefusedSerializer(serializers.Serializer[Any]):
    """Parameters that any agent keeps, and why."""

    params = ObjectField()
    why = serializers.CharField()


class CheckSerializer(serializers.Serializer[Any]):
    kind = serializers.CharField()
    version = serializers.IntegerField()
    title = serializers.CharField()
    meaning = serializers.CharField(help_text="The exact semantics, with their source.")
    also_called = serializers.ListField(child=serializers.CharField())
    params_schema = ObjectField(help_text="JSON Schema 2020-12 of a clause's params.")
    neighbours = serializers.DictField(
        child=serializers.CharField(), help_text="Kinds it is taken for, and what they do instead."
    )
    passes = FixtureSerializer(many=True)
    fails = FixtureSerializer(many=True)
    refused = RefusedSerializer(many=True)


class Checks(Noun):
    """Every kind of check there is, in one table."""

    gives = CheckSerializer

    @extend_schema(responses=CheckSerializer(many=True))
    def get(self, request: Request) -> Response:
        found = [published(check) for check in CHECKS.values()]
        return Response(self.get_serializer(found, many=True).data)


class OneCheck(Noun):
    """One kind of check, by its kind."""

    gives = CheckSerializer

    def get(self, request: Request, id: str) -> Response:
        if id not in CHECKS:
            raise NotFound
        return Response(self.shown(published(CHECKS[id])))
