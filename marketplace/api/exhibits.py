"""Evidence that the sides of a dispute bring: typed, sealed, and handed out as downloads alone."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from rest_framework import serializers

from marketplace import cases, files
from marketplace.api.disputes import OfDisputes
from marketplace.api.fields import Base64Field
from marketplace.api.nouns import Lists, Makes, Noun, Reads
from marketplace.api.papers import Paper
from pacts.models import Exhibit


class ExhibitSerializer(serializers.ModelSerializer[Exhibit]):
    """`digest` is over a salt and the body; the body itself is at `body`."""

    dispute = serializers.CharField(source="dispute_id")
    party = serializers.CharField(source="party_id")
    title = serializers.CharField()

    class Meta:
        model = Exhibit
        fields = [
            "id",
            "dispute",
            "party",
            "kind",
            "title",
            "size",
            "digest",
            "added_at",
            "evidence_id",
        ]


class NewExhibitSerializer(serializers.Serializer[Exhibit]):
    kind = serializers.ChoiceField(choices=Exhibit.Kind.choices)
    title = serializers.CharField(max_length=200)
    body = Base64Field(help_text="The item's bytes, in base64.")


class OfExhibits(Noun):
    def exhibits(self) -> QuerySet[Exhibit]:
        return Exhibit.objects.filter(dispute__in=cases.seen_by(self.acting))


class Exhibits(OfDisputes, Lists, Makes):
    """What both sides brought. A POST adds an item, while evidence is taken."""

    gives = ExhibitSerializer
    takes = NewExhibitSerializer
    queryset = Exhibit.objects.none()
    most_bytes = 3_000_000

    def get_queryset(self) -> QuerySet[Exhibit]:
        return Exhibit.objects.filter(dispute=self.dispute()).defer("sealed")

    def create(self, given: dict[str, Any], now: datetime) -> Exhibit:
        return cases.add_exhibit(
            dispute=self.own_dispute(), party=self.party, by=self.user, now=now, **given
        )


class OneExhibit(OfExhibits, Reads):
    """One item, without its body."""

    gives = ExhibitSerializer

    def get_queryset(self) -> QuerySet[Exhibit]:
        return self.exhibits()


class ExhibitBody(OfExhibits, Paper):
    """The item itself: an attachment in a sandbox, never a page. Erased items are gone."""

    produces = "application/octet-stream"

    def get(self, request: Any, id: str) -> HttpResponse:
        return files.exhibit_file(self.find(self.exhibits(), pk=id))
