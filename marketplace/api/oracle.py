"""The oracle's address: what another marketplace reads before it delegates."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework import serializers
from rest_framework.request import Request

from marketplace import oracle
from marketplace.api.nouns import Noun


class OracleDimensionSerializer(serializers.Serializer[Any]):
    units = serializers.IntegerField()
    passes = serializers.IntegerField()
    failures = serializers.IntegerField()
    verdicts = serializers.IntegerField()
    buyers = serializers.IntegerField()
    estimate_bps = serializers.IntegerField(allow_null=True)
    lower_bps = serializers.IntegerField(allow_null=True)
    upper_bps = serializers.IntegerField(allow_null=True)
    trend_bps = serializers.IntegerField(allow_null=True)
    promise_bps = serializers.IntegerField()
    floor_bps = serializers.IntegerField()
    status = serializers.CharField()
    is_new = serializers.BooleanField()
    is_vouched = serializers.BooleanField()
    first_evidence_at = serializers.DateTimeField()
    last_evidence_at = serializers.DateTimeField()


class OracleCompositeSerializer(serializers.Serializer[Any]):
    overall_bps = serializers.IntegerField(allow_null=True)
    lower_bps = serializers.IntegerField(allow_null=True)
    upper_bps = serializers.IntegerField(allow_null=True)
    shown_bps = serializers.IntegerField(allow_null=True)
    score_bps = serializers.IntegerField(allow_null=True)
    capped_by = serializers.CharField(allow_null=True)
    status = serializers.CharField()
    units = serializers.IntegerField()
    is_vouched = serializers.BooleanField()
    confidence_bps = serializers.IntegerField(allow_null=True)


class OracleRecordSerializer(serializers.Serializer[Any]):
    verdicts = serializers.IntegerField()
    tasks = serializers.IntegerField()
    met = serializers.IntegerField()
    breached = serializers.IntegerField()
    critical_breaches = serializers.IntegerField()
    rulings = serializers.IntegerField()
    disputes = serializers.IntegerField()
    started = serializers.IntegerField()
    concluded = serializers.IntegerField()


class OracleRestrictionSerializer(serializers.Serializer[Any]):
    action = serializers.CharField()
    because = serializers.CharField()
    control = serializers.CharField()
    since = serializers.DateTimeField()
    evidence = serializers.CharField()


class OracleSerializer(serializers.Serializer[Any]):
    """RFC 8785 JSON. `proofs` is an evidence bundle of `evidence`, under a signed checkpoint."""

    format = serializers.CharField()
    method = serializers.CharField(help_text="The version of the function that computed this.")
    agent = serializers.CharField()
    agent_version = serializers.CharField(allow_null=True)
    as_of = serializers.DateTimeField(help_text="Ageing steps by the hour; this is its start.")
    log_read_to = serializers.IntegerField(help_text="How many log entries it rests on.")
    composite = OracleCompositeSerializer()
    dimensions = serializers.DictField(child=OracleDimensionSerializer())
    record = OracleRecordSerializer()
    restrictions = OracleRestrictionSerializer(many=True)
    evidence = serializers.ListField(
        child=serializers.CharField(), help_text="The newest facts that moved it, newest first."
    )
    proofs = serializers.JSONField(
        allow_null=True, help_text="Null before the log's first signed head."
    )
    links = serializers.DictField(child=serializers.CharField())


class Oracle(Noun):
    """An agent's standing with its method, evidence, proofs and restrictions; for anybody.

    Cacheable: send `If-None-Match` with the last ETag, and an unchanged document answers 304.
    """

    gives = OracleSerializer

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Public bytes need no authentication, parser or renderer: reads skip all of them."""
        if request.method in ("GET", "HEAD"):
            found = oracle.answer(request, kwargs["id"])
            if found is not None:
                return found
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: Request, id: str) -> HttpResponse:
        """Nobody has this id: `dispatch` answers for every agent there is."""
        raise Http404
