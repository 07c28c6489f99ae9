"""What builders say to findings: public, signed, beside the number and in none."""

from datetime import datetime
from typing import Any

import django_filters
from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace import replies
from marketplace.api.fields import IdField
from marketplace.api.nouns import Lists, Makes, Noun
from marketplace.models import FindingReply, Incident
from marketplace.replies import LONGEST, ReplyRefused
from pacts.models import Evaluation
from reputation.clock import database_now


class ReplySerializer(serializers.ModelSerializer[FindingReply]):
    """One version. `digest` is SHA-256 over the canonical JSON (RFC 8785) of `about` (the
    evaluation's or incident's id), `number`, `salt` and `text`; the signature's message is
    `earnest-reply/1\\n<digest>\\n`. Once erased, text and salt are empty."""

    agent = serializers.CharField(source="agent_id")
    party = serializers.CharField(source="party_id")
    evaluation = serializers.CharField(source="evaluation_id", allow_null=True)
    incident = serializers.CharField(source="incident_id", allow_null=True)
    evidence = serializers.CharField(source="evidence_id")
    signature = serializers.SerializerMethodField(help_text="Ed25519, hexadecimal.")
    public_key = serializers.SerializerMethodField(help_text="Of the party, hexadecimal.")

    class Meta:
        model = FindingReply
        fields = [
            *("id", "agent", "party", "evaluation", "incident", "number", "text", "salt"),
            *("digest", "signature", "public_key", "evidence", "replied_at", "erased_at"),
        ]

    def get_signature(self, reply: FindingReply) -> str:
        return bytes(reply.signature.signature).hex()

    def get_public_key(self, reply: FindingReply) -> str:
        return bytes(reply.signature.key.public_key).hex()


class NewReplySerializer(serializers.Serializer[FindingReply]):
    """Words on exactly one finding."""

    evaluation = IdField(required=False)
    incident = IdField(required=False)
    text = serializers.CharField(max_length=LONGEST, trim_whitespace=False)


class ReplyFilter(django_filters.FilterSet):
    agent = django_filters.CharFilter(field_name="agent_id")
    evaluation = django_filters.CharFilter(field_name="evaluation_id")
    incident = django_filters.CharFilter(field_name="incident_id")


class Replies(Lists, Makes):
    """Everybody's replies, every version. A POST says something to a finding of one's own agent."""

    gives = ReplySerializer
    takes = NewReplySerializer
    filterset_class = ReplyFilter

    def get_queryset(self) -> QuerySet[FindingReply]:
        return FindingReply.objects.select_related("signature__key")

    def create(self, given: dict[str, Any], now: datetime) -> FindingReply:
        return replies.reply(
            about=self._about(given),
            party=self.party,
            by=self.user,
            authority=self.authority,
            text=given["text"],
            now=now,
        )

    def _about(self, given: dict[str, Any]) -> Evaluation | Incident:
        if ("evaluation" in given) == ("incident" in given):
            raise ReplyRefused("name exactly one of evaluation and incident")
        if "incident" in given:
            own = Incident.objects.filter(agent__builder_id=self.own).select_related("agent")
            return self.find(own, pk=given["incident"])
        runs = Evaluation.objects.filter(agent_version__agent__builder_id=self.own)
        return self.find(runs.select_related("agent_version__agent"), pk=given["evaluation"])


class OneReply(Noun):
    """One version of a reply. DELETE erases the words, in every version; the digest stays."""

    gives = ReplySerializer

    def get(self, request: Request, id: str) -> Response:
        rows = FindingReply.objects.select_related("signature__key")
        return Response(self.shown(self.find(rows, pk=id)))

    def delete(self, request: Request, id: str) -> Response:
        own = FindingReply.objects.filter(party_id=self.own)
        found = self.find(own.select_related("signature__key", "evaluation", "incident"), pk=id)
        return Response(self.shown(replies.erase_reply(reply=found, now=database_now())))
